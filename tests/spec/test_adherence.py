from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from reminders.domain.adherence import Adherence, Holiday, Mark, ScoredDose, adherence, mark_of, percent
from reminders.domain.dose_state import DoseState, Standing
from tests.doses import drawn

MONDAY = date(2026, 11, 23)

LETTERS = drawn("""
    letter | the dose was
    T      | taken on time
    L      | taken late, by the last moment of the missed-dose rule
    X      | taken after that moment
    C      | taken, recalled in one answer for several doses: when, nobody knows
    R      | skipped, because the rule advised it
    P      | skipped, by the patient's own choice
    M      | missed: told as not taken
    U      | unconfirmed: no answer. Silence is never called missed
    N      | not reminded: no text reached the patient. Our own fault is never the patient's
    Z      | outside the plan's counts: not due (suspended, changed, stopped, moved) or muted
    o      | open or pending: still to be decided
""")
"""One letter a dose, one group of letters a day. T, L, X and C are all taken; on time is at most 60 minutes late.

Source: Doseline's default.
"""

VECTORS = drawn("""
    #         | doses                   | D  | lower       | upper       | responded   | response    | reach     | run | days
    1         | TTT TTT TTT TTT TTM UUT | 18 | 15/18 83.33 | 17/18 94.44 | 15/16 93.75 | 16/18 88.89 | 18/18 100 | 3   | 4/6
    2         | TTT ZZZ ZZT TTT         | 7  | 7/7 100     | 7/7 100     | 7/7 100     | 7/7 100     | 7/7 100   | 0   | 2/2
    3         | TTT NNN TTM             | 6  | 5/6 83.33   | 5/6 83.33   | 5/6 83.33   | 6/6 100     | 6/9 66.67 | 1   | 1/2
    4         | TLR TTT TLT             | 9  | 8/9 88.89   | 8/9 88.89   | 8/9 88.89   | 9/9 100     | 9/9 100   | 1   | 2/3
    5         | UUU UUU                 | 6  | 0/6 0       | 6/6 100     | no data     | 0/6 0       | 6/6 100   | 6   | 0/2
    6         | TMN UZM TTT             | 7  | 4/7 57.14   | 5/7 71.43   | 4/6 66.67   | 6/7 85.71   | 7/8 87.50 | 3   | 1/1
    7         | TTP PPT                 | 6  | 3/6 50      | 3/6 50      | 3/6 50      | 6/6 100     | 6/6 100   | 3   | 0/2
    8         | TMT UTM TUT             | 9  | 5/9 55.56   | 7/9 77.78   | 5/7 71.43   | 7/9 77.78   | 9/9 100   | 1   | 0/3
    9         | TXT TTT                 | 6  | 6/6 100     | 6/6 100     | 6/6 100     | 6/6 100     | 6/6 100   | 0   | 2/2
    10        | TTU UUT                 | 6  | 3/6 50      | 6/6 100     | 3/3 100     | 3/6 50      | 6/6 100   | 3   | 0/2
    10, later | TTT TUT                 | 6  | 5/6 83.33   | 6/6 100     | 5/5 100     | 5/6 83.33   | 6/6 100   | 1   | 1/2
    11        | ZZZ NNN                 | 0  | no data     | no data     | no data     | no data     | 0/3 0     | 0   | 0/0
    12        | TTT TTo                 | 5  | 5/5 100     | 5/5 100     | 5/5 100     | 5/5 100     | 5/5 100   | 0   | 1/1
    13        | TTT TTT TTT TTT MTM TTT | 18 | 16/18 88.89 | 16/18 88.89 | 16/18 88.89 | 18/18 100   | 18/18 100 | 1   | 5/6
    14        | TUT TTT UTT             | 9  | 7/9 77.78   | 9/9 100     | 7/7 100     | 7/9 77.78   | 9/9 100   | 1   | 1/3
    14, later | TCT TTT CTT             | 9  | 9/9 100     | 9/9 100     | 9/9 100     | 9/9 100     | 9/9 100   | 0   | 3/3
    15        | MMM UUU MMM             | 9  | 0/9 0       | 3/9 33.33   | 0/6 0       | 6/9 66.67   | 9/9 100   | 9   | 0/3
""")
"""Adherence of three doses a day.

D are the doses that count: neither N nor Z nor o. The headline is a pair: *lower* is what is known as taken, of D; *upper*
counts what is unconfirmed as taken too. *Responded* leaves the unconfirmed out; *response* is how much of D was answered,
*reach* how much of what was due was reminded. *Run* is the longest run not taken. *Days* are the correct days of those
scored; a day with an N, Z or o is not scored. Each share is a fraction and its percentage. "10, later": doses 3 and 4
corrected to taken; "14, later": "all" answered to the catch-up question.

Source: the words are those of the ABC taxonomy (Vrijens 2012, sourced); what counts is Doseline's default.
"""

