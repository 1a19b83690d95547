from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from reminders.domain.adherence import Mark, ScoredDose
from reminders.domain.fortnight import Trend, fortnight

TODAY = date(2026, 3, 28)
FIRST = date(2026, 3, 15)


def on(day: date, letters: str) -> list[ScoredDose]:
    """A day's doses, by their letters."""
    return [ScoredDose(day, Mark(letter), Decimal(5)) for letter in letters]


def a_day(letters: str, *, since: date, days: int) -> list[ScoredDose]:
    """The same doses on each of so many days."""
    return [dose for number in range(days) for dose in on(since + timedelta(days=number), letters)]


def test_fourteen_days_end_today() -> None:
    """Each has its letters in order; a day without a dose is there all the same, and what lies outside is not."""
    seen = fortnight(
        [*on(FIRST - timedelta(days=1), "M"), *on(FIRST, "TLU"), *on(TODAY, "To"), *on(TODAY + timedelta(days=1), "P")], today=TODAY
    )

    assert [day.on for day in seen.days] == [FIRST + timedelta(days=number) for number in range(14)]
    assert {f"{day.on:%m-%d}": "".join(day.marks) for day in seen.days if day.marks} == {"03-15": "TLU", "03-28": "To"}


def test_each_window_is_scored_by_itself() -> None:
    """The last 14 days, and the 14 before; what is older is in neither."""
    older = on(FIRST - timedelta(days=15), "MM")
    before = [*on(FIRST - timedelta(days=14), "T"), *on(FIRST - timedelta(days=1), "U")]
    seen = fortnight([*older, *before, *on(FIRST, "T"), *on(TODAY, "PNZo")], today=TODAY)

    assert (seen.before.taken, seen.before.counted, seen.last.taken, seen.last.counted) == (1, 2, 1, 2)


@pytest.mark.parametrize(
    ("before", "last", "trend"),
    [
        ("TTT", "TTT", Trend.STEADY),
        ("TTU", "TTT", Trend.UP),
        ("TTT", "TTU", Trend.DOWN),
        ("TTT", "TTN", Trend.STEADY),
        ("NNN", "TTT", None),
        ("TTT", "ooo", None),
    ],
)
def test_the_trend_is_of_what_was_confirmed(before: str, last: str, trend: Trend | None) -> None:
    """Silence lowers it, our own fault does not, and nothing is said of nothing."""
    seen = fortnight(
        [*a_day(before, since=FIRST - timedelta(days=14), days=14), *a_day(last, since=FIRST, days=14)],
        today=TODAY,
    )

    assert seen.trend is trend


@pytest.mark.parametrize(("taken", "trend"), [(18, Trend.DOWN), (19, Trend.STEADY), (20, Trend.STEADY), (21, Trend.STEADY), (22, Trend.UP)])
def test_five_points_are_a_change(taken: int, trend: Trend) -> None:
    """Of 40 doses half were taken before; two more or fewer now are five points."""
    before = on(FIRST - timedelta(days=1), "T" * 20 + "U" * 20)
    seen = fortnight([*before, *on(FIRST, "T" * taken + "U" * (40 - taken))], today=TODAY)

    assert seen.trend is trend


@pytest.mark.parametrize(("counted", "is_told"), [(6, False), (7, True)])
def test_too_few_doses_have_no_trend(counted: int, is_told: bool) -> None:  # noqa: FBT001 - what is expected
    """Either window needs seven that count."""
    enough = a_day("T", since=FIRST - timedelta(days=14), days=14)
    few = on(FIRST, "U" * counted + "N")
    seen = fortnight([*enough, *few], today=TODAY)
    the_other_way = fortnight([*on(FIRST - timedelta(days=1), "U" * counted), *a_day("T", since=FIRST, days=14)], today=TODAY)

    assert ([seen.trend, the_other_way.trend] == [Trend.DOWN, Trend.UP]) is is_told
