"""When nothing is due any more: texts withdrawn, doses not yet announced taken off, and the patient told what not to take."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminders.domain.dose_state import DoseEvent, DoseState, EventKind
from reminders.domain.plan_state import PlanState
from reminders.messaging.texts import when
from reminders.services.records import doses, naming, plans, texts
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.doses import StoredDose
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

PLAN_TEXTS = ("reminder", "resend", "nudge", "step", "stay", "question", "advice")


def suspend(c: Connection, patient: Patient, plan: StoredPlan, *, reason: str, by: str, template: str, now: datetime) -> None:
    """Suspend a plan: nothing is due, no amount is texted, and the patient is told to call before the next dose."""
    plans.save(c, plan, state=PlanState.SUSPENDED.value, reason=reason[:400], step_stage=None)
    plans.add_event(c, plan.clinic_id, plan.id, kind="suspended", state=PlanState.SUSPENDED, by=by, at=now, reason=reason)
    withdraw(c, patient, plan, why="suspended", now=now)
    plans.put_on_clock(c, [plans.read(c, [plan.id])[plan.id]])
    at = now if by != "doseline" else _civil(patient, plan, now)
    cause = f"suspend:{plan.id}:{now:%Y%m%dT%H%M%S}"
    fields = naming.which_of(c, patient, plan)
    draft = Draft(template, "suspend", cause, fields=fields, plan_id=plan.id, send_at=at, expires_at=at + timedelta(days=1))
    texts.queue(c, patient, patient.line, draft, now=now)


def _civil(patient: Patient, plan: StoredPlan, now: datetime) -> datetime:
    """Now, or when the quiet hours end; but before the next dose would have been due."""
    due_at = plans.following(plan)
    morning = patient.by_day(now)
    return morning if due_at is None else max(now, min(morning, due_at))


def withdraw(c: Connection, patient: Patient, plan: StoredPlan, *, why: str, now: datetime) -> None:
    """Take back what has not been sent; correct what has. A dose already open stays so until the patient or a person says."""
    waiting = [dose for dose in doses.of_plan(c, plan.id, last=10) if dose.state in doses.WAITING]
    cancelled = texts.cancel_queued(c, plan_id=plan.id, kinds=PLAN_TEXTS)
    silent = [dose for dose in waiting if not texts.sent_with(c, dose.id)]
    doses.learn(c, {dose.id: [DoseEvent(EventKind.NOT_DUE, now, why=why)] for dose in silent if dose.state is DoseState.PENDING}, now=now)
    for dose in waiting:
        if dose not in silent and now < dose.times.offered_until:
            _correct(c, patient, plan, dose, now=now)
    texts.close_questions_of_texts(c, cancelled, at=now)


def _correct(c: Connection, patient: Patient, plan: StoredPlan, dose: StoredDose, *, now: datetime) -> None:
    """A reminder is out for a dose that must not be taken any more."""
    draft = Draft(
        "correction",
        "correction",
        f"correction:{dose.id}",
        fields={"when": when(dose.slot.due_at, patient.tz, patient.language), **naming.which_of(c, patient, plan)},
        plan_id=dose.plan_id,
        items=[(dose.id, "correction")],
    )
    texts.queue(c, patient, patient.line, draft, now=now)
