"""How often one phone may be texted: a guard behind all others."""

from __future__ import annotations

import pytest

from reminders.domain.restraint import SentBefore, is_too_much

TEXTS = [
    (0, 0, 0, False, False),
    (19, 79, 4, False, False),
    (20, 20, 0, True, False),
    (0, 80, 0, True, False),
    (5, 5, 5, True, False),
    (19, 19, 19, True, False),
    (20, 80, 19, True, False),
    (20, 20, 20, True, True),
]
"""How many texts one phone had in the last hour, in the last day, and of the same words that day; and what is then too much.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("in_hour", "in_day", "same_words", "ordinary", "urgent"), TEXTS)
def test_restraint(in_hour: int, in_day: int, same_words: int, ordinary: bool, urgent: bool) -> None:  # noqa: FBT001 - cells of a table
    """Five of the same words a day, twenty texts an hour, eighty a day; of what is urgent twenty of the same words a day."""
    before = SentBefore(in_hour, in_day, same_words)

    assert (is_too_much(before, urgent=False), is_too_much(before, urgent=True)) == (ordinary, urgent)
