"""Watermarks: up to when each of the carrier's lists has been read without a gap, and what waits for them to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BindParameter, bindparam, or_, select, update

from db.tables import UNSETTLED
from db.types import UtcDateTime
from reminders.domain.hearing import Hearing
from reminders.services.records.ledger import DOSE, TEXT_IN, TEXT_OUT, WATERMARK, asked, insert_once, locked

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

INBOUND, OUTBOUND = "inbound", "outbound"
AHEAD = timedelta(minutes=1)
"""A mark further ahead than this was written by a clock that was wrong, and has since been set back."""
AT_ONCE = 500

_NAME: BindParameter[str] = bindparam("its_name")
_SIDS: BindParameter[list[str]] = bindparam("sids", expanding=True)
_READ = select(WATERMARK.c.at, WATERMARK.c.failing_since).where(WATERMARK.c.name == _NAME)
_KNOWN = select(TEXT_IN.c.sid).where(TEXT_IN.c.sid.in_(_SIDS))
_UNSETTLED = (
    select(TEXT_OUT.c.sid, TEXT_OUT.c.sent_at, TEXT_OUT.c.rank)
    .where(
        UNSETTLED, TEXT_OUT.c.sent_at >= bindparam("since", type_=UtcDateTime), TEXT_OUT.c.sent_at <= bindparam("until", type_=UtcDateTime)
    )
    .order_by(TEXT_OUT.c.sent_at)
)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a list has been read. `at`: without a gap up to there, None: never yet; `failing_since`: it cannot be read, or is not."""

    at: datetime | None = None
    failing_since: datetime | None = None


def read(c: Connection, name: str, *, now: datetime) -> Mark:
    """How far a list has been read. A mark that lies ahead, by a clock that was wrong, says nothing."""
    found = asked(c, _READ, its_name=name)
    if not found:
        return Mark()
    at = found[0]["at"]
    return Mark(at if at is not None and at <= now else None, found[0]["failing_since"])


def hearing(c: Connection, *, now: datetime) -> Hearing:
    """How far the patients have been heard."""
    mark = read(c, INBOUND, now=now)
    return Hearing(mark.at, mark.failing_since)


def advance(c: Connection, name: str, *, to: datetime, now: datetime) -> None:
    """Note that a list was read without a gap up to an instant. The mark never falls, but from ahead of the clock."""
    values = {"at": to, "failing_since": None}
    if insert_once(c, WATERMARK, {"name": name, **values}):
        return
    mine = WATERMARK.c.name == name
    later = or_(WATERMARK.c.at.is_(None), WATERMARK.c.at < to, WATERMARK.c.at > now + AHEAD)
    c.execute(update(WATERMARK).where(mine, later).values(at=to))
    readable(c, name)


def readable(c: Connection, name: str) -> None:
    """Note that a list can be read, though what it shows may not all have been taken in yet."""
    c.execute(update(WATERMARK).where(WATERMARK.c.name == name, WATERMARK.c.failing_since.is_not(None)).values(failing_since=None))


def failed(c: Connection, name: str, *, now: datetime) -> None:
    """Note that a list cannot be read, or is not read by anybody; since when stays as it was first noted."""
    if not insert_once(c, WATERMARK, {"name": name, "at": None, "failing_since": now}):
        mine = (WATERMARK.c.name == name) & WATERMARK.c.failing_since.is_(None)
        c.execute(update(WATERMARK).where(mine).values(failing_since=now))


def wake(c: Connection, *, heard_until: datetime, now: datetime) -> int:
    """Have every dose looked at that has waited to be heard up to here; return how many.

    One that somebody is at is passed over: waiting for it while holding others could wait for ever. The next reading finds it.
    """
    waiting = locked(c, select(DOSE.c.id).where(DOSE.c.unheard_until <= heard_until), skip=True)
    return c.execute(update(DOSE).where(DOSE.c.id.in_(waiting)).values(check_at=now, unheard_until=None)).rowcount


def known(c: Connection, sids: Sequence[str]) -> set[str]:
    """Of these ids of incoming texts, the ones we have."""
    groups = (sids[start : start + AT_ONCE] for start in range(0, len(sids), AT_ONCE))
    return {sid for some in groups for sid in c.scalars(_KNOWN, {"sids": list(some)})}


def unsettled(c: Connection, *, since: datetime, until: datetime) -> list[Row]:
    """The texts that left in a time and whose end the carrier has not told, oldest first: sid, sent_at, rank."""
    return asked(c, _UNSETTLED, since=since, until=until)
