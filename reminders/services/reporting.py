"""Reporting: what fell due and what it came to, as values that a renderer turns into a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from db.engine import reading
from reminders.domain.adherence import adherence
from reminders.domain.plan import plain
from reminders.domain.roles import Right
from reminders.domain.schedule import next_slot
from reminders.errors import UnknownPlan
from reminders.reports.adherence_report import PlanAdherence
from reminders.services.records import history, people, plans, staff
from reminders.services.records.history import AlertLine, DoseLine

if TYPE_CHECKING:
    from sqlalchemy import Engine


def dose_lines(engine: Engine, *, first: date | None = None, end: date | None = None, clinic_id: str | None = None) -> tuple[DoseLine, ...]:
    """Every dose of `first <= local date < end`, by patient and plan, in order of due instant."""
    with reading(engine) as c:
        return tuple(history.dose_lines(c, first=first, end=end, clinic_id=clinic_id))


def adherence_of_plans(
    engine: Engine, *, first: date | None = None, end: date | None = None, clinic_id: str | None = None
) -> tuple[PlanAdherence, ...]:
    """How far the taking matched each plan in `first <= local date < end`; a plan without doses has "no data"."""
    with reading(engine) as c:
        lines = history.dose_lines(c, first=first, end=end, clinic_id=clinic_id)
        known = history.plan_refs(c, clinic_id)
    return tuple(_of_plan(patient, plan, drug, [line for line in lines if line.plan == plan]) for patient, plan, drug in known)


def adherence_of_patient(engine: Engine, clinic_id: str, patient_id: str, *, by: str) -> tuple[PlanAdherence, ...]:
    """How far the taking matched each plan of a patient, over all its doses.

    Raises UnknownPatient, NotAllowed for who cares for nobody at the clinic.
    """
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        people.of_clinic(c, clinic_id, patient_id)
        lines = history.dose_lines(c, clinic_id=clinic_id, patient_id=patient_id)
        known = history.plan_refs(c, clinic_id, patient_id)
    return tuple(_of_plan(ref, plan, drug, [line for line in lines if line.plan == plan]) for ref, plan, drug in known)


def _of_plan(patient: str, plan: str, drug: str, lines: list[DoseLine]) -> PlanAdherence:
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.state.value] = counts.get(line.state.value, 0) + 1
    scores = adherence((line.local_date, line.mark, line.amount) for line in lines)
    return PlanAdherence(patient=patient, plan=plan, drug=drug, due=len(lines), states=counts, scores=scores)


def alerts_raised(engine: Engine, *, not_to: Iterable[str] = (), clinic_id: str | None = None) -> int:
    """How many alerts called for a person."""
    with reading(engine) as c:
        return history.count_alerts(c, not_to=not_to, clinic_id=clinic_id)


def alert_lines(engine: Engine, *, now: datetime, closed_too: bool = False, clinic_id: str | None = None) -> tuple[AlertLine, ...]:
    """The alerts, the gravest first and of those the oldest; open ones only, unless asked."""
    with reading(engine) as c:
        return tuple(history.alert_lines(c, now=now, closed_too=closed_too, clinic_id=clinic_id))


@dataclass(frozen=True, slots=True)
class ComingSlot:
    """A slot still to come, as its plan lays it out now."""

    local_date: date
    slot_no: int
    local_time: time
    due_at: datetime
    amount: str
    unit: str
    phase: int


def coming_slots(engine: Engine, plan_ref: str, *, now: datetime, count: int, clinic_id: str | None = None) -> tuple[ComingSlot, ...]:
    """The next slots of a plan, in order; none if it is off the clock. Raises UnknownPlan."""
    with reading(engine) as c:
        plan = plans.find(c, plan_ref, clinic_id)
    if plan is None:
        raise UnknownPlan(f"there is no plan {plan_ref!r}")
    slots: list[ComingSlot] = []
    slot = next_slot(plan.course, max(now, plan.decided_until)) if plan.state in plans.ON_CLOCK else None
    while slot is not None and len(slots) < count:
        amount = plain(slot.amount.value)
        slots.append(ComingSlot(*slot.key, slot.local_time, slot.due_at, amount, slot.amount.unit.value, slot.phase_no))
        slot = next_slot(plan.course, slot.due_at)
    return tuple(slots)
