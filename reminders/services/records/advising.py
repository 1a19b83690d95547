"""Advice about one dose: what the rules need to decide it, and the words that say it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from reminders.domain.announcing import situation_of
from reminders.domain.missed import Advice, AlreadyTaken, AskProvider, Situation, Skip, TakeNow, TooSoon, advice_for
from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import Slot, next_slot
from reminders.messaging.texts import when, when_each
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from reminders.services.records.doses import StoredDose
    from reminders.services.records.due import Due
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

NO_ADVICE = frozenset({PlanState.SUSPENDED, PlanState.MUTED, PlanState.STOPPED})
"""The states in which no text of ours may say that a dose can be taken."""


def advice_on(one: Due, plan: StoredPlan, slot: Slot, at: datetime) -> Advice:
    """Ask the missed-dose rule about a slot, at an instant. Of a plan that is not to be taken by our texts, a person answers."""
    if plan.state in NO_ADVICE:
        return AskProvider(f"the plan is {plan.state.value}")
    advice = advice_for(situation_of(one.standing(plan, at), slot), at)
    if isinstance(advice, Skip) and advice.next_at is not None and advice.next_at <= at:
        coming = next_slot(plan.course, at)  # of a dose long past, the rule's own next one may be past too
        return Skip(coming.due_at if coming else None, rule=advice.rule)
    return advice


def draft_for(one: Due, plan: StoredPlan, dose: StoredDose, advice: Advice, at: datetime) -> Draft:
    """Say advice about a dose on record, and which dose it is where the phone answers for several."""
    situation = situation_of(one.standing(plan, at), dose.slot)
    draft = advice_draft(one.patient, situation, advice, cause="", which=one.which(plan))
    return replace(draft, plan_id=plan.id, version_no=plan.course.current.no, dose_id=dose.id)


def advice_draft(patient: Patient, situation: Situation, advice: Advice, *, cause: str, which: str = "") -> Draft:
    """Say advice in words. It expires with itself: what says "take it until noon" is not sent after noon."""
    template, fields, expires_at = _words(patient, situation, advice, which)
    return Draft(template, "advice", cause, fields=fields, expires_at=expires_at)


def _words(patient: Patient, situation: Situation, advice: Advice, which: str) -> tuple[str, dict[str, str], datetime | None]:
    """Which text says it, with what, and until when it is true."""
    following = situation.next_slot

    def at(instant: datetime) -> str:
        return when(instant, patient.tz, patient.language)

    def then(next_at: datetime) -> dict[str, str]:
        return dict(zip(("when", "next"), when_each(situation.slot.due_at, next_at, patient.tz, patient.language), strict=True))

    fields = {"when": at(situation.slot.due_at), "which": which}
    match advice:
        case TakeNow(until=until) if following is not None:
            return "take_now", {**fields, **then(following.due_at), "until": at(until)}, until
        case TakeNow(until=until):
            return "take_now_last", {**fields, "until": at(until)}, until
        case Skip(next_at=datetime() as next_at):
            return "skip", {**fields, **then(next_at)}, next_at
        case Skip():
            return "skip_last", fields, None
        case AlreadyTaken():
            return "already_taken", fields, None
        case TooSoon(until=until):
            return "too_soon", {"until": at(until), "which": which}, until
        case AskProvider():
            return "ask_provider", {"which": which}, None
