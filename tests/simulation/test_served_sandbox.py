"""Which ledgers may be played with, and by which clock a process that serves one does what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from db.engine import make_engine, writing
from db.tables import metadata
from reminders.bootstrap import Running, running
from reminders.errors import LedgerMoved
from reminders.services import sandboxing
from reminders.settings import Settings
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN

SANDBOX = {"DOSELINE_TRANSPORT": "sandbox"}
TWILIO = {
    "DOSELINE_TRANSPORT": "twilio",
    "PUBLIC_URL": "https://doseline.example",
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": TOKEN,
    "TWILIO_FROM": OUR_NUMBER,
}

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


@contextmanager
def serving(url: str, **settings: str) -> Iterator[Running]:
    """A process with a ledger, as `doseline serve` makes one."""
    with running(Settings.from_environ({"DATABASE_URL": url, **settings})) as process:
        yield process


def took_a_text(engine: Engine, carrier: str) -> None:
    """Note that a carrier once took a text of this ledger's."""
    with writing(engine) as c:
        c.execute(metadata.tables["sender"].insert().values(name=carrier, refusals=0, taken_at=START))


def moved(url: str) -> None:
    """Play with a ledger: its clock is a day ahead then."""
    with serving(url, **SANDBOX) as process:
        sandboxing.keep_ahead(process.engine, timedelta(days=1), at=process.clock.now())


def test_a_carrier_never_serves_a_ledger_that_was_played_with(sqlite_url: str) -> None:
    """It does not start, and says what to do; the sandbox starts on it as before."""
    moved(sqlite_url)
    with pytest.raises(LedgerMoved, match="DATABASE_URL"), serving(sqlite_url, **TWILIO):
        pass
    with serving(sqlite_url, **SANDBOX) as process:
        ahead = sandboxing.clock_of(process.engine, process.clock).ahead

    assert ahead == timedelta(days=1)


def test_a_ledger_that_a_carrier_had_texts_of_is_not_played_with(sqlite_url: str) -> None:
    """Patients' own: with the sandbox's transport it is served as ever, and has no page to play on."""
    engine = make_engine(sqlite_url)
    took_a_text(engine, "sandbox")
    with serving(sqlite_url, **SANDBOX) as process:
        before = process.sandbox
    took_a_text(engine, "twilio")
    with serving(sqlite_url, **SANDBOX) as process:
        after = process.sandbox
    engine.dispose()

    assert (before is not None, after) == (True, None)


def test_a_carriers_process_has_nothing_to_play_with(sqlite_url: str) -> None:
    """Neither a clock to move nor a page."""
    with serving(sqlite_url, **TWILIO) as process:
        assert process.sandbox is None


def test_several_processes_have_nothing_to_play_with(postgres_database_url: str) -> None:
    """On PostgreSQL others may serve the same ledger: nobody there may move its clock."""
    with serving(postgres_database_url, **SANDBOX) as process:
        assert process.sandbox is None
