"""Opening the ledger: its tables are those this release was written for, or it stays closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.engine import is_current, make_engine, migrate
from reminders.errors import LedgerBehind

if TYPE_CHECKING:
    from sqlalchemy import Engine


def open_ledger(url: str) -> Engine:
    """Open the ledger at an address. SQLite is brought up to date here; elsewhere that is the operator's step.

    Raises LedgerBehind, and SQLAlchemy's errors where the database does not answer.
    """
    engine = make_engine(url)
    try:
        _up_to_date(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _up_to_date(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        migrate(engine)
    elif not is_current(engine):
        raise LedgerBehind


def in_memory() -> Engine:
    """Open an empty ledger that is gone when nobody holds it: for a story."""
    return open_ledger("sqlite://")
