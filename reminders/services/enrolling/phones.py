"""The people around a patient: their numbers, what proves them, what they agreed to, and what they are told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.contact import Refused, Role, WhyNot
from reminders.domain.proving import Proof, code_in
from reminders.domain.roles import Right
from reminders.errors import BadFile, Fault, NotAllowed, NotFound
from reminders.formats.import_file import CaregiverShape, ConsentShape, across
from reminders.formats.shape import read
from reminders.services.enrolling.typed import NOT_SAID, Agreed, File, by_fields, phone_of
from reminders.services.records import alerts, enrolment, people, proving, silencing, staff
from reminders.services.records.enrolment import short_name
from reminders.services.records.proving import Code

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Line, Patient

CONSENT_FIELDS = {"by": "consent_by", "how": "consent_how", "at": "consent_at", "wording_version": "consent_wording"}
NUMBER_FIELDS = {"phone": "phone"} | {f"consent.{path}": field for path, field in CONSENT_FIELDS.items()}
PERSON_FIELDS = {name: name for name in ("name", "relationship", "role")} | {"alerts": "after_misses"} | NUMBER_FIELDS

SAID_WRONG = {
    Proof.WRONG: "is not the one that was sent: have it read out again",
    Proof.USED_UP: "was said wrong too often: send another one",
    Proof.TOO_LATE: "is older than ten minutes: send another one",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody around a patient, the patient too. `consent`: the last one given, as a row; `code`: the newest, None without any.

    `silent`: why their number is not texted, None: it is. `must_start`: STOP came from it by text, and only START takes that back.
    """

    line: Line
    relationship: str
    consent: Row | None
    code: Code | None
    must_start: bool

    @property
    def silent(self) -> WhyNot | None:
        """Why the number is not texted; None: it is."""
        return self.line.may_text.why if isinstance(self.line.may_text, Refused) else None


@dataclass(frozen=True, slots=True)
class Around:
    """A patient, and the people around them, who is texted for the patient first."""

    patient: Patient
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """Somebody as they are typed. `after_misses`: after how many doses running that were not confirmed they are told; empty: of none."""

    name: str = ""
    relationship: str = ""
    phone: str = ""
    role: str = "caregiver"
    after_misses: str = ""
    consent: Agreed = NOT_SAID


def around(engine: Engine, clinic_id: str, patient_id: str, *, now: datetime) -> Around:
    """Who is around a patient. Raises UnknownPatient."""
    with reading(engine) as c:
        patient = people.of_clinic(c, clinic_id, patient_id)
        consents, sent, known = people.agreed(c, patient), proving.codes(c, patient, now=now), people.relationships(c, patient)
        found = [
            Person(
                line,
                known[line.role_id],
                consents.get(line.contact_point_id),
                sent.get(line.contact_point_id),
                people.stopped_by_text(c, line.contact_point_id),
            )
            for line in patient.lines
        ]
        return Around(patient, tuple(sorted(found, key=lambda one: (one.line != patient.line, one.line.role, one.line.name))))


def send_code(engine: Engine, clinic_id: str, patient_id: str, role_id: str, *, by: str, now: datetime) -> None:
    """Text a code that proves a number. Raises NotFound, or NotAllowed where none is due, so soon, or may be sent."""
    with writing(engine) as c:
        patient, line = _line(c, clinic_id, patient_id, role_id, by=by)
        if not proving.send(c, patient, line, by=by, now=now):
            raise NotAllowed("no code is sent there now: it is verified, may not be texted, or had one a moment ago")


def say_code(engine: Engine, clinic_id: str, patient_id: str, role_id: str, *, typed: str, by: str, now: datetime) -> None:
    """Take the code that somebody read out. Raises NotFound, or BadFile at `code` where it proves nothing; the try is counted then."""
    fault = ""
    with writing(engine) as c:
        patient, line = _line(c, clinic_id, patient_id, role_id, by=by)
        code = code_in(typed)
        if code is None:
            fault = "has six digits"
        elif (proof := proving.said(c, patient, line, code, at=now, by=by, now=now)) is not Proof.PROVED:
            fault = SAID_WRONG[proof] if proof else "is asked for by nobody: send one first"
    if fault:
        raise BadFile([Fault("code", fault)])


