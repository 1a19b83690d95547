"""A clinic's rows, whole: every table's, in the order in which they refer to one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, delete, insert, select

from db.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

Rows = dict[str, list[dict[str, Any]]]


def rows_of(c: Connection, clinic_id: str) -> Rows:
    """Read all rows of a clinic, by table."""
    return {table.name: [dict(row) for row in c.execute(select(table).where(_mine(table, clinic_id))).mappings()] for table in _tables()}


def remove(c: Connection, clinic_id: str) -> None:
    """Delete all rows of a clinic."""
    for table in reversed(_tables()):
        c.execute(delete(table).where(_mine(table, clinic_id)))


def insert_rows(c: Connection, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> int:
    """Insert rows by table; return how many."""
    for table in _tables():
        if rows[table.name]:
            c.execute(insert(table), [dict(row) for row in rows[table.name]])
    return sum(len(found) for found in rows.values())


def _tables() -> list[Table]:
    """The tables that belong to clinics, each after those it refers to."""
    return [table for table in metadata.sorted_tables if table.name == "clinic" or "clinic_id" in table.c]


def _mine(table: Table, clinic_id: str) -> ColumnElement[bool]:
    return (table.c.id if table.name == "clinic" else table.c.clinic_id) == clinic_id
