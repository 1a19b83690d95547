"""Changing a plan: a new version, joined to the old one at its seam."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminders.domain.gaps import max_gap_of
from reminders.domain.plan import Plan, Stay, Version
from reminders.domain.plan_state import PlanState
from reminders.domain.seam import Seam, join
from reminders.services.records import alerts, announcements, doses, intakes, people, plans, texts
from reminders.services.records.alerts import Notice
from reminders.services.records.audit import Entry, write_audit

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

OVERTAKEN = ("stay", "suspend")
"""The notices that a plan which goes on again has overtaken, if they still wait for the morning."""
MOVED = "moved zone"


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan becomes, what that is called, who decided it and why. `stays` go on in it: its phases are those of the old one."""

    document: Plan
    kind: str
    by: str
    reason: str
    _: KW_ONLY
    stays: tuple[Stay, ...] = ()


def seam_of(c: Connection, plan: StoredPlan, document: Plan, *, now: datetime, stays: tuple[Stay, ...] = ()) -> Seam:
    """How a new document would join the plan as it stands now. Nothing is stored."""
    begun = plan.course.versions[0].effective_at <= now
    at = max(now, plan.decided_until + timedelta.resolution) if begun else now  # a slot due at this very instant was the old version's
    followed = Version(document, at, stays=stays).followed
    taken = intakes.of_ingredient(c, plan, since=now - doses.RECENT)
    most = plan.profile.max_per_day
    return join(
        plan.course,
        followed,
        at=at,
        last=intakes.last_moment(taken),
        min_gap=plans.limits_of(followed, plan.profile).min_gap,
        max_gap=max_gap_of(followed, plan.profile),
        used=doses.numbers_used(c, plan.id, since=at.date() - timedelta(days=3)),
        planned_by_date=intakes.by_date(taken),
        max_per_day=most.value.value if most else None,
    )


def change(c: Connection, patient: Patient, plan: StoredPlan, change: Change, *, now: datetime) -> Seam:
    """Store a plan's new version. Slots jumped over are not due; a seam that cannot be joined well is shown to the provider."""
    seam = seam_of(c, plan, change.document, now=now, stays=change.stays)
    version = replace(seam.version, plan=change.document, stays=change.stays)
    plans.add_version(c, plan.clinic_id, plan.id, version, approved_by=change.by, at=now)
    plans.save(c, plan, decided_until=version.effective_at - timedelta.resolution, step_stage=None, label=change.document.label)
    if plan.state is PlanState.STAYING and not any(stay.extra_days is None for stay in change.stays):
        plans.save(c, plan, state=PlanState.ACTIVE.value)
    if not change.stays:
        _close_the_stay(c, plan, change, now=now)
    fresh = plans.read(c, [plan.id])[plan.id]
    announcements.jump(c, fresh, seam.jumped, why="moved" if change.kind == MOVED else "changed", now=now)
    phase_no, state = plans.current_phase(fresh, now), fresh.state
    plans.add_event(
        c, plan.clinic_id, plan.id, kind=change.kind, state=state, by=change.by, at=now, reason=change.reason, phase_no=phase_no
    )
    plans.put_on_clock(c, [plans.read(c, [plan.id])[plan.id]])
    _show(c, patient, plan, seam, now=now)
    return seam


def moved_to(plan: StoredPlan, zone: str, *, by: str, reason: str) -> Change:
    """The change that a move to another zone is to a plan: the same doses by other clocks, stays and all."""
    return Change(replace(plan.course.current.plan, zone=zone), MOVED, by, reason, stays=plan.course.current.stays)


def move(c: Connection, patient: Patient, zone: str, *, by: str, reason: str, now: datetime) -> None:
    """Let a patient's times follow them to another zone: those of their texts, and of each plan that is not over."""
    people.move(c, patient, zone)
    there = people.patients(c, [patient.id])[patient.id]
    for plan in plans.of_patients(c, [patient.id]).get(patient.id, []):
        change(c, there, plan, moved_to(plan, zone, by=by, reason=reason), now=now)
    write_audit(c, patient.clinic.id, Entry(now, by, "patient moved", patient.id))


def _close_the_stay(c: Connection, plan: StoredPlan, change: Change, *, now: datetime) -> None:
    texts.cancel_queued(c, plan_id=plan.id, kinds=OVERTAKEN)
    for alert in alerts.open_alerts(c, plan_id=plan.id, kinds=("plan_stays", alerts.SOME_MISSED)):
        if alert["stays"]:
            alerts.close(c, alert, reason=f"{change.kind}: {change.reason}", by=change.by, at=now)


def _show(c: Connection, patient: Patient, plan: StoredPlan, seam: Seam, *, now: datetime) -> None:
    if seam.problems:
        words = f"Where the old times join the new: {problems_in_words(seam)}. Call the patient."
        notice = Notice("seam", "warning", f"{plan.id} v{seam.version.no}", words, plan_id=plan.id, clinical=False)
        alerts.raise_once(c, patient, notice, now=now)


def problems_in_words(seam: Seam) -> str:
    """Say why a seam goes to the provider."""
    return ", ".join(problem.value.replace("_", " ") for problem in seam.problems)
