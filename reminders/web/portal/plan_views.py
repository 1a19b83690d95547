"""What a page shows of a plan: its dated table with each dose in tablets, its picture, and the tablets to dispense."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

from reminders.domain.plan import Amount, Plan, plain
from reminders.domain.profile import DrugProfile
from reminders.domain.tablets import in_tablets, tablets_text
from reminders.services.laying_out import USUAL_DAYS, TableRow, table_of, tablets_to_dispense
from reminders.web.portal.step_picture import Picture, step_picture

WITHOUT_END = 0
"""The open-ended phase as one row, without a day up to which it is laid out."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A dose: its amount with the unit, and what that is in tablets; empty where nobody can say."""

    amount: str
    tablets: str


@dataclass(frozen=True, slots=True)
class Line:
    """A phase of the table: its number, its dates in words, its days, a dose for each time (None: none), and the day's total."""

    number: int
    dates: str
    days: str
    cells: tuple[Cell | None, ...]
    per_day: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan for a page. `dispense`: a row for each phase and one in all, with a count for each of `strengths`."""

    times: tuple[str, ...]
    lines: tuple[Line, ...]
    picture: Picture
    strengths: tuple[str, ...]
    dispense: tuple[tuple[str, tuple[str, ...]], ...]
    counted_until: int | None
    of_a_day: str


def plan_view(plan: Plan, profile: DrugProfile) -> PlanView:
    """Lay a plan out for a page."""
    times = tuple(sorted({dose.at for phase in plan.phases for dose in phase.doses}))
    rows = table_of(plan, until_day=WITHOUT_END)
    strengths, dispense, until = _dispense(plan, profile)
    every_day = all(phase.every_n_days == 1 for phase in plan.phases)
    return PlanView(
        times=tuple(f"{at:%H:%M}" for at in times),
        lines=tuple(_line(row, times, plan, profile) for row in rows),
        picture=step_picture(rows, plan.unit.value),
        strengths=strengths,
        dispense=dispense,
        counted_until=until,
        of_a_day="a day" if every_day else "a dosing day",
    )


def _line(row: TableRow, times: tuple[time, ...], plan: Plan, profile: DrugProfile) -> Line:
    nth = plan.phases[row.phase_no - 1].every_n_days
    days = "no end" if row.days is None else f"{row.days} day{'' if row.days == 1 else 's'}"
    cells = tuple(_cell(Amount(row.amounts[at], plan.unit), plan, profile) if at in row.amounts else None for at in times)
    rhythm = "" if nth == 1 else f", a dose every {nth} days"
    return Line(row.phase_no, dates_words(row.first, row.last, plan.start.year), days + rhythm, cells, f"{plain(row.per_day)} {plan.unit}")


def _cell(amount: Amount, plan: Plan, profile: DrugProfile) -> Cell:
    own = plan.strengths or None
    return Cell(str(amount), "" if in_tablets(amount, profile, own) is None else tablets_text(amount, profile, own))


def _dispense(plan: Plan, profile: DrugProfile) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...], int | None]:
    counted = tablets_to_dispense(plan, profile, plan.strengths or None, until_day=_until(plan))
    if counted is None or not counted.in_all:
        return (), (), None
    named = [*((f"phase {number}", phase) for number, phase in enumerate(counted.phases, 1)), ("in all", counted.in_all)]
    rows = tuple((name, tuple(str(counts.get(strength, "–")) for strength in counted.in_all)) for name, counts in named)
    return tuple(map(str, counted.in_all)), rows, counted.until_day


def _until(plan: Plan) -> int:
    """Up to which day an open-ended plan is counted: as the command line does, and a week into its last phase at least."""
    return max(USUAL_DAYS, sum(phase.days or 0 for phase in plan.phases) + 7)


def dates_words(first: date, last: date | None, year: int) -> str:
    """Write a run of dates, with its year where that is another: "Mon 2 – Wed 4 Mar", "Wed 11 Mar on", "Fri 1 Jan 2027 on"."""
    if last is None:
        return f"{_date(first, year)} on"
    if first == last:
        return _date(first, year)
    alike = (first.year, first.month) == (last.year, last.month)
    return f"{first:%a} {first.day} – {_date(last, year)}" if alike else f"{_date(first, year)} – {_date(last, year)}"


def _date(day: date, year: int) -> str:
    return f"{day:%a} {day.day} {day:%b}" + ("" if day.year == year else f" {day.year}")
