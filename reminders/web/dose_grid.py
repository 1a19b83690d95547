"""A plan's doses as a grid: a row for each time of day, a column for each date, in each cell a colour and a letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from reminders.domain.adherence import Mark
from reminders.domain.plan import plain
from reminders.services.charting import Cell
from reminders.web.dose_strip import day_words

COMING = "·"
LOOKS: Mapping[Mark | None, tuple[str, str, str]] = MappingProxyType(
    {
        Mark.T: ("T", "taken", "taken on time"),
        Mark.L: ("L", "late", "taken late"),
        Mark.X: ("X", "past", "taken after its last moment"),
        Mark.C: ("C", "recalled", "taken, told later"),
        Mark.R: ("R", "skipped", "left out, as the rule advised"),
        Mark.P: ("P", "skipped", "skipped by the patient"),
        Mark.M: ("M", "missed", "missed, as was reported"),
        Mark.U: ("U", "unconfirmed", "unconfirmed: no answer"),
        Mark.N: ("N", "not-reminded", "not reminded"),
        Mark.Z: ("Z", "not-due", "not due, or muted"),
        Mark.o: ("o", "open", "waits for an answer"),
        None: (COMING, "coming", "still to come"),
    }
)
"""The letters of the dosing rules, and how each is drawn and said. No colour stands without its letter."""


@dataclass(frozen=True, slots=True)
class GridCell:
    """One dose: its letter, how it is drawn, its words, and its number in its date; `opens`: there is a record to look into."""

    on: date
    number: int
    letter: str
    look: str
    words: str
    opens: bool
    flagged: bool


@dataclass(frozen=True, slots=True)
class GridRow:
    """The doses at one time of day, a cell for each date; None where that date has none."""

    time: str
    cells: tuple[GridCell | None, ...]


def dose_grid(cells: Sequence[Cell], days: Sequence[date], unit: str, zone: str) -> tuple[GridRow, ...]:
    """Lay a plan's doses out. A time that a date has twice, after a move say, has a row for each."""
    places: dict[tuple[str, int], dict[date, GridCell]] = {}
    seen: dict[tuple[date, str], int] = {}
    for cell in sorted(cells, key=lambda cell: (cell.local_date, cell.due_at, cell.number)):
        time = f"{cell.local_time:%H:%M}"
        nth = seen[cell.local_date, time] = seen.get((cell.local_date, time), 0) + 1
        places.setdefault((time, nth), {})[cell.local_date] = _cell(cell, unit, zone)
    return tuple(GridRow(time, tuple(found.get(day) for day in days)) for (time, _), found in sorted(places.items()))


def legend() -> tuple[tuple[str, str, str], ...]:
    """Every letter, how it is drawn, and what it says."""
    return tuple(LOOKS.values())


def _cell(cell: Cell, unit: str, zone: str) -> GridCell:
    letter, look, _ = LOOKS[cell.mark]
    return GridCell(
        cell.local_date,
        cell.number,
        letter,
        look,
        words_of(cell, unit, zone),
        opens=cell.mark is not None,
        flagged=cell.odd or cell.contradicted,
    )


def words_of(cell: Cell, unit: str, zone: str) -> str:
    """Say a dose in words: when, how much, what it came to, and what a person should know of it."""
    _, _, became = LOOKS[cell.mark]
    at = f" ({_at(cell.taken_at, cell.local_date, zone)})" if cell.taken_at else ""
    more = [
        "set right by staff" if cell.corrected else "",
        "told as two, half or vomited: look at it" if cell.odd else "",
        "told both ways" if cell.contradicted else "",
    ]
    said = ", ".join([f"{became}{at}", *filter(None, more)])
    return f"{cell.local_date:%a} {day_words(cell.local_date)} {cell.local_time:%H:%M}, {plain(cell.amount)} {unit}: {said}"


def _at(instant: datetime, day: date, zone: str) -> str:
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M}" if local.date() == day else f"{local:%a} {day_words(local.date())} {local:%H:%M}"
