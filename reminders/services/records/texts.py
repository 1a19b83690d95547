"""Texts to people: a row before it is a request, with the doses it is about and the question it asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BindParameter, bindparam, case, select, update

from db.types import UtcDateTime
from reminders.domain.contact import Contactable
from reminders.messaging.texts import Purpose, purpose_of, render, template_of
from reminders.services.records.ledger import QUESTION, TEXT_IN, TEXT_ITEM, TEXT_OUT, asked, insert_all, insert_once, new_id, rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Clinic, Line, Patient

ANSWER_LIFE = timedelta(hours=4)
"""How long an answer to a person is worth sending [our default]: they wrote, and wait for it."""

URGENT = frozenset({Purpose.EMERGENCY, Purpose.STAFF_ALERT, Purpose.CAREGIVER_ALERT, Purpose.SUSPEND_NOTICE})
"""What goes before everything else, and for which a part of the sender's pace is kept free."""

LAST_WORDS = frozenset({"texts_stopped", "on_call_stopped"})
"""The one text that leaves after STOP: that it was heard."""

NUMBERED = frozenset({"catch_up", "silence", "why_not_taken", "outage"})
"""The questions of ours with numbered answers: one of them is open at a phone at a time."""

APART = timedelta(minutes=30)
"""A question that waits for the morning, or for the end of an outage, comes so long after it: its "1" means another thing than the first
reminder's [our default]."""

ALWAYS = frozenset({*LAST_WORDS, "wrong_number", "number_check", "consent_ask"})
"""The texts that need no consent on record: the last word to a number, and the two that ask for consent."""


@dataclass(frozen=True)
class Asked:
    """The question a text asks: `doses` it is about, what each label's letter stands for, until when it can be answered."""

    kind: str
    expires_at: datetime
    doses: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """A text to be written. `cause` is its key: the same cause never writes the same kind twice.

    dose_id  the dose that advice is about: the advice is decided again when it is sent.
    items    (dose id, item kind) for each dose it announces, reminds of or corrects.
    """

    template: str
    kind: str
    cause: str
    _: KW_ONLY
    fields: Mapping[str, str] = field(default_factory=dict)
    send_at: datetime | None = None
    expires_at: datetime | None = None
    plan_id: str | None = None
    version_no: int | None = None
    dose_id: str | None = None
    items: Sequence[tuple[str, str]] = ()
    asks: Asked | None = None


def queue(c: Connection, patient: Patient, line: Line | None, draft: Draft, *, now: datetime) -> str | None:
    """Write a text to a line, for the sender to find; return its id.

    None, and nothing written, if there is no line, no valid consent, or the cause has spoken already.
    """
    if line is None or not (isinstance(line.may_text, Contactable) or draft.template in ALWAYS):
        return None
    row = text_row(patient, line, draft, now=now)
    if not insert_once(c, TEXT_OUT, row):
        return None
    for dose_id, kind in draft.items:
        insert_once(c, TEXT_ITEM, {"clinic_id": row["clinic_id"], "text_id": row["id"], "dose_id": dose_id, "kind": kind})
    if draft.asks:
        insert_all(c, QUESTION, [question_row(row, patient, draft.asks)])
    return str(row["id"])


def text_row(patient: Patient, line: Line, draft: Draft, *, now: datetime) -> Row:
    """Make the row of a text about a patient, its body filled in."""
    row = row_to(patient.clinic, line.contact_point_id, replace(draft, fields=filled(patient, draft)), language=patient.language, now=now)
    return {**row, "patient_id": patient.id}


def row_to(clinic: Clinic, contact_point_id: str, draft: Draft, *, language: str, now: datetime) -> Row:
    """Make the row of a text to a number, its body filled in. It is about no patient."""
    fields, purpose = _needed(draft, _of_clinic(clinic)), purpose_of(draft.template)
    return {
        "clinic_id": clinic.id,
        "id": new_id(),
        "contact_point_id": contact_point_id,
        "plan_id": draft.plan_id,
        "version_no": draft.version_no,
        "dose_id": draft.dose_id,
        "kind": draft.kind,
        "cause": draft.cause,
        "purpose": purpose.value,
        "urgent": purpose in URGENT,
        "template": draft.template,
        "language": language,
        "fields": json.dumps(fields, ensure_ascii=False),
        "body": render(draft.template, language, **fields),
        "state": "queued",
        "send_at": draft.send_at or now,
        "expires_at": draft.expires_at or max(draft.send_at or now, now) + ANSWER_LIFE,
        "attempt": 0,
        "looked": 0,
        "rank": -1,
        "created_at": now,
    }


