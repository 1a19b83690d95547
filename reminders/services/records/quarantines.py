"""Quarantine: a time in which nothing is sent, because the ledger may not know what was. One stands at a time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, text, update

from reminders.errors import LedgerHeld
from reminders.services.records import audit, troubles
from reminders.services.records.audit import Entry
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


def refuse_while_held(c: Connection) -> None:
    """Refuse to change what a gap not yet relived would be decided by. Raises LedgerHeld."""
    if is_unreconciled(c):
        raise LedgerHeld


def standing(c: Connection) -> Row | None:
    """The quarantine that stands, if one does."""
    return next(iter(rows(c, _STANDING)), None)


def begin(c: Connection, *, why: str, since: datetime, now: datetime) -> str:
    """Begin a quarantine, and tell whoever runs this; return its id. One that stands already goes on, from the earlier start."""
    if c.dialect.name == "postgresql":  # two replicas that start together find the same, and begin it once
        c.execute(text("LOCK TABLE quarantine IN SHARE ROW EXCLUSIVE MODE"))
    there = standing(c)
    if there is not None:
        earlier = min(since, there["since"])
        _write(c, there["id"], since=earlier, why=why[:400], reconciled_at=None)
        return str(there["id"])
    quarantine_id = new_id()
    row = {"id": quarantine_id, "why": why[:400], "since": since, "began_at": now, "found": 0, "heard": 0, "unexplained": 0}
    insert_all(c, QUARANTINE, [row])
    troubles.begin(c, Trouble.QUARANTINE, f"Nothing is sent: {why} See `doseline quarantine`.", now=now)
    audit.write_everywhere(c, Entry(now, "doseline", "quarantine began", quarantine_id))
    return quarantine_id


def take_turn(c: Connection, quarantine_id: str, *, now: datetime, until: datetime, again: bool) -> bool:
    """Let one process at a time relive a gap; `again`: by whoever has the turn. Say whether it is theirs."""
    mine = (QUARANTINE.c.id == quarantine_id) & QUARANTINE.c.ended_at.is_(None)
    free = QUARANTINE.c.turn_until.is_(None) | (QUARANTINE.c.turn_until <= now)
    return c.execute(update(QUARANTINE).where(mine if again else mine & free).values(turn_until=until)).rowcount == 1


def give_up_turn(c: Connection, quarantine_id: str) -> None:
    """Let another process take the turn at once."""
    _write(c, quarantine_id, turn_until=None)


def reconciled(c: Connection, quarantine_id: str, *, found: int, heard: int, unexplained: int, now: datetime) -> None:
    """Note a gap as relived. What was found and heard adds up over several times; what is unexplained is as it now is."""
    there = next(iter(rows(c, select(QUARANTINE).where(QUARANTINE.c.id == quarantine_id))))
    more = {"found": there["found"] + found, "heard": there["heard"] + heard}
    _write(c, quarantine_id, **more, unexplained=unexplained, reconciled_at=now, turn_until=None)


def end(c: Connection, quarantine_id: str, *, by: str, now: datetime, why: str | None = None) -> bool:
    """End a quarantine; False if somebody else has ended it. `why`: the reason for ending one that is not in order."""
    mine = (QUARANTINE.c.id == quarantine_id) & QUARANTINE.c.ended_at.is_(None)
    values = {"ended_at": now, "ended_by": by[:80], "ended_why": why[:400] if why else None}
    if c.execute(update(QUARANTINE).where(mine).values(values)).rowcount == 0:
        return False
    troubles.end(c, Trouble.QUARANTINE, now=now)
    audit.write_everywhere(c, Entry(now, by, "quarantine ended", quarantine_id, "not in order" if why else ""))
    return True


def _write(c: Connection, quarantine_id: str, **values: object) -> None:
    c.execute(update(QUARANTINE).where(QUARANTINE.c.id == quarantine_id).values(values))
