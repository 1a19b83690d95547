"""The killer: keeps several workers alive at a time, and ends them as their fates have it."""

from __future__ import annotations

import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Lock

from reminders.clock import SystemClock
from reminders.milestones import Milestone
from tests.killing.lives import Fate, Life
from tests.killing.nursery import Nursery, Worker

STOPPING_SECONDS = 15
"""Within which a process that is asked to stop has stopped."""
A_WHILE = 0.5


class Killer:
    """Starts workers and ends them, one life after the other in each of several places.

    freeze        how many seconds a frozen worker stands still.
    before_each   is called before each life, `tell` with the number of kills so far after each.
    kills         how many workers were ended by kill -9, and by nothing else.
    died_at       how many of them at each milestone; `frozen_at`: how many stood still there.
    died_unasked  how many workers died of themselves.
    """

    def __init__(
        self, nursery: Nursery, *, freeze: float, before_each: Callable[[], object] = bool, tell: Callable[[int], object] = bool
    ) -> None:
        self._nursery, self._freeze, self._before_each, self._tell = nursery, freeze, before_each, tell
        self._drawing = Lock()
        self._again: deque[Life] = deque()
        self._clock = SystemClock()
        self.kills = self.died_unasked = 0
        self.fates: Counter[str] = Counter()
        self.died_at: Counter[Milestone] = Counter()
        self.frozen_at: Counter[Milestone] = Counter()
        self.slowest_end = 0.0

    def run(self, lives: Iterator[Life], *, workers: int) -> None:
        """Let the lives be lived, so many at a time."""
        with ThreadPoolExecutor(workers) as pool:
            for place in [pool.submit(self._one_after_the_other, lives) for _ in range(workers)]:
                place.result()

    def end(self, worker: Worker) -> None:
        """Ask a worker to stop, and see how long that takes it."""
        unasked = worker.is_over()
        began = self._clock.monotonic()
        worker.send(signal.SIGTERM)
        worker.is_over(within=2 * STOPPING_SECONDS)
        took = self._clock.monotonic() - began
        self._nursery.bury(worker)
        with self._drawing:
            self.died_unasked += unasked
            self.slowest_end = max(self.slowest_end, took)

    def _one_after_the_other(self, lives: Iterator[Life]) -> None:
        while (life := self._next(lives)) is not None:
            self._before_each()
            self._live(life, self._nursery.bear(life.doom))
            with self._drawing:
                self.fates[life.fate] += 1
                self._tell(self.kills)

    def _next(self, lives: Iterator[Life]) -> Life | None:
        with self._drawing:
            return self._again.popleft() if self._again else next(lives, None)

    def _live(self, life: Life, worker: Worker) -> None:
        comes_to_it = worker.meets if life.fate is Fate.FROZEN_AT else worker.is_over
        came = comes_to_it(within=life.seconds)
        if life.fate is Fate.ENDED:
            self.end(worker)
            return
        if life.fate is Fate.FROZEN or (life.fate is Fate.FROZEN_AT and came):
            self._freeze_and_thaw(worker)
        over = worker.is_over()
        self._nursery.bury(worker)
        with self._drawing:
            self._note(life, met=worker.met, over=over)

    def _note(self, life: Life, *, met: bool, over: bool) -> None:
        unasked = over and not (life.fate is Fate.DOOMED and met)
        self.died_unasked += unasked
        self.kills += not unasked
        if life.doom is None:
            return
        if met:
            (self.died_at if life.fate is Fate.DOOMED else self.frozen_at)[life.doom.milestone] += 1
        elif life.tries > 1:
            self._again.append(replace(life, tries=life.tries - 1))

    def _freeze_and_thaw(self, worker: Worker) -> None:
        """Stop a worker, though it may have stopped itself already, and let it go on much later."""
        worker.send(signal.SIGSTOP)
        Event().wait(self._freeze)
        worker.send(signal.SIGCONT)
        worker.is_over(within=A_WHILE)
