"""What silence proves, while replies may not have been fetched."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.hearing import A_TURN, BOUND, Heard, Hearing
from tests.builders import utc
from tests.doses import drawn

AT = utc("2026-03-02 14:00")
MINUTE = timedelta(minutes=1)

TABLE = drawn(
    """
    heard until | failing since | now    | what is known
    14:00       |               | 14:01  | ALL
    14:01       | 14:02         | 15:00  | ALL
    13:59       |               | 14:01  | NOT_YET
    13:59       | 14:00         | 14:29  | NOT_YET
    13:59       | 14:00         | 14:30  | GIVEN_UP
    13:59       | 14:29         | 14:30  | NOT_YET
    13:59       | 14:29         | 14:31  | GIVEN_UP
    13:59       |               | 18:00  | NOT_YET
    never       |               | 14:01  | NOT_YET
    never       | 13:00         | 14:29  | NOT_YET
    never       | 13:00         | 14:30  | GIVEN_UP
    never       |               | 18:00  | NOT_YET
    """
)


def clock(text: str) -> datetime | None:
    """Read a clock time of the day; nothing, or "never", is None."""
    return utc(f"2026-03-02 {text}") if text[:1].isdigit() else None


@pytest.mark.parametrize(("until", "failing", "now", "expected"), TABLE[1:], ids=[" ".join(row) for row in TABLE[1:]])
def test_what_is_known_of_a_dose_that_ended_at_two(until: str, failing: str, now: str, expected: str) -> None:
    """Silence before 14:00 is known once the list was read past it; given up half an hour later, if reading it does not work."""
    then = clock(now)
    assert then is not None

    assert Hearing(clock(until), clock(failing)).of(AT, then) is Heard[expected]


@pytest.mark.parametrize(
    ("failing", "now", "expected"),
    [
        ("", "14:00", "14:30"),
        ("13:00", "14:05", "14:30"),
        ("", "14:40", "14:42"),
        ("14:39", "14:40", "14:41"),
        ("14:30", "14:30", "14:32"),
    ],
)
def test_when_it_is_looked_at_again(failing: str, now: str, expected: str) -> None:
    """What nobody brings forward is looked at at the bound; past the bound, once whoever reads the list has had a turn."""
    then = clock(now)
    assert then is not None

    assert Hearing(None, clock(failing)).again_at(AT, then) == clock(expected)


@pytest.mark.parametrize(
    ("until", "failing", "expected"),
    [("13:55", "", False), ("13:54", "", True), ("13:54", "13:59", False), ("never", "", True), ("never", "13:59", False)],
)
def test_nobody_reads_the_list(until: str, failing: str, *, expected: bool) -> None:
    """A list that was last read more than five minutes ago, and of which nobody says that it fails, is read by nobody."""
    assert Hearing(clock(until), clock(failing)).is_unattended(AT) is expected


minutes = st.integers(-120, 600).map(lambda count: AT + count * MINUTE)


@given(st.none() | minutes, minutes, minutes)
def test_giving_up_comes_in_time(until: datetime | None, failing_since: datetime, now: datetime) -> None:
    """Looking again when told to, a moment is heard or given up by its bound, or two minutes after reading began to fail."""
    hearing = Hearing(until, failing_since)
    at = max(now, AT, failing_since)
    while hearing.of(AT, at) is Heard.NOT_YET:
        at = hearing.again_at(AT, at)

    assert at <= max(now, AT + BOUND, failing_since + A_TURN) + MINUTE
