"""The phones around one patient, as the sandbox shows them: what was said both ways, why, and what each could answer."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from db.engine import reading
from reminders.domain.plan import plain
from reminders.domain.plan_state import PlanState
from reminders.domain.roles import Right, has_right
from reminders.errors import NotAllowed, UnknownPatient
from reminders.messaging.failure_codes import words_of
from reminders.messaging.question_kinds import Question, QuestionKind, menu_of
from reminders.messaging.texts import when
from reminders.services.records import plans, staff, texts
from reminders.services.records import sandbox_phones as rows_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row
    from reminders.services.records.plans import StoredPlan

PATIENTS_SHOWN, TEXTS_SHOWN, ALERTS_SHOWN, EVENTS_SHOWN = 200, 30, 12, 12
ON_CALL: Final = "on call"

ALWAYS: Final = ("1", "2", "MISSED", "HELP", "STOP")
TO_THE_TOLD: Final = ("HELP", "STOP")
"""What can always be said; and what by somebody who is told, and answers for nobody."""
EXAMPLES: Final[Mapping[QuestionKind, tuple[str, ...]]] = MappingProxyType(
    {
        QuestionKind.WHICH_TIME: ("8 am",),
        QuestionKind.STIFFNESS: ("S2", "S8"),
        QuestionKind.SYMPTOMS: ("N", "A2 C1", "A3"),
        QuestionKind.BLOOD_PRESSURE: ("118/76", "84/50"),
        QuestionKind.SPASMS: ("P1", "P3 2"),
        QuestionKind.IN_THE_WAY: ("W no F no", "W yes F no"),
        QuestionKind.BENEFIT: ("H yes", "H no"),
        QuestionKind.SLEEPINESS: ("A0 R no", "A3 R yes"),
        QuestionKind.FLUIDS: ("L no", "L yes"),
        QuestionKind.CONSENT: ("YES",),
        QuestionKind.CAREGIVER_CONSENT: ("YES",),
    }
)
"""Answers to the questions that no digit answers."""

DECIDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "take_now": "TakeNow",
        "take_now_last": "TakeNow",
        "skip": "Skip",
        "skip_instead": "Skip",
        "skip_last": "Skip",
        "too_soon": "TooSoon",
        "already_taken": "AlreadyTaken",
        "ask_provider": "AskProvider",
        "reminder_ask": "Ask",
        "reminder_not_before": "NotBefore",
        "reminder_guard": "Announce, with a guard",
    }
)
"""What the missed-dose rule decided, by the text that says it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A quick reply: what is sent, and what it means here; empty where it always means the same."""

    text: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text of a conversation; `why` is what was decided by, with its numbers."""

    at: datetime
    is_ours: bool
    body: str
    standing: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone, who holds it, and its last texts, oldest first."""

    id: str
    number: str
    holder: str
    role: str
    opted_out: bool
    bubbles: tuple[Bubble, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Someone:
    """A patient to be picked."""

    id: str
    name: str
    zone: str


@dataclass(frozen=True, slots=True)
class PlanNow:
    """How a plan stands; `next_at`: when its next dose is due."""

    id: str
    ref: str
    drug: str
    state: str
    reason: str | None
    phase_no: int
    phases: int
    next_at: datetime | None
    is_live: bool


@dataclass(frozen=True, slots=True)
class AlertNow:
    """An alert at the clinic; `standing`: open, taken on, closed."""

    id: str
    kind: str
    severity: str
    words: str
    raised_at: datetime
    standing: str


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened to a plan."""

    at: datetime
    plan: str
    kind: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Room:
    """One patient, the phones around them, and the clinic's side; times are to be shown in the patient's zone."""

    clinic: str
    clinic_zone: str
    patients: tuple[Someone, ...]
    patient: Someone
    phones: tuple[Phone, ...]
    plans: tuple[PlanNow, ...]
    alerts: tuple[AlertNow, ...]
    events: tuple[Happened, ...]

    def phone(self, phone_id: str) -> Phone | None:
        """The phone of an id, if it is one of these."""
        return next((phone for phone in self.phones if phone.id == phone_id), None)


def first_clinic(engine: Engine) -> str | None:
    """The clinic that is shown before anybody can sign in: a simulated one, if there is one."""
    with reading(engine) as c:
        found = rows_of.clinics(c)
    return found[0]["id"] if found else None


