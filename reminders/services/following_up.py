"""Following up: the nudge, the silence that is counted, the closing of a dose, check-ins, and the evening before a step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.contact import may_nudge
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind
from reminders.domain.hearing import BOUND, Heard, Hearing
from reminders.domain.plan_state import PlanState
from reminders.messaging.texts import when
from reminders.services.records import check_ins, doses, labs, naming, people, plans, stepping, supplies, texts, troubles, watermarks
from reminders.services.records.doses import Look, StoredDose
from reminders.services.records.due import MERGED
from reminders.services.records.ledger import earliest
from reminders.services.records.plans import Moment
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

log = logging.getLogger(__name__)

LATER = timedelta(minutes=1)
FOLLOWED: Mapping[Moment, Callable[..., None]] = {
    Moment.CHECK_IN: check_ins.ask,
    Moment.STEP_CHECK: stepping.look,
    Moment.SUPPLY_CHECK: supplies.look,
    Moment.LABS_DUE: labs.look,
}
"""What is done for a plan whose moment has come, in this order: each under its patient's lock."""

DEAF = "We cannot hear patients: the carrier's list of incoming texts is not read. Doses are closed unverified."


def follow_up(engine: Engine, *, now: datetime, limit: int = 500, heard_until: datetime | None = None) -> int:
    """Look at every dose, every check-in, laboratory check and coming step whose moment has come; return how many there were.

    A dose closes, and its silence counts, once every text sent before then has been taken in: up to `heard_until`, or
    as far as the ledger says that the carrier's list was read. Or half an hour later, unverified, if it cannot be read.
    """
    closed = _follow_doses(engine, now=now, limit=limit, heard_until=heard_until)
    return closed + sum(_follow_plans(engine, moment, now=now, limit=limit) for moment in FOLLOWED)


def _follow_doses(engine: Engine, *, now: datetime, limit: int, heard_until: datetime | None) -> int:
    with reading(engine) as c:
        waiting = doses.to_check(c, now=now, limit=limit)
        hearing = Hearing(heard_until) if heard_until or not waiting else watermarks.hearing(c, now=now)
    _notice_deafness(engine, waiting, hearing, now=now)
    unheard = {dose.id: dose for dose in waiting if _only_waits(dose, hearing, now)}
    if unheard:  # all at once: of a herd whose time is over at one minute, none can be closed before the list was read
        with writing(engine) as c:
            doses.put_off(c, [(dose, _next_look(dose, hearing, now)) for dose in unheard.values()])
    patient_ids = sorted({dose.patient_id for dose in waiting if dose.id not in unheard})
    for patient_id in patient_ids:
        _guarded(engine, partial(_follow_patient, patient_id=patient_id, now=now, hearing=hearing), subject=patient_id)
    return len(waiting)


def _notice_deafness(engine: Engine, waiting: Sequence[StoredDose], hearing: Hearing, *, now: datetime) -> None:
    """Tell whoever runs this before the first dose is closed unverified; and notice it where nobody reads the list."""
    past = [moment for dose in waiting for moment in (dose.times.silent_at, dose.times.answer_until) if moment <= now]
    if any(hearing.of(moment, now) is Heard.GIVEN_UP for moment in past):
        with writing(engine) as c:
            troubles.begin(c, troubles.Trouble.CANNOT_HEAR, DEAF, now=now)
    elif hearing.is_unattended(now) and any(moment + BOUND <= now and hearing.of(moment, now) is Heard.NOT_YET for moment in past):
        with writing(engine) as c:
            watermarks.failed(c, watermarks.INBOUND, now=now)


def _only_waits(dose: StoredDose, hearing: Hearing, now: datetime) -> bool:
    """Whether nothing can be done about a dose but to wait until what was texted about it has been fetched."""
    passed = [moment for moment in (dose.times.silent_at, dose.times.answer_until) if moment <= now]
    unheard = bool(passed) and all(hearing.of(moment, now) is Heard.NOT_YET for moment in passed)
    return dose.state in doses.WAITING and unheard and not _may_be_asked(dose, now)


def _may_be_asked(dose: StoredDose, now: datetime) -> bool:
    """Whether a nudge may be due for a dose; its plan, its patient's hours and what was sent before decide whether one is."""
    due = dose.nudge_at is not None and dose.nudge_at <= now < dose.times.offered_until
    return due and dose.state is DoseState.OPEN and not dose.standing.answered


def _follow_patient(c: Connection, patient_id: str, *, now: datetime, hearing: Hearing) -> None:
    """One patient's doses, under the patient's lock."""
    people.lock(c, [patient_id])
    due = doses.to_check_of(c, patient_id, now=now)
    waiting = [dose for dose in due if dose.state in doses.WAITING]
    postponed = _nudge(c, patient_id, [dose for dose in waiting if _may_be_asked(dose, now)], now=now)
    closed = {dose.id: [event] for dose in due if (event := _close(dose, hearing, now)) is not None}
    doses.learn(c, closed, now=now)
    silent = [dose for dose in waiting if dose.id not in closed]
    counted = [dose for dose in silent if dose.times.silent_at <= now and hearing.of(dose.times.silent_at, now) is not Heard.NOT_YET]
    plans.touched(c, {dose.plan_id for dose in counted}, at=now)
    looks = {dose.id: _next_look(dose, hearing, now, postponed.get(dose.id)) for dose in silent}
    looks |= {dose.id: Look(None, _unverified_until(dose)) for dose in due if dose not in waiting and dose.id not in closed}
    doses.looked_at(c, looks)


