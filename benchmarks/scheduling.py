"""A herd of doses at one minute: jobs built from the plans, against one APScheduler job in memory for each plan.

Both run the same service on the same SQLite file in one run; the peer is what APScheduler's own guide would have one do.
A webhook's write is timed beside both, every 10 ms.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from sqlalchemy import Engine, select

sys.path.insert(0, str(Path(__file__).parents[1]))

from db.engine import make_engine, migrate, reading
from db.tables import metadata
from reminders.clock import SystemClock
from reminders.scheduling.loop import Loop
from reminders.scheduling.plan_jobs import PlanJobs
from reminders.services import reminding
from tests.scheduling.enrolled import count, due_at, enrol

DUE, WAITING = 2_000, 2_000
MINUTE = timedelta(minutes=1)
PEER_THREADS = 8
CLOCK = SystemClock()


@dataclass(frozen=True)
class Measured:
    """What a shape cost: jobs in memory, seconds until they stood, seconds for the herd, and a webhook's waits in seconds."""

    jobs: int
    ready: float
    drained: float
    waits: list[float]

    def __str__(self) -> str:
        p99 = sorted(self.waits)[int(len(self.waits) * 0.99)] * 1000
        rate = DUE / self.drained
        return (
            f"{self.jobs:6,} jobs in {self.ready * 1000:4.0f} ms; {rate:5,.0f} doses a second; a webhook's write waits {p99:5.0f} ms (p99)"
        )


def ours(engine: Engine) -> Measured:
    """Jobs built from the plans: one for each minute."""
    loop = Loop(CLOCK, record=str)
    jobs = PlanJobs(loop, engine, reminding=reminding)
    began = CLOCK.monotonic()
    jobs.build()
    return _measured(engine, loop.scheduler, loop.start, loop.stop, CLOCK.monotonic() - began)


def peer(engine: Engine) -> Measured:
    """One job for each plan, in memory; each runs the service for its own patient, in its own transaction."""
    defaults = {"misfire_grace_time": None, "coalesce": True}
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(PEER_THREADS)}, job_defaults=defaults)
    plan = metadata.tables["plan"]
    began = CLOCK.monotonic()
    with reading(engine) as connection:
        for patient, due in connection.execute(select(plan.c.patient_id, plan.c.next_due_at)):
            scheduler.add_job(
                lambda patient=patient: reminding.remind_due(engine, now=CLOCK.now(), limit=1, only=patient), DateTrigger(due)
            )
    return _measured(engine, scheduler, scheduler.start, scheduler.shutdown, CLOCK.monotonic() - began)


def _measured(
    engine: Engine, scheduler: BackgroundScheduler, start: Callable[[], object], stop: Callable[[], object], ready: float
) -> Measured:
    jobs = len(scheduler.get_jobs())
    with webhooks(engine) as waits:
        began = CLOCK.monotonic()
        start()
        while count(engine, "dose") < DUE:
            Event().wait(0.05)
        drained = CLOCK.monotonic() - began
    stop()
    return Measured(jobs, ready, drained, waits)


@contextmanager
def webhooks(engine: Engine) -> Iterator[list[float]]:
    """Write a row every 10 ms in a thread of its own, as a webhook does; the list fills with how long each took."""
    waits: list[float] = []
    over = Event()

    def write() -> None:
        while not over.wait(0.01):
            began = CLOCK.monotonic()
            reminding.record_pass(engine, "webhook", now=CLOCK.now())
            waits.append(CLOCK.monotonic() - began)

    writer = Thread(target=write)
    writer.start()
    try:
        yield waits
    finally:
        over.set()
        writer.join()


def run(shape: Callable[[Engine], Measured]) -> Measured:
    """Measure a shape on a fresh ledger with a herd overdue, and as many plans again waiting."""
    now = CLOCK.now().replace(second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/herd.db")
        migrate(engine)
        enrol(engine, due_at(now), now=now - MINUTE, patients=DUE)
        enrol(engine, due_at(now + 30 * MINUTE), now=now - MINUTE, patients=WAITING)
        measured = shape(engine)
        engine.dispose()
    return measured


if __name__ == "__main__":
    logging.disable(logging.ERROR)  # lines about jobs that start late are no part of the figures
    jobs_of_plans, a_job_a_plan = run(ours), run(peer)
    print(f"jobs built from the plans    {jobs_of_plans}")
    print(f"one APScheduler job a plan   {a_job_a_plan}")
    print(f"ratio                        {a_job_a_plan.drained / jobs_of_plans.drained:.1f} times the doses a second")
