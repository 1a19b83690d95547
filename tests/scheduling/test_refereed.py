"""Loops under a referee: a real PostgreSQL's clock, set to noon with the wall, and walls that then differ from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import Engine

from db.engine import reading, time_of
from reminders.clock import SystemClock
from reminders.scheduling.loop import Chore, Loop
from reminders.scheduling.plan_jobs import PlanJobs
from reminders.scheduling.refereed import Refereed
from reminders.services import reminding
from reminders.services.records import troubles
from reminders.services.refereeing import Referee
from tests.scheduling.enrolled import column, count, due_at, enrol
from tests.scheduling.wall import NOON, Wall, until

SECOND, MINUTE, HOURS = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=2)
PATIENTS = 20


@dataclass
class NoonAtFirst:
    """A database's clock, its seconds real, that shows noon when this was made; and how often it was asked."""

    ahead: timedelta = field(default_factory=lambda: NOON - SystemClock().now())
    asked: int = 0

    def __call__(self, engine: Engine) -> datetime | None:
        """Return what it shows."""
        self.asked += 1
        at = time_of(engine)
        return at and at + self.ahead

    def now(self) -> datetime:
        """Return what it shows, without asking: the database runs on this machine."""
        return SystemClock().now() + self.ahead


@contextmanager
def running(engine: Engine, wall: Wall, time_of: NoonAtFirst, *chores: Chore) -> Iterator[Loop]:
    """Run a loop with plan jobs and some chores under a referee, and stop it."""
    loop = Loop(wall, record=lambda name: reminding.record_pass(engine, name, now=time_of.now()))
    referee = Referee(engine, wall, who="web-1", time_of=time_of)
    PlanJobs(loop, engine, reminding=Refereed(reminding, referee, pause=loop.stopping.wait))
    for chore in chores:
        loop.repeat(Chore(name=chore.name, every=chore.every, run=referee.guarding(chore.run)))
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()


@pytest.fixture
def noon() -> NoonAtFirst:
    """A database's clock that shows noon."""
    return NoonAtFirst()


def is_asked(noon: NoonAtFirst, times: int) -> Callable[[], bool]:
    """Whether the database has been asked its time so many times more."""
    enough = noon.asked + times
    return lambda: noon.asked >= enough


def noted(done: Event) -> int:
    """Note that a chore was done; it found nothing to do."""
    done.set()
    return 0


def standing(engine: Engine) -> list[str]:
    """The names of the troubles that are not over."""
    with reading(engine) as c:
        return [str(row["name"]) for row in troubles.standing(c)]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("apart", [1.9, -1.9])
def test_a_clock_that_differs_a_little_claims(postgres_engine: Engine, wall: Wall, noon: NoonAtFirst, apart: float) -> None:
    """A replica 1.9 s off does its work."""
    enrol(postgres_engine, due_at(NOON), now=NOON - MINUTE, patients=PATIENTS)
    wall.move(apart * SECOND)
    with running(postgres_engine, wall, noon):
        until(lambda: count(postgres_engine, "dose", state="pending") == PATIENTS)

    assert standing(postgres_engine) == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("apart", [2.1, -2.1, 7200, -7200])
def test_a_clock_that_differs_claims_nothing_until_it_is_right(
    postgres_engine: Engine, wall: Wall, noon: NoonAtFirst, apart: float
) -> None:
    """A replica 2.1 s off, or two hours, claims nothing, and says so; set right, it does all its work."""
    enrol(postgres_engine, due_at(NOON - MINUTE), now=NOON - 2 * MINUTE, patients=PATIENTS)
    wall.move(apart * SECOND)
    done = Event()
    with running(postgres_engine, wall, noon, Chore(name="deliver", every=SECOND / 5, run=lambda: noted(done))):
        until(is_asked(noon, 5))
        before = count(postgres_engine, "dose"), done.is_set(), standing(postgres_engine)
        wall.move(-apart * SECOND)
        until(lambda: count(postgres_engine, "dose", state="pending") == PATIENTS and done.is_set())
        until(lambda: standing(postgres_engine) == [])

    assert (before, count(postgres_engine, "text_out")) == ((0, False, ["clock web-1"]), PATIENTS)


@pytest.mark.parametrize("ahead", [0.05, 1.8, -0.05])
def test_a_knock_that_comes_early_is_not_lost(postgres_engine: Engine, wall: Wall, noon: NoonAtFirst, ahead: float) -> None:
    """A replica whose clock is ahead knocks early, and waits for the referee's: its doses are neither early nor a heartbeat late."""
    noon.ahead += MINUTE - 3 * SECOND
    wall.move(MINUTE - 3 * SECOND + ahead * SECOND)
    enrol(postgres_engine, due_at(NOON + MINUTE), now=NOON, patients=PATIENTS)
    with running(postgres_engine, wall, noon):
        until(lambda: count(postgres_engine, "dose"))
        seen_at = noon.now() - (NOON + MINUTE)
        until(lambda: count(postgres_engine, "dose") == PATIENTS)

    assert timedelta() <= seen_at < SECOND


@pytest.mark.parametrize("jumps", [12, pytest.param(500, marks=pytest.mark.night)])
def test_a_clock_that_jumps_decides_nothing_early_and_nothing_twice(
    postgres_engine: Engine, wall: Wall, noon: NoonAtFirst, jumps: int
) -> None:
    """A wall that jumps up to two hours either way, again and again while doses fall due: none is early, none is doubled."""
    noon.ahead += MINUTE - 2 * SECOND
    wall.move(MINUTE - 2 * SECOND)
    for offset in (MINUTE, 30 * MINUTE, HOURS):
        enrol(postgres_engine, due_at(NOON + offset), now=NOON, patients=PATIENTS)
    pause = Event()
    with running(postgres_engine, wall, noon, Chore(name="deliver", every=SECOND, run=int)) as loop:
        for no in range(jumps):
            by = HOURS * (no * 37 % 101 - 50) / 50  # all over the four hours, in no order that means anything
            wall.move(by)
            loop.soon("build")
            pause.wait(0.1 * (no % 3))
            wall.move(-by)
            pause.wait(0.1 * (no % 2))
        until(lambda: count(postgres_engine, "dose") == PATIENTS, within=20)
    early = [at for at in column(postgres_engine, "text_out", "created_at") if isinstance(at, datetime) and at < NOON + MINUTE]

    assert (early, count(postgres_engine, "text_out"), count(postgres_engine, "text_item")) == ([], PATIENTS, PATIENTS)


@pytest.mark.parametrize("by", [HOURS, -HOURS], ids=["on", "back"])
def test_chores_go_on_when_a_clock_comes_back(postgres_engine: Engine, wall: Wall, noon: NoonAtFirst, by: timedelta) -> None:
    """A clock that was two hours off, either way, and is set right: what fell due meanwhile, and every chore, is done within 15 s."""
    enrol(postgres_engine, due_at(NOON), now=NOON - MINUTE, patients=PATIENTS)
    wall.move(by)
    done = Event()
    with running(postgres_engine, wall, noon, Chore(name="deliver", every=SECOND, run=lambda: noted(done))):
        until(is_asked(noon, 2))
        before = count(postgres_engine, "dose"), done.is_set()
        wall.move(-by)
        until(lambda: count(postgres_engine, "dose") == PATIENTS and done.is_set(), within=15)
        until(lambda: standing(postgres_engine) == [])

    assert before == (0, False)
