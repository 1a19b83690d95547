"""Probes: texts of the operator's own, sent to see what the carrier does, and the carrier's calls about them. They name no patient."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from reminders.services.records.ledger import PROBE, insert_all, locked, rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

MOST = 100
"""Calls kept of one probe: nobody can fill the ledger with them."""


def begin(c: Connection, tag: str, *, now: datetime) -> None:
    """Note that a probe is about to be sent."""
    insert_all(c, PROBE, [{"tag": tag, "no": 0, "at": now, "sid": None, "status": None, "token": None}])


def sent(c: Connection, tag: str, sid: str) -> None:
    """Note under which id the carrier took a probe, so that its list is explained."""
    c.execute(update(PROBE).where(PROBE.c.tag == tag, PROBE.c.no == 0).values(sid=sid))


def called(c: Connection, tag: str, *, status: str, token: str | None, now: datetime) -> bool:
    """Keep a call about a probe; say whether there is such a probe."""
    if c.execute(locked(c, select(PROBE.c.tag).where(PROBE.c.tag == tag, PROBE.c.no == 0))).first() is None:
        return False
    last = c.scalars(select(func.max(PROBE.c.no)).where(PROBE.c.tag == tag)).one()
    if last < MOST:
        insert_all(c, PROBE, [{"tag": tag, "no": last + 1, "at": now, "sid": None, "status": status, "token": token}])
    return True


def calls(c: Connection, tag: str) -> list[Row]:
    """The calls about a probe, in order: no, at, status, token."""
    return rows(c, select(PROBE).where(PROBE.c.tag == tag, PROBE.c.no > 0).order_by(PROBE.c.no))


def owned(c: Connection, sids: Sequence[str]) -> set[str]:
    """Of the carrier's ids, those of probes."""
    return set(c.scalars(select(PROBE.c.sid).where(PROBE.c.sid.in_(sids))))


def forget(c: Connection, tag: str) -> None:
    """Remove a probe and its calls."""
    c.execute(delete(PROBE).where(PROBE.c.tag == tag))
