"""Escalating: repeated misses become questions, caregivers' texts and alerts; a later answer takes them back."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.dose_state import DoseState
from reminders.domain.escalation import Concern, Ladder, Raised, concerns, ever_raised, pause_after
from reminders.domain.gate import Condition, overturned
from reminders.domain.hearing import Hearing
from reminders.domain.plan import AdvancePolicy
from reminders.domain.plan_state import PlanState
from reminders.messaging.texts import date_words, when
from reminders.services.records import (
    alerts,
    counting,
    doses,
    interacting,
    naming,
    on_call,
    people,
    plans,
    stepping,
    suspending,
    texts,
    watermarks,
)
from reminders.services.records.alerts import Notice
from reminders.services.records.stepping import Kept
from reminders.services.records.texts import Asked, Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.doses import StoredDose
    from reminders.services.records.ledger import Row
    from reminders.services.records.on_call import OnCall
    from reminders.services.records.people import Line, Patient
    from reminders.services.records.plans import StoredPlan

log = logging.getLogger(__name__)

MINUTE = "%Y-%m-%dT%H:%M"
NOT_VERIFIED = " Not verified: replies may be lost."
"""What is added to the words of an alert while it rests on silence that may be our deafness."""
RELAXED = timedelta(days=1)
"""How long a question about silence, or a caregiver's text, is of use [our default]."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a concern is raised: the alert's name, how soon it must be seen, whether it is about the medicine, and by whom."""

    alert: str
    severity: str
    clinical: bool = True
    owner: str = "provider"


KINDS: Mapping[Concern, Kind] = MappingProxyType(
    {
        Concern.MISSES: Kind("misses", "warning"),
        Concern.MISSES_URGENT: Kind("misses_urgent", "urgent"),
        Concern.SUSPEND: Kind("suspended", "urgent"),
        Concern.CANNOT_REACH: Kind("cannot_reach", "warning", clinical=False, owner="clinic"),
        Concern.PHONE_PROBLEM: Kind("phone_problem", "warning", clinical=False, owner="clinic"),
    }
)
CAREGIVER = "caregivers_told"


@dataclass(frozen=True)
class Case:
    """One plan being counted again."""

    patient: Patient
    plan: StoredPlan
    doses: tuple[StoredDose, ...]
    raised: tuple[Raised, ...]
    ever: tuple[Raised, ...]
    now: datetime
    hearing: Hearing


def escalate(engine: Engine, *, now: datetime, limit: int = 500, heard_until: datetime | None = None) -> int:
    """Count again the misses of every plan that was touched, let the alerts call that nobody has taken on; return how many plans.

    Silence counts once every text sent before it has been taken in: up to `heard_until`, or as far as the ledger says that
    the carrier's list was read. Or half an hour later, unverified, if it cannot be read.
    """
    with reading(engine) as c:
        waiting = plans.due(c, plans.Moment.RECOUNT, now=now, limit=limit)
        hearing = Hearing(heard_until) if heard_until or not waiting else watermarks.hearing(c, now=now)
        calls = bool(alerts.unanswered(c, now=now, limit=1))
        news = on_call.is_news(c, now=now)
    for plan_id, patient_id in waiting:
        try:
            with writing(engine) as c:
                _recount(c, plan_id, patient_id, now=now, hearing=hearing)
        except Exception:
            log.exception("could not count plan %s again", plan_id)
    if calls:
        _call(engine, now=now, limit=limit)
    if news:
        with writing(engine) as c:
            on_call.watch(c, now=now)
    return len(waiting)


def _call(engine: Engine, *, now: datetime, limit: int) -> None:
    """Let the alerts call that nobody has taken on, and text each clinic's on-call phone of those that cannot wait: once for all."""
    with writing(engine) as c:
        by_clinic: dict[str, list[Row]] = {}
        for alert in alerts.unanswered(c, now=now, limit=limit):
            by_clinic.setdefault(alert["clinic_id"], []).append(alert)
        for clinic_id, waiting in by_clinic.items():
            phone = next(iter(on_call.phones(c, now=now, clinic_id=clinic_id)), None)
            untold = [alert for alert in waiting if _calls(c, alert, phone, now=now)]
            if phone and untold:
                on_call.tell(c, phone, cause=f"{untold[0]['id']}:{untold[0]['call_at']:%Y%m%dT%H%M%S}", now=now)


def _calls(c: Connection, alert: Row, phone: OnCall | None, *, now: datetime) -> bool:
    """Let an alert call; say whether a phone is to be told of it: it cannot wait, and the phone was told of none so lately.

    What is new is never left out for that: it waits until the phone may be told again.
    """
    pause = pause_after(alert["severity"], alert["raised_again"])
    is_new = now < alert["deadline_at"]
    free_at = phone.free_at(timedelta() if is_new or pause is None else pause, now=now) if phone else now
    if is_new and free_at > now:
        alerts.put_off(c, alert, until=min(free_at, alert["deadline_at"]))
        return False
    return alerts.call(c, alert, at=now) and pause is not None and free_at <= now


