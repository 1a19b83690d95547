"""Polling: what no webhook brought us is fetched from the carrier's own lists, texts to us and the ends of ours.

An outage of our webhook must not become a false silence: no dose closes before the list was read past its time. Any number
of processes may poll at once: a text is taken in once for ever, by its carrier's id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.exc import InterfaceError, OperationalError

from db.engine import WriterBusy, reading, writing
from reminders.domain.hearing import BOUND
from reminders.messaging.transport import ListUnavailable, ReceivedText, Transport, rank_of
from reminders.services.records import alerts, people, texts, troubles, watermarks
from reminders.services.records.alerts import Notice
from reminders.services.records.troubles import Trouble
from reminders.services.records.watermarks import INBOUND, OUTBOUND, Mark

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)

OVERLAP = timedelta(hours=6)
"""How far before the last poll, or before itself if it is the first, a poll looks [our default].

For what the list showed late, and because the mark is by our clock, which may have been ahead of the carrier's. A page of a list
holds a thousand texts, so that it is mostly one request all the same.
"""
LONGEST = timedelta(minutes=5)
"""How long the carrier may take over one list, all its pages together [our default]."""
TRIES = 3
SET_ASIDE = timedelta(minutes=5)
"""How long a text that cannot be taken in may keep us from hearing all others: after that it is set aside [our default]."""
SOME = 50
"""After so many texts a long poll says again that it is at work, lest it is thought to fail: see `reminders/domain/hearing.py`."""

RECEIPTS_EVERY = timedelta(minutes=5)
RECEIPTS_AFTER = timedelta(minutes=5)
RECEIPTS_WITHIN = timedelta(hours=4)
"""When the end of a text that no receipt has told is asked for: this often, from so long after it left to so long [our defaults]."""
CLOCKS_DIFFER = timedelta(minutes=2)

GONE = (OperationalError, InterfaceError, WriterBusy)
"""The ledger is away, whatever the text."""


class Receive(Protocol):
    """Takes in a text; the same one again is no harm."""

    def __call__(
        self, engine: Engine, *, sid: str, from_phone: str, to_phone: str, body: str, received_at: datetime, now: datetime, polled: bool
    ) -> object:
        """Take in a text that reached the carrier at `received_at`."""


class ReceiveStatus(Protocol):
    """Takes in what became of a text of ours; the same again is no harm."""

    def __call__(self, engine: Engine, *, sid: str, status: str, tag: str | None, error_code: int | None, now: datetime) -> object:
        """Take in a status of the text with this id."""


async def poll(
    engine: Engine,
    transport: Transport,
    *,
    receive: Receive,
    receive_status: ReceiveStatus,
    now: datetime,
    spacing: timedelta = timedelta(),
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Fetch the texts and the receipts that no webhook brought; return how many.

    `now` is when it begins: so far, less what the carrier's list may lag behind, the patients have been heard if it ends
    well. Nothing is listed if a poll has ended well within `spacing`; it ends early, and proves nothing, once `stopping`.
    """
    fresh = await _listed(engine, transport, now=now, spacing=spacing)
    settled = await _settle(engine, transport, receive_status, now=now, at_once=bool(fresh), stopping=stopping)
    return settled + (0 if fresh is None else await _hear(engine, transport, fresh, receive, now=now, stopping=stopping))


async def _listed(engine: Engine, transport: Transport, *, now: datetime, spacing: timedelta) -> list[ReceivedText] | None:
    """The listed texts that we lack; None if somebody has just read the list, or it cannot be read."""
    with reading(engine) as c:
        mark = watermarks.read(c, INBOUND, now=now)
    if mark.failing_since is None and mark.at is not None and now - transport.list_lag - mark.at < spacing:
        return None
    try:
        async with asyncio.timeout(LONGEST.total_seconds()):
            return _fresh(engine, await transport.received(since=_since(mark, now)))
    except (ListUnavailable, TimeoutError):
        _failed(engine, transport.list_lag, now=now)
        return None


async def _hear(
    engine: Engine, transport: Transport, fresh: list[ReceivedText], receive: Receive, *, now: datetime, stopping: Callable[[], bool]
) -> int:
    """Take in each text; only then has everybody been heard so far."""
    unread: list[ReceivedText] = []
    for number, text in enumerate(fresh):
        if number % SOME == 0:
            _at_work(engine)
        if stopping():
            return 0
        if not _take_in(engine, text, receive, now=now):
            unread.append(text)
        await asyncio.sleep(0)  # the texts that are due are sent in between
    if any(now < text.received_at + SET_ASIDE for text in unread):
        _failed(engine, transport.list_lag, now=now)
        return len(fresh) - len(unread)
    with writing(engine) as c:
        for text in unread:
            _set_aside(c, text, now=now)
    _heard(engine, until=now - transport.list_lag, now=now)
    return len(fresh)


