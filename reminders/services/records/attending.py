"""What a person at the clinic does about an alert: takes it on, gives it back, closes it with a note.

Taking a clinical alert on lets the next step come (docs/decisions/0004): what that asks for is asked here, whichever way it comes.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.queries import queues as queries
from reminders.domain.dose_state import DoseEvent, EventKind
from reminders.domain.plan_state import PlanState
from reminders.domain.roles import Right
from reminders.errors import NotAllowed, UnknownAlert
from reminders.services.records import (
    alerts,
    announcements,
    doses,
    interacting,
    labs,
    people,
    plans,
    quarantines,
    staff,
    stepping,
    supplies,
)
from reminders.services.records.interacting import Said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime

    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

ODD = frozenset({"took_more", "took_less"})
"""Told as two, half or vomited: the next announcement waits until a person has looked."""


@dataclass(frozen=True, slots=True)
class Attended:
    """Who attends to an alert, and what they say; `labs_due`: the day by which a laboratory is to check what it is about."""

    by: str
    words: str = ""
    labs_due: date | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """An alert that somebody attends to, under its patient's lock; `plan`: the one that it is about, if it is about one."""

    c: Connection
    alert: Row
    patient: Patient
    plan: StoredPlan | None


def find(c: Connection, clinic_id: str, alert_id: str) -> Row:
    """An alert of a clinic, open or closed. Raises UnknownAlert."""
    found = queries.alert(c, clinic_id, alert_id)
    if found is None:
        raise UnknownAlert
    return found


@contextmanager
def hold(c: Connection, clinic_id: str, alert_id: str, *, by: str, now: datetime) -> Iterator[Held]:
    """Hold an open alert of a clinic for somebody who may care; what fell due until now is decided first, under the old way of things.

    Raises UnknownAlert, LedgerHeld, and NotAllowed for who may not and for an alert that is closed.
    """
    quarantines.refuse_while_held(c)
    staff.require(c, clinic_id, by, Right.CARE)
    patient_id = find(c, clinic_id, alert_id)["patient_id"]
    people.lock(c, [patient_id])
    stepping.look_first(c, [patient_id], now=now)
    announcements.decide_now(c, patient_id, now=now)
    alert = find(c, clinic_id, alert_id)  # another may have attended to it, or what was just decided
    if alert["closed_at"] is not None:
        raise NotAllowed("this alert has been closed")
    plan = plans.read(c, [alert["plan_id"]])[alert["plan_id"]] if alert["plan_id"] else None
    yield Held(c, alert, people.patients(c, [patient_id])[patient_id], plan)
    for each in plans.of_patients(c, [patient_id]).get(patient_id, ()):
        supplies.look_soon(c, each.id, at=now)


def take_on(c: Connection, plan: StoredPlan | None, alert: Row, said: Attended, *, now: datetime) -> None:
    """Let somebody take an alert on; `plan`: the one that it is about, if it is about one.

    An interacting medicine is taken on by a provider alone, with a typed reason, and with the day of what a laboratory is to check
    beside it; a laboratory check whose day has come, with the day of the next, if there is one. Raises NotAllowed without.
    What was told as odd has then been looked at by a person: once, for what is told later is told by an alert of its own.
    """
    is_taken = alert["acknowledged_at"] is not None
    if plan is not None and needs_provider(alert):
        staff.require(c, plan.clinic_id, said.by, Right.PRESCRIBE)
        interacting.acknowledge(c, plan, alert, said=Said(said.by, said.words), labs_due=said.labs_due, now=now)
    if plan is not None and alert["kind"] == labs.LABS_DUE and said.labs_due is not None and not is_taken:
        staff.require(c, plan.clinic_id, said.by, Right.PRESCRIBE)
        labs.plan_for(c, plan, said.labs_due)
    alerts.acknowledge(c, alert, by=said.by, at=now)
    if alert["kind"] in ODD and not is_taken:
        _look_at_odd(c, alert["patient_id"], said, now=now)


def check_labs_due(plan: StoredPlan, said: Attended, *, now: datetime) -> None:
    """Refuse, with NotAllowed, the day of a check that is past, or of one that nothing calls for."""
    if said.labs_due is not None and said.labs_due < now.astimezone(plan.plan.tz).date():
        raise NotAllowed(f"labs_due {said.labs_due} is past")
    if said.labs_due is not None and not plan.labs:
        raise NotAllowed(f"nothing on the list beside plan {plan.ref} calls for a laboratory check: leave labs_due out")


