"""Following up: the nudge, the silence that is counted, the closing of a dose, and the evening before a step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.contact import may_nudge
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind
from reminders.domain.plan_state import PlanState
from reminders.messaging.texts import when
from reminders.services.records import doses, people, plans, stepping, texts
from reminders.services.records.doses import StoredDose
from reminders.services.records.due import MERGED
from reminders.services.records.ledger import earliest
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

log = logging.getLogger(__name__)

LATER = timedelta(minutes=1)


def follow_up(engine: Engine, *, now: datetime, limit: int = 500) -> int:
    """Look at every dose and every coming step whose moment has come; return how many there were."""
    return _follow_doses(engine, now=now, limit=limit) + _follow_steps(engine, now=now, limit=limit)


def _follow_doses(engine: Engine, *, now: datetime, limit: int) -> int:
    with reading(engine) as c:
        waiting = doses.to_check(c, now=now, limit=limit)
    patient_ids = sorted({dose.patient_id for dose in waiting})
    for patient_id in patient_ids:
        _guarded(engine, partial(_follow_patient, patient_id=patient_id, now=now), subject=patient_id)
    return len(waiting)


def _follow_patient(c: Connection, patient_id: str, *, now: datetime) -> None:
    """One patient's doses, under the patient's lock."""
    people.lock(c, [patient_id])
    patient = people.patients(c, [patient_id])[patient_id]
    their_plans = {plan.id: plan for plan in plans.of_patients(c, [patient_id]).get(patient_id, ())}
    waiting = doses.to_check_of(c, patient_id, now=now)
    postponed = _nudge(c, patient, [dose for dose in waiting if _speaks(their_plans.get(dose.plan_id))], now=now)
    closed = {dose.id: [DoseEvent(EventKind.CLOSED, dose.times.answer_until)] for dose in waiting if dose.times.answer_until <= now}
    doses.learn(c, closed, now=now)
    silent = [dose for dose in waiting if dose.id not in closed]
    plans.touched(c, {dose.plan_id for dose in silent if dose.times.silent_at <= now}, at=now)
    doses.looked_at(c, {dose.id: earliest(doses.next_moment(dose, after=now), postponed.get(dose.id)) for dose in silent})


def _speaks(plan: StoredPlan | None) -> bool:
    return plan is not None and plan.state in {PlanState.ACTIVE, PlanState.STAYING}


def _nudge(c: Connection, patient: Patient, waiting: Sequence[StoredDose], *, now: datetime) -> dict[str, datetime]:
    """Ask once about the doses that nobody answered for, in one text; return those to be asked about later, and when.

    Never in quiet hours, nor when it is nearly too late to take a dose, nor about one whose reminder has not left.
    """
    ripe = [
        dose
        for dose in waiting
        if dose.nudge_at and dose.nudge_at <= now and may_nudge(now, patient.tz, patient.quiet, dose.times.take_until)
    ]
    about = doses.not_nudged(c, [dose for dose in ripe if dose.state is DoseState.OPEN and not dose.standing.answered])
    if not about:
        return {}
    soon = doses.next_nudge(c, patient.id, after=now, until=min(min(dose.times.offered_until for dose in about) - LATER, now + MERGED))
    if soon is not None:  # another is to be asked about in a few minutes: both in one text
        return {dose.id: soon for dose in about}
    latest = max(about, key=lambda dose: dose.slot.due_at)
    draft = Draft(
        "nudge",
        "nudge",
        f"nudge:{latest.id}",
        fields={"when": when(latest.slot.due_at, patient.tz, patient.language)},
        expires_at=min(dose.times.offered_until for dose in about),
        plan_id=latest.plan_id if len(about) == 1 else None,
        items=[(dose.id, "nudge") for dose in about],
        asks=texts.Asked("dose", max(dose.times.answer_until for dose in about), tuple(dose.id for dose in about)),
    )
    texts.queue(c, patient, patient.line, draft, now=now)
    return {}


def _follow_steps(engine: Engine, *, now: datetime, limit: int) -> int:
    with reading(engine) as c:
        waiting = stepping.to_check(c, now=now, limit=limit)
    for plan_id, patient_id in waiting:
        _guarded(engine, partial(stepping.look, plan_id=plan_id, patient_id=patient_id, now=now), subject=plan_id)
    return len(waiting)


def _guarded(engine: Engine, work: Callable[[Connection], None], *, subject: str) -> None:
    """One transaction for one patient: who cannot be followed up stops nobody else."""
    try:
        with writing(engine) as c:
            work(c)
    except Exception:
        log.exception("could not follow up %s", subject)
