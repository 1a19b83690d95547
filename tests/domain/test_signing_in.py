from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reminders.domain.signing_in import IDLE, LONGEST, WINDOW, is_alive, length_fault, within_window

NOW = datetime(2026, 3, 2, 13, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
NONE = timedelta()


@pytest.mark.parametrize(
    ("begun_ago", "seen_ago", "alive"),
    [
        (NONE, NONE, True),
        (-MOMENT, NONE, False),
        (-MOMENT, IDLE, False),
        (LONGEST - MOMENT, NONE, True),
        (LONGEST, NONE, False),
        (LONGEST, IDLE - MOMENT, False),
        (IDLE, IDLE - MOMENT, True),
        (IDLE, IDLE, False),
        (LONGEST, IDLE, False),
    ],
    ids=["new", "tomorrow's", "tomorrow's, left alone", "of the day", "too old", "too old, in use", "in use", "left alone", "both"],
)
def test_a_session_holds(begun_ago: timedelta, seen_ago: timedelta, alive: bool) -> None:  # noqa: FBT001 - a cell
    """It has begun, it is not older than a working day, and it was not left alone; each by itself ends it."""
    assert is_alive(NOW - begun_ago, NOW - seen_ago, NOW) == alive


def test_the_window() -> None:
    """A try counts for the window, and not at its end any more; they keep their order."""
    tries = [NOW - WINDOW - MOMENT, NOW - WINDOW, NOW - WINDOW + MOMENT, NOW]

    assert within_window(tries, NOW) == (NOW - WINDOW + MOMENT, NOW)


@pytest.mark.parametrize(
    ("length", "fault"),
    [
        (0, "must have 12 characters or more: a few words that you can remember"),
        (11, "must have 12 characters or more: a few words that you can remember"),
        (12, ""),
        (128, ""),
        (129, "must have 128 characters at most"),
    ],
)
def test_how_long_a_password_is(length: int, fault: str) -> None:
    """Twelve characters at least, 128 at most."""
    assert length_fault("x" * length) == fault
