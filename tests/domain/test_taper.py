from __future__ import annotations

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.day_layout import Layout
from reminders.domain.plan import InvalidPlan, Phase, Unit, plain
from reminders.domain.taper import (
    Basis,
    Direction,
    PercentOf,
    add_slot,
    dosing_days,
    on_every_nth_day,
    refuse_rise,
    taper_by,
    taper_cuts,
    taper_percent,
    titrate,
)
from tests.builders import FOUR, THREE, a_phase, times

D = Decimal
AT = times(THREE)


def drawn(phases: tuple[Phase, ...]) -> list[str]:
    """Write phases as "5/5/10 × 3"."""
    return ["/".join(plain(dose.amount.value) for dose in phase.doses) + f" × {phase.days}" for phase in phases]


def test_four_slots_are_raised_from_the_last_to_the_first() -> None:
    """Per day, the raise goes round the day backwards, whatever the number of slots."""
    phases = titrate(D(5), D(10), step=D(5), every_days=2, basis=Basis.PER_DAY, times=times(FOUR))

    assert drawn(phases) == ["5/5/5/5 × 2", "5/5/5/10 × 2", "5/5/10/10 × 2", "5/10/10/10 × 2", "10/10/10/10 × None"]


def test_a_day_can_rise_by_more_than_one_piece() -> None:
    """+10 mg a day in pieces of 5 mg raises two doses at a time."""
    phases = titrate(D(5), D(15), step=D(10), every_days=7, basis=Basis.PER_DAY, times=AT, piece=D(5))

    assert drawn(phases) == ["5/5/5 × 7", "5/10/10 × 7", "10/10/15 × 7", "15/15/15 × None"]


def test_per_dose_a_piece_means_nothing() -> None:
    """All doses rise together by the whole step when it is meant per dose."""
    phases = titrate(D(5), D(15), step=D(10), every_days=7, basis=Basis.PER_DOSE, times=AT, piece=D(5))

    assert drawn(phases) == ["5/5/5 × 7", "15/15/15 × None"]


def test_one_dose_a_day_reads_alike_both_ways() -> None:
    """With one dose a day "per dose" and "per day" are the same plan."""
    plans = [titrate(D("0.25"), D(1), step=D("0.25"), every_days=28, basis=basis, times=AT[:1]) for basis in Basis]

    assert plans[0] == plans[1]


def test_amounts_carry_their_unit() -> None:
    """A drug measured in micrograms is built in micrograms."""
    phases = titrate(D(25), D(50), step=D(25), every_days=7, basis=Basis.PER_DOSE, times=AT[:1], unit=Unit.MCG)

    assert {dose.amount.unit for phase in phases for dose in phase.doses} == {Unit.MCG}


def test_a_taper_may_end_above_nothing() -> None:
    """A taper to 5 mg has its last phase at 5 mg, as long as the others."""
    phases = taper_by(D(20), D(5), step=D(5), every_days=4, basis=Basis.PER_DOSE, times=AT)

    assert drawn(phases) == ["15/15/15 × 4", "10/10/10 × 4", "5/5/5 × 4"]


def up(
    start: str,
    to: str,
    *,
    step: str = "5",
    basis: Basis = Basis.PER_DOSE,
    piece: str | None = None,
    days: int = 3,
    at: tuple[time, ...] = AT,
) -> Callable[[], object]:
    """A titration yet to be built."""
    return lambda: titrate(D(start), D(to), step=D(step), every_days=days, basis=basis, times=at, piece=None if piece is None else D(piece))


def down(from_: str, to: str, *, step: str = "5", basis: Basis = Basis.PER_DOSE, piece: str | None = None) -> Callable[[], object]:
    """A taper yet to be built."""
    return lambda: taper_by(D(from_), D(to), step=D(step), every_days=3, basis=basis, times=AT, piece=None if piece is None else D(piece))


