"""The sandbox's own rows: how far its clock was moved, the story a clinic began with, and what was done that no other row tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from reminders.services.records.ledger import CLINIC, SANDBOX_CLOCK, SANDBOX_EVENT, SANDBOX_STORY, insert_all, insert_once, locked, rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Kept:
    """Something done in the sandbox, as an event of a story file; `sid` is there where it was a text."""

    at: datetime
    event: Mapping[str, Any]
    sid: str | None = None


def ahead(c: Connection) -> timedelta | None:
    """How far the sandbox's clock is ahead of the machine's; None if it was never taken over."""
    seconds: int | None = c.scalar(select(SANDBOX_CLOCK.c.ahead_seconds).where(SANDBOX_CLOCK.c.name == CLOCK))
    return None if seconds is None else timedelta(seconds=seconds)


def set_ahead(c: Connection, span: timedelta, *, at: datetime) -> None:
    """Keep how far it is ahead, in whole seconds; `at` is the machine's time."""
    values = {"ahead_seconds": int(span.total_seconds()), "moved_at": at}
    if c.execute(update(SANDBOX_CLOCK).where(SANDBOX_CLOCK.c.name == CLOCK).values(values)).rowcount == 0:
        insert_once(c, SANDBOX_CLOCK, {"name": CLOCK, **values})


def keep(c: Connection, clinic_id: str, event: Mapping[str, Any], *, at: datetime, sid: str | None = None) -> None:
    """Keep what was done at a clinic, in the order in which it was."""
    c.execute(locked(c, select(CLINIC.c.id).where(CLINIC.c.id == clinic_id))).all()
    last: int | None = c.scalar(select(func.max(SANDBOX_EVENT.c.no)).where(SANDBOX_EVENT.c.clinic_id == clinic_id))
    row = {"clinic_id": clinic_id, "no": (last or 0) + 1, "document": json.dumps(event, ensure_ascii=False), "sid": sid, "at": at}
    insert_all(c, SANDBOX_EVENT, [row])


def keep_everywhere(c: Connection, event: Mapping[str, Any], *, at: datetime) -> None:
    """Keep what was done to every clinic at once."""
    for clinic_id in c.scalars(select(CLINIC.c.id).order_by(CLINIC.c.id)).all():
        keep(c, clinic_id, event, at=at)


def kept(c: Connection, clinic_id: str | None = None) -> list[Kept]:
    """What was done at a clinic, or at every one, in order."""
    query = select(SANDBOX_EVENT).order_by(SANDBOX_EVENT.c.at, SANDBOX_EVENT.c.clinic_id, SANDBOX_EVENT.c.no)
    if clinic_id is not None:
        query = query.where(SANDBOX_EVENT.c.clinic_id == clinic_id)
    return [Kept(row["at"], json.loads(row["document"]), row["sid"]) for row in rows(c, query)]


def began_with(c: Connection, clinic_id: str, story: Mapping[str, Any], *, until: datetime) -> None:
    """Keep the story that a clinic began with."""
    document = json.dumps(story, ensure_ascii=False)
    insert_all(c, SANDBOX_STORY, [{"clinic_id": clinic_id, "document": document, "until_at": until}])


def beginning(c: Connection, clinic_id: str) -> tuple[Mapping[str, Any], datetime] | None:
    """The story that a clinic began with, and until when it was told; None if it began otherwise."""
    found = rows(c, select(SANDBOX_STORY).where(SANDBOX_STORY.c.clinic_id == clinic_id))
    return (json.loads(found[0]["document"]), found[0]["until_at"]) if found else None
