"""APScheduler jobs built from the stored plans: one for each minute at which a plan has a dose due."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Generic, Protocol, TypeVar

from apscheduler.jobstores.base import JobLookupError
from apscheduler.triggers.date import DateTrigger

from reminders.scheduling.loop import HEARTBEAT, YIELD_SECONDS, Chore, Loop

log = logging.getLogger(__name__)

HORIZON = timedelta(hours=1)
BATCH = 100  # patients in a transaction: some 70 ms, for which a webhook that writes to SQLite may have to wait

Ledger = TypeVar("Ledger")
Ledger_contra = TypeVar("Ledger_contra", contravariant=True)


class Reminding(Protocol[Ledger_contra]):
    """What is asked of `services.reminding`; the first argument is the engine, which this package never opens."""

    def due_minutes(self, ledger: Ledger_contra, /, *, now: datetime, until: datetime) -> Iterable[datetime]:
        """Return the distinct minutes at which a dose is due before `until`; what is overdue counts as `now`."""
        ...

    def remind_due(self, ledger: Ledger_contra, /, *, now: datetime, limit: int) -> int:
        """Record what fell due for the next patients in line, in one transaction; return how many patients."""
        ...

    def remind_singly(self, ledger: Ledger_contra, /, *, now: datetime, limit: int) -> int:
        """The same, one transaction a patient, so that the one that cannot be done holds up nobody."""
        ...


class PlanJobs(Generic[Ledger]):
    """APScheduler jobs built from the stored plans: one for each minute at which a plan has a dose due.

    A job names a minute, not a patient and not a dose. One that is lost, late, doubled or fired in five processes at
    once costs nothing, because each asks the ledger who is due, and the rows decide.
    """

    def __init__(self, loop: Loop, ledger: Ledger, *, reminding: Reminding[Ledger], limit: int = BATCH) -> None:
        self._loop, self._ledger, self._reminding, self._limit = loop, ledger, reminding, limit
        self._matching = Lock()
        # Two at once: a change while the jobs are being made must not wait for the next heartbeat.
        loop.repeat(Chore(name="build", every=HEARTBEAT, run=self.build), max_instances=2)

    def build(self) -> int:
        """Make the jobs match the plans, and return how many there are. Repeatable: a second build changes nothing.

        Done at start, every heartbeat, and after a plan changes.
        """
        with self._matching:  # else the one that read first could undo what the other has seen
            now = self._loop.clock.now()
            minutes = self._reminding.due_minutes(self._ledger, now=now, until=now + HORIZON)
            wanted = {f"doses {at:%Y-%m-%dT%H:%MZ}": at for at in minutes}
            standing = {job.id: getattr(job, "next_run_time", None) for job in self._loop.scheduler.get_jobs("plans")}  # paused: None
            for name in standing.keys() - wanted.keys():
                with suppress(JobLookupError):  # it fired meanwhile
                    self._loop.scheduler.remove_job(name, "plans")
            for name, at in wanted.items():
                if standing.get(name) != at:
                    self._knock_at(at, name)
            return len(wanted)

    def minutes(self) -> list[datetime]:
        """The minutes of the coming hour at which a plan has a dose due, as the jobs now stand, in order."""
        return sorted(job.trigger.run_date for job in self._loop.scheduler.get_jobs("plans"))

    def remind(self) -> None:
        """Record batch after batch until nobody who can be claimed has a dose due.

        A batch that fails is done again one patient at a time, so that nobody waits for the one that cannot be done.
        """
        while not self._loop.stopping.is_set():
            now = self._loop.clock.now()
            try:
                claimed = self._reminding.remind_due(self._ledger, now=now, limit=self._limit)
            except Exception:
                log.exception("a batch failed, and is done again one patient at a time")
                claimed = self._reminding.remind_singly(self._ledger, now=now, limit=self._limit)
            if not claimed:
                break
            self._loop.stopping.wait(YIELD_SECONDS)
        self._loop.passed("remind")

    def soon(self) -> None:
        """Build again at once: call it after the commit that changed a plan. A failure costs one heartbeat."""
        self._loop.soon("build")

    def _knock_at(self, at: datetime, name: str) -> None:
        # A second instance waits in the one-thread pool, so that what falls due as a drain ends is still seen.
        trigger = DateTrigger(at, timezone=UTC)
        self._loop.scheduler.add_job(
            self.remind, trigger, id=name, jobstore="plans", executor="plans", replace_existing=True, max_instances=2
        )
