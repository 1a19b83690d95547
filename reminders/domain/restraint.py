"""How often one phone may be texted at all. Pure.

It is the last of several guards: rules and the ledger keep a dose from being told twice. If one of them ever fails, or two
machines answer each other, this one ends it after a few texts.
"""

from __future__ import annotations

from dataclasses import dataclass

from reminders.domain.plan import DAY, HOUR

A_WHILE, A_LONG_WHILE = HOUR, DAY
SAME_WORDS_A_DAY = 5
"""The same words to one phone [our default]. A reminder names its day and hour, so that only a resend has the words of another."""
URGENT_SAME_WORDS_A_DAY = 20
"""The same urgent words: somebody who writes of a seizure ten times is answered ten times [our default]."""
AN_HOUR, A_DAY = 20, 80
"""All texts to one phone: eight doses a day, each with a nudge, an answer and a talk, stay far below [our default]."""


@dataclass(frozen=True, slots=True)
class SentBefore:
    """What a phone was sent, or may have been, up to now: in the last hour, in the last day, and of the same words in that day."""

    in_hour: int
    in_day: int
    same_words: int


def is_too_much(before: SentBefore, *, urgent: bool) -> bool:
    """Whether one more text to this phone would be too many. What is urgent is held to its own words alone."""
    if urgent:
        return before.same_words >= URGENT_SAME_WORDS_A_DAY
    return before.same_words >= SAME_WORDS_A_DAY or before.in_hour >= AN_HOUR or before.in_day >= A_DAY
