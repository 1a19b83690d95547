from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from operator import methodcaller
from threading import Event, current_thread

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.date import DateTrigger

import reminders.scheduling.loop
from reminders.clock import SystemClock
from reminders.scheduling.loop import HEARTBEAT, Chore, Clock, Loop
from tests.scheduling.wall import NOON, Wall, on_the_wall, until

OFTEN = timedelta(seconds=0.02)
HOUR = timedelta(hours=1)


class Diary:
    """What was done, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def chore(self, name: str = "chore", every: timedelta = OFTEN) -> Chore:
        """A chore that writes its name down and finds nothing to do."""
        return Chore(name=name, every=every, run=lambda: self.wrote(name))

    def wrote(self, line: str, *, done: int = 0) -> int:
        """Write a line; return how much was done."""
        self.lines.append(line)
        return done

    def has(self, lines: int) -> Callable[[], bool]:
        """Whether so many lines have been written."""
        return lambda: len(self.lines) >= lines


@pytest.fixture
def diary() -> Diary:
    """An empty diary."""
    return Diary()


@contextmanager
def running(*chores: Chore, clock: Clock | None = None, record: Callable[[str], object] = str) -> Iterator[Loop]:
    """Run a loop of some chores, and stop it."""
    loop = Loop(clock or SystemClock(), record=record)
    for chore in chores:
        loop.repeat(chore)
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()


def test_a_chore_is_done_again_and_again(diary: Diary) -> None:
    """A chore is done at once, and then every so often."""
    with running(diary.chore()):
        until(diary.has(5))

    assert set(diary.lines) == {"chore"}


def test_a_full_batch_is_followed_at_once(diary: Diary) -> None:
    """A chore that did as much as it takes at a time is run again at once, until it did less."""
    amounts = iter([50, 50, 49])
    chore = Chore(name="chore", every=HOUR, run=lambda: diary.wrote("batch", done=next(amounts)), full=50)
    with running(chore, record=diary.wrote):
        until(lambda: "chore" in diary.lines)

    assert diary.lines == ["batch", "batch", "batch", "chore"]


def test_a_chore_can_be_done_out_of_turn(diary: Diary) -> None:
    """`soon` does not wait for the chore's turn."""
    with running(diary.chore(every=HOUR)) as loop:
        until(diary.has(1))
        loop.soon("chore")
        until(diary.has(2), within=1)

    assert diary.lines == ["chore", "chore"]


def test_an_error_ends_one_run_and_no_more(diary: Diary) -> None:
    """A chore that raises is done again at its next turn."""

    def fail() -> int:
        diary.wrote("failed")
        raise RuntimeError("planted")

    with running(Chore(name="chore", every=OFTEN, run=fail)):
        until(diary.has(3))

    assert set(diary.lines) == {"failed"}


def test_a_chore_that_hangs_keeps_no_other_waiting(diary: Diary) -> None:
    """Each chore has a thread of its own."""
    let_go = Event()
    hanging = [Chore(name=f"hangs {n}", every=OFTEN, run=lambda: int(let_go.wait(10))) for n in range(6)]
    with running(*hanging, diary.chore()):
        until(diary.has(5))
        let_go.set()

    assert set(diary.lines) == {"chore"}


def test_a_turn_that_comes_while_at_work_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    """A chore whose next turn comes while it is at work is left at it, without a warning each time."""
    let_go, skipped = Event(), Event()
    with running(Chore(name="long", every=OFTEN, run=lambda: int(let_go.wait(10)))) as loop:
        loop.scheduler.add_listener(lambda _: skipped.set(), EVENT_JOB_MAX_INSTANCES)
        until(skipped.is_set)
        let_go.set()

    assert caplog.messages == []


def test_a_pass_is_recorded_when_it_ended_well() -> None:
    """What failed gives no sign of life."""
    passes: list[str] = []

    def fail() -> int:
        raise RuntimeError("planted")

    fails, works = Chore(name="fails", every=OFTEN, run=fail), Chore(name="works", every=OFTEN, run=int)
    with running(fails, works, record=passes.append):
        until(lambda: passes)

    assert set(passes) == {"works"}


def test_passes_are_recorded_now_and_then(diary: Diary) -> None:
    """A chore done many times a second does not write to the ledger as often."""
    passes: list[str] = []
    with running(diary.chore(), record=passes.append):
        until(diary.has(10))

    assert passes == ["chore"]