DAY = Basis.PER_DAY
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a titration that falls": (up("20", "5"), "to: a titration rises from above nothing: 20 to 5 does not"),
    "a titration that stands": (up("5", "5"), "to: a titration rises from above nothing: 5 to 5 does not"),
    "a titration from nothing": (up("0", "5"), "to: a titration rises from above nothing: 0 to 5 does not"),
    "a taper that rises": (down("5", "20"), "to: a taper falls: 5 to 20 does not"),
    "a taper that stands": (down("5", "5"), "to: a taper falls: 5 to 5 does not"),
    "a taper below nothing": (down("5", "-5"), "to: a taper falls: 5 to -5 does not"),
    "steps past the end": (up("5", "18"), "step: 13 is not a whole number of 5"),
    "steps past the end of the day": (
        up("5", "10", step="10", basis=DAY, piece="5"),
        "step: steps of 10 from 5 do not end at 10 in every dose of the day",
    ),
    "a step of nothing": (up("5", "20", step="0"), "step: 15 is not a whole number of 0"),
    "a step of odd pieces": (up("5", "20", step="7.5", basis=DAY, piece="5"), "piece: 7.5 is not a whole number of 5"),
    "a piece of nothing": (down("20", "0", basis=DAY, piece="0"), "step: 20 is not a whole number of 0"),
    "a step of a thousand": (
        up("5", "20", step="0.01"),
        "step: this takes 1500 steps or more: the most that a formula may take is 366",
    ),
    "a thousand pieces": (
        down("20", "0", step="20", basis=DAY, piece="0.01"),
        "step: this takes 2000 steps or more: the most that a formula may take is 366",
    ),
    "no times": (up("5", "20", basis=DAY, at=()), "times: a day has at least one dose"),
    "no days": (up("5", "20", basis=DAY, days=0), "days: a phase lasts at least one day, not 0"),
    "no number": (up("NaN", "20"), "start: must be a number, not NaN"),
    "no number to rise to": (up("5", "NaN"), "to: must be a number, not NaN"),
    "no number to rise by": (up("5", "20", step="Infinity"), "step: must be a number, not Infinity"),
    "no number of a piece to rise by": (up("5", "20", basis=DAY, piece="NaN"), "piece: must be a number, not NaN"),
    "no number to fall to": (down("20", "NaN"), "to: must be a number, not NaN"),
    "no number to fall by": (down("20", "0", step="Infinity"), "step: must be a number, not Infinity"),
    "no number of a piece to fall by": (down("20", "0", basis=DAY, piece="NaN"), "piece: must be a number, not NaN"),
    "no end to it": (down("Infinity", "0"), "from: must be a number, not Infinity"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_formula_that_does_not_come_out_even_is_refused(name: str) -> None:
    """A step is never bent to fit: the fault is named, and where it lies."""
    build, words = REFUSED[name]

    with pytest.raises(InvalidPlan) as refused:
        build()

    assert str(refused.value) == words


def percent(
    of: PercentOf,
    direction: Direction,
    basis: Basis = Basis.PER_DAY,
    /,
    *,
    by: str = "25",
    floor: str = "5",
    rounding: str = "2.5",
    from_: str = "20",
) -> list[str]:
    """Taper a day's doses by percent, written as its amounts, a dose that is left out too."""
    at = times(" ".join(THREE[: len(from_.split("/"))]))
    day = tuple(map(D, from_.split("/")))
    phases = taper_percent(
        day, percent=D(by), of=of, basis=basis, rounding=D(rounding), direction=direction, floor=D(floor), every_days=14, times=at
    )
    days = [{dose.at: plain(dose.amount.value) for dose in phase.doses} for phase in phases]
    return ["/".join(taken.get(slot, "–") for slot in at) for taken in days]


def test_a_percent_of_the_current_dose_shrinks() -> None:
    """25 % of the current dose, rounded down to 2.5 mg: 20, 15, 10 (11.25), 7.5, 5."""
    assert percent(PercentOf.CURRENT, Direction.DOWN) == ["15", "10", "7.5", "5"]


def test_a_percent_of_the_current_dose_rounded_up_is_slower() -> None:
    """The same taper rounded up keeps 12.5 where the other has 10."""
    assert percent(PercentOf.CURRENT, Direction.UP, floor="7.5") == ["15", "12.5", "10", "7.5"]


def test_a_percent_of_the_original_dose_stays_the_same() -> None:
    """25 % of the original 20 mg is 5 mg each time."""
    assert percent(PercentOf.ORIGINAL, Direction.DOWN) == ["15", "10", "5"]


def test_rounding_does_not_make_a_percent_of_the_original_faster() -> None:
    """10 % of 60 mg is 6 mg a cut: 54, 48, 42 … each rounded by itself, where rounded cut by cut it would fall by 10 mg each time."""
    fallen = percent(PercentOf.ORIGINAL, Direction.DOWN, by="10", rounding="5", from_="60")

    assert fallen == ["50", "45", "40", "35", "30", "20", "15", "10", "5"]


def test_a_percent_of_the_day_is_laid_out_over_its_doses() -> None:
    """Per day the total falls by the percent, the first of the largest doses first, until the night dose alone is left."""
    fallen = percent(PercentOf.CURRENT, Direction.DOWN, by="50", rounding="5", from_="20/20/20")

    assert fallen == ["10/10/10", "5/5/5", "–/–/5"]


def test_a_percent_of_each_dose_waits_for_the_others_at_its_floor() -> None:
    """Per dose each falls by itself, and none is left out before all are at the floor."""
    fallen = percent(PercentOf.CURRENT, Direction.DOWN, Basis.PER_DOSE, by="50", rounding="5", from_="10/20/20")

    assert fallen == ["5/10/10", "5/5/5"]


def test_a_day_of_odd_doses_is_not_rounded() -> None:
    """Doses that are no whole number of the rounding unit cannot be laid out in it."""
    with pytest.raises(InvalidPlan, match=r"round_to: 7.5 is not a whole number of 5"):
        percent(PercentOf.CURRENT, Direction.DOWN, rounding="5", from_="7.5/7.5")


def test_a_percent_taper_ends_at_its_floor() -> None:
    """What would fall below the floor is the floor, once, and then nothing."""
    assert percent(PercentOf.ORIGINAL, Direction.DOWN, by="90", floor="2.5") == ["2.5"]


def test_small_amounts_taper_too() -> None:
    """A floor and a rounding unit below one are numbers like any other: half of 1 mg, then a quarter."""
    assert percent(PercentOf.CURRENT, Direction.DOWN, by="50", floor="0.25", rounding="0.25", from_="1") == ["0.5", "0.25"]


def test_rounding_that_undoes_the_cut_is_refused() -> None:
    """10 % of 5 mg rounded up to 2.5 mg is 5 mg again, and would be for ever: refused."""
    with pytest.raises(InvalidPlan, match=r"^rounding: 5 would not fall: 10 % of the current less, 4.5, is 5 when rounded up to 2.5$"):
        percent(PercentOf.CURRENT, Direction.UP, by="10", floor="2.5", from_="5")


ODD = [
    ({"by": "0"}, "percent: must lie between 0 and 100, not 0"),
    ({"by": "100"}, "percent: must lie between 0 and 100, not 100"),
    ({"by": "NaN"}, "percent: must be a number, not NaN"),
    ({"rounding": "NaN"}, "rounding: must be a number, not NaN"),
    ({"floor": "NaN"}, "floor: must be a number, not NaN"),
    ({"rounding": "0"}, "floor: must be above zero and a whole number of 0, not 5"),
    ({"floor": "0"}, "floor: must be above zero and a whole number of 2.5, not 0"),
    ({"floor": "3"}, "floor: must be above zero and a whole number of 2.5, not 3"),
    ({"floor": "20"}, "floor: a taper falls: 20 to a floor of 20 does not"),
    ({"from_": "-20"}, "from[0]: must be above zero, not -20"),
    ({"from_": "Infinity"}, "from[0]: must be a number, not Infinity"),
    ({"by": "0.001", "rounding": "0.001", "floor": "0.001"}, "step: this takes 367 steps or more: the most that a formula may take is 366"),
    ({"rounding": "0.001", "floor": "0.001", "by": "90"}, "step: this takes 18000 steps or more: the most that a formula may take is 366"),
]


@pytest.mark.parametrize(("change", "words"), ODD)
def test_an_odd_percent_taper_is_refused(change: dict[str, str], words: str) -> None:
    """A percent, a rounding unit and a floor that make no taper are refused by name."""
    with pytest.raises(InvalidPlan) as refused:
        percent(PercentOf.CURRENT, Direction.DOWN, **change)

    assert str(refused.value) == words


pieces = st.sampled_from([D("0.5"), D("2.5"), D(5)])
some_times = st.lists(st.integers(0, 23).map(time), min_size=1, max_size=5, unique=True).map(sorted).map(tuple)


@given(pieces, st.integers(1, 8), st.integers(1, 8), st.sampled_from(Basis), some_times)
def test_a_taper_mirrors_its_titration(piece: Decimal, low: int, rungs: int, basis: Basis, at: tuple[time, ...]) -> None:
    """Down from B to A is up from A to B read backwards, without its top; slot by slot, never a rise."""
    start, to = piece * low, piece * (low + rungs)
    up = titrate(start, to, step=piece, every_days=3, basis=basis, times=at)
    down = taper_by(to, start, step=piece, every_days=3, basis=basis, times=at)

    assert [phase.doses for phase in down] == [phase.doses for phase in reversed(up[:-1])]
    assert all(later.per_day < earlier.per_day for earlier, later in pairwise(down))


@given(pieces, st.integers(1, 8), st.sampled_from(Basis), some_times, st.integers(1, 28))
def test_a_taper_to_nothing_adds_up(piece: Decimal, rungs: int, basis: Basis, at: tuple[time, ...], days: int) -> None:
    """The total of a taper to nothing is what its formula says: the sum of an arithmetic row, each phase so many days."""
    phases = taper_by(piece * rungs, D(0), step=piece, every_days=days, basis=basis, times=at)
    total = sum((phase.per_day * (phase.days or 0) for phase in phases), D(0))
    steps = rungs if basis is Basis.PER_DOSE else rungs * len(at)
    cut = piece * len(at) if basis is Basis.PER_DOSE else piece

    assert total == cut * days * steps * (steps - 1) / 2


@given(st.integers(2, 40), st.integers(1, 99), st.integers(1, 14))
def test_a_percent_of_the_current_only_falls(start: int, percents: int, days: int) -> None:
    """Rounded down, a percent taper falls with each phase of so many days, in whole rounding units, and ends at its floor."""
    half = D("2.5")
    phases = taper_percent(
        (start * half,),
        percent=D(percents),
        of=PercentOf.CURRENT,
        basis=Basis.PER_DAY,
        rounding=half,
        direction=Direction.DOWN,
        floor=half,
        every_days=days,
        times=AT[:1],
    )
    amounts = [phase.doses[0].amount.value for phase in phases]

    assert amounts == sorted(set(amounts), reverse=True)
    assert {phase.days for phase in phases} == {days}
    assert (amounts[-1], {amount % half for amount in amounts}) == (half, {D(0)})


# By amount


def cuts(from_: str = "20/20/20", *, cut: str = "10", piece: str = "5", floor: str = "0") -> list[str]:
    """Taper a day by amount, written as its amounts."""
    day = tuple(map(D, from_.split("/")))
    return drawn(taper_cuts(day, cut=D(cut), piece=D(piece), floor=D(floor), every_days=7, times=AT))


def test_a_cut_falls_on_the_largest_doses() -> None:
    """15/15/20 less 10 mg is 10/15/15: first the largest dose, then the first of the others."""
    assert cuts("15/15/20") == ["10/15/15 × 7", "10/10/10 × 7", "5/5/10 × 7", "5/5 × 7"]


def test_a_taper_by_amount_can_end_at_a_floor() -> None:
    """What does not come out to nothing may end at a lowest day, which is one last phase."""
    assert cuts("15/20/20", floor="5")[-2:] == ["5/5/5 × 7", "5 × 7"]


def test_the_fastest_taper_by_amount_is_one_phase() -> None:
    """A cut to the floor at once leaves the floor alone; a cut to nothing would leave no phase."""
    assert cuts("5/5/5", cut="10", floor="5") == ["5 × 7"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cut": "25"}, "cut: 60 is not a whole number of 25"),
        ({"cut": "0"}, "cut: 60 is not a whole number of 0"),
        ({"cut": "NaN"}, "cut: must be a number, not NaN"),
        ({"cut": "7.5"}, "piece: 7.5 is not a whole number of 5"),
        ({"piece": "NaN"}, "piece: must be a number, not NaN"),
        ({"piece": "0"}, "piece: 10 is not a whole number of 0"),
        ({"from_": "7.5/7.5/15", "cut": "5"}, "piece: 7.5 is not a whole number of 5"),
        ({"floor": "60"}, "floor: a taper falls: 60 to 60 a day does not"),
        ({"floor": "-5"}, "floor: a taper falls: 60 to -5 a day does not"),
        ({"floor": "NaN"}, "floor: must be a number, not NaN"),
        ({"from_": "20/20"}, "from: give an amount for each of the 3 times of day, not 2"),
        ({"from_": "20/20/0"}, "from[2]: must be above zero, not 0"),
        ({"from_": "20/20/-20"}, "from[2]: must be above zero, not -20"),
        ({"from_": "20/20/NaN"}, "from[2]: must be a number, not NaN"),
        ({"cut": "0.1", "piece": "0.1"}, "step: this takes 600 steps or more: the most that a formula may take is 366"),
        ({"cut": "30", "piece": "0.01"}, "step: this takes 3000 steps or more: the most that a formula may take is 366"),
    ],
)
def test_cuts_that_do_not_come_out_are_refused(change: dict[str, str], words: str) -> None:
    """A taper by amount that would not end at its floor, or by hundreds of steps, is refused by name."""
    with pytest.raises(InvalidPlan) as refused:
        cuts(**change)

    assert str(refused.value) == words


