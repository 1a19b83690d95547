"""Reconciling: a patient's list of other medicines, what each does beside their plans, and a provider's word on what interacts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.finding import Alcohol, Finding
from reminders.domain.patient_checks import check_alcohol, check_medicines
from reminders.domain.roles import Right
from reminders.errors import BadFile, Fault, NotAllowed, NotFound, UnknownAlert
from reminders.formats.parts import read_date, read_name
from reminders.services.records import alerts, announcements, attending, interacting, people, plans, quarantines, staff, stepping
from reminders.services.records.attending import Attended
from reminders.services.records.interacting import Said

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row
    from reminders.services.records.medicines import Medicine
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan


@dataclass(frozen=True, slots=True)
class Effect:
    """What a medicine does beside one of the patient's plans, by its reference and drug."""

    plan: str
    drug: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Listed:
    """A medicine on the list, or that a plan gives, what it does, and what waits for a provider because of it.

    `waiting`: the alerts not taken on yet, as rows; `labs`: what a laboratory is to check beside it.
    """

    medicine: Medicine
    effects: tuple[Effect, ...]
    waiting: tuple[Row, ...]
    labs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MedicineList:
    """A patient's list, and what alcohol calls for beside their plans where nobody has asked about it."""

    patient: Patient
    listed: tuple[Listed, ...]
    unasked: tuple[Effect, ...]


def standing(engine: Engine, clinic_id: str, patient_id: str) -> MedicineList:
    """The list of a patient as it stands. Raises UnknownPatient."""
    with reading(engine) as c:
        patient = people.of_clinic(c, clinic_id, patient_id)
        theirs = plans.of_patients(c, [patient_id]).get(patient_id, [])
        waiting = [row for row in alerts.open_alerts(c, patient_ids=[patient_id], kinds=[interacting.INTERACTION]) if _waits(row)]
        found = [
            Listed(
                medicine,
                tuple(
                    Effect(plan.ref, plan.profile.name, one)
                    for plan in theirs
                    if medicine.plan is None or medicine in plan.medicines
                    for one in check_medicines(plan.profile, [medicine.name])
                ),
                tuple(row for row in waiting if interacting.is_of(row, medicine)),
                tuple(dict.fromkeys(name for plan in theirs for name in plan.labs.get(medicine.name, ()))),
            )
            for medicine in (*interacting.listed(c, patient), *interacting.given(theirs))
        ]
        alcohol = people.alcohol_of(c, patient_id)
        has_alcohol = any(one.medicine.is_alcohol for one in found)
        unasked = () if has_alcohol else tuple(_of_alcohol(theirs, alcohol))
        return MedicineList(patient, tuple(found), unasked)


def _waits(alert: Row) -> bool:
    return alert["clinical"] and not alert["acknowledged_at"]


def _of_alcohol(theirs: Sequence[StoredPlan], alcohol: Alcohol) -> Iterator[Effect]:
    for plan in theirs:
        yield from (Effect(plan.ref, plan.profile.name, finding) for finding in check_alcohol(plan.profile, alcohol))


def add(engine: Engine, clinic_id: str, patient_id: str, *, name: str, reason: str, by: str, now: datetime) -> None:
    """Put a medicine on a patient's list. Raises UnknownPatient, NotAllowed, LedgerHeld, or BadFile at `name`."""
    try:
        name = read_name(name.strip())
    except ValueError as error:
        raise BadFile([Fault("name", str(error))]) from error
    with _listing(engine, clinic_id, patient_id, "name", by=by, now=now) as (c, patient):
        interacting.add(c, patient, name, said=Said(by, reason.strip()), now=now)


def remove(engine: Engine, clinic_id: str, patient_id: str, medicine_id: str, *, reason: str, by: str, now: datetime) -> None:
    """Take a medicine off a patient's list. Raises UnknownPatient, NotFound, NotAllowed, LedgerHeld, or BadFile at `reason`."""
    with _listing(engine, clinic_id, patient_id, "reason", by=by, now=now) as (c, patient):
        medicine = next((one for one in interacting.listed(c, patient) if one.id == medicine_id), None)
        if medicine is None:
            raise NotFound("it is not on the list")
        interacting.remove(c, patient, medicine.name, said=Said(by, reason.strip()), now=now)


def acknowledge(
    engine: Engine, clinic_id: str, patient_id: str, alert_id: str, *, reason: str, labs_due: str, by: str, now: datetime
) -> None:
    """Keep a provider's reason to go on beside an interacting medicine, and the day of its laboratory check (a date, or empty).

    Raises UnknownPatient, UnknownAlert, NotAllowed for who does not prescribe and for an alert that is closed, LedgerHeld, or BadFile at
    `reason` or `labs_due`.
    """
    day = _day(labs_due)
    with writing(engine) as c:
        people.of_clinic(c, clinic_id, patient_id)
        staff.require(c, clinic_id, by, Right.PRESCRIBE)
        with attending.hold(c, clinic_id, alert_id, by=by, now=now) as held:
            if held.patient.id != patient_id or held.plan is None or not attending.needs_provider(held.alert):
                raise UnknownAlert
            said = Attended(by, reason.strip(), day)
            with _fault_at("labs_due"):
                attending.check_labs_due(held.plan, said, now=now)
            with _fault_at("labs_due" if said.words else "reason"):
                attending.take_on(c, held.plan, held.alert, said, now=now)


def _day(typed: str) -> date | None:
    if not typed.strip():
        return None
    try:
        return read_date(typed.strip())
    except ValueError:
        raise BadFile([Fault("labs_due", "must be a date")]) from None


@contextmanager
def _fault_at(field: str) -> Iterator[None]:
    """What is not allowed is a fault of the field."""
    try:
        yield
    except NotAllowed as refused:
        raise BadFile([Fault(field, str(refused))]) from refused


@contextmanager
def _listing(
    engine: Engine, clinic_id: str, patient_id: str, field: str, *, by: str, now: datetime
) -> Iterator[tuple[Connection, Patient]]:
    """A transaction in which a patient's list is changed; what is not allowed of it is a fault of the field."""
    with writing(engine) as c:
        quarantines.refuse_while_held(c)
        people.of_clinic(c, clinic_id, patient_id)
        staff.require(c, clinic_id, by, Right.CARE)
        people.lock(c, [patient_id])
        stepping.look_first(c, [patient_id], now=now)
        announcements.decide_now(c, patient_id, now=now)
        with _fault_at(field):
            yield c, people.of_clinic(c, clinic_id, patient_id)
