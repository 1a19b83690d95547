from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from sqlalchemy import Engine, update

from db.engine import writing
from db.tables import metadata
from reminders.scheduling.loop import HEARTBEAT
from tests.builders import a_phase, a_plan
from tests.scheduling.conftest import Assemble, Run
from tests.scheduling.enrolled import LABELS, column, count, due_at, enrol, shelve_another_medicine
from tests.scheduling.wall import NOON, Wall, until

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
BRIEFLY = timedelta(seconds=1.5)
PLAN = metadata.tables["plan"]


def announced(engine: Engine, doses: int = 1) -> Callable[[], bool]:
    """Whether so many doses have been recorded."""
    return lambda: count(engine, "dose", state="pending") >= doses


def delay(engine: Engine, due: datetime) -> timedelta:
    """How long after its time the dose was announced."""
    written = column(engine, "dose", "announced_at")[0]
    assert isinstance(written, datetime)
    return written - due


def test_a_dose_is_announced_in_its_minute(engine: Engine, wall: Wall, run: Run) -> None:
    """A dose due within the minute is announced at most two seconds after its time, and not before it."""
    wall.move(MINUTE - BRIEFLY)
    enrol(engine, due_at(NOON + MINUTE), now=wall.now())
    with run(engine):
        until(announced(engine))

    assert timedelta() <= delay(engine, NOON + MINUTE) <= timedelta(seconds=2)


def test_a_change_in_this_process_is_seen_at_once(sqlite_engine: Engine, wall: Wall, run: Run) -> None:
    """A plan approved in this process has its job within a second, if `soon` is called after the commit."""
    with run(sqlite_engine) as running:
        until(lambda: count(sqlite_engine, "loop_pass", name="build"))
        enrol(sqlite_engine, due_at(NOON + 5 * MINUTE), now=wall.now())
        running.jobs.soon()
        until(running.jobs.minutes, within=1)
        seen = running.jobs.minutes()

    assert seen == [NOON + 5 * MINUTE]


def test_a_minute_that_no_plan_needs_any_more_has_no_job(sqlite_engine: Engine, wall: Wall, run: Run) -> None:
    """When the only plan due at a minute is stopped, the job of that minute goes within a second."""
    enrol(sqlite_engine, due_at(NOON + 5 * MINUTE), now=wall.now())
    with run(sqlite_engine) as running:
        until(running.jobs.minutes)
        with writing(sqlite_engine) as connection:
            connection.execute(update(PLAN).values(state="stopped", next_due_at=None))
        running.jobs.soon()
        until(lambda: not running.jobs.minutes(), within=1)
        left = running.loop.scheduler.get_jobs("plans")

    assert left == []


@pytest.mark.usefixtures("quick")
def test_a_change_in_another_process_is_seen_at_the_next_heartbeat(engine: Engine, wall: Wall, run: Run) -> None:
    """A plan approved by another process, which tells this one nothing, has its job after the next heartbeat."""
    with run(engine) as running:
        until(lambda: count(engine, "loop_pass", name="build"))
        enrol(engine, due_at(NOON + 5 * MINUTE), now=wall.now())
        until(running.jobs.minutes, within=2)
        seen = running.jobs.minutes()

    assert seen == [NOON + 5 * MINUTE]


@pytest.mark.night
def test_a_change_in_another_process_is_seen_within_fifteen_seconds(engine: Engine, wall: Wall, run: Run) -> None:
    """The same, at the heart's own pace."""
    with run(engine) as running:
        until(lambda: count(engine, "loop_pass", name="build"))
        enrol(engine, due_at(NOON + 5 * MINUTE), now=wall.now())
        waited = until(running.jobs.minutes, within=20)

    assert waited <= HEARTBEAT.total_seconds() + 1


def test_many_changes_at_once_are_all_seen(sqlite_engine: Engine, wall: Wall, run: Run) -> None:
    """A change made while the jobs are being built is not left for the next heartbeat."""
    with run(sqlite_engine) as running:
        for minutes in range(1, 21):
            enrol(sqlite_engine, due_at(NOON + minutes * MINUTE), now=wall.now())
            running.jobs.soon()
        until(lambda: len(running.jobs.minutes()) == 20, within=2)
        seen = running.jobs.minutes()

    assert seen == [NOON + minutes * MINUTE for minutes in range(1, 21)]


