from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select

from db.engine import make_engine, migrate, reading, writing
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.plan import AdvancePolicy, Amount, Course, Kind, Phase, Plan, PlannedDose
from reminders.domain.schedule import next_slot
from reminders.scheduling.loop import Loop
from reminders.scheduling.plan_jobs import HORIZON, PlanJobs
from reminders.services import reminding
from reminders.services.records.plans import read
from tests.scheduling.enrolled import enrol
from tests.scheduling.wall import NOON

EXAMPLES = max(settings().max_examples * 3 // 10, 1)
"""Each writes a whole ledger: thirty by day, more than a thousand at night."""
PATIENT, PLAN = metadata.tables["patient"], metadata.tables["plan"]

times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
phases = st.builds(
    lambda at, days, every: Phase(tuple(PlannedDose(each, Amount(Decimal(5))) for each in sorted(at)), days, every),
    st.sets(times, min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(1, 3),
)
plans = st.builds(
    lambda zone, start, phases: Plan("baclofen-tablet", Kind.TITRATION, zone, start, AdvancePolicy.AS_PRESCRIBED, tuple(phases)),
    st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    st.dates(date(2026, 2, 26), date(2026, 3, 4)),
    st.lists(phases, min_size=1, max_size=3),
)


@pytest.fixture(scope="module")
def memory() -> Iterator[Engine]:
    """One ledger in memory for all examples of a law."""
    engine = make_engine("sqlite://")
    migrate(engine)
    yield engine
    engine.dispose()


def emptied(engine: Engine) -> Engine:
    """Take everything out of a ledger."""
    with writing(engine) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    return engine


def next_after(plan: Plan, now: datetime) -> datetime | None:
    """When a plan's next dose is due, by the rules alone."""
    slot = next_slot(Course.of(plan, datetime.combine(plan.start, time.min, tzinfo=plan.tz)), now)
    return slot.due_at if slot else None


def built(engine: Engine, now: datetime) -> tuple[Loop, PlanJobs[Engine]]:
    """A loop that stands still, with its jobs built at an instant."""
    loop = Loop(HandClock(now), record=str)
    jobs = PlanJobs(loop, engine, reminding=reminding)
    loop.scheduler.start(paused=True)
    jobs.build()
    return loop, jobs


@given(drawn=st.lists(plans, max_size=4), seconds=st.integers(0, 86_400))
@settings(max_examples=EXAMPLES)
def test_jobs_are_the_minutes_of_the_plans(memory: Engine, drawn: list[Plan], seconds: int) -> None:
    """The jobs are the minutes of each plan's next slot in the coming hour: each once, and no other."""
    now = NOON + timedelta(seconds=seconds)
    emptied(memory)
    for plan in drawn:
        enrol(memory, plan, now=now)
    coming = {at for plan in drawn if (at := next_after(plan, now)) is not None and at < now + HORIZON}
    loop, jobs = built(memory, now)
    minutes = jobs.minutes()
    loop.stop()

    assert minutes == sorted(coming)


@given(drawn=st.lists(plans, max_size=4))
@settings(max_examples=EXAMPLES)
def test_a_second_build_changes_nothing(memory: Engine, drawn: list[Plan]) -> None:
    """Building again leaves each job as it was, the very same."""
    emptied(memory)
    for plan in drawn:
        enrol(memory, plan, now=NOON)
    loop, jobs = built(memory, NOON)
    before = loop.scheduler.get_jobs("plans")
    jobs.build()
    after = loop.scheduler.get_jobs("plans")
    loop.stop()

    assert list(map(id, after)) == list(map(id, before))


@given(drawn=st.lists(plans, min_size=1, max_size=3), hours=st.lists(st.integers(1, 30), min_size=1, max_size=4))
@settings(max_examples=EXAMPLES)
def test_what_is_next_due_is_what_the_rules_say(memory: Engine, drawn: list[Plan], hours: list[int]) -> None:
    """After every pass, each plan's `next_due_at` is its next slot after what was decided, and the patient's the first of them."""
    emptied(memory)
    enrol(memory, *drawn, now=NOON)
    now = NOON
    for hour in hours:
        now += timedelta(hours=hour)
        reminding.remind_due(memory, now=now)
    with reading(memory) as connection:
        stored = read(connection, connection.scalars(select(PLAN.c.id)).all()).values()
        first = connection.scalar(select(func.min(PATIENT.c.next_due_at)))
    coming = [slot.due_at if (slot := next_slot(plan.course, plan.decided_until)) else None for plan in stored]

    assert [plan.next_due_at for plan in stored] == coming
    assert first == min((at for at in coming if at), default=None)
