"""The ledger that the settings name, opened for a command and closed after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from db.engine import WriterBusy
from reminders.clock import SystemClock
from reminders.errors import LedgerDown
from reminders.services import sandboxing
from reminders.services.opening import open_ledger
from reminders.settings import Settings, load_settings


@contextmanager
def the_ledger(settings: Settings | None = None) -> Iterator[Engine]:
    """Open the ledger of DATABASE_URL. SQLite is brought up to date; elsewhere that is a step of its own.

    Raises SettingsError, LedgerBehind, and LedgerDown where the database does not answer, then or later.
    """
    url = (settings or load_settings()).database_url.reveal()
    with answering():
        engine = open_ledger(url)
        try:
            yield engine
        finally:
            engine.dispose()


def now_of(engine: Engine) -> datetime:
    """Return the instant that a ledger's doses go by: the machine's, unless the sandbox's clock of this ledger was moved."""
    return sandboxing.clock_of(engine, SystemClock()).now()


@contextmanager
def answering() -> Iterator[None]:
    """Say in words that the database does not answer."""
    try:
        yield
    except (OperationalError, WriterBusy) as error:
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        raise LedgerDown(f"the database does not answer ({reason}): check DATABASE_URL, and that it runs") from error