def filled(patient: Patient, draft: Draft) -> dict[str, str]:
    """The fields a text needs, with what every text may name: the clinic, its phone, and the patient. `which` is left out of most."""
    return _needed(draft, {**_of_clinic(patient.clinic), "name": patient.name.split()[0], "which": ""})


def _of_clinic(clinic: Clinic) -> dict[str, str]:
    return {"clinic": clinic.name, "phone": clinic.phone}


def _needed(draft: Draft, known: Mapping[str, str]) -> dict[str, str]:
    every = {**known, **draft.fields}
    return {name: every[name] for name in template_of(draft.template).fields if name in every}


def question_row(text: Row, patient: Patient, asked: Asked) -> Row:
    """Make the row of the question a text asks."""
    return {
        "clinic_id": text["clinic_id"],
        "id": new_id(),
        "contact_point_id": text["contact_point_id"],
        "patient_id": patient.id,
        "plan_id": text["plan_id"],
        "kind": asked.kind,
        "text_id": text["id"],
        "doses": json.dumps(list(asked.doses)),
        "labels": json.dumps(dict(asked.labels)),
        "asked_at": text["send_at"],
        "expires_at": asked.expires_at,
    }


def rewrite(c: Connection, text_id: str, patient: Patient, draft: Draft) -> None:
    """Write a queued text anew: another template or other fields, for the same cause."""
    fields = filled(patient, draft)
    values: dict[str, object] = {
        "template": draft.template,
        "purpose": purpose_of(draft.template).value,
        "fields": json.dumps(fields, ensure_ascii=False),
        "body": render(draft.template, patient.language, **fields),
    }
    if draft.expires_at:
        values["expires_at"] = draft.expires_at
    c.execute(update(TEXT_OUT).where(TEXT_OUT.c.id == text_id, TEXT_OUT.c.state.in_(("queued", "sending"))).values(values))


def drop_items(c: Connection, text_id: str, dose_ids: Iterable[str]) -> None:
    """Let doses leave a text that no longer needs to name them."""
    c.execute(TEXT_ITEM.delete().where(TEXT_ITEM.c.text_id == text_id, TEXT_ITEM.c.dose_id.in_(list(dose_ids))))


def open_questions(c: Connection, contact_point_ids: Iterable[str], *, now: datetime) -> list[Row]:
    """The questions a phone can still answer, newest last, each with whether its text was proved delivered."""
    return asked(c, _OPEN, ids=list(contact_point_ids), now=now)


_NOW = bindparam("now", type_=UtcDateTime)
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_ANSWER = update(QUESTION).where(QUESTION.c.id == bindparam("its_id")).values(answered_at=_NOW, answer=bindparam("new_answer"))
_READ_AS = (
    update(TEXT_IN)
    .where(TEXT_IN.c.sid == bindparam("its_sid"))
    .values(reading=bindparam("new_reading"), understood=bindparam("new_understood"))
)
_OPEN = (  # made once: to make a statement costs more than to run it
    select(QUESTION, TEXT_OUT.c.rank, TEXT_OUT.c.sent_at, TEXT_OUT.c.state.label("text_state"))
    .join(TEXT_OUT, (TEXT_OUT.c.id == QUESTION.c.text_id) & (TEXT_OUT.c.clinic_id == QUESTION.c.clinic_id))
    .where(
        QUESTION.c.contact_point_id.in_(_IDS),
        QUESTION.c.answered_at.is_(None),
        QUESTION.c.asked_at <= _NOW,
        QUESTION.c.expires_at > _NOW,
        TEXT_OUT.c.state.in_(("sending", "unknown", "accepted")),
    )
    .order_by(QUESTION.c.asked_at, QUESTION.c.id)
)


