"""The sender's pace: never faster than the contract, never slower than it need be, and a part of it kept free."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.messaging.pacing import BURST, MOST_SEGMENTS, ORDINARY_SHARE, SAFE_SHARE, Bucket, Pace

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RATES = st.floats(0.1, 500)
LINES = st.lists(st.tuples(st.integers(1, MOST_SEGMENTS), st.booleans(), st.floats(0, 3)), max_size=60)
"""Texts as they come: segments, whether urgent, and seconds since the one before."""


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_pace_is_more_than_nothing(rate: float) -> None:
    """A contract that lets nothing through, or everything, is none."""
    with pytest.raises(ValueError, match="segments a second"):
        Pace(rate)


@given(RATES, LINES)
def test_never_faster_than_the_contract(rate: float, line: list[tuple[int, bool, float]]) -> None:
    """From any moment on, no more segments leave than the contract's safe share lets through, but for one burst and one text."""
    now, bucket, left = NOON, Bucket(), list[tuple[datetime, int]]()
    for segments, urgent, gap in line:
        now += timedelta(seconds=gap)
        after = Pace(rate).take(bucket, segments, now, urgent=urgent)
        if after is not None:
            bucket = after
            left.append((now, segments))

    for first, (since, _) in enumerate(left):
        for last in range(first, len(left)):
            sent = sum(segments for _, segments in left[first : last + 1])
            seconds = (left[last][0] - since + BURST).total_seconds()
            assert sent <= rate * SAFE_SHARE * seconds + MOST_SEGMENTS + 0.01


@pytest.mark.parametrize(("urgent", "share"), [(True, SAFE_SHARE), (False, SAFE_SHARE * ORDINARY_SHARE)])
def test_never_slower_than_it_need_be(urgent: bool, share: float) -> None:  # noqa: FBT001 - a case of the table
    """A queue that never empties drains at the contract's share, second by second."""
    now, bucket, left = NOON, Bucket(), 0
    for _ in range(100):
        count, bucket = Pace(10).fit(bucket, [1] * 50, now, urgent=urgent)
        left, now = left + count, now + timedelta(seconds=1)

    assert 100 * 10 * share <= left <= 101 * 10 * share + 1


def test_a_part_is_kept_free() -> None:
    """Behind a queue of ordinary texts that never empties, an urgent one leaves within a second, at any time."""
    now, bucket = NOON, Bucket()
    for _ in range(200):
        _, bucket = Pace(2).fit(bucket, [1] * 50, now, urgent=False)
        urgent = Pace(2).take(bucket, 1, now + timedelta(seconds=1), urgent=True)
        assert urgent is not None
        now += timedelta(seconds=1)


def test_a_long_text_is_paid_for_afterwards() -> None:
    """A text of more segments than a second lets through leaves at once, and the next waits for what it cost."""
    bucket = Pace(1).take(Bucket(), 4, NOON, urgent=True)
    assert bucket is not None
    waits = [Pace(1).take(bucket, 1, NOON + timedelta(seconds=seconds), urgent=True) is None for seconds in range(6)]

    assert waits == [True, True, True, True, False, False]


@pytest.mark.parametrize("hours", [1, 2, 24])
def test_a_clock_set_back(hours: int) -> None:
    """Nobody waits for hours because the clock was set back."""
    bucket = Pace(1).take(Bucket(), 1, NOON, urgent=False)
    assert bucket is not None

    assert Pace(1).take(bucket, 1, NOON - timedelta(hours=hours), urgent=False) is not None
