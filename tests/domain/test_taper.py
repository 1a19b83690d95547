from __future__ import annotations

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.plan import InvalidPlan, Phase, Unit, plain
from reminders.domain.taper import Basis, Direction, PercentOf, taper_by, taper_percent, titrate
from tests.builders import FOUR, THREE, times

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


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a titration that falls": (lambda: titrate(D(20), D(5), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=AT), "to"),
    "a titration that stands": (lambda: titrate(D(5), D(5), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=AT), "to"),
    "a titration from nothing": (lambda: titrate(D(0), D(5), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=AT), "to"),
    "a taper that rises": (lambda: taper_by(D(5), D(20), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=AT), "to"),
    "a taper that stands": (lambda: taper_by(D(5), D(5), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=AT), "to"),
    "a taper below nothing": (lambda: taper_by(D(5), D(-5), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=AT), "to"),
    "steps past the end": (lambda: titrate(D(5), D(18), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=AT), "step"),
    "steps past the end of the day": (
        lambda: titrate(D(5), D(10), step=D(10), every_days=3, basis=Basis.PER_DAY, times=AT, piece=D(5)), "step",
    ),
    "a step of nothing": (lambda: titrate(D(5), D(20), step=D(0), every_days=3, basis=Basis.PER_DOSE, times=AT), "step"),
    "a step of odd pieces": (
        lambda: titrate(D(5), D(20), step=D("7.5"), every_days=3, basis=Basis.PER_DAY, times=AT, piece=D(5)), "piece",
    ),
    "a piece of nothing": (lambda: taper_by(D(20), D(0), step=D(5), every_days=3, basis=Basis.PER_DAY, times=AT, piece=D(0)), "step"),
    "no times": (lambda: titrate(D(5), D(20), step=D(5), every_days=3, basis=Basis.PER_DAY, times=()), "times"),
    "no days": (lambda: titrate(D(5), D(20), step=D(5), every_days=0, basis=Basis.PER_DAY, times=AT), "days"),
    "no number": (lambda: titrate(D("NaN"), D(20), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=AT), "start"),
    "no end to it": (lambda: taper_by(D("Infinity"), D(0), step=D(5), every_days=3, basis=Basis.PER_DOSE, times=AT), "from"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_formula_that_does_not_come_out_even_is_refused(name: str) -> None:
    """A step is never bent to fit: the fault is named by its path instead."""
    build, path = REFUSED[name]

    with pytest.raises(InvalidPlan) as refused:
        build()

    assert refused.value.path == path


def percent(
    of: PercentOf, direction: Direction, *, by: str = "25", floor: str = "5", rounding: str = "2.5", from_: str = "20"
) -> list[str]:
    """Taper a single daily dose by percent, written as its amounts."""
    phases = taper_percent(
        D(from_), percent=D(by), of=of, rounding=D(rounding), direction=direction, floor=D(floor), every_days=14, times=AT[:1]
    )
    return [plain(phase.per_day) for phase in phases]


def test_a_percent_of_the_current_dose_shrinks() -> None:
    """25 % of the current dose, rounded down to 2.5 mg: 20, 15, 10 (11.25), 7.5, 5."""
    assert percent(PercentOf.CURRENT, Direction.DOWN) == ["15", "10", "7.5", "5"]


def test_a_percent_of_the_current_dose_rounded_up_is_slower() -> None:
    """The same taper rounded up keeps 12.5 where the other has 10."""
    assert percent(PercentOf.CURRENT, Direction.UP, floor="7.5") == ["15", "12.5", "10", "7.5"]


def test_a_percent_of_the_original_dose_stays_the_same() -> None:
    """25 % of the original 20 mg is 5 mg each time."""
    assert percent(PercentOf.ORIGINAL, Direction.DOWN) == ["15", "10", "5"]


def test_a_percent_taper_ends_at_its_floor() -> None:
    """What would fall below the floor is the floor, once, and then nothing."""
    assert percent(PercentOf.ORIGINAL, Direction.DOWN, by="90", floor="2.5") == ["2.5"]


def test_small_amounts_taper_too() -> None:
    """A floor and a rounding unit below one are numbers like any other: half of 1 mg, then a quarter."""
    assert percent(PercentOf.CURRENT, Direction.DOWN, by="50", floor="0.25", rounding="0.25", from_="1") == ["0.5", "0.25"]


def test_rounding_that_undoes_the_cut_is_refused() -> None:
    """10 % of 5 mg rounded up to 2.5 mg is 5 mg again, and would be for ever: refused."""
    with pytest.raises(InvalidPlan, match="would never fall"):
        percent(PercentOf.CURRENT, Direction.UP, by="10", floor="2.5", from_="5")


ODD = [
    ({"by": "0"}, "percent"),
    ({"by": "100"}, "percent"),
    ({"by": "NaN"}, "percent"),
    ({"rounding": "0"}, "floor"),
    ({"floor": "0"}, "floor"),
    ({"floor": "3"}, "floor"),
    ({"floor": "20"}, "floor"),
]


@pytest.mark.parametrize(("change", "path"), ODD)
def test_an_odd_percent_taper_is_refused(change: dict[str, str], path: str) -> None:
    """A percent, a rounding unit and a floor that make no taper are refused by name."""
    with pytest.raises(InvalidPlan) as refused:
        percent(PercentOf.CURRENT, Direction.DOWN, **change)

    assert refused.value.path == path


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


@given(st.integers(2, 40), st.integers(1, 99), st.sampled_from(PercentOf), st.integers(1, 14))
def test_a_percent_taper_only_falls(start: int, percents: int, of: PercentOf, days: int) -> None:
    """Rounded down, a percent taper falls with each phase, in whole rounding units, and ends at its floor."""
    half, down = D("2.5"), Direction.DOWN
    phases = taper_percent(start * half, percent=D(percents), of=of, rounding=half, direction=down, floor=half, every_days=days, times=AT)
    amounts = [phase.doses[0].amount.value for phase in phases]

    assert amounts == sorted(set(amounts), reverse=True)
    assert (amounts[-1], {amount % half for amount in amounts}) == (half, {D(0)})
