"""Runs errands at their time, in the background."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from threading import Condition, Thread

from reminders.clock import Clock

GLANCE = 0.02  # seconds between two looks at the clock: one moved by hand wakes nobody

Errand = Callable[[], object]
Chain = deque[tuple[float, Errand]]


class Courier:
    """Runs chains of errands on a few threads: those of one chain in order, each its seconds after the one before.

    The seconds are those of the clock it is given.
    """

    def __init__(self, clock: Clock, *, threads: int = 8) -> None:
        self._clock, self._threads = clock, threads
        self._changed = Condition()
        self._numbers = count()
        self._waiting: list[tuple[float, int, Chain]] = []
        self._running = 0
        self._started = self._closed = False

    def send(self, chain: Iterable[tuple[float, Errand]]) -> None:
        """Set out on a chain of (seconds after the one before, errand)."""
        with self._changed:
            if not self._started:
                self._started = True
                for _ in range(self._threads):
                    Thread(target=self._work, daemon=True).start()
            self._wait_for(deque(chain))

    @property
    def pending(self) -> int:
        """How many chains are not at their end."""
        with self._changed:
            return len(self._waiting) + self._running

    def rest(self, *, within: float = 10) -> None:
        """Return when nothing is under way and nothing due by the clock. Raises TimeoutError after so many seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._running and not self._is_due(), within):
                raise TimeoutError(f"errands still under way after {within} s")

    def close(self) -> None:
        """Set out on nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (chain := self._taken()) is not None:
            try:
                chain.popleft()[1]()
            finally:
                with self._changed:
                    self._running -= 1
                    self._wait_for(chain)

    def _taken(self) -> Chain | None:
        with self._changed:
            while not self._closed:
                if self._is_due():
                    self._running += 1
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(GLANCE if self._waiting else None)
            return None

    def _wait_for(self, chain: Chain) -> None:
        if chain:
            heapq.heappush(self._waiting, (self._clock.monotonic() + chain[0][0], next(self._numbers), chain))
        self._changed.notify_all()

    def _is_due(self) -> bool:
        return bool(self._waiting) and self._waiting[0][0] <= self._clock.monotonic()
