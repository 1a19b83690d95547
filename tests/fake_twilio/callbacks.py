"""What becomes of an accepted message, and what befalls the callbacks that tell of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random


@dataclass(frozen=True, slots=True)
class Fate:
    """What a carrier does with the messages of a phone: the statuses they come to in turn, and the code of the last.

    after  seconds until the first status, and again until each further one.
    """

    statuses: tuple[str, ...]
    error_code: int | None = None
    after: float = 0


DELIVERED = Fate(("sent", "delivered"))
SENT = Fate(("sent",))
SILENT = Fate(())
OUT_OF_TIME = Fate(("failed",), 30036)


def undelivered(code: int = 30003) -> Fate:
    """Sent, and not delivered."""
    return Fate(("sent", "undelivered"), code)


def failed(code: int) -> Fate:
    """Accepted, and not sent."""
    return Fate(("failed",), code)


@dataclass(frozen=True, slots=True)
class Callback:
    """A status to tell of, and how many seconds after the one before."""

    status: str
    error_code: int | None = None
    after: float = 0
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """How one message's callbacks go out: in chains that know nothing of each other; `early`: before the create is answered."""

    chains: tuple[tuple[Callback, ...], ...]
    early: bool


@dataclass(frozen=True, slots=True)
class Weather:
    """What befalls callbacks by chance: shares of messages (`reordered`, `early`) and of callbacks (all others).

    delay  the most seconds that a delayed or repeated one comes late.
    """

    seed: int = 0
    reordered: float = 0
    repeated: float = 0
    delayed: float = 0
    dropped: float = 0
    early: float = 0
    delay: float = 1


class Sky:
    """Decides how each message's callbacks go out, from the weather's seed in the order of the messages."""

    def __init__(self, weather: Weather) -> None:
        self._weather, self._random = weather, Random(weather.seed)  # noqa: S311 - to be drawn again from its seed

    def told(self, fate: Fate, *, waits: float = 0) -> Told:
        """Lay out the callbacks of a message that waits so many seconds in its sender's queue."""
        last = len(fate.statuses) - 1
        chain = [Callback(status, fate.error_code if place == last else None) for place, status in enumerate(fate.statuses)]
        chain = [replace(one, dropped=self._happens(self._weather.dropped)) for one in chain]
        times = list(accumulate(self._gap(fate) for _ in chain))
        again = [(replace(one, after=waits + time + self._delay()),) for one, time in zip(chain, times, strict=True) if self._is_repeated()]
        if self._happens(self._weather.reordered):
            self._random.shuffle(chain)
        gaps = [time - before for time, before in zip(times, [-waits, *times], strict=False)]
        in_turn = tuple(replace(one, after=gap) for one, gap in zip(chain, gaps, strict=True))
        return Told((in_turn, *again), early=self._happens(self._weather.early))

    def _gap(self, fate: Fate) -> float:
        return fate.after + (self._delay() if self._happens(self._weather.delayed) else 0)

    def _delay(self) -> float:
        return self._random.uniform(0, self._weather.delay)

    def _is_repeated(self) -> bool:
        return self._happens(self._weather.repeated)

    def _happens(self, share: float) -> bool:
        return self._random.random() < share