def somebody(engine: Engine, clinic_id: str) -> str:
    """The name under which an act stands before anybody can sign in: the first on the clinic's list who may. Raises NotAllowed."""
    with reading(engine) as c:
        found = [
            name for name, member in staff.listed(c, clinic_id).items() if member.ended_at is None and has_right(member.roles, Right.CARE)
        ]
    if not found:
        raise NotAllowed("nobody on the clinic's list may do this: add a provider with `doseline staff add`")
    return found[0]


def everybody(engine: Engine, clinic_id: str) -> tuple[Someone, ...]:
    """The first patients of a clinic."""
    with reading(engine) as c:
        return _everybody(c, clinic_id)


def room(engine: Engine, clinic_id: str, patient_id: str, *, now: datetime) -> Room:
    """Look at the phones around a patient of a clinic. Raises UnknownPatient."""
    with reading(engine) as c:
        patient = rows_of.patient(c, clinic_id, patient_id)
        if patient is None:
            raise UnknownPatient
        clinic = next(row for row in rows_of.clinics(c) if row["id"] == clinic_id)
        someone = Someone(patient["id"], patient["name"], patient["zone"])
        alerts = rows_of.alerts(c, clinic_id, patient_id, limit=ALERTS_SHOWN)
        events = rows_of.plan_events(c, clinic_id, patient_id, limit=EVENTS_SHOWN)
        stored = plans.of_patients(c, [patient_id]).get(patient_id, [])
        return Room(
            clinic=clinic["name"],
            clinic_zone=clinic["zone"],
            patients=_everybody(c, clinic_id),
            patient=someone,
            phones=tuple(_phones(c, clinic_id, someone, _Facts(alerts, events), now)),
            plans=tuple(_plan(plan, now) for plan in stored),
            alerts=tuple(map(_alert, alerts)),
            events=tuple(Happened(row["at"], row["plan"], row["kind"], row["by"], row["reason"]) for row in events),
        )


@dataclass(frozen=True, slots=True)
class _Facts:
    """What happened around a patient, by which a text can be explained."""

    alerts: Sequence[Row]
    events: Sequence[Row]

    def at(self, moment: datetime, plan_id: str | None) -> Iterator[str]:
        """What was raised, or happened to a plan, at the instant at which a text was written."""
        for event in self.events:
            if event["at"] == moment and plan_id in (None, event["plan_id"]) and event["reason"]:
                yield f"plan {event['kind']}: {event['reason']}"
        for alert in self.alerts:
            if alert["raised_at"] == moment:
                yield f"alert {_words(alert['kind'])}, {alert['severity']}: {alert['words']}"


def _everybody(c: Connection, clinic_id: str) -> tuple[Someone, ...]:
    return tuple(Someone(row["id"], row["name"], row["zone"]) for row in rows_of.patients(c, clinic_id, limit=PATIENTS_SHOWN))


def _phones(c: Connection, clinic_id: str, patient: Someone, facts: _Facts, now: datetime) -> Iterator[Phone]:
    around = rows_of.behind(c, clinic_id, patient.id)
    called = rows_of.on_call(c, clinic_id)
    points = {row["id"]: row for row in around} | ({called["id"]: called} if called else {})
    sent = rows_of.texts_out(c, clinic_id, list(points), limit=TEXTS_SHOWN)
    heard = rows_of.texts_in(c, clinic_id, [row["phone"] for row in points.values()], limit=TEXTS_SHOWN)
    about = rows_of.doses_of(c, clinic_id, [text["id"] for found in sent.values() for text in found])
    rule = rows_of.advised(c, clinic_id, [text["dose_id"] for found in sent.values() for text in found if text["dose_id"]])
    tz = ZoneInfo(patient.zone)
    for point_id, row in points.items():
        mine = [one for one in around if one["id"] == point_id]
        bubbles = [_ours(text, _why(text, about.get(text["id"], ()), rule.get(text["dose_id"], ()), facts, tz)) for text in sent[point_id]]
        bubbles += [_theirs(text) for text in heard[row["phone"]]]
        yield Phone(
            id=point_id,
            number=row["phone"],
            holder=" and ".join(dict.fromkeys(one["name"] for one in mine)) or "whoever is on call",
            role=_roles(mine),
            opted_out=row["opted_out_at"] is not None,
            bubbles=tuple(sorted(bubbles, key=lambda bubble: (bubble.at, bubble.is_ours))[-TEXTS_SHOWN:]),
            choices=_choices(c, row, {one["role"] for one in mine}, now=now),
        )


