"""A wall clock that tests can set, which APScheduler reads too, and waiting for what a thread will do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from threading import Event
from typing import Self

import apscheduler.schedulers.base
import pytest

from reminders.clock import SystemClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Wall:
    """A clock that runs as the machine's does, from the instant it was last set to; its steady seconds are the machine's."""

    def __init__(self, now: datetime) -> None:
        self._machine = SystemClock()
        self._ahead = now - self._machine.now()

    def now(self) -> datetime:
        """Return the instant it shows, aware, in UTC."""
        return self._machine.now() + self._ahead

    def monotonic(self) -> float:
        """Return the machine's steady seconds, which no setting of the clock changes."""
        return self._machine.monotonic()

    def move(self, by: timedelta) -> None:
        """Set the clock forward or back."""
        self._ahead += by


class Stopped(Wall):
    """A clock that shows one instant for ever, for work that must not grow late however busy the machine is."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self._shown = now

    def now(self) -> datetime:
        """Return the instant it shows, aware, in UTC."""
        return self._shown


def on_the_wall(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> Wall:
    """Let APScheduler, which reads the machine's clock by itself, see this one."""

    class Shown(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(wall.now().timestamp(), tz)

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Shown)
    return wall


def until(true: Callable[[], object], *, within: float = 10) -> float:
    """Wait until something is true, and return the seconds that took; fail after `within`."""
    clock = SystemClock()
    began, pause = clock.monotonic(), Event()
    while not true():
        waited = clock.monotonic() - began
        assert waited < within, f"not so within {within} s"
        pause.wait(0.005)
    return clock.monotonic() - began
