"""What befalls workers: each life, and how it ends, drawn from a seed or laid out milestone by milestone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from reminders.milestones import Milestone
from tests.killing.worker import Doom

NTH = 3
"""A worker that is to die at a milestone dies there the first, second or third time."""
TRIES = 10
LATE = (Milestone.RECOVER_AFTER_LIST, Milestone.RECOVER_BEFORE_COMMIT)
"""The milestones to which only those come who have lived for longer than a doubt takes to settle."""


class Fate(StrEnum):
    """How a life ends. An old worker has lived for long enough to settle doubts; a frozen one is thawed, and killed a little later."""

    KILLED = "killed at random"
    OLD = "killed when old"
    DOOMED = "killed at a milestone"
    FROZEN = "frozen"
    FROZEN_AT = "frozen at a milestone"
    ENDED = "asked to stop"


SHARES = {Fate.KILLED: 67, Fate.OLD: 3, Fate.DOOMED: 24, Fate.FROZEN: 2, Fate.FROZEN_AT: 2, Fate.ENDED: 2}


@dataclass(frozen=True, slots=True)
class Life:
    """A fate, after how many seconds it comes at the latest, and at which milestone if at one.

    tries  how many such lives there are at most until one has met its milestone.
    """

    fate: Fate
    seconds: float
    doom: Doom | None = None
    tries: int = 1


def dice(seed: int) -> Random:
    """What is drawn again from the same seed."""
    return Random(seed)  # noqa: S311 - nothing here is a secret


def at_random(seed: int, kills: int, *, longest: float = 0.6, oldest: float = 9) -> Iterator[Life]:
    """Draw lives until so many have been ended by kill -9. A worker has texts in hand some 0.15 s after its birth."""
    draw = dice(seed)
    while kills > 0:
        [fate] = draw.choices([*SHARES], [*SHARES.values()])
        milestone, nth = draw.choice([*Milestone]), draw.randint(1, NTH)
        match fate:
            case Fate.DOOMED:
                yield Life(fate, oldest if milestone in LATE else 2 * longest, Doom(milestone, nth))
            case Fate.FROZEN_AT:
                yield Life(fate, longest, Doom(milestone, nth, signal.SIGSTOP))
            case Fate.OLD:
                yield Life(fate, draw.uniform(0.7 * oldest, oldest))
            case _:
                yield Life(fate, draw.uniform(0, longest))
        kills -= fate is not Fate.ENDED


def at_each_milestone(seed: int, times: int = 1, *, longest: float = 10) -> Iterator[Life]:
    """Let a worker die at each milestone so many times, in any order."""
    lives = [Life(Fate.DOOMED, longest, Doom(milestone, 1 + time % NTH), TRIES) for milestone in Milestone for time in range(times)]
    dice(seed).shuffle(lives)
    yield from lives
