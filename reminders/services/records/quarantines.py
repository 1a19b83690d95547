"""Quarantine: a time in which nothing is sent, because the ledger may not know what was. One stands at a time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from reminders.services.records import troubles
from reminders.services.records.ledger import QUARANTINE, insert_all, new_id, rows
from reminders.services.records.troubles import Trouble

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

_STANDING = select(QUARANTINE).where(QUARANTINE.c.ended_at.is_(None)).order_by(QUARANTINE.c.began_at).limit(1)
_STANDS = select(QUARANTINE.c.id).where(QUARANTINE.c.ended_at.is_(None)).limit(1)  # made once: the sender asks each second
_UNRECONCILED = _STANDS.where(QUARANTINE.c.reconciled_at.is_(None))


def stands(c: Connection) -> bool:
    """Whether a quarantine stands: then nothing is claimed, and nothing in doubt goes back to the queue."""
    return c.execute(_STANDS).first() is not None


def is_unreconciled(c: Connection) -> bool:
    """Whether one stands whose gap is not yet relived: then nothing is decided either, for it would be decided in ignorance."""
    return c.execute(_UNRECONCILED).first() is not None


def standing(c: Connection) -> Row | None:
    """The quarantine that stands, if one does."""
    return next(iter(rows(c, _STANDING)), None)


def begin(c: Connection, *, why: str, since: datetime, now: datetime) -> str:
    """Begin a quarantine, and tell whoever runs this; return its id. One that stands already goes on, from the earlier start."""
    there = standing(c)
    if there is not None:
        earlier = min(since, there["since"])
        c.execute(update(QUARANTINE).where(QUARANTINE.c.id == there["id"]).values(since=earlier, reconciled_at=None))
        return str(there["id"])
    row = {"id": new_id(), "why": why[:400], "since": since, "began_at": now, "found": 0, "heard": 0, "unexplained": 0}
    insert_all(c, QUARANTINE, [row])
    troubles.begin(c, Trouble.QUARANTINE, f"Nothing is sent: {why} See `doseline quarantine`.", now=now)
    return row["id"]


def end(c: Connection, quarantine_id: str, *, by: str, now: datetime) -> bool:
    """End a quarantine; False if somebody else has ended it."""
    mine = (QUARANTINE.c.id == quarantine_id) & QUARANTINE.c.ended_at.is_(None)
    if c.execute(update(QUARANTINE).where(mine).values(ended_at=now, ended_by=by[:80])).rowcount == 0:
        return False
    troubles.end(c, Trouble.QUARANTINE, now=now)
    return True
