"""The look at a start: does the carrier's list have what no row of ours explains? Then this is an old ledger, though nobody says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.messaging.transport import ListUnavailable, Transport
from reminders.services.quarantining.standing import is_held
from reminders.services.records import evidence, quarantines
from reminders.services.records.evidence import CLOCKS_DIFFER

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.services.records.ledger import Row

FRESH = timedelta(seconds=45)
"""A ledger worked on so lately has no gap: another process serves it, or this one has only been started again [our default]."""

LONGEST = timedelta(seconds=30)
"""How long the carrier may take over its list, while everything waits [our default]."""

UNCHECKED = "The carrier's list could not be read at the start."
STRANGE = "The carrier's list has texts that this ledger does not know."


class StartCheck:
    """The look that is due when a process starts. Make it before anything is decided, claimed or stamped: it notes since when to look."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with reading(engine) as c:
            self._alive = evidence.last_alive(c)
        self.done = False

    async def look(self, transport: Transport, *, now: datetime) -> bool:
        """Look whether the ledger knows what was sent since it was last worked on; begin a quarantine if not. Say whether the look was had.

        While the list cannot be read a quarantine of its own stands, which a later look ends if all is well: look every 15 s.
        """
        if not self.done:
            self.done = await self._look(transport, now)
        return self.done

    async def _look(self, transport: Transport, now: datetime) -> bool:
        with reading(self._engine) as c:
            there = quarantines.standing(c)
        if there is not None and there["why"] != UNCHECKED:
            return True  # it stands already, and knows its gap
        if there is None and self._alive is None:
            return True  # a ledger nobody ever worked on has sent nothing
        since = there["since"] if there is not None else (self._alive or now) - CLOCKS_DIFFER
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                listed = await transport.sent(since=since)
        except (ListUnavailable, TimeoutError):
            self._wait(there, since, now)
            return False
        with reading(self._engine) as c:
            left = evidence.unexplained(c, listed)
        with writing(self._engine) as c:
            if left:
                quarantines.begin(c, why=STRANGE, since=since, now=now)
            elif there is not None:
                quarantines.end(c, there["id"], by="doseline", now=now)
        return True

    def _wait(self, there: Row | None, since: datetime, now: datetime) -> None:
        """Nothing leaves until the look was had. But what another process has been sending all along is not stopped for it."""
        if there is None and self._alive is not None and now - self._alive > FRESH:
            with writing(self._engine) as c:
                quarantines.begin(c, why=UNCHECKED, since=since, now=now)


class Caution:
    """Lets nothing be decided before the look at the start was tried, nor while a gap waits to be relived.

    `look` takes the look, and says whether it was had: the first who asks takes it, and the others wait for it.
    """

    def __init__(self, engine: Engine, look: Callable[[], bool]) -> None:
        self._engine, self._look = engine, look
        self._lock = Lock()
        self._tried = self._done = False

    def look(self, *, again: bool = False) -> None:
        """Take the look, if nobody has yet; `again`: if it has not been had yet."""
        with self._lock:
            if not self._tried or (again and not self._done):
                self._done = self._look()
                self._tried = True

    def permits(self) -> bool:
        """Whether this process may decide anything."""
        self.look()
        return not is_held(self._engine)

    def guarding(self, work: Callable[[], int]) -> Callable[[], int]:
        """Return the same work, done only while it is permitted: nought while it is not."""
        return lambda: work() if self.permits() else 0
