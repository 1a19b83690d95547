"""Numbers nobody here knows: answered once a day at most, and forgotten after thirty days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from db.types import UtcDateTime
from reminders.services.records.ledger import STRANGER, TEXT_IN

if TYPE_CHECKING:
    from sqlalchemy import Connection

ANSWERED_EVERY = timedelta(days=1)
SAID_STOP, SAID_START = "OptOut", "OptIn"
"""What a stranger's text is read as; nothing else that they say is noted."""

_STRANGE = text("clinic_id IS NULL AND from_phone <> ''")  # word for word as the index has it, or it would not be used
_ROW = {"phone": bindparam("phone"), "sid": bindparam("sid"), "answered_at": bindparam("now", type_=UtcDateTime)}
_FREE = STRANGER.c.answered_at <= bindparam("free_at", type_=UtcDateTime)
_TAKE = {
    name: dialect.insert(STRANGER)
    .values(_ROW)
    .on_conflict_do_update(
        index_elements=[STRANGER.c.phone], set_={"sid": bindparam("sid"), "answered_at": _ROW["answered_at"]}, where=_FREE
    )
    .returning(STRANGER.c.sid)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}


def take_answer(c: Connection, phone: str, *, sid: str, now: datetime) -> bool:
    """Take a number's one answer of the day for a text; say whether it was still to be had.

    One statement: of two texts at once, on whichever replica, one takes it.
    """
    values = {"phone": phone, "sid": sid, "now": now, "free_at": now - ANSWERED_EVERY}
    return c.execute(_TAKE[c.dialect.name], values).first() is not None


def was_answered(c: Connection, phone: str, *, sid: str) -> bool:
    """Whether a text is the last one of its number that was answered."""
    return c.scalar(select(STRANGER.c.phone).where(STRANGER.c.phone == phone, STRANGER.c.sid == sid)) is not None


def wants_nothing(c: Connection, phone: str) -> bool:
    """Whether STOP was the last that a number said of our texts."""
    said = select(TEXT_IN.c.reading).where(TEXT_IN.c.from_phone == phone, TEXT_IN.c.reading.in_((SAID_STOP, SAID_START)))
    return c.scalar(said.order_by(TEXT_IN.c.received_at.desc(), TEXT_IN.c.sid.desc()).limit(1)) == SAID_STOP


def forget_texts(c: Connection, *, before: datetime, limit: int) -> int:
    """Empty strangers' texts that came at or before an instant, oldest first; return how many. Their sids stay for ever."""
    old = select(TEXT_IN.c.sid).where(_STRANGE, TEXT_IN.c.received_at <= before).order_by(TEXT_IN.c.received_at).limit(limit)
    emptied = {"from_phone": "", "body": "", "reading": "", "token": None}
    return c.execute(update(TEXT_IN).where(TEXT_IN.c.sid.in_(old)).values(emptied)).rowcount


def forget_answers(c: Connection, *, before: datetime, limit: int) -> int:
    """Delete the numbers last answered at or before an instant, oldest first; return how many."""
    old = select(STRANGER.c.phone).where(STRANGER.c.answered_at <= before).order_by(STRANGER.c.answered_at).limit(limit)
    return c.execute(delete(STRANGER).where(STRANGER.c.phone.in_(old))).rowcount
