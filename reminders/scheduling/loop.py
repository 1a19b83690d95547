"""APScheduler's loop, which no error ends, and the chores it repeats. It knows nothing of plans.

Nothing of ours that can fail runs in APScheduler's own thread: stores are in memory, triggers are its simplest two, and
every function of ours runs in a pool, where an exception ends one run and no more.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Protocol

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

log = logging.getLogger(__name__)

HEARTBEAT = timedelta(seconds=15)
JUMP_SECONDS = 5
RETRY_SECONDS = 1
RECORD_SECONDS = 5
YIELD_SECONDS = 0.001  # between batches, so that a waiting webhook has its turn to write
THREADS = 16  # at most, and more than there are chores: one that hangs keeps no other waiting


class Clock(Protocol):
    """The machine's clock: APScheduler reads its own, and a clock moved by hand would part from it."""

    def now(self) -> datetime:
        """Return the instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something done again and again. `run` returns how much it did; `full` or more of it, and it is run again at once."""

    name: str
    every: timedelta
    run: Callable[[], int]
    full: int | None = None


class GuardedScheduler(BackgroundScheduler):
    """APScheduler's scheduler, which survives any error, never sleeps past the heartbeat, and notices a moved wall clock."""

    def __init__(self, clock: Clock, executors: dict[str, ThreadPoolExecutor]) -> None:
        self._clock = clock
        self._seen: tuple[datetime, float] | None = None
        BackgroundScheduler.__init__(
            self,
            timezone=UTC,
            executors=executors,
            jobstores={"ticks": MemoryJobStore(), "plans": MemoryJobStore()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            jobstore_retry_interval=RETRY_SECONDS,
        )

    def _process_jobs(self) -> float:
        """One pass of APScheduler; returns the seconds to the next. Private to it, and the one such override."""
        longest = HEARTBEAT.total_seconds()
        try:
            self._follow_the_wall_clock()
            wait: float | None = BackgroundScheduler._process_jobs(self)  # noqa: SLF001 - its loop offers no other place to stand guard
        except Exception:
            log.exception("the scheduler's pass failed, and is tried again")
            wait = RETRY_SECONDS
        return longest if wait is None else min(wait, longest)

    def _follow_the_wall_clock(self) -> None:
        """Bring the chores forward when the wall clock was moved: set back 2 h, APScheduler would do nothing for 2 h."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        if self._seen:
            seen_wall, seen_steady = self._seen
            if abs((wall - seen_wall).total_seconds() - (steady - seen_steady)) > JUMP_SECONDS:
                for job in BackgroundScheduler.get_jobs(self, "ticks"):
                    job.modify(next_run_time=wall)
        self._seen = wall, steady


class Loop:
    """A guarded scheduler and what it repeats, each chore in a thread of its own.

    `record` is called with a chore's name when a pass of it has ended well: the only proof of life, because APScheduler's
    `running` stays true when its thread is dead.
    """

    def __init__(self, clock: Clock, *, record: Callable[[str], object]) -> None:
        logging.getLogger("apscheduler.scheduler").addFilter(_is_news)
        self.clock = clock
        self.stopping = Event()
        self._record = record
        self._recorded: dict[str, float] = {}
        self._at_work: dict[str, float] = {}
        self._pools = {"default": ThreadPoolExecutor(THREADS), "plans": ThreadPoolExecutor(1)}
        self.scheduler: BackgroundScheduler = GuardedScheduler(clock, self._pools)

    def repeat(self, chore: Chore, *, max_instances: int = 1) -> None:
        """Do a chore at once and then every so often, for as long as the loop runs."""
        self.scheduler.add_job(
            self._do,
            IntervalTrigger(seconds=chore.every.total_seconds(), timezone=UTC),
            args=[chore],
            id=chore.name,
            jobstore="ticks",
            next_run_time=self.clock.now(),
            max_instances=max_instances,
        )

    def start(self) -> None:
        """Start; returns at once."""
        self.scheduler.start()

    def soon(self, name: str) -> None:
        """Do a chore at once, out of turn. Call it after the commit that made it needful, never inside a transaction."""
        with suppress(JobLookupError):  # stopped meanwhile
            self.scheduler.modify_job(name, "ticks", next_run_time=self.clock.now())

    def passed(self, name: str) -> None:
        """Record that a pass ended well, at most every few seconds, and not while stopping."""
        now = self.clock.monotonic()
        if not self.stopping.is_set() and now - self._recorded.get(name, -RECORD_SECONDS) >= RECORD_SECONDS:
            self._record(name)
            self._recorded[name] = now

    def silent_for(self, name: str) -> timedelta | None:
        """How long ago a pass of this loop's own was last recorded, or a full batch done in one that goes on; None if never."""
        last = max(self._recorded.get(name, -math.inf), self._at_work.get(name, -math.inf))
        return None if last == -math.inf else timedelta(seconds=self.clock.monotonic() - last)

    def stop(self) -> None:
        """Stop for good, after the batches in hand. Repeatable.

        `shutdown(wait=True)` would keep the locks that a running job waits for, for ever: the pools are waited for apart.
        """
        self.stopping.set()
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)
        for pool in self._pools.values():
            pool.shutdown(wait=True)

    def _do(self, chore: Chore) -> None:
        while not self.stopping.is_set():
            done = chore.run()
            if chore.full is None or done < chore.full:
                break
            self._at_work[chore.name] = self.clock.monotonic()
            self.stopping.wait(YIELD_SECONDS)
        self.passed(chore.name)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of APScheduler's is worth keeping: a chore still at work when its next turn comes is not."""
    return "maximum number of running instances" not in str(record.msg)
