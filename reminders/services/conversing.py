"""Conversing: what staff read and write to a patient, and taking a conversation over from the machine.

A text in a person's own words goes out as any text of ours does: one row, under the same consent, STOP and quiet hours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from db.queries.timeline import Before
from reminders.domain.contact import Contactable
from reminders.domain.roles import Right
from reminders.domain.taking_over import HOLDS_FOR, Takeover
from reminders.errors import BadFile, Fault, NotAllowed, UnknownPatient
from reminders.messaging.staff_words import MOST_PARTS, TEMPLATE, weigh
from reminders.services.records import charts, conversations, enrolment, people, quarantines, staff, takeovers, texts
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.conversations import Conversation, DoseLink, Said
from reminders.services.records.texts import Asked, Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.people import Patient

__all__ = [
    "MOST_PARTS",
    "Before",
    "Conversation",
    "DoseLink",
    "Said",
    "Takeover",
    "Written",
    "conversation",
    "find",
    "hand_back",
    "take_over",
    "write",
]

PAGE = 30
"""So many texts of a conversation are shown at once [our default]."""
ANSWERED_WITHIN = timedelta(hours=12)
"""For how long a bare yes or no is taken for the answer to what a person wrote, if nothing else is asked since [our default]."""
KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True, slots=True)
class Written:
    """A text that was written: when it leaves, and how many parts it has."""

    leaves_at: datetime
    parts: int


def conversation(engine: Engine, clinic_id: str, patient_id: str, *, by: str, now: datetime, before: Before | None = None) -> Conversation:
    """A patient's conversation before a place, or its newest texts. Raises UnknownPatient, NotAllowed for who cares for nobody."""
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        patient = people.of_clinic(c, clinic_id, patient_id)
        return conversations.conversation_of(c, patient, before=before, now=now, limit=PAGE)


def find(engine: Engine, patient_ref: str) -> tuple[str, str]:
    """The clinic and the id of a patient, by the reference they were enrolled by: a story knows no other. Raises UnknownPatient."""
    with reading(engine) as c:
        for clinic_id in staff.clinics(c):
            patient_id = enrolment.patient_of_ref(c, clinic_id, patient_ref)
            if patient_id is not None:
                return clinic_id, patient_id
    raise UnknownPatient(f"there is no patient {patient_ref!r}")


def write(
    engine: Engine, clinic_id: str, patient_id: str, words: str, *, by: str, key: str, now: datetime, takes_over: bool = False
) -> Written:
    """Write a text to a patient in a person's own words; with `takes_over` the conversation is then in their hands.

    `key` names this one text: sent again with the same, it is the same text, and goes out once. Raises UnknownPatient; NotAllowed
    for who cares for nobody, where the phone may not be texted, or there is none; BadFile with what is wrong with the words.
    """
    with writing(engine) as c:
        quarantines.refuse_while_held(c)
        staff.require(c, clinic_id, by, Right.CARE)
        patient = _locked(c, clinic_id, patient_id)
        line = patient.line
        if line is None:
            raise NotAllowed(f"{patient.name} has no phone that is texted")
        if not isinstance(line.may_text, Contactable):
            raise NotAllowed(f"{line.name} may not be texted: {charts.phone_line(line).may_text}")
        weighed = weigh(patient.clinic.name, words)
        if weighed.fault or not KEY.fullmatch(key):
            raise BadFile([Fault("words", weighed.fault or "were not sent from a page of ours: open it again")])
        at = conversations.leaves(c, patient, now=now)
        asks = Asked("staff", at + ANSWERED_WITHIN)
        text_id = texts.queue(
            c, patient, line, Draft(TEMPLATE, "staff", f"staff:{key}", fields={"words": words}, send_at=at, asks=asks), now=now
        )
        if text_id is not None:
            write_audit(c, clinic_id, Entry(now, by, "text written", text_id))
            if takes_over:
                takeovers.begin(c, clinic_id, patient_id, who=by, now=now)
        return Written(at, weighed.length.parts)


def take_over(engine: Engine, clinic_id: str, patient_id: str, *, by: str, now: datetime) -> datetime:
    """Take a conversation into somebody's hands; return until when. What is not understood then goes to them, unanswered.

    Dose reminders, answers about doses, danger signs and STOP work as ever. Raises UnknownPatient, NotAllowed.
    """
    with writing(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        _locked(c, clinic_id, patient_id)
        takeovers.begin(c, clinic_id, patient_id, who=by, now=now)
        return now + HOLDS_FOR


def hand_back(engine: Engine, clinic_id: str, patient_id: str, *, by: str, now: datetime) -> bool:
    """Hand a conversation back to the machine, whoever had it; False if nobody had. Raises UnknownPatient, NotAllowed."""
    with writing(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        _locked(c, clinic_id, patient_id)
        return takeovers.end(c, clinic_id, patient_id, who=by, now=now)


def _locked(c: Connection, clinic_id: str, patient_id: str) -> Patient:
    people.lock(c, [patient_id])
    return people.of_clinic(c, clinic_id, patient_id)
