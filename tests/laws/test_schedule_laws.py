from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.domain.plan import Course, Phase, Plan
from reminders.domain.schedule import jumped_slots, next_slot, previous_slot, slots_between, slots_of_dates
from tests.builders import a_course, a_phase, a_plan
from tests.strategies import ZONES, courses, plans, windows_of

MINUTE = timedelta(minutes=1)
MINUTE_BY_MINUTE = max(settings().max_examples * 2 // 5, 1)
"""Forty lives by day, which are slow to watch, thousands at night."""


@given(courses(), st.data())
def test_splitting_a_window_changes_nothing(course: Course, data: st.DataObject) -> None:
    """The slots of [a, c) are those of [a, b) and then those of [b, c)."""
    a, b, c = data.draw(windows_of(course, 3))

    assert slots_between(course, a, c) == slots_between(course, a, b) + slots_between(course, b, c)


@given(courses(), st.data())
def test_slots_come_in_order_and_lie_in_their_window(course: Course, data: st.DataObject) -> None:
    """Every slot of a window is due in it, and no later slot comes before an earlier one."""
    a, b = data.draw(windows_of(course))
    slots = slots_between(course, a, b)

    assert all(a <= slot.due_at < b for slot in slots)
    assert list(slots) == sorted(slots)


@given(courses(), st.data())
def test_next_slot_is_the_first_of_all_that_come_after(course: Course, data: st.DataObject) -> None:
    """The next slot is the first that a window from the following instant on would show."""
    after, until = data.draw(windows_of(course))
    slots = slots_between(course, after + timedelta.resolution, until)
    found = next_slot(course, after)

    assert (found if found is not None and found.due_at < until else None) == (slots[0] if slots else None)


@given(courses(), st.data())
def test_previous_slot_is_the_last_of_all_that_came_before(course: Course, data: st.DataObject) -> None:
    """The previous slot is the last that a window up to the instant would show."""
    since, before = data.draw(windows_of(course))
    slots = slots_between(course, since, before)
    found = previous_slot(course, before)

    assert (found if found is not None and found.due_at >= since else None) == (slots[-1] if slots else None)


@given(courses(), st.data())
def test_walking_by_next_slot_visits_every_minute_with_a_slot(course: Course, data: st.DataObject) -> None:
    """From slot to slot, a walk meets each due instant of a window once, and no other."""
    start, end = data.draw(windows_of(course))
    met: list[datetime] = []
    slot = next_slot(course, start - timedelta.resolution)
    while slot is not None and slot.due_at < end:
        met.append(slot.due_at)
        slot = next_slot(course, slot.due_at)

    assert met == sorted({slot.due_at for slot in slots_between(course, start, end)})


@given(courses())
def test_no_slot_belongs_to_two_versions(course: Course) -> None:
    """Each slot, announced or jumped over, is laid out by the one version that governs its instant."""
    for version in course.versions:
        assert all(version.effective_at <= slot.due_at < (version.first_at or slot.due_at) for slot in jumped_slots(version))
    whole = slots_between(course, course.versions[0].effective_at, course.versions[-1].effective_at + timedelta(days=20))
    parts = [
        slot
        for version, successor in zip(course.versions, (*course.versions[1:], None), strict=True)
        for slot in slots_between(
            Course((version,), course.ended_at),
            version.effective_at,
            course.versions[-1].effective_at + timedelta(days=20) if successor is None else successor.effective_at,
        )
    ]

    assert list(whole) == parts


A_YEAR = (date(2026, 1, 1), date(2027, 1, 1))


@pytest.mark.parametrize("zone", ZONES)
def test_each_local_day_has_exactly_its_slots(zone: str) -> None:
    """In every IANA zone, through every clock change of a year, each local date has each of its slots once."""
    plan = a_plan(a_phase("5/5/10/10", at="00:30 02:15 08:00 23:45"), zone=zone, start="2026-01-01")
    year = slots_between(a_course(plan), datetime(2025, 12, 1, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC))
    days = (A_YEAR[0] + timedelta(days=offset) for offset in range(365))

    assert [slot.key for slot in sorted(year, key=lambda slot: slot.key) if slot.local_date < A_YEAR[1]] == [
        (day, number) for day in days for number in (1, 2, 3, 4)
    ]


@given(plans(), st.integers(0, 40), st.integers(0, 20))
def test_slots_by_date_are_the_phases_day_by_day(plan: Plan, skip: int, days: int) -> None:
    """Asked for local dates, a plan gives each date the doses of its phase, on that phase's dosing days alone."""
    first = plan.start + timedelta(days=skip - 3)
    slots = slots_of_dates(plan, first, first + timedelta(days=days))

    assert sorted((slot.key, slot.local_time, slot.amount, slot.phase_no) for slot in slots) == [
        ((day, number), dose.at, dose.amount, no)
        for day in (first + timedelta(days=offset) for offset in range(days))
        for no, phase in _phase_on(plan, day)
        for number, dose in enumerate(phase.doses, 1)
    ]


def _phase_on(plan: Plan, day: date) -> list[tuple[int, Phase]]:
    """The phase that doses on a date, found by counting days one at a time."""
    here = plan.start
    for no, phase in enumerate(plan.phases, 1):
        count = 0
        while here <= day and (phase.days is None or count < phase.days):
            if here == day:
                return [(no, phase)] if count % phase.every_n_days == 0 else []
            here, count = here + timedelta(days=1), count + 1
    return []


@settings(max_examples=MINUTE_BY_MINUTE)
@given(plans(), st.data())
def test_a_simulator_that_looks_at_the_clock_each_minute_agrees(plan: Plan, data: st.DataObject) -> None:
    """A patient who looks at the wall clock every minute takes the same doses at the same instants.

    The clock shows a minute twice: the second time is ignored. It jumps over some: each such dose is taken as long
    after the jump's first minute as it was planned after the jump's last, which is RFC 5545's reading.
    """
    start = datetime.combine(plan.start, time.min, tzinfo=UTC) + timedelta(minutes=data.draw(st.integers(-1500, 9000)))
    end = start + timedelta(minutes=data.draw(st.integers(0, 4000)))
    laid_out = slots_between(a_course(plan), start, end)

    assert sorted((slot.due_at, slot.key) for slot in laid_out) == _watched(plan, start, end)


def _watched(plan: Plan, start: datetime, end: datetime) -> list[tuple[datetime, tuple[date, int]]]:
    """Slots by looking at the wall clock each minute, beginning early enough to have seen any jump that matters."""
    met = []
    jumps: list[tuple[datetime, datetime]] = []
    minute = start - timedelta(days=1, hours=2)
    before = _wall(minute - MINUTE, plan.tz)
    while minute < end:
        shown = _wall(minute, plan.tz)
        if shown - before > MINUTE:
            jumps.append((before + MINUTE, shown))
        skipped = [shown - (to - from_) for from_, to in jumps if from_ <= shown - (to - from_) < to]
        twice = minute.astimezone(plan.tz).fold
        if minute >= start:
            met += [(minute, key) for wall in (*skipped, *([] if twice else [shown])) for key in _planned_at(plan, wall)]
        before, minute = shown, minute + MINUTE
    return sorted(met)


def _wall(minute: datetime, tz: ZoneInfo) -> datetime:
    return minute.astimezone(tz).replace(tzinfo=None)


def _planned_at(plan: Plan, wall: datetime) -> list[tuple[date, int]]:
    day, at = wall.date(), time(wall.hour, wall.minute)
    return [(day, number) for _, phase in _phase_on(plan, day) for number, dose in enumerate(phase.doses, 1) if dose.at == at]


def test_a_slot_years_ahead_is_found_without_walking_there() -> None:
    """A phase that runs every thousand days after seven hundred years shows its next slot at once."""
    plan = a_plan(a_phase("5/5/5", 700 * 365), a_phase("5/5/5", every=1000))
    course = a_course(plan)
    after = next_slot(course, datetime(2800, 1, 1, tzinfo=UTC))
    before = previous_slot(course, datetime(2800, 1, 1, tzinfo=UTC))
    assert after is not None
    assert before is not None

    assert after.local_date - before.local_date == timedelta(days=1000)
