"""The ledger that the settings name, opened for a command."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from db.engine import is_current, make_engine, migrate
from reminders.errors import LedgerBehind, LedgerDown
from reminders.settings import load_settings


def open_ledger() -> Engine:
    """Open the ledger of DATABASE_URL. SQLite is brought up to date; elsewhere that is a step of its own.

    Raises SettingsError, LedgerBehind and LedgerDown.
    """
    engine = make_engine(load_settings().database_url.reveal())
    try:
        if engine.dialect.name == "sqlite":
            migrate(engine)
        elif not is_current(engine):
            raise LedgerBehind
    except OperationalError as error:
        raise LedgerDown(f"the database does not answer: {error.orig}. Check DATABASE_URL, and that it runs.") from error
    return engine