def doses_asked_about(c: Connection, question_id: str) -> list[str]:
    """The doses that a question asked about."""
    about: list[str] = json.loads(c.scalars(select(QUESTION.c.doses).where(QUESTION.c.id == question_id)).one())
    return about


def answered(c: Connection, question_id: str, answer: str, *, at: datetime) -> None:
    """Close a question with its answer."""
    c.execute(_ANSWER, {"its_id": question_id, "new_answer": answer[:80], "now": at})


def withdraw_questions(c: Connection, contact_point_ids: Iterable[str], *, at: datetime, patient_id: str | None = None) -> None:
    """Close every open question of some numbers unanswered; of one patient's, if given."""
    wanted = QUESTION.c.contact_point_id.in_(list(contact_point_ids)) & QUESTION.c.answered_at.is_(None)
    if patient_id is not None:
        wanted &= QUESTION.c.patient_id == patient_id
    c.execute(update(QUESTION).where(wanted).values(answered_at=at, answer="withdrawn"))


def waiting_questions(c: Connection, contact_point_id: str, *, kinds: Iterable[str], now: datetime) -> int:
    """How many questions of some kinds are still open, or on their way, at a number."""
    query = select(QUESTION.c.id).where(
        QUESTION.c.contact_point_id == contact_point_id,
        QUESTION.c.kind.in_(list(kinds)),
        QUESTION.c.answered_at.is_(None),
        QUESTION.c.expires_at > now,
    )
    return len(c.execute(query).all())


def asked_points(c: Connection, contact_point_ids: Iterable[str], *, kinds: Iterable[str], now: datetime) -> set[str]:
    """At which of these numbers a question of some kinds is open, or on its way."""
    here = QUESTION.c.contact_point_id.in_(list(contact_point_ids)) & QUESTION.c.kind.in_(list(kinds))
    return set(c.scalars(select(QUESTION.c.contact_point_id).where(here, QUESTION.c.answered_at.is_(None), QUESTION.c.expires_at > now)))


def cancel_queued(
    c: Connection,
    *,
    contact_point_id: str | None = None,
    patient_id: str | None = None,
    plan_id: str | None = None,
    kinds: Iterable[str] | None = None,
) -> list[str]:
    """Cancel texts not yet claimed, to a number, about a patient or of a plan; return their ids."""
    wanted = [TEXT_OUT.c.state == "queued"]
    if contact_point_id:
        wanted.append(TEXT_OUT.c.contact_point_id == contact_point_id)
    if patient_id:
        wanted.append(TEXT_OUT.c.patient_id == patient_id)
    if plan_id:
        wanted.append(TEXT_OUT.c.plan_id == plan_id)
    if kinds is not None:
        wanted.append(TEXT_OUT.c.kind.in_(list(kinds)))
    # One statement: between a look and a write, a sender could claim the text.
    return list(c.scalars(update(TEXT_OUT).where(*wanted).values(state="cancelled").returning(TEXT_OUT.c.id)))


def waiting_causes(c: Connection, plan_id: str, *, kind: str) -> list[str]:
    """The causes of a plan's texts of a kind that are not yet claimed."""
    query = select(TEXT_OUT.c.cause).where(TEXT_OUT.c.plan_id == plan_id, TEXT_OUT.c.kind == kind, TEXT_OUT.c.state == "queued")
    return list(c.scalars(query.order_by(TEXT_OUT.c.cause)))


def has_spoken(c: Connection, clinic_id: str, cause: str) -> bool:
    """Whether a cause has written a text that was not given up."""
    query = select(TEXT_OUT.c.id).where(TEXT_OUT.c.clinic_id == clinic_id, TEXT_OUT.c.cause == cause, TEXT_OUT.c.state != "cancelled")
    return c.execute(query.limit(1)).first() is not None


