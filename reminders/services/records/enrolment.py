"""Enrolment: a clinic, its patients, the people around them, their numbers, consents and medicines, as rows."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from reminders.domain.contact import Role
from reminders.formats.parts import WEAK
from reminders.services.records import care, medicines, name_words
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import (
    AUDIT,
    CLINIC,
    CONSENT,
    CONTACT_POINT,
    CONTACT_ROLE,
    ON_CALL,
    PATIENT,
    PLAN,
    insert_all,
    insert_once,
    locked,
    new_id,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection, Table

    from reminders.formats.import_file import CaregiverShape, ClinicShape, ConsentShape, OnCallShape, PatientShape
    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Line, Patient

IMPORTER = "import"
"""Who enrols by a file, in the audit: it names no person for it, only an approver for each plan."""

NUMBER_CHANGED = "number changed"
"""What the audit calls it, of a role: its detail is the contact point that was left, a blank, and the new one."""

ADDED = {role: f"{role} added" for role in (Role.PROXY, Role.CAREGIVER)}
"""What the audit calls it, of a role, where somebody is."""

_MOST_AT_ONCE = 500  # values in one IN list; SQLite allows 32,766 in a statement


LONGEST_ID = 40


def short_name(name: str) -> str:
    """Make a clinic's id of its name: "St. Mary's Clinic" is "st-marys-clinic"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().replace("'", "")
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST_ID].strip("-")
    return slug or f"clinic-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def claim_clinic(c: Connection, clinic_id: str, clinic: ClinicShape, *, simulated: bool, at: datetime) -> Row:
    """Make the clinic unless it is there, take its row, and return it as it stands."""
    fresh = {"id": clinic_id, "name": clinic.name, "phone": clinic.phone, "zone": clinic.zone, "simulated": simulated, "created_at": at}
    insert_once(c, CLINIC, fresh)
    return rows(c, locked(c, select(CLINIC).where(CLINIC.c.id == clinic_id)))[0]


def patient_refs_taken(c: Connection, clinic_id: str, refs: Iterable[str]) -> set[str]:
    """Which of these references already name a patient of the clinic."""
    return _taken(c, PATIENT, clinic_id, refs)


def patient_of_ref(c: Connection, clinic_id: str, ref: str) -> str | None:
    """The id of the clinic's patient of this reference."""
    return c.scalar(select(PATIENT.c.id).where(PATIENT.c.clinic_id == clinic_id, PATIENT.c.ref == ref))


def plan_refs_taken(c: Connection, clinic_id: str, refs: Iterable[str]) -> set[str]:
    """Which of these references already name a plan of the clinic."""
    return _taken(c, PLAN, clinic_id, refs)


