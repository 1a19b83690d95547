from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reminders import drugs
from reminders.domain.check_in import CLOSELY, WEEK, Watch, asked_on, next_check_in
from reminders.domain.plan import CheckInItem, CheckIns, Plan
from reminders.domain.profile import Monitoring
from reminders.domain.schedule import phase_spans
from tests.strategies import plans

DAY = timedelta(days=1)
DAYS_OF_ITS_OWN = {CheckInItem.BLOOD_PRESSURE, CheckInItem.SPASMS}
asks = st.builds(CheckIns, st.lists(st.sampled_from(CheckInItem), min_size=1, unique=True).map(tuple), st.booleans())
asking = st.builds(lambda plan, check_ins: replace(plan, check_ins=check_ins), plans(start=date(2026, 3, 2)), asks)


@given(asking, st.integers(-3, 60))
def test_the_next_day_is_the_first_on_which_anything_is_asked(plan: Plan, days: int) -> None:
    """Between a date and its next check-in nothing is asked; on that day something is."""
    after = plan.start + days * DAY
    found = next_check_in(plan, after)
    until = after + 3 * WEEK if found is None else found
    between = [after + n * DAY for n in range(1, (until - after).days)]

    assert not any(asked_on(plan, day) for day in between)
    assert found is None or (found > after and asked_on(plan, found))


BESIDE = [group.monitoring.value for group in drugs.load("baclofen").interactions if group.monitoring]
watched = st.lists(st.builds(lambda asks, days: (asks, days), st.sampled_from(BESIDE), st.integers(-30, 40)), max_size=3)


@given(plans(start=date(2026, 3, 2)), st.none() | asks, watched, st.integers(-3, 60))
def test_the_next_day_beside_other_medicines_is_the_first_too(
    plan: Plan, own: CheckIns | None, medicines: list[tuple[Monitoring, int]], days: int
) -> None:
    """Whatever is on the list, since whenever: nothing that it has asked is passed over, and what the plan asks stays asked."""
    plan, after = replace(plan, check_ins=own), plan.start + days * DAY
    watches = [Watch(monitoring, plan.start + since * DAY) for monitoring, since in medicines]
    found = next_check_in(plan, after, watches)
    until = after + 3 * WEEK if found is None else found
    between = [after + n * DAY for n in range(1, (until - after).days)]

    assert not any(asked_on(plan, day, watches) for day in between)
    assert found is None or (found > after and set(asked_on(plan, found)) <= set(asked_on(plan, found, watches)))


@given(asking)
def test_no_phase_goes_unasked(plan: Plan) -> None:
    """Every phase asks on its last day, or, without an end, within the week; only what has days of its own can pass a phase by."""
    for span in phase_spans(plan):
        days = [span.starts + n * DAY for n in range(WEEK.days + 1 if span.ends is None else (span.ends - span.starts).days)]
        assert any(asked_on(plan, day) for day in days) or (plan.check_ins and set(plan.check_ins.items) <= DAYS_OF_ITS_OWN)


@given(asking, st.integers(0, 60))
def test_nobody_is_asked_on_many_days(plan: Plan, days: int) -> None:
    """In a long phase there are two check-ins a week at most, but for the first days of who is asked closely."""
    day = plan.start + days * DAY
    span = next((span for span in phase_spans(plan) if span.starts <= day and (span.ends is None or day < span.ends)), None)
    if span is None or (day - span.starts).days <= CLOSELY:
        return
    ends = span.ends or day + 2 * WEEK
    week = [day + n * DAY for n in range(WEEK.days) if day + n * DAY < ends]
    assert sum(bool(asked_on(plan, each)) for each in week) <= 2