MEASURES = drawn("""
    #         | doses       | on time   | late by rule
    4         | TLR TTT TLT | 6/9 66.67 | 3/3 100
    9         | TXT TTT     | 5/6 83.33 | 0/1 0
    14        | TUT TTT UTT | 7/9 77.78 | no data
    14, later | TCT TTT CTT | 7/9 77.78 | no data
    11        | ZZZ NNN     | no data   | no data
    L, R, X   | TLX TRT     | 3/6 50    | 2/3 66.67
""")
"""On time is T of D; late by rule is L and R of L, R and X, said only when there are any. Recalled doses are neither.

Source: Doseline's default.
"""


def scored(doses: str, *amounts: str) -> tuple[ScoredDose, ...]:
    """Lay out letters, one group a day from Monday on; one amount a dose, or 5 for all."""
    letters = [(MONDAY + timedelta(days=day), letter) for day, group in enumerate(doses.split()) for letter in group]
    given = [Decimal(amount) for amount in amounts] or [Decimal(5)] * len(letters)
    return tuple(ScoredDose(day, Mark(letter), amount) for (day, letter), amount in zip(letters, given, strict=True))


def same_share(share: Fraction | None, cell: str) -> bool:
    """Say whether a share is the one drawn, as a fraction and as a percentage."""
    if cell == "no data":
        return share is None and percent(share) == cell
    fraction, shown = cell.split()
    return share == Fraction(fraction) and percent(share) == shown


SHARES = ("lower", "upper", "responded", "response", "reach")


def share_of(score: Adherence, column: str) -> Fraction | None:
    """Find a share by the heading of its column."""
    return {
        "lower": score.lower,
        "upper": score.upper,
        "responded": score.responded,
        "response": score.response_rate,
        "reach": score.reach,
        "on time": score.on_time,
        "late by rule": score.late_by_rule,
    }[column]


def test_every_letter_is_explained() -> None:
    """A mark of a report has its line among the letters."""
    assert [row[0] for row in LETTERS[1:]] == list(Mark)


@pytest.mark.parametrize("row", VECTORS[1:], ids=lambda row: f"vector {row[0]}")
def test_counted_run_and_days(row: tuple[str, ...]) -> None:
    """What is counted, the longest run not taken, and the correct days of the scored ones."""
    score = adherence(scored(row[1]))

    assert (str(score.counted), str(score.longest_run), f"{score.days_correct}/{score.days_scored}") == (row[2], row[8], row[9])


@pytest.mark.parametrize("column", SHARES)
@pytest.mark.parametrize("row", VECTORS[1:], ids=lambda row: f"vector {row[0]}")
def test_shares(row: tuple[str, ...], column: str) -> None:
    """Each share is the exact fraction of its counts, and prints half up to two places."""
    share, cell = share_of(adherence(scored(row[1])), column), row[VECTORS[0].index(column)]

    assert same_share(share, cell), f"vector {row[0]}, {column}: {share} ({percent(share)}), not {cell}"


@pytest.mark.parametrize("column", ["on time", "late by rule"])
@pytest.mark.parametrize("row", MEASURES[1:], ids=lambda row: f"vector {row[0]}")
def test_timing(row: tuple[str, ...], column: str) -> None:
    """Timing is scored apart from taking."""
    share, cell = share_of(adherence(scored(row[1])), column), row[MEASURES[0].index(column)]

    assert same_share(share, cell), f"vector {row[0]}, {column}: {share} ({percent(share)}), not {cell}"


def test_amounts_weigh() -> None:
    """Vector 13: nine doses of 5 mg, nine of 10 mg, two of those missed: 115 of 135 mg."""
    score = adherence(scored("TTT TTT TTT TTT MTM TTT", *["5"] * 9, *["10"] * 9))

    assert (score.weighted, percent(score.weighted)) == (Fraction(115, 135), "85.19")


def test_what_is_outside_the_counts_is_shown_beside_them() -> None:
    """Doses not reminded, outside the plan, or unfinished are counted apart, and silence within the counts."""
    score = adherence(scored("TNZ UZo"))

    assert (score.taken, score.unconfirmed, score.not_reminded, score.outside, score.unfinished) == (1, 1, 1, 2, 1)


def test_how_much_of_a_run_is_only_silence() -> None:
    """The longest run says how many of its doses are only unconfirmed."""
    score = adherence(scored("TMU UTU"))

    assert (score.longest_run, score.run_unconfirmed) == (3, 2)


