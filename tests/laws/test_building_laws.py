"""The laws of building: whatever a formula says, a taper only falls, a plan is made of tablets, and nothing goes on for ever."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from reminders import drugs
from reminders.domain.checking import check_plan
from reminders.domain.day_layout import Layout
from reminders.domain.plan import AdvancePolicy, InvalidPlan, Kind, Phase, Plan
from reminders.domain.schedule import slots_of_dates
from reminders.domain.tablets import in_tablets
from reminders.domain.taper import MOST_STEPS, Basis, Direction, PercentOf
from reminders.formats.plan_file import read_plan, write_plan
from reminders.services.building import Cuts, OrderedSlot, Percents, Ready, Recipe, Steps, build_plan
from reminders.services.laying_out import table_of, tablets_to_dispense

BACLOFEN = drugs.load("baclofen")
TIMES = (time(6), time(11), time(16), time(21))
FIVE = Decimal(5)
ZERO = Decimal(0)


@dataclass(frozen=True)
class Taper:
    """A taper that was asked for: its recipe, the day before it, and what its last day must come to."""

    recipe: Recipe
    before: tuple[Decimal, ...]
    ends_at: Decimal


def fall(how: Cuts | Percents | Ready, slots: int, strengths: tuple[Decimal, ...] | None = None) -> Recipe:
    """The recipe of a taper of baclofen."""
    return Recipe(
        drug="baclofen",
        kind=Kind.TAPER,
        how=how,
        times=TIMES[:slots],
        start=date(2026, 3, 2),
        zone="America/New_York",
        advance=AdvancePolicy.AS_PRESCRIBED,
        strengths=strengths,
    )


days_before = st.lists(st.integers(1, 4).map(lambda count: count * FIVE), min_size=1, max_size=4).map(tuple)
some_days = st.integers(1, 28)
tablets_at_hand = st.sampled_from([None, (FIVE,), (Decimal(10),), (FIVE, Decimal(20)), (Decimal(10), Decimal(20))])


@st.composite
def cut_by_amount(draw: st.DrawFn) -> Taper:
    """Draw a taper of even cuts that ends at nothing, or at a lowest day."""
    before = draw(days_before)
    rungs = int(sum(before) / FIVE)
    floor = draw(st.integers(0, rungs - 1))
    cut = draw(st.sampled_from([part for part in range(1, rungs - floor + 1) if (rungs - floor) % part == 0]))
    if cut == rungs:
        reject()  # to nothing at once is no taper
    how = Cuts(before, cut=cut * FIVE, every_days=draw(some_days), floor=floor * FIVE, piece=FIVE)
    return Taper(fall(how, len(before), draw(tablets_at_hand)), before, floor * FIVE or cut * FIVE)


@st.composite
def cut_by_percent(draw: st.DrawFn) -> Taper:
    """Draw a percent taper in any of its readings."""
    before = draw(days_before)
    basis = draw(st.sampled_from(Basis)) if len(before) > 1 else Basis.PER_DAY
    least = sum(before) if basis is Basis.PER_DAY else min(before)
    if least <= FIVE:
        reject()
    floor = draw(st.integers(1, int(least / FIVE) - 1)) * FIVE
    how = Percents(
        before,
        percent=draw(st.integers(1, 99).map(Decimal)),
        every_days=draw(some_days),
        rounding=FIVE,
        direction=draw(st.sampled_from(Direction)),
        floor=floor,
        of=draw(st.sampled_from(PercentOf)),
        basis=basis,
    )
    strengths = draw(tablets_at_hand.filter(lambda own: own is None or FIVE in own or Decimal(10) in own))
    return Taper(fall(how, len(before), strengths), before, floor * (len(before) if basis is Basis.PER_DOSE else 1))


ready = st.sampled_from("ABCD").map(
    lambda name: Taper(
        fall(Ready(name, (Decimal(20),) * 3), 3),
        (Decimal(20),) * 3,
        {"A": FIVE, "B": Decimal(15), "C": Decimal(10), "D": FIVE}[name],
    )
)


@st.composite
def tapers(draw: st.DrawFn) -> tuple[Taper, Plan]:
    """Draw a taper by any means, and what is built of it; one that makes no plan is drawn again."""
    taper = draw(cut_by_amount() | cut_by_percent() | ready)
    try:
        return taper, build_plan(taper.recipe)
    except InvalidPlan:
        reject()


def by_time(phase: Phase) -> dict[time, Decimal]:
    """A phase's amounts by their times; what is left out is nothing."""
    return dict.fromkeys(TIMES, ZERO) | {dose.at: dose.amount.value for dose in phase.doses}


