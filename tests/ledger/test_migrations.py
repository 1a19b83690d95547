from __future__ import annotations

import ast
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Inspector, func, inspect, select
from sqlalchemy.engine.interfaces import ReflectedIndex
from sqlalchemy.exc import IntegrityError

from db.engine import BrokenReference, current_revision, head_revision, is_current, make_engine, migrate, migrations, reading, writing
from db.tables import metadata
from tests.ledger.rows import fill

VERSIONS = sorted(Path(ScriptDirectory.from_config(migrations()).versions).glob("[0-9]*.py"))


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    """A database with nothing in it, on each kind in turn."""
    engine = make_engine(empty_database_url)
    yield engine
    engine.dispose()


def shape(engine: Engine) -> dict[str, dict[str, list[str]]]:
    """Return all that a database says of its tables, each fact as a sentence, in an order that does not matter."""
    with reading(engine) as connection:
        found = inspect(connection)
        return {name: _shape_of(found, name) for name in found.get_table_names() if name != "alembic_version"}


def _shape_of(found: Inspector, table: str) -> dict[str, list[str]]:
    return {
        "columns": sorted(str(sorted(map(str, column.items()))) for column in found.get_columns(table)),
        "key": [str(found.get_pk_constraint(table))],
        "references": sorted(map(str, found.get_foreign_keys(table))),
        "unique": sorted(map(str, found.get_unique_constraints(table))),
        "lists": sorted(map(str, found.get_check_constraints(table))),
        "indexes": sorted(map(_index, found.get_indexes(table))),
    }


def _index(index: ReflectedIndex) -> str:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}  # SQLite gives a condition as an object
    return str({**index, "dialect_options": options})


def test_alembic_finds_nothing_to_do(engine: Engine) -> None:
    """After the migrations, Alembic's own comparison with the tables is empty: else run `python -m db.migrations`."""
    with reading(engine) as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_server_default": True}), metadata)

    assert differences == []


def test_migrations_make_what_the_tables_say(empty: Engine) -> None:
    """The migrations make the very tables that SQLModel would, with the CHECK lists, which Alembic does not compare."""
    metadata.create_all(empty)
    said = shape(empty)
    metadata.drop_all(empty)
    migrate(empty)

    assert shape(empty) == said


def test_an_empty_database_is_behind(empty: Engine) -> None:
    """Before the first migration a database is at no revision."""
    assert (current_revision(empty), is_current(empty)) == (None, False)


def test_a_migrated_database_is_current(engine: Engine) -> None:
    """After `migrate` a database is at the newest revision, and says so."""
    assert (current_revision(engine), is_current(engine)) == (head_revision(), True)


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    """`migrate` can be run at every start."""
    before = shape(engine)
    migrate(engine)

    assert shape(engine) == before


def test_replicas_migrate_together(empty_database_url: str) -> None:
    """Replicas that start at the same moment on an empty database take turns."""
    engines = [make_engine(empty_database_url) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, engines))
    current = [is_current(engine) for engine in engines]
    for engine in engines:
        engine.dispose()

    assert current == [True, True, True]


def test_a_migration_that_fails_leaves_nothing(empty: Engine, tmp_path: Path) -> None:
    """Tables are made all or none, on SQLite too, whose driver would have committed each."""
    history = continued(tmp_path, "raise ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        migrate(empty, history)

    assert shape(empty) == {}


def test_an_altered_table_keeps_what_refers_to_it(engine: Engine, tmp_path: Path) -> None:
    """Altering a table, which SQLite does by dropping it, loses no row that refers to it."""
    with writing(engine) as connection:
        fill(connection)
    migrate(engine, continued(tmp_path, ALTER_EVERY_TABLE))

    assert rows_in(engine) == {table.name: 1 for table in metadata.sorted_tables}


def test_references_are_on_again_after_migrating(sqlite_engine: Engine) -> None:
    """SQLite checks references again in the transaction after a migration."""
    migrate(sqlite_engine)
    with writing(sqlite_engine) as connection:
        setting = connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one()

    assert setting == 1


def test_a_migration_cannot_break_a_reference(engine: Engine, tmp_path: Path) -> None:
    """A migration that leaves a row referring to nothing is undone."""
    with writing(engine) as connection:
        fill(connection)
    with pytest.raises((BrokenReference, IntegrityError)):
        migrate(engine, continued(tmp_path, 'op.execute("DELETE FROM patient")'))

    assert rows_in(engine)["patient"] == 1


def test_there_is_no_way_back(engine: Engine) -> None:
    """The ledger is never taken apart: a downgrade refuses, and says what to do."""
    history = migrations()
    with writing(engine) as connection:
        history.attributes["connection"] = connection
        with pytest.raises(NotImplementedError, match="restore a backup"):
            command.downgrade(history, "base")


@pytest.mark.parametrize("file", VERSIONS, ids=lambda file: str(file.stem))
def test_a_migration_imports_nothing_of_ours(file: Path) -> None:
    """A migration written today runs when the tables and the rules have changed."""
    modules = {node.module for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)}

    assert modules <= {"__future__", "alembic"}


ALTER_EVERY_TABLE = """
    for name in sa.inspect(op.get_bind()).get_table_names():
        if name != "alembic_version":
            with op.batch_alter_table(name, recreate="auto") as table:
                table.add_column(sa.Column("later", sa.Integer(), nullable=True))
                table.create_check_constraint("later", "later > 0")
"""

CONTINUED = """
import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "{head}"


def upgrade():
    {body}
"""


def continued(folder: Path, body: str) -> Config:
    """Our history with one more migration, which does what is said."""
    (folder / "later.py").write_text(CONTINUED.format(head=head_revision(), body=body))
    history = migrations()
    history.set_main_option("path_separator", "newline")
    history.set_main_option("version_locations", f"db:migrations/versions\n{folder}")
    return history


def rows_in(engine: Engine) -> dict[str, int]:
    """Count the rows of each table."""
    with reading(engine) as connection:
        return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in metadata.sorted_tables}