def test_jobs_can_be_listed_without_running(sqlite_engine: Engine, assemble: Assemble) -> None:
    """A process that only lists the jobs builds them from the same rows, and gives no sign of life."""
    enrol(sqlite_engine, due_at(NOON + 5 * MINUTE), now=NOON)
    listing = assemble(sqlite_engine)
    listing.jobs.build()

    assert (listing.jobs.minutes(), count(sqlite_engine, "loop_pass")) == ([NOON + 5 * MINUTE], 0)


def test_each_pass_leaves_a_sign_of_life(engine: Engine, run: Run) -> None:
    """Building and reminding are stamped in the ledger when they have ended."""
    enrol(engine, due_at(NOON), now=NOON - MINUTE)
    with run(engine):
        until(lambda: count(engine, "loop_pass") == 2)

    assert column(engine, "loop_pass", "name") == ["build", "remind"]


def remove(scheduler: BackgroundScheduler) -> None:
    """Take every job of the plans away."""
    scheduler.remove_all_jobs("plans")


def pause(scheduler: BackgroundScheduler) -> None:
    """Pause every job of the plans."""
    for job in scheduler.get_jobs("plans"):
        job.pause()


def put_off(scheduler: BackgroundScheduler) -> None:
    """Put every job of the plans off to next year."""
    for job in scheduler.get_jobs("plans"):
        job.reschedule(DateTrigger(NOON + 365 * DAY))


def leave(scheduler: BackgroundScheduler) -> None:
    """Leave the jobs alone."""


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("meddle", [leave, remove, pause, put_off])
def test_a_job_that_never_fires_costs_a_heartbeat(
    engine: Engine, wall: Wall, run: Run, meddle: Callable[[BackgroundScheduler], None]
) -> None:
    """Whatever becomes of its job, a dose is announced: the plan, not the job, is what is due."""
    wall.move(MINUTE - BRIEFLY)
    enrol(engine, due_at(NOON + MINUTE), now=wall.now())
    with run(engine) as running:
        announced_already = announced(engine)
        until(lambda: running.jobs.minutes() or announced_already())  # on a busy machine the minute may have come before its job was seen
        meddle(running.loop.scheduler)
        until(announced(engine))

    assert (count(engine, "dose"), count(engine, "text_out")) == (1, 1)


def test_a_job_fired_five_times_at_once_announces_once(engine: Engine, assemble: Assemble) -> None:
    """Five loops that fire one minute at the same moment make one dose and one text for each patient."""
    enrol(engine, due_at(NOON), now=NOON - MINUTE, patients=100)
    loops = [assemble(engine, limit=7) for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda each: each.jobs.remind(), loops))

    assert (count(engine, "dose"), count(engine, "text_out"), count(engine, "text_item")) == (100, 100, 100)


def test_a_minute_is_drained_batch_by_batch(engine: Engine, wall: Wall, run: Run) -> None:
    """A minute at which more are due than a transaction takes is done at one knock."""
    wall.move(MINUTE - BRIEFLY)
    enrol(engine, due_at(NOON + MINUTE), now=wall.now(), patients=60)
    with run(engine, limit=7):
        until(announced(engine, 60), within=20)

    assert count(engine, "text_out") == 60


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("apart", [0, 7])
def test_two_doses_travel_in_one_text(engine: Engine, wall: Wall, run: Run, apart: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two medicines due at one minute, or seven minutes apart, are announced in one text, at the later minute."""
    another = shelve_another_medicine(monkeypatch)
    wall.move(MINUTE - BRIEFLY)
    first, second = NOON + MINUTE, NOON + MINUTE + apart * MINUTE
    enrol(engine, due_at(first, LABELS[0]), due_at(second, LABELS[1], drug=another), now=wall.now())
    with run(engine):
        until(announced(engine))
        wall.move(apart * MINUTE)
        until(announced(engine, 2))
    sent_at = column(engine, "text_out", "send_at")

    assert (count(engine, "text_item"), [at >= second for at in sent_at if isinstance(at, datetime)]) == (2, [True])


def test_an_outage_makes_one_text_at_most(engine: Engine, run: Run) -> None:
    """Of six doses that fell due while nothing ran, each is recorded, only the current one is announced, one text asks about the others."""
    plan = a_plan(a_phase("5/5/5", at=("03:50", "07:50", "11:50")), zone="UTC", start="2026-03-01")
    enrol(engine, plan, now=NOON - 36 * 60 * MINUTE)
    with run(engine):
        until(lambda: count(engine, "dose") == 6)

    assert (count(engine, "dose", state="not_reminded"), count(engine, "text_out", kind="reminder")) == (5, 1)
    assert count(engine, "text_out", template="outage") == 1
