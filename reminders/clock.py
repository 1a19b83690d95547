"""The one door to the clock: everything else is given `now`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol

APART = timedelta(seconds=2)
"""How far the clocks of processes that work together may differ [our default]."""


class Clock(Protocol):
    """What the edges ask for the time, so that a story can move it."""

    def now(self) -> datetime:
        """Return the instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""
        return time.monotonic()


class HandClock:
    """A clock moved by hand, for stories and tests; any thread may read it while another moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = _utc(now)
        self._elapsed = timedelta()
        self._lock = Lock()

    def now(self) -> datetime:
        """Return the instant it was last moved to, aware, in UTC."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """Return the seconds it was moved forward in all; a set-back wall clock does not lower it."""
        with self._lock:
            return self._elapsed.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Let time pass. Raises ValueError for a negative span: that is `jump`."""
        if by < timedelta():
            raise ValueError(f"time does not pass backwards: {by}")
        with self._lock:
            self._now += by
            self._elapsed += by

    def advance_to(self, instant: datetime) -> None:
        """Let time pass until an aware instant; an instant already past changes nothing."""
        with self._lock:
            by = max(_utc(instant) - self._now, timedelta())
            self._now += by
            self._elapsed += by

    def jump(self, to: datetime) -> None:
        """Set the wall clock alone, either way, as an NTP step or an operator would."""
        with self._lock:
            self._now = _utc(to)


def _utc(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError(f"an instant needs a zone: {instant.isoformat()}")
    return instant.astimezone(UTC)
