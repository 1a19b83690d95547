"""A patient's other medicines: what is added waits for a provider and is asked about at once; what comes off ends that.

They are on a list, or another plan gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from reminders.domain.approval import Acknowledgement
from reminders.domain.finding import Alcohol, is_alcohol
from reminders.domain.profile import GRAVE
from reminders.domain.roles import Right
from reminders.errors import NotAllowed
from reminders.services.records import alerts, labs, medicines, people, plans, staff
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
ACKNOWLEDGED = "interaction acknowledged"
"""The event of a plan that keeps who acknowledged a medicine beside it."""
_KEPT = re.compile(r"(?P<of>.*?): (?P<reason>.*?)(?: \(labs by (?P<labs_due>\d{4}-\d\d-\d\d)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Said:
    """Who at the clinic says something, and why."""

    by: str
    reason: str


def listed(c: Connection, patient: Patient) -> tuple[Medicine, ...]:
    """The medicines on a patient's list, oldest first."""
    return medicines.of_patients(c, [patient.id]).get(patient.id, ())


def given(theirs: Iterable[StoredPlan]) -> tuple[Medicine, ...]:
    """What some plans of a patient give each other, oldest first; what stands on the list is not among it."""
    found = {medicine for plan in theirs for medicine in plan.medicines if medicine.plan is not None}
    return tuple(sorted(found, key=lambda medicine: (medicine.added_at, medicine.id)))


def add(c: Connection, patient: Patient, name: str, *, said: Said, now: datetime) -> None:
    """Put a medicine on a patient's list, and look what it does beside each of their plans.

    Where it interacts, an alert leaves the next gate unmet until it is acknowledged with a reason; its monitoring begins at
    once. What must not be taken together leaves it unmet for as long as both are. Nothing is stopped by it: that is a
    person's to decide. Raises NotAllowed if it is on the list already.
    """
    if _listed(listed(c, patient), name) is not None:
        raise NotAllowed(f"{name} is on the list already")
    (medicine,) = medicines.add(c, patient.clinic.id, patient.id, [name], at=now)
    if is_alcohol(name):
        people.keep_alcohol(c, patient.id, Alcohol.SOME)
    for one in _keep(c, patient, medicine, "added", said=said, now=now):
        if groups := one.profile.interacting(name):
            alerts.raise_once(c, patient, _notice(one, medicine, groups), now=now)


def remove(c: Connection, patient: Patient, name: str, *, said: Said, now: datetime) -> None:
    """Take a medicine off a patient's list, with a reason: its monitoring ends, and what it alerted of is closed.

    No plan changes by it: one that stays goes on staying until a person lets it go on. Added again, it is a new one, and asks
    for its acknowledgement again. Of alcohol, which nobody had asked about, it says that there is none. Raises NotAllowed
    without a reason, if it is not on the list, or if what it alerted of waits for a provider and nobody of that kind removes it.
    """
    on_list = listed(c, patient)
    medicine = _listed(on_list, name)
    unasked = is_alcohol(name) and people.alcohol_of(c, patient.id) is Alcohol.UNKNOWN
    if medicine is None and not unasked:
        raise NotAllowed(f"{name} is not on the list: {', '.join(one.name for one in on_list) or 'nothing is'}")
    if not said.reason.strip():
        raise NotAllowed(f"taking {name} off the list needs its reason")
    if is_alcohol(name):
        people.keep_alcohol(c, patient.id, Alcohol.NONE)
    if medicine is None:
        _tell(c, patient, "alcohol none", said.reason, by=said.by, now=now)
        return
    medicines.remove(c, medicine, at=now)
    why = f"{medicine.name} came off the list: {said.reason}"
    for one in _keep(c, patient, medicine, "removed", said=said, now=now):
        labs.end(c, one, reason=why, by=said.by, now=now)
    for alert in alerts.open_alerts(c, patient_ids=[patient.id], kinds=[INTERACTION]):
        if is_of(alert, medicine):
            if alert["clinical"] and not alert["acknowledged_at"]:  # else a slip, or a good will, would answer for a provider
                staff.require(c, patient.clinic.id, said.by, Right.PRESCRIBE)
            alerts.close(c, alert, reason=why, by=said.by, at=now)


def begin(c: Connection, patient: Patient, plan: StoredPlan, *, now: datetime) -> None:
    """Look what the drug of a new plan does beside each of its patient's others, as if it had been put on their list."""
    for other in _others(c, plan):
        for medicine in (one for one in other.medicines if one.id == plan.id):
            if groups := other.profile.interacting(medicine.name):
                alerts.raise_once(c, patient, _notice(other, medicine, groups), now=now)


def end(c: Connection, plan: StoredPlan, *, why: str, by: str, now: datetime) -> None:
    """Once a plan is over, close what its drug alerted of beside its patient's others, and ask no more because of it."""
    for alert in alerts.open_alerts(c, patient_ids=[plan.patient_id], kinds=[INTERACTION]):
        if is_by(alert, plan.id):
            alerts.close(c, alert, reason=f"{plan.profile.ingredient} is over: {why}", by=by, at=now)
    for other in _others(c, plan):
        labs.end(c, other, reason=f"{plan.profile.ingredient} is over: {why}", by=by, now=now)


