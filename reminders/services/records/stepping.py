"""The evening before a step: ask about the doses nobody knows of, decide by the gate, and say what will happen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from db.types import UtcDateTime
from reminders.domain.dose_state import DoseState
from reminders.domain.escalation import LAST
from reminders.domain.gate import AwaitYes, Condition, GateFacts, GateResult, Stay, Step, StepFlagged, decide_step, gate
from reminders.domain.plan import AdvancePolicy, Amount, Phase
from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import instant_of
from reminders.domain.supply import stay_words
from reminders.domain.tablets import tablets_text
from reminders.messaging.texts import date_words, time_words
from reminders.services.records import alerts, check_ins, doses, labs, naming, people, plans, supplies, texts
from reminders.services.records.alerts import Notice
from reminders.services.records.ledger import PLAN
from reminders.services.records.plans import Stage, StoredPlan
from reminders.services.records.texts import Asked, Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.doses import StoredDose
    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Patient

BEFORE_QUIET = timedelta(minutes=15)
"""An unanswered catch-up question is decided without its answer this long before the quiet hours [our default]."""


_OVERDUE = (  # made once: to make a statement costs more than to run it
    select(PLAN.c.id, PLAN.c.patient_id)
    .where(PLAN.c.patient_id.in_(bindparam("ids", expanding=True)), PLAN.c.step_check_at <= bindparam("now", type_=UtcDateTime))
    .order_by(PLAN.c.id)
)


def look_first(c: Connection, patient_ids: Sequence[str], *, now: datetime) -> None:
    """Look at every step that should have been decided by now, before a dose of its new amount can fall due.

    After an outage of ours the evening before may never have been: no step is taken unseen.
    """
    for plan_id, patient_id in c.execute(_OVERDUE, {"ids": list(patient_ids), "now": now}).all():
        look(c, plan_id, patient_id, now=now)


def look(c: Connection, plan_id: str, patient_id: str, *, now: datetime) -> None:
    """Look at a plan's coming step, under the patient's lock: ask first if doses are unknown, else decide and tell."""
    people.lock(c, [patient_id])
    patient = people.patients(c, [patient_id])[patient_id]
    plan = plans.read(c, [plan_id])[plan_id]
    coming = plans.next_phase(plan)
    if plan.state not in {PlanState.ACTIVE, PlanState.MUTED} or coming is None:
        plans.put_on_clock(c, [plan])
        return
    if plan.step_check_at is None or plan.step_check_at > now:
        return
    if plan.state is PlanState.MUTED:
        _pass_muted(c, patient, plan, coming, now)
        return
    facts, unknown = gate_facts(c, plan, now)
    if plans.stage_of(plan) is Stage.WAITING and _waits(c, patient, plan, coming[0], facts=facts, unknown=unknown, now=now):
        return
    _decide(c, patient, plan, coming, gate(facts), now=now)


def gate_facts(c: Connection, plan: StoredPlan, now: datetime) -> tuple[GateFacts, list[StoredDose]]:
    """What the gate looks at, and the doses of this phase nobody knows of."""
    phase_no, versions = plans.current_phase(plan, now), plans.moved_only(plan)
    known = [dose for dose in doses.of_plan(c, plan.id, last=60) if not dose.standing.muted]
    counted = [(dose, state) for dose in known if (state := _closed_as(dose, now)) is not None]
    running = [(dose, state) for dose, state in counted if dose.slot.phase_no == phase_no and dose.version_no in versions][-LAST:]
    raised = alerts.open_alerts(c, patient_ids=[plan.patient_id])
    clinical = [alert for alert in raised if alert["clinical"] and not alert["acknowledged_at"] and alert["plan_id"] in (None, plan.id)]
    facts = GateFacts(
        phase=tuple(state for _, state in running),
        last_nine=tuple(state for _, state in counted[-LAST:]),
        clinical=tuple(alerts.about(alert) for alert in clinical),
        forbidden=plan.forbidden,
        overdue_followups=len([alert for alert in raised if _is_overdue(alert, plan)]),
        time_done=True,
        tapering=falls(plan),
        check_in=check_ins.of_phase(c, plan, phase_no, versions),
        tablets_ok=_enough(c, plan),
    )
    waiting = [dose for dose in known if dose.state in doses.WAITING and dose.slot.phase_no == phase_no and dose.version_no in versions]
    silent = [dose for dose in waiting if dose.times.silent_at <= now and not dose.standing.answered]
    return facts, [*(dose for dose, state in running if state in doses.UNKNOWN), *silent]


def _is_overdue(alert: Row, plan: StoredPlan) -> bool:
    return alert["kind"] == labs.LABS_DUE and alert["plan_id"] == plan.id and not alert["acknowledged_at"]


def _enough(c: Connection, plan: StoredPlan) -> bool | None:
    coming = plans.next_phase(plan)
    return None if coming is None else supplies.enough_for(c, plan, coming[0])


def _closed_as(dose: StoredDose, now: datetime) -> DoseState | None:
    """What a dose has come to, for a gate; None while it is waited for, or if it was not due."""
    if dose.state in doses.WAITING:  # told as not taken, and its time is over: nothing more is waited for
        return DoseState.SKIPPED if dose.standing.answered and dose.times.silent_at <= now else None
    return None if dose.state is DoseState.NOT_DUE else dose.state


def _waits(
    c: Connection, patient: Patient, plan: StoredPlan, phase_no: int, *, facts: GateFacts, unknown: list[StoredDose], now: datetime
) -> bool:
    """Wait, as long as may be, for what is asked about doses or was asked in a check-in; say whether anything is waited for."""
    decide_at = _decided_at(patient, plan, now)
    if decide_at is None:
        return False
    asked = bool(unknown) and _ask(c, patient, plan, phase_no, unknown=unknown, decide_at=decide_at, now=now)
    if not (asked or _awaits_check_in(c, patient, facts, now=now)):
        return False
    plans.save(c, plan, step_stage=f"{Stage.ASKED.value}:{phase_no}", step_check_at=decide_at)
    return True


def _ask(
    c: Connection, patient: Patient, plan: StoredPlan, phase_no: int, *, unknown: list[StoredDose], decide_at: datetime, now: datetime
) -> bool:
    """Ask about the unknown doses in one question, so that silence alone does not keep half the patients back."""
    asks = Asked("catch_up", decide_at, tuple(dose.id for dose in unknown))
    since = date_words(unknown[0].slot.local_date, patient.language)
    cause = f"catch-up:{plan.id}:{plan.course.current.no}:{phase_no}:{now:%Y%m%d}"
    fields = {"date": since, **naming.which_of(c, patient, plan)}
    draft = Draft("catch_up", "question", cause, fields=fields, expires_at=decide_at, plan_id=plan.id, asks=asks)
    return texts.queue(c, patient, patient.line, draft, now=now) is not None


def _decided_at(patient: Patient, plan: StoredPlan, now: datetime) -> datetime | None:
    """Until when an answer may be waited for: before the quiet hours, and before the step. None: no more."""
    decide_at = patient.quiet.next_start(now, patient.tz) - BEFORE_QUIET
    steps_at = plans.step_begins(plan)
    if decide_at <= now or patient.quiet.contains(now, patient.tz) or steps_at is None or decide_at >= steps_at:
        return None
    return decide_at


def _awaits_check_in(c: Connection, patient: Patient, facts: GateFacts, *, now: datetime) -> bool:
    """Whether the phase's check-in is not answered, and still can be."""
    if facts.check_in is None or facts.check_in.answered or patient.line is None:
        return False
    return texts.waiting_questions(c, patient.line.contact_point_id, kinds=check_ins.QUESTIONS, now=now) > 0


