"""When each dose falls due: a course laid out on the calendar, computed and never stored.

Local wall times become instants here and nowhere else. What is done about a slot (announced, jumped at a seam,
left out) is not decided here: see `seam`, `missed` and `announcing`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import TYPE_CHECKING

from reminders.domain.plan import Amount, Course, Phase, Plan, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo


class NaiveTime(ValueError):
    """An instant without a zone: it could be any of two dozen moments."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One planned dose: its place in the plan, its local wall time, and the instant (UTC) at which it falls due.

    `number` counts from 1 within the local date, `phase_no` from 1 within the plan. Slots sort by due instant.
    """

    local_date: date
    number: int
    local_time: time
    due_at: datetime
    amount: Amount
    phase_no: int

    @property
    def key(self) -> tuple[date, int]:
        """What names the slot within its plan, for ever."""
        return self.local_date, self.number

    def __lt__(self, other: Slot) -> bool:
        return (self.due_at, *self.key) < (other.due_at, *other.key)


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """The local dates of a phase, `starts <= date < ends`; no end if it is open. `phase_no` counts from 1."""

    phase_no: int
    starts: date
    ends: date | None


def instant_of(local_date: date, local_time: time, tz: ZoneInfo) -> datetime:
    """Give the instant (UTC) of a wall time.

    A time that does not exist is read with the offset before the gap (02:30 becomes 03:30), one that occurs twice is
    its first occurrence. Source: RFC 5545 section 3.3.5; `fold=0` means exactly this (PEP 495).
    """
    return datetime.combine(local_date, local_time.replace(fold=0), tzinfo=tz).astimezone(UTC)


def phase_spans(plan: Plan) -> tuple[PhaseSpan, ...]:
    """Lay the phases end to end from the plan's first local date; in order, no gap between them."""
    spans: list[PhaseSpan] = []
    starts = plan.start
    for phase_no, phase in enumerate(plan.phases, 1):
        ends = None if phase.days is None else starts + timedelta(days=phase.days)
        spans.append(PhaseSpan(phase_no, starts, ends))
        starts = ends or starts
    return tuple(spans)


def slots_between(course: Course, start: datetime, end: datetime) -> tuple[Slot, ...]:
    """Lay out the slots of a course that fall due in a window.

    Takes aware instants and a half-open window, `start <= due < end`. Returns the slots in order of due instant,
    amounts as exact decimals in the plan's unit; empty before the first phase and after the last. Slots jumped over
    at a seam are left out. Raises NaiveTime if either end has no zone.
    """
    _refuse_naive(start, end)
    found: list[Slot] = []
    for version, opens, closes in _reigns(course):
        found += _laid_out(version, max(start, opens), end if closes is None else min(end, closes))
    return tuple(found)


def slots_of_dates(plan: Plan, first: date, end: date) -> tuple[Slot, ...]:
    """Lay out a plan's slots by their local dates, `first <= date < end`, in order of due instant."""
    whole = Version(plan, instant_of(plan.start, time.min, plan.tz))
    days = takewhile(lambda day: day.date < end, _days(whole, first))
    return tuple(sorted(slot for day in days for slot in _slots_of_day(whole, day)))


def jumped_slots(version: Version) -> tuple[Slot, ...]:
    """The version's slots in `[effective_at, first_at)`: jumped over at its seam, so `not_due`. In order of due instant."""
    return tuple(_laid_out(version, version.effective_at, version.first_at or version.effective_at))


def next_slot(course: Course, after: datetime) -> Slot | None:
    """The first slot with `due > after`; None when the plan has no more. Raises NaiveTime without a zone."""
    _refuse_naive(after)
    for version, opens, closes in _reigns(course):
        if closes is not None and closes <= after:
            continue
        slot = _first_from(version, max(opens, after + timedelta.resolution))
        if slot is not None and (closes is None or slot.due_at < closes):
            return slot
    return None


def previous_slot(course: Course, before: datetime) -> Slot | None:
    """The last slot with `due < before`; None when there was none. Raises NaiveTime without a zone."""
    _refuse_naive(before)
    for version, opens, closes in reversed(tuple(_reigns(course))):
        slot = _last_until(version, before if closes is None else min(before, closes))
        if slot is not None and slot.due_at >= opens:
            return slot
    return None


def totals_by_date(slots: Iterable[Slot]) -> dict[date, Decimal]:
    """Add up amounts by slot date, in the plan's unit. A late night dose belongs to its evening."""
    totals: defaultdict[date, Decimal] = defaultdict(Decimal)
    for slot in slots:
        totals[slot.local_date] += slot.amount.value
    return dict(totals)


