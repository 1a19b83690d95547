"""Prescribing: what a named person at the clinic does to a plan. Each leaves an event with their name and reason.

Code never raises, restarts or speeds up a dose by itself: only the actions here do, and only for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from db.engine import undoing, writing
from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.dose_state import SETTABLE, DoseEvent, DoseState, EventKind
from reminders.domain.finding import Finding
from reminders.domain.gate import resume_extra_days
from reminders.domain.patient_checks import check_medicines
from reminders.domain.plan import Plan, Stay, as_followed
from reminders.domain.plan_state import PlanState, may_become
from reminders.domain.roles import NEEDED, Right
from reminders.domain.schedule import Slot, phase_spans, slots_between
from reminders.errors import NotAllowed, UnknownPlan
from reminders.formats.story_file import write_event
from reminders.services.records import (
    alerts,
    announcements,
    attending,
    changing,
    doses,
    interacting,
    naming,
    people,
    plans,
    quarantines,
    sandboxes,
    staff,
    stepping,
    supplies,
    suspending,
    texts,
)
from reminders.services.records.attending import Attended
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.changing import Change
from reminders.services.records.interacting import Said
from reminders.services.records.stepping import Kept
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

LIVE = frozenset({PlanState.ACTIVE, PlanState.STAYING, PlanState.MUTED, PlanState.SUSPENDED})


@dataclass(frozen=True, slots=True)
class After:
    """How a plan stands after somebody acted on it; `phase` counts from 1.

    `beside`: what a medicine that was added does beside each of the patient's plans, by the plan's reference.
    """

    state: PlanState
    phase: int
    beside: tuple[tuple[str, Finding], ...] = ()


FORESEEN = timedelta(days=14)
"""So far ahead it is shown what an act would do [our default]."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an act would do: how the plan would stand, its slots to come before and after it, and who would be told what.

    `texts`: the words that would go to a phone, each with the phone's role and name; `raised`, `closed`: the words of alerts.
    `mark`: by which the plan that was looked at is known again when the act is carried out.
    """

    mark: str
    after: After
    before: tuple[Slot, ...]
    coming: tuple[Slot, ...]
    texts: tuple[tuple[str, str], ...]
    raised: tuple[str, ...]
    closed: tuple[str, ...]


def act(engine: Engine, action: StaffAct, *, now: datetime, clinic_id: str | None = None, seen: str | None = None) -> After:
    """Carry out what a person at the clinic decided about a plan; return how it stands then.

    `seen`: the mark of the plan that they saw; left out, they saw none. Raises UnknownPlan, NotAllowed if the person's role or the
    plan's state does not permit it, or if it is another than they saw, or LedgerHeld before a gap was relived, which it would
    decide; then nothing has changed.
    """
    with writing(engine) as c:
        plan = _caught_up(c, action, now, clinic_id)
        if seen is not None and seen != plans.mark_of(plan, now):
            raise NotAllowed("the plan has changed since you looked: look at what it would do now")
        return _act(c, plan, action, now)


def foresee(engine: Engine, action: StaffAct, *, now: datetime, clinic_id: str | None = None) -> Foreseen:
    """Show what an act would do, by doing it and undoing all of it. Raises what `act` raises."""
    with undoing(engine) as c:
        plan = _found(c, action, clinic_id)
        before = _laid_out(plan, now)
        known = _alerts_of(c, plan)
        caught_up = _caught_up(c, action, now, clinic_id)
        mark = plans.mark_of(caught_up, now)
        after = _act(c, caught_up, action, now)
        left = _alerts_of(c, plan)
        return Foreseen(
            mark=mark,
            after=after,
            before=before,
            coming=_laid_out(plans.read(c, [plan.id])[plan.id], now),
            texts=_texts_of(c, plan, now),
            raised=tuple(words for alert, words in left.items() if alert not in known),
            closed=tuple(words for alert, words in known.items() if alert not in left),
        )


def _alerts_of(c: Connection, plan: StoredPlan) -> dict[str, str]:
    return {alert["id"]: alert["words"] for alert in alerts.open_alerts(c, patient_ids=[plan.patient_id])}


def _texts_of(c: Connection, plan: StoredPlan, now: datetime) -> tuple[tuple[str, str], ...]:
    """What was written just now to the phones of a plan's patient, but for reminders: those would have been written anyway."""
    lines = {line.contact_point_id: line.name for line in people.patients(c, [plan.patient_id])[plan.patient_id].lines}
    return tuple(
        (lines[text["contact_point_id"]], text["body"]) for text in texts.written_since(c, lines, at=now) if text["kind"] != "reminder"
    )


