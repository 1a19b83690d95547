"""Signing in: how long a session lives, how often one may guess, what a password must hold. Figures of OWASP ASVS 5.0.0, level 2."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

IDLE = timedelta(minutes=15)
"""A session that nobody uses ends after this [ASVS 7.3.1; the span is our default]."""

LONGEST = timedelta(hours=12)
"""A session ends after this, used or not: a working day [ASVS 7.3.2; the span is our default]."""

WINDOW = timedelta(minutes=15)
GUESSES_OF_ACCOUNT = 5
GUESSES_OF_ADDRESS = 50
"""Tries to sign in within the window, for one name, known or not, and from one address [ASVS 6.3.1; the numbers are our default]."""

SETUP_HOLDS = timedelta(hours=1)
INVITATION_HOLDS = timedelta(days=3)
"""How long a one-time link is good: the one that a first start prints, and one that a person is sent [our default]."""

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
"""Characters [ASVS 6.2.1 asks for 8 at least and recommends 15; 6.2.9 for room for 64 at least]."""

RECOVERY_CODES = 10

KEY_HOLDS = timedelta(days=90)
KEY_HOLDS_LONGEST = timedelta(days=366)
"""How long a program's key is good where nobody says, and at most [our default]."""


def is_alive(begun: datetime, seen: datetime, now: datetime) -> bool:
    """Whether a session still holds: not left alone for too long, and not older than a working day. A clock set back ends it."""
    return begun <= now and now - begun < LONGEST and now - seen < IDLE


def within_window(tries: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    """The tries that still count."""
    return tuple(at for at in tries if now - at < WINDOW)


def length_fault(password: str) -> str:
    """What is wrong with a password's length, in words; empty if nothing."""
    if len(password) < SHORTEST_PASSWORD:
        return f"must have {SHORTEST_PASSWORD} characters or more: a few words that you can remember"
    if len(password) > LONGEST_PASSWORD:
        return f"must have {LONGEST_PASSWORD} characters at most"
    return ""
