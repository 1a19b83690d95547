"""The databases that tests are given are real, migrated, and their own."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from db.engine import is_current, reading, writing
from tests.databases import database_of, with_database


def test_each_kind_of_engine_is_at_the_newest_migration(engine: Engine) -> None:
    """A test that asks for an engine gets the tables of this release, on SQLite and on PostgreSQL."""
    assert is_current(engine)


@pytest.mark.parametrize("visit", ["first", "second"])
def test_no_test_sees_what_another_wrote(engine: Engine, visit: str) -> None:
    """A table made by one test is not there for the next."""
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE footprint (visit TEXT)"))
        connection.execute(text("INSERT INTO footprint VALUES (:visit)"), {"visit": visit})

    with reading(engine) as connection:
        assert connection.execute(text("SELECT visit FROM footprint")).scalars().all() == [visit]


def test_a_socket_address_keeps_its_query() -> None:
    """A PostgreSQL on a socket names its folder in the query, which a change of database leaves alone."""
    changed = with_database("postgresql://postgres:@/postgres?host=/tmp/here", "other")

    assert (changed, database_of(changed)) == ("postgresql://postgres:@/other?host=/tmp/here", "other")
