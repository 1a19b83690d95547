"""What a laboratory is to check because of another medicine: a task for a person at the clinic, by the day that a provider gave.

The patient is texted nothing of it, no result is read, and no number is computed. While it waits the next gate is unmet, as
by any follow-up that is overdue; a step already announced stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import instant_of
from reminders.services.records import alerts, people, plans
from reminders.services.records.alerts import Notice

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection

    from reminders.services.records.plans import StoredPlan

LABS_DUE = "labs_due"
OVER = frozenset({PlanState.STOPPED, PlanState.COMPLETED})


def plan_for(c: Connection, plan: StoredPlan, on: date) -> None:
    """Have somebody told on a date, when the clinic opens. Of two dates the earlier one stands."""
    clinic = people.patients(c, [plan.patient_id])[plan.patient_id].clinic
    due = instant_of(on, clinic.opens_at, clinic.tz)
    waiting = plans.read(c, [plan.id])[plan.id].labs_due_at
    plans.save(c, plan, labs_due_at=due if waiting is None else min(due, waiting))


def look(c: Connection, plan_id: str, patient_id: str, *, now: datetime) -> None:
    """Tell a person that the day has come, under the patient's lock: what is to be checked, and because of what."""
    people.lock(c, [patient_id])
    plan = plans.read(c, [plan_id])[plan_id]
    if plan.labs_due_at is None or plan.labs_due_at > now:
        return
    plans.save(c, plan, labs_due_at=None)
    if plan.labs and plan.state not in OVER:
        wanted = "; ".join(f"{', '.join(checks)} beside {medicine}" for medicine, checks in plan.labs.items())
        words = f"The day has come to check, on {plan.profile.name}: {wanted}. Acknowledge it, with the day of the next if there is one."
        notice = Notice(LABS_DUE, "warning", f"{plan.id} {plan.labs_due_at:%Y-%m-%dT%H:%M}", words, plan_id=plan.id, clinical=False)
        alerts.raise_once(c, people.patients(c, [patient_id])[patient_id], notice, now=now)


def end(c: Connection, plan: StoredPlan, *, reason: str, by: str, now: datetime) -> None:
    """Wait for no check any more, unless another medicine on the list calls for one."""
    if plan.labs:
        return
    plans.save(c, plan, labs_due_at=None)
    for alert in alerts.open_alerts(c, plan_id=plan.id, kinds=[LABS_DUE]):
        alerts.close(c, alert, reason=reason, by=by, at=now)
