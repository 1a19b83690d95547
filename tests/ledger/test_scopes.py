from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Event

import pytest
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, insert, select, update
from sqlalchemy.exc import DBAPIError, OperationalError

import db.engine
from db.engine import WriterBusy, make_engine, reading, undoing, writing

COUNTER = Table("counter", MetaData(), Column("no", Integer, primary_key=True), Column("value", Integer, nullable=False))


@pytest.fixture
def counting(engine: Engine) -> Engine:
    """A ledger with a counter at nought beside its own tables."""
    COUNTER.metadata.create_all(engine)
    with writing(engine) as connection:
        connection.execute(insert(COUNTER).values(no=1, value=0))
    return engine


@pytest.fixture
def sqlite_counting(sqlite_engine: Engine) -> Engine:
    """The same, on SQLite only."""
    COUNTER.metadata.create_all(sqlite_engine)
    with writing(sqlite_engine) as connection:
        connection.execute(insert(COUNTER).values(no=1, value=0))
    return sqlite_engine


def value(connection: Connection) -> int:
    """Return what the counter says, locking it where the database has row locks."""
    return int(connection.execute(select(COUNTER.c.value).with_for_update()).scalar_one())


def add_one(connection: Connection) -> None:
    """Read the counter, and write one more: what is lost if another does so in between."""
    connection.execute(update(COUNTER).values(value=value(connection) + 1))


def add_one_and_fail(connection: Connection) -> None:
    """Write, and fail before the scope ends."""
    add_one(connection)
    raise ZeroDivisionError


def counted(engine: Engine) -> int:
    """Return what the counter says in the end."""
    with reading(engine) as connection:
        return int(connection.execute(select(COUNTER.c.value)).scalar_one())


def pragma(engine: Engine, name: str) -> object:
    """Return a setting of SQLite as a connection of this engine has it."""
    with reading(engine) as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def in_two_threads(do: Callable[[], None]) -> None:
    """Do the same in two threads that start together, and raise what either raises."""
    together = Barrier(2)

    def run() -> None:
        together.wait()
        do()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(run), pool.submit(run)]:
            future.result()


@contextmanager
def held(engine: Engine) -> Iterator[None]:
    """Hold a writing scope open in another thread, with a write in it that is not committed."""
    inside, let_go = Event(), Event()

    def hold() -> None:
        with writing(engine) as connection:
            add_one(connection)
            inside.set()
            let_go.wait(10)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        inside.wait(10)
        try:
            yield
        finally:
            let_go.set()
            holding.result()


def test_what_is_written_stays(counting: Engine) -> None:
    """A writing scope commits at its end."""
    with writing(counting) as connection:
        add_one(connection)

    assert counted(counting) == 1


def test_what_fails_leaves_nothing(counting: Engine) -> None:
    """A writing scope that raises leaves no trace."""
    with pytest.raises(ZeroDivisionError), writing(counting) as connection:
        add_one_and_fail(connection)

    assert counted(counting) == 0


def test_what_is_undone_leaves_nothing(counting: Engine) -> None:
    """An undoing scope sees what it wrote, and nobody else ever does; the next writer has its turn."""
    with undoing(counting) as connection:
        add_one(connection)
        assert value(connection) == 1
    with writing(counting) as connection:
        add_one(connection)

    assert counted(counting) == 1


def test_a_failed_scope_lets_the_next_one_in(counting: Engine) -> None:
    """A writing scope that raises gives back its turn."""
    with pytest.raises(ZeroDivisionError), writing(counting) as connection:
        add_one_and_fail(connection)
    with writing(counting) as connection:
        add_one(connection)

    assert counted(counting) == 1


def test_two_threads_lose_nothing(counting: Engine) -> None:
    """Two threads that read and then write, fifty times each, count to a hundred."""

    def fifty() -> None:
        for _ in range(50):
            with writing(counting) as connection:
                add_one(connection)

    in_two_threads(fifty)

    assert counted(counting) == 100


def test_two_engines_on_one_file_lose_nothing(sqlite_counting: Engine) -> None:
    """Two processes on one SQLite file share no lock of ours: BEGIN IMMEDIATE keeps them apart."""
    other = make_engine(sqlite_counting.url.render_as_string())
    engines = iter([sqlite_counting, other])

    def fifty() -> None:
        engine = next(engines)
        for _ in range(50):
            with writing(engine) as connection:
                add_one(connection)

    in_two_threads(fifty)
    other.dispose()

    assert counted(sqlite_counting) == 100


