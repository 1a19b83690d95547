"""A scheduler on a wall clock that shows noon, and the real services on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import pytest
from sqlalchemy import Engine

import reminders.scheduling.loop
import reminders.scheduling.plan_jobs
from reminders.scheduling.loop import Loop
from reminders.scheduling.plan_jobs import PlanJobs
from reminders.services import reminding
from tests.scheduling.wall import NOON, Wall, on_the_wall


@dataclass(frozen=True)
class Running:
    """A loop and the jobs it builds from the plans."""

    loop: Loop
    jobs: PlanJobs[Engine]


class Assemble(Protocol):
    """Puts a loop together on an engine, with the real services; it is not started."""

    def __call__(self, engine: Engine, *, limit: int = 500) -> Running:
        """Claim at most `limit` patients in a transaction."""
        ...


class Run(Protocol):
    """Runs a loop on an engine, and stops it."""

    def __call__(self, engine: Engine, *, limit: int = 500) -> AbstractContextManager[Running]:
        """Claim at most `limit` patients in a transaction."""
        ...


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    """A clock that shows noon and runs on, for APScheduler too."""
    return on_the_wall(Wall(NOON), monkeypatch)


@pytest.fixture
def assemble(wall: Wall) -> Assemble:
    """Put loops together on the clock that shows noon."""

    def put_together(engine: Engine, *, limit: int = 500) -> Running:
        loop = Loop(wall, record=lambda name: reminding.record_pass(engine, name, now=wall.now()))
        return Running(loop, PlanJobs(loop, engine, reminding=reminding, limit=limit))

    return put_together


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heart that beats five times a second, so that a test need not wait for a quarter of a minute."""
    monkeypatch.setattr(reminders.scheduling.loop, "HEARTBEAT", timedelta(seconds=0.2))
    monkeypatch.setattr(reminders.scheduling.plan_jobs, "HEARTBEAT", timedelta(seconds=0.2))


@pytest.fixture
def run(assemble: Assemble) -> Run:
    """Run loops on the clock that shows noon."""

    @contextmanager
    def running(engine: Engine, *, limit: int = 500) -> Iterator[Running]:
        together = assemble(engine, limit=limit)
        together.loop.start()
        try:
            yield together
        finally:
            together.loop.stop()

    return running
