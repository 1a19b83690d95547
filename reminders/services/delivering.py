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
    Receipt,
    Refused,
    SentText,
    Transport,
    rank_of,
    same_body,
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
SENDERS = frozenset({FailureClass.ACCOUNT, FailureClass.OVERFLOW})
TRIAL = "Sent from your Twilio trial account -"
DOUBTFUL = frozenset({30005})
"""Codes that mean a number is gone for good only when the next text to it fails so too."""


async def deliver(engine: Engine, transport: Transport, *, clock: Clock, limit: int = 50, patience: Patience = PATIENCE) -> int:
    """Send the texts that are due: claim and commit, look once more, send each once, record. Return how many were claimed."""
    now, started = clock.now(), clock.monotonic()
    _end_overdue(engine, now=now, limit=limit)
    with writing(engine) as c:
        claimed = outbox.claim(c, now=now, lease=patience.lease, limit=_room(c, now=now, limit=limit))
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


def _end_overdue(engine: Engine, *, now: datetime, limit: int) -> None:
    """End what is past its time. Its own transaction: it locks patients, and a claim holds texts."""
    with reading(engine) as c:
        overdue = outbox.overdue(c, now=now, limit=limit)
    if overdue:
        with writing(engine) as c:
            last_look.end_overdue(c, overdue, now=now)


def _room(c: Connection, *, now: datetime, limit: int) -> int:
    """How many texts may be tried: none while the sender rests, and one alone after it, to see whether the carrier takes it."""
    until = outbox.resting_until(c)
    if until is None:
        return limit
    if now < until:
        outbox.put_off(c, until=until, now=now)
        return 0
    return 1


def receive_status(engine: Engine, *, sid: str, status: str, tag: str | None, error_code: int | None, now: datetime) -> None:
    """Take in a carrier's receipt: kept once for ever, and a text's status only ever rises."""
    with writing(engine) as c:
        text = outbox.by_receipt(c, sid=sid, tag=tag)
        receipt = {"sid": sid, "status": status, "tag": tag, "error_code": error_code, "received_at": now}
        known = {"clinic_id": text["clinic_id"], "text_id": text["id"]} if text else {}
        if outbox.keep_receipt(c, {**receipt, **known}) and text is not None:
            _take_receipt(c, outbox.hold(c, text), Receipt(sid, status, tag, error_code), now=now)


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
    try:
        return await transport.send(Outgoing(text["phone"], text["body"], text["tag"], validity, text["id"]))
    except Exception as error:  # noqa: BLE001 - a transport never raises; one that does has perhaps sent, and stops no other text
        return Ambiguous(type(error).__name__)


def _record(c: Connection, sent: list[tuple[Row, Outcome]], now: datetime) -> None:
    """Record what became of each text; its patient is locked first, for a reply may be at the same doses."""
    people.lock(c, {text["patient_id"] for text, _ in sent if text["patient_id"]})
    taken = [(text, outcome.sid) for text, outcome in sent if isinstance(outcome, Accepted)]
    outbox.accepted_all(c, taken, now=now)
    if taken:
        outbox.rested(c)
    for text, outcome in sent:
        match outcome:
            case NotSent(retry_after=retry_after):
                outbox.note_attempt(c, text, outcome="not_sent")
                _wait(c, text, now + _rest(text["attempt"], retry_after), now)
            case Ambiguous():
                outbox.note_attempt(c, text, outcome="ambiguous")
                outbox.fenced(c, text, {"state": "unknown"}, states=("sending",))
            case Refused(code=code):
                outbox.note_attempt(c, text, outcome=f"refused {code}")
                _refused(c, text, outcome, now)
            case Accepted():
                pass  # recorded above, all at once


def _wait(c: Connection, text: Row, until: datetime, now: datetime) -> None:
    """Put a text back, and let the sender rest: what the carrier did not take of one it will not take of the next."""
    outbox.hand_back(c, text, send_at=until)
    outbox.rest(c, until=until, now=now)


def _rest(attempt: int, retry_after: float | None) -> timedelta:
    """How long a sender rests: what the carrier asks, else 1 s, 2 s, 4 s … 60 s."""
    if retry_after is not None:
        return timedelta(seconds=retry_after)
    doublings: int = min(attempt - 1, 6)
    return min(REST * (1 << doublings), LONGEST_REST)


def _refused(c: Connection, text: Row, refused: Refused, now: datetime) -> None:
    if refused.kind in SENDERS:  # the sender's trouble, not this text's: it waits until it expires
        _wait(c, text, now + max(BREAKER, timedelta(seconds=refused.retry_after or 0)), now)
        _tell_operator(c, text, refused.code, now)
        return
    if outbox.fenced(c, text, {"state": "failed", "error_code": refused.code}, states=("sending",)):
        _lost(c, text, refused.code, refused.kind, now=now)


def _take_receipt(c: Connection, text: Row, receipt: Receipt, *, now: datetime) -> None:
    if receipt.tag and outbox.attempt_of(c, receipt.tag) == text["attempt"]:
        outbox.proved(c, text, sid=receipt.sid, now=now)  # it was sent, whatever the answer to the request was
    _rise(c, text, receipt, now=now)


