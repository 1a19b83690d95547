"""What was taken, or may have been, whatever was said of it since."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from reminders.domain.dose_state import DoseState
from reminders.domain.intake import DoseRecord, Intake, free_from, hour_unknown, latest_moment, most_in_24h, perhaps_taken, told_taken
from reminders.domain.plan import DAY, HOUR
from tests.builders import a_phase, utc

DUE = utc("2026-06-01 12:00")
DOSE = DoseRecord("p", date(2026, 6, 1), 1, DUE, a_phase("5/5/5").doses[0].amount, DoseState.OPEN, may_take_until=DUE + 4 * HOUR)


@pytest.mark.parametrize("state", [DoseState.MISSED, DoseState.NOT_DUE, DoseState.SKIPPED])
def test_a_tablet_is_not_undone(state: DoseState) -> None:
    """A dose told as taken keeps its moment, though it was not due, or "not taken" was said of it later."""
    told = replace(DOSE, state=state, taken_at=DUE + HOUR)
    assert (told_taken(told), perhaps_taken(told), latest_moment(told), hour_unknown(told)) == (True, True, DUE + HOUR, False)


@pytest.mark.parametrize("state", [DoseState.MISSED, DoseState.NOT_DUE, DoseState.SKIPPED])
def test_never_told_as_taken(state: DoseState) -> None:
    """A dose told as not taken, or not due, that nobody said was taken stands in nobody's way."""
    told = replace(DOSE, state=state)
    assert (told_taken(told), perhaps_taken(told), latest_moment(told), hour_unknown(told)) == (False, False, None, False)


def test_at_latest_then() -> None:
    """A dose outside the plan told as taken, the hour unknown, was taken at the latest when that was said."""
    told = replace(DOSE, state=DoseState.NOT_DUE, taken_by=DUE + 2 * HOUR)
    assert (latest_moment(told), hour_unknown(told)) == (DUE + 2 * HOUR, True)


def test_silence_may_have_followed_our_word() -> None:
    """A silent dose may have been taken as late as we allowed it."""
    assert (perhaps_taken(DOSE), latest_moment(DOSE)) == (True, DUE + 4 * HOUR)


@pytest.mark.parametrize(("until", "perhaps"), [(DUE + HOUR, True), (None, False)])
def test_not_reminded_but_offered(until: datetime | None, *, perhaps: bool) -> None:
    """A dose that was not reminded was perhaps taken only where a text may have offered it."""
    assert perhaps_taken(replace(DOSE, state=DoseState.NOT_REMINDED, may_take_until=until)) is perhaps


@pytest.mark.parametrize(("before", "most"), [(DAY, 15), (DAY - timedelta.resolution, 25)])
def test_a_dose_a_day_ago_is_in_no_24_hours_with_this_one(before: timedelta, most: int) -> None:
    """The 24 hours that hold this dose end before its hour comes round again."""
    others = (Intake(DUE - before, Decimal(10)), Intake(DUE - 12 * HOUR, Decimal(10)))

    assert most_in_24h(Intake(DUE, Decimal(5)), others) == most


@pytest.mark.parametrize(("past", "free"), [(timedelta(0), 0), (timedelta.resolution, 1), (timedelta(seconds=59), 1)])
def test_the_distance_ends_on_a_whole_minute(past: timedelta, free: int) -> None:
    """Whatever is past the minute, however little, makes it the next one: the gap is never shortened by rounding."""
    taken = replace(DOSE, state=DoseState.TAKEN, taken_at=DUE + past)

    assert free_from([taken], 2 * HOUR, DUE) == DUE + 2 * HOUR + timedelta(minutes=free)