def test_a_day_without_doses_has_no_taper() -> None:
    """Without times there is nothing to lower."""
    with pytest.raises(InvalidPlan, match="from: give an amount"):
        taper_cuts((), cut=D(5), piece=D(5), every_days=7, times=())


# One dose more a day, and doses on every n-th day


def with_a_fourth(basis: Basis, layout: Layout = Layout.KEPT, *, at: str = "22:00", others: str | None = None) -> list[str]:
    """5 to 10 mg three times a day, and then a fourth dose."""
    up = titrate(D(5), D(10), step=D(5), every_days=3, basis=basis, times=AT)
    given = AT if others is None else times(others)
    return drawn(add_slot(up, times(at)[0], step=D(5), every_days=3, basis=basis, times=given, layout=layout))


def test_a_fourth_dose_is_as_large_as_the_others_at_once() -> None:
    """Per dose a fourth dose comes whole; the phase before it ends after its days."""
    assert with_a_fourth(Basis.PER_DOSE) == ["5/5/5 × 3", "10/10/10 × 3", "10/10/10/10 × None"]


def test_a_fourth_dose_grows_per_day_beside_the_others() -> None:
    """Per day only the new dose rises."""
    assert with_a_fourth(Basis.PER_DAY)[-3:] == ["10/10/10 × 3", "10/10/10/5 × 3", "10/10/10/10 × None"]


