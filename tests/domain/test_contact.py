"""Whom we may text, and when nobody is woken."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.domain.contact import (
    ConsentStanding,
    Contactable,
    QuietHours,
    Refused,
    WhyNot,
    may_contact,
    may_nudge,
    nudge_at,
)
from reminders.domain.plan import DAY, HOUR
from tests.doses import TZ, clock

NIGHT = QuietHours()
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def maybe(hour: str | None) -> datetime | None:
    """Read a local time, where there is one."""
    return None if hour is None else clock(hour)


@pytest.mark.parametrize(
    ("hour", "quiet"), [("20:59:59", False), ("21:00", True), ("23:30", True), ("03:00", True), ("07:59:59", True), ("08:00", False)]
)
def test_quiet_over_midnight(hour: str, *, quiet: bool) -> None:
    """Quiet hours run from 21:00, included, to 08:00, excluded, by the patient's clock."""
    assert NIGHT.contains(clock(hour), TZ) is quiet


@pytest.mark.parametrize(("hour", "quiet"), [("08:59", False), ("09:00", True), ("16:59", True), ("17:00", False)])
def test_quiet_by_day(hour: str, *, quiet: bool) -> None:
    """Quiet hours may lie within one day."""
    assert QuietHours(time(9), time(17)).contains(clock(hour), TZ) is quiet


@pytest.mark.parametrize(
    ("hour", "start", "end"),
    [("20:00", "21:00", "08:00+"), ("21:00", "21:00+", "08:00+"), ("02:00", "21:00", "08:00"), ("08:00", "21:00", "08:00+")],
)
def test_next_start_and_end(hour: str, start: str, end: str) -> None:
    """The next start and the next end of the quiet hours lie after the instant asked about, never at it."""
    assert (NIGHT.next_start(clock(hour), TZ), NIGHT.next_end(clock(hour), TZ)) == (clock(start), clock(end))


def test_next_start_past_a_date_that_never_was() -> None:
    """Apia had no 30 December 2011: from the evening of the 29th the quiet hours start again on the 31st."""
    apia = ZoneInfo("Pacific/Apia")
    evening = datetime(2011, 12, 29, 22, tzinfo=apia).astimezone(UTC)

    assert NIGHT.next_start(evening, apia).astimezone(apia).date() == date(2011, 12, 31)


def test_quiet_hours_of_no_length() -> None:
    """Quiet hours that end when they start could mean none or all day, and are refused."""
    with pytest.raises(ValueError, match=r"^quiet hours end at another time than they start$"):
        QuietHours(time(8), time(8))


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (ConsentStanding(AT, verified=True), Contactable()),
        (ConsentStanding(None, verified=True), Refused(WhyNot.NO_CONSENT)),
        (ConsentStanding(AT, AT + HOUR, verified=True), Refused(WhyNot.NO_CONSENT)),
        (ConsentStanding(AT, AT, verified=True), Refused(WhyNot.NO_CONSENT)),
        (ConsentStanding(AT + HOUR, AT, verified=True), Contactable()),
        (ConsentStanding(AT), Refused(WhyNot.UNVERIFIED)),
        (ConsentStanding(AT, verified=True, unusable=True), Refused(WhyNot.UNUSABLE)),
        (ConsentStanding(AT, verified=True, opted_out=True), Refused(WhyNot.OPTED_OUT)),
        (ConsentStanding(None, opted_out=True), Refused(WhyNot.OPTED_OUT)),
    ],
)
def test_may_contact(standing: ConsentStanding, expected: Contactable | Refused) -> None:
    """No consent on record, no text; STOP wins over everything; consent given again after a withdrawal counts."""
    assert may_contact(standing) == expected


@pytest.mark.parametrize(
    ("now", "take_until", "may"),
    [
        ("09:00", "12:00", True),
        ("11:44:59", "12:00", True),
        ("11:45", "12:00", False),
        ("12:30", "12:00", False),
        ("21:00", "06:00+", False),
        ("07:59", "12:00", False),
        ("09:00", None, False),
    ],
)
def test_may_nudge(now: str, take_until: str | None, *, may: bool) -> None:
    """No nudge in quiet hours, nor in the last 15 minutes a dose may be taken, nor where nobody knows its last moment."""
    assert may_nudge(clock(now), TZ, NIGHT, maybe(take_until)) is may


@pytest.mark.parametrize(
    ("due", "take_until", "nudge"),
    [("08:00", "12:00", "09:00"), ("08:00", "09:00", "08:30"), ("08:00", "08:00+", "09:00"), ("08:00", None, None)],
)
def test_nudge_at(due: str, take_until: str | None, nudge: str | None) -> None:
    """One nudge, an hour after the dose, or half of the time it may be taken in if that is shorter."""
    assert nudge_at(clock(due), maybe(take_until), TZ) == maybe(nudge)


def test_nudge_of_a_weekly_dose() -> None:
    """A dose that may be taken for more than a day is asked about the next day at ten."""
    assert nudge_at(clock("08:00"), clock("08:00") + 5 * DAY, TZ) == clock("10:00+")


def test_no_nudge_past_a_dose_on_time_only() -> None:
    """A dose that may be taken on time only has no nudge that could go out."""
    at = nudge_at(clock("08:00"), clock("08:00"), TZ)
    assert at is not None

    assert not may_nudge(at + timedelta(0), TZ, NIGHT, clock("08:00"))