def _decide(c: Connection, patient: Patient, plan: StoredPlan, coming: tuple[int, date], result: GateResult, *, now: datetime) -> None:
    version, phase_no = plan.course.current.plan, coming[0] - 1
    supply = supplies.for_stay(c, plan, phase_no=phase_no, since=coming[1])
    match decide_step(version.advance, version.kind, result, stay_covered=None if supply is None else not supply.short):
        case Step():
            announce_step(c, patient, plan, now=now)
        case StepFlagged(reasons=reasons):
            announce_step(c, patient, plan, now=now)
            words = f"Phase {coming[0]} begins {coming[1]} as prescribed, though: {'; '.join(map(str, reasons))}."
            cause = f"{plan.id} v{plan.course.current.no} phase {coming[0]} flagged"
            alerts.raise_once(c, patient, Notice("gate_unmet", "warning", cause, words, plan_id=plan.id, clinical=False), now=now)
        case Stay(reasons=reasons):
            kept = Kept(phase_no, coming[1], "; ".join(map(str, reasons)), why=reasons[0].condition)
            stay(c, patient, plan, _told_with_answer(c, plan, kept), now=now)
        case AwaitYes(reasons=reasons, urgent=urgent):
            reason = "; ".join(("waits for a provider's yes", *map(str, reasons)))
            kept = Kept(phase_no, coming[1], reason, urgent=urgent, awaits_yes=True)
            stay(c, patient, plan, _told_with_answer(c, plan, kept), now=now)


