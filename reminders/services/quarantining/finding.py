"""Finding: which text of ours each text of the carrier's list is. What the list has was sent; what it lacks was not.

Nothing here sends. A text is looked at as the sender would have looked at it then, and kept as it became only if the list has it so.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from db.engine import reading, writing
from reminders.messaging.transport import Receipt, SentText
from reminders.services.records import evidence, last_look, outbox, people
from reminders.services.records.ledger import earliest

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
WHILE_DOWN = timedelta(days=1)
"""While we were down in the gap, what was due was written as much later than it is when the gap is relived [our default]."""
OVERDUE_AT_ONCE = 500
FOUND, UNEXPLAINED = "found", "unexplained"
ABOUT_DUE_DOSES = frozenset({"reminder", "resend"})
LATE = "late_reminder"


class Listed:
    """The carrier's texts that no row of ours is known to be, by phone, oldest first."""

    def __init__(self, texts: Iterable[SentText]) -> None:
        self._by_phone: dict[str, list[SentText]] = {}
        for sent in sorted(texts, key=lambda sent: (sent.created_at, sent.sid)):
            self._by_phone.setdefault(sent.to, []).append(sent)

    def __iter__(self) -> Iterator[SentText]:
        """Go through what is left."""
        return (sent for mine in self._by_phone.values() for sent in mine)

    @property
    def phones(self) -> set[str]:
        """The phones for which something is left."""
        return {sent.to for sent in self}

    def to(self, phone: str, *, until: datetime | None = None) -> list[SentText]:
        """What is left for a phone, created by an instant if one is given."""
        return [sent for sent in self._by_phone.get(phone, ()) if until is None or sent.created_at <= until]

    def take(self, sent: SentText) -> None:
        """Let one of them be a row's."""
        self._by_phone[sent.to].remove(sent)


