"""A sender's pace and rest, one row shared by every process that sends by the same carrier."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, update

from reminders.messaging.pacing import Bucket
from reminders.services.records.ledger import SENDER, asked, insert_once, locked

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

_BY_NAME = select(SENDER).where(SENDER.c.name == bindparam("name"))


def hold(c: Connection, name: str) -> Row:
    """Lock a sender's row, and read it; it is made if it is not there yet. Who holds it claims alone."""
    found = asked(c, locked(c, _BY_NAME), name=name)
    if not found:
        insert_once(c, SENDER, {"name": name})
        found = asked(c, locked(c, _BY_NAME), name=name)
    return found[0]


def bucket_of(sender: Row) -> Bucket:
    """How far ahead of its pace a sender is."""
    return Bucket(sender["paced_until"], sender["ordinary_until"])


def paced(c: Connection, name: str, bucket: Bucket) -> None:
    """Write how far ahead of its pace a sender now is."""
    _write(c, name, paced_until=bucket.all_until, ordinary_until=bucket.ordinary_until)


def rests(c: Connection, name: str, *, until: datetime, refusals: int) -> None:
    """Let a sender rest: nothing is tried before. `refusals`: how many times running, this one included."""
    _write(c, name, rests_until=until, refusals=refusals)


def took(c: Connection, name: str, *, at: datetime) -> None:
    """Note that the carrier takes texts."""
    _write(c, name, taken_at=at)


def wakes(c: Connection, name: str) -> None:
    """Let a sender that rested go on."""
    _write(c, name, rests_until=None, refusals=0)


def end_rest(c: Connection, name: str, *, until: datetime) -> None:
    """End a sender's rest, if it is the one until this instant; how often it was refused stays."""
    c.execute(update(SENDER).where(SENDER.c.name == name, SENDER.c.rests_until == until).values(rests_until=None))


def names(c: Connection) -> list[str]:
    """Every sender there is, always in one order: who holds several holds them so."""
    return list(c.scalars(select(SENDER.c.name).order_by(SENDER.c.name)))


def that_took(c: Connection) -> set[str]:
    """The carriers that ever took a text of this ledger's."""
    return set(c.scalars(select(SENDER.c.name).where(SENDER.c.taken_at.is_not(None))))


def last_rest(c: Connection) -> datetime | None:
    """Until when the sender that rests the longest rests, or rested."""
    until: datetime | None = c.scalar(select(func.max(SENDER.c.rests_until)))
    return until


def _write(c: Connection, name: str, **values: object) -> None:
    c.execute(update(SENDER).where(SENDER.c.name == name).values(values))
