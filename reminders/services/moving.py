"""Moving: a patient's clocks follow them to another zone, shown with the seam of each plan before anybody says yes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.plan import Course
from reminders.domain.roles import Right
from reminders.domain.schedule import Slot, slots_between
from reminders.errors import BadFile, Fault, NotAllowed
from reminders.formats.parts import read_zone
from reminders.services.records import announcements, changing, people, plans, quarantines, staff, stepping, supplies

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

SHOWN = timedelta(days=2)
"""So far around the seam the old and the new times are shown."""


class SeamChanged(NotAllowed):
    """What was looked at is not what would be stored now: look again."""


@dataclass(frozen=True, slots=True)
class MovedPlan:
    """How one plan would go on by other clocks.

    before    its doses by the clocks of now, those that were due lately and those that would be; after: by the new ones, from the seam on
    jumped    the new ones that nobody is asked to take: too near to the last dose, or one too many for a day
    gap       from the last dose to the first by the new clocks, elapsed; None without either
    problems  why a provider must look at it, in words; empty if nobody need
    """

    plan: str
    drug: str
    first: Slot | None
    before: tuple[Slot, ...]
    after: tuple[Slot, ...]
    jumped: tuple[Slot, ...]
    gap: timedelta | None
    problems: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A move as it would be now: of the patient from their zone to another, plan by plan."""

    patient: Patient
    zone: str
    plans: tuple[MovedPlan, ...]

    @property
    def mark(self) -> str:
        """By which what was looked at is known again: the first dose of each plan, and what is jumped."""
        said = [self.patient.zone, self.zone, *(f"{one.plan} {_at(one.first)} {[_at(slot) for slot in one.jumped]}" for one in self.plans)]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _at(slot: Slot | None) -> str:
    return "none" if slot is None else slot.due_at.isoformat()


def whose(engine: Engine, clinic_id: str, patient_id: str) -> Patient:
    """Who would move. Raises UnknownPatient."""
    with reading(engine) as c:
        return people.of_clinic(c, clinic_id, patient_id)


def preview(engine: Engine, clinic_id: str, patient_id: str, zone: str, *, now: datetime) -> Moved:
    """Show what a move would do, and store nothing. Raises UnknownPatient, or BadFile at `zone`."""
    with reading(engine) as c:
        return _seen(c, people.of_clinic(c, clinic_id, patient_id), _zone(zone), now=now)


def move(engine: Engine, clinic_id: str, patient_id: str, zone: str, *, seen: str, by: str, reason: str, now: datetime) -> Moved:
    """Move a patient to another zone, as it was looked at: `seen` is the mark of the preview. Return how it was stored.

    Raises UnknownPatient; BadFile at `zone` or `reason`; SeamChanged where a dose has fallen due since; NotAllowed for a person who may
    not; LedgerHeld before a gap was relived. Then nothing has changed.
    """
    if not reason.strip():
        raise BadFile([Fault("reason", "is missing: say why the clocks change")])
    with writing(engine) as c:
        quarantines.refuse_while_held(c)
        patient = people.of_clinic(c, clinic_id, patient_id)
        staff.require(c, clinic_id, by, Right.CARE)
        people.lock(c, [patient_id])
        stepping.look_first(c, [patient_id], now=now)
        announcements.decide_now(c, patient_id, now=now)  # what fell due until now, fell due by the old clocks
        patient = people.of_clinic(c, clinic_id, patient_id)
        found = _seen(c, patient, _zone(zone), now=now)
        if found.mark != seen:
            raise SeamChanged
        changing.move(c, patient, found.zone, by=by, reason=reason.strip(), now=now)
        for plan in _plans(c, patient):
            supplies.look_soon(c, plan.id, at=now)
        return found


def _zone(zone: str) -> str:
    try:
        return read_zone(zone.strip())
    except ValueError as error:
        raise BadFile([Fault("zone", str(error))]) from error


def _seen(c: Connection, patient: Patient, zone: str, *, now: datetime) -> Moved:
    if zone == patient.zone and all(plan.plan.zone == zone for plan in _plans(c, patient)):
        raise BadFile([Fault("zone", "is the one that the patient lives by now")])
    return Moved(patient, zone, tuple(_moved(c, plan, zone, now=now) for plan in _plans(c, patient)))


def _moved(c: Connection, plan: StoredPlan, zone: str, *, now: datetime) -> MovedPlan:
    there = changing.moved_to(plan, zone, by="", reason="")
    seam = changing.seam_of(c, plan, there.document, now=now, stays=there.stays)
    joined = Course((*plan.course.versions, seam.version))
    until = (seam.first.due_at if seam.first else now) + SHOWN
    return MovedPlan(
        plan=plan.ref,
        drug=plan.profile.name,
        first=seam.first,
        before=slots_between(plan.course, now - SHOWN / 2, until),
        after=slots_between(joined, seam.version.effective_at, until),
        jumped=seam.jumped,
        gap=seam.gap,
        problems=changing.problems_in_words(seam),
    )


def _plans(c: Connection, patient: Patient) -> list[StoredPlan]:
    return plans.of_patients(c, [patient.id]).get(patient.id, [])