def _rise(c: Connection, text: Row, receipt: Receipt, *, now: datetime) -> None:
    """Let a text's status rise to what a receipt or the carrier's list says; what it rises past changes nothing."""
    rank = rank_of(receipt.status)
    if rank < 0 or not outbox.raise_rank(c, text, rank=rank, status=receipt.status, error_code=receipt.error_code):
        return
    if receipt.status in outbox.LOST:
        _lost(c, text, receipt.error_code, class_of(receipt.error_code), now=now)
    elif receipt.status == "delivered":
        outbox.tell_doses(c, {text["id"]: DoseEvent(EventKind.TEXT_DELIVERED, now, text=text["id"])}, now=now)
        if text["status"] in outbox.LOST:  # it arrived after all
            outbox.withdraw_resend(c, text, now=now)


def _lost(c: Connection, text: Row, code: int | None, kind: FailureClass, *, now: datetime) -> None:
    """A text that did not reach its phone. That is our fault or the carrier's, never a missed dose."""
    outbox.tell_doses(c, {text["id"]: DoseEvent(EventKind.TEXT_FAILED, now, text=text["id"], why=f"carrier {code}")}, now=now)
    match kind:
        case FailureClass.RECIPIENT_TRANSIENT:
            resend(c, text, now=now)
        case FailureClass.OPTED_OUT:
            _opted_out(c, text, now)
        case FailureClass.RECIPIENT_PERMANENT:
            if code not in DOUBTFUL or outbox.failed_before(c, text, code):
                _unusable(c, text, code, now)
        case FailureClass.ACCOUNT | FailureClass.OVERFLOW | FailureClass.CONTENT | FailureClass.UNKNOWN:
            _tell_operator(c, text, code, now)
        case _:
            pass  # its time was over, as it was meant to be


def _opted_out(c: Connection, text: Row, now: datetime) -> None:
    """The carrier says that the number has opted out. If we heard STOP ourselves, all has been done."""
    point = text["contact_point_id"]
    if not people.opted_out(c, point):
        people.opt(c, point, out=True, given_by="carrier", at=now, sid=None)
        for patient in people.patients(c, people.patients_on(c, point)).values():
            alerts.raise_once(c, patient, alerts.texts_stopped(patient, point, cause=f"carrier {text['id']}"), now=now)


def _unusable(c: Connection, text: Row, code: int | None, now: datetime) -> None:
    point = text["contact_point_id"]
    people.mark_unusable(c, point, at=now)
    words = f"This number cannot be texted (carrier code {code}). Ask for another; no text reaches it."
    for patient in people.patients(c, people.patients_on(c, point)).values():
        alerts.raise_once(c, patient, Notice("number_unusable", "urgent", f"{point} {now:%Y-%m-%d}", words, clinical=False), now=now)


def _tell_operator(c: Connection, text: Row, code: int | None, now: datetime) -> None:
    """Tell whoever runs this, once until it is closed: it is the same trouble for every patient."""
    if text["patient_id"] is None or alerts.open_alerts(c, clinic_id=text["clinic_id"], kinds=["sender_refused"]):
        return
    words = f"The carrier does not take our texts (code {code}). They wait until they expire, or are lost."
    patient = people.patients(c, [text["patient_id"]])[text["patient_id"]]
    notice = Notice("sender_refused", "urgent", f"{code} {text['id']}", words, clinical=False, owner="operator")
    alerts.raise_once(c, patient, notice, now=now)


def _settle(c: Connection, text: Row, listed: tuple[SentText, ...], *, now: datetime, patience: Patience) -> None:
    """Decide what became of a text in doubt. Every write is fenced: another worker may be settling it too."""
    people.lock(c, [text["patient_id"]] if text["patient_id"] else [])
    same = [sent for sent in listed if _same_words(sent.body, text["body"])]
    taken = outbox.owned(c, [sent.sid for sent in same])
    mine = next((sent for sent in same if sent.sid not in taken), None)
    if mine is not None:
        if outbox.accepted(c, text, sid=mine.sid, now=now):
            outbox.note_attempt(c, text, outcome="found", sid=mine.sid)
            _rise(c, text, Receipt(mine.sid, mine.status, None, mine.error_code), now=now)
        return
    if text["looked"] + 1 < LOOKS:
        again_at = now + patience.second_look - patience.settle
        outbox.fenced(c, text, {"looked": text["looked"] + 1, "lease_until": again_at}, states=("unknown",))
    elif now < text["expires_at"]:
        outbox.fenced(c, text, {"state": "queued", "send_at": now}, states=("unknown",))
    else:
        outbox.end(c, [text], "not_sent", why="not sent", now=now)


def _same_words(listed: str, ours: str) -> bool:
    """Compare bodies as the carrier may have changed them: smart quotes, space, and a trial account's words in front."""
    return same_body(ours, listed) or same_body(ours, listed.partition(TRIAL)[2])