def _told_with_answer(c: Connection, plan: StoredPlan, kept: Kept) -> Kept:
    """Where the answer that decided on a stay has just called a person, let that alert tell of the stay too.

    But a stay that is urgent calls by itself.
    """
    said = () if kept.urgent else alerts.open_alerts(c, plan_id=plan.id, kinds=[alerts.SOME_MISSED])
    just_now = [alert for alert in said if alert["raised_at"] == plan.step_check_at and not alert["acknowledged_at"]]
    for alert in just_now:
        alerts.reword(c, alert, words=f"{alert['words']} {stay_told(c, plan, kept)}", stays=True, awaits_yes=kept.awaits_yes)
    return replace(kept, told=bool(just_now))


def _pass_muted(c: Connection, patient: Patient, plan: StoredPlan, coming: tuple[int, date], now: datetime) -> None:
    """While a plan is muted nobody can say whether its gate is met: only `as_prescribed` steps; any other policy waits for a person."""
    if plan.course.current.plan.advance is AdvancePolicy.AS_PRESCRIBED:
        plans.save(c, plan, step_stage=f"{Stage.DECIDED.value}:{coming[0]}")
        plans.put_on_clock(c, [plans.read(c, [plan.id])[plan.id]])
        return
    phase_no, reason = coming[0] - 1, "muted when its next step came"
    plans.open_stay(c, plan, phase_no=phase_no, since=coming[1], at=now)
    plans.save(c, plan, state_before=PlanState.STAYING.value, step_stage=None)
    plans.add_event(c, plan.clinic_id, plan.id, kind="stays", state=plan.state, by="doseline", at=now, reason=reason, phase_no=phase_no)
    plans.put_on_clock(c, [plans.read(c, [plan.id])[plan.id]])
    supplies.look_soon(c, plan.id, at=now)
    _tell_provider(c, patient, plan, Kept(phase_no, coming[1], reason, awaits_yes=_asks(plan)), now=now)


def _asks(plan: StoredPlan) -> bool:
    """Whether each step of a plan waits for a provider's yes."""
    return plan.course.current.plan.advance is AdvancePolicy.ASK_PROVIDER


def _tell_provider(c: Connection, patient: Patient, plan: StoredPlan, kept: Kept, *, now: datetime) -> None:
    words = stay_told(c, plan, kept)
    cause, severity = f"{plan.id} stay {now:%Y-%m-%dT%H:%M}", "urgent" if kept.urgent else "warning"
    notice = Notice("plan_stays", severity, cause, words, plan_id=plan.id, clinical=False, stays=True, awaits_yes=kept.awaits_yes)
    alerts.raise_once(c, patient, notice, now=now)


