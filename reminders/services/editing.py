"""Editing: a plan's new document, shown with its seam before anybody approves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, undoing, writing
from reminders import drugs
from reminders.domain.checking import check_plan
from reminders.domain.finding import Finding
from reminders.domain.gate import resume_extra_days
from reminders.domain.plan import Course, Kind, Plan, as_followed
from reminders.domain.plan_state import PlanState
from reminders.domain.profile import Severity
from reminders.domain.rearranging import coming_phases
from reminders.domain.roles import Right
from reminders.domain.schedule import Slot, phase_spans, slots_between
from reminders.domain.seam import Seam
from reminders.domain.step_checks import TOO_SHORT, check_steps
from reminders.domain.supply import outlook
from reminders.errors import BadFile, Fault, NotAllowed, UnknownPlan
from reminders.formats.plan_file import canonical
from reminders.services.records import announcements, approved, changing, interacting, people, plans, quarantines, staff, stepping, supplies
from reminders.services.records.broken import fault_of
from reminders.services.records.changing import Change

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.domain.plan import PlannedDose
    from reminders.domain.supply import Outlook
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

OVER = frozenset({PlanState.DRAFT, PlanState.STOPPED, PlanState.COMPLETED})
"""Nothing is printed or changed of a plan that nobody approved, or that has ended."""

SHOWN = timedelta(days=3)
"""So far around the seam the old and the new times are shown."""
NOT_AS_SHOWN = "this is not what was shown: a dose or a change has come between, or more is known by now. Look at it once more"


@dataclass(frozen=True, slots=True)
class Edited:
    """What a new document does to a plan: its seam, what speaks against it, and the slots around the join by the old and the new way.

    `problems`: why a provider must look at the seam, in words; empty if nobody need. `supply`: None where nobody keeps count.
    `seal`: the hash of the document, its seam, what was found and the mark of the plan that it changes: it changes when one of them does.
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
    seal: str


@dataclass(frozen=True, slots=True)
class Running:
    """A plan of a patient as it stands, and their local date. `document`: what is changed of it, its stays laid in, up to today."""

    patient: Patient
    plan: StoredPlan
    today: date
    document: Plan

    @property
    def doses(self) -> tuple[PlannedDose, ...]:
        """The doses of the day that are taken now; before the first day, those of that one, and after the last, those of the last."""
        coming = coming_phases(self.document, self.today)
        return (coming[0] if coming else self.document.phases[-1]).doses


def running(engine: Engine, whose: tuple[str, str], plan_id: str, *, now: datetime) -> Running:
    """Read a plan of a clinic's patient (all by id). Raises UnknownPlan where there is none of theirs that is not over."""
    _, patient_id = whose
    with reading(engine) as c:
        plan = plans.read(c, [plan_id]).get(plan_id)
        if plan is None or (plan.clinic_id, plan.patient_id) != whose or plan.state in OVER:
            raise UnknownPlan
        patient, today = people.patients(c, [patient_id])[patient_id], now.astimezone(plan.plan.tz).date()
        return Running(patient, plan, today, _up_to(plan, today))


def _up_to(plan: StoredPlan, today: date) -> Plan:
    """A plan with its stays laid in; an open one ends today, as if the plan went on now."""
    version = plan.course.current
    closed = tuple(stay for stay in version.stays if stay.extra_days is not None)
    document = as_followed(version.plan, closed)
    for stay in version.stays:
        ends = phase_spans(document)[stay.phase_no - 1].ends if stay.extra_days is None else None
        if ends is not None:
            extra = resume_extra_days(planned_end=ends, stay_since=stay.since, resumed=today)
            document = as_followed(document, (replace(stay, extra_days=extra),))
    return document


def preview(engine: Engine, ref: str, document: Plan, *, now: datetime, clinic_id: str | None = None) -> Edited:
    """Show what a new document would do now, with all that has fallen due until then; nothing of it is stored.

    Raises UnknownPlan; NotAllowed for another drug or zone, or a plan that does not go on; BadFile with every error the check finds.
    """
    with undoing(engine) as c:
        return _looked(c, ref, document, clinic_id, now=now)[1]


