"""How long each text in doubt stayed so, seen from outside: no column of ours has to be believed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Thread

from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.clock import SystemClock

EVERY = 0.2
TEXT = metadata.tables["text_out"]
IN_FLIGHT = select(TEXT.c.id, TEXT.c.attempt, TEXT.c.state, TEXT.c.claimed_at).where(TEXT.c.state.in_(("sending", "unknown")))


class Watcher:
    """Looks at the texts in flight five times a second."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._clock, self._over = engine, SystemClock(), Event()
        self._claimed: dict[tuple[str, int], datetime] = {}
        self._last: dict[tuple[str, int], datetime] = {}
        self._doubted: set[tuple[str, int]] = set()

    @property
    def doubted(self) -> int:
        """How many tries at sending were in doubt."""
        return len(self._doubted)

    @property
    def slowest(self) -> float:
        """The longest that a try in doubt took from its claim until it was settled, in seconds."""
        spans = ((self._last[key] - self._claimed[key]).total_seconds() for key in self._doubted)
        return max(spans, default=0.0) + EVERY

    def in_flight(self) -> int:
        """Look once; return how many texts are in flight."""
        with reading(self._engine) as c:
            found = c.execute(IN_FLIGHT).all()
        now = self._clock.now()
        for text_id, attempt, state, claimed_at in found:
            key = (text_id, attempt)
            self._claimed[key], self._last[key] = claimed_at, now
            if state == "unknown":
                self._doubted.add(key)
        return len(found)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look again and again inside the block."""
        thread = Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            self.in_flight()