def _roles(mine: Sequence[Row]) -> str:
    if not mine:
        return ON_CALL
    return ", ".join(dict.fromkeys(one["relationship"] or one["role"] for one in mine))


def _choices(c: Connection, point: Row, roles: Collection[str], *, now: datetime) -> tuple[Choice, ...]:
    """What answers the last question asked, and what can always be said."""
    asked = texts.open_questions(c, [point["id"]], now=now)
    offered = tuple(_answers(asked[-1])) if asked else ()
    known = {choice.text for choice in offered}
    always = ALWAYS if {"patient", "proxy"} & set(roles) else TO_THE_TOLD
    always = (*always[:-1], "START") if point["opted_out_at"] is not None else always
    return (*offered, *(Choice(text) for text in always if text not in known))


def _answers(row: Row) -> Iterator[Choice]:
    doses = tuple(json.loads(row["doses"]))
    question = Question(row["id"], QuestionKind(row["kind"]), doses, row["asked_at"], row["expires_at"])
    yield from (Choice(str(digit), _words(meaning.value)) for digit, meaning in menu_of(question).items())
    yield from (Choice(text, _words(question.kind.value)) for text in EXAMPLES.get(question.kind, ()))


def _ours(text: Row, why: Iterator[str]) -> Bubble:
    code = f": {words_of(text['error_code'])} ({text['error_code']})" if text["error_code"] else ""
    return Bubble(text["at"], is_ours=True, body=text["body"], standing=(text["status"] or text["state"]) + code, why=tuple(why))


def _theirs(text: Row) -> Bubble:
    read = f"read as: {_spaced(text['reading'])}" if text["understood"] and text["reading"] else "not understood"
    return Bubble(text["received_at"], is_ours=False, body=text["body"], standing="received", why=(read,))


def _spaced(reading: str) -> str:
    """Write what a text was read as for people: "LateQuestion, Named" is "late question, named"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", reading).lower()


def _why(text: Row, doses: Sequence[Row], rule: Sequence[Row], facts: _Facts, tz: ZoneInfo) -> Iterator[str]:
    """Say what a text was decided by, with the numbers as they are stored."""
    decided = DECIDED.get(text["template"])
    if decided is not None:
        yield _decision(decided, text, [event for event in rule if event["at"] <= text["created_at"]][-1:], tz)
    for dose in doses:
        yield _dose(dose, tz)
    yield from facts.at(text["created_at"], text["plan_id"])


def _decision(decided: str, text: Row, rule: Sequence[Row], tz: ZoneInfo) -> str:
    fields = rows_of.fields_of(text)
    until = f" until {fields['until']}" if "until" in fields else ""
    said = [f"rule: {rule[0]['why']}", f"the dose was due {when(rule[0]['due_at'], tz, 'en')}"] if rule else []
    following = [f"next {fields['next']}"] if "next" in fields else []
    after = [f"none after {fields['after']}"] if "after" in fields else []
    return f"{decided}{until}: {'; '.join([*said, *following, *after]) or 'no rule answers this'}"


def _dose(dose: Row, tz: ZoneInfo) -> str:
    def at(moment: datetime) -> str:
        return when(moment, tz, "en")

    taken = f"may be taken until {at(dose['take_until'])}" if dose["take_until"] else "no rule says until when it may be taken"
    words = f"{plain(dose['amount'])} {dose['unit']} due {at(dose['due_at'])}, phase {dose['phase_no']}: a reminder is of use until "
    return f"{words}{at(dose['announce_until'])}; {taken}; an answer is waited for until {at(dose['answer_until'])}"


def _plan(plan: StoredPlan, now: datetime) -> PlanNow:
    return PlanNow(
        id=plan.id,
        ref=plan.ref,
        drug=plan.profile.name,
        state=_words(plan.state.value),
        reason=plan.reason,
        phase_no=plans.current_phase(plan, now),
        phases=len(plan.plan.phases),
        next_at=plan.next_due_at,
        is_live=plan.state not in {PlanState.COMPLETED, PlanState.STOPPED},
    )


def _alert(row: Row) -> AlertNow:
    standing = "closed" if row["closed_at"] else f"taken on by {row['acknowledged_by']}" if row["acknowledged_at"] else "open"
    return AlertNow(row["id"], _words(row["kind"]), row["severity"], row["words"], row["raised_at"], standing)


def _words(code: str) -> str:
    return code.replace("_", " ")
