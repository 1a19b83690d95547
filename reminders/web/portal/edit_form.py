"""The form that changes what is coming of a plan: a grid of phases and times, as a plan file's phases, and what is wrong with it.

It works without a script: a row or a time more, or one less, is a button that sends the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time

from reminders.domain.plan import Phase, Plan, plain
from reminders.errors import BadFile, Fault
from reminders.formats.parts import without_unit
from reminders.formats.plan_file import read_plan, write_plan
from reminders.web.bodies import MOST_FIELDS

MOST_ROWS, MOST_TIMES = 60, 8
"""A grid of more is neither shown nor read: what is left out of it would be left out of the plan."""


@dataclass(frozen=True, slots=True)
class GridRow:
    """A phase as it is typed: its days (blank: no end), its rhythm, and an amount (blank: no dose) for each time."""

    days: str
    every: str
    amounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """What is typed: a time for each column, and a row for each phase."""

    times: tuple[str, ...]
    rows: tuple[GridRow, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What a grid comes to: phases, or what is wrong, by the name of its field (`grid` for what is in none)."""

    phases: tuple[Phase, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)


def grid_of(phases: tuple[Phase, ...]) -> Grid:
    """Lay phases out as a grid."""
    times = sorted({dose.at for phase in phases for dose in phase.doses})
    return Grid(tuple(f"{at:%H:%M}" for at in times), tuple(_row(phase, times) for phase in phases))


def _row(phase: Phase, times: list[time]) -> GridRow:
    by_time = {dose.at: plain(dose.amount.value) for dose in phase.doses}
    every = "" if phase.every_n_days == 1 else str(phase.every_n_days)
    return GridRow("" if phase.days is None else str(phase.days), every, tuple(by_time.get(at, "") for at in times))


def fits(grid: Grid) -> bool:
    """Whether a form can hold a grid: all its fields, and the button that sends it."""
    rows, times = len(grid.rows), len(grid.times)
    return rows <= MOST_ROWS and times <= MOST_TIMES and times + rows * (2 + times) + 1 <= MOST_FIELDS


def typed_grid(form: Mapping[str, str]) -> Grid:
    """Read a grid's fields: `time_0`, `days_0`, `every_0`, `amount_0_0`, counted from 0. Raises ValueError for a row or a time too many."""
    columns, rows = _numbered(form, "time", MOST_TIMES), _numbered(form, "days", MOST_ROWS)
    return Grid(
        tuple(form[f"time_{column}"].strip() for column in columns),
        tuple(
            GridRow(
                form[f"days_{row}"].strip(),
                form.get(f"every_{row}", "").strip(),
                tuple(form.get(f"amount_{row}_{column}", "").strip() for column in columns),
            )
            for row in rows
        ),
    )


def _numbered(form: Mapping[str, str], what: str, most: int) -> list[int]:
    known = {f"{what}_{number}": number for number in range(most)}
    if any(name.startswith(f"{what}_") and name not in known for name in form):
        raise ValueError(f"a grid has at most {most} of {what}")
    return [number for name, number in known.items() if name in form]


def changed(grid: Grid, then: str) -> Grid:
    """The grid after a button that is not for a preview: `time`, `after_<row>`, `without_<row>`; as it was where it would not fit."""
    after = _changed(grid, then)
    return after if fits(after) else grid


def _changed(grid: Grid, then: str) -> Grid:
    what, _, number = then.partition("_")
    row = int(number) if re.fullmatch(r"[0-9]{1,2}", number) else -1
    if what == "time":
        return Grid((*grid.times, ""), tuple(GridRow(one.days, one.every, (*one.amounts, "")) for one in grid.rows))
    if what == "after" and 0 <= row < len(grid.rows):
        copied = grid.rows[row]
        return Grid(grid.times, (*grid.rows[: row + 1], copied, *grid.rows[row + 1 :]))
    if what == "without" and 0 <= row < len(grid.rows) and len(grid.rows) > 1:
        return Grid(grid.times, (*grid.rows[:row], *grid.rows[row + 1 :]))
    return grid


def read_grid(grid: Grid, plan: Plan) -> Read:
    """Read a grid's phases, in the unit of a plan."""
    columns = [[index for index, amount in enumerate(row.amounts) if amount and grid.times[index]] for row in grid.rows]
    for of_row in columns:
        of_row.sort(key=lambda index: grid.times[index].rjust(5, "0"))
    phases = [_phase(grid, row, of_row, plan.unit.value) for row, of_row in zip(grid.rows, columns, strict=True)]
    faults = dict(_without_time(grid))
    try:
        read = read_plan({**write_plan(plan), "phases": phases})
    except BadFile as bad:
        return Read(faults={_field(fault, columns): _on_a_page(fault.message) for fault in reversed(bad.faults)} | faults)
    return Read(faults=faults) if faults else Read(read.phases)


def _phase(grid: Grid, row: GridRow, columns: list[int], unit: str) -> dict[str, object]:
    doses = [{"at": grid.times[index].rjust(5, "0"), "amount": without_unit(row.amounts[index], unit), "unit": unit} for index in columns]
    return {"days": _number(row.days) if row.days else None, "every_n_days": _number(row.every) if row.every else 1, "doses": doses}


def _without_time(grid: Grid) -> Iterator[tuple[str, str]]:
    """An amount in a column that has no time: it would be lost without a word."""
    for column, at in enumerate(grid.times):
        if not at and any(row.amounts[column] for row in grid.rows):
            yield f"time_{column}", "is missing: amounts stand below it"


def _number(typed: str) -> object:
    return int(typed) if re.fullmatch(r"[0-9]{1,6}", typed) else typed


def _field(fault: Fault, columns: list[list[int]]) -> str:
    found = re.match(r"phases\[([0-9]+)\]\.(\w+)(?:\[([0-9]+)\]\.(\w+))?", fault.path)
    if found is None:
        return "grid"
    row, what, dose, part = int(found[1]), found[2], found[3], found[4]
    if what == "doses":
        if dose is None:
            return f"days_{row}"
        column = columns[row][int(dose)]
        return f"time_{column}" if part == "at" else f"amount_{row}_{column}"
    return f"every_{row}" if what == "every_n_days" else f"days_{row}"


def _on_a_page(message: str) -> str:
    return message.replace(' in quotes, like "5" or "2.5"', ", like 5 or 2.5")
