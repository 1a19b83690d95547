"""What whoever runs the installation must know, and no patient is the cause of: open until it is over, one row for each name."""

from __future__ import annotations

import logging
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from reminders.services.records.ledger import TROUBLE, insert_once, rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

log = logging.getLogger(__name__)


class Trouble(StrEnum):
    """What can be wrong with an installation as a whole."""

    ACCOUNT = "account"
    CANNOT_HEAR = "cannot_hear"
    CLOCK = "clock"
    CONTENT = "content"
    DOUBLED = "doubled"
    FLOOD = "flood"
    QUARANTINE = "quarantine"


def begin(c: Connection, name: Trouble, words: str, *, now: datetime) -> bool:
    """Note that a trouble is there; say whether it is new. The words name no patient: they are logged."""
    values = {"words": words[:400], "began_at": now, "seen_at": now, "ended_at": None}
    new = insert_once(c, TROUBLE, {"name": name.value, **values})
    if not new:
        mine = TROUBLE.c.name == name.value
        new = c.execute(update(TROUBLE).where(mine, TROUBLE.c.ended_at.is_not(None)).values(values)).rowcount == 1
        c.execute(update(TROUBLE).where(mine, TROUBLE.c.seen_at < now).values(seen_at=now, words=words[:400]))
    if new:
        log.error("trouble: %s: %s", name.value, words)
    return new


def end(c: Connection, name: Trouble, *, now: datetime) -> bool:
    """Note that a trouble is over; say whether it was there."""
    over = c.execute(update(TROUBLE).where(TROUBLE.c.name == name.value, TROUBLE.c.ended_at.is_(None)).values(ended_at=now)).rowcount == 1
    if over:
        log.warning("over: %s", name.value)
    return over


def standing(c: Connection) -> list[Row]:
    """The troubles that are not over, oldest first: name, words, began_at, seen_at."""
    return rows(c, select(TROUBLE).where(TROUBLE.c.ended_at.is_(None)).order_by(TROUBLE.c.began_at, TROUBLE.c.name))