def needs_provider(alert: Row) -> bool:
    """Whether only a provider may take an alert on, with a reason."""
    return alert["kind"] == interacting.INTERACTION and alert["clinical"] and alert["acknowledged_at"] is None


def _look_at_odd(c: Connection, patient_id: str, said: Attended, *, now: datetime) -> None:
    """Let a patient's doses told as odd stand as they were told, and announcements go on, but for what nobody has taken on yet."""
    unread = [alert for alert in alerts.open_alerts(c, patient_ids=[patient_id], kinds=ODD) if alert["acknowledged_at"] is None]
    told_by = [alert["cause"].rpartition(" ")[2] for alert in unread]  # the text it came in, which ends the cause
    looked = doses.read(c, doses.odd_but_for(c, patient_id, told_by))
    why = said.words or "looked at"
    settled = {dose.id: [DoseEvent(EventKind.CORRECTED, now, state=dose.state, by=said.by, why=why)] for dose in looked.values()}
    doses.learn(c, settled, now=now)


def give_back(c: Connection, patient: Patient, plan: StoredPlan | None, alert: Row, *, by: str, now: datetime) -> None:
    """Undo a slip: nobody has taken the alert on any more; it waits, and calls, as if it were raised now.

    A step that has begun with it goes on. Raises NotAllowed where taking it on has settled more than who looks at it, and while a step
    that it let be announced is still to begin: open again, the alert would not keep that one back.
    """
    if alert["acknowledged_at"] is None:
        raise NotAllowed("nobody has taken this alert on")
    about = plans.of_patients(c, [patient.id]).get(patient.id, []) if plan is None else [plan]
    if why := why_kept(alert, about, stepping.announced(c, about)):
        raise NotAllowed(why)
    alerts.give_back(c, patient, alert, by=by, at=now)


def why_kept(alert: Row, about: Iterable[StoredPlan], announced: Mapping[str, datetime]) -> str:
    """Why an alert that somebody has taken on cannot be given back, in words; empty if it can.

    `about`: the plans that it is about; `announced`: when the steps were announced that could be kept back still, by plan.
    """
    if alert["kind"] in ODD:
        return "what was told has been looked at, and texts go on by it: that is not taken back. Correct the dose instead"
    if alert["kind"] == labs.LABS_DUE or (alert["kind"] == interacting.INTERACTION and alert["clinical"]):
        return "a provider's reason, or the day of a check, is kept with it: that is not taken back"
    taken_at = alert["acknowledged_at"]
    let = [plan.ref for plan in about if taken_at and plan.id in announced and announced[plan.id] >= taken_at]
    if alert["clinical"] and let:
        return f"a step of {' and '.join(let)} has been announced since, and would begin with the alert open: keep the plan back instead"
    return ""


def resolve(c: Connection, plan: StoredPlan | None, alert: Row, said: Attended, *, now: datetime) -> None:
    """Close an alert with a note, for somebody who has seen to it. Who closes it has taken it on.

    Raises NotAllowed without a note, and while what it tells of still stands, which then nobody would know.
    """
    if not said.words.strip():
        raise NotAllowed("say what was done: an alert is closed with a note")
    if why := why_open(plan, alert):
        raise NotAllowed(why)
    if alert["acknowledged_at"] is None:
        take_on(c, plan, alert, said, now=now)
    alerts.close(c, alert, reason=said.words, by=said.by, at=now, audited="resolved with a note")


def why_open(plan: StoredPlan | None, alert: Row) -> str:
    """Why an alert cannot be closed by a note yet, in words; empty if it can."""
    if plan is not None and alert["stays"] and PlanState.STAYING in {plan.state, plan.state_before}:
        return "the plan still stays: it closes by itself when a provider lets it go on, steps it back or stops it"
    if plan is not None and alert["kind"] == "suspended" and plan.state is PlanState.SUSPENDED:
        return "the plan is still suspended: it closes by itself when a provider restarts or stops it"
    if needs_provider(alert):
        return "a provider takes an interacting medicine on first, with a reason"
    return ""
