"""In whose hands a conversation is, and when what a person writes leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.domain.contact import QuietHours
from reminders.domain.taking_over import HOLDS_FOR, TALKING, Takeover, in_whose_hands, leaves_at

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
MINUTE, MICROSECOND = timedelta(minutes=1), timedelta.resolution
NEW_YORK = ZoneInfo("America/New_York")
LEE = Takeover("Nurse Lee", NOON, NOON + HOLDS_FOR)


@pytest.mark.parametrize(
    ("at", "holds"),
    [(NOON - MICROSECOND, False), (NOON, True), (NOON + HOLDS_FOR - MICROSECOND, True), (NOON + HOLDS_FOR, False)],
)
def test_it_holds_for_four_hours(at: datetime, holds: bool) -> None:  # noqa: FBT001 - cells of a table
    """From its beginning on, up to its end and not after."""
    assert LEE.holds(at) is holds


def test_handed_back() -> None:
    """It ends when it is handed back, and not later for an end that lies behind its own."""
    assert not Takeover("Nurse Lee", NOON, NOON + HOLDS_FOR, NOON + MINUTE).holds(NOON + MINUTE)
    assert not Takeover("Nurse Lee", NOON, NOON + HOLDS_FOR, NOON + 2 * HOLDS_FOR).holds(NOON + HOLDS_FOR)


def test_written_at_one_time_and_read_at_another() -> None:
    """A text that comes late is for whoever had the conversation when it was written, and before that for whoever has it now."""
    later = Takeover("Dr. Haddad", NOON + HOLDS_FOR, NOON + 2 * HOLDS_FOR)

    assert in_whose_hands((LEE,), written_at=NOON - MINUTE, now=NOON + MINUTE) == "Nurse Lee"
    assert in_whose_hands((LEE,), written_at=NOON, now=NOON + HOLDS_FOR) == "Nurse Lee"
    assert in_whose_hands((LEE, later), written_at=NOON, now=NOON + HOLDS_FOR) == "Dr. Haddad"
    assert in_whose_hands((LEE,), written_at=NOON - MINUTE, now=NOON - MINUTE) is None
    assert in_whose_hands((), written_at=NOON, now=NOON) is None


@pytest.mark.parametrize(
    ("clock", "heard", "leaves"),
    [
        ("20:59", None, "20:59"),
        ("21:00", None, "08:00"),
        ("07:59", None, "08:00"),
        ("23:00", TALKING - MICROSECOND, "23:00"),
        ("23:00", TALKING, "08:00"),
    ],
)
def test_when_it_leaves(clock: str, heard: timedelta | None, leaves: str) -> None:
    """At once by day; by night when the quiet hours end, unless the patient has written within half an hour and is awake."""
    now = datetime.fromisoformat(f"2026-03-03T{clock}").replace(tzinfo=NEW_YORK).astimezone(UTC)
    at = leaves_at(now, QuietHours(), NEW_YORK, heard_at=None if heard is None else now - heard)

    assert f"{at.astimezone(NEW_YORK):%H:%M}" == leaves
    assert at >= now
