"""Receipts: what the carrier says later of a text it took. Kept once for ever; a text's status only ever rises."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from db.engine import writing
from reminders.domain.dose_state import DoseEvent, EventKind
from reminders.messaging.failure_codes import class_of, codes_of
from reminders.messaging.transport import FailureClass, NotSent, Receipt, Refused, rank_of
from reminders.services.delivering.resting import LONGEST_REST, learn_of_loss
from reminders.services.records import alerts, outbox, people, troubles
from reminders.services.records.alerts import Notice
from reminders.services.records.resending import resend
from reminders.services.records.troubles import Trouble

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row

DOUBTFUL = frozenset({30005})
"""Codes that mean a number is gone for good only when the next text to it fails so too."""
SENT = rank_of("sent")
"""From here on a text has left the carrier's own queue; of some phones nothing more is ever told."""
CONTENT_ALARM, CONTENT_WITHIN = 3, timedelta(minutes=15)
"""So many texts blocked or filtered so closely: it is the wording, or the sender's standing, and no single text [our default]."""


class Taken(StrEnum):
    """What became of a receipt: taken in, here before, or kept though no text of ours has its sid or its tag."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    UNKNOWN = "unknown"


def receive_status(
    engine: Engine, *, sid: str, status: str, tag: str | None, error_code: int | None, now: datetime, token: str | None = None
) -> Taken:
    """Take in a carrier's receipt: kept once for ever, and a text's status only ever rises."""
    with writing(engine) as c:
        text = outbox.by_receipt(c, sid=sid, tag=tag)
        receipt = {"sid": sid, "status": status, "tag": tag, "error_code": error_code, "token": token, "received_at": now}
        known = {"clinic_id": text["clinic_id"], "text_id": text["id"]} if text else {}
        if not outbox.keep_receipt(c, {**receipt, **known}):
            return Taken.REPEATED
        if text is None:
            return Taken.UNKNOWN
        _take_receipt(c, outbox.hold(c, text), Receipt(sid, status, tag, error_code), now=now)
        return Taken.ACCEPTED


def _take_receipt(c: Connection, text: Row, receipt: Receipt, *, now: datetime) -> None:
    attempt = outbox.attempt_of(c, receipt.tag) if receipt.tag else None
    if attempt is not None and receipt.sid != text["sid"]:
        outbox.note_attempt(c, {**text, "attempt": attempt}, outcome="proved", sid=receipt.sid)
        # Sent, by whichever try and whatever was answered to it. But the loss of one try says nothing of another that may still arrive.
        if attempt == text["attempt"] or receipt.status not in outbox.LOST or text["state"] not in outbox.UNDECIDED:
            outbox.proved(c, text, sid=receipt.sid, now=now)
    rise(c, text, receipt, now=now)


def rise(c: Connection, text: Row, receipt: Receipt, *, now: datetime) -> None:
    """Let a text's status rise to what a receipt or the carrier's list says; what it rises past changes nothing."""
    rank = rank_of(receipt.status)
    if rank < 0 or not outbox.raise_rank(c, text, rank=rank, status=receipt.status, error_code=receipt.error_code):
        return
    if receipt.status in outbox.LOST:
        lost(c, text, receipt.error_code, class_of(receipt.error_code), now=now)
    elif rank >= SENT:
        troubles.end(c, Trouble.CONTENT, now=now, quiet_for=CONTENT_WITHIN)
    if receipt.status == "delivered":
        outbox.tell_doses(c, {text["id"]: DoseEvent(EventKind.TEXT_DELIVERED, now, text=text["id"])}, now=now)
        if text["status"] in outbox.LOST:  # it arrived after all
            outbox.withdraw_resend(c, text, now=now)


def lost(c: Connection, text: Row, code: int | None, kind: FailureClass, *, now: datetime) -> None:
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
        case FailureClass.NOT_SENT:
            resend(c, text, now=now, later=LONGEST_REST)
            learn_of_loss(c, NotSent(code), now=now)
        case FailureClass.ACCOUNT | FailureClass.OVERFLOW:
            learn_of_loss(c, Refused(code, kind), now=now)
        case FailureClass.CONTENT | FailureClass.UNKNOWN | FailureClass.AMBIGUOUS:
            _tell_operator(c, text, code, now)
            _alarm_if_many(c, now)
        case FailureClass.EXPIRED:
            pass  # its time was over, as it was meant to be
        case _ as unreachable:
            assert_never(unreachable)


def _opted_out(c: Connection, text: Row, now: datetime) -> None:
    """The carrier says that the number has opted out, of all that we send. If we heard STOP ourselves, all has been done."""
    for point in people.same_phone(c, text["contact_point_id"]):
        known = people.opted_out(c, point)
        # It was so when the text left, whenever we hear of it: a START since then stands.
        if not known and people.opt(c, point, out=True, given_by="carrier", at=text["claimed_at"], sid=text["sid"]):
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
    words = f"The carrier does not carry our texts (code {code}). The wording, or the number we send from, may be blocked."
    patient = people.patients(c, [text["patient_id"]])[text["patient_id"]]
    notice = Notice("sender_refused", "urgent", f"{code} {text['id']}", words, clinical=False, owner="operator")
    alerts.raise_once(c, patient, notice, now=now)


def _alarm_if_many(c: Connection, now: datetime) -> None:
    """Sound the alarm if texts are blocked one after another."""
    blocked = outbox.count_failed(c, codes_of(FailureClass.CONTENT), since=now - CONTENT_WITHIN)
    if blocked >= CONTENT_ALARM:
        words = f"{blocked} texts were blocked or filtered in {CONTENT_WITHIN // timedelta(minutes=1)} minutes: look at their wording."
        troubles.begin(c, Trouble.CONTENT, words, now=now)