@given(tapers())
def test_a_taper_by_any_means_never_rises(built: tuple[Taper, Plan]) -> None:
    """From the day before it on, no dose of the day ever grows or comes back, and each phase's total is less than the one before."""
    taper, plan = built
    before = dict.fromkeys(TIMES, ZERO) | dict(zip(taper.recipe.times, taper.before, strict=True))
    days = [before, *map(by_time, plan.phases)]

    assert not [at for earlier, later in pairwise(days) for at in TIMES if later[at] > earlier[at]]
    assert all(sum(later.values()) < sum(earlier.values()) for earlier, later in pairwise(days))


@given(tapers())
def test_a_taper_by_any_means_ends(built: tuple[Taper, Plan]) -> None:
    """Each phase has its days, the last is at the floor or one cut above nothing, and after it no dose is due."""
    taper, plan = built
    days = sum(phase.days or 0 for phase in plan.phases)

    assert all(phase.days for phase in plan.phases)
    assert plan.phases[-1].per_day == taper.ends_at
    assert slots_of_dates(plan, plan.start + timedelta(days=days), plan.start + timedelta(days=days + 400)) == ()


@given(tapers())
def test_every_amount_of_a_taper_can_be_made(built: tuple[Taper, Plan]) -> None:
    """What is built is made of the tablets at hand: the check of the plan finds the same."""
    taper, plan = built
    own = taper.recipe.tablets
    makeable = all(in_tablets(dose.amount, BACLOFEN, own) for phase in plan.phases for dose in phase.doses)
    found = {finding.code for finding in check_plan(plan, BACLOFEN, strengths=own)}

    assert makeable == ("not_makeable" not in found)
    assert makeable or (isinstance(taper.recipe.how, Cuts) and own is not None)  # whoever gives the piece may give an odd one


@given(tapers())
def test_the_tablets_add_up_to_the_amounts(built: tuple[Taper, Plan]) -> None:
    """The tablets of all phases make what all slots take; only the last half of a strength is left over."""
    taper, plan = built
    own = taper.recipe.tablets
    if any(in_tablets(dose.amount, BACLOFEN, own) is None for phase in plan.phases for dose in phase.doses):
        reject()
    dispensed = tablets_to_dispense(plan, BACLOFEN, own)
    assert dispensed is not None
    slots = slots_of_dates(plan, plan.start, plan.start + timedelta(days=20_000))
    taken, given_out = (
        sum((slot.amount.value for slot in slots), ZERO),
        sum((strength.value * count for strength, count in dispensed.in_all.items()), ZERO),
    )

    assert table_of(plan)[-1].so_far == taken
    assert 0 <= given_out - taken <= sum(strength.value / 2 for strength in dispensed.in_all)
    assert own is not None or given_out == taken  # with 5 mg tablets nothing is halved


@given(tapers())
def test_what_is_built_is_a_plan_file(built: tuple[Taper, Plan]) -> None:
    """Written and read again, a plan is the same."""
    _, plan = built

    assert read_plan(write_plan(plan)) == plan


# Rising


@st.composite
def rises(draw: st.DrawFn) -> Recipe:
    """Draw a titration per day of baclofen in one to three doses, and a fourth ordered at its end."""
    low = draw(st.integers(1, 3))
    slots = draw(st.integers(1, 3))
    how = Steps(low * FIVE, draw(st.integers(low + 1, 4)) * FIVE, step=FIVE, every_days=draw(some_days), basis=Basis.PER_DAY)
    slot = OrderedSlot(TIMES[slots], TIMES[:slots])
    recipe = fall(Ready(""), slots)
    return replace(recipe, kind=Kind.TITRATION, how=replace(how, extra=slot))