def approve(
    engine: Engine, ref: str, document: Plan, *, by: str, reason: str, now: datetime, clinic_id: str | None = None, seen: str | None = None
) -> Edited:
    """Store a new document as the plan's next version, by a named person with a reason; the patient is told of changed amounts.

    `seen`: the seal of the preview that they saw; left out, they saw none. Raises what `preview` raises, BadFile at `seal` if
    that is another by now, NotAllowed without a reason or a provider's name, LedgerHeld before a gap was relived; then nothing
    has changed.
    """
    if not reason.strip():
        raise NotAllowed("a change of a plan needs its reason")
    with writing(engine) as c:
        quarantines.refuse_while_held(c)
        plan = _editable(c, ref, document, clinic_id)
        staff.require(c, plan.clinic_id, by, Right.PRESCRIBE)
        plan, edited = _looked(c, ref, document, clinic_id, now=now)
        if seen is not None and seen != edited.seal:
            raise BadFile([Fault("seal", NOT_AS_SHOWN)])
        patient = people.patients(c, [plan.patient_id])[plan.patient_id]
        seam = changing.change(c, patient, plan, Change(document, "edited", by, reason), now=now)
        if seam.first is not None:
            old, fresh = plan.plan.phases[plans.current_phase(plan, now) - 1], plans.read(c, [plan.id])[plan.id]
            new, starts = fresh.plan.phases[seam.first.phase_no - 1], seam.first.local_date
            stepping.announce_change(c, patient, fresh, old, new, starts=starts, now=now)
        supplies.look_soon(c, plan.id, at=now)
        return edited


def _looked(c: Connection, ref: str, document: Plan, clinic_id: str | None, *, now: datetime) -> tuple[StoredPlan, Edited]:
    """Catch up with what fell due until now, which fell due under the old way of things; then see what the document would do."""
    plan = _editable(c, ref, document, clinic_id)
    people.lock(c, [plan.patient_id])
    stepping.look_first(c, [plan.patient_id], now=now)
    announcements.decide_now(c, plan.patient_id, now=now)
    plan = _editable(c, ref, document, clinic_id)
    return plan, _edited(c, plan, changing.seam_of(c, plan, document, now=now), _findings(c, plan, document), now=now)


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
    found = [*check_plan(document, plan.profile, others=known.others, is_alike=drugs.alike(plan.profile)), *_taper_alone(plan, document)]
    errors = [fault_of(finding) for finding in found if finding.level is Severity.ERROR]
    errors += [Fault("medicines", words) for words in interacting.unacknowledged(c, plan)]
    if errors:
        raise BadFile(errors)
    return (*found, *approved.check_beside(plan.profile, known))


def _taper_alone(plan: StoredPlan, document: Plan) -> Iterator[Finding]:
    """What is too short of a taper that begins in the midst of a plan: the days before its first cut are none of it."""
    first, *rest = document.phases
    if (
        document.kind is Kind.TAPER
        and plan.plan.kind is not Kind.TAPER
        and rest
        and first.doses in {phase.doses for phase in plan.plan.phases}
    ):
        alone = replace(document, start=document.start + timedelta(days=first.days or 0), phases=tuple(rest))
        yield from (finding for finding in check_steps(alone, plan.profile) if finding.code == TOO_SHORT)


def _edited(c: Connection, plan: StoredPlan, seam: Seam, findings: tuple[Finding, ...], *, now: datetime) -> Edited:
    until = (seam.first.due_at if seam.first else now) + SHOWN
    joined = Course((*plan.course.versions, seam.version))
    left = supplies.left_of(c, plan)
    since = plan.decided_until + timedelta.resolution
    found = [str(finding) for finding in findings]
    shown = [plans.document_of(seam.version.plan), str(seam.first), str(seam.jumped), found, plans.mark_of(plan, now)]
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
        seal=plans.digest_of(canonical(shown)),
    )
