"""A plan's last two weeks at a glance: each day's doses by their letters, how far they were confirmed, and whether that changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from reminders.domain.adherence import Adherence, Mark, ScoredDose, adherence

if TYPE_CHECKING:
    from collections.abc import Iterable

DAYS = 14
"""How many local days a window has, today the last of them."""
ENOUGH = 7
"""With fewer counted doses in either window nothing is said of a trend. [default]"""
STEADY_WITHIN = Fraction(5, 100)
"""A confirmed share that differs by less than this is called steady. [default]"""


class Trend(StrEnum):
    """How the confirmed share of a window compares with that of the window before."""

    UP = "up"
    DOWN = "down"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Day:
    """A local day and what its doses came to, in their order; none on a day without a dose."""

    on: date
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Fortnight:
    """Two windows of 14 local days: the days and the score of the last, the score of the one before.

    trend  None: too few counted doses to say.
    """

    days: tuple[Day, ...]
    last: Adherence
    before: Adherence
    trend: Trend | None


def fortnight(doses: Iterable[ScoredDose], *, today: date) -> Fortnight:
    """Lay out one plan's doses, given in order of due instant; what lies outside the two windows is left out.

    Doses not due, muted, not reminded, open or pending are in no share, as in every score: of those they would say nothing.
    """
    first, known = today - timedelta(days=DAYS - 1), list(doses)
    last = [dose for dose in known if first <= dose.local_date <= today]
    before = [dose for dose in known if first - timedelta(days=DAYS) <= dose.local_date < first]
    by_day: dict[date, list[Mark]] = {first + timedelta(days=number): [] for number in range(DAYS)}
    for dose in last:
        by_day[dose.local_date].append(dose.mark)
    scores = adherence(last), adherence(before)
    return Fortnight(tuple(Day(on, tuple(marks)) for on, marks in by_day.items()), *scores, trend_of(*scores))


def trend_of(last: Adherence, before: Adherence) -> Trend | None:
    """Compare the confirmed shares of two windows."""
    if last.lower is None or before.lower is None or min(last.counted, before.counted) < ENOUGH:
        return None
    change = last.lower - before.lower
    if abs(change) < STEADY_WITHIN:
        return Trend.STEADY
    return Trend.UP if change > 0 else Trend.DOWN
