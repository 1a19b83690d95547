"""Every clock change of eleven years, in every zone, at every quarter-hour of the day, held against plain arithmetic on offsets.

The other reckoning never asks what a wall time means. It asks a zone the one question that has one answer, its offset at an instant of
UTC; finds from that when each offset begins and ends; and from there adds, subtracts and compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from reminders.domain.plan import Course
from reminders.domain.schedule import Slot, next_slot, slots_between
from tests.builders import a_course, a_phase, a_plan, utc
from tests.strategies import ZONES

FIRST, END = utc("2025-01-01 00:00"), utc("2036-01-01 00:00")
QUARTERS = tuple(time(hour, minute) for hour in range(24) for minute in (0, 15, 30, 45))
SECOND, HALF_DAY, DAY = timedelta(seconds=1), timedelta(hours=12), timedelta(days=1)
AROUND = 2 * DAY

# What the pinned rules of time zones hold: zones that change, their changes, and these by 96 quarter-hours. A newer tzdata is counted
# anew, and its figures written here with their reason: a sweep never shrinks unseen. (2025b had 4,426 changes: it kept Morocco on its
# Ramadan clock, and western and central Canada on summer time, to the end.)
EXPECTED = {"2026.6": (201, 4213, 404_448)}

# Zones that left out a whole date, and the month. (Those that lived one twice did so before 1970, when no plan can start.)
LEFT_OUT_A_DATE = {
    "Pacific/Apia": "2011-12-01",
    "Pacific/Fakaofo": "2011-12-01",
    "Pacific/Kanton": "1994-12-01",
    "Pacific/Kiritimati": "1994-12-01",
    "Pacific/Kwajalein": "1993-08-01",
}


@dataclass(frozen=True, slots=True)
class Spell:
    """A time of one offset: the instants `starts <= t < ends`."""

    starts: datetime
    ends: datetime
    offset: timedelta


def spells(zone: str, first: datetime = FIRST, end: datetime = END) -> tuple[Spell, ...]:
    """Find a zone's spells: ask its offset every half day, then halve the time in which it changed.

    Only changes within one half day that undo each other would escape; no zone ever had two within four days.
    """
    tz, instants = ZoneInfo(zone), _every_half_day(first, end)
    offsets = [instant.astimezone(tz).utcoffset() for instant in instants]
    steps = zip(pairwise(instants), pairwise(offsets), strict=True)
    begins = [instant for step, (was, will_be) in steps if was != will_be for instant in _begins(tz, *step)]
    return tuple(Spell(starts, ends, _offset(tz, starts)) for starts, ends in pairwise([first, *begins, end]))


@cache
def _every_half_day(first: datetime, end: datetime) -> tuple[datetime, ...]:
    return tuple(first + no * HALF_DAY for no in range((end - first) // HALF_DAY + 1))


def _begins(tz: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """Each second at which a new offset begins, `since < second <= until`."""
    while _offset(tz, since) != _offset(tz, until):
        same, other = since, until
        while other - same > SECOND:
            middle = same + (other - same) // (2 * SECOND) * SECOND
            same, other = (middle, other) if _offset(tz, middle) == _offset(tz, since) else (same, middle)
        yield (since := other)


def _offset(tz: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(tz).utcoffset()
    assert offset is not None
    return offset


def read(wall: datetime, near: Sequence[Spell]) -> datetime:
    """Read a wall time, written as if it were UTC, as RFC 5545 does: its first occurrence; if none, by the offset before the gap."""
    for spell in near:
        if spell.starts <= wall - spell.offset < spell.ends:
            return wall - spell.offset
    return next(wall - before.offset for before, after in pairwise(near) if wall - before.offset >= before.ends > wall - after.offset)


class Dose(NamedTuple):
    """The one dose of a local day: doses sort by their instants."""

    due_at: datetime
    local_date: date
    number: int = 1


class Change(NamedTuple):
    """A change of the clocks, and for each time of day the doses that fall due within two days of it, in order of instant."""

    at: datetime
    doses: dict[time, list[Dose]]


@cache
def changes(found: tuple[Spell, ...]) -> list[Change]:
    """The changes between spells; zones of one clock share them."""
    return [Change(spell.starts, {at: _doses(spell.starts, at, found) for at in QUARTERS}) for spell in found[1:]]


def _doses(change_at: datetime, at: time, found: Sequence[Spell]) -> list[Dose]:
    """One dose each local day, read by the spells near the change."""
    near = [spell for spell in found if spell.ends > change_at - 6 * DAY and spell.starts < change_at + 6 * DAY]
    walls = [datetime.combine(change_at.date() + day * DAY, at, tzinfo=UTC) for day in range(-4, 5)]
    doses = [Dose(read(wall, near), wall.date()) for wall in walls]
    return [dose for dose in doses if change_at - AROUND <= dose.due_at < change_at + AROUND]


def wrong(zone: str, met: Sequence[Change], at: time) -> list[str]:
    """Name the changes at which a plan with one dose a day, at this time, has other doses than the reckoning, or another next one."""
    course = a_course(a_plan(a_phase("5", at=at.isoformat()), zone=zone, start=str(met[0].at.date() - 5 * DAY)))
    return [f"{zone} {change.at} {at}" for change in met if not _agrees(course, change.at, change.doses[at])]


def _agrees(course: Course, change_at: datetime, doses: list[Dose]) -> bool:
    """Say whether the course has these doses about the change, and asked just before it names the right one as the next."""
    slots = slots_between(course, change_at - AROUND, change_at + AROUND)
    following = next_slot(course, change_at - SECOND)
    return [_named(slot) for slot in slots] == doses and _named(following) == next(dose for dose in doses if dose.due_at >= change_at)


def _named(slot: Slot | None) -> Dose | None:
    return None if slot is None else Dose(slot.due_at, slot.local_date, slot.number)


@pytest.mark.timeout(400)  # half a minute on an idle core; a full machine is not a fault of the code
def test_every_day_about_every_clock_change_has_its_dose_once() -> None:
    """In each zone, about each change to 2035, at each quarter-hour: one dose a local day, at the instant RFC 5545 gives."""
    met = {zone: its for zone in ZONES if (its := changes(spells(zone)))}
    failed = [case for zone, its in met.items() for at in QUARTERS for case in wrong(zone, its, at)]
    count = sum(len(its) for its in met.values())

    assert (failed[:10], len(failed)) == ([], 0)
    assert {version("tzdata"): (len(met), count, count * len(QUARTERS))} == EXPECTED


@pytest.mark.parametrize("zone", LEFT_OUT_A_DATE)
def test_a_date_that_was_left_out_has_its_dose_once(zone: str) -> None:
    """Where a zone left out a date, that date's dose falls together with the next one's, and each is there once."""
    month = utc(f"{LEFT_OUT_A_DATE[zone]} 00:00")
    found = spells(zone, month, month + 40 * DAY)

    assert [after.offset - before.offset for before, after in pairwise(found)] == [DAY]
    assert [case for at in QUARTERS for case in wrong(zone, changes(found), at)] == []


# Forward two hours at 01:00 and back again at 05:00: an invented day of 00:00-01:00, 03:00-05:00, 03:00-24:00.
TWICE_IN_A_DAY = (
    Spell(utc("2026-05-01 00:00"), utc("2026-05-10 01:00"), timedelta(0)),
    Spell(utc("2026-05-10 01:00"), utc("2026-05-10 03:00"), timedelta(hours=2)),
    Spell(utc("2026-05-10 03:00"), utc("2026-05-20 00:00"), timedelta(0)),
)


@pytest.mark.parametrize(
    ("wall", "instant"),
    [("00:45", "00:45"), ("01:15", "01:15"), ("02:45", "02:45"), ("03:00", "01:00"), ("04:45", "02:45"), ("05:00", "05:00")],
)
def test_the_reckoning_reads_two_changes_in_one_day(wall: str, instant: str) -> None:
    """Gap and repetition on one day: the hours left out take the offset before them, the hours lived twice are the first."""
    assert read(utc(f"2026-05-10 {wall}"), TWICE_IN_A_DAY) == utc(f"2026-05-10 {instant}")
