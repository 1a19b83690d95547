"""Auditing: a day of the carrier's list against the ledger, id by id. So it is known, and not hoped, that nothing was sent twice."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.messaging.transport import ListUnavailable, Transport
from reminders.services.records import due, evidence, quarantines, troubles
from reminders.services.records.troubles import Trouble

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)

DONE = "audit carrier"
DAY = timedelta(days=1)
LISTED_BY = timedelta(hours=1)
"""By then after midnight (UTC) the list of the day is whole, and what was in doubt is settled [our default]."""
CAUGHT_UP = 7
"""How many days are looked at after a time in which nobody did [our default]."""


@dataclass(frozen=True, slots=True)
class CarrierDay:
    """A day (UTC) of the carrier's list.

    listed   how many texts the carrier sent for us.
    doubled  how many of our texts it sent a second time: two of its ids for one row, or a copy that no row explains.
    unknown  how many it sent that the ledger lacks, and that are no copy of one of ours.
    """

    day: date
    listed: int
    doubled: int
    unknown: int

    @property
    def is_clean(self) -> bool:
        """Whether each of the carrier's texts is one text of ours."""
        return not self.doubled and not self.unknown


async def audit_day(engine: Engine, transport: Transport, *, day: date, now: datetime) -> CarrierDay:
    """Hold a day of the carrier's list against the ledger; tell whoever runs this if something was sent twice. Raises ListUnavailable."""
    since = datetime.combine(day, time(), tzinfo=UTC)
    listed = [sent for sent in await transport.sent(since=since) if since <= sent.created_at < since + DAY]
    with reading(engine) as c:
        left = evidence.unexplained(c, listed)
        copies = evidence.copies(c, left)
        doubled = len(copies) + evidence.sent_twice(c, since=since, until=since + DAY)
    found = CarrierDay(day, len(listed), doubled, len(left) - len(copies))
    with writing(engine) as c:
        _tell(c, found, now=now)
    return found


async def audit_to_yesterday(engine: Engine, transport: Transport, *, now: datetime) -> int:
    """Audit the days that are over and were not audited yet; return how many. Ask each hour: there is mostly nothing to do."""
    with reading(engine) as c:
        last, held = due.last_stamp(c, DONE), quarantines.is_unreconciled(c)
    yesterday = (now - LISTED_BY).astimezone(UTC).date() - DAY
    first = yesterday if last is None else max(last.astimezone(UTC).date(), yesterday - (CAUGHT_UP - 1) * DAY)
    days = [] if held else [first + n * DAY for n in range((yesterday - first).days + 1)]
    for done, day in enumerate(days):
        try:
            await audit_day(engine, transport, day=day, now=now)
        except ListUnavailable:
            log.warning("the carrier's list of %s cannot be read yet", day)
            return done
        with writing(engine) as c:
            due.stamp(c, DONE, now=datetime.combine(day + DAY, time(), tzinfo=UTC))
    return len(days)


def _tell(c: Connection, found: CarrierDay, *, now: datetime) -> None:
    if found.is_clean:
        troubles.end(c, Trouble.DOUBLED, now=now)
        return
    words = (
        f"On {found.day} the carrier sent {found.doubled} of our texts twice, and {found.unknown} that the ledger lacks, "
        f"of {found.listed}. See `doseline audit carrier --day {found.day}`."
    )
    troubles.begin(c, Trouble.DOUBLED, words, now=now)
