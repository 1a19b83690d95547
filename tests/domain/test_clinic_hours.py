"""When somebody is at the clinic: 8 to 5, Monday to Friday, by the clinic's clock."""

from __future__ import annotations

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.domain.clinic_hours import ClinicHours
from reminders.domain.plan import HOUR
from tests.builders import NEW_YORK, utc
from tests.stage import at

HOURS, TZ = ClinicHours(), ZoneInfo(NEW_YORK)


@pytest.mark.parametrize(
    ("start", "ends"),
    [
        ("03-02 09:00", "03-02 13:00"),  # a Monday
        ("03-02 13:00", "03-02 17:00"),
        ("03-02 13:01", "03-03 08:01"),
        ("03-02 06:00", "03-02 12:00"),
        ("03-02 17:00", "03-03 12:00"),
        ("03-02 23:30", "03-03 12:00"),
        ("03-06 15:00", "03-09 10:00"),  # over a weekend, in which the clocks go forward
        ("03-07 10:00", "03-09 12:00"),
        ("10-30 16:00", "11-02 11:00"),  # over a weekend, in which the clocks go back
    ],
)
def test_four_clinic_hours(start: str, ends: str) -> None:
    """Four hours run only while the clinic is open."""
    assert HOURS.after(at(start), 4 * HOUR, TZ) == at(ends)


def test_two_weeks_of_hours() -> None:
    """A span longer than the days looked ahead goes on from there: nine hours a day, five days a week."""
    assert HOURS.after(at("03-02 08:00"), 90 * HOUR, TZ) == at("03-13 17:00")


def test_no_span_at_all() -> None:
    """A deadline of nothing is now while the clinic is open, else when it opens."""
    assert [HOURS.after(at(start), timedelta(), TZ) for start in ("03-02 09:00", "03-02 05:00")] == [at("03-02 09:00"), at("03-02 08:00")]


@pytest.mark.parametrize(
    ("instant", "on"),
    [
        ("03-02 07:59", False),
        ("03-02 08:00", True),
        ("03-02 16:59", True),
        ("03-02 17:00", False),
        ("03-07 10:00", False),
        ("03-08 10:00", False),
    ],
)
def test_who_is_there(instant: str, *, on: bool) -> None:
    """The clinic is open from 8:00, included, to 17:00, excluded, on working days."""
    assert HOURS.are_on(at(instant), TZ) is on


@pytest.mark.parametrize(
    ("instant", "opens"),
    [("03-02 05:00", "03-02 08:00"), ("03-02 08:00", "03-03 08:00"), ("03-06 12:00", "03-09 08:00"), ("03-08 01:59", "03-09 08:00")],
)
def test_when_the_doors_open(instant: str, opens: str) -> None:
    """The next opening lies strictly ahead, past a weekend if need be."""
    assert HOURS.next_opening(at(instant), TZ) == at(opens)


def test_another_zone_and_other_hours() -> None:
    """Hours are those of the clinic's own wall clock."""
    assert ClinicHours(time(9), time(12)).next_opening(utc("2026-07-01 09:00"), ZoneInfo("Asia/Kathmandu")) == utc("2026-07-02 03:15")


def test_a_skipped_date() -> None:
    """Where a zone skips a whole working day (Apia, Friday 30 December 2011) the week after is still found."""
    assert HOURS.next_opening(utc("2011-12-30 03:00"), ZoneInfo("Pacific/Apia")) > utc("2011-12-30 03:00")


def test_never_closed_before_it_opens() -> None:
    """Hours that end before they begin are refused."""
    for opens in (time(17), time(8)):
        with pytest.raises(ValueError, match=r"^a clinic opens before it closes$"):
            ClinicHours(opens, time(8))
