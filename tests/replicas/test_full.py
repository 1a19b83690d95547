"""A database that takes no more: its disk is full, or it can only be read. Nothing is claimed, nothing is half done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from http import HTTPStatus
from threading import Event

import pytest
from sqlalchemy import Connection, Engine, event
from starlette.testclient import TestClient

import reminders.scheduling.loop
import reminders.scheduling.plan_jobs
from reminders import bootstrap, chores
from reminders.clock import SystemClock
from reminders.messaging.pacing import Pace
from reminders.messaging.twilio import TwilioTransport
from reminders.services import watching
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, FakeTwilio
from tests.fake_twilio.webhooks import inbound_form
from tests.replicas.due import accepted, fall_due, once_each, rows, told
from tests.replicas.serving import QUICK, Orders, patience_of, settings_of
from tests.scheduling.enrolled import column
from tests.scheduling.wall import until
from tests.web.serving import PUBLIC, post

PATIENTS = 300
MOMENT = timedelta(seconds=2)


class Disk:
    """Where a database lies. It can be full, so that nothing new is kept, or such that it can only be read."""

    def __init__(self, engine: Engine) -> None:
        self._is_full = self._is_read_only = False
        self._is_sqlite = engine.dialect.name == "sqlite"
        if self._is_sqlite:
            with engine.connect() as connection:
                connection.exec_driver_sql("CREATE TABLE filler (block BLOB)")
        event.listen(engine, "begin", self._began)
        event.listen(engine, "commit", self._commits)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Let there be no room for anything that a transaction has written."""
        self._is_full = True
        yield
        self._is_full = False

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let it be read, and no more."""
        self._is_read_only = True
        yield
        self._is_read_only = False

    def _began(self, connection: Connection) -> None:
        if not self._is_sqlite:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY" if self._is_read_only else "SELECT 1")
            return
        reads = connection.get_execution_options().get("reads", False)
        pages = 1 if self._is_full else 2**30  # no fewer than there are: SQLite takes what it has for the least
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reads or self._is_read_only else 'OFF'}")
        connection.info["changes"] = _changes(connection)

    def _commits(self, connection: Connection) -> None:
        """Refuse what was written, as a write-ahead log that cannot grow does: pages that are there already have room for short rows."""
        if self._is_sqlite and self._is_full and _changes(connection) != connection.info["changes"]:
            connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(1000000))")


def _changes(connection: Connection) -> int:
    """How many rows a SQLite connection has changed since it was opened."""
    changes: int = connection.connection.dbapi_connection.total_changes  # type: ignore[union-attr]  # sqlite3's own
    return changes


def has_stopped(client: TestClient) -> bool:
    """Whether the process says of its own loop that it does not get on: no batch is under way any more."""
    found = client.get("/readyz")
    return found.status_code == HTTPStatus.SERVICE_UNAVAILABLE and not found.json()["checks"]["loop"]["ok"]


@contextmanager
def serving(engine: Engine, twilio: FakeTwilio) -> Iterator[TestClient]:
    """Run one process: web, scheduler and sender."""
    settings, sender = settings_of(Orders("sqlite://", twilio.url, PUBLIC)), chores.Sender()
    assert settings.twilio is not None
    transport = TwilioTransport(settings.twilio, public_url=PUBLIC, seconds=QUICK.http)
    running = bootstrap.assemble(settings, engine, SystemClock(), transport, sender, patience=patience_of(QUICK), pace=Pace(100))
    try:
        with TestClient(running.app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50_000)) as client:
            yield client
    finally:
        sender.run(transport.aclose())
        sender.stop()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that looks about often, and calls a dose late, and a loop dead, after two seconds."""
    for module in (chores, reminders.scheduling.loop, reminders.scheduling.plan_jobs):
        monkeypatch.setattr(module, "HEARTBEAT", timedelta(seconds=QUICK.heartbeat))
    monkeypatch.setattr(reminders.scheduling.loop, "RECORD_SECONDS", 0.5)
    monkeypatch.setattr(watching, "LONGEST_OVERDUE", MOMENT)
    monkeypatch.setattr(watching, "LONGEST_SILENCE", MOMENT)


def hello(client: TestClient, no: int) -> int:
    """Let a text come in from a number that nobody knows; return the answer's HTTP status."""
    sid, stranger = f"SM{'e' * 28}{no:04}", f"+12005550{100 + no % 100}"
    form = inbound_form(account_sid=ACCOUNT, sid=sid, from_phone=stranger, to_phone=OUR_NUMBER, body="hello")
    return post(client, "/sms/inbound", form).status_code


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("database", "spoilt"),
    [("sqlite_engine", Disk.full), ("sqlite_engine", Disk.read_only), ("postgres_engine", Disk.read_only)],
    ids=["full", "read-only", "read-only on PostgreSQL"],
)
def test_a_database_that_takes_no_more(
    database: str, spoilt: Callable[[Disk], AbstractContextManager[None]], request: pytest.FixtureRequest
) -> None:
    """Nothing is claimed, webhooks are refused and the process is not ready; with room again it goes on, and nothing is lost or doubled."""
    engine: Engine = request.getfixturevalue(database)
    due, trouble = fall_due(engine, PATIENTS), spoilt(Disk(engine))
    with FakeTwilio() as twilio, serving(engine, twilio) as client:
        until(lambda: len(twilio.messages) >= 30)
        with trouble:
            until(lambda: has_stopped(client), within=30)
            refused = hello(client, 0)
            stopped = len(twilio.messages), rows(engine)
            Event().wait(MOMENT.total_seconds())
            still = len(twilio.messages), rows(engine)
        until(lambda: client.get("/readyz").status_code == 200, within=30)
        until(lambda: accepted(engine) == PATIENTS, within=60)
        again = hello(client, 0)

    assert (stopped == still, stopped[0] < PATIENTS) == (True, True)
    assert (refused, again, len(column(engine, "text_in", "sid"))) == (503, 200, 1)
    assert (told(twilio), rows(engine)) == (Counter(due), once_each(PATIENTS))
