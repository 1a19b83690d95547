"""One plain row for every table, found from the tables themselves, for tests of what the database refuses."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

from sqlalchemy import CheckConstraint, Column, Connection, Table, TypeDecorator, insert

from db.tables import metadata
from db.types import ExactDecimal

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE_OF_EACH: dict[type, object] = {
    bool: False,
    int: 1,
    str: "one",
    date: NOON.date(),
    time: time(8),
    datetime: NOON,
}

Row = dict[str, object]


def lists(table: Table) -> dict[str, list[str]]:
    """Return the CHECK lists of a table: each column's allowed values."""
    texts = [str(check.sqltext) for check in table.constraints if isinstance(check, CheckConstraint)]
    found = [re.fullmatch(r"(\w+) IN \((.+)\)", text) for text in texts]
    return {match[1]: re.findall(r"'(\w+)'", match[2]) for match in found if match}


def a_row(table: Table, **values: object) -> Row:
    """Return a row in which everything required is there; every id is `one`, so that one row each refer to one another.

    A value for a column that the table lacks is left out.
    """
    required: Row = {column.name: _some(column) for column in table.columns if not column.nullable}
    allowed: Row = {column: members[0] for column, members in lists(table).items()}
    if table.name == "invitation":  # it has a clinic and somebody there, or neither
        allowed |= {"clinic_id": "one", "staff_id": "one"}
    return required | allowed | {column: value for column, value in values.items() if column in table.columns}


def fill(connection: Connection, *, clinic: str = "one") -> None:
    """Add one row to every table, in the order of their references."""
    for table in metadata.sorted_tables:
        connection.execute(insert(table).values(a_row(table, **_of_clinic(table, clinic))))


def _some(column: Column[object]) -> object:
    if isinstance(column.type, ExactDecimal):
        return Decimal("2.50")
    on_disk = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return ONE_OF_EACH[on_disk.python_type]


def _of_clinic(table: Table, clinic: str) -> Row:
    if table.name == "clinic":
        return {"id": clinic}
    return {"clinic_id": clinic} if "clinic_id" in table.columns else {}
