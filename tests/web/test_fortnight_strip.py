from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from reminders.domain.adherence import Mark, ScoredDose
from reminders.domain.fortnight import Fortnight, fortnight
from reminders.web.fortnight_strip import fortnight_strip, level_words, trend_words, whole

TODAY = date(2026, 3, 28)


def weeks(*days: str, before: str = "") -> Fortnight:
    """The last days up to today by their letters, and one day three weeks ago."""
    first = TODAY - timedelta(days=len(days) - 1)
    old = [ScoredDose(TODAY - timedelta(days=20), Mark(letter), Decimal(5)) for letter in before]
    new = [ScoredDose(first + timedelta(days=n), Mark(letter), Decimal(5)) for n, letters in enumerate(days) for letter in letters]
    return fortnight([*old, *new], today=TODAY)


def test_a_cell_a_dose() -> None:
    """A column a day, today on the right; each with its letter, how it looks, and its words."""
    shown = fortnight_strip(weeks("TM", "o"))

    assert re.findall(r'<g class="([\w-]+)">.*?<rect x="(\d+).5" y="(\d+).5".*?>(\w)</text></g>', shown.cells) == [
        ("taken", "180", "0", "T"),
        ("missed", "180", "15", "M"),
        ("open", "195", "0", "o"),
    ]
    assert (shown.width, shown.height, shown.dates) == (210, 30, ("15 Mar", "28 Mar"))
    assert "<title>Fri 27 Mar: missed, as was reported</title>" in shown.cells
    assert shown.words == "15 Mar to 28 Mar: 1 taken on time, 1 missed, as was reported, 1 waits for an answer."


def test_no_doses() -> None:
    """Says so, and has room for a row all the same."""
    shown = fortnight_strip(weeks(""))

    assert (shown.cells, shown.height, shown.words) == ("", 15, "15 Mar to 28 Mar: no doses.")


@pytest.mark.parametrize(
    ("letters", "words"),
    [
        ("TTT", "3 of 3 confirmed (100 %)"),
        ("TTM", "2 of 3 confirmed (67 %)"),
        ("TUU", "1 of 3 confirmed (33 to 100 %), 2 unanswered"),
        ("NNo", "no dose that counts"),
        ("", "no dose that counts"),
    ],
)
def test_a_level_has_its_counts(letters: str, words: str) -> None:
    """Never a share by itself; silence is the second number, and our own fault is in none."""
    assert level_words(weeks(letters).last) == words


@pytest.mark.parametrize(
    ("last", "before", "words"),
    [
        ("TTTTTTT", "TTTTTTM", "▲ more than the 14 days before (86 %)"),
        ("TTTTTTM", "TTTTTTT", "▼ fewer than the 14 days before (100 %)"),
        ("TTTTTTT", "TTTTTTT", "steady with the 14 days before (100 %)"),
        ("TTTTTTT", "T", ""),
    ],
)
def test_a_trend_in_words(last: str, before: str, words: str) -> None:
    """A sign and a word, with what it is compared with; nothing where too few doses count."""
    assert trend_words(weeks(last, before=before)) == words


@pytest.mark.parametrize(("share", "percent"), [(Fraction(199, 200), 99), (Fraction(1), 100), (Fraction(1, 200), 1), (Fraction(0), 0)])
def test_a_hundred_percent_is_all(share: Fraction, percent: int) -> None:
    """A half is rounded up, but never to all of them."""
    assert whole(share) == percent
