"""The ledger that the settings name, opened for a command and closed after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from db.engine import WriterBusy, is_current, make_engine, migrate
from reminders.errors import LedgerBehind, LedgerDown
from reminders.settings import Settings, load_settings


@contextmanager
def the_ledger(settings: Settings | None = None) -> Iterator[Engine]:
    """Open the ledger of DATABASE_URL. SQLite is brought up to date; elsewhere that is a step of its own.

    Raises SettingsError, LedgerBehind, and LedgerDown where the database does not answer, then or later.
    """
    engine = make_engine((settings or load_settings()).database_url.reveal())
    try:
        if engine.dialect.name == "sqlite":
            migrate(engine)
        elif not is_current(engine):
            raise LedgerBehind
        yield engine
    except (OperationalError, WriterBusy) as error:
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        raise LedgerDown(f"the database does not answer ({reason}): check DATABASE_URL, and that it runs") from error
    finally:
        engine.dispose()