def _found(c: Connection, action: StaffAct, clinic_id: str | None) -> StoredPlan:
    plan = plans.find(c, action.plan, clinic_id)
    if plan is None:
        raise UnknownPlan(f"there is no plan {action.plan!r}")
    return plan


def _caught_up(c: Connection, action: StaffAct, now: datetime, clinic_id: str | None) -> StoredPlan:
    """The plan that a person may act on, under its patient's lock, with all that fell due until now decided."""
    quarantines.refuse_while_held(c)
    plan = _found(c, action, clinic_id)
    staff.require(c, plan.clinic_id, action.by, NEEDED[action.action])
    people.lock(c, [plan.patient_id])
    stepping.look_first(c, [plan.patient_id], now=now)
    announcements.decide_now(c, plan.patient_id, now=now)  # what fell due until now, fell due under the old way of things
    return plans.read(c, [plan.id])[plan.id]


def _act(c: Connection, plan: StoredPlan, action: StaffAct, now: datetime) -> After:
    patient = people.patients(c, [plan.patient_id])[plan.patient_id]
    if action.action is not StaffAction.ACKNOWLEDGE and plan.state not in LIVE:
        raise NotAllowed(f"plan {plan.ref} is {plan.state.value}: it cannot be changed any more")
    ACTIONS[action.action](c, patient, plan, action, now)
    supplies.look_soon(c, plan.id, at=now)
    if sandboxes.ahead(c) is not None:  # a story of what was played tells it as it was said
        sandboxes.keep(c, plan.clinic_id, write_event(replace(action, at=now)), at=now)
    after = plans.read(c, [plan.id])[plan.id]
    return After(after.state, plans.current_phase(after, now), tuple(_beside(c, after, action)))


def _laid_out(plan: StoredPlan, now: datetime) -> tuple[Slot, ...]:
    """The slots to come of a plan, as far as an act shows them; none if it is off the clock."""
    since = max(now, plan.decided_until + timedelta.resolution)
    return slots_between(plan.course, since, now + FORESEEN) if plan.state in plans.ON_CLOCK else ()


def _beside(c: Connection, plan: StoredPlan, action: StaffAct) -> Iterator[tuple[str, Finding]]:
    if action.action is StaffAction.ADD_MEDICINE and action.medicine:
        for one in plans.of_patients(c, [plan.patient_id])[plan.patient_id]:
            yield from ((one.ref, finding) for finding in check_medicines(one.profile, [action.medicine]))


