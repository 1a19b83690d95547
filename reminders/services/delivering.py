"""Delivering: a text is a row before it is a request, and every doubt about it is settled before it is sent again.

The carrier's create has no idempotency key, so the ledger carries the proof: an attempt number fences every write, a
random tag comes back with every receipt, and the carrier's own list settles what neither could.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.dose_state import DoseEvent, EventKind
from reminders.messaging.failure_codes import class_of
from reminders.messaging.transport import (
    Accepted,
    Ambiguous,
    FailureClass,
    ListUnavailable,
    NotSent,
    Outcome,
    Outgoing,
    Refused,
    SentText,
    Transport,
    rank_of,
    validity_of,
)
from reminders.services.records import alerts, last_look, outbox, people
from reminders.services.records.alerts import Notice
from reminders.services.records.resending import resend

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.clock import Clock
    from reminders.services.records.ledger import Row


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the protocol waits, and what ties its times together.

    settle  longer than any request can live, or a text still on its way is taken for lost and sent twice.
    """

    lease: timedelta = timedelta(seconds=30)
    settle: timedelta = timedelta(seconds=75)
    second_look: timedelta = timedelta(seconds=30)


PATIENCE = Patience()
CLOCKS_DIFFER = timedelta(seconds=120)
LOOKS = 2
REST = timedelta(seconds=1)
LONGEST_REST = timedelta(seconds=60)
BREAKER = timedelta(minutes=1)


async def deliver(engine: Engine, transport: Transport, *, clock: Clock, limit: int = 50, patience: Patience = PATIENCE) -> int:
    """Send the texts that are due: claim and commit, look once more, send each once, record. Return how many were claimed."""
    now, started = clock.now(), clock.monotonic()
    with writing(engine) as c:
        outbox.end(c, outbox.overdue(c, now=now, limit=limit), "expired", why="expired", now=now)
        claimed = outbox.claim(c, now=now, lease=patience.lease, limit=limit)
    if not claimed:
        return 0
    with writing(engine) as c:
        ready = last_look.still_right(c, claimed, now=clock.now())
    if clock.monotonic() - started > patience.lease.total_seconds() / 2:
        return _give_back(engine, ready, clock.now())
    outcomes = await asyncio.gather(*(_send(transport, text, clock) for text in ready))
    with writing(engine) as c:
        _record(c, list(zip(ready, outcomes, strict=True)), clock.now())
    return len(claimed)


def receive_status(engine: Engine, *, sid: str, status: str, tag: str | None, error_code: int | None, now: datetime) -> None:
    """Take in a carrier's receipt: kept once for ever, and a text's status only ever rises."""
    with writing(engine) as c:
        text = outbox.by_receipt(c, sid=sid, tag=tag)
        receipt = {"sid": sid, "status": status, "tag": tag, "error_code": error_code, "received_at": now}
        known = {"clinic_id": text["clinic_id"], "text_id": text["id"]} if text else {}
        if outbox.keep_receipt(c, {**receipt, **known}) and text is not None:
            _take_receipt(c, text, sid=sid, status=status, error_code=error_code, tag=tag, now=now)


async def recover(engine: Engine, transport: Transport, *, now: datetime, patience: Patience = PATIENCE, limit: int = 50) -> int:
    """Settle texts in doubt by the carrier's own list: found, it was sent; not found twice, it was not. Return how many were looked at."""
    with writing(engine) as c:
        outbox.doubt(c, now=now)
        doubtful = outbox.in_doubt(c, now=now, settle=patience.settle, limit=limit)
    for text in doubtful:
        try:
            listed = await transport.sent_to(text["phone"], since=text["claimed_at"] - CLOCKS_DIFFER)
        except ListUnavailable:
            break  # it proves nothing, about this text or any other
        with writing(engine) as c:
            _settle(c, text, listed, now=now, patience=patience)
    return len(doubtful)


def in_flight(engine: Engine) -> bool:
    """Whether any text is still being sent or in doubt."""
    with reading(engine) as c:
        return outbox.any_in_flight(c)


def _give_back(engine: Engine, texts: list[Row], now: datetime) -> int:
    """Too slow: another sender may soon think us dead. What was not sent goes back."""
    with writing(engine) as c:
        for text in texts:
            outbox.hand_back(c, text, send_at=now)
    return len(texts)


async def _send(transport: Transport, text: Row, clock: Clock) -> Outcome:
    validity = validity_of(clock.now(), text["expires_at"])
    return await transport.send(Outgoing(text["phone"], text["body"], text["tag"], validity, text["id"]))


def _record(c: Connection, sent: list[tuple[Row, Outcome]], now: datetime) -> None:
    outbox.accepted_all(c, [(text, outcome.sid) for text, outcome in sent if isinstance(outcome, Accepted)], now=now)
    for text, outcome in sent:
        match outcome:
            case NotSent(retry_after=retry_after):
                outbox.note_attempt(c, text, outcome="not_sent")
                outbox.hand_back(c, text, send_at=now + _rest(text["attempt"], retry_after))
            case Ambiguous():
                outbox.note_attempt(c, text, outcome="ambiguous")
                outbox.fenced(c, text, {"state": "unknown"}, states=("sending",))
            case Refused(code=code, kind=kind):
                outbox.note_attempt(c, text, outcome=f"refused {code}")
                _refused(c, text, code, kind, now)
            case Accepted():
                pass  # recorded above, all at once


