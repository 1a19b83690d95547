"""Proving a number: a code is texted to it, and comes back from who holds the phone, read out to the clinic or in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

DIGITS = 6
"""Digits of a code: what a person keeps in mind while they change from a text to a call."""

HOLDS = timedelta(minutes=10)
"""How long a code is good [our default; NIST SP 800-63B-4, 3.1.3.2, allows ten minutes at most]."""

MOST_TRIES = 5
"""How often a wrong code may be said before another one is needed [our default]."""

PAUSE = timedelta(minutes=1)
"""How long after a code the next may be asked for: the first has hardly arrived [our default]."""

WINDOW = timedelta(hours=24)
MOST_CODES = 5
"""So many codes to one number for one patient within the window [our default]: with each, five tries of a million."""


class Proof(StrEnum):
    """What became of a code that somebody said."""

    PROVED = "proved"
    WRONG = "wrong"
    USED_UP = "used_up"
    TOO_LATE = "too_late"


def judge(*, asked_at: datetime, tries: int, is_it: bool, now: datetime) -> Proof:
    """Say what a code that was said is worth. `tries`: how many wrong ones were said before it; `is_it`: whether it is the one sent."""
    if now - asked_at >= HOLDS:
        return Proof.TOO_LATE
    if tries >= MOST_TRIES:
        return Proof.USED_UP
    return Proof.PROVED if is_it else Proof.WRONG


def next_code_at(asked: Sequence[datetime], now: datetime) -> datetime:
    """When another code may be sent (UTC), now at the earliest. `asked`: when each of those before was, in order."""
    of_late = [at for at in asked if now - at < WINDOW]
    if not of_late:
        return now
    if len(of_late) >= MOST_CODES:
        return of_late[-MOST_CODES] + WINDOW
    return max(now, of_late[-1] + PAUSE)


_SAID = re.compile(
    r"\W*(?:(?:it is|it's|my|the|es|mi|la|el)\W+)*(?:(?:code|clave|codigo|código)\W+)?(?:(?:is|es)\W+)?(\d{3})[ -]?(\d{3})\W*"
)


def code_in(text: str) -> str | None:
    """The code, where a text or a field holds nothing else: "482913", "482 913", "The code is 482913". Whatever says more is none."""
    said = _SAID.fullmatch(text.casefold())
    return said[1] + said[2] if said and (said[1] + said[2]).isascii() else None
