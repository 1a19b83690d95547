from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, Engine, event

from reminders.clock import HandClock
from reminders.messaging.sandbox import SandboxTransport
from reminders.messaging.transport import ReceivedText
from reminders.services import delivering, escalating, following_up, forgetting, measuring, polling, reminding, replying, watching
from tests.scheduling.enrolled import due_at, enrol
from tests.scheduling.wall import NOON

Values = tuple[object, ...]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# As many as there are clinics, restores, chores, ways texts leave, people at work, replicas, and lists of the carrier's.
SMALL = {"alembic_version", "clinic", "invitation", "loop_pass", "on_call", "quarantine", "sender", "staff", "trouble", "watermark"}


def remind(engine: Engine) -> None:
    """Let a minute come."""
    reminding.due_minutes(engine, now=NOON, until=NOON + 60 * MINUTE)
    reminding.remind_due(engine, now=NOON)


def deliver(engine: Engine) -> None:
    """Send what is queued."""
    clock = HandClock(NOON)
    asyncio.run(delivering.deliver(engine, SandboxTransport(clock), clock=clock))
    asyncio.run(delivering.recover(engine, SandboxTransport(clock), clock=clock, watch=delivering.Watch()))


def reply(engine: Engine) -> None:
    """Let a patient answer."""
    replying.receive(
        engine, sid="SM1", from_phone="+12025550100", to_phone="+12025550100", body="1", received_at=NOON + MINUTE, now=NOON + MINUTE
    )


def hear_strangers(engine: Engine) -> None:
    """Let numbers nobody knows text, and be forgotten."""
    receive = partial(replying.receive, engine, to_phone="", body="hello", received_at=NOON, now=NOON)
    for number in range(4):
        receive(sid=f"SX{number}", from_phone=f"+1303555010{number % 2}")
    forgetting.forget(engine, now=NOON + 60 * DAY)


def follow_up(engine: Engine) -> None:
    """Close what nobody answered, and count it."""
    following_up.follow_up(engine, now=NOON + 2 * DAY, heard_until=NOON + 2 * DAY)
    escalating.escalate(engine, now=NOON + 2 * DAY, heard_until=NOON + 2 * DAY)


def wait_to_hear(engine: Engine) -> None:
    """Have doses wait until the carrier's list was read past their time, and the provider told that it is not."""
    for now in (NOON + 2 * DAY, NOON + 2 * DAY + 3 * MINUTE):
        following_up.follow_up(engine, now=now)
        escalating.escalate(engine, now=now)


def poll(engine: Engine) -> None:
    """Fetch what no webhook brought, and the ends of the texts that left; once in vain."""
    carrier = SandboxTransport(HandClock(NOON + 2 * DAY))
    carrier.leave(ReceivedText("SM1", "+12025550100", "+12025550100", "1", NOON + MINUTE))
    for broken, now in ((True, NOON + 60 * MINUTE), (False, NOON + 61 * MINUTE), (False, NOON + 2 * DAY)):
        carrier.break_lists(broken=broken)
        work = polling.poll(engine, carrier, receive=replying.receive, receive_status=delivering.receive_status, now=now)
        asyncio.run(work)


def watch(engine: Engine) -> None:
    """Ask whether all is well, and for the figures."""
    watching.readiness(engine, now=NOON)
    measuring.figures(engine, now=NOON)


def scans(engine: Engine, work: Callable[[Engine], None]) -> set[str]:
    """Do some work, and return each statement in it that reads a whole table that grows, as SQLite plans it."""
    found: set[str] = set()

    def explain(connection: Connection, _cursor: object, statement: str, values: Values | list[Values], *_: object) -> None:
        if statement.split(maxsplit=1)[0] not in {"SELECT", "UPDATE", "DELETE"}:
            return
        given = values[0] if isinstance(values, list) else values
        steps = [str(step[3]).split() for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]
        found.update(f"{step[1]}: {statement}" for step in steps if step[0] == "SCAN" and step[1] in engine_tables - SMALL)

    engine_tables = set(tables_of(engine))
    event.listen(engine, "before_cursor_execute", explain)
    work(engine)
    event.remove(engine, "before_cursor_execute", explain)
    return found


def tables_of(engine: Engine) -> list[str]:
    """Return the names of the tables."""
    with engine.connect() as connection:
        return list(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())


@pytest.mark.parametrize(
    ("before", "work"),
    [
        ([], remind),
        ([remind], deliver),
        ([remind, deliver], reply),
        ([], hear_strangers),
        ([remind, deliver], follow_up),
        ([remind, deliver], wait_to_hear),
        ([remind, deliver, wait_to_hear], poll),
        ([remind], watch),
    ],
    ids=["remind", "deliver", "reply", "strangers", "follow up", "wait to hear", "poll", "watch"],
)
def test_no_work_reads_a_whole_table(sqlite_engine: Engine, before: list[Callable[[Engine], None]], work: Callable[[Engine], None]) -> None:
    """What is done all day takes as long with a million patients as with a thousand: each statement finds its rows by an index."""
    enrol(sqlite_engine, due_at(NOON), now=NOON - MINUTE, patients=20)
    for each in before:
        each(sqlite_engine)

    assert scans(sqlite_engine, work) == set()