class Finder:
    """Matches one ledger's texts with the carrier's list, while somebody moves the clock from the past to now.

    `rise` lets a text's status rise to what the carrier says of it. `found` counts the texts that were found.
    """

    def __init__(self, engine: Engine, texts: Iterable[SentText], rise: Callable[..., Any]) -> None:
        self._engine, self._rise = engine, rise
        in_order = sorted(texts, key=lambda sent: (sent.created_at, sent.sid))
        with reading(engine) as c:
            owned = evidence.owned(c, in_order)
        self._owned = [sent for sent in in_order if sent.sid in owned]
        self._free = [sent for sent in in_order if sent.sid not in owned]
        self._created = [sent.created_at for sent in self._free]
        self.listed = Listed(self._free)
        self._looked_at: set[str] = set()
        self.found = 0

    def settle(self) -> None:
        """Settle what was on its way when the ledger was last written: found, it was sent; else it waits again, as if it was not tried."""
        for sent in self._owned:
            self._told(sent)
        with reading(self._engine) as c:
            doubtful = evidence.in_flight(c)
        for text in doubtful:
            mine = _the_first(self.listed.to(text["phone"]), text)
            with writing(self._engine) as c:
                _lock(c, text)
                if mine is None:
                    outbox.fenced(c, text, {"state": "queued"}, states=evidence.IN_FLIGHT)
                elif outbox.found(c, text, sid=mine.sid, now=mine.created_at):
                    self._take(c, text, mine, now=mine.created_at)

    def moment(self, *, after: datetime) -> datetime | None:
        """When there is next something to look for."""
        with reading(self._engine) as c:
            changes = evidence.next_change(c, after=after)
        return earliest(changes, *self._created[bisect_right(self._created, after) :][:1])

    def look(self, *, since: datetime, now: datetime) -> bool:
        """Look for what should have left since an instant, or was listed since; end what is over. Say whether anything was to be done."""
        ended = self._end_overdue(now)
        with reading(self._engine) as c:
            fresh = [text for text in evidence.fallen_due(c, since=since, until=now) if text["id"] not in self._looked_at]
        self._looked_at.update(text["id"] for text in fresh)
        fresh_ids = {text["id"] for text in fresh}
        newly_listed = self._free[bisect_right(self._created, since) : bisect_right(self._created, now)]
        for phone in sorted({row["phone"] for row in fresh} | {sent.to for sent in newly_listed}):
            self._look_for(phone, fresh_ids, now)
        return bool(ended or fresh)

    def look_among_ended(self, *, since: datetime) -> None:
        """Look among the texts that were given up too: what the carrier has was sent after all."""
        with reading(self._engine) as c:
            ended = evidence.given_up(c, self.listed.phones, since=since)
        for text in ended:
            sent = _the_first(self.listed.to(text["phone"]), text, late_by=WHILE_DOWN)
            if sent is not None:
                with writing(self._engine) as c:
                    _lock(c, text)
                    outbox.proved(c, text, sid=sent.sid, now=sent.created_at)
                    self._take(c, text, sent, now=sent.created_at)

    def _end_overdue(self, now: datetime) -> bool:
        with reading(self._engine) as c:
            overdue = outbox.overdue(c, now=now, limit=OVERDUE_AT_ONCE)
        if overdue:
            with writing(self._engine) as c:
                last_look.end_overdue(c, overdue, now=now)
        return bool(overdue)

    def _look_for(self, phone: str, fresh: Collection[str], now: datetime) -> None:
        """Look for one phone's texts: those that should leave now, and those that something on the list could be."""
        with writing(self._engine) as c:
            for text in evidence.waiting_for(c, [phone], now=now):
                listed = self.listed.to(phone, until=now)
                if text["id"] in fresh or listed:
                    self._look_at(c, text, listed, now)

    def _look_at(self, c: Connection, text: Row, listed: Collection[SentText], now: datetime) -> None:
        """Look at a text as the sender would have; it stays as it was unless the list has it so, or it would not have been sent."""
        for worded in _wordings(text) if listed else (text,):
            try:
                with c.begin_nested() as savepoint:
                    ready = last_look.still_right(c, outbox.claim(c, [worded], now=now, lease=LEASE), now=now)
                    if not ready:
                        return  # it was ended: so it would have been then
                    sent = _the_first(listed, ready[0])
                    if sent is not None:
                        outbox.found(c, ready[0], sid=sent.sid, now=now)
                        self._take(c, ready[0], sent, now=now)
                        return
                    savepoint.rollback()
            except Exception:
                log.exception("text %s cannot be looked for", text["id"])
                return

    def _take(self, c: Connection, text: Row, sent: SentText, *, now: datetime) -> None:
        outbox.note_attempt(c, text, outcome=FOUND, sid=sent.sid)
        self._rise(c, text, Receipt(sent.sid, sent.status, None, sent.error_code), now=now)
        self.listed.take(sent)
        self.found += 1

    def _told(self, sent: SentText) -> None:
        """Take what the carrier now says of a text that the ledger has."""
        with writing(self._engine) as c:
            text = outbox.by_receipt(c, sid=sent.sid, tag=None)
            if text is not None:
                self._rise(c, outbox.hold(c, text), Receipt(sent.sid, sent.status, None, sent.error_code), now=sent.created_at)


def _wordings(text: Row) -> Iterator[Row]:
    """A text as it stands; and a reminder as it would be if we had been down when its dose fell due."""
    yield text
    if text["kind"] in ABOUT_DUE_DOSES and text["template"] != LATE:
        yield {**text, "template": LATE}


def _the_first(listed: Iterable[SentText], text: Row, *, late_by: timedelta = evidence.CLOCKS_DIFFER) -> SentText | None:
    return next((sent for sent in listed if evidence.could_be(sent, text, late_by=late_by)), None)


def _lock(c: Connection, text: Row) -> None:
    people.lock(c, [text["patient_id"]] if text["patient_id"] else [])