def _refuse_naive(*instants: datetime) -> None:
    for instant in instants:
        if instant.utcoffset() is None:
            message = f"{instant.isoformat()} has no zone; instants are aware, in UTC"
            raise NaiveTime(message)


def _reigns(course: Course) -> Iterator[tuple[Version, datetime, datetime | None]]:
    """Each version with its half-open window of due instants; the last has no end unless the course was stopped."""
    successors = [version.effective_at for version in course.versions[1:]]
    for version, successor in zip(course.versions, [*successors, None], strict=True):
        ends = [end for end in (successor, course.ended_at) if end is not None]
        yield version, version.first_at or version.effective_at, min(ends, default=None)


@dataclass(frozen=True, slots=True)
class _Day:
    date: date
    phase_no: int
    phase: Phase


def _runs(plan: Plan) -> Iterator[tuple[int, Phase, range]]:
    """Each phase with its dosing days as a range of ordinals: a phase of years that runs every n days costs nothing."""
    for span, phase in zip(phase_spans(plan), plan.phases, strict=True):
        stop = date.max if span.ends is None else span.ends
        yield span.phase_no, phase, range(span.starts.toordinal(), stop.toordinal(), phase.every_n_days)


def _days(version: Version, first: date) -> Iterator[_Day]:
    """The dosing days from `first` on, rising; endless when the last phase is open."""
    for phase_no, phase, run in _runs(version.followed):
        for ordinal in run[bisect_left(run, first.toordinal()) :]:
            yield _Day(date.fromordinal(ordinal), phase_no, phase)


def _days_back(version: Version, last: date) -> Iterator[_Day]:
    """The dosing days up to `last`, falling."""
    for phase_no, phase, run in reversed(tuple(_runs(version.followed))):
        for ordinal in reversed(run[: bisect_left(run, last.toordinal() + 1)]):
            yield _Day(date.fromordinal(ordinal), phase_no, phase)


def _slots_of_day(version: Version, day: _Day) -> list[Slot]:
    """The slots of one dosing day that the version governs, numbered."""
    tz, used = version.plan.tz, dict(version.used).get(day.date)
    slots = [
        Slot(day.date, number, dose.at, instant_of(day.date, dose.at, tz), dose.amount, day.phase_no)
        for number, dose in enumerate(day.phase.doses, 1)
    ]
    slots = [slot for slot in slots if slot.due_at >= version.effective_at]
    return slots if used is None else _numbered_after(slots, used)


def _numbered_after(slots: list[Slot], used: int) -> list[Slot]:
    """Numbers within a date go on after the last used by an older version: a number never means two doses."""
    return [
        Slot(slot.local_date, number, slot.local_time, slot.due_at, slot.amount, slot.phase_no)
        for number, slot in enumerate(slots, used + 1)
    ]


_MARGIN = timedelta(days=1)
"""A slot's instant can lie on the next local date: where a zone skipped a whole day (Apia, 30 Dec 2011) the skipped
day's slots are read with the offset before the gap and fall together with the next day's. Hence one day of margin.
"""


def _laid_out(version: Version, start: datetime, end: datetime) -> list[Slot]:
    """The version's slots with `start <= due < end`, jumped ones too, in order of due instant."""
    if start >= end:
        return []
    last = _local_date(version, end) + _MARGIN
    days = takewhile(lambda day: day.date <= last, _days(version, _local_date(version, start) - _MARGIN))
    return sorted(slot for day in days for slot in _slots_of_day(version, day) if start <= slot.due_at < end)


def _first_from(version: Version, start: datetime) -> Slot | None:
    """The version's first slot with `due >= start`: of the first day that has one, or of the dosing day after it."""
    best: Slot | None = None
    for day in _days(version, _local_date(version, start) - _MARGIN):
        found = [slot for slot in _slots_of_day(version, day) if slot.due_at >= start]
        if best is not None:
            return min([best, *found])
        best = min(found, default=None)
    return best


def _last_until(version: Version, end: datetime) -> Slot | None:
    """The version's last slot with `due < end`: of the last day that has one, or of the dosing day before it."""
    best: Slot | None = None
    earliest = _local_date(version, version.effective_at) - _MARGIN
    for day in takewhile(lambda day: day.date >= earliest, _days_back(version, _local_date(version, end) + _MARGIN)):
        found = [slot for slot in _slots_of_day(version, day) if slot.due_at < end]
        if best is not None:
            return max([best, *found])
        best = max(found, default=None)
    return best


def _local_date(version: Version, instant: datetime) -> date:
    return instant.astimezone(version.plan.tz).date()
