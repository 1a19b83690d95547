"""The clocks: the machine's, and the one a story moves by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.clock import HandClock, SystemClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_machine_clock_is_aware_and_in_utc() -> None:
    """An instant from the machine always says it is UTC."""
    assert SystemClock().now().tzinfo is UTC


def test_the_machine_clock_never_runs_backwards() -> None:
    """The second reading of the monotonic clock is not below the first."""
    clock = SystemClock()

    assert clock.monotonic() <= clock.monotonic()


def test_a_hand_clock_stands_still() -> None:
    """Nothing moves a hand-moved clock but a hand, and it answers in UTC."""
    clock = HandClock(NOON.astimezone(ZoneInfo("America/New_York")))

    assert (clock.now(), clock.now().tzinfo, clock.monotonic()) == (NOON, UTC, 0.0)


def test_time_that_passes_moves_both_readings() -> None:
    """An hour that passes is an hour on the wall and 3,600 s of age."""
    clock = HandClock(NOON)

    clock.advance(timedelta(hours=1))

    assert (clock.now(), clock.monotonic()) == (NOON + timedelta(hours=1), 3600.0)


def test_a_clock_is_not_advanced_to_the_past() -> None:
    """Advancing to an instant already past changes nothing."""
    clock = HandClock(NOON)

    clock.advance_to(NOON - timedelta(hours=1))

    assert clock.now() == NOON


def test_advancing_to_an_instant_takes_the_time_between() -> None:
    """The way to an instant ahead is elapsed time."""
    clock = HandClock(NOON)

    clock.advance_to(NOON + timedelta(minutes=5))

    assert clock.monotonic() == 300.0


def test_a_jump_moves_the_wall_alone() -> None:
    """A wall clock set back two hours leaves ages as they were."""
    clock = HandClock(NOON)

    clock.jump(NOON - timedelta(hours=2))

    assert (clock.now(), clock.monotonic()) == (NOON - timedelta(hours=2), 0.0)


def test_time_does_not_pass_backwards() -> None:
    """A negative span is a mistake of the caller."""
    with pytest.raises(ValueError, match="backwards"):
        HandClock(NOON).advance(timedelta(seconds=-1))


def test_an_instant_without_a_zone_is_refused() -> None:
    """A clock is never set to a time that could mean several instants."""
    with pytest.raises(ValueError, match="zone"):
        HandClock(NOON.replace(tzinfo=None))
