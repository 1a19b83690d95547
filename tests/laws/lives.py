"""One process at one piece of work, which a test can end or hold at any milestone.

Nothing of a process outlives its work but what it wrote: a life is one call of one service. A held one stands still in a
thread of its own while the others go on, and goes on later where it stood: the stale worker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from reminders.milestones import Milestone

LONGEST: Final = 20.0
"""Seconds of the real clock within which a step must be over: only a deadlock takes so long."""

OUTSIDE: Final = frozenset(
    {
        Milestone.BATCH_AFTER_COMMIT,
        Milestone.SEND_AFTER_CLAIM_COMMIT,
        Milestone.SEND_BEFORE_WRITE,
        Milestone.SEND_AFTER_WRITE,
        Milestone.SEND_BEFORE_RECORD,
        Milestone.RECOVER_AFTER_LIST,
        Milestone.INBOUND_AFTER_COMMIT,
    }
)
"""The milestones that lie in no transaction: a process held in one would hold its rows, and with them everybody else."""


class Killed(BaseException):
    """The process ended here; nothing after this happens."""


@dataclass
class Life:
    """One process at one piece of work.

    ends_at   where it dies, at the `nth` time it comes there; holds_at  where it stands still instead.
    passed    called at each milestone it gets past.
    since     since when it stands still, by a clock that is never set and by ours.
    looked    what the ledger said at its last look, once it has claimed anything.
    """

    name: str
    passed: Callable[[Life, Milestone], None]
    ends_at: Milestone | None = None
    holds_at: Milestone | None = None
    nth: int = 1
    dead: bool = False
    held_at: Milestone | None = None
    since: tuple[float, datetime] | None = None
    looked: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._seen = 0
        self._stood, self._go = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def passing(self, milestone: Milestone) -> None:
        """Come to a milestone."""
        if self.dead:
            raise Killed
        if milestone in {self.ends_at, self.holds_at}:
            self._seen += 1
            if self._seen == self.nth:
                self._stop(milestone)
        self.passed(self, milestone)

    def live(self, work: Callable[[], object]) -> bool:
        """Do the work; say whether it was done: not if the process died of it, nor if it is held."""
        if self.holds_at is None:
            return self._lived(work)
        self._thread = threading.Thread(target=self._live_apart, args=(work,), name=self.name, daemon=True)
        self._thread.start()
        return self._watch()

    def go_on(self, *, dead: bool) -> bool:
        """Let a held process go on, or end it where it stands; say whether its work was done."""
        self.dead, self.held_at = dead, None
        self._stood.clear()
        self._go.set()
        return self._watch()

    def _stop(self, milestone: Milestone) -> None:
        if milestone == self.ends_at:
            self.dead = True
            raise Killed
        self.held_at = milestone
        self._stood.set()
        if not self._go.wait(LONGEST):
            raise TimeoutError("held, and forgotten")
        if self.dead:
            raise Killed

    def _lived(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except Killed:
            return False
        return True

    def _live_apart(self, work: Callable[[], object]) -> None:
        try:
            self._done = self._lived(work)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the test sees it
            self._error = error
        finally:
            self._stood.set()

    def _watch(self) -> bool:
        """Wait until the thread stands still or is over: no two of them ever run at once."""
        if not self._stood.wait(LONGEST):
            raise TimeoutError("stuck")
        if self.held_at is not None:
            return False
        assert self._thread is not None
        self._thread.join(LONGEST)
        if self._error is not None:
            raise self._error
        return self._done and not self.dead
