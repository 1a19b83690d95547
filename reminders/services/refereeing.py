"""Refereeing: between replicas the database's clock is right, and a process whose own differs from it claims nothing.

Doses are decided, and texts claimed and sent, by the referee's time. On SQLite there is one machine and one clock, and
nothing to compare.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING
from uuid import uuid4

from db.engine import time_of as time_of_database
from db.engine import writing
from reminders.clock import APART
from reminders.services.records import troubles
from reminders.services.records.troubles import Trouble

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.clock import Clock

log = logging.getLogger(__name__)

LONGEST_ASKED = 2.0  # seconds: an answer that took longer proves too little
TRIES = 3
TOLD_EVERY = 15.0  # seconds
GONE = timedelta(minutes=2)
"""A wrong clock that nobody has told of for so long belongs to a process that is no more."""


@dataclass(frozen=True, slots=True)
class _Look:
    """The database's time, and what our own clock showed when it had been told: the wall, the steady seconds, and how many it took."""

    at: datetime
    wall: datetime
    steady: float
    took: float

    def apart(self) -> timedelta:
        """How far our wall is ahead of the database's clock, as far as it is proved: the way there and back is allowed for."""
        half = timedelta(seconds=self.took / 2)
        ahead = self.wall - self.at - half
        proved = max(abs(ahead) - half, timedelta())
        return proved if ahead > timedelta() else -proved


class Referee:
    """The time that all replicas share, and whether this one's clock agrees with it. A `Clock`; any thread may ask.

    who  this process's name in the log and the ledger: its host, and what no other process of that host has.
    """

    def __init__(
        self, engine: Engine, clock: Clock, *, who: str | None = None, time_of: Callable[[Engine], datetime | None] = time_of_database
    ) -> None:
        self.who = who or f"{socket.gethostname()[:24]}-{uuid4().hex[:6]}"
        self._engine, self._clock, self._time_of = engine, clock, time_of
        self._last: _Look | None = None
        self._telling = Lock()
        self._told: float | None = None
        self._tidied: float | None = None

    def now(self) -> datetime:
        """Return the database's time, aware, in UTC: as it was last looked at, carried on by the steady seconds.

        Looked at anew when the wall was moved meanwhile, or the machine slept: the two cannot be told apart.
        """
        look = self._last
        if look is None or self._is_moved(look):
            look = self._look()
        if look is None:
            return self._clock.now()
        return look.at + timedelta(seconds=self._clock.monotonic() - look.steady)

    def monotonic(self) -> float:
        """Return this machine's steady seconds."""
        return self._clock.monotonic()

    def apart(self) -> timedelta | None:
        """How far this process's clock is ahead of the database's now; below nought, behind. None where there is nothing to compare."""
        look = self._look()
        return None if look is None else look.apart()

    def agrees(self) -> bool:
        """Whether this process may claim: its clock differs by two seconds at most. Asked for each batch, never remembered.

        A clock that is wrong is told of, as a trouble of this process, until it is right again.
        """
        look = self._look()
        if look is None:
            return True
        apart = look.apart()
        if abs(apart) > APART:
            self._tell(look, apart)
            return False
        if look.took > LONGEST_ASKED:
            log.warning("the database took %.1f s to tell its time, %d times running: nothing is claimed by it", look.took, TRIES)
            return False
        self._tell_over(look)
        return True

    def guarding(self, work: Callable[[], int]) -> Callable[[], int]:
        """Return the same work, done only while the clocks agree: nought when they do not."""
        return lambda: work() if self.agrees() else 0

    def _look(self) -> _Look | None:
        """Look at the database's clock, and again when the answer was long in coming: a first connection is."""
        look = self._once()
        for _ in range(TRIES - 1):
            if look is None or look.took <= LONGEST_ASKED:
                break
            look = self._once()
        self._last = look
        return look

    def _once(self) -> _Look | None:
        asked = self._clock.monotonic()
        at = self._time_of(self._engine)
        if at is None:
            return None
        wall, steady = self._clock.now(), self._clock.monotonic()
        return _Look(at, wall, steady, steady - asked)

    def _is_moved(self, look: _Look) -> bool:
        passed = (self._clock.now() - look.wall).total_seconds()
        return abs(passed - (self._clock.monotonic() - look.steady)) > APART.total_seconds()

    def _tell(self, look: _Look, apart: timedelta) -> None:
        with self._telling:
            if self._told is not None and look.steady - self._told < TOLD_EVERY:
                return
            self._told = look.steady
            where = "ahead of" if apart > timedelta() else "behind"
            words = f"the clock of {self.who} is {abs(apart).total_seconds():.1f} s {where} the database's: "
            words += "it claims nothing until they agree again"
            try:
                with writing(self._engine) as c:
                    troubles.begin(c, Trouble.CLOCK, words, now=look.at, of=self.who)
            except Exception:
                log.exception("%s; the ledger cannot be told", words)

    def _tell_over(self, look: _Look) -> None:
        """End this process's trouble, and now and then forget those of processes that are no more."""
        with self._telling:
            tidy = self._tidied is None or look.steady - self._tidied >= GONE.total_seconds() / 2
            if self._told is None and not tidy:
                return
            with writing(self._engine) as c:
                if self._told is not None:
                    troubles.end(c, Trouble.CLOCK, now=look.at, of=self.who)
                troubles.forget_gone(c, Trouble.CLOCK, since=look.at - GONE)
            self._told, self._tidied = None, look.steady