def _others(c: Connection, plan: StoredPlan) -> list[StoredPlan]:
    """The other plans of its patient that go on, put on the clock again: what is asked of them is another than before."""
    others = [one for one in plans.of_patients(c, [plan.patient_id]).get(plan.patient_id, []) if one.id != plan.id]
    plans.put_on_clock(c, others)
    return others


def _listed(on_list: Sequence[Medicine], name: str) -> Medicine | None:
    return next((medicine for medicine in on_list if medicine.name.casefold() == name.casefold()), None)


def _keep(c: Connection, patient: Patient, medicine: Medicine, what: str, *, said: Said, now: datetime) -> list[StoredPlan]:
    """Keep with each of the patient's plans who changed the list, and why; ask from now on what the list calls for. Return the plans."""
    write_audit(c, patient.clinic.id, Entry(now, said.by, f"medicine {what}", medicine.id))
    why = f"{medicine.name}: {said.reason}" if said.reason else medicine.name
    theirs = _tell(c, patient, f"medicine {what}", why, by=said.by, now=now)
    plans.put_on_clock(c, theirs)
    return theirs


def _tell(c: Connection, patient: Patient, what: str, why: str, *, by: str, now: datetime) -> list[StoredPlan]:
    theirs = plans.of_patients(c, [patient.id]).get(patient.id, [])
    for one in theirs:
        plans.add_event(c, one.clinic_id, one.id, kind=what, state=one.state, by=by, at=now, reason=why)
    return theirs


def _notice(plan: StoredPlan, medicine: Medicine, groups: Sequence[Interaction]) -> Notice:
    blocks, forbids = any(group.blocks for group in groups), any(group.forbids for group in groups)
    severity = "urgent" if any(group.severity == GRAVE for group in groups) else "warning"
    wanted = (" No step up comes while both are taken." if forbids else "") + (" Acknowledge it with a reason." if blocks else "")
    said = "; ".join(f"{group.group}: {group.effect.value} ({group.effect.source}); {group.advice}" for group in groups)
    words = f"{medicine.name} was added beside {plan.profile.name}.{wanted} {said}."
    cause = f"{medicine.id} {plan.id}"
    return Notice(INTERACTION, severity if blocks else "info", cause, words, plan_id=plan.id, clinical=blocks)


def is_of(alert: Row, medicine: Medicine) -> bool:
    """Whether an alert was raised because of a medicine."""
    return is_by(alert, medicine.id)


def is_by(alert: Row, medicine_id: str) -> bool:
    """Whether an alert was raised because of a medicine, by its id."""
    return str(alert["cause"]).startswith(f"{medicine_id} ")


def unacknowledged(c: Connection, plan: StoredPlan) -> list[str]:
    """What was added beside a plan and no provider has acknowledged yet, in words: until then no version of it is approved."""
    raised = alerts.open_alerts(c, plan_id=plan.id, kinds=[INTERACTION])
    return [alert["words"] for alert in raised if alert["clinical"] and not alert["acknowledged_at"]]


def acknowledge(c: Connection, plan: StoredPlan, alert: Row, *, said: Said, labs_due: date | None, now: datetime) -> None:
    """Keep a provider's typed reason to go on beside a medicine that was added.

    Raises NotAllowed without one, or without the day of what a laboratory is to check beside it.
    """
    if not said.reason.strip():
        raise NotAllowed("an interacting medicine is acknowledged with a reason: give it")
    name = next(medicine.name for medicine in plan.medicines if is_of(alert, medicine))
    if name in plan.labs and labs_due is None:
        raise NotAllowed(f"{', '.join(plan.labs[name])} are to be checked beside {name}: give the day by which, as labs_due")
    keep(c, plan, [Acknowledgement(name, said.by, said.reason, labs_due if name in plan.labs else None)], now=now)


def keep(c: Connection, plan: StoredPlan, acknowledged: Iterable[Acknowledgement], *, now: datetime) -> None:
    """Store who acknowledged which interacting medicine of a plan, and why: `kept` reads it again."""
    for one in acknowledged:
        labs_due = f" (labs by {one.labs_due})" if one.labs_due else ""
        why = f"{one.of}: {one.reason}{labs_due}"
        plans.add_event(c, plan.clinic_id, plan.id, kind=ACKNOWLEDGED, state=plan.state, by=one.by, at=now, reason=why)
        if one.labs_due is not None:
            labs.plan_for(c, plan, one.labs_due)


def kept(event: Row) -> Acknowledgement:
    """What somebody acknowledged, from the event that keeps it."""
    found = _KEPT.fullmatch(event["reason"])
    assert found is not None  # noqa: S101 - `keep` wrote it
    labs_due = found["labs_due"]
    return Acknowledgement(found["of"], event["by"], found["reason"], date.fromisoformat(labs_due) if labs_due else None)