def _recount(c: Connection, plan_id: str, patient_id: str, *, now: datetime, hearing: Hearing) -> None:
    """Gather the plan's doses, ask which concerns stand, raise the new ones and close those that no longer do."""
    people.lock(c, [patient_id])
    plan = plans.read(c, [plan_id])[plan_id]
    plans.save(c, plan, recount_at=None)
    if plan.state is PlanState.STOPPED:
        return
    case = _case(c, plan, people.patients(c, [patient_id])[patient_id], now, hearing)
    _close_what_passed(c, case)
    if plan.state is not PlanState.SUSPENDED:  # nobody expects a dose: the misses that led here have been told
        for raised in case.raised:
            _raise(c, case, raised)
        _overturn_step(c, case)
    after = plans.read(c, [plan_id])[plan_id]
    stepping.keep_telling(c, case.patient, after, now=now)
    if after.state in plans.ON_CLOCK and plans.following(after) is None and not doses.any_waiting(c, plan_id):
        plans.complete(c, after, at=now)
        interacting.end(c, after, why="completed", by="doseline", now=now)


def _case(c: Connection, plan: StoredPlan, patient: Patient, now: datetime, hearing: Hearing) -> Case:
    recent, counted = counting.of_plan(c, plan.id, hearing, now)
    ladder = ladder_of(plan, patient, now)
    raised = concerns(counted, ladder, now)
    _count_again_later(c, plan, concerns(counted, ladder), raised, ladder)
    return Case(patient, plan, recent, raised, ever_raised(counted, ladder, now), now, hearing)


def _count_again_later(c: Connection, plan: StoredPlan, by_number: Sequence[Raised], raised: Sequence[Raised], ladder: Ladder) -> None:
    """Count again when the hours are over that are all "cannot reach" still lacks."""
    for concern in by_number:
        if concern.concern is Concern.CANNOT_REACH and concern not in raised:
            plans.touched(c, [plan.id], at=concern.since + ladder.cannot_reach)


def ladder_of(plan: StoredPlan, patient: Patient, now: datetime) -> Ladder:
    """The thresholds for a plan: its drug's, at the cadence of the phase that runs; for caregivers the lowest any of them agreed to."""
    phase = plan.plan.phases[plans.current_phase(plan, now) - 1]
    ladder = Ladder.for_(plan.profile, Fraction(len(phase.doses), phase.every_n_days))
    agreed = [caregiver.after_misses for caregiver in patient.caregivers if caregiver.after_misses is not None]
    return replace(ladder, caregivers_after=min(agreed, default=ladder.caregivers_after))


def _raise(c: Connection, case: Case, raised: Raised) -> None:
    match raised.concern:
        case Concern.ASK_WHY | Concern.ASK_SILENCE:
            _ask(c, case, raised)
        case Concern.TELL_CAREGIVERS:
            _tell_caregivers(c, case, raised)
        case _:
            _alert(c, case, raised)


def _alert(c: Connection, case: Case, raised: Raised) -> None:
    kind = KINDS[raised.concern]
    if raised.concern is Concern.SUSPEND and case.plan.state is PlanState.SUSPENDED:
        return
    cause = f"{case.plan.id} {raised.since:{MINUTE}}"
    kept = _kept(case, raised) if raised.concern is Concern.MISSES and _is_kept_back(case) else None
    words = _words(c, case, raised, kept) + (NOT_VERIFIED if raised.unverified else "")
    notice = Notice(
        kind.alert, kind.severity, cause, words, plan_id=case.plan.id, clinical=kind.clinical, owner=kind.owner, stays=kept is not None
    )
    if alerts.raise_once(c, case.patient, notice, now=case.now) is None:
        return
    if kept:
        stepping.stay(c, case.patient, case.plan, kept, now=case.now)
    if raised.concern is Concern.SUSPEND and case.plan.state in {PlanState.ACTIVE, PlanState.STAYING}:
        suspending.suspend(c, case.patient, case.plan, reason=raised.words, by="doseline", template="suspended_gap", now=case.now)


def _words(c: Connection, case: Case, raised: Raised, kept: Kept | None) -> str:
    """What an alert says of its misses, and of the stay that they brought about."""
    return f"{raised.words}. {stepping.stay_told(c, case.plan, replace(kept, reason=''))}" if kept else raised.words


def _is_kept_back(case: Case) -> bool:
    """After repeated misses the plan stays, unless its policy is `as_prescribed` or it has no further step."""
    plan = case.plan
    waits = plan.course.current.plan.advance is not AdvancePolicy.AS_PRESCRIBED
    return plan.state is PlanState.ACTIVE and waits and plans.next_phase(plan) is not None


