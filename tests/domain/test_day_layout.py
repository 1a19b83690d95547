from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.day_layout import evened, lowered, raised

D = Decimal


def day(*amounts: int) -> list[Decimal]:
    """A day's doses."""
    return [D(amount) for amount in amounts]


def round_the_day(change: str) -> list[list[Decimal]]:
    """Three changes of a day of equal doses, one after another."""
    now, found = day(20, 20, 20), []
    for _ in range(3):
        now = raised(now, D(5)) if change == "up" else lowered(now, D(5))
        found.append(now)
    return found


def test_the_last_dose_is_raised_first() -> None:
    """Rising goes round the day backwards, so that the night dose is the first to rise."""
    assert round_the_day("up") == [day(20, 20, 25), day(20, 25, 25), day(25, 25, 25)]


def test_the_first_dose_is_lowered_first() -> None:
    """Falling goes round the day forwards, so that the night dose is the last to fall."""
    assert round_the_day("down") == [day(15, 20, 20), day(15, 15, 20), day(15, 15, 15)]


def test_a_larger_dose_falls_before_a_smaller_one() -> None:
    """A day that is not even falls from its largest dose on, as it rose: 0.2, 0.1 was 0.1, 0.1 before."""
    assert (lowered(day(10, 20), D(5)), lowered(day(20, 10), D(5))) == (day(10, 15), day(15, 10))


def test_a_total_is_evened_with_the_larger_doses_last() -> None:
    """65 mg in four doses is three of 15 and then 20."""
    assert evened(D(65), D(5), 4) == day(15, 15, 15, 20)


@given(st.integers(0, 60), st.integers(1, 6), st.sampled_from([D("0.5"), D("2.5"), D(5)]))
def test_an_evened_day_adds_up_and_is_even(count: int, slots: int, piece: Decimal) -> None:
    """Evened doses make the total, rise through the day and differ by one piece at most."""
    doses = evened(count * piece, piece, slots)

    assert sum(doses) == count * piece
    assert doses == sorted(doses)
    assert doses[-1] - doses[0] <= piece


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5))
def test_lowering_undoes_raising(counts: list[int]) -> None:
    """Whatever the day, the dose that was raised from an even state is the next to fall again."""
    even = [D(5 * max(counts))] * len(counts)

    assert lowered(raised(even, D(5)), D(5)) == even