def test_how_long_a_chore_has_been_silent_is_known(diary: Diary) -> None:
    """A chore that ends well is heard of, one that fails or never ran is not; what is not recorded was not heard."""

    def fail() -> int:
        diary.wrote("failed")
        raise RuntimeError("planted")

    fails, works = Chore(name="fails", every=OFTEN, run=fail), Chore(name="works", every=OFTEN, run=int)
    with running(fails, works, Chore(name="never", every=HOUR, run=fail)) as loop:
        until(lambda: loop.silent_for("works"))
        until(diary.has(3))
        silences = loop.silent_for("works"), loop.silent_for("fails"), loop.silent_for("unheard of")

    assert (silences[0] is not None and silences[0] < HOUR / 600, silences[1:]) == (True, (None, None))


def test_a_chore_at_work_on_a_long_drain_is_not_silent() -> None:
    """Each full batch of a pass that goes on for hours is a sign of life, though the pass is not recorded before its end."""
    let_go, batches = Event(), iter([1, 1])
    recorded: list[str] = []
    drain = Chore(name="drain", every=HOUR, run=lambda: next(batches, 0) or int(let_go.wait(10)) * 0, full=1)
    with running(drain, record=recorded.append) as loop:
        until(lambda: loop.silent_for("drain"))
        before = list(recorded)
        let_go.set()
        until(lambda: recorded)

    assert (before, recorded) == ([], ["drain"])


def failing_once(method: Callable[..., object]) -> tuple[Callable[..., object], Event]:
    """A method that raises when APScheduler's thread next calls it, and works from then on; and whether it has raised."""
    raised = Event()

    def replaced(*args: object, **options: object) -> object:
        if current_thread().name == "APScheduler" and not raised.is_set():
            raised.set()
            raise RuntimeError("planted")
        return method(*args, **options)

    return replaced, raised


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (BaseScheduler, "_process_jobs"),
        (BaseScheduler, "_dispatch_event"),
        (MemoryJobStore, "get_due_jobs"),
        (MemoryJobStore, "get_next_run_time"),
        (MemoryJobStore, "update_job"),
        (MemoryJobStore, "remove_job"),
        (Wall, "now"),
        (Wall, "monotonic"),
    ],
)
def test_the_thread_survives(diary: Diary, owner: type, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error anywhere in APScheduler's own thread, at any method in turn, ends one pass: the chores go on."""
    monkeypatch.setattr(reminders.scheduling.loop, "RETRY_SECONDS", 0.05)
    wall = Wall(NOON)
    with running(diary.chore(), clock=on_the_wall(wall, monkeypatch)) as loop:
        until(diary.has(2))
        loop.scheduler.add_job(int, DateTrigger(wall.now() + 10 * OFTEN), id="once", jobstore="plans", executor="plans")
        faulty, raised = failing_once(getattr(owner, name))
        monkeypatch.setattr(owner, name, faulty)
        until(raised.is_set)
        until(diary.has(len(diary.lines) + 3))
        alive = loop.scheduler.running

    assert alive


@pytest.mark.parametrize("by", [-2 * HOUR, 2 * HOUR, timedelta(days=20_000)], ids=["back 2 h", "on 2 h", "from 1971"])
@pytest.mark.parametrize("every", [timedelta(minutes=1), HOUR], ids=["each minute", "each hour"])
def test_chores_go_on_when_the_wall_clock_is_moved(diary: Diary, by: timedelta, every: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock set back does not silence the chores until it has caught up, and one set on does not make up for lost turns."""
    monkeypatch.setattr(reminders.scheduling.loop, "HEARTBEAT", timedelta(seconds=0.2))
    wall = on_the_wall(Wall(NOON), monkeypatch)
    with running(diary.chore(every=every), clock=wall):
        until(diary.has(1))
        wall.move(by)
        until(diary.has(2), within=5)

    assert len(diary.lines) == 2


def test_the_loop_never_sleeps_past_the_heartbeat() -> None:
    """With nothing to do for an hour, the loop looks at the clock again after one heartbeat."""
    loop = Loop(SystemClock(), record=str)
    loop.scheduler.start(paused=True)
    waits = methodcaller("_process_jobs")(loop.scheduler)
    loop.stop()

    assert waits == HEARTBEAT.total_seconds()


@pytest.mark.parametrize("paused", [True, False])
def test_the_one_override_still_overrides(paused: bool) -> None:  # noqa: FBT001 - a parameter
    """The installed APScheduler has the private method that is guarded, and it answers seconds, or None for never."""
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(int, "interval", seconds=1)
    scheduler.start(paused=paused)
    waits = methodcaller("_process_jobs")(scheduler)
    scheduler.shutdown()

    assert (waits is None, isinstance(waits, float)) == (paused, not paused)