def _kept(case: Case, raised: Raised) -> Kept:
    """How a plan is kept back by misses. Their alert says so: one cause calls one person once."""
    today = case.now.astimezone(case.plan.plan.tz).date()
    return Kept(plans.current_phase(case.plan, case.now), today, raised.words, why=Condition.DOSES, told=True)


def _overturn_step(c: Connection, case: Case) -> None:
    """A step already announced is kept back by a clinical alert raised since, or by tablets that are not there, and by nothing less."""
    plan = plans.read(c, [case.plan.id])[case.plan.id]
    coming = plans.next_phase(plan)
    if coming is None or not stepping.may_be_overturned(plan):
        return
    announced_at = plans.step_announced_at(c, plan.id)
    open_now = alerts.open_alerts(c, patient_ids=[case.patient.id])
    since = [alert for alert in open_now if alert["clinical"] and alert["plan_id"] in (None, plan.id)]
    fresh = [alert for alert in since if announced_at is not None and alert["raised_at"] > announced_at]
    facts, _ = stepping.gate_facts(c, plan, case.now)
    against = overturned(replace(facts, clinical=tuple(map(alerts.about, fresh)))) if fresh or facts.tablets_ok is False else ()
    if against:
        reason = fresh[-1]["words"] if fresh else str(against[0])
        stepping.stay(c, case.patient, plan, Kept(coming[0] - 1, coming[1], reason, why=against[-1].condition), now=case.now)


def _ask(c: Connection, case: Case, raised: Raised) -> None:
    """Ask the patient: why, or (if every one of them is unanswered) whether the doses were taken at all.

    Not while the run rests on what we may not have heard: neither would we hear the answer.
    """
    if raised.unverified:
        return
    about = [dose for dose in case.doses if dose.slot.due_at >= raised.since and _unknown_or_not_taken(dose, case)]
    silent = raised.concern is Concern.ASK_SILENCE
    at = case.patient.by_day(case.now, then=texts.APART)
    kind = "silence" if silent else "why_not_taken"
    since = {"date": date_words(about[0].slot.local_date, case.patient.language)} if silent else {}
    draft = Draft(
        "silence" if silent else "why_not_taken",
        "question",
        f"{kind}:{case.plan.id}:{raised.since:%Y%m%dT%H%M}",
        fields={**since, **naming.which_of(c, case.patient, case.plan)},
        send_at=at,
        expires_at=at + RELAXED,
        plan_id=case.plan.id,
        asks=Asked(kind, at + RELAXED, tuple(dose.id for dose in about)),
    )
    if case.plan.state in {PlanState.ACTIVE, PlanState.STAYING} and not _something_is_asked(c, case):
        texts.queue(c, case.patient, case.patient.line, draft, now=case.now)


def _something_is_asked(c: Connection, case: Case) -> bool:
    """Whether a question with numbered answers is open at the phone: then this one waits for the next count."""
    line = case.patient.line
    return line is not None and texts.waiting_questions(c, line.contact_point_id, kinds=texts.NUMBERED, now=case.now) > 0


def _unknown_or_not_taken(dose: StoredDose, case: Case) -> bool:
    """Whether a dose belongs to what is asked about: not one that has only just fallen due."""
    if dose.standing.muted:
        return False
    silent = dose.state is DoseState.OPEN and counting.is_silent(dose, case.hearing, case.now)
    return silent or dose.state in {*doses.UNKNOWN, DoseState.MISSED, DoseState.SKIPPED}


def _tell_caregivers(c: Connection, case: Case, raised: Raised) -> None:
    """Tell those who agreed to be told. Nothing unverified reaches them, and a run of misses is told once."""
    if raised.unverified:
        return
    for caregiver in case.patient.caregivers:
        if caregiver.after_misses is not None and raised.count >= caregiver.after_misses:
            _tell(c, case, raised, caregiver)


def _tell(c: Connection, case: Case, raised: Raised, caregiver: Line) -> None:
    at = case.patient.by_day(case.now)
    one = raised.count == 1
    draft = Draft(
        "caregiver_alert_one" if one else "caregiver_alert",
        "caregiver",
        f"care:{case.plan.id}:{raised.since:%Y%m%dT%H%M}:{caregiver.role_id}",
        fields={} if one else {"n": str(raised.count)},
        send_at=at,
        expires_at=at + RELAXED,
        plan_id=case.plan.id,
        asks=Asked("caregiver_check", at + RELAXED),
    )
    if texts.queue(c, case.patient, caregiver, draft, now=case.now):
        cause = f"{case.plan.id} {raised.since:{MINUTE}} {caregiver.role_id}"
        words = f"{raised.words}. {caregiver.name} was told."
        notice = Notice(CAREGIVER, "info", cause, words, plan_id=case.plan.id, clinical=False, owner="caregiver")
        alerts.raise_once(c, case.patient, notice, now=case.now)


