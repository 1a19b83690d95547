"""Every slot of a titration and of a taper, held against a reckoning of its own: dateutil, and counting days one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from dateutil import tz

from reminders.domain.plan import Plan
from reminders.domain.schedule import instant_of, slots_between
from reminders.domain.taper import Basis
from tests.builders import a_course, a_plan, a_taper, a_titration

# Each zone with two days on which its clocks changed: forward and back, or as near as it has.
CHANGES = {
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/Los_Angeles": ("2026-03-08", "2026-11-01"),
    "America/St_Johns": ("2011-03-13", "2026-11-01"),  # until 2011 at one minute past midnight
    "Asia/Beirut": ("2026-03-29", "2026-10-25"),  # a gap at midnight
    "America/Santiago": ("2026-09-06", "2026-04-05"),  # a gap at midnight, in the south
    "Europe/London": ("2026-03-29", "2026-10-25"),
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "Europe/Dublin": ("2026-03-29", "2026-10-25"),  # winter time is the saving one
    "Atlantic/Azores": ("2026-03-29", "2026-10-25"),  # 00:00 becomes 01:00
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),  # half an hour
    "Pacific/Chatham": ("2026-09-27", "2026-04-05"),  # at 02:45
    "Pacific/Apia": ("2011-12-30", "2021-04-04"),  # a day that never was
    "Africa/Casablanca": ("2026-03-22", "2026-02-15"),  # back for Ramadan
    "Asia/Tehran": ("2022-03-22", "2022-09-22"),  # the last ones
    "Asia/Kolkata": ("2026-03-08", "2026-11-01"),  # none at all
    "Antarctica/Troll": ("2026-03-29", "2026-10-25"),  # two hours
}
NIGHT = ("00:00", "00:30", "01:30", "02:15", "02:45", "23:59")

PLANS = {
    "titration": lambda zone, start: a_titration(zone=zone, start=start),
    "titration per day": lambda zone, start: a_titration(Basis.PER_DAY, zone=zone, start=start),
    "titration in the gap": lambda zone, start: a_titration(zone=zone, start=start, at=NIGHT),
    "taper A": lambda zone, start: a_taper("A", zone=zone, start=start),
    "taper D": lambda zone, start: a_taper("D", zone=zone, start=start),
    "taper in the gap": lambda zone, start: a_taper("C", zone=zone, start=start, at=NIGHT[2:5]),
}


def reckoned(plan: Plan, days: int) -> Iterator[tuple[date, time, datetime, str]]:
    """Each dose of the first days, counted off one day after another, its instant by dateutil."""
    calendar = [phase for phase in plan.phases for _ in range(phase.days or days)]
    for offset, phase in enumerate(calendar[:days]):
        day = plan.start + timedelta(days=offset)
        for dose in phase.doses:
            yield day, dose.at, by_dateutil(day, dose.at, plan.zone), str(dose.amount)


def by_dateutil(day: date, at: time, zone: str) -> datetime:
    """Read a wall time as RFC 5545 section 3.3.5 does, by another library."""
    wall = tz.enfold(datetime.combine(day, at, tzinfo=tz.gettz(zone)), fold=0)
    return tz.resolve_imaginary(wall).astimezone(UTC)


@pytest.mark.parametrize("change", [0, 1], ids=["forward", "back"])
@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize("name", PLANS)
def test_every_slot_equals_an_independent_reckoning(name: str, zone: str, change: int) -> None:
    """Each slot of a plan that runs through a clock change has the date, time, instant and amount of another reckoning."""
    start = date.fromisoformat(CHANGES[zone][change]) - timedelta(days=4)
    plan = PLANS[name](zone, start.isoformat())
    slots = slots_between(a_course(plan), datetime(2000, 1, 1, tzinfo=UTC), by_dateutil(start + timedelta(days=90), time(0), zone))

    assert sorted((slot.local_date, slot.local_time, slot.due_at, str(slot.amount)) for slot in slots) == list(reckoned(plan, 90))


@pytest.mark.parametrize("zone", CHANGES)
def test_the_clocks_really_change_on_those_days(zone: str) -> None:
    """The table is right: over each of its days the zone's offset changes, but in India."""
    moved = [_offset(zone, day, before=1) != _offset(zone, day, before=-1) for day in CHANGES[zone]]

    assert moved == [zone != "Asia/Kolkata"] * 2


def _offset(zone: str, day: str, *, before: int) -> timedelta | None:
    return datetime.combine(date.fromisoformat(day) - timedelta(days=before), time(12), tzinfo=tz.gettz(zone)).utcoffset()


# RFC 5545's reading, written out by hand: wall time, zone, instant.
BY_HAND = [
    ("2026-03-08 02:30", "America/New_York", "2026-03-08 07:30"),  # does not exist: 03:30 EDT
    ("2026-03-08 03:30", "America/New_York", "2026-03-08 07:30"),
    ("2026-11-01 01:30", "America/New_York", "2026-11-01 05:30"),  # occurs twice: the first, EDT
    ("2026-11-01 02:00", "America/New_York", "2026-11-01 07:00"),
    ("2026-03-29 01:30", "Europe/London", "2026-03-29 01:30"),
    ("2026-10-25 01:30", "Europe/London", "2026-10-25 00:30"),
    ("2026-10-04 02:15", "Australia/Lord_Howe", "2026-10-03 15:45"),
    ("2026-04-05 01:45", "Australia/Lord_Howe", "2026-04-04 14:45"),
    ("2011-12-30 08:00", "Pacific/Apia", "2011-12-30 18:00"),
    ("2011-12-31 08:00", "Pacific/Apia", "2011-12-30 18:00"),
    ("2026-06-10 08:00", "Asia/Kolkata", "2026-06-10 02:30"),
]


@pytest.mark.parametrize(("wall", "zone", "expected"), BY_HAND)
def test_wall_times_by_hand(wall: str, zone: str, expected: str) -> None:
    """A time that does not exist takes the offset before the gap; one that occurs twice is its first occurrence."""
    local = datetime.fromisoformat(wall)
    plan = a_plan(zone=zone)

    assert instant_of(local.date(), local.time(), plan.tz) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_second_occurrence_cannot_be_asked_for() -> None:
    """A local time marked as its second occurrence is read as its first: a dose is never an hour late by a flag."""
    plan = a_plan()

    assert instant_of(date(2026, 11, 1), time(1, 30, fold=1), plan.tz) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
