"""The killer: keeps several workers alive at a time, and ends them as their fates have it."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkServerProcess
from threading import Event, Lock

from reminders.clock import SystemClock
from reminders.milestones import Milestone
from tests.killing.lives import Fate, Life
from tests.killing.worker import Doom

STOPPING_SECONDS = 15
"""Within which a process that is asked to stop has stopped."""
A_WHILE = 0.5

Start = Callable[[Doom | None], ForkServerProcess]


class Killer:
    """Starts workers and ends them, one life after the other in each of several places.

    start        starts a worker, with its doom if it has one.
    freeze       how many seconds a frozen worker stands still.
    before_each  is called before each life, `tell` with the number of kills so far after each.
    """

    def __init__(self, start: Start, *, freeze: float, before_each: Callable[[], object], tell: Callable[[int], object]) -> None:
        self._start, self._freeze, self._before_each, self._tell = start, freeze, before_each, tell
        self._drawing = Lock()
        self._clock = SystemClock()
        self.kills = 0
        self.fates: Counter[str] = Counter()
        self.died_at: Counter[Milestone] = Counter()
        self.slowest_end = 0.0

    def run(self, lives: Iterator[Life], *, workers: int) -> None:
        """Let the lives be lived, so many at a time."""
        with ThreadPoolExecutor(workers) as pool:
            for place in [pool.submit(self._one_after_the_other, lives) for _ in range(workers)]:
                place.result()

    def end(self, worker: ForkServerProcess) -> None:
        """Ask a worker to stop, and see how long that takes it."""
        began = self._clock.monotonic()
        worker.terminate()
        worker.join(2 * STOPPING_SECONDS)
        self.slowest_end = max(self.slowest_end, self._clock.monotonic() - began)
        worker.kill()
        worker.join()

    def _one_after_the_other(self, lives: Iterator[Life]) -> None:
        while (life := self._next(lives)) is not None:
            self._before_each()
            self._live(life, self._start(life.doom))

    def _next(self, lives: Iterator[Life]) -> Life | None:
        with self._drawing:
            return next(lives, None)

    def _live(self, life: Life, worker: ForkServerProcess) -> None:
        worker.join(life.seconds)
        died_at = life.doom.milestone if life.doom and worker.exitcode is not None else None
        match life.fate:
            case Fate.FROZEN | Fate.FROZEN_AT:
                self._freeze_and_thaw(worker)
            case Fate.ENDED:
                self.end(worker)
            case Fate.KILLED | Fate.DOOMED:
                pass
        worker.kill()
        worker.join()
        with self._drawing:
            self.fates[life.fate] += 1
            self.kills += life.fate is not Fate.ENDED
            if died_at is not None:
                self.died_at[died_at] += 1
            self._tell(self.kills)

    def _freeze_and_thaw(self, worker: ForkServerProcess) -> None:
        """Stop a worker, though it may have stopped itself already, and let it go on much later."""
        assert worker.pid
        os.kill(worker.pid, signal.SIGSTOP)
        Event().wait(self._freeze)
        os.kill(worker.pid, signal.SIGCONT)
        worker.join(A_WHILE)