def stay_told(c: Connection, plan: StoredPlan, kept: Kept) -> str:
    """What the provider reads of a stay: why, where that is not said already, and the tablets that it takes."""
    supply = supplies.for_stay(c, plan, phase_no=kept.phase_no, since=kept.since)
    tablets = "" if supply is None else f" {stay_words(supply)}"
    because = f": {kept.reason}" if kept.reason else ""
    return f"The plan stays on phase {kept.phase_no}{because}. It goes on when a provider resumes it.{tablets}"


def keep_telling(c: Connection, patient: Patient, plan: StoredPlan, *, now: datetime) -> None:
    """Tell the provider of a plan that we keep back, if no open alert says so any more: what kept it back has been undone."""
    stays = PlanState.STAYING in {plan.state, plan.state_before}  # a muted plan comes back to its stay
    kept = kept_on(plan, "what kept it back is no longer so") if stays and plans.stayed_by(c, plan.id) == "doseline" else None
    if kept and not any(alert["stays"] for alert in alerts.open_alerts(c, plan_id=plan.id)):
        _tell_provider(c, patient, plan, kept, now=now)


def may_be_overturned(plan: StoredPlan) -> bool:
    """Whether a step of a plan is announced and has not begun, and something new could keep it back still."""
    announced = plan.state is PlanState.ACTIVE and plans.stage_of(plan) is Stage.DECIDED
    return announced and plan.course.current.plan.advance is AdvancePolicy.STAY_UNLESS_MET


def announced(c: Connection, theirs: Iterable[StoredPlan]) -> dict[str, datetime]:
    """When the coming steps of plans were announced that something new could keep back still, by plan."""
    found = {plan.id: plans.step_announced_at(c, plan.id) for plan in theirs if may_be_overturned(plan)}
    return {plan_id: at for plan_id, at in found.items() if at is not None}


@dataclass(frozen=True, slots=True)
class Kept:
    """On which phase a plan is kept, since which local date, and why; `why`: which condition of its gate, where it was the gate.

    `by`: who decided it. `urgent`: somebody must look at once. `told`: an alert about what keeps it back has told the provider.
    `awaits_yes`: it goes on as soon as a provider says yes to its next step.
    """

    phase_no: int
    since: date
    reason: str
    _: KW_ONLY
    why: Condition | None = None
    by: str = "doseline"
    urgent: bool = False
    told: bool = False
    awaits_yes: bool = False


def kept_on(plan: StoredPlan, reason: str) -> Kept | None:
    """How a plan is kept back by the stay that it is on; None: it is on none."""
    stay = next((each for each in plan.course.current.stays if each.extra_days is None), None)
    return Kept(stay.phase_no, stay.since, reason, awaits_yes=_asks(plan)) if stay else None


TOLD_WHY: Mapping[Condition, str] = MappingProxyType(
    {
        Condition.DOSES: "stay_doses",
        Condition.CHECK_IN: "stay_check_in",
        Condition.SIGNS: "stay_signs",
        Condition.MATTERS: "stay_matters",
        Condition.TABLETS: "stay_tablets",
    }
)
"""What a patient whose plan rises is told of why it stays; where a person decided it, only that it does."""


def stay(c: Connection, patient: Patient, plan: StoredPlan, kept: Kept, *, now: datetime) -> None:
    """Keep a plan on its phase: doses go on, no step is taken, all that follows shifts. The patient and the provider are told why."""
    plans.open_stay(c, plan, phase_no=kept.phase_no, since=kept.since, at=now)
    plans.save(c, plan, state=PlanState.STAYING.value, reason=kept.reason[:400], step_stage=None)
    phase_no, by, reason = kept.phase_no, kept.by, kept.reason
    plans.add_event(c, plan.clinic_id, plan.id, kind="stays", state=PlanState.STAYING, by=by, at=now, reason=reason, phase_no=phase_no)
    texts.cancel_queued(c, plan_id=plan.id, kinds=("step",))
    plans.put_on_clock(c, [plans.read(c, [plan.id])[plan.id]])
    supplies.look_soon(c, plan.id, at=now)
    if kept.by == "doseline" and not kept.told:
        _tell_provider(c, patient, plan, kept, now=now)
    tell_stay(c, patient, plan, why=kept.why, now=now)