def _rest(attempt: int, retry_after: float | None) -> timedelta:
    """How long a sender rests: what the carrier asks, else 1 s, 2 s, 4 s … 60 s."""
    if retry_after is not None:
        return timedelta(seconds=retry_after)
    doublings: int = min(attempt - 1, 6)
    return min(REST * (1 << doublings), LONGEST_REST)


def _refused(c: Connection, text: Row, code: int | None, kind: FailureClass, now: datetime) -> None:
    if kind in {FailureClass.ACCOUNT, FailureClass.OVERFLOW}:  # the sender's trouble, not this text's: it waits until it expires
        outbox.hand_back(c, text, send_at=now + BREAKER)
        _tell_operator(c, text, code, now)
        return
    if outbox.fenced(c, text, {"state": "failed", "error_code": code}, states=("sending",)):
        _lost(c, text, code, now=now)


def _take_receipt(c: Connection, text: Row, *, sid: str, status: str, error_code: int | None, tag: str | None, now: datetime) -> None:
    rank = rank_of(status)
    if text["state"] in {"sending", "unknown", "queued"} and (tag is None or outbox.attempt_of(c, tag) == text["attempt"]):
        outbox.proved(c, text, sid=sid, now=now)  # a receipt proves that it was sent, whatever the answer to the request was
    if rank < 0 or not outbox.raise_rank(c, text, rank=rank, status=status, error_code=error_code):
        return
    if status in outbox.LOST:
        _lost(c, text, error_code, now=now)
    elif status == "delivered":
        outbox.tell_doses(c, {text["id"]: DoseEvent(EventKind.TEXT_DELIVERED, now, text=text["id"])}, now=now)


def _lost(c: Connection, text: Row, code: int | None, *, now: datetime) -> None:
    """A text that did not reach its phone. That is our fault or the carrier's, never a missed dose."""
    kind = class_of(code)
    outbox.tell_doses(c, {text["id"]: DoseEvent(EventKind.TEXT_FAILED, now, text=text["id"], why=f"carrier {code}")}, now=now)
    if kind is FailureClass.RECIPIENT_TRANSIENT:
        resend(c, text, now=now)
    if kind is FailureClass.OPTED_OUT:
        people.opt(c, text["contact_point_id"], out=True, given_by="carrier", at=now, sid=None)
    if kind is FailureClass.RECIPIENT_PERMANENT:
        people.mark_unusable(c, text["contact_point_id"], at=now)
    if kind in {FailureClass.OPTED_OUT, FailureClass.RECIPIENT_PERMANENT}:
        _tell_clinic(c, text, code, kind, now)


def _tell_clinic(c: Connection, text: Row, code: int | None, kind: FailureClass, now: datetime) -> None:
    stopped = kind is FailureClass.OPTED_OUT
    words = (
        "Texts to this number have stopped: the carrier says it opted out. The medicine has not stopped."
        if stopped
        else (f"This number cannot be texted (carrier code {code}). Ask for another; reminders do not reach the patient.")
    )
    cause = f"{text['contact_point_id']} {now:%Y-%m-%d}"
    known = people.patients(c, people.patients_on(c, text["contact_point_id"]))
    for patient in known.values():
        notice = Notice("texts_stopped" if stopped else "number_unusable", "urgent", cause, words, clinical=stopped)
        alerts.raise_once(c, patient, notice, now=now)


def _tell_operator(c: Connection, text: Row, code: int | None, now: datetime) -> None:
    if text["patient_id"] is None:
        return
    words = f"The carrier refuses to send for this account (code {code}). Texts wait until they expire."
    patient = people.patients(c, [text["patient_id"]])[text["patient_id"]]
    notice = Notice("sender_refused", "urgent", f"{code} {now:%Y-%m-%dT%H}", words, clinical=False, owner="operator")
    alerts.raise_once(c, patient, notice, now=now)


def _settle(c: Connection, text: Row, listed: tuple[SentText, ...], *, now: datetime, patience: Patience) -> None:
    """Decide what became of a text in doubt. Every write is fenced: another worker may be settling it too."""
    same = [sent for sent in listed if _same_words(sent.body, text["body"])]
    taken = outbox.owned(c, [sent.sid for sent in same])
    mine = next((sent for sent in same if sent.sid not in taken), None)
    if mine is not None:
        if outbox.accepted(c, text, sid=mine.sid, rank=rank_of(mine.status), status=mine.status, now=now):
            outbox.note_attempt(c, text, outcome="found", sid=mine.sid)
        return
    if text["looked"] + 1 < LOOKS:
        outbox.fenced(
            c, text, {"looked": text["looked"] + 1, "lease_until": now + patience.second_look - patience.settle}, states=("unknown",)
        )
        return
    if now < text["expires_at"]:
        outbox.fenced(c, text, {"state": "queued", "send_at": now}, states=("unknown",))
    elif outbox.fenced(c, text, {"state": "not_sent"}, states=("unknown",)):
        outbox.tell_doses(c, {text["id"]: DoseEvent(EventKind.TEXT_ENDED, now, text=text["id"], why="not sent")}, now=now)


def _same_words(listed: str, ours: str) -> bool:
    """Compare bodies as the carrier may have changed them: a trial account's prefix, and space."""
    return " ".join(listed.split()).endswith(" ".join(ours.split()))
