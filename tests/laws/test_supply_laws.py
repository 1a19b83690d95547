from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from db.tables import TALLY_KINDS
from reminders import drugs
from reminders.domain.plan import Amount, Plan
from reminders.domain.schedule import slots_between
from reminders.domain.supply import Tally, TallyKind, Use, on_hand, runs_out_at, shortfall
from tests.builders import a_course, utc
from tests.strategies import plans

BACLOFEN = drugs.load("baclofen")
START = utc("2026-03-02 05:00")
HOUR = timedelta(hours=1)
sizes = st.sampled_from([Amount(Decimal(value)) for value in (5, 10, 20)])
counts = st.dictionaries(sizes, st.integers(0, 200), min_size=1)
moments = st.integers(0, 500).map(lambda hours: START + hours * HOUR)
tallies = st.lists(st.builds(Tally, moments, st.sampled_from(TallyKind), sizes, st.integers(0, 200)), max_size=6)
uses = st.lists(st.builds(Use, moments, st.sampled_from([Amount(Decimal(value)) for value in (5, 10, 15, 20)])), max_size=12)


@given(plans(start=date(2026, 3, 2)), counts)
def test_tablets_last_exactly_when_none_is_missing(plan: Plan, left: dict[Amount, int]) -> None:
    """Going through the slots one by one and adding them all up say the same; up to the slot that runs out there is enough."""
    slots = slots_between(a_course(plan), START, START + timedelta(days=40))
    out = runs_out_at(slots, BACLOFEN, left)
    before = slots[: slots.index(out)] if out else slots

    assert (out is None) == (not shortfall(slots, BACLOFEN, left))
    assert not shortfall(before, BACLOFEN, left)


@given(tallies, uses)
def test_never_less_than_none_and_never_more_than_was_said(said: list[Tally], taken: list[Use]) -> None:
    """What is on hand of a strength lies between nothing and all that was ever spoken of."""
    left = on_hand(said, taken, BACLOFEN)
    most = {size: sum(tally.tablets for tally in said if tally.strength == size) for size in left}

    assert left.keys() == {tally.strength for tally in said}
    assert all(0 <= count <= most[size] for size, count in left.items())


@given(tallies, uses, uses)
def test_who_takes_more_has_no_more(said: list[Tally], taken: list[Use], more: list[Use]) -> None:
    """A further dose never leaves more on hand."""
    fewer, many = on_hand(said, [*taken, *more], BACLOFEN), on_hand(said, taken, BACLOFEN)
    assert all(fewer[size] <= many[size] for size in many)


def test_the_ledger_knows_the_same_kinds() -> None:
    """The ledger's list of what can be said of tablets is the rules'."""
    assert set(TALLY_KINDS) == {kind.value for kind in TallyKind}