def _stay(c: Connection, patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    _only(plan, PlanState.ACTIVE, to=PlanState.STAYING)
    if plans.next_phase(plan) is None:
        raise NotAllowed(f"plan {plan.ref} has no further step to keep back")
    today = now.astimezone(plan.plan.tz).date()
    phase_no = plans.current_phase(plan, now)
    stepping.stay(c, patient, plan, Kept(phase_no, today, action.reason, by=action.by), now=now)


def _resume(c: Connection, patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    """Go on after a stay: the phase keeps the extra days, and what follows has shifted as a block."""
    _only(plan, PlanState.STAYING, to=PlanState.ACTIVE)
    stay = next(stay for stay in plan.course.current.stays if stay.extra_days is None)
    planned_end = _planned_end(plan, stay)
    today = now.astimezone(plan.plan.tz).date()
    extra = 0 if planned_end is None else resume_extra_days(planned_end=planned_end, stay_since=stay.since, resumed=today)
    plans.close_stay(c, plan, extra_days=extra)
    texts.cancel_queued(c, plan_id=plan.id, kinds=changing.OVERTAKEN)
    _enter(c, plan, PlanState.ACTIVE, "resumed", action=action, now=now)
    _close_alerts(c, plan, action, now, kinds=("plan_stays", "misses", "step_waits"))
    _close_alerts(c, plan, action, now, kinds=(alerts.SOME_MISSED,), telling_of_stay=True)
    resumed = plans.read(c, [plan.id])[plan.id]
    coming = plans.next_phase(resumed)
    if stay.since == planned_end and coming is not None and coming[1] == today + timedelta(days=1):
        stepping.announce_step(c, patient, resumed, now=now)  # the provider has decided the step: the gate is not asked again
    plans.put_on_clock(c, [plans.read(c, [plan.id])[plan.id]])


def _step_back(c: Connection, patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    """Go back to the phase before, from the next dose on: it runs its own days again, and then this one does."""
    _going_on(plan)
    phase_no = plans.current_phase(plan, now)
    if phase_no == 1:
        raise NotAllowed(f"plan {plan.ref} is on its first phase")
    changing.change(
        c, patient, plan, Change(_beginning(plan, phase_no - 1, _today(plan, now)), "stepped back", action.by, action.reason), now=now
    )


def _advance(c: Connection, patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    """A provider's yes to the next step, or a step sooner than planned: from tomorrow."""
    _going_on(plan)
    open_stay = next((stay for stay in plan.course.current.stays if stay.extra_days is None), None)
    if open_stay is not None and open_stay.since == _planned_end(plan, open_stay):
        _resume(c, patient, plan, action, now)
        return
    document, phase_no = plan.course.current.plan, plans.current_phase(plan, now)
    if phase_no == len(document.phases):
        raise NotAllowed(f"plan {plan.ref} has no further phase")
    sooner = _beginning(plan, phase_no + 1, _today(plan, now) + timedelta(days=1))
    if document.phases[phase_no - 1].every_n_days > 1:  # its dosing days must not move onto today: nothing more is due today
        sooner = replace(sooner, phases=document.phases[phase_no:], start=_today(plan, now) + timedelta(days=1))
    changing.change(c, patient, plan, Change(sooner, "advanced", action.by, action.reason), now=now)
    stepping.announce_step(c, patient, plans.read(c, [plan.id])[plan.id], now=now)
    plans.put_on_clock(c, [plans.read(c, [plan.id])[plan.id]])


def _slow_down(c: Connection, patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    """Go slower: this phase and every one to come that has an end lasts so many days more. Amounts stay as they are."""
    _going_on(plan)
    if action.days is None:
        raise NotAllowed("going slower needs the number of days by which each phase is longer")
    document, running = plan.course.current.plan, plans.current_phase(plan, now)
    longer = [
        phase if phase.days is None or number < running else replace(phase, days=phase.days + action.days)
        for number, phase in enumerate(document.phases, 1)
    ]
    if tuple(longer) == document.phases:
        raise NotAllowed(f"plan {plan.ref} has no step to come that could be later")
    slower = Change(replace(document, phases=tuple(longer)), "slowed down", action.by, action.reason, stays=plan.course.current.stays)
    announced = plans.stage_of(plan) is plans.Stage.DECIDED
    texts.cancel_queued(c, plan_id=plan.id, kinds=("step",))
    changing.change(c, patient, plan, slower, now=now)
    if announced:
        stepping.tell_stay(c, patient, plan, now=now)


def _mute(c: Connection, _patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    """Doses go on elsewhere: no texts, nothing counted."""
    _only(plan, PlanState.ACTIVE, PlanState.STAYING, to=PlanState.MUTED)
    plans.save(c, plan, state_before=plan.state.value)
    _enter(c, plan, PlanState.MUTED, "muted", action=action, now=now)
    waiting = [dose for dose in doses.of_plan(c, plan.id, last=10) if dose.state in doses.WAITING]
    texts.cancel_queued(c, plan_id=plan.id, kinds=suspending.PLAN_TEXTS)
    doses.learn(c, {dose.id: [DoseEvent(EventKind.MUTED, now, why="muted")] for dose in waiting}, now=now)
    plans.put_on_clock(c, [plans.read(c, [plan.id])[plan.id]])


def _unmute(c: Connection, _patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    before = plan.state_before or PlanState.ACTIVE
    _only(plan, PlanState.MUTED, to=before)
    _enter(c, plan, before, "unmuted", action=action, now=now)
    plans.put_on_clock(c, [plans.read(c, [plan.id])[plan.id]])


def _suspend(c: Connection, patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    _only(plan, PlanState.ACTIVE, PlanState.STAYING, PlanState.MUTED, to=PlanState.SUSPENDED)
    suspending.suspend(c, patient, plan, reason=action.reason, by=action.by, template="suspended_provider", now=now)


def _restart(c: Connection, patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    """Begin again after a suspension, at the phase a named provider chose."""
    _only(plan, PlanState.SUSPENDED, to=PlanState.ACTIVE)
    phases = plan.course.current.plan.phases
    if action.phase is None or not 1 <= action.phase <= len(phases):
        raise NotAllowed(f"a restart names its phase: plan {plan.ref} has phases 1 to {len(phases)}")
    chosen = _beginning(plan, action.phase, _today(plan, now))
    plans.save(c, plan, state=PlanState.ACTIVE.value, state_before=None, reason=action.reason[:400] or None)
    restarted = Change(chosen, plans.RESTARTED, action.by, action.reason)
    changing.change(c, patient, plans.read(c, [plan.id])[plan.id], restarted, now=now)
    _close_alerts(c, plan, action, now, kinds=("suspended", "plan_stays", "misses", "misses_urgent"))
    plans.touched(c, [plan.id], at=now)  # what was missed before it began again counts no more


def _stop(c: Connection, patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    """End a plan at once. For a drug with a withdrawal risk that is a person's decision with a typed reason."""
    if not action.reason.strip() and plan.profile.withdrawal_risk.value:
        raise NotAllowed(f"stopping {plan.profile.name} suddenly can do harm: taper it, or give the reason for a straight stop")
    suspending.withdraw(c, patient, plan, why="stopped", now=now)
    plans.save(c, plan, state=PlanState.STOPPED.value, reason=action.reason[:400], ended_at=now, step_stage=None)
    plans.add_event(c, plan.clinic_id, plan.id, kind="stopped", state=PlanState.STOPPED, by=action.by, at=now, reason=action.reason)
    if plan.profile.withdrawal_risk.value:
        fields = naming.which_of(c, patient, plan)
        draft = Draft("stopped_straight", "suspend", f"stop:{plan.id}", fields=fields, plan_id=plan.id)
        texts.queue(c, patient, patient.line, draft, now=now)
    plans.put_on_clock(c, [plans.read(c, [plan.id])[plan.id]])
    interacting.end(c, plan, why=action.reason or "stopped", by=action.by, now=now)


def _acknowledge(c: Connection, patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    """Take on a plan's open alerts (one kind, if named).

    An interacting medicine is taken on with a typed reason only, and with the day of what a laboratory is to check beside it;
    a laboratory check whose day has come, with the day of the next, if there is one.
    """
    said = Attended(action.by, action.reason, action.labs_due)
    attending.check_labs_due(plan, said, now=now)
    for alert in alerts.open_alerts(c, patient_ids=[patient.id]):
        if alert["plan_id"] in (None, plan.id) and action.alert in (None, alert["kind"]):
            attending.take_on(c, plan, alert, said, now=now)


def _move_zone(c: Connection, patient: Patient, plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    """Let the patient's times follow them to another zone, joined at a seam that keeps the minimum gap."""
    changing.move(c, patient, action.zone or plan.plan.zone, by=action.by, reason=action.reason, now=now)


def _add_medicine(c: Connection, patient: Patient, _plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    if not action.medicine:
        raise NotAllowed("an addition names the medicine")
    interacting.add(c, patient, action.medicine, said=Said(action.by, action.reason), now=now)


def _remove_medicine(c: Connection, patient: Patient, _plan: StoredPlan, action: StaffAct, now: datetime) -> None:
    if not action.medicine:
        raise NotAllowed("a removal names the medicine")
    interacting.remove(c, patient, action.medicine, said=Said(action.by, action.reason), now=now)


def correct(
    engine: Engine,
    *,
    plan_ref: str,
    local_date: date,
    slot_no: int,
    state: DoseState,
    by: str,
    reason: str,
    now: datetime,
    clinic_id: str | None = None,
) -> None:
    """Correct what is recorded of a dose, by a named person with a reason. The old facts are kept.

    Raises UnknownPlan where there is no such dose, NotAllowed for a state that no person sets and for a person who may not,
    LedgerHeld before a gap was relived.
    """
    if state not in SETTABLE:
        raise NotAllowed(f"a dose cannot be set to {state.value}")
    with writing(engine) as c:
        quarantines.refuse_while_held(c)
        plan = plans.find(c, plan_ref, clinic_id)
        dose = doses.find(c, plan.id, local_date, slot_no) if plan else None
        if plan is None or dose is None:
            raise UnknownPlan(f"there is no dose {slot_no} of {local_date} in plan {plan_ref!r}")
        staff.require(c, plan.clinic_id, by, Right.CARE)
        people.lock(c, [plan.patient_id])
        doses.learn(c, {dose.id: [DoseEvent(EventKind.CORRECTED, now, state=state, by=by, why=reason)]}, now=now)
        write_audit(c, plan.clinic_id, Entry(now, by, "dose corrected", dose.id, state.value))


Action = Callable[["Connection", "Patient", "StoredPlan", StaffAct, datetime], None]
ACTIONS: Mapping[StaffAction, Action] = MappingProxyType(
    {
        StaffAction.STAY: _stay,
        StaffAction.RESUME: _resume,
        StaffAction.STEP_BACK: _step_back,
        StaffAction.ADVANCE: _advance,
        StaffAction.SLOW_DOWN: _slow_down,
        StaffAction.MUTE: _mute,
        StaffAction.UNMUTE: _unmute,
        StaffAction.SUSPEND: _suspend,
        StaffAction.RESTART: _restart,
        StaffAction.STOP: _stop,
        StaffAction.ACKNOWLEDGE: _acknowledge,
        StaffAction.MOVE_ZONE: _move_zone,
        StaffAction.ADD_MEDICINE: _add_medicine,
        StaffAction.REMOVE_MEDICINE: _remove_medicine,
    }
)


def _only(plan: StoredPlan, *states: PlanState, to: PlanState) -> None:
    if plan.state not in states or not may_become(plan.state, to):
        allowed = " or ".join(state.value for state in states)
        raise NotAllowed(f"plan {plan.ref} is {plan.state.value}; this is for one that is {allowed}")


def _enter(c: Connection, plan: StoredPlan, state: PlanState, kind: str, *, action: StaffAct, now: datetime) -> None:
    before = {"state_before": None} if state is not PlanState.MUTED else {}
    reason = None if state is PlanState.ACTIVE else action.reason[:400] or None
    plans.save(c, plan, state=state.value, reason=reason, step_stage=None, **before)
    phase_no = plans.current_phase(plan, now)
    plans.add_event(c, plan.clinic_id, plan.id, kind=kind, state=state, by=action.by, at=now, reason=action.reason, phase_no=phase_no)


def _close_alerts(
    c: Connection, plan: StoredPlan, action: StaffAct, now: datetime, *, kinds: tuple[str, ...], telling_of_stay: bool = False
) -> None:
    """Close a plan's alerts of some kinds with what was done; `telling_of_stay`: only those that tell of a stay."""
    for alert in alerts.open_alerts(c, plan_id=plan.id, kinds=kinds):
        if alert["stays"] or not telling_of_stay:
            alerts.close(c, alert, reason=f"{action.action.value}: {action.reason}", by=action.by, at=now)


def _closed(plan: StoredPlan) -> tuple[Stay, ...]:
    return tuple(stay for stay in plan.course.current.stays if stay.extra_days is not None)


def _planned_end(plan: StoredPlan, stay: Stay) -> date | None:
    """The first date after a phase, had the plan not stayed on it this time."""
    return phase_spans(as_followed(plan.course.current.plan, _closed(plan)))[stay.phase_no - 1].ends


def _beginning(plan: StoredPlan, phase_no: int, on: date) -> Plan:
    """The signed plan laid out so that a phase begins on a date. Phases keep their numbers and their own days; older stays are over."""
    document = plan.course.current.plan
    before = sum(phase.days or 0 for phase in document.phases[: phase_no - 1])
    return replace(document, start=on - timedelta(days=before))


def _going_on(plan: StoredPlan) -> None:
    if plan.state not in {PlanState.ACTIVE, PlanState.STAYING}:
        raise NotAllowed(f"plan {plan.ref} is {plan.state.value}; this is for one that is active or staying")


def _today(plan: StoredPlan, now: datetime) -> date:
    return now.astimezone(plan.plan.tz).date()