def tell_stay(c: Connection, patient: Patient, plan: StoredPlan, *, why: Condition | None = None, now: datetime) -> None:
    """Tell the patient to stay on the current dose, and why, where it was the gate."""
    rising = "stay_rising" if why is None else TOLD_WHY.get(why, "stay_rising")
    cause, template = f"stay:{plan.id}:{now:%Y%m%dT%H%M}", "stay_tapering" if falls(plan) else rising
    fields = naming.which_of(c, patient, plan)
    draft = Draft(template, "stay", cause, fields=fields, plan_id=plan.id, send_at=patient.by_day(now))
    texts.queue(c, patient, patient.line, draft, now=now)


def falls(plan: StoredPlan) -> bool:
    """Whether the plan's next step goes down: a taper's words differ from a rise's."""
    return plan.course.current.plan.kind.value == "taper"


def announce_change(c: Connection, patient: Patient, plan: StoredPlan, old: Phase, new: Phase, *, starts: date, now: datetime) -> None:
    """Tell the patient of amounts that were changed, and from which day they hold."""
    if old.doses == new.doses:
        return
    template, fields = _step_words(patient, plan, old, new, starts)
    cause = f"changed:{plan.id}:{plan.course.current.no}"
    ends = instant_of(starts + timedelta(days=1), time.min, patient.tz)
    draft = Draft(template, "step", cause, fields=fields, expires_at=ends, plan_id=plan.id, version_no=plan.course.current.no)
    texts.queue(c, patient, patient.line, draft, now=now)


def announce_step(c: Connection, patient: Patient, plan: StoredPlan, *, now: datetime) -> None:
    """Tell the patient of the new amounts, and from which day they hold."""
    coming = plans.next_phase(plan)
    if coming is None:
        return
    phase_no, starts = coming
    old, new = plan.plan.phases[phase_no - 2], plan.plan.phases[phase_no - 1]
    template, fields = _step_words(patient, plan, old, new, starts)
    ends = instant_of(starts + timedelta(days=1), time.min, patient.tz)
    cause = f"step:{plan.id}:{plan.course.current.no}:{phase_no}:{starts}"
    draft = Draft(
        template,
        "step",
        cause,
        fields={**fields, **naming.which_of(c, patient, plan)},
        expires_at=ends,
        plan_id=plan.id,
        version_no=plan.course.current.no,
        send_at=patient.by_day(now),
    )
    texts.queue(c, patient, patient.line, draft, now=now)
    plans.save(c, plan, step_stage=f"{Stage.DECIDED.value}:{phase_no}", step_check_at=None)
    plans.add_event(c, plan.clinic_id, plan.id, kind="step", state=plan.state, by="doseline", at=now, phase_no=phase_no)


def _step_words(patient: Patient, plan: StoredPlan, old: Phase, new: Phase, starts: date) -> tuple[str, dict[str, str]]:
    day = {"date": date_words(starts, patient.language)}
    before = {dose.at: dose.amount for dose in old.doses}
    after = {dose.at: dose.amount for dose in new.doses}
    changed = {at: amount for at, amount in after.items() if before.get(at) != amount}
    if len(set(after.values())) == 1 and (len(changed) > 1 or before.keys() != after.keys()) and before.keys() <= after.keys():
        return "step_all", {**day, "amount": _in_tablets(plan, next(iter(after.values())))}
    if len(changed) == 1 and before.keys() == after.keys():
        at, amount = next(iter(changed.items()))
        return "step", {**day, "time": time_words(at, patient.language), "amount": _in_tablets(plan, amount)}
    dropped = before.keys() - after.keys()
    if len(dropped) == 1 and not changed:
        return "step_dropped", {**day, "time": time_words(dropped.pop(), patient.language)}
    return "step_mixed", day


def _in_tablets(plan: StoredPlan, amount: Amount) -> str:
    return tablets_text(amount, plan.profile, plan.plan.strengths)
