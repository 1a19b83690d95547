"""A medicine added to a patient's list: what it does beside their plans waits for a provider, and is asked about at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reminders.domain.approval import Acknowledgement
from reminders.errors import NotAllowed
from reminders.services.records import alerts, medicines, plans
from reminders.services.records.alerts import Notice
from reminders.services.records.audit import Entry, write_audit

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from reminders.domain.profile import Interaction
    from reminders.services.records.ledger import Row
    from reminders.services.records.medicines import Medicine
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

INTERACTION = "interaction"


def add(c: Connection, patient: Patient, plan: StoredPlan, name: str, *, by: str, now: datetime) -> None:
    """Put a medicine on the list of a plan's patient, and look what it does beside each of their plans.

    Where it interacts, an alert leaves the next gate unmet until it is acknowledged with a reason; its monitoring begins at
    once. Raises NotAllowed if it is on the list already.
    """
    if name.casefold() in {medicine.name.casefold() for medicine in plan.medicines}:
        raise NotAllowed(f"{name} is on the list already")
    (medicine,) = medicines.add(c, plan.clinic_id, patient.id, [name], at=now)
    write_audit(c, plan.clinic_id, Entry(now, by, "medicine added", medicine.id))
    theirs = plans.of_patients(c, [patient.id])[patient.id]
    for one in theirs:
        if groups := one.profile.interacting(name):
            alerts.raise_once(c, patient, _notice(one, medicine, groups), now=now)
    plans.put_on_clock(c, theirs)


def _notice(plan: StoredPlan, medicine: Medicine, groups: Sequence[Interaction]) -> Notice:
    blocks = any(group.blocks for group in groups)
    severity = "urgent" if any(group.severity == "high" for group in groups) else "warning"
    said = "; ".join(f"{group.group}: {group.effect.value}; {group.advice}" for group in groups)
    words = f"{medicine.name} was added beside {plan.profile.name}. {said}.{' Acknowledge it with a reason.' if blocks else ''}"
    cause = f"{medicine.id} {plan.id}"
    return Notice(INTERACTION, severity if blocks else "info", cause, words, plan_id=plan.id, clinical=blocks)


def unacknowledged(c: Connection, plan: StoredPlan) -> list[str]:
    """What was added beside a plan and no provider has acknowledged yet, in words: until then no version of it is approved."""
    raised = alerts.open_alerts(c, plan_id=plan.id, kinds=[INTERACTION])
    return [alert["words"] for alert in raised if alert["clinical"] and not alert["acknowledged_at"]]


def acknowledge(c: Connection, plan: StoredPlan, alert: Row, *, by: str, reason: str, now: datetime) -> None:
    """Keep a provider's typed reason to go on beside a medicine that was added. Raises NotAllowed without one."""
    if not reason.strip():
        raise NotAllowed("an interacting medicine is acknowledged with a reason: give it")
    name = next(medicine.name for medicine in plan.medicines if alert["cause"].startswith(medicine.id))
    plans.acknowledge_interactions(c, plan.clinic_id, plan.id, [Acknowledgement(name, by, reason)], state=plan.state, at=now)