PASSING = frozenset({KINDS[Concern.CANNOT_REACH].alert, KINDS[Concern.PHONE_PROBLEM].alert, CAREGIVER})
"""The alerts that are over when their run is: the patient was heard, or reached, again."""

LASTING = frozenset({KINDS[Concern.MISSES].alert, KINDS[Concern.MISSES_URGENT].alert})
"""The alerts that only a later word undoes: that a run of misses has ended does not mean that nobody need look at it."""


def _close_what_passed(c: Connection, case: Case) -> None:
    """Close the alerts that a later word has undone, with the reason; a caregiver who was told hears it once."""
    standing = {_cause_of(case, raised): raised for raised in case.raised}
    once = {_cause_of(case, raised) for raised in case.ever}
    last = next((dose for dose in reversed(case.doses) if dose.state is DoseState.TAKEN), None)
    for alert in alerts.open_alerts(c, plan_id=case.plan.id, kinds=PASSING | LASTING):
        plan_id, since, *_ = alert["cause"].split(" ")
        holds = once if alert["kind"] in LASTING else standing
        known = not case.doses or f"{case.doses[0].slot.due_at:{MINUTE}}" <= since
        cause = (alert["kind"], f"{plan_id} {since}")
        if cause in standing and not standing[cause].unverified and alert["words"].endswith(NOT_VERIFIED):
            kept = stepping.kept_on(case.plan, "") if alert["stays"] else None
            alerts.reword(c, alert, words=_words(c, case, standing[cause], kept), stays=kept is not None)
        if cause in holds or not known:
            continue
        confirmed = last if last and f"{last.slot.due_at:{MINUTE}}" >= since else None
        alerts.close(c, alert, reason="a dose was confirmed" if confirmed else "no longer so", by="doseline", at=case.now)
        if alert["kind"] == CAREGIVER and confirmed is not None:
            _reassure(c, case, alert, confirmed)
    _close_what_is_known(c, case)
    _take_back_questions(c, case)


def _close_what_is_known(c: Connection, case: Case) -> None:
    """Nobody need ask any more which doses were taken, once somebody has said so of each that the patient was asked about."""
    for alert in alerts.open_alerts(c, patient_ids=[case.patient.id], kinds=[alerts.SOME_MISSED]):
        about = doses.read(c, texts.doses_asked_about(c, alert["cause"].removeprefix(alerts.SOME_CAUSE)))
        if not any(_is_unknown(dose) for dose in about.values()):
            alerts.close(c, alert, reason="every dose asked about is known now", by="doseline", at=case.now)


def _is_unknown(dose: StoredDose) -> bool:
    return dose.state in doses.UNKNOWN or (dose.state in doses.WAITING and not dose.standing.answered)


def _take_back_questions(c: Connection, case: Case) -> None:
    """A question that still waits for the morning is not asked if an answer has come before it."""
    standing = {f"{case.plan.id}:{raised.since:%Y%m%dT%H%M}" for raised in case.raised if _alert_of(raised.concern) == CAREGIVER}
    for cause in texts.waiting_causes(c, case.plan.id, kind="question"):
        if cause.startswith(("silence:", "why_not_taken:")) and cause.partition(":")[2] not in standing:
            texts.take_back(c, kind="question", cause=cause, at=case.now)


def _cause_of(case: Case, raised: Raised) -> tuple[str, str]:
    return _alert_of(raised.concern), f"{case.plan.id} {raised.since:{MINUTE}}"


def _alert_of(concern: Concern) -> str:
    return KINDS[concern].alert if concern in KINDS else CAREGIVER


def _reassure(c: Connection, case: Case, alert: Row, confirmed: StoredDose) -> None:
    """Tell a caregiver that it is over; one whose text still waits for the morning is told nothing at all."""
    plan_id, since, role_id = alert["cause"].split(" ")
    asked = f"care:{plan_id}:{datetime.strptime(since, MINUTE):%Y%m%dT%H%M}:{role_id}"  # noqa: DTZ007 - a key, no instant
    if texts.take_back(c, kind="caregiver", cause=asked, at=case.now):
        return
    told = next((line for line in case.patient.caregivers if line.role_id == role_id), None)
    fields = {"when": when(confirmed.slot.due_at, case.patient.tz, case.patient.language)}
    at = case.patient.by_day(case.now)
    draft = Draft(
        "caregiver_closed", "caregiver", f"closed:{alert['id']}", fields=fields, send_at=at, expires_at=at + RELAXED, plan_id=case.plan.id
    )
    texts.queue(c, case.patient, told, draft, now=case.now)
