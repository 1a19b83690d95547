"""A code that proves a number: how long it is good, how often it may be said, how soon another one goes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reminders.domain.proving import HOLDS, MOST_CODES, MOST_TRIES, PAUSE, WINDOW, Proof, code_in, judge, next_code_at

NOW = datetime(2026, 3, 2, 13, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("ago", "tries", "is_it", "proof"),
    [
        (timedelta(), 0, True, Proof.PROVED),
        (HOLDS - MOMENT, MOST_TRIES - 1, True, Proof.PROVED),
        (HOLDS, 0, True, Proof.TOO_LATE),
        (HOLDS, MOST_TRIES, False, Proof.TOO_LATE),
        (timedelta(), MOST_TRIES, True, Proof.USED_UP),
        (timedelta(), MOST_TRIES - 1, False, Proof.WRONG),
    ],
)
def test_what_a_code_is_worth(ago: timedelta, tries: int, is_it: bool, proof: Proof) -> None:  # noqa: FBT001 - a cell
    """Ten minutes, and five tries; the right one, said a sixth time or too late, proves nothing."""
    assert judge(asked_at=NOW - ago, tries=tries, is_it=is_it, now=NOW) is proof


@pytest.mark.parametrize(
    ("ago", "wait"),
    [
        ([], timedelta()),
        ([timedelta()], PAUSE),
        ([PAUSE - MOMENT], MOMENT),
        ([PAUSE], timedelta()),
        ([timedelta(hours=hours) for hours in (5, 4, 3, 2)], timedelta()),
        ([timedelta(hours=hours) for hours in (5, 4, 3, 2, 1)], WINDOW - timedelta(hours=5)),
        ([WINDOW, *(timedelta(hours=hours) for hours in (4, 3, 2, 1))], timedelta()),
        ([WINDOW - MOMENT, *(timedelta(hours=hours) for hours in (4, 3, 2, 1))], MOMENT),
        ([timedelta(hours=hours) for hours in (6, 5, 4, 3, 2, 1)], WINDOW - timedelta(hours=5)),
    ],
)
def test_when_the_next_one_may_go(ago: list[timedelta], wait: timedelta) -> None:
    """A minute after the last, and five a day at most: the oldest of the last five must be a day old."""
    assert MOST_CODES == 5
    assert next_code_at([NOW - each for each in ago], NOW) == NOW + wait


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("482913", "482913"),
        (" 482 913. ", "482913"),
        ("482-913", "482913"),
        ("The code is 482913", "482913"),
        ("my code: 482913", "482913"),
        ("It's 482913!", "482913"),
        ("La clave es 482 913", "482913"),
        ("codigo 482913", "482913"),
        ("48291", None),
        ("4829137", None),
        ("482913 and chest pain", None),
        ("482913 1", None),
        ("1", None),
        ("", None),
        ("\u0664\u0668\u0662\u0669\u0661\u0663", None),
        ("\u0664\u0668\u0662913", None),
        ("482\u0669\u0661\u0663", None),
    ],
)
def test_a_code_and_nothing_else(text: str, code: str | None) -> None:
    """What says anything more is read as any other text: a danger sign must not hide behind six digits."""
    assert code_in(text) == code