def _taken(c: Connection, table: Table, clinic_id: str, refs: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for some in _in_lots(refs):
        found.update(c.scalars(select(table.c.ref).where(table.c.clinic_id == clinic_id, table.c.ref.in_(some))))
    return found


def opted_out(c: Connection, clinic_id: str, phones: Iterable[str]) -> set[str]:
    """Which of these numbers have said STOP to the clinic."""
    found: set[str] = set()
    for some in _in_lots(phones):
        known = CONTACT_POINT.c.clinic_id == clinic_id, CONTACT_POINT.c.phone.in_(some), CONTACT_POINT.c.opted_out_at.is_not(None)
        found.update(c.scalars(select(CONTACT_POINT.c.phone).where(*known)))
    return found


def set_on_call(c: Connection, clinic_id: str, on_call: OnCallShape, *, at: datetime) -> None:
    """Let a number be the clinic's on-call phone from now on, in place of any other, and keep the evidence that it agreed."""
    point_id = _points(c, clinic_id, {on_call.phone}, {on_call.phone: on_call.consent.at}, at=at)[on_call.phone]
    values = {"contact_point_id": point_id, "agreed_at": on_call.consent.at}
    if not insert_once(c, ON_CALL, {"clinic_id": clinic_id, **values}):
        c.execute(update(ON_CALL).where(ON_CALL.c.clinic_id == clinic_id).values(values))
    insert_all(c, CONSENT, [{"clinic_id": clinic_id, "contact_point_id": point_id, **_evidence(on_call.consent)}])
    write_audit(c, clinic_id, Entry(at, IMPORTER, "on-call phone set", point_id))


def add_patient(c: Connection, clinic_id: str, patient: PatientShape, *, at: datetime, by: str = IMPORTER) -> str:
    """Store a patient with everyone around them, and the evidence of their consents; return the patient's id.

    A file says that the numbers are proved. Where a person enrols, each is proved by a code that is yet to come back.
    """
    is_file = by == IMPORTER
    patient_id = new_id()
    row = {
        "clinic_id": clinic_id,
        "id": patient_id,
        "ref": patient.ref,
        "name": patient.name,
        "zone": patient.zone,
        "language": patient.language,
        "wording": patient.wording,
        "alcohol": patient.drinks.value,
        "born_on": patient.born,
        "kidney": None if patient.kidney == WEAK else patient.kidney,
        "kidney_weak": patient.kidney == WEAK,
        "quiet_from": patient.quiet.starts,
        "quiet_until": patient.quiet.ends,
        "created_at": at,
    }
    insert_all(c, PATIENT, [row])
    name_words.keep(c, clinic_id, patient_id, patient.name, patient.ref)
    proved = {phone: consent.at for phone, consent in consents_of(patient)} if is_file else {}
    points = _points(c, clinic_id, {phone for phone, _ in _roles(patient)}, proved, at=at)
    whose = {"clinic_id": clinic_id, "patient_id": patient_id}
    whose_roles = {**whose, "unproved": not is_file}
    roles = [{**whose_roles, "id": new_id(), "contact_point_id": points[phone], **role} for phone, role in _roles(patient)]
    insert_all(c, CONTACT_ROLE, roles)
    evidence = [{**whose, "contact_point_id": points[phone], **_evidence(consent, by)} for phone, consent in consents_of(patient)]
    insert_all(c, CONSENT, evidence)
    medicines.add(c, clinic_id, patient_id, patient.listed, at=at)
    write_audit(c, clinic_id, Entry(at, by, "patient enrolled", patient_id))
    return patient_id


def add_person(c: Connection, patient: Patient, person: CaregiverShape, *, at: datetime, by: str) -> str:
    """Store somebody around a patient, whose number is yet to be proved, and the evidence of their consent; return the id of the role.

    Where the proxy holds the patient's own phone, it is the patient's no more: one person answers from it.
    """
    clinic_id, point_id = patient.clinic.id, contact_point(c, patient.clinic.id, person.phone, at=at)
    if person.role == Role.PROXY.value:
        own = (CONTACT_ROLE.c.patient_id == patient.id, CONTACT_ROLE.c.contact_point_id == point_id, CONTACT_ROLE.c.role == Role.PATIENT)
        c.execute(update(CONTACT_ROLE).where(CONTACT_ROLE.c.clinic_id == clinic_id, *own).values(ended_at=at))
    whose = {"clinic_id": clinic_id, "patient_id": patient.id, "contact_point_id": point_id}
    role_id = new_id()
    insert_all(c, CONTACT_ROLE, [{**whose, "id": role_id, "unproved": True, **_role_of(person)}])
    insert_all(c, CONSENT, [{**whose, **_evidence(person.consent, by)}])
    write_audit(c, clinic_id, Entry(at, by, ADDED[Role(person.role)], role_id))
    return role_id


def end_person(c: Connection, patient: Patient, line: Line, *, at: datetime, by: str) -> None:
    """Let somebody be a patient's proxy or caregiver no more, and see no page. That they were, and what they agreed to, is kept."""
    mine = CONTACT_ROLE.c.clinic_id == patient.clinic.id, CONTACT_ROLE.c.id == line.role_id
    c.execute(update(CONTACT_ROLE).where(*mine).values(ended_at=at))
    care.revoke(c, line.role_id)
    write_audit(c, patient.clinic.id, Entry(at, by, f"{line.role} ended", line.role_id, line.contact_point_id))


def change_number(c: Connection, patient: Patient, line: Line, phone: str, consent: ConsentShape, *, at: datetime, by: str) -> None:
    """Let a person be reached at another number, yet to be proved, with the evidence that they agreed to be."""
    clinic_id, point_id = patient.clinic.id, contact_point(c, patient.clinic.id, phone, at=at)
    mine = CONTACT_ROLE.c.clinic_id == clinic_id, CONTACT_ROLE.c.id == line.role_id
    c.execute(update(CONTACT_ROLE).where(*mine).values(contact_point_id=point_id, unproved=True))
    care.revoke(c, line.role_id)
    agree(c, patient, point_id, consent, by=by)
    write_audit(c, clinic_id, Entry(at, by, NUMBER_CHANGED, line.role_id, f"{line.contact_point_id} {point_id}"))


@dataclass(frozen=True, slots=True)
class Former:
    """Somebody around a patient at a number where they were reached, from `since` (UTC) `until` another was given."""

    line: Line
    since: datetime
    until: datetime


def former_numbers(c: Connection, patient: Patient) -> tuple[Former, ...]:
    """Where those around a patient were reached before, and nobody around them is now: the audit has it.

    Before it was theirs, or since, a number may be another patient's.
    """
    by_role = {line.role_id: line for line in patient.lines}
    given = select(AUDIT).where(AUDIT.c.subject.in_(by_role), AUDIT.c.action.in_((NUMBER_CHANGED, *ADDED.values()))).order_by(AUDIT.c.no)
    began, spells = dict[str, datetime](), list[tuple[str, str, datetime | None, datetime]]()
    for row in rows(c, given):
        if row["action"] == NUMBER_CHANGED:
            spells.append((row["subject"], row["detail"].partition(" ")[0], began.get(row["subject"]), row["at"]))
        began[row["subject"]] = row["at"]
    here = {line.contact_point_id for line in patient.lines}
    left = [spell for spell in spells if spell[1] not in here]
    if not left:
        return ()
    wanted = CONTACT_POINT.c.clinic_id == patient.clinic.id, CONTACT_POINT.c.id.in_({point for _, point, _, _ in left})
    phones = {row["id"]: row["phone"] for row in rows(c, select(CONTACT_POINT).where(*wanted))}
    enrolled = c.scalars(select(PATIENT.c.created_at).where(PATIENT.c.clinic_id == patient.clinic.id, PATIENT.c.id == patient.id)).one()
    return tuple(
        Former(replace(by_role[role_id], contact_point_id=point, phone=phones[point]), since or enrolled, until)
        for role_id, point, since, until in left
    )


def agree(c: Connection, patient: Patient, contact_point_id: str, consent: ConsentShape, *, by: str) -> None:
    """Keep the evidence that somebody agreed to be texted at a number about a patient, as a person at the clinic has it."""
    whose = {"clinic_id": patient.clinic.id, "patient_id": patient.id, "contact_point_id": contact_point_id}
    insert_all(c, CONSENT, [{**whose, **_evidence(consent, by)}])


def contact_point(c: Connection, clinic_id: str, phone: str, *, at: datetime) -> str:
    """Find or make the contact point of a number; return its id. It is as proved as it was."""
    return _points(c, clinic_id, {phone}, {}, at=at)[phone]


def consents_of(patient: PatientShape) -> Iterator[tuple[str, ConsentShape]]:
    """Each consent with the number that it allows us to text. Where a proxy holds the phone, the patient's is for that one."""
    phone = patient.phone or (patient.proxy.phone if patient.proxy else None)
    if patient.consent is not None and phone is not None:
        yield phone, patient.consent
    for person in patient.caregivers:
        yield person.phone, person.consent


def _roles(patient: PatientShape) -> Iterator[tuple[str, Row]]:
    """Each role with its number. A number that is the proxy's is not the patient's own too: one person answers from it."""
    proxy = patient.proxy
    if patient.phone is not None and (proxy is None or proxy.phone != patient.phone):
        own = {"role": Role.PATIENT.value, "ref": patient.ref, "name": patient.name}
        yield patient.phone, {**own, "relationship": "", "after_misses": None}
    for person in patient.caregivers:
        yield person.phone, _role_of(person)


def _role_of(person: CaregiverShape) -> Row:
    told = person.alerts.after_misses if person.alerts else None
    return {"role": person.role, "ref": person.ref, "name": person.name, "relationship": person.relationship, "after_misses": told}


def _evidence(consent: ConsentShape, by: str = IMPORTER) -> Row:
    said = {"given_by": consent.by, "wording_version": consent.wording_version, "at": consent.at}
    recorded = "" if by == IMPORTER else by
    return {"id": new_id(), "kind": "given", "channel": consent.how.value if consent.how else "import", "recorded_by": recorded, **said}


def _points(c: Connection, clinic_id: str, phones: set[str], proved: Mapping[str, datetime], *, at: datetime) -> dict[str, str]:
    """Find or make the contact points of some numbers; return their ids by number.

    A number whose consent says so is proved, and usable again if it was not. STOP stays: only START takes it back.
    """
    for phone in sorted(phones):
        insert_once(c, CONTACT_POINT, {"clinic_id": clinic_id, "id": new_id(), "phone": phone, "created_at": at})
    here = CONTACT_POINT.c.clinic_id == clinic_id, CONTACT_POINT.c.phone.in_(phones)
    found = {row["phone"]: row for row in rows(c, select(CONTACT_POINT).where(*here))}
    for phone, since in proved.items():
        point = found[phone]
        if point["unusable_at"] is None or since > point["unusable_at"]:
            values = {"verified_at": since, "unusable_at": None}
            c.execute(update(CONTACT_POINT).where(CONTACT_POINT.c.clinic_id == clinic_id, CONTACT_POINT.c.id == point["id"]).values(values))
    return {phone: row["id"] for phone, row in found.items()}


def _in_lots(values: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted(set(values))
    yield from (wanted[start : start + _MOST_AT_ONCE] for start in range(0, len(wanted), _MOST_AT_ONCE))
