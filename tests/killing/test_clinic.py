"""The load of an ordeal comes, whatever holds the ledger."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

from sqlalchemy import Engine, event, func, select

from db.engine import reading
from db.tables import metadata
from tests.killing.carrier import a_carrier
from tests.killing.clinic import Clinic
from tests.killing.lives import dice


def test_who_cannot_be_entered_is_entered_later(sqlite_engine: Engine) -> None:
    """A process that is frozen while it writes keeps everybody from it for longer than anybody waits: what is refused is tried again."""
    refused = Event()
    event.listen(sqlite_engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=20"))
    event.listen(sqlite_engine, "handle_error", lambda _: refused.set())
    with a_carrier(1) as carrier, closing(sqlite3.connect(str(sqlite_engine.url.database))) as frozen, ThreadPoolExecutor(1) as hands:
        clinic = Clinic(sqlite_engine, carrier, "", dice(1))
        frozen.execute("BEGIN IMMEDIATE")
        entering = hands.submit(clinic.enrol, 3)
        try:
            assert refused.wait(30)
        finally:
            frozen.rollback()
        entering.result()
    with reading(sqlite_engine) as c:
        entered = c.scalar(select(func.count()).select_from(metadata.tables["plan"]))

    assert (len(clinic.plans), entered) == (3, clinic.doses)
