"""Join an old way of laying out slots to a new one: a new version, a zone move, a restart.

Without a seam, a patient who moves from New York to London after the 14:00 dose would be told of the next an hour later.
What the rule cannot join well is given to the provider as a problem; nobody is asked to wait here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from reminders.domain.plan import Course, Plan, Version
from reminders.domain.schedule import Slot, jumped_slots, next_slot, slots_between, slots_of_dates


class SeamProblem(StrEnum):
    """Why a seam goes to the provider. `too_short`: a slot came in time, but closer than the minimum gap."""

    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    NOTHING_LEFT = "nothing_left"


@dataclass(frozen=True)
class Seam:
    """A preview of the join.

    version   the new version, ready to store
    first     its first slot; None if it has none left
    jumped    its slots before that, in order of due instant: they become `not_due`
    gap       from the last dose to the first slot, elapsed; None without either
    problems  why a provider must look at it; empty if nobody need
    """

    version: Version
    first: Slot | None
    jumped: tuple[Slot, ...]
    gap: timedelta | None
    problems: tuple[SeamProblem, ...]


def join(
    course: Course,
    plan: Plan,
    *,
    at: datetime,
    last: datetime | None,
    min_gap: timedelta,
    max_gap: timedelta | None,
    used: Mapping[date, int],
    planned_by_date: Mapping[date, Decimal],
    max_per_day: Decimal | None,
) -> Seam:
    """Join a course to a new plan at an instant, and say where its first slot lands.

    last             when the last dose was taken, or announced if it is not known to be taken (UTC)
    used             the highest slot number with a dose on record, by local date
    planned_by_date  what was taken or announced of the drug so far, by slot date, in the plan's unit
    max_per_day      the drug's daily maximum by slot date, in the plan's unit; None: no source sets one

    The first slot is the earliest that is due at `at` or later, no sooner than `min_gap` after `last`, and from which on
    no date exceeds the daily maximum. The slots before it are jumped over.
    """
    version = Version(plan, at, no=course.current.no + 1, used=_used(course, at, used))
    first = _first_lawful(version, at if last is None else max(at, last + min_gap), planned_by_date, max_per_day)
    version = _starting_with(version, first)
    gap = None if first is None or last is None else first.due_at - last
    jumped = jumped_slots(version)
    return Seam(version, first, jumped, gap, tuple(_problems(jumped, first, last, (min_gap, max_gap))))


def too_close(previous: Slot, slot: Slot, min_gap: timedelta) -> bool:
    """Whether two slots of one layout fall together, as in a spring gap: then the later is `not_due`, a small seam."""
    return slot.due_at - previous.due_at < min_gap


_REACH = timedelta(days=2)
"""Two days back reach every local date that a slot due at the seam can belong to, whichever way the zone moved."""


def _used(course: Course, at: datetime, on_record: Mapping[date, int]) -> tuple[tuple[date, int], ...]:
    """The highest numbers used on the dates that both layouts share: those on record, and those already laid out."""
    highest = defaultdict(int, {day: number for day, number in on_record.items() if day >= (at - _REACH).date()})
    past = slots_between(course, at - _REACH, at)
    for slot in (*past, *(slot for version in course.versions for slot in jumped_slots(version) if slot.due_at >= at - _REACH)):
        highest[slot.local_date] = max(highest[slot.local_date], slot.number)
    return tuple(sorted(highest.items()))


def _first_lawful(version: Version, earliest: datetime, planned: Mapping[date, Decimal], most: Decimal | None) -> Slot | None:
    """The first slot due at `earliest` or later from which on no date exceeds the daily maximum."""
    course = Course((version,))
    slot = next_slot(course, earliest - timedelta.resolution)
    while slot is not None and most is not None and any(total > most for total in _totals(version, slot, planned)):
        slot = next_slot(course, slot.due_at)
    return slot


def _totals(version: Version, first: Slot, planned: Mapping[date, Decimal]) -> Iterator[Decimal]:
    """The totals of the dates on which both layouts have a part, if the new one begins with `first`."""
    for day, total in planned.items():
        slots = [slot for slot in slots_of_dates(version.plan, day, day + timedelta(days=1)) if slot.due_at >= first.due_at]
        if slots:
            yield total + sum((slot.amount.value for slot in slots), Decimal(0))


def _starting_with(version: Version, first: Slot | None) -> Version:
    """The version with the slots before its first one jumped over; all that are left, if it has no first."""
    course = Course((version,))
    slot = next_slot(course, version.effective_at - timedelta.resolution)
    if first is not None:
        return version if slot == first else replace(version, first_at=first.due_at)
    last = None
    while slot is not None:
        last, slot = slot, next_slot(course, slot.due_at)
    return version if last is None else replace(version, first_at=last.due_at + timedelta.resolution)


def _problems(
    jumped: tuple[Slot, ...], first: Slot | None, last: datetime | None, gaps: tuple[timedelta, timedelta | None]
) -> Iterator[SeamProblem]:
    min_gap, max_gap = gaps
    if first is None:
        yield SeamProblem.NOTHING_LEFT
    elif last is not None and max_gap is not None and first.due_at - last > max_gap:
        yield SeamProblem.TOO_LONG
        if any(slot.due_at - last < min_gap for slot in jumped):
            yield SeamProblem.TOO_SHORT
