"""The audit chain: one a clinic, each event carrying the hash of the one before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import select

from reminders.services.records.ledger import AUDIT, CLINIC, insert_all, locked, rows

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to which thing. Ids and codes only: retention may delete personal data without breaking the chain."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: str = ""


def write_audit(c: Connection, clinic_id: str, entry: Entry) -> None:
    """Append to the clinic's chain, under the clinic's row lock."""
    c.execute(locked(c, select(CLINIC.c.id).where(CLINIC.c.id == clinic_id))).all()
    last = c.execute(select(AUDIT.c.no, AUDIT.c.hash).where(AUDIT.c.clinic_id == clinic_id).order_by(AUDIT.c.no.desc()).limit(1)).first()
    no, previous = (last.no + 1, last.hash) if last else (1, START)
    row = {
        "clinic_id": clinic_id,
        "no": no,
        "at": entry.at,
        "actor": entry.actor[:80],
        "action": entry.action[:40],
        "subject": entry.subject[:120],
        "detail": entry.detail[:400],
        "previous_hash": previous,
        "hash": _link(previous, no, entry),
    }
    insert_all(c, AUDIT, [row])


def write_everywhere(c: Connection, entry: Entry) -> None:
    """Append to every clinic's chain what is done to all of them at once."""
    for clinic_id in c.scalars(select(CLINIC.c.id).order_by(CLINIC.c.id)).all():
        write_audit(c, clinic_id, entry)


def first_broken_link(c: Connection, clinic_id: str) -> int | None:
    """The number of the first event whose hash does not follow from the one before; None if the chain holds."""
    previous = START
    for number, row in enumerate(rows(c, select(AUDIT).where(AUDIT.c.clinic_id == clinic_id).order_by(AUDIT.c.no)), 1):
        entry = Entry(row["at"], row["actor"], row["action"], row["subject"], row["detail"])
        if row["no"] != number or row["previous_hash"] != previous or row["hash"] != _link(previous, number, entry):
            return number
        previous = row["hash"]
    return None


def _link(previous: str, no: int, entry: Entry) -> str:
    at = entry.at.astimezone(UTC).isoformat()
    parts = (previous, str(no), at, entry.actor[:80], entry.action[:40], entry.subject[:120], entry.detail[:400])
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
