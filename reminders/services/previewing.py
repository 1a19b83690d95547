"""Previewing: what a plan would say and do before it is stored. It lays out and checks; it asks no ledger and computes no dose."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import assert_never

from reminders import drugs
from reminders.domain.approval import Acknowledgement, check_approval, check_interactions
from reminders.domain.checking import check_plan
from reminders.domain.contact import QuietHours
from reminders.domain.finding import Finding, PatientFacts, ours
from reminders.domain.missed import Advice, AlreadyTaken, AskProvider, Situation, Skip, TakeNow, TooSoon, advice_for
from reminders.domain.patient_checks import check_medicines, check_special
from reminders.domain.plan import DAY, Amount, Course, Plan
from reminders.domain.profile import DrugProfile
from reminders.domain.schedule import Slot, instant_of, next_slot, slots_between, slots_of_dates
from reminders.errors import BadFile, Fault, NotFound
from reminders.messaging.texts import render
from reminders.services.records.advising import advice_draft
from reminders.services.records.people import Clinic, Patient
from reminders.services.records.plans import limits_of, rule_of
from reminders.services.records.texts import filled


class UnknownSlot(NotFound):
    """There is no such slot in this plan."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The other medicines on a patient's list, what of them a provider has acknowledged, and what is known of age and kidneys."""

    medicines: tuple[str, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()
    facts: PatientFacts = field(default_factory=PatientFacts)


@dataclass(frozen=True, slots=True)
class Advised:
    """Advice on one slot of a plan of which nothing has been taken. `next_at`: when the slot after it is due; instants in UTC."""

    decision: str
    until: datetime | None
    next_at: datetime | None
    rule: str
    text: str


def findings_of(
    plan: Plan,
    strengths: tuple[Amount, ...] | None = None,
    *,
    approved_at: datetime | None = None,
    beside: Beside | None = None,
) -> tuple[Finding, ...]:
    """Check a plan against its drug's profile, errors first. An unknown drug is an error at `drug`.

    `strengths`: the tablets this patient has; left out, those of the profile. `approved_at` (UTC) left out: not said.
    `beside`: what is known of the patient; left out, nothing.
    """
    try:
        profile, beside = drugs.load(plan.drug), beside or Beside()
        return (
            *check_approval(plan, approved_at),
            *check_interactions(profile, beside.medicines, beside.acknowledged),
            *check_plan(plan, profile, strengths=strengths),
            *check_medicines(profile, beside.medicines),
            *check_special(profile, beside.facts),
        )
    except drugs.UnknownDrug as unknown:
        known = ", ".join(drugs.names())
        return (ours("unknown_drug", "drug", str(unknown), found=plan.drug, limit=known),)


def slots_of(plan: Plan, first: date, end: date) -> tuple[Slot, ...]:
    """Lay out a plan's slots by local date, `first <= date < end`, in order of due instant. Raises BadFile for an unknown drug."""
    profile_of(plan)
    return slots_of_dates(plan, first, end)


def profile_of(plan: Plan) -> DrugProfile:
    """What is known of a plan file's drug. Raises BadFile with the path `drug`."""
    try:
        return drugs.load(plan.drug)
    except drugs.UnknownDrug as unknown:
        raise BadFile([Fault("drug", str(unknown))]) from unknown


def advice_on(plan: Plan, local_date: date, number: int, *, now: datetime) -> Advised:
    """Apply the missed-dose rule to one slot, asked at `now`, of a plan of which nothing has been taken.

    Raises UnknownSlot, and BadFile for an unknown drug.
    """
    situation = _situation(plan, profile_of(plan), _slot(plan, local_date, number))
    advice = advice_for(situation, now)
    decision, until, rule = _in_short(advice)
    following = situation.next_slot
    return Advised(decision, until, following.due_at if following else None, rule, _words(plan, situation, advice))


def _slot(plan: Plan, local_date: date, number: int) -> Slot:
    slots = slots_of_dates(plan, local_date, local_date + DAY)
    found = next((slot for slot in slots if slot.number == number), None)
    if found is None:
        there = f"that date has slots 1 to {len(slots)}" if slots else "that date has none"
        raise UnknownSlot(f"no slot {local_date.isoformat()}/{number} in this plan: {there}")
    return found


def _situation(plan: Plan, profile: DrugProfile, slot: Slot) -> Situation:
    course = Course.of(plan, instant_of(plan.start, time.min, plan.tz))
    following = next_slot(course, slot.due_at)
    until = (following or slot).due_at + DAY
    upcoming = slots_between(course, slot.due_at + timedelta.resolution, until + timedelta.resolution)
    return Situation(slot, following, rule_of(plan, profile), limits_of(plan, profile), upcoming=upcoming)


def _in_short(advice: Advice) -> tuple[str, datetime | None, str]:
    """The decision by its public name, until when it holds, and the rule or reason behind it."""
    match advice:
        case TakeNow(until=until, rule=rule):
            return "take_now", until, rule
        case Skip(rule=rule):
            return "skip", None, rule
        case AlreadyTaken(rule=rule):
            return "already_taken", None, rule
        case TooSoon(until=until, rule=rule):
            return "too_soon", until, rule
        case AskProvider(why=why, rule=rule):
            return "ask_provider", None, rule or why
        case _ as unreachable:
            assert_never(unreachable)


def _words(plan: Plan, situation: Situation, advice: Advice) -> str:
    """The text that a patient would get: a plan file names neither a clinic nor a patient."""
    clinic = Clinic(id="", name="Your clinic", phone="your clinic", zone=plan.zone, opens_at=time(8), closes_at=time(17))
    patient = Patient(
        clinic=clinic,
        id="",
        ref="",
        name="you",
        zone=plan.zone,
        language="en",
        wording="discreet",
        quiet=QuietHours(),
        next_due_at=None,
        tries=0,
        lines=(),
    )
    draft = advice_draft(patient, situation, advice, cause="")
    return render(draft.template, patient.language, **filled(patient, draft))