def evened(recipe: Recipe) -> Recipe:
    """The same titration with its fourth dose evened out."""
    assert isinstance(recipe.how, Steps)
    assert recipe.how.extra is not None
    return replace(recipe, how=replace(recipe.how, extra=replace(recipe.how.extra, layout=Layout.EVENED)))


@given(rises())
def test_a_titration_lowers_no_dose(recipe: Recipe) -> None:
    """In the layout that is built unless another is named, no dose falls while the day rises."""
    phases = build_plan(recipe).phases

    assert not [at for earlier, later in pairwise(map(by_time, phases)) for at in TIMES if later[at] < earlier[at]]


@given(rises())
def test_both_layouts_of_a_fourth_dose_have_the_same_totals(recipe: Recipe) -> None:
    """Evened out, the day's totals and the end are those of the usual layout, and the doses differ by one tablet at most."""
    kept, even = (build_plan(recipe).phases for recipe in (recipe, evened(recipe)))
    values = [[dose.amount.value for dose in phase.doses] for phase in even]

    assert [phase.per_day for phase in even] == [phase.per_day for phase in kept]
    assert even[-1] == kept[-1]
    assert max(max(day) - min(day) for day in values) <= FIVE


# No formula runs away


anything = st.decimals(min_value=Decimal(-1), max_value=Decimal(999999999), places=9) | st.sampled_from(
    [Decimal(word) for word in ("NaN", "sNaN", "Infinity", "-Infinity", "0", "-5", "5", "20", "0.000000001", "999999999.999999999")]
)


@st.composite
def any_formula(draw: st.DrawFn) -> Recipe:
    """Draw a formula of any numbers at all."""
    slots = draw(st.integers(0, 4))
    from_ = tuple(draw(anything) for _ in range(slots))
    steps = st.builds(
        Steps, anything, anything, step=anything, every_days=st.integers(0, 366), basis=st.sampled_from(Basis), piece=st.none() | anything
    )
    cuts = st.builds(Cuts, st.just(from_), cut=anything, every_days=st.integers(0, 366), floor=anything, piece=st.none() | anything)
    percents = st.builds(
        Percents,
        st.just(from_),
        percent=anything,
        every_days=st.integers(0, 366),
        rounding=anything,
        direction=st.sampled_from(Direction),
        floor=anything,
        of=st.sampled_from(PercentOf),
        basis=st.sampled_from(Basis),
    )
    recipe = fall(Ready(""), slots)
    return replace(recipe, kind=draw(st.sampled_from([Kind.TAPER, Kind.TITRATION])), how=draw(steps | cuts | percents))


@given(any_formula())
def test_a_formula_of_any_numbers_makes_a_plan_or_is_refused(recipe: Recipe) -> None:
    """Negative, not finite, huge or tiny: a formula makes a plan of some hundred phases at most, or is refused as a plan that cannot be."""
    with suppress(InvalidPlan):
        assert len(build_plan(recipe).phases) <= MOST_STEPS + 1


@pytest.mark.parametrize("direction", Direction)
@given(percent=st.decimals(Decimal("0.001"), Decimal("99.999"), places=3), start=st.integers(2, 400), of=st.sampled_from(PercentOf))
def test_a_percent_taper_ends_or_is_refused(direction: Direction, percent: Decimal, start: int, of: PercentOf) -> None:
    """However small the percent, a taper reaches its floor, or is refused because one of its cuts would be none."""
    how = Percents((start * FIVE,), percent, every_days=1, rounding=FIVE, direction=direction, floor=FIVE, of=of)
    with suppress(InvalidPlan):
        phases = build_plan(fall(how, 1)).phases

        assert len(phases) < start
        assert phases[-1].per_day == FIVE