def test_a_fourth_dose_may_be_evened_out() -> None:
    """Evened, the totals are the same, and some doses fall while the day rises."""
    assert with_a_fourth(Basis.PER_DAY, Layout.EVENED)[-3:] == ["10/10/10 × 3", "5/10/10/10 × 3", "10/10/10/10 × None"]


def test_a_fourth_dose_is_evened_out_to_the_milligram() -> None:
    """Evened in pieces of 1 mg, 2 mg three times a day and 1 mg more are 7 mg."""
    up = titrate(D(1), D(2), step=D(1), every_days=3, basis=Basis.PER_DOSE, times=AT)
    fourth = add_slot(up, time(22), step=D(1), every_days=3, basis=Basis.PER_DAY, times=AT, layout=Layout.EVENED)

    assert drawn(fourth)[-2:] == ["1/2/2/2 × 3", "2/2/2/2 × None"]


def test_a_fourth_dose_stands_where_its_time_is() -> None:
    """A dose ordered for noon grows between the others."""
    assert with_a_fourth(Basis.PER_DAY, at="11:00")[-2] == "10/5/10/10 × 3"


def test_the_other_doses_may_move_for_the_fourth() -> None:
    """With a fourth dose the day is often divided anew."""
    up = titrate(D(5), D(10), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=AT)
    last = add_slot(up, time(22), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=times("06:00 12:00 18:00"))[-1]

    assert tuple(dose.at for dose in last.doses) == times(FOUR)