def _close(dose: StoredDose, hearing: Hearing, now: datetime) -> DoseEvent | None:
    """Close a dose whose time is over: verified, when all that was sent before has been fetched, else at the bound.

    The first also takes the mark off one that was closed unverified.
    """
    waits = dose.state in doses.WAITING
    if dose.times.answer_until > now or not (waits or dose.standing.unverified):
        return None
    match hearing.of(dose.times.answer_until, now):
        case Heard.ALL:
            return DoseEvent(EventKind.CLOSED, dose.times.answer_until)
        case Heard.GIVEN_UP if waits:
            return DoseEvent(EventKind.CLOSED, dose.times.answer_until, verified=False)
        case _:
            return None


def _next_look(dose: StoredDose, hearing: Hearing, now: datetime, postponed: datetime | None = None) -> Look:
    """When a dose still waited for is looked at again: at its next moment, or when one that has passed has been heard."""
    passing = (dose.times.silent_at, dose.times.answer_until)
    unheard = [moment for moment in passing if moment <= now and hearing.of(moment, now) is not Heard.ALL]
    again = [hearing.again_at(moment, now) for moment in unheard if hearing.of(moment, now) is Heard.NOT_YET]
    coming = [moment for moment in (*passing, dose.nudge_at) if moment is not None and moment > now]
    return Look(earliest(*coming, *again, postponed), min(unheard, default=None))


def _unverified_until(dose: StoredDose) -> datetime | None:
    return dose.times.answer_until if dose.standing.unverified else None


def _speaks(plan: StoredPlan | None) -> bool:
    return plan is not None and plan.state in {PlanState.ACTIVE, PlanState.STAYING}


def _nudge(c: Connection, patient_id: str, ripe: Sequence[StoredDose], *, now: datetime) -> dict[str, datetime]:
    """Ask once about the doses that nobody answered for, in one text; return those to be asked about later, and when.

    Never in quiet hours, nor when it is nearly too late to take a dose, nor about one whose reminder has not left.
    """
    if not ripe:
        return {}
    patient = people.patients(c, [patient_id])[patient_id]
    their_plans = {plan.id: plan for plan in plans.of_patients(c, [patient_id]).get(patient_id, ())}
    ripe = [
        dose for dose in ripe if _speaks(their_plans.get(dose.plan_id)) and may_nudge(now, patient.tz, patient.quiet, dose.times.take_until)
    ]
    about = doses.not_nudged(c, ripe)
    if not about:
        return {}
    soon = doses.next_nudge(c, patient.id, after=now, until=min(min(dose.times.offered_until for dose in about) - LATER, now + MERGED))
    if soon is not None:  # another is to be asked about in a few minutes: both in one text
        return {dose.id: soon for dose in about}
    latest = max(about, key=lambda dose: dose.slot.due_at)
    labels = {letter: dose.id for dose in about if (letter := naming.letter(their_plans[dose.plan_id]))}
    template, which = _naming(patient, list(their_plans.values()), their_plans[latest.plan_id], labels)
    draft = Draft(
        template,
        "nudge",
        f"nudge:{latest.id}",
        fields={"when": when(latest.slot.due_at, patient.tz, patient.language), **which},
        expires_at=min(dose.times.offered_until for dose in about),
        plan_id=latest.plan_id if len(about) == 1 else None,
        items=[(dose.id, "nudge") for dose in about],
        asks=texts.Asked("dose", max(dose.times.answer_until for dose in about), tuple(dose.id for dose in about), labels),
    )
    texts.queue(c, patient, patient.line, draft, now=now)
    return {}


def _naming(patient: Patient, live: Sequence[StoredPlan], latest: StoredPlan, labels: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The nudge that says which doses it asks about: of several plans by their letters, of one by its own."""
    if len(labels) > 1:
        return "nudge_many", {"letters": ", ".join(sorted(labels))}
    return "nudge", {"which": naming.which(patient, live, latest)}


def _follow_plans(engine: Engine, moment: Moment, *, now: datetime, limit: int) -> int:
    with reading(engine) as c:
        waiting = plans.due(c, moment, now=now, limit=limit)
    for plan_id, patient_id in waiting:
        _guarded(engine, partial(FOLLOWED[moment], plan_id=plan_id, patient_id=patient_id, now=now), subject=plan_id)
    return len(waiting)


def _guarded(engine: Engine, work: Callable[[Connection], None], *, subject: str) -> None:
    """One transaction for one patient: who cannot be followed up stops nobody else."""
    try:
        with writing(engine) as c:
            work(c)
    except Exception:
        log.exception("could not follow up %s", subject)