def change_number(
    engine: Engine, clinic_id: str, patient_id: str, role_id: str, *, phone: str, consent: Agreed, by: str, now: datetime
) -> None:
    """Let somebody be reached at another number, which is sent a code; the old one hears nothing more about the patient.

    Consent is to be texted at a number, so it is given anew. Raises NotFound, NotAllowed, or BadFile with what is wrong by field.
    """
    with writing(engine) as c:
        patient, line = _line(c, clinic_id, patient_id, role_id, by=by)
        number = phone_of(phone, patient.clinic)
        file = {**_as_file(line), "phone": number, "consent": consent.as_file(patient.clinic, line.name)}
        others = [_as_file(one) for one in patient.lines if one.role_id != line.role_id]
        faults = list(consent.faults(patient.clinic, now))
        faults += [Fault("phone", "is the number that is here already")] if number == line.phone else []
        shape = _checked(patient, file, others, NUMBER_FIELDS, faults)
        silencing.take_back(c, line.contact_point_id, why="unverified", at=now, now=now, patient_id=patient.id)
        enrolment.change_number(c, patient, line, shape.phone, shape.consent, at=now, by=by)
        for alert in alerts.open_alerts(c, patient_ids=[patient.id], kinds=proving.ABOUT_NUMBERS):
            alerts.close(c, alert, reason="another number was given", by=by, at=now)
        _prove(c, patient, line.role_id, by=by, now=now)


def add_person(engine: Engine, clinic_id: str, patient_id: str, given: NewPerson, *, by: str, now: datetime) -> None:
    """Add a caregiver or a proxy, whose number is sent a code. Raises UnknownPatient, NotAllowed, or BadFile by field."""
    with writing(engine) as c:
        patient = _patient(c, clinic_id, patient_id, by=by)
        told = given.after_misses.strip()
        file: File = {
            "ref": _ref(patient, given.name),
            "name": given.name.strip(),
            "phone": phone_of(given.phone, patient.clinic),
            "relationship": given.relationship.strip(),
            "role": given.role,
            "consent": given.consent.as_file(patient.clinic, given.name.strip()),
            "alerts": {"after_misses": int(told) if re.fullmatch("[0-9]{1,4}", told) else told} if told else None,
        }
        faults = list(given.consent.faults(patient.clinic, now))
        shape = _checked(patient, file, list(map(_as_file, patient.lines)), PERSON_FIELDS, faults)
        role_id = enrolment.add_person(c, patient, shape, at=now, by=by)
        _prove(c, patient, role_id, by=by, now=now)


def end_person(engine: Engine, clinic_id: str, patient_id: str, role_id: str, *, by: str, now: datetime) -> None:
    """Let somebody be a proxy or caregiver no more; what waits to be sent to them about the patient is taken back.

    Raises NotFound, or NotAllowed for the patient's own number, and for a proxy without whom nobody could be reached.
    """
    with writing(engine) as c:
        patient, line = _line(c, clinic_id, patient_id, role_id, by=by)
        if line.role is Role.PATIENT:
            raise NotAllowed("the patient's own number is changed, or its texts are ended: it is not taken away")
        if line.role is Role.PROXY and not any(one.role is Role.PATIENT for one in patient.lines):
            raise NotAllowed(f"without {line.name} nobody could be reached: change the number, or end the texts")
        silencing.take_back(c, line.contact_point_id, why="no_consent", at=now, now=now, patient_id=patient.id)
        enrolment.end_person(c, patient, line, at=now, by=by)


def end_texts(engine: Engine, clinic_id: str, patient_id: str, role_id: str, *, by: str, now: datetime) -> None:
    """Take down that somebody said they want no more texts: they end for everybody behind the number, as by STOP. The medicine goes on.

    Raises NotFound or NotAllowed.
    """
    with writing(engine) as c:
        _, line, behind = _line_and_behind(c, clinic_id, patient_id, role_id, by=by)
        point = line.contact_point_id
        if people.opt(c, point, out=True, given_by=line.name, at=now, sid=None, recorded_by=by):
            silencing.take_back(c, point, why="opted_out", at=now, now=now)
            for one in people.patients(c, behind).values():
                alerts.raise_once(c, one, alerts.texts_stopped(one, point, cause=f"said {point} {now:%Y-%m-%dT%H:%M:%S}"), now=now)


def agree(engine: Engine, clinic_id: str, patient_id: str, role_id: str, *, consent: Agreed, by: str, now: datetime) -> None:
    """Keep a consent given again. It takes texts up where their end was said to the clinic; where STOP was texted, only START does.

    Raises NotFound, NotAllowed, or BadFile with what is wrong by field.
    """
    with writing(engine) as c:
        patient, line, behind = _line_and_behind(c, clinic_id, patient_id, role_id, by=by)
        point = line.contact_point_id
        shape = _consent(patient, line, consent, now)
        if people.opted_out(c, point):
            if people.stopped_by_text(c, point):
                raise NotAllowed("STOP was texted from this number: the carrier lets nothing through until START is texted from it")
            people.opt(c, point, out=False, given_by=shape.by, at=now, sid=None, recorded_by=by)
            for alert in alerts.open_alerts(c, patient_ids=behind, kinds=["texts_stopped"]):
                alerts.close(c, alert, reason="agreed to again", by=by, at=now)
        enrolment.agree(c, patient, point, shape, by=by)
        _prove(c, patient, role_id, by=by, now=now)