def _at_work(engine: Engine) -> None:
    with writing(engine) as c:
        watermarks.readable(c, INBOUND)


def _since(mark: Mark, now: datetime) -> datetime:
    if mark.at is None:
        return min(mark.failing_since or now, now) - OVERLAP
    return mark.at - OVERLAP


def _fresh(engine: Engine, listed: tuple[ReceivedText, ...]) -> list[ReceivedText]:
    """Those of the listed texts that we lack, the oldest first: an answer counts in the order in which it was given."""
    with reading(engine) as c:
        known = watermarks.known(c, [text.sid for text in listed])
    return sorted((text for text in listed if text.sid not in known), key=lambda text: (text.received_at, text.sid))


def _take_in(engine: Engine, text: ReceivedText, receive: Receive, *, now: datetime) -> bool:
    """Take in a text, judged at the time it reached the carrier; say whether it could be."""
    for _ in range(TRIES):
        try:
            receive(
                engine,
                sid=text.sid,
                from_phone=text.from_phone,
                to_phone=text.to_phone,
                body=text.body,
                received_at=min(text.received_at, now),
                now=now,
                polled=True,
            )
        except GONE:
            raise
        except Exception:
            log.exception("could not take in text %s", text.sid)
        else:
            return True
    return False


def _set_aside(c: Connection, text: ReceivedText, *, now: datetime) -> None:
    """Keep a text that cannot be taken in, for a person to read: it must not make us deaf to everybody else."""
    behind = people.behind(c, text.from_phone)
    row = {
        "sid": text.sid,
        "clinic_id": behind[0]["clinic_id"] if behind else None,
        "contact_point_id": behind[0]["contact_point_id"] if behind else None,
        "from_phone": text.from_phone,
        "to_phone": text.to_phone,
        "body": text.body.replace("\0", ""),
        "reading": "set aside",
        "polled": True,
        "received_at": text.received_at,
        "recorded_at": now,
    }
    texts.keep_incoming(c, row)
    words = "A text could not be taken in. Read it, and ask the patient."
    for patient in people.patients(c, sorted({role["patient_id"] for role in behind})).values():
        alerts.raise_once(c, patient, Notice("unreadable", "warning", f"unreadable {text.sid}", words, owner="clinic"), now=now)


def _heard(engine: Engine, *, until: datetime, now: datetime) -> None:
    """Every text of this poll has been committed: what waited for it is looked at."""
    with writing(engine) as c:
        watermarks.advance(c, INBOUND, to=until, now=now)
        watermarks.wake(c, heard_until=until, now=now)
        troubles.end(c, Trouble.CANNOT_HEAR, now=now)


def _failed(engine: Engine, list_lag: timedelta, *, now: datetime) -> None:
    """Note that we could not hear; for half an hour, and whoever runs this must know."""
    with writing(engine) as c:
        watermarks.failed(c, INBOUND, now=now)
        mark = watermarks.read(c, INBOUND, now=now)
        deaf_since = mark.at + list_lag if mark.at is not None else mark.failing_since or now
        if now - deaf_since >= BOUND:
            words = (
                f"We cannot hear patients: the carrier's list of incoming texts has not been read since {deaf_since:%Y-%m-%d %H:%M} UTC."
            )
            troubles.begin(c, Trouble.CANNOT_HEAR, words, now=now)


async def _settle(
    engine: Engine, transport: Transport, receive_status: ReceiveStatus, *, now: datetime, at_once: bool, stopping: Callable[[], bool]
) -> int:
    """Ask what became of the texts whose end no receipt has told; without any, nothing is asked.

    `at_once`: there are texts to be read, and which question each of them answers rests on what had arrived.
    """
    with reading(engine) as c:
        mark = watermarks.read(c, OUTBOUND, now=now)
        if mark.at is not None and now < mark.at + RECEIPTS_EVERY and not at_once:
            return 0
        after = timedelta() if at_once else RECEIPTS_AFTER
        waiting = watermarks.unsettled(c, since=now - RECEIPTS_WITHIN, until=now - after)
    if not waiting:
        return 0
    try:
        async with asyncio.timeout(LONGEST.total_seconds()):
            listed = await transport.sent(since=waiting[0]["sent_at"] - CLOCKS_DIFFER)
    except (ListUnavailable, TimeoutError):
        return 0  # texts in doubt are asked after by themselves: nothing rests on this
    ranks = {row["sid"]: row["rank"] for row in waiting}
    risen = [text for text in listed if text.sid in ranks and rank_of(text.status) > ranks[text.sid]]
    for text in risen:
        if stopping():
            return 0
        receive_status(engine, sid=text.sid, status=text.status, tag=None, error_code=text.error_code, now=now)
        await asyncio.sleep(0)
    with writing(engine) as c:
        watermarks.advance(c, OUTBOUND, to=now, now=now)
    return len(risen)
