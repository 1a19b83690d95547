"""Editing: a plan's new document, shown with its seam before anybody approves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders import drugs
from reminders.domain.checking import check_plan
from reminders.domain.finding import Finding
from reminders.domain.plan import Course, Plan
from reminders.domain.plan_state import PlanState
from reminders.domain.profile import Severity
from reminders.domain.roles import Right
from reminders.domain.schedule import Slot, slots_between
from reminders.domain.seam import Seam
from reminders.domain.supply import outlook
from reminders.errors import BadFile, Fault, NotAllowed, UnknownPlan
from reminders.services.records import announcements, approved, changing, interacting, people, plans, quarantines, staff, stepping, supplies
from reminders.services.records.broken import fault_of
from reminders.services.records.changing import Change

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.domain.supply import Outlook
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

OVER = frozenset({PlanState.DRAFT, PlanState.STOPPED, PlanState.COMPLETED})
"""Nothing is printed or changed of a plan that nobody approved, or that has ended."""

SHOWN = timedelta(days=3)
"""So far around the seam the old and the new times are shown."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What a new document does to a plan: its seam, what speaks against it, and the slots around the join by the old and the new way.

    `problems`: why a provider must look at the seam, in words; empty if nobody need. `supply`: None where nobody keeps count.
    """

    plan: str
    version: int
    problems: str
    gap: timedelta | None
    first: Slot | None
    jumped: tuple[Slot, ...]
    before: tuple[Slot, ...]
    after: tuple[Slot, ...]
    findings: tuple[Finding, ...]
    supply: Outlook | None


@dataclass(frozen=True, slots=True)
class Running:
    """A plan of a patient as it stands, and their local date."""

    patient: Patient
    plan: StoredPlan
    today: date


def running(engine: Engine, whose: tuple[str, str], plan_id: str, *, now: datetime) -> Running:
    """Read a plan of a clinic's patient (all by id). Raises UnknownPlan where there is none of theirs that is not over."""
    _, patient_id = whose
    with reading(engine) as c:
        plan = plans.read(c, [plan_id]).get(plan_id)
        if plan is None or (plan.clinic_id, plan.patient_id) != whose or plan.state in OVER:
            raise UnknownPlan
        patient = people.patients(c, [patient_id])[patient_id]
        return Running(patient, plan, now.astimezone(plan.plan.tz).date())


def preview(engine: Engine, ref: str, document: Plan, *, now: datetime, clinic_id: str | None = None) -> Edited:
    """Show what a new document would do, and store nothing.

    Raises UnknownPlan; NotAllowed for another drug or zone, or a plan that does not go on; BadFile with every error the check finds.
    """
    with reading(engine) as c:
        plan = _editable(c, ref, document, clinic_id)
        findings = _findings(c, plan, document)
        return _edited(c, plan, changing.seam_of(c, plan, document, now=now), findings, now=now)


def approve(engine: Engine, ref: str, document: Plan, *, by: str, reason: str, now: datetime, clinic_id: str | None = None) -> Edited:
    """Store a new document as the plan's next version, by a named person with a reason; the patient is told of changed amounts.

    Raises what `preview` raises, NotAllowed without a reason or a provider's name, LedgerHeld before a gap was relived; then
    nothing has changed.
    """
    if not reason.strip():
        raise NotAllowed("a change of a plan needs its reason")
    with writing(engine) as c:
        quarantines.refuse_while_held(c)
        plan = _editable(c, ref, document, clinic_id)
        staff.require(c, plan.clinic_id, by, Right.PRESCRIBE)
        people.lock(c, [plan.patient_id])
        stepping.look_first(c, [plan.patient_id], now=now)
        announcements.decide_now(c, plan.patient_id, now=now)  # what fell due until now, fell due under the old way of things
        plan = _editable(c, ref, document, clinic_id)
        findings = _findings(c, plan, document)
        edited = _edited(c, plan, changing.seam_of(c, plan, document, now=now), findings, now=now)
        patient = people.patients(c, [plan.patient_id])[plan.patient_id]
        seam = changing.change(c, patient, plan, Change(document, "edited", by, reason), now=now)
        if seam.first is not None:
            old, fresh = plan.plan.phases[plans.current_phase(plan, now) - 1], plans.read(c, [plan.id])[plan.id]
            new, starts = fresh.plan.phases[seam.first.phase_no - 1], seam.first.local_date
            stepping.announce_change(c, patient, fresh, old, new, starts=starts, now=now)
        supplies.look_soon(c, plan.id, at=now)
        return edited


def _editable(c: Connection, ref: str, document: Plan, clinic_id: str | None) -> StoredPlan:
    plan = plans.find(c, ref, clinic_id)
    if plan is None:
        raise UnknownPlan(f"there is no plan {ref!r}")
    if plan.state not in {PlanState.ACTIVE, PlanState.STAYING}:
        raise NotAllowed(f"plan {plan.ref} is {plan.state.value}; this is for one that is active or staying")
    if not plan.profile.is_called(document.drug):
        raise NotAllowed(f"plan {plan.ref} is of {plan.profile.name}: another drug is another plan")
    if document.zone != plan.course.current.plan.zone:
        raise NotAllowed(f"plan {plan.ref} goes by the clocks of {plan.course.current.plan.zone}: a move is a change of its own")
    return plan


def _findings(c: Connection, plan: StoredPlan, document: Plan) -> tuple[Finding, ...]:
    """What the check finds, beside the patient's other plans of the ingredient. Raises BadFile with the errors."""
    known = approved.known_of(c, plan.patient_id, on=document.start, but=plan.id)
    found = check_plan(document, plan.profile, others=known.others, is_alike=drugs.alike(plan.profile))
    errors = [fault_of(finding) for finding in found if finding.level is Severity.ERROR]
    errors += [Fault("medicines", words) for words in interacting.unacknowledged(c, plan)]
    if errors:
        raise BadFile(errors)
    return (*found, *approved.check_beside(plan.profile, known))


def _edited(c: Connection, plan: StoredPlan, seam: Seam, findings: tuple[Finding, ...], *, now: datetime) -> Edited:
    until = (seam.first.due_at if seam.first else now) + SHOWN
    joined = Course((*plan.course.versions, seam.version))
    left = supplies.left_of(c, plan)
    since = plan.decided_until + timedelta.resolution
    return Edited(
        plan=plan.ref,
        version=seam.version.no,
        problems=changing.problems_in_words(seam),
        gap=seam.gap,
        first=seam.first,
        jumped=seam.jumped,
        before=slots_between(plan.course, now - SHOWN, until),
        after=slots_between(joined, now - SHOWN, until),
        findings=findings,
        supply=None if left is None else outlook(joined, plan.profile, left, since=since, now=now),
    )