def test_three_days_without_a_confirmed_dose_are_a_holiday() -> None:
    """Vector 15: three days, nine doses, three of them only silence."""
    friday = date(2026, 11, 27)
    score = adherence(scored("TTT TTT MMM UUU MMM TTT"))

    assert score.holidays == (Holiday(date(2026, 11, 25), friday, doses=9, unconfirmed=3),)


def test_a_holiday_of_one_dose_a_day() -> None:
    """A holiday begins with its first day and ends with its last, however many doses they hold."""
    assert adherence(scored("T M U M T")).holidays == (Holiday(date(2026, 11, 24), date(2026, 11, 26), doses=3, unconfirmed=1),)


@pytest.mark.parametrize("doses", ["UUU UUU", "MMM MTM MMM MMM", "MMM ZZZ ZZZ MMM", "MMM NNN MMM"])
def test_what_is_no_holiday(doses: str) -> None:
    """Two days are none, one taken dose ends it, and days outside the patient's hands do not make one."""
    assert adherence(scored(doses)).holidays == ()


def test_days_outside_the_patients_hands_do_not_end_a_holiday() -> None:
    """A suspension inside a holiday neither lengthens nor ends it."""
    assert [holiday.doses for holiday in adherence(scored("MMM MMM ZZZ MMM")).holidays] == [9]


def test_the_share_of_correct_days() -> None:
    """Correct days are those with every dose taken, of the days scored."""
    assert adherence(scored("TTT TMT TNT")).correct_days == Fraction(1, 2)


def test_a_day_may_hold_a_dose_of_every_kind() -> None:
    """A day with every kind of counted dose is scored, and one with every kind of taken dose is correct."""
    score = adherence(scored("TLXC TLXCRPMU"))

    assert (score.days_correct, score.days_scored) == (1, 2)


PERCENTAGES = (
    (Fraction(1, 3), "33.33"),
    (Fraction(2, 3), "66.67"),
    (Fraction(7, 8), "87.50"),
    (Fraction(1, 800), "0.13"),
    (Fraction(1), "100"),
    (Fraction(0), "0"),
    (None, "no data"),
)
"""How a share prints: half up to two places, whole numbers bare, nothing out of nothing as "no data", never 0 % or 100 %.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("share", "shown"), PERCENTAGES)
def test_percentages(share: Fraction | None, shown: str) -> None:
    """Percentages round half up, never through a float."""
    assert percent(share) == shown


DUE = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
LIMIT = DUE + timedelta(hours=4)


def taken(minutes: int | None, *, by: int | None = None, recalled: bool = False) -> Standing:
    """A dose taken so many minutes after it was due, or at the latest then."""
    taken_at, taken_by = (None if m is None else DUE + timedelta(minutes=m) for m in (minutes, by))
    return Standing(DoseState.TAKEN, taken_at=taken_at, taken_by=taken_by, recalled=recalled)


MARKS = (
    ("taken early", taken(-20), "T"),
    ("taken 60 minutes late", taken(60), "T"),
    ("taken 61 minutes late", taken(61), "L"),
    ("taken at the last moment", taken(240), "L"),
    ("taken after it", taken(241), "X"),
    ("taken, told within the hour", taken(None, by=30), "T"),
    ("taken, told later, time unknown", taken(None, by=300), "C"),
    ("taken, recalled", taken(None, recalled=True), "C"),
    ("skipped, rule advised", Standing(DoseState.SKIPPED, reason="advised"), "R"),
    ("skipped, patient's choice", Standing(DoseState.SKIPPED, reason="patient"), "P"),
    ("missed", Standing(DoseState.MISSED), "M"),
    ("unconfirmed", Standing(DoseState.UNCONFIRMED), "U"),
    ("not reminded", Standing(DoseState.NOT_REMINDED, reason="outage"), "N"),
    ("not due", Standing(DoseState.NOT_DUE, reason="suspended"), "Z"),
    ("muted", Standing(DoseState.UNCONFIRMED, muted=True), "Z"),
    ("taken while muted", Standing(DoseState.TAKEN, taken_at=DUE, muted=True), "Z"),
    ("open", Standing(DoseState.OPEN), "o"),
    ("pending", Standing(DoseState.PENDING), "o"),
)
"""The letter of a dose due at 08:00 whose last moment is 12:00.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("words", "standing", "letter"), MARKS, ids=[words for words, _, _ in MARKS])
def test_marks(words: str, standing: Standing, letter: str) -> None:
    """Each standing has its letter."""
    assert mark_of(standing, DUE, LIMIT) == letter, words


def test_without_a_rule_nothing_is_past_it() -> None:
    """Where no rule gives a last moment, a late dose is late and no more."""
    assert mark_of(taken(900), DUE, None) is Mark.L
