"""The engine, the scopes in which the ledger is used, and its migrations.

`writing` (or `undoing`, which takes all of it back) and `reading` are the only ways in. On SQLite they differ in how their
transaction begins; on PostgreSQL in whether it may write. Rows and statements are none of this module's business.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url, text

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
    from sqlalchemy.pool import ConnectionPoolEntry

BUSY_SECONDS = 5
WAL_TRIES = 100
WRITER_SECONDS = 10  # a carrier that calls us gives up after 15: better a 503 that it hears, and calls again
MIGRATION_LOCK = 0x646F7365  # any constant will do, as long as every replica uses the same
POSTGRES_OPTIONS = "-c timezone=UTC -c idle_in_transaction_session_timeout=60s"  # a frozen replica gives its rows back

# A server that is gone without a word is given up after 15 to 20 s. The system's own patience is a quarter of an hour for what was
# sent, and two hours for an answer: for so long the threads that wait for one would be dead. (A socket file has no such times.)
SILENCE = {"tcp_user_timeout": 15_000, "keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3}

_writers: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()


class WriterBusy(TimeoutError):
    """The write lock was not free in time. A writing scope inside another would wait for itself."""


class BrokenReference(ValueError):
    """A migration left a row that refers to nothing; it was undone."""


def make_engine(url: str) -> Engine:
    """Make an engine for `sqlite:///path`, `sqlite://` (in memory, one connection) or `postgresql://…`.

    The folder of a SQLite file is made if it is missing. Nothing connects until the engine is first used. Its errors and
    its log never show what was written: a line in a log is not the place for a patient's number.
    """
    parsed = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    _writers[engine] = threading.Lock()
    return engine


def narrowed(engine: Engine, **options: object) -> Engine:
    """The same engine and its connections, each of which carries these options: whoever is asked with one can look at them."""
    same = engine.execution_options(**options)
    _writers[same] = _writers[engine]
    return same


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: committed at the end of the block, rolled back if it raises.

    On SQLite every writing scope of the process queues at one lock, because SQLite's own busy handler polls: a webhook
    beside a herd waited 1.4 s at p99 without it, 35 ms with it. Never open one inside another.
    """
    with _turn(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def undoing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes and is always rolled back: to see what would come of something. It waits its turn as a writer does."""
    with _turn(engine), engine.connect() as connection:
        transaction = connection.begin()
        try:
            yield connection
        finally:
            transaction.rollback()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One look at one moment of the ledger, which blocks no writer and refuses to write."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.execution_options(reads=True)
        else:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


def time_of(engine: Engine) -> datetime | None:
    """What the database's own clock shows now, the referee between replicas; None on SQLite, which runs on this machine."""
    if engine.dialect.name == "sqlite":
        return None
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:  # one question, and no transaction around it
        at: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return at


def free_bytes(engine: Engine) -> int | None:
    """How much the disk under a SQLite file still takes; None for a database whose disk is not this machine's to see."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    return None if file in {None, "", ":memory:"} else shutil.disk_usage(Path(str(file)).parent).free


def migrate(engine: Engine, history: Config | None = None) -> None:
    """Bring the tables up to the newest revision, or leave them as they were. Repeatable; replicas that start together take turns.

    `history` is where the migrations are, ours unless told. SQLite alters a table by copying and dropping it, which with
    references on would delete the rows that refer to it: they are off while it migrates, and checked before it commits.
    """
    with _turn(engine), engine.connect() as connection:
        connection.execution_options(refers=False)
        with connection.begin():
            if engine.dialect.name != "sqlite":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            config = history or migrations()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if engine.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise BrokenReference


def migrations() -> Config:
    """Where Alembic finds the migrations; no ini file is needed."""
    config = Config()
    config.set_main_option("script_location", "db:migrations")
    return config


def head_revision() -> str | None:
    """The newest revision this release knows."""
    return ScriptDirectory.from_config(migrations()).get_current_head()


def current_revision(engine: Engine) -> str | None:
    """The revision the database is at; None before the first migration."""
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(engine: Engine) -> bool:
    """Whether the tables are those this release was written for."""
    return current_revision(engine) == head_revision()


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait for this process's turn to write. PostgreSQL has row locks instead."""
    if engine.dialect.name != "sqlite":
        yield
        return
    lock = _writers[engine]
    if not lock.acquire(timeout=WRITER_SECONDS):
        raise WriterBusy(f"no turn to write within {WRITER_SECONDS} s")
    try:
        yield
    finally:
        lock.release()


def _sqlite(url: URL) -> Engine:
    in_memory = url.database in {None, "", ":memory:"}
    if not in_memory:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    pool = {"pool_size": 1, "max_overflow": 0} if in_memory else {}  # a second connection would be a second database
    arguments = {"isolation_level": None, "check_same_thread": False, "timeout": BUSY_SECONDS}
    engine = create_engine(url, poolclass=QueuePool, pool_timeout=BUSY_SECONDS, connect_args=arguments, hide_parameters=True, **pool)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _postgresql(url: URL) -> Engine:
    arguments = {"connect_timeout": BUSY_SECONDS, "options": POSTGRES_OPTIONS, **SILENCE}
    url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, pool_pre_ping=True, connect_args=arguments, hide_parameters=True)


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Set what SQLite leaves off: readers beside a writer, and a commit that survives a power cut before a text leaves."""
    cursor = connection.cursor()
    _keep_a_log(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _keep_a_log(cursor: DBAPICursor) -> None:
    """Turn the write-ahead log on. It stays on in the file; processes that open a new file together must take turns at it."""
    pause = threading.Event()
    for last in (*[False] * WAL_TRIES, True):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:  # "database is locked", at once: SQLite does not wait here as it does elsewhere
            if last:
                raise
            pause.wait(0.05)
        else:
            return


def _begin(connection: Connection) -> None:
    """Begin the transaction ourselves: the driver would wait for the first write, and a reader that turns writer can fail at once."""
    options = connection.get_execution_options()
    reads = options.get("reads", False)
    for pragma, wanted in (("foreign_keys", options.get("refers", True)), ("query_only", reads)):  # SQLite has both off at first
        if connection.info.get(pragma, False) != wanted:
            connection.exec_driver_sql(f"PRAGMA {pragma}={'ON' if wanted else 'OFF'}")
            connection.info[pragma] = wanted
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