def _patient(c: Connection, clinic_id: str, patient_id: str, *, by: str) -> Patient:
    people.of_clinic(c, clinic_id, patient_id)
    staff.require(c, clinic_id, by, Right.CARE)
    people.lock(c, [patient_id])
    return people.of_clinic(c, clinic_id, patient_id)


def _line(c: Connection, clinic_id: str, patient_id: str, role_id: str, *, by: str) -> tuple[Patient, Line]:
    patient = _patient(c, clinic_id, patient_id, by=by)
    return patient, _line_of(patient, role_id)


def _line_and_behind(c: Connection, clinic_id: str, patient_id: str, role_id: str, *, by: str) -> tuple[Patient, Line, list[str]]:
    """Somebody around a patient, and every patient behind their number: all locked at once, as a word from that phone locks them."""
    seen = people.of_clinic(c, clinic_id, patient_id)
    staff.require(c, clinic_id, by, Right.CARE)
    point = _line_of(seen, role_id).contact_point_id
    behind = people.patients_on(c, point)
    people.lock(c, [patient_id, *behind])
    patient = people.of_clinic(c, clinic_id, patient_id)
    line = _line_of(patient, role_id)
    if line.contact_point_id != point:
        raise NotAllowed("another number was given a moment ago: look again")
    return patient, line, behind


def _line_of(patient: Patient, role_id: str) -> Line:
    line = next((line for line in patient.lines if line.role_id == role_id), None)
    if line is None:
        raise NotFound("nobody like that is around this patient")
    return line


def _prove(c: Connection, patient: Patient, role_id: str, *, by: str, now: datetime) -> None:
    """Text a code to a number that is not proved, if there may be one."""
    fresh = people.of_clinic(c, patient.clinic.id, patient.id)
    proving.send(c, fresh, next(line for line in fresh.lines if line.role_id == role_id), by=by, now=now)


def _as_file(line: Line) -> File:
    """Somebody who is there, as a file would have them: as much as tells whether another would be a second one."""
    return {"ref": line.ref, "name": line.name, "phone": line.phone, "relationship": "known", "role": line.role.value}


def _ref(patient: Patient, name: str) -> str:
    """A name of its own in exports for somebody new."""
    base = short_name(name)
    taken = {line.ref for line in patient.lines}
    return next(ref for number in range(1, 1000) if (ref := base if number == 1 else f"{base}-{number}") not in taken)


def _checked(patient: Patient, file: File, others: list[File], fields: dict[str, str], faults: list[Fault]) -> CaregiverShape:
    """Read somebody as a file would have them, with all that a file says of them beside the others. Raises BadFile."""
    found = list(faults)
    found += [fault for fault in _between(patient, file, others, fields) if fault.path not in {each.path for each in found}]
    person = file if file["role"] != Role.PATIENT.value else {**file, "role": Role.PROXY.value, "relationship": "self"}
    try:
        shape = read(CaregiverShape, person)
    except BadFile as bad:
        raise BadFile([*by_fields(bad.faults, fields), *found]) from bad
    if found:
        raise BadFile(found)
    return shape


def _between(patient: Patient, file: File, others: list[File], fields: dict[str, str]) -> Iterator[Fault]:
    """What does not go together with the people who are there, as a file with all of them would have it."""
    everybody = [*others, file]
    own = next((one["phone"] for one in everybody if one["role"] == Role.PATIENT.value), None)
    around = [one for one in everybody if one["role"] != Role.PATIENT.value]
    consent = {"by": patient.name}
    whole = {"patients": [{"ref": patient.ref, "phone": own, "consent": consent if own else None, "caregivers": around}]}
    place = f"patients[0].caregivers[{len(around) - 1}]."
    for fault in across(whole):
        path = fault.path.removeprefix(place)
        if path in fields:
            yield Fault(fields[path], _without_path(fault.message))


def _without_path(message: str) -> str:
    """A file says where the other one stands; a person sees it on the page."""
    return "is another caregiver's number" if message.startswith("another caregiver's number") else message


def _consent(patient: Patient, line: Line, consent: Agreed, now: datetime) -> ConsentShape:
    faults = list(consent.faults(patient.clinic, now))
    try:
        shape = read(ConsentShape, consent.as_file(patient.clinic, line.name))
    except BadFile as bad:
        raise BadFile([*by_fields(bad.faults, CONSENT_FIELDS), *faults]) from bad
    if faults:
        raise BadFile(faults)
    return shape