@pytest.mark.parametrize(("at", "others"), [("20:00", None), ("22:00", "08:00 20:00")])
def test_a_fourth_dose_needs_a_time_of_its_own(at: str, others: str | None) -> None:
    """A dose at the time of another, or times for too few of them, make no day."""
    with pytest.raises(InvalidPlan, match="add_slot: give 3 times"):
        with_a_fourth(Basis.PER_DOSE, at=at, others=others)


def test_a_fourth_dose_comes_out_even() -> None:
    """A new dose that does not reach the others in whole steps is refused."""
    up = titrate(D(5), D(25), step=D(10), every_days=3, basis=Basis.PER_DAY, times=AT)

    with pytest.raises(InvalidPlan, match="step: 25 is not a whole number of 10"):
        add_slot(up, time(22), step=D(10), every_days=3, basis=Basis.PER_DAY, times=AT)


def test_a_weekly_titration_has_doses_on_every_seventh_day() -> None:
    """Four weeks on an amount of once a week are four doses."""
    weekly = on_every_nth_day(titrate(D("0.25"), D("0.5"), step=D("0.25"), every_days=28, basis=Basis.PER_DAY, times=AT[:1]), 7)

    assert [(phase.every_n_days, dosing_days(phase.days or 0, 7)) for phase in weekly] == [(7, 4), (7, 0)]