def test_a_writer_has_the_file_from_its_first_word(sqlite_engine: Engine) -> None:
    """A writing scope holds SQLite's write lock before it has written: what it reads stays true."""
    other = sqlite3.connect(str(sqlite_engine.url.database), timeout=0, isolation_level=None)
    with writing(sqlite_engine), pytest.raises(sqlite3.OperationalError) as refused:
        other.execute("BEGIN IMMEDIATE")
    other.close()

    assert str(refused.value) == "database is locked"


def test_a_transaction_without_a_scope_is_a_writer(sqlite_engine: Engine) -> None:
    """What begins without a scope is taken for a writer, which is slow at worst and never unsafe."""
    other = sqlite3.connect(str(sqlite_engine.url.database), timeout=0, isolation_level=None)
    with sqlite_engine.begin(), pytest.raises(sqlite3.OperationalError) as refused:
        other.execute("BEGIN IMMEDIATE")
    other.close()

    assert str(refused.value) == "database is locked"


def test_a_scope_inside_a_scope_says_so(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writing scope inside another waits for itself: it ends with an error, not never."""
    monkeypatch.setattr(db.engine, "WRITER_SECONDS", 0.01)

    with writing(sqlite_engine), pytest.raises(WriterBusy), writing(sqlite_engine):
        pass


def test_a_reader_waits_for_no_writer(counting: Engine) -> None:
    """A reading scope beside an open writing scope sees what was there before it."""
    with held(counting):
        seen = counted(counting)

    assert seen == 0


def test_a_writer_waits_for_no_reader(counting: Engine) -> None:
    """A writing scope commits while a report is being read."""
    with reading(counting) as report:
        report.execute(select(COUNTER)).all()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_add_one_to, counting).result(timeout=5)
    seen = counted(counting)

    assert seen == 1


def test_a_reader_sees_one_moment(counting: Engine) -> None:
    """All that a reading scope reads was true at once."""
    with reading(counting) as report:
        before = report.execute(select(COUNTER.c.value)).scalar_one()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_add_one_to, counting).result(timeout=5)
        after = report.execute(select(COUNTER.c.value)).scalar_one()

    assert after == before


def test_a_reader_cannot_write(counting: Engine) -> None:
    """A reading scope refuses to write, so that no write slips past the write lock."""
    with pytest.raises(DBAPIError, match=r"read-?only"), reading(counting) as connection:
        connection.execute(update(COUNTER).values(value=7))


def test_a_connection_that_read_can_write_again(counting: Engine) -> None:
    """A connection keeps nothing of the scope before it."""
    counted(counting)
    _add_one_to(counting)

    assert counted(counting) == 1


@pytest.mark.parametrize(("name", "setting"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)])
def test_sqlite_is_set(sqlite_engine: Engine, name: str, setting: object) -> None:
    """Readers stand beside a writer, a commit survives a power cut (2 is FULL), references are checked, and the busy wait."""
    assert pragma(sqlite_engine, name) == setting


def test_an_error_does_not_tell_what_was_written(counting: Engine) -> None:
    """What the database refuses reaches a log by its statement, never by its values."""
    with pytest.raises(DBAPIError) as refused, writing(counting) as connection:
        connection.execute(insert(COUNTER).values(no=1, value=20255501))

    assert "20255501" not in str(refused.value)


def test_memory_is_one_database() -> None:
    """A ledger in memory is the same in every thread."""
    engine = make_engine("sqlite://")
    COUNTER.metadata.create_all(engine)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_start_counting, engine).result()
    in_two_threads(lambda: _add_one_to(engine))
    seen = counted(engine)
    engine.dispose()

    assert seen == 2


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    """A fresh machine has no folder for its data yet."""
    file = tmp_path / "var" / "deep" / "doseline.db"
    engine = make_engine(f"sqlite:///{file}")
    with writing(engine):
        pass
    engine.dispose()

    assert file.exists()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_name_of_postgresql_is_known(scheme: str) -> None:
    """Whatever a host calls its PostgreSQL, psycopg speaks to it."""
    assert make_engine(f"{scheme}://clinic@localhost/ledger").url.drivername == "postgresql+psycopg"


def test_a_server_that_is_away_is_not_waited_for_long() -> None:
    """A PostgreSQL that does not answer is an error, not a hang."""
    with pytest.raises(OperationalError), reading(make_engine("postgresql://nobody@127.0.0.1:1/none")):
        pass


def test_a_frozen_replica_gives_its_rows_back(postgres_engine: Engine) -> None:
    """PostgreSQL ends a transaction that stands idle for a minute, and its row locks with it."""
    with reading(postgres_engine) as connection:
        idle = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one()

    assert idle == "1min"


def _add_one_to(engine: Engine) -> None:
    with writing(engine) as connection:
        add_one(connection)


def _start_counting(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(COUNTER).values(no=1, value=0))