def take_back(c: Connection, *, kind: str, cause: str, at: datetime) -> bool:
    """Cancel a text that has not been claimed, and the question it would have asked; say whether there was one."""
    mine = (TEXT_OUT.c.kind == kind, TEXT_OUT.c.cause == cause, TEXT_OUT.c.state == "queued")
    # One statement: between a look and a write, a sender could claim the text.
    ids = list(c.scalars(update(TEXT_OUT).where(*mine).values(state="cancelled").returning(TEXT_OUT.c.id)))
    close_questions_of_texts(c, ids, at=at)
    return bool(ids)


def last_kind(c: Connection, contact_point_id: str, *, at: datetime) -> str | None:
    """The kind of the newest text that had left for a phone at an instant."""
    left = (TEXT_OUT.c.contact_point_id == contact_point_id, TEXT_OUT.c.sent_at <= at)
    return c.scalar(select(TEXT_OUT.c.kind).where(*left).order_by(TEXT_OUT.c.sent_at.desc(), TEXT_OUT.c.id.desc()).limit(1))


def written_since(c: Connection, contact_point_ids: Iterable[str], *, at: datetime) -> list[Row]:
    """The texts to some numbers that were written at or after an instant and wait to be sent, in the order in which they leave."""
    mine = (TEXT_OUT.c.contact_point_id.in_(list(contact_point_ids)), TEXT_OUT.c.created_at >= at, TEXT_OUT.c.state == "queued")
    return rows(c, select(TEXT_OUT).where(*mine).order_by(TEXT_OUT.c.send_at, TEXT_OUT.c.id))


def sent_with(c: Connection, dose_id: str) -> list[Row]:
    """The texts about a dose that have left, or may have."""
    query = (
        select(TEXT_OUT)
        .join(TEXT_ITEM, (TEXT_ITEM.c.text_id == TEXT_OUT.c.id) & (TEXT_ITEM.c.clinic_id == TEXT_OUT.c.clinic_id))
        .where(TEXT_ITEM.c.dose_id == dose_id, TEXT_OUT.c.state.in_(("sending", "unknown", "accepted")))
    )
    return rows(c, query)


def keep_incoming(c: Connection, row: Row) -> bool:
    """Keep a text from a person under the carrier's id; False if it is there already."""
    return insert_once(c, TEXT_IN, row)


def read_as(c: Connection, sid: str, *, reading: str, understood: bool) -> None:
    """Note how an incoming text was read: codes only, never its words."""
    c.execute(_READ_AS, {"its_sid": sid, "new_reading": reading[:400], "new_understood": understood})


def asked_now(c: Connection, sent: Iterable[Row], *, now: datetime) -> None:
    """Note that the questions of texts are being asked now. Of those asked together a reminder's is the last: it does not wait."""
    ids = [text["id"] for text in sent]
    clinics = {text["clinic_id"] for text in sent}
    mine = QUESTION.c.clinic_id.in_(clinics) & QUESTION.c.text_id.in_(ids)
    at = case((QUESTION.c.kind == "dose", now), else_=now - timedelta.resolution)
    c.execute(update(QUESTION).where(mine, QUESTION.c.asked_at != now).values(asked_at=at))


def widen_question(c: Connection, text_id: str, dose_ids: Iterable[str], labels: Mapping[str, str]) -> None:
    """Let the question of a text not yet sent ask about other doses than it did."""
    values = {"doses": json.dumps(list(dose_ids)), "labels": json.dumps(dict(labels))}
    c.execute(update(QUESTION).where(QUESTION.c.text_id == text_id).values(values))


def share(c: Connection, text_id: str) -> None:
    """Let a text, and the question it asks, be of no one plan any more: what ends for one of several does not take it back."""
    c.execute(update(TEXT_OUT).where(TEXT_OUT.c.id == text_id).values(plan_id=None, version_no=None))
    c.execute(update(QUESTION).where(QUESTION.c.text_id == text_id).values(plan_id=None))


def close_questions_of_texts(c: Connection, text_ids: Iterable[str], *, at: datetime) -> None:
    """Close the questions of texts that were never sent."""
    wanted = QUESTION.c.text_id.in_(list(text_ids)) & QUESTION.c.answered_at.is_(None)
    c.execute(update(QUESTION).where(wanted).values(answered_at=at, answer="withdrawn"))
