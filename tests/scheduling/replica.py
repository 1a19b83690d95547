"""A replica in a process of its own: `python -m tests.scheduling.replica URL INSTANT LIMIT` runs until its input ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from db.engine import make_engine
from reminders.scheduling.loop import Loop
from reminders.scheduling.plan_jobs import PlanJobs
from reminders.services import reminding
from tests.scheduling.enrolled import shelve_another_medicine
from tests.scheduling.wall import Stopped, on_the_wall

ROOT = Path(__file__).parents[2]


def start(url: str, now: datetime, *, limit: int = 500) -> subprocess.Popen[bytes]:
    """Start a replica whose clock stands at this instant."""
    command = [sys.executable, "-m", "tests.scheduling.replica", url, now.isoformat(), str(limit)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


@contextmanager
def replicas(number: int, url: str, now: datetime, *, limit: int = 500) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run some replicas on one database, and stop those that are left at the end."""
    processes = [start(url, now, limit=limit) for _ in range(number)]
    try:
        yield processes
    finally:
        for process in processes:
            process.communicate(timeout=30)


def serve(url: str, now: datetime, limit: int) -> None:
    """Build jobs from the plans, and run them until the input ends."""
    patches = pytest.MonkeyPatch()
    shelve_another_medicine(patches)
    wall = on_the_wall(Stopped(now), patches)
    engine = make_engine(url)
    loop = Loop(wall, record=lambda name: reminding.record_pass(engine, name, now=wall.now()))
    PlanJobs(loop, engine, reminding=reminding, limit=limit)
    loop.start()
    sys.stdin.read()
    loop.stop()
    engine.dispose()


if __name__ == "__main__":
    serve(sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(sys.argv[3]))
