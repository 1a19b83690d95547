"""A new patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.contact import Role
from reminders.domain.roles import Right
from reminders.errors import BadFile, Fault
from reminders.formats.import_file import PatientShape, read_import
from reminders.services.enrolling.typed import NOT_SAID, Agreed, File, born_later, by_fields, kidney_of, medicines_of, phone_of
from reminders.services.records import enrolment, people, proving, staff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from reminders.services.records.people import Clinic

FIELDS = {
    "ref": "ref",
    "name": "name",
    "phone": "phone",
    "zone": "zone",
    "language": "language",
    "wording": "wording",
    "alcohol": "alcohol",
    "born": "born",
    "kidney": "kidney",
    "medicines": "medicines",
    "quiet_hours": "quiet_from",
    "quiet_hours.until": "quiet_until",
    "consent.by": "consent_by",
    "consent.how": "consent_how",
    "consent.at": "consent_at",
    "consent.wording_version": "consent_wording",
    "caregivers[0].name": "proxy_name",
    "caregivers[0].relationship": "proxy_relationship",
    "caregivers[0].phone": "phone",
    "caregivers[0].consent.by": "consent_by",
    "caregivers[0].consent.how": "consent_how",
    "caregivers[0].consent.at": "consent_at",
    "caregivers[0].consent.wording_version": "consent_wording",
}
"""Where the faults of a file's patient stand in the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPatient:
    """A patient as somebody types one. `phone`: of the proxy, where one holds it (`has_proxy`); `medicines`: one a line."""

    ref: str = ""
    name: str = ""
    phone: str = ""
    zone: str = ""
    language: str = "en"
    wording: str = "discreet"
    alcohol: str = "unknown"
    born: str = ""
    kidney: str = ""
    kidney_weak: bool = False
    medicines: str = ""
    quiet_from: str = "21:00"
    quiet_until: str = "08:00"
    has_proxy: bool = False
    proxy_name: str = ""
    proxy_relationship: str = ""
    consent: Agreed = NOT_SAID

    def as_file(self, clinic: Clinic) -> File:
        """The patient as an import file would have one."""
        ref, phone = self.ref.strip(), phone_of(self.phone, clinic)
        holder = (self.proxy_name if self.has_proxy else self.name).strip()
        consent = self.consent.as_file(clinic, holder)
        proxy = {
            "ref": f"{ref[:74]}-proxy",
            "name": holder,
            "phone": phone,
            "relationship": self.proxy_relationship.strip(),
            "role": Role.PROXY.value,
            "consent": consent,
        }
        return {
            "ref": ref,
            "name": self.name.strip(),
            "phone": None if self.has_proxy else phone,
            "zone": self.zone.strip(),
            "language": self.language,
            "wording": self.wording,
            "consent": None if self.has_proxy else consent,
            "caregivers": [proxy] if self.has_proxy else [],
            "medicines": medicines_of(self.medicines),
            "alcohol": self.alcohol,
            "born": self.born.strip() or None,
            "kidney": kidney_of(self.kidney, weak=self.kidney_weak),
            "quiet_hours": {"from": self.quiet_from, "until": self.quiet_until},
        }


def clinic(engine: Engine, clinic_id: str) -> Clinic:
    """The clinic at which somebody is enrolled."""
    with reading(engine) as c:
        return people.clinic_of(c, clinic_id)


def enrol(engine: Engine, clinic_id: str, given: NewPatient, *, by: str, now: datetime) -> str:
    """Store a new patient, without a plan yet, and text the code that proves the number; return the patient's id.

    Raises BadFile with what is wrong, each with its field, and NotAllowed for a person who may not; then nothing is stored.
    """
    with writing(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        where = people.clinic_of(c, clinic_id)
        shape, faults = _read(given, where)
        faults += [fault for fault in _of_a_person(c, given, shape, where, now) if fault.path not in {each.path for each in faults}]
        if shape is None or faults:
            raise BadFile(faults)
        patient_id = enrolment.add_patient(c, clinic_id, shape, at=now, by=by)
        patient = people.of_clinic(c, clinic_id, patient_id)
        for line in patient.lines:
            proving.send(c, patient, line, by=by, now=now)
        return patient_id


def _read(given: NewPatient, clinic: Clinic) -> tuple[PatientShape | None, list[Fault]]:
    file = {"clinic": {"name": clinic.name, "phone": clinic.phone, "zone": clinic.zone}, "patients": [given.as_file(clinic)]}
    try:
        return read_import(file).patients[0], []
    except BadFile as bad:
        found = by_fields(bad.faults, {f"patients[0].{path}": field for path, field in FIELDS.items()})
        said = given.consent.by.strip()  # else it is the name of who holds the phone, which has a field of its own
        return None, [fault for fault in found if said or fault.path != "consent_by"]


def _of_a_person(c: Connection, given: NewPatient, shape: PatientShape | None, clinic: Clinic, now: datetime) -> Iterator[Fault]:
    """What a file's shape lets pass."""
    yield from given.consent.faults(clinic, now)
    if enrolment.patient_refs_taken(c, clinic.id, [given.ref.strip()]):
        yield Fault("ref", "is another patient's")
    if shape is not None:
        yield from born_later(shape.born, clinic, now)
