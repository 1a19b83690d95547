"""A backup of a ledger, and what is compared of the one that was restored with the one that was never lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, select

from db.engine import reading, writing
from db.tables import metadata
from reminders.clock import HandClock
from reminders.messaging.sandbox import SandboxTransport
from reminders.messaging.transport import ReceivedText, Transport
from reminders.services import quarantining, reminding
from reminders.simulation.reliving import Reconciled, reconcile
from tests.stage import Stage, empty_ledger


def back_up(source: Engine, *, now: datetime, into: Engine | None = None) -> Engine:
    """Copy a ledger as it is now, worked on until this instant; into memory, or into an empty one."""
    target = into or empty_ledger()
    with reading(source) as c:
        tables = {table: [dict(row) for row in c.execute(select(table)).mappings()] for table in metadata.sorted_tables}
    with writing(target) as c:
        for table, found in tables.items():
            if found:
                c.execute(insert(table), found)
    reminding.record_pass(target, "build", now=now)
    return target


def lists_of(lived: Stage) -> SandboxTransport:
    """The carrier of a clinic, which has in its lists all that was sent and said."""
    for row in sorted(lived.rows("text_in"), key=lambda row: row["received_at"]):
        lived.transport.leave(ReceivedText(row["sid"], row["from_phone"], row["to_phone"], row["body"], row["received_at"]))
    return lived.transport


def restore(backup: Engine, carrier: Transport, *, now: datetime) -> Reconciled:
    """Quarantine a backup, and relive its gap."""
    quarantining.begin(backup, "A backup was restored.", now=now)
    return asyncio.run(reconcile(backup, carrier, clock=HandClock(now)))


def rows(engine: Engine, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    with reading(engine) as c:
        return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]


def dose_states(engine: Engine) -> dict[tuple[str, str, int], tuple[object, ...]]:
    """Where each dose stands: by plan, date and number."""
    said = ("state", "taken_at", "taken_by", "odd", "contradicted", "answered", "muted")
    return {(row["plan_id"], str(row["local_date"]), row["slot_no"]): tuple(row[name] for name in said) for row in rows(engine, "dose")}


def accepted_sids(engine: Engine) -> set[str]:
    """The carrier's ids that texts have."""
    return {row["sid"] for row in rows(engine, "text_out") if row["sid"]}


def plan_states(engine: Engine) -> dict[str, tuple[object, ...]]:
    """Where each plan stands, and what is due of it next."""
    return {row["ref"]: (row["state"], row["decided_until"], row["next_due_at"]) for row in rows(engine, "plan")}


def alerts(engine: Engine) -> Counter[tuple[str, bool]]:
    """How many alerts of each kind there were, open and closed."""
    return Counter((row["kind"], row["closed_at"] is None) for row in rows(engine, "alert"))


def opted_out(engine: Engine) -> dict[str, bool]:
    """Which phones want no texts."""
    return {row["phone"]: row["opted_out_at"] is not None for row in rows(engine, "contact_point")}
