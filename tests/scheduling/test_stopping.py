from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Event

import pytest
from sqlalchemy import Engine

import reminders.scheduling.plan_jobs
from reminders.clock import SystemClock
from reminders.scheduling.loop import Chore, Loop
from tests.scheduling.conftest import Assemble
from tests.scheduling.enrolled import count, due_at, enrol
from tests.scheduling.wall import NOON, until

MINUTE = timedelta(minutes=1)
OFTEN = timedelta(milliseconds=50)
BATCH = 5


def seconds_to_stop(loop: Loop) -> float:
    """Stop a loop, and return how long that took; fail if it never does."""
    clock = SystemClock()
    began = clock.monotonic()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(loop.stop).result(timeout=20)
    return clock.monotonic() - began


def seconds_to_stop_mid_herd(engine: Engine, assemble: Assemble) -> float:
    """Start a loop on many due doses, and stop it when it has done the first few."""
    before = count(engine, "dose")
    together = assemble(engine, limit=BATCH)
    together.loop.start()
    until(lambda: count(engine, "dose") >= before + BATCH)
    return seconds_to_stop(together.loop)


@pytest.mark.parametrize("stops", [10, pytest.param(100, marks=pytest.mark.night)])
def test_a_loop_stops_in_the_midst_of_a_herd(
    sqlite_engine: Engine, assemble: Assemble, stops: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is stopped in the middle of many due doses, with builds every 50 ms, it stops within a second and loses none."""
    monkeypatch.setattr(reminders.scheduling.plan_jobs, "HEARTBEAT", OFTEN)
    patients = stops * 30
    enrol(sqlite_engine, due_at(NOON), now=NOON - MINUTE, patients=patients)
    longest = max(seconds_to_stop_mid_herd(sqlite_engine, assemble) for _ in range(stops))
    cut_short = count(sqlite_engine, "dose") < patients
    assemble(sqlite_engine).jobs.remind()

    assert (longest <= 1, cut_short, count(sqlite_engine, "dose"), count(sqlite_engine, "text_out")) == (True, True, patients, patients)


def seconds_to_stop_while_called() -> float:
    """Start a loop of chores that call the scheduler without pause, and stop it."""
    loop = Loop(SystemClock(), record=str)
    begun = Event()

    def call_on(name: str) -> int:
        begun.set()
        while not loop.stopping.is_set():
            loop.soon(name)
        return 0

    for name in ("one", "two", "three", "four"):
        loop.repeat(Chore(name=name, every=OFTEN, run=partial(call_on, name)))
    loop.start()
    until(begun.is_set)
    return seconds_to_stop(loop)


def test_a_stop_waits_for_no_lock_that_waits_for_it() -> None:
    """Chores that call the scheduler without pause do not keep it from stopping, twenty times over."""
    longest = max(seconds_to_stop_while_called() for _ in range(20))

    assert longest <= 1


def test_a_stop_waits_for_what_is_in_hand() -> None:
    """A batch that has begun is finished before the loop has stopped."""
    begun, done = Event(), Event()

    def work() -> int:
        begun.set()
        loop.stopping.wait(5)
        done.set()
        return 0

    loop = Loop(SystemClock(), record=str)
    loop.repeat(Chore(name="work", every=MINUTE, run=work))
    loop.start()
    until(begun.is_set)
    loop.stop()

    assert done.is_set()


def test_a_stopped_loop_does_no_more() -> None:
    """What was cut short by a stop is neither run again nor recorded."""
    passes: list[str] = []
    loop = Loop(SystemClock(), record=passes.append)
    loop.repeat(Chore(name="endless", every=OFTEN, run=lambda: 1, full=1))
    loop.start()
    until(lambda: loop.scheduler.running)
    loop.stop()
    loop.soon("endless")

    assert passes == []


def test_a_loop_can_be_stopped_twice() -> None:
    """A second stop, from a second signal, changes nothing."""
    loop = Loop(SystemClock(), record=str)
    loop.start()
    loop.stop()
    loop.stop()

    assert not loop.scheduler.running


def test_a_loop_that_never_ran_can_be_stopped() -> None:
    """A start that failed half way can still be cleared away."""
    loop = Loop(SystemClock(), record=str)
    loop.stop()

    assert not loop.scheduler.running
