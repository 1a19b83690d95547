"""Passwords: kept as argon2id, refused where they are easily guessed."""

from __future__ import annotations

from functools import cache
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from zxcvbn import zxcvbn

from reminders.domain.signing_in import length_fault

STRONG = 3
"""Of zxcvbn's 0 to 4: a hundred million guesses and more."""

LONGEST_LOOKED_AT = 72
"""zxcvbn takes no more; a longer password begins no weaker."""

# 64 MiB, three passes, one lane: above OWASP's floor of 19 MiB and two passes, and a few tenths of a second on a small machine.
_hashes = PasswordHash((Argon2Hasher(time_cost=3, memory_cost=65_536, parallelism=1),))


_room = BoundedSemaphore(4)
"""So many at a time: each takes 64 MiB, and a crowd at the door must not take the machine."""


def hashed(password: str) -> str:
    """Make what is kept of a password. Takes tenths of a second, on purpose: never inside a transaction."""
    with _room:
        return _hashes.hash(password)


def is_it(password: str, kept: str | None) -> bool:
    """Whether a password is the one that is kept. Without one it takes as long, and is not."""
    compared = kept or _nobodys()
    with _room:
        return _hashes.verify(password, compared) and kept is not None


def fault(password: str, *, about: tuple[str, ...] = ()) -> str:
    """What is wrong with a new password, in words; empty if nothing. `about`: names that it should not be made of."""
    if words := length_fault(password):
        return words
    guessed = zxcvbn(password[:LONGEST_LOOKED_AT], user_inputs=[word for name in about for word in (name, *name.split())])
    if guessed["score"] < STRONG:
        return "is easily guessed: take four words or more that have nothing to do with each other"
    return ""


@cache
def _nobodys() -> str:
    """What an unknown name is compared with, so that it takes as long as a known one."""
    return hashed("nobody has this one")
