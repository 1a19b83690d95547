"""The tables by name, and the few statements every record needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Table, insert
from sqlalchemy.dialects import postgresql, sqlite

from db.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection, Result, Select

CLINIC, STAFF, STAFF_ROLE, PATIENT, PATIENT_WORD, CONTACT_POINT, CONTACT_ROLE = (
    metadata.tables[name] for name in ("clinic", "staff", "staff_role", "patient", "patient_word", "contact_point", "contact_role")
)
CONSENT, MEDICINE, PLAN, PLAN_VERSION, PLAN_STAY = (
    metadata.tables[name] for name in ("consent", "medicine", "plan", "plan_version", "plan_stay")
)
PLAN_EVENT, DOSE, DOSE_EVENT, TEXT_OUT, TEXT_ITEM = (
    metadata.tables[name] for name in ("plan_event", "dose", "dose_event", "text_out", "text_item")
)
TEXT_ATTEMPT, TEXT_IN, QUESTION, DELIVERY_EVENT, ALERT = (
    metadata.tables[name] for name in ("text_attempt", "text_in", "question", "delivery_event", "alert")
)
CHECK_IN, RATING, SUPPLY, ON_CALL, NUMBER_CHECK = (
    metadata.tables[name] for name in ("check_in", "rating", "supply", "on_call", "number_check")
)
SYSTEM_ADMIN = metadata.tables["system_admin"]
CARE_GRANT, CARE_LINK = (metadata.tables[name] for name in ("care_grant", "care_link"))
ACCOUNT, RECOVERY_CODE, INVITATION, WEB_SESSION, SIGN_IN_GUARD = (
    metadata.tables[name] for name in ("account", "recovery_code", "invitation", "web_session", "sign_in_guard")
)
API_KEY, API_KEY_ROLE, API_ANSWER = (metadata.tables[name] for name in ("api_key", "api_key_role", "api_answer"))
TAKEOVER = metadata.tables["takeover"]
AUDIT, LOOP_PASS, SENDER, WATERMARK, TROUBLE, QUARANTINE, STRANGER, PROBE = (
    metadata.tables[name] for name in ("audit", "loop_pass", "sender", "watermark", "trouble", "quarantine", "stranger", "probe")
)
SANDBOX_CLOCK, SANDBOX_STORY, SANDBOX_EVENT = (metadata.tables[name] for name in ("sandbox_clock", "sandbox_story", "sandbox_event"))

Row = Mapping[str, Any]

_INSERTS = {table.name: insert(table) for table in metadata.sorted_tables}


def new_id() -> str:
    """Make an id that nobody can guess and nothing can be read from."""
    return uuid4().hex


def insert_all(c: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; none is fine."""
    if rows:
        c.execute(_INSERTS[table.name], [dict(row) for row in rows])


def insert_once(c: Connection, table: Table, row: Row) -> bool:
    """Insert a row unless its key is there already; say whether it was new."""
    dialect = postgresql if c.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(dict(row)).on_conflict_do_nothing()
    # An INSERT's count of rows is thrown away unless it is asked for: on PostgreSQL every row would seem to be there already.
    return c.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1


def locked(c: Connection, query: Select[Any], *, skip: bool = False) -> Select[Any]:
    """Lock the rows on PostgreSQL (`skip`: pass over those another holds). A SQLite writer is alone anyway."""
    return query.with_for_update(skip_locked=skip) if c.dialect.name == "postgresql" else query


def rows(c: Connection, query: Select[Any]) -> list[Row]:
    """Run a query; return its rows as mappings, in order."""
    return _mapped(c.execute(query))


def asked(c: Connection, query: Select[Any], **values: Any) -> list[Row]:  # noqa: ANN401 - whatever its parameters hold
    """Run a query that was made once, with the values of its parameters; return its rows as mappings, in order."""
    return _mapped(c.execute(query, values))


def _mapped(found: Result[Any]) -> list[Row]:
    """Make dictionaries of rows; SQLAlchemy's own mappings are looked up a column at a time, and a dose has forty."""
    names = tuple(found.keys())
    return [dict(zip(names, row, strict=True)) for row in found]


def by(key: str, found: Iterable[Row]) -> dict[str, list[Row]]:
    """Group rows by a column, each group in order."""
    groups: dict[str, list[Row]] = {}
    for row in found:
        groups.setdefault(row[key], []).append(row)
    return groups


def earliest(*instants: datetime | None) -> datetime | None:
    """The earliest of the instants that are known."""
    return min((instant for instant in instants if instant is not None), default=None)
