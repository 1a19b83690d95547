"""What whoever runs the installation must know, and no patient is the cause of: open until it is over, one row for each name."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

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
    ON_CALL = "on_call"
    QUARANTINE = "quarantine"


def begin(c: Connection, name: Trouble, words: str, *, now: datetime, of: str = "") -> bool:
    """Note that a trouble is there; say whether it is new. The words name no patient: they are logged.

    `of` says whose trouble it is, where several can have the same: each is a row of its own, and ends by itself.
    """
    key = _key(name, of)
    values = {"words": words[:400], "began_at": now, "seen_at": now, "ended_at": None}
    new = insert_once(c, TROUBLE, {"name": key, **values})
    if not new:
        mine = TROUBLE.c.name == key
        new = c.execute(update(TROUBLE).where(mine, TROUBLE.c.ended_at.is_not(None)).values(values)).rowcount == 1
        c.execute(update(TROUBLE).where(mine, TROUBLE.c.seen_at < now).values(seen_at=now, words=words[:400]))
    if new:
        log.error("trouble: %s: %s", key, words)
    return new


def end(c: Connection, name: Trouble, *, now: datetime, of: str = "", quiet_for: timedelta = timedelta()) -> bool:
    """Note that a trouble is over, once it was not met for some time; say whether it was there."""
    key = _key(name, of)
    there = (TROUBLE.c.name == key, TROUBLE.c.ended_at.is_(None), TROUBLE.c.seen_at <= now - quiet_for)
    over = c.execute(update(TROUBLE).where(*there).values(ended_at=now)).rowcount == 1
    if over:
        log.warning("over: %s", key)
    return over


def forget_gone(c: Connection, name: Trouble, *, since: datetime) -> None:
    """Forget the troubles of this name whose owners have not told of them since an instant: they are no more, nor is their trouble."""
    theirs = TROUBLE.c.name.startswith(f"{name.value} ", autoescape=True)
    gone = delete(TROUBLE).where(theirs, TROUBLE.c.seen_at < since).returning(TROUBLE.c.name, TROUBLE.c.ended_at)
    for key, ended_at in c.execute(gone).all():
        if ended_at is None:
            log.warning("over: %s is no more", key)


def standing(c: Connection) -> list[Row]:
    """The troubles that are not over, oldest first: name, words, began_at, seen_at."""
    return rows(c, select(TROUBLE).where(TROUBLE.c.ended_at.is_(None)).order_by(TROUBLE.c.began_at, TROUBLE.c.name))


def whose(trouble: Row, name: Trouble) -> str:
    """Whose trouble it is, where it has that name and several can have it; else empty."""
    kind, _, of = str(trouble["name"]).partition(" ")
    return of if kind == name.value else ""


def _key(name: Trouble, of: str) -> str:
    return f"{name.value} {of}" if of else name.value
