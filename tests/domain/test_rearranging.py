"""A running plan with another future: what is behind stays, and what does not change is not touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.plan import InvalidPlan, Kind, Phase, Plan
from reminders.domain.rearranging import coming_phases, tapered, with_coming
from reminders.domain.schedule import slots_of_dates
from tests.builders import a_phase, a_plan, a_taper, a_titration

FIRST = date(2026, 3, 2)


def on(day: int) -> date:
    """A day of the plan, counted from 1."""
    return FIRST + timedelta(days=day - 1)


def days(phases: tuple[Phase, ...]) -> list[tuple[str, int | None]]:
    """Each phase's doses and days."""
    return [("/".join(str(dose.amount.value) for dose in phase.doses), phase.days) for phase in phases]


def test_what_is_coming_on_the_fifth_day() -> None:
    """The second phase has two of its three days left, today's among them."""
    assert days(coming_phases(a_titration(), on(5))) == [("10/10/10", 2), ("15/15/15", 3), ("20/20/20", None)]


def test_on_the_first_day_of_a_phase_all_of_it_is_coming() -> None:
    """What ended yesterday is behind."""
    assert days(coming_phases(a_titration(), on(4))) == [("10/10/10", 3), ("15/15/15", 3), ("20/20/20", None)]


def test_a_phase_without_end_stays_without_end() -> None:
    """However much of it is behind; and laid into the plan again it changes nothing."""
    plan = a_titration()
    coming = coming_phases(plan, on(20))

    assert (days(coming), with_coming(plan, coming, on(20))) == ([("20/20/20", None)], plan)


def test_before_its_first_day_all_of_it_is_coming() -> None:
    """And after its last nothing is."""
    assert coming_phases(a_taper("B"), on(-5)) == a_taper("B").phases
    assert coming_phases(a_taper("B"), on(100)) == ()


def test_a_longer_phase_is_one_phase() -> None:
    """Four days more on 10 mg: no step is made of it."""
    plan = a_titration()
    first, *rest = coming_phases(plan, on(5))
    longer = with_coming(plan, (replace(first, days=6), *rest), on(5))

    assert (days(longer.phases)[:2], longer.start) == ([("5/5/5", 3), ("10/10/10", 7)], plan.start)


def test_another_amount_begins_today() -> None:
    """What ran until yesterday ends there, and is still what it was: so its step up is checked like any other's."""
    plan = a_titration()

    assert days(with_coming(plan, (a_phase("5/10/10", 4), a_phase("20/20/20")), on(5)).phases) == [
        ("5/5/5", 3),
        ("10/10/10", 1),
        ("5/10/10", 4),
        ("20/20/20", None),
    ]


def test_on_the_first_day_of_a_phase_it_is_replaced() -> None:
    """No day of it is behind: nothing of it is left."""
    assert days(with_coming(a_titration(), (a_phase("5/5/10"),), on(4)).phases) == [("5/5/5", 3), ("5/5/10", None)]


def test_a_plan_that_has_not_begun_is_replaced() -> None:
    """All of it is coming."""
    assert days(with_coming(a_titration(), (a_phase("5/5/10"),), on(-3)).phases) == [("5/5/10", None)]


def test_after_its_last_day_there_is_no_other_future() -> None:
    """What is behind stays: nothing is laid over it from the plan's first day."""
    with pytest.raises(InvalidPlan, match=r"^phases: nothing is coming of this plan any more$"):
        with_coming(a_plan(a_phase("5/5/5", 3)), (a_phase("5/5/10"),), on(4))


def test_a_rhythm_is_ended_whole() -> None:
    """A weekly dose three days ago: the next is due in four days, by the old amount or the new."""
    weekly = a_plan(a_phase("10", at="08:00", every=7))
    changed = with_coming(weekly, (a_phase("5", at="08:00", every=7),), on(4))

    assert [(slot.local_date, str(slot.amount)) for slot in slots_of_dates(changed, on(4), on(15))] == [(on(8), "5 mg")]


def test_a_taper_from_what_runs() -> None:
    """Today's amounts go on until the taper's first day; what came before them is no part of it."""
    plan, taper = a_titration(), a_taper("B", start=on(20).isoformat())
    document = tapered(plan, taper, on(15))

    assert (document.kind, document.start, days(document.phases)[:2]) == (Kind.TAPER, on(10), [("20/20/20", 10), ("15/15/15", 7)])
    assert {str(slot.amount) for slot in slots_of_dates(document, on(15), on(20))} == {"20 mg"}


def test_a_taper_from_today() -> None:
    """The day's other doses are already the taper's."""
    assert days(tapered(a_titration(), a_taper("B", start=on(15).isoformat()), on(15)).phases)[:2] == [("20/20/20", 5), ("15/15/15", 7)]


def test_a_taper_that_would_have_begun() -> None:
    """What is behind stays as it was."""
    with pytest.raises(InvalidPlan, match=r"^start: starts on 2026-03-16 at the earliest"):
        tapered(a_titration(), a_taper("B", start=on(14).isoformat()), on(15))


plans = st.lists(
    st.tuples(st.sampled_from(["5/5/5", "10/10/10", "5/5/10", "–/5/5"]), st.integers(1, 9), st.integers(1, 3)), min_size=1, max_size=5
).map(lambda rows: a_plan(*(a_phase(amounts, length, every=every) for amounts, length, every in rows)))


@given(plans, st.integers(-3, 50))
def test_nothing_changed_is_the_plan_itself(plan: Plan, day: int) -> None:
    """Taken apart at any day and put together again, it is the very same."""
    coming = coming_phases(plan, on(day))

    assert not coming or with_coming(plan, coming, on(day)) == plan


@given(plans, plans, st.integers(-3, 40))
def test_what_is_behind_stays(plan: Plan, other: Plan, day: int) -> None:
    """Whatever comes instead, the slots of every day behind are those they were."""
    if coming_phases(plan, on(day)):
        changed = with_coming(plan, other.phases, on(day))

        assert slots_of_dates(changed, on(-5), on(day)) == slots_of_dates(plan, on(-5), on(day))
