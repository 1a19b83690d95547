from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine, event, func, select, update

from db.engine import make_engine, reading, writing
from db.tables import metadata
from tests.scheduling.conftest import Assemble, Run
from tests.scheduling.enrolled import count, due_at, enrol
from tests.scheduling.wall import NOON, Wall, until

MINUTE = timedelta(minutes=1)
BRIEFLY = timedelta(seconds=1.5)
PATIENT, PLAN, VERSION = (metadata.tables[name] for name in ("patient", "plan", "plan_version"))

pytestmark = pytest.mark.usefixtures("quick")


def spoil_document(engine: Engine, plan_ids: list[str]) -> None:
    """Make plans' documents such that no plan can be read from them."""
    with writing(engine) as connection:
        connection.execute(update(VERSION).where(VERSION.c.plan_id.in_(plan_ids)).values(document="{}"))


def spoil_zone(engine: Engine, plan_ids: list[str]) -> None:
    """Give plans a zone that this machine's zone files do not have."""
    document = func.replace(VERSION.c.document, '"UTC"', '"Mars/Base"')
    with writing(engine) as connection:
        connection.execute(update(VERSION).where(VERSION.c.plan_id.in_(plan_ids)).values(document=document))


def spoil_drug(engine: Engine, plan_ids: list[str]) -> None:
    """Let plans be for a medicine that nobody knows any more."""
    with writing(engine) as connection:
        connection.execute(update(PLAN).where(PLAN.c.id.in_(plan_ids)).values(drug="forgotten"))


@pytest.mark.parametrize("spoil", [spoil_document, spoil_zone, spoil_drug])
def test_nobody_waits_for_a_bad_plan(engine: Engine, wall: Wall, run: Run, spoil: Callable[[Engine, list[str]], None]) -> None:
    """With two plans of fifty that cannot be worked out, the other forty-eight are announced in their minute."""
    wall.move(MINUTE - BRIEFLY)
    plan_ids = enrol(engine, due_at(NOON + MINUTE), now=wall.now(), patients=50)
    spoil(engine, plan_ids[20:22])
    with run(engine):
        until(lambda: count(engine, "dose") >= 48)
        until(lambda: not overdue(engine, wall))

    assert (count(engine, "dose", state="pending"), count(engine, "text_out")) == (48, 48)


def test_the_third_failure_sets_a_plan_aside_with_one_alert(engine: Engine, wall: Wall, run: Run) -> None:
    """A plan that cannot be worked out is tried three times, a minute apart, then taken off the clock, and a person is told once."""
    [bad] = enrol(engine, due_at(NOON), now=NOON - MINUTE)
    spoil_drug(engine, [bad])
    with run(engine):
        for _ in range(5):
            wall.move(MINUTE)
            until(lambda: not overdue(engine, wall))

    assert (count(engine, "alert", kind="plan_set_aside"), count(engine, "plan", next_due_at=None)) == (1, 1)


def overdue(engine: Engine, wall: Wall) -> bool:
    """Whether a plan is due that has not been looked at."""
    with reading(engine) as connection:
        return connection.execute(select(PLAN.c.id).where(PLAN.c.next_due_at <= wall.now())).first() is not None


def test_a_batch_that_fails_is_done_patient_by_patient(engine: Engine, assemble: Assemble) -> None:
    """When the database refuses a batch, each of its patients is done alone."""
    enrol(engine, due_at(NOON), now=NOON - MINUTE, patients=10)
    together = assemble(engine)
    refused = refuse_once(engine, "INSERT INTO dose ")
    together.jobs.remind()

    assert (refused, count(engine, "dose"), count(engine, "text_out")) == (["INSERT INTO dose "], 10, 10)


def refuse_once(engine: Engine, statement: str) -> list[str]:
    """Let the database refuse a statement the next time; return a list in which it then stands."""
    refused: list[str] = []

    def refuse(*execution: object) -> None:
        if not refused and str(execution[2]).startswith(statement):
            refused.append(statement)
            raise psycopg.OperationalError("planted")

    event.listen(engine, "before_cursor_execute", refuse)
    return refused


def test_a_pass_that_does_not_commit_changes_nothing(engine: Engine, assemble: Assemble) -> None:
    """A pass cut off at its commit leaves the plan as due as it was, and nothing said."""
    enrol(engine, due_at(NOON), now=NOON - MINUTE)
    together = assemble(engine)
    event.listen(engine, "commit", cut_off)
    with pytest.raises(psycopg.OperationalError):
        together.jobs.remind()
    event.remove(engine, "commit", cut_off)

    assert (count(engine, "dose"), count(engine, "text_out"), count(engine, "plan", next_due_at=NOON)) == (0, 0, 1)


def cut_off(_: Connection) -> None:
    """Let a commit fail."""
    raise psycopg.OperationalError("planted")


@contextmanager
def away(engine: Engine) -> Iterator[None]:
    """Take the database away: PostgreSQL refuses and drops every connection, a SQLite file is held by another."""
    if engine.dialect.name == "sqlite":
        other = make_engine(engine.url.render_as_string())
        with writing(other):
            yield
        other.dispose()
        return
    name = engine.url.database or ""
    server = engine.url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(allow.format(sql.Identifier(name), sql.Literal(False)))  # noqa: FBT003 - an SQL word
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        admin.execute(allow.format(sql.Identifier(name), sql.Literal(True)))  # noqa: FBT003 - an SQL word


def test_an_absent_database_ends_nothing(engine: Engine, wall: Wall, run: Run) -> None:
    """With the database away for three seconds in which fifty doses fall due, all fifty are announced after its return."""
    wall.move(MINUTE - BRIEFLY)
    enrol(engine, due_at(NOON + MINUTE), now=wall.now(), patients=50)
    with run(engine) as running:
        until(running.jobs.minutes)
        with away(engine):
            until(lambda: wall.now() > NOON + MINUTE + BRIEFLY)
        until(lambda: count(engine, "dose", state="pending") == 50)

    assert count(engine, "text_out") == 50


def test_rows_held_elsewhere_are_left_alone(postgres_engine: Engine, assemble: Assemble) -> None:
    """A pass goes round the patients that another replica holds, and ends without waiting for them."""
    enrol(postgres_engine, due_at(NOON), now=NOON - MINUTE, patients=10)
    together = assemble(postgres_engine)
    with writing(postgres_engine) as other:
        other.execute(select(PATIENT.c.id).limit(4).with_for_update()).all()
        together.jobs.remind()
        beside = count(postgres_engine, "dose")
    together.jobs.remind()

    assert (beside, count(postgres_engine, "dose")) == (6, 10)
