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


class Fate(StrEnum):
    """How a life ends. A frozen worker is thawed, and killed a little later."""

    KILLED = "killed at random"
    DOOMED = "killed at a milestone"
    FROZEN = "frozen"
    FROZEN_AT = "frozen at a milestone"
    ENDED = "asked to stop"


SHARES = {Fate.KILLED: 60, Fate.DOOMED: 33, Fate.FROZEN: 2, Fate.FROZEN_AT: 2, Fate.ENDED: 3}


@dataclass(frozen=True, slots=True)
class Life:
    """A fate, after how many seconds it comes at the latest, and at which milestone if at one."""

    fate: Fate
    seconds: float
    doom: Doom | None = None


def dice(seed: int) -> Random:
    """What is drawn again from the same seed."""
    return Random(seed)  # noqa: S311 - nothing here is a secret


def at_random(seed: int, kills: int, *, longest: float = 0.6) -> Iterator[Life]:
    """Draw lives until so many have been ended by kill -9."""
    draw = dice(seed)
    while kills > 0:
        [fate] = draw.choices([*SHARES], [*SHARES.values()])
        seconds = 4 * longest if fate is Fate.DOOMED else draw.uniform(0, longest)
        milestone, nth = draw.choice([*Milestone]), draw.randint(1, NTH)
        match fate:
            case Fate.DOOMED:
                yield Life(fate, seconds, Doom(milestone, nth))
            case Fate.FROZEN_AT:
                yield Life(fate, seconds, Doom(milestone, nth, signal.SIGSTOP))
            case _:
                yield Life(fate, seconds)
        kills -= fate is not Fate.ENDED


def at_each_milestone(seed: int, times: int = 1, *, longest: float = 30) -> Iterator[Life]:
    """Let a worker die at each milestone so many times, in any order."""
    lives = [Life(Fate.DOOMED, longest, Doom(milestone, 1 + time % NTH)) for milestone in Milestone for time in range(times)]
    dice(seed).shuffle(lives)
    yield from lives