@pytest.mark.parametrize("nth", [0, 5])
def test_a_step_never_changes_the_rhythm(nth: int) -> None:
    """A phase that ends within a stretch of n days would bring two doses too near to each other: refused."""
    with pytest.raises(InvalidPlan, match=r"phases\[0\].days: 28 days are not a whole number"):
        on_every_nth_day(titrate(D(5), D(10), step=D(5), every_days=28, basis=Basis.PER_DAY, times=AT[:1]), nth)


@pytest.mark.parametrize(("days", "nth", "found"), [(7, 1, 7), (7, 3, 3), (6, 3, 2), (1, 7, 1), (0, 7, 0)])
def test_dosing_days_are_the_first_and_every_nth(days: int, nth: int, found: int) -> None:
    """Of seven days every third are three: the first, the fourth, the seventh."""
    assert dosing_days(days, nth) == found


# No end of steps


def rise_of(steps: int) -> tuple[Phase, ...]:
    """A titration of so many steps of 1 mg."""
    return titrate(D(1), D(1 + steps), step=D(1), every_days=1, basis=Basis.PER_DAY, times=AT[:1])


STEPS: dict[str, Callable[[int], object]] = {
    "a titration": rise_of,
    "pieces of a rise": lambda pieces: titrate(
        D(1), D(1 + pieces), step=D(pieces), every_days=1, basis=Basis.PER_DAY, times=AT[:1], piece=D(1)
    ),
    "cuts": lambda cuts: taper_cuts((D(cuts),), cut=D(1), piece=D(1), every_days=1, times=AT[:1]),
    "pieces of a cut": lambda pieces: taper_cuts((D(2 * pieces),), cut=D(pieces), piece=D(1), every_days=1, times=AT[:1]),
    "percents": lambda cuts: taper_percent(
        (D(1000),),
        percent=D("0.1"),
        of=PercentOf.ORIGINAL,
        basis=Basis.PER_DAY,
        rounding=D(1),
        direction=Direction.DOWN,
        floor=D(1000 - cuts),
        every_days=1,
        times=AT[:1],
    ),
    "phases with a fourth dose": lambda phases: add_slot(
        titrate(D(phases - 2), D(phases - 1), step=D(1), every_days=1, basis=Basis.PER_DAY, times=AT[:1])[1:],
        time(22),
        step=D(1),
        every_days=1,
        basis=Basis.PER_DAY,
        times=AT[:1],
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_formula_has_some_hundred_steps_at_most(name: str) -> None:
    """366 steps, or pieces of one, are a plan; one more is a slip of the pen."""
    assert STEPS[name](366)
    with pytest.raises(InvalidPlan, match="step: this takes 367 steps or more: the most that a formula may take is 366"):
        STEPS[name](367)


# Never up


def test_a_taper_that_rises_in_one_dose_is_found() -> None:
    """A day's total that falls may still hide a dose that grows: 10/20/20 to 15/15/15."""
    with pytest.raises(InvalidPlan) as refused:
        refuse_rise((D(10), D(20), D(20)), (a_phase("15/15/15", 7),), AT)

    assert (refused.value.path, refused.value.message) == (
        "phases[0].doses[0].amount",
        "a taper never goes back up: found 15 mg at 08:00, limit 10 mg, what was taken before (Doseline)",
    )


def test_a_day_before_of_other_doses_is_refused() -> None:
    """Two amounts for three doses say nothing of which of them rises."""
    with pytest.raises(InvalidPlan, match="from: give an amount for each of the 3 times of day, not 2"):
        refuse_rise((D(30), D(30)), (a_phase("15/15/15", 7),), AT)


def test_a_dose_that_was_left_out_does_not_come_back() -> None:
    """Once a dose is left out, a later phase cannot have it again."""
    with pytest.raises(InvalidPlan, match=r"phases\[1\].doses\[0\].amount: a taper never goes back up: found 5 mg at 08:00, limit 0 mg"):
        refuse_rise((D(10), D(10), D(10)), (a_phase("–/10/10", 7), a_phase("5/5/5", 7)), AT)


def test_a_taper_that_falls_is_no_rise() -> None:
    """Doses that stay or fall are in order."""
    refuse_rise((D(20), D(20), D(20)), (a_phase("20/20/20", 7), a_phase("–/20/15", 7)), AT)


def test_a_taper_that_follows_nothing_may_begin_anywhere() -> None:
    """Where nothing was taken before, the first phase is in order, and what follows still never rises."""
    refuse_rise((), (a_phase("20/20/20", 7), a_phase("20/20/15", 7)), AT)

    with pytest.raises(InvalidPlan, match=r"phases\[1\].doses\[2\].amount"):
        refuse_rise((), (a_phase("10/10/10", 7), a_phase("10/10/15", 7)), AT)
