"""What is said of a dose: taken, not taken, asked about late, doubled, halved, lost. Kept as told; advised by the rule."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from reminders.domain.announcing import situation_of
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind
from reminders.domain.missed import Advice, AskProvider, Skip, TakeNow, TooSoon, advice_for
from reminders.domain.schedule import instant_of, next_slot, previous_slot
from reminders.messaging.intents import Taken
from reminders.messaging.texts import when
from reminders.services.records import advising, doses, plans
from reminders.services.records.alerts import Notice
from reminders.services.records.texts import Asked, Draft
from reminders.services.replying.talk import simply
from reminders.services.replying.which_dose import Candidate, Several, current

if TYPE_CHECKING:
    from reminders.services.replying.talk import Talk

TIME_ASKED = timedelta(hours=12)
"""How long "on time, or just now?" can be answered [our default]."""


def taken(talk: Talk, meant: Candidate, intent: Taken | None = None) -> None:
    """Keep that a dose was taken. Without a time, and later than it may be taken, ask whether on time or just now."""
    dose = meant.dose
    if dose.state is DoseState.NOT_DUE:
        _no_dose_due(talk, meant)
        return
    if dose.state is DoseState.TAKEN and (intent is None or not _tells_when(intent)):
        return
    told = _told_time(talk, meant, intent)
    last = dose.times.take_until
    if told is None and (last is None or talk.at <= last) and dose.state in doses.WAITING:
        told = talk.at
    if told is None and dose.slot.due_at > talk.at:
        told = talk.at  # before its reminder, there is no other time it can have been
    by = talk.by
    if told is not None:
        talk.learn(dose, DoseEvent(EventKind.SAID_TAKEN, talk.at, taken_at=told, by=by))
        return
    talk.learn(dose, DoseEvent(EventKind.SAID_TAKEN, talk.at, taken_by=talk.at, by=by))
    _ask_when(talk, meant)


def not_taken(talk: Talk, meant: Candidate) -> None:
    """Keep that a dose was not taken, and say what the rule says: take it now, or leave it out."""
    dose = meant.dose
    if dose.state is DoseState.NOT_DUE:
        return
    talk.learn(dose, DoseEvent(EventKind.SAID_NOT_TAKEN, talk.at, by=talk.by))
    if dose.state is DoseState.TAKEN:
        words = f"First told as taken, then as not taken: the dose of {dose.slot.local_date} {dose.slot.local_time:%H:%M}. Ask the patient."
        talk.alert([meant.one], Notice("contradiction", "warning", f"contradiction {dose.id}", words, plan_id=meant.plan.id))
        talk.say(meant.one.patient, simply("noted", "answer"))
        return
    if dose.state not in doses.WAITING and not _is_current(talk, meant):
        talk.say(meant.one.patient, simply("noted", "answer"))
        return
    advise(talk, meant)


def late_question(talk: Talk, meant: Candidate) -> None:
    """Answer "I missed it, what now?": about the dose named, or the current one if its turn has passed."""
    on_turn = current(talk, None)
    if isinstance(on_turn, Candidate) and on_turn.plan.id == meant.plan.id and on_turn.dose.id != meant.dose.id:
        # Two slots missed: one dose at most is taken, the current slot's. The earlier one is left out.
        talk.learn(meant.dose, *_left_out(talk, meant))
        if on_turn.waiting and not on_turn.dose.standing.answered:
            advise(talk, on_turn)
            return
    advise(talk, meant)


def _left_out(talk: Talk, meant: Candidate) -> list[DoseEvent]:
    if meant.dose.state is DoseState.TAKEN:
        return []
    return [DoseEvent(EventKind.SAID_NOT_TAKEN, talk.at, by=talk.by)]


def advise(talk: Talk, meant: Candidate) -> None:
    """Ask the missed-dose rule about one dose, keep what it says, and say it."""
    one = talk.again(meant.one)
    plan = next((plan for plan in one.plans if plan.id == meant.plan.id), meant.plan)
    situation = situation_of(one.standing(plan, talk.now), meant.dose.slot)
    advice = advice_for(situation, talk.at)
    talk.learn(meant.dose, *_advised(advice, talk))
    draft = advising.advice_draft(one.patient, situation, _ahead(advice, plan, talk.at), cause=f"in:{talk.sid}")
    talk.say(one.patient, _about(draft, meant))
    if isinstance(advice, AskProvider):
        words = f"The patient asked about a late dose and no rule answers: {advice.why}. They were told to call."
        talk.alert([one], Notice("ask_provider", "warning", f"advice {talk.sid}", words, plan_id=plan.id, clinical=False))


def odd(talk: Talk, meant: Candidate | None, why: str) -> None:
    """Keep "took two", "half", "threw up" as told; the next announcement waits for a person."""
    if meant is not None:
        talk.learn(meant.dose, DoseEvent(EventKind.SAID_ODD, talk.at, taken_at=talk.at, why=why, by=talk.by))
    more = why == "took two"
    severity = "urgent" if more else "warning"
    who = [meant.one] if meant else list(talk.answers)
    plan_id = meant.plan.id if meant else None
    words = f"The patient told us: {why}. The next reminder asks them to call before they take it, until somebody has looked at this."
    talk.alert(who, Notice("took_more" if more else "took_less", severity, f"{why} {talk.sid}", words, plan_id=plan_id))
    for one in who[:1]:
        talk.say(one.patient, simply("took_two" if more else "half_or_vomited", "advice-odd"))


def ask_which(talk: Talk, several: Several, *, then: str) -> None:
    """Two doses could be meant: ask once, by weekday and time. Never guess."""
    first, second = several.candidates[-2:]
    patient = first.one.patient
    fields = {
        "when": when(first.dose.slot.due_at, patient.tz, patient.language),
        "next": when(second.dose.slot.due_at, patient.tz, patient.language),
    }
    ends = talk.now + TIME_ASKED
    asks = Asked("which_dose", ends, (first.dose.id, second.dose.id), {"then": then})
    talk.say(patient, Draft("which_dose", "question", "", fields=fields, expires_at=ends, asks=asks))


def _tells_when(intent: Taken) -> bool:
    return intent.now or intent.at is not None or intent.ago is not None


def _told_time(talk: Talk, meant: Candidate, intent: Taken | None) -> datetime | None:
    """The instant a patient says the dose was taken; None if they did not, or not so that one instant fits."""
    if intent is None:
        return None
    if intent.now:
        return talk.at
    if intent.ago is not None:
        return talk.at - intent.ago
    tz, slot = meant.plan.plan.tz, meant.dose.slot
    clocks: list[time] = [clock for clock in (intent.at, intent.or_at) if clock is not None]
    days = (slot.local_date - timedelta(days=1), slot.local_date, slot.local_date + timedelta(days=1))
    fitting = [at for day in days for clock in clocks if slot.due_at - timedelta(hours=1) <= (at := instant_of(day, clock, tz)) <= talk.at]
    return fitting[-1] if fitting else None


def _ask_when(talk: Talk, meant: Candidate) -> None:
    patient = meant.one.patient
    ends = talk.now + TIME_ASKED
    fields = {"when": when(meant.dose.slot.due_at, patient.tz, patient.language)}
    asks = Asked("on_time_or_now", ends, (meant.dose.id,))
    talk.say(patient, Draft("on_time_or_now", "question", "", fields=fields, expires_at=ends, plan_id=meant.plan.id, asks=asks))


def _no_dose_due(talk: Talk, meant: Candidate) -> None:
    """Taken, though the plan has no dose there: asked, and shown to a person; the record stays as it is."""
    patient, slot = meant.one.patient, meant.dose.slot
    talk.learn(meant.dose, DoseEvent(EventKind.SAID_TAKEN, talk.at, taken_at=talk.at, by=talk.by))
    ends = talk.now + TIME_ASKED
    fields = {"when": when(slot.due_at, patient.tz, patient.language)}
    asks = Asked("no_dose_due", ends, (meant.dose.id,))
    talk.say(patient, Draft("no_dose_due", "question", "", fields=fields, expires_at=ends, plan_id=meant.plan.id, asks=asks))
    words = f"The patient says they took a dose that was not due ({slot.local_date} {slot.local_time:%H:%M})."
    talk.alert([meant.one], Notice("took_when_not_due", "urgent", f"not due {meant.dose.id}", words, plan_id=meant.plan.id))


def _is_current(talk: Talk, meant: Candidate) -> bool:
    last = previous_slot(meant.plan.course, talk.at + timedelta.resolution)
    return last is not None and last.key == meant.dose.slot.key


def _advised(advice: Advice, talk: Talk) -> list[DoseEvent]:
    match advice:
        case TakeNow(rule=rule):
            return [DoseEvent(EventKind.ADVISED_TAKE, talk.at, why=rule)]
        case Skip(rule=rule):
            return [DoseEvent(EventKind.ADVISED_SKIP, talk.at, why=rule)]
        case TooSoon(rule=rule):  # it may still be taken, only later: it stays open
            return [DoseEvent(EventKind.ADVISED_TAKE, talk.at, why=rule)]
        case _:
            return []


def _ahead(advice: Advice, plan: plans.StoredPlan, at: datetime) -> Advice:
    """Name the next dose that is still to come: of a dose long past, the rule's own next one may be past too."""
    if isinstance(advice, Skip) and advice.next_at is not None and advice.next_at <= at:
        coming = next_slot(plan.course, at)
        return Skip(coming.due_at if coming else None, rule=advice.rule)
    return advice


def _about(draft: Draft, meant: Candidate) -> Draft:
    return Draft(
        draft.template,
        draft.kind,
        draft.cause,
        fields=draft.fields,
        expires_at=draft.expires_at,
        plan_id=meant.plan.id,
        version_no=meant.plan.course.current.no,
        dose_id=meant.dose.id,
    )
