"""How far the taking matched the plan: counts first, every share beside the counts it rests on.

No reply is not a missed dose, our own fault is not the patient's, and nothing out of nothing is "no data".
The words are those of the ABC taxonomy (Vrijens 2012). Refill measures are another thing: their names are not used.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from reminders.domain.dose_state import ADVISED, DoseState, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ON_TIME = timedelta(minutes=60)
"""How late a dose may be and still count as on time. [default]"""
HOLIDAY_DAYS = 3
"""How many dosing days without a confirmed dose make a holiday. [default]"""


class Mark(StrEnum):
    """What a dose came to, as one letter of a report.

    T taken on time · L taken late, by the rule's last moment · X taken after it · C taken, time unknown ·
    R skipped, rule advised · P skipped, patient's choice · M missed (reported) · U unconfirmed · N not reminded ·
    Z outside the plan's counts: not due, or muted · o open or pending.
    """

    T = "T"
    L = "L"
    X = "X"
    C = "C"
    R = "R"
    P = "P"
    M = "M"
    U = "U"
    N = "N"
    Z = "Z"
    o = "o"


TAKEN = frozenset({Mark.T, Mark.L, Mark.X, Mark.C})
NOT_TAKEN = frozenset({Mark.R, Mark.P, Mark.M, Mark.U})
COUNTED = TAKEN | NOT_TAKEN
_MARKS = {
    DoseState.PENDING: Mark.o,
    DoseState.OPEN: Mark.o,
    DoseState.MISSED: Mark.M,
    DoseState.UNCONFIRMED: Mark.U,
    DoseState.NOT_REMINDED: Mark.N,
    DoseState.NOT_DUE: Mark.Z,
}


def mark_of(standing: Standing, due_at: datetime, take_until: datetime | None, on_time: timedelta = ON_TIME) -> Mark:
    """Say what a dose came to.

    Takes aware UTC instants; `take_until` is the rule's last moment, inclusive, None where no rule gives one: a dose
    taken later than `on_time` is then late, never past the rule. Early is on time.
    """
    if standing.muted:
        return Mark.Z
    if standing.state is DoseState.TAKEN:
        return _mark_of_taken(standing, due_at + on_time, take_until)
    if standing.state is DoseState.SKIPPED:
        return Mark.R if standing.reason == ADVISED else Mark.P
    return _MARKS[standing.state]


def _mark_of_taken(standing: Standing, on_time_until: datetime, take_until: datetime | None) -> Mark:
    known_by = standing.taken_at or standing.taken_by
    if known_by is not None and known_by <= on_time_until:
        return Mark.T
    if standing.taken_at is None:
        return Mark.C
    return Mark.L if take_until is None or standing.taken_at <= take_until else Mark.X


class ScoredDose(NamedTuple):
    """One dose of a report: its slot's local date, what it came to, and its amount in the plan's unit."""

    local_date: date
    mark: Mark
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Holiday:
    """Dosing days running without a confirmed dose, first to last inclusive, and how much of it is only silence."""

    first: date
    last: date
    doses: int
    unconfirmed: int


@dataclass(frozen=True, slots=True)
class Adherence:
    """Counts, and shares as exact fractions; a share of nothing is None.

    counted        doses that were due and finished: taken, skipped, missed or unconfirmed
    not_reminded   our fault, or unproven; outside  not due, or muted; unfinished  open or pending: none of them counted
    lower, upper   taken; taken or unconfirmed: the headline, always as a pair
    responded      taken, of those that were answered; response_rate  answered; reach  counted, of counted and not reminded
    on_time        of the counted; late_by_rule  of the late ones and those skipped on advice
    weighted       amount taken of amount counted
    longest_run    doses not taken running, of which `run_unconfirmed` only silence; holidays  of three dosing days or more
    """

    counted: int
    taken: int
    unconfirmed: int
    not_reminded: int
    outside: int
    unfinished: int
    lower: Fraction | None
    upper: Fraction | None
    responded: Fraction | None
    response_rate: Fraction | None
    reach: Fraction | None
    on_time: Fraction | None
    late_by_rule: Fraction | None
    days_correct: int
    days_scored: int
    weighted: Fraction | None
    longest_run: int
    run_unconfirmed: int
    holidays: tuple[Holiday, ...]

    @property
    def correct_days(self) -> Fraction | None:
        """The share of scored days on which every dose was taken; a day with a dose outside the counts is not scored."""
        return _share(self.days_correct, self.days_scored)


def adherence(doses: Iterable[tuple[date, Mark, Decimal]]) -> Adherence:
    """Score doses given in order of due instant, over all or over one phase.

    Each is a local date, a mark and an amount (`ScoredDose`), amounts all in one unit. Never raises on emptiness.
    """
    rows = [ScoredDose(*dose) for dose in doses]
    n = Counter(row.mark for row in rows)
    counted = [row for row in rows if row.mark in COUNTED]
    due, taken, silent = len(counted), sum(n[mark] for mark in TAKEN), n[Mark.U]
    late_by_rule = n[Mark.L] + n[Mark.R]
    days_correct, days_scored = _days(rows)
    longest_run, run_unconfirmed = _longest_run(counted)
    return Adherence(
        counted=due,
        taken=taken,
        unconfirmed=silent,
        not_reminded=n[Mark.N],
        outside=n[Mark.Z],
        unfinished=n[Mark.o],
        lower=_share(taken, due),
        upper=_share(taken + silent, due),
        responded=_share(taken, due - silent),
        response_rate=_share(due - silent, due),
        reach=_share(due, due + n[Mark.N]),
        on_time=_share(n[Mark.T], due),
        late_by_rule=_share(late_by_rule, late_by_rule + n[Mark.X]),
        days_correct=days_correct,
        days_scored=days_scored,
        weighted=_weighted(counted),
        longest_run=longest_run,
        run_unconfirmed=run_unconfirmed,
        holidays=_holidays(counted),
    )


def percent(share: Fraction | None) -> str:
    """Write a share in percent, rounded half up to two places, whole numbers bare: 83.33, 87.50, 100; or "no data"."""
    if share is None:
        return "no data"
    hundredths = int(share * 10000 + Fraction(1, 2))
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}" if rest else f"{whole}"


def _share(part: int | Fraction, whole: int | Fraction) -> Fraction | None:
    return Fraction(part) / whole if whole else None


def _weighted(counted: Sequence[ScoredDose]) -> Fraction | None:
    taken = sum((Fraction(row.amount) for row in counted if row.mark in TAKEN), Fraction(0))
    return _share(taken, sum((Fraction(row.amount) for row in counted), Fraction(0)))


def _days(rows: Sequence[ScoredDose]) -> tuple[int, int]:
    marks: dict[date, set[Mark]] = {}
    for row in rows:
        marks.setdefault(row.local_date, set()).add(row.mark)
    scored = [day for day in marks.values() if day <= COUNTED]
    return sum(day <= TAKEN for day in scored), len(scored)


def _longest_run(counted: Sequence[ScoredDose]) -> tuple[int, int]:
    runs = [list(run) for is_taken, run in groupby(counted, key=lambda row: row.mark in TAKEN) if not is_taken]
    longest = max(runs, key=len, default=[])
    return len(longest), _unconfirmed(longest)


def _holidays(counted: Sequence[ScoredDose]) -> tuple[Holiday, ...]:
    days = [list(day) for _, day in groupby(counted, key=lambda row: row.local_date)]
    without = [list(run) for confirmed, run in groupby(days, key=_any_taken) if not confirmed]
    return tuple(_holiday(run) for run in without if len(run) >= HOLIDAY_DAYS)


def _holiday(days: Sequence[Sequence[ScoredDose]]) -> Holiday:
    doses = [dose for day in days for dose in day]
    return Holiday(doses[0].local_date, doses[-1].local_date, len(doses), _unconfirmed(doses))


def _any_taken(day: Iterable[ScoredDose]) -> bool:
    return any(row.mark in TAKEN for row in day)


def _unconfirmed(doses: Iterable[ScoredDose]) -> int:
    return sum(row.mark is Mark.U for row in doses)
