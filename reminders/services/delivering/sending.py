"""Sending: claim and commit, look once more, send each text once, record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.messaging.pacing import Pace
from reminders.messaging.transport import Accepted, Ambiguous, NotSent, Outcome, Outgoing, Refused, Transport, validity_of
from reminders.milestones import Milestone, Passing, unmarked
from reminders.services.delivering import resting
from reminders.services.delivering.patience import PATIENCE, Patience
from reminders.services.delivering.receipts import lost
from reminders.services.records import last_look, outbox, people, quarantines, troubles
from reminders.services.records.troubles import Trouble

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.clock import Clock
    from reminders.services.records.ledger import Row

AT_ONCE = 50
"""Requests on their way at a time: the transport's connections; no contract lets more through in a second."""


LOOK_HOLDS = timedelta(seconds=2)
"""How long the last look at a text is good: a STOP is in force by then, and a carrier that is slow must not be a way around."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """A moment by both clocks: one that may be set, and one that stands still while the machine sleeps."""

    wall: datetime
    monotonic: float

    @classmethod
    def of(cls, clock: Clock) -> _Moment:
        return cls(clock.now(), clock.monotonic())

    def is_within(self, span: timedelta, clock: Clock) -> bool:
        """Whether it is no further back than a span, by either clock. Of a clock that was set back nothing is known."""
        return clock.monotonic() - self.monotonic <= span.total_seconds() and timedelta() <= clock.now() - self.wall <= span


@dataclass(frozen=True, slots=True)
class Held:
    """The text was not tried: its last look is too old, the process stops, or the carrier had just refused another for its own reason."""


Tried = Outcome | Held


async def deliver(
    engine: Engine,
    transport: Transport,
    *,
    clock: Clock,
    limit: int = 50,
    patience: Patience = PATIENCE,
    pace: Pace | None = None,
    passing: Passing = unmarked,
    reliving: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Send the texts that are due, nearest expiry first; return how many were claimed. Without a pace, as many as there are.

    Claims are committed before any request, so that a process that dies leaves a row that says so. While a quarantine stands
    nothing is claimed, unless its gap is being gone through (`reliving`), by a transport that sends nothing. Once the process
    is `stopping`, no further request begins: what is claimed and not yet tried goes back into the line.
    """
    claimed_at = _Moment.of(clock)
    now = claimed_at.wall
    _end_overdue(engine, now=now, limit=limit)
    with writing(engine) as c:
        if not reliving and quarantines.stands(c):
            return 0
        found, alone = resting.in_line(c, transport.name, pace=pace, now=now, limit=limit)
        claimed = outbox.claim(c, found, now=now, lease=patience.lease)
        passing(Milestone.SEND_BEFORE_CLAIM_COMMIT)
    if not claimed:
        return 0
    passing(Milestone.SEND_AFTER_CLAIM_COMMIT)
    with writing(engine) as c:
        ready = last_look.still_right(c, claimed, now=clock.now())
    looked_at = _Moment.of(clock)

    def may_begin() -> bool:
        return not stopping() and claimed_at.is_within(patience.lease / 2, clock) and looked_at.is_within(LOOK_HOLDS, clock)

    sending = _Sending(transport, clock, may_begin, passing)
    tried = await sending.each(ready, alone=alone)
    passing(Milestone.SEND_BEFORE_RECORD)
    with writing(engine) as c:
        record(c, transport.name, list(zip(ready, tried, strict=True)), clock.now(), claimed_at=now)
    return len(claimed)


def _end_overdue(engine: Engine, *, now: datetime, limit: int) -> None:
    """End what is past its time. Its own transaction: it locks patients, and a claim holds texts."""
    with reading(engine) as c:
        overdue = outbox.overdue(c, now=now, limit=limit)
    if overdue:
        with writing(engine) as c:
            last_look.end_overdue(c, overdue, now=now)


class _Sending:
    """One batch on its way.

    may_begin  whether a request may begin now: less than half the lease is gone, so that it ends within it, the last look at the
               texts was not long ago, and nobody has asked the process to stop.
    """

    def __init__(self, transport: Transport, clock: Clock, may_begin: Callable[[], bool], passing: Passing) -> None:
        self._transport, self._clock, self._may_begin, self._passing = transport, clock, may_begin, passing
        self._room = asyncio.Semaphore(AT_ONCE)
        self._stopped = False

    async def each(self, texts: Sequence[Row], *, alone: bool) -> list[Tried]:
        """Send each text once, many at a time; `alone`: one first, so that a carrier in trouble is asked once and not fifty times."""
        first = 1 if alone else 0
        begun = [await self._one(text) for text in texts[:first]]
        return [*begun, *await asyncio.gather(*(self._one(text) for text in texts[first:]))]

    async def _one(self, text: Row) -> Tried:
        async with self._room:
            if self._stopped or not self._may_begin() or self._clock.now() >= text["expires_at"]:
                return Held()
            self._passing(Milestone.SEND_BEFORE_WRITE)
            outcome = await self._send(text)
            self._passing(Milestone.SEND_AFTER_WRITE)
            if resting.is_the_senders(outcome):
                self._stopped = True
            return outcome

    async def _send(self, text: Row) -> Outcome:
        validity = validity_of(self._clock.now(), text["expires_at"])
        try:
            return await self._transport.send(Outgoing(text["phone"], text["body"], text["tag"], validity, text["id"]))
        except Exception as error:  # noqa: BLE001 - a transport never raises; one that does has perhaps sent, and stops no other text
            return Ambiguous(type(error).__name__)


def record(c: Connection, sender: str, tried: list[tuple[Row, Tried]], now: datetime, *, claimed_at: datetime | None = None) -> None:
    """Record what became of each text; its patient is locked first, for a reply may be at the same doses."""
    people.lock(c, {text["patient_id"] for text, _ in tried if text["patient_id"]})
    twice = outbox.accepted_all(c, [(text, outcome.sid) for text, outcome in tried if isinstance(outcome, Accepted)], now=now)
    if twice:
        troubles.begin(c, Trouble.DOUBLED, f"The carrier took {len(twice)} of our texts a second time.", now=now)
    for text, outcome in tried:
        match outcome:
            case Held():
                outbox.hand_back(c, text)
                outbox.note_attempt(c, text, outcome="held")
            case NotSent():
                outbox.hand_back(c, text)
                outbox.note_attempt(c, text, outcome="not_sent")
            case Ambiguous():
                outbox.note_attempt(c, text, outcome="ambiguous")
                outbox.fenced(c, text, {"state": "unknown", "doubts": text["doubts"] + 1}, states=("sending",))
            case Refused(code=code):
                outbox.note_attempt(c, text, outcome=f"refused {code}")
                _refused(c, text, outcome, now)
            case Accepted():
                pass  # recorded above, all at once
    resting.learn(c, sender, [outcome for _, outcome in tried if not isinstance(outcome, Held)], claimed_at=claimed_at, now=now)


def _refused(c: Connection, text: Row, refused: Refused, now: datetime) -> None:
    if resting.is_the_senders(refused):  # no fault of this text's: it waits until it expires
        outbox.hand_back(c, text)
    elif outbox.fenced(c, text, {"state": "failed", "error_code": refused.code}, states=("sending",)):
        lost(c, text, refused.code, refused.kind, now=now)
