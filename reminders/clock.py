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


class SandboxClock:
    """The sandbox's clock: another's, and from when it is taken over so far ahead of it as it was moved, in whole seconds.

    While the driver works it is held, and shows the instant that is being lived through. Nobody's sign-in goes by it. Any thread
    may read it.
    """

    def __init__(self, base: Clock, ahead: timedelta | None = None) -> None:
        """Begin as it was left: `ahead` of its base, or, if it was never taken over (None), as its base itself."""
        self._base, self._ahead = base, ahead
        self._held: datetime | None = None
        self._lock = Lock()

    @property
    def ahead(self) -> timedelta | None:
        """How far it is ahead of its base; None if it was never taken over."""
        with self._lock:
            return self._ahead

    def now(self) -> datetime:
        """Return the instant, aware, in UTC."""
        with self._lock:
            return self._held or self._flowing()

    def monotonic(self) -> float:
        """Return its base's steady seconds: to move it is no passing of time."""
        return self._base.monotonic()

    def to_reach(self, instant: datetime) -> timedelta:
        """How far ahead it must be to show an aware instant now; never less than it is."""
        return max(_utc(instant) - self._base.now(), self.ahead or timedelta())

    def set_ahead(self, ahead: timedelta) -> None:
        """Let it be so far ahead of its base. Raises ValueError for what would set it back."""
        with self._lock:
            if self._held is None and self._ahead is not None and ahead < self._ahead:
                raise ValueError(f"a sandbox's clock is not set back: {ahead} after {self._ahead}")
            self._ahead = ahead

    def hold(self, instant: datetime) -> None:
        """Stand still at an instant, until `advance_to` moves it or `let_go` lets it run."""
        with self._lock:
            self._held = _utc(instant)

    def advance_to(self, instant: datetime) -> None:
        """Stand still at a later instant; one already past changes nothing."""
        with self._lock:
            self._held = max(_utc(instant), self._held or self._flowing())

    def let_go(self) -> None:
        """Run again, with its base."""
        with self._lock:
            self._held = None

    def _flowing(self) -> datetime:
        return self._base.now() if self._ahead is None else (self._base.now() + self._ahead).replace(microsecond=0)


def _utc(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError(f"an instant needs a zone: {instant.isoformat()}")
    return instant.astimezone(UTC)
