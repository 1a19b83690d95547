"""What a provider reads of the answers to check-ins, word for word, and where one day's answers end."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from reminders.domain.check_in import Report, Watch, next_check_in, signals
from reminders.domain.plan import CheckInItem
from reminders.domain.profile import Monitoring
from tests.builders import a_plan, utc

BEGAN = utc("2026-03-02 05:00")
DAY = timedelta(days=1)


def on(day: int, hour: int = 0) -> datetime:
    """So many days and hours into the plan."""
    return BEGAN + day * DAY + timedelta(hours=hour)


CASES = {
    "a severe symptom": ([Report(on(1), {"B": 3})], ["dizziness at grade 3 of 3"]),
    "three check-ins running, after one without it": (
        [Report(on(1), {}), *(Report(on(day), {"B": 1}) for day in (2, 3, 4))],
        ["dizziness at 3 check-ins running"],
    ),
    "more than a week": ([Report(on(1), {"B": 1}), Report(on(9), {"B": 1})], ["dizziness for more than 7 days"]),
    "weakness that is troublesome, and in the way too": ([Report(on(1), {"C": 2}, ticks={"W": True})], ["weakness at grade 2"]),
    "weakness that gets in the way": ([Report(on(1), {"C": 1}, ticks={"W": True})], ["weakness that gets in the way of the day"]),
    "in the way in the morning, and no more at noon": (
        [Report(on(1), {"C": 1}, ticks={"W": True}), Report(on(1, 4), {"C": 1}, ticks={"W": False})],
        [],
    ),
    "losing fluids": ([Report(on(1), ticks={"L": True})], ["drank too little, vomited or had diarrhoea"]),
    "stiff twice, after once not": (
        [Report(on(8 + n), stiffness=rated) for n, rated in enumerate((3, 5, 6))],
        ["stiffness 5 and then 6 of 10, at two check-ins running"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_signal_in_full(name: str) -> None:
    """Each signal has its words and its numbers."""
    reports, words = CASES[name]

    assert [signal.words for signal in signals(reports, began=BEGAN, tapering=False)] == words


def test_a_grade_raised_for_another_medicine_says_so() -> None:
    """Grade 2 counts as 3 beside a medicine that makes it graver, and the reader is told why."""
    found = signals([Report(on(1), {"B": 2})], began=BEGAN, tapering=False, raised="B")

    assert [signal.words for signal in found] == ["dizziness at grade 3 of 3, counted one grade higher for another medicine"]


def test_stiffness_on_a_taper_in_full() -> None:
    """On a taper one high rating is enough."""
    found = signals([Report(on(1), stiffness=7)], began=BEGAN, tapering=True)

    assert [signal.words for signal in found] == ["stiffness 7 of 10 on a taper"]


def test_a_medicine_of_a_later_month_is_asked_about_then() -> None:
    """A plan without check-ins of its own asks on the first day of a medicine that is entered ahead, however far that is."""
    watch = Watch(Monitoring((CheckInItem.SLEEPINESS,), days=(1,)), since=date(2026, 6, 1))

    assert next_check_in(a_plan(start="2026-03-02"), date(2026, 3, 10), [watch]) == date(2026, 6, 1)
