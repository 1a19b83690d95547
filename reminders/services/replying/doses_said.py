"""What is said of a dose: taken, not taken, asked about late, doubled, halved, lost. Kept as told; advised by the rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from reminders.domain.announcing import current_slot
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind
from reminders.domain.missed import Advice, AlreadyTaken, AskProvider, Skip, TakeNow, TooSoon
from reminders.domain.schedule import instant_of
from reminders.messaging.intents import Intent, Named, Taken
from reminders.services.records import advising, doses
from reminders.services.records.alerts import Notice
from reminders.services.records.texts import Asked, Draft
from reminders.services.replying.talk import simply
from reminders.services.replying.which_dose import Candidate, Several, on_turn, recent

if TYPE_CHECKING:
    from reminders.services.replying.talk import Talk

TIME_ASKED = timedelta(hours=12)
"""How long "on time, or just now?" can be answered [our default]."""

BEFORE_DUE = timedelta(hours=1)
"""How long before its due time a dose can have been taken, when the patient names a time [our default]."""


def taken(talk: Talk, meant: Candidate, said: Intent | None = None) -> None:
    """Keep that a dose was taken. Without a time, and later than it may be taken, ask whether on time or just now."""
    dose = meant.dose
    if dose.state is DoseState.NOT_DUE:
        _outside_the_plan(talk, meant)
        return
    told = told_times(talk, meant, said)
    if dose.state is DoseState.TAKEN and not told:
        return
    if not told and _in_time(talk, meant):
        told = [talk.at]
    if len(told) == 1:
        keep_time(talk, meant, told[0])
        return
    talk.learn(dose, DoseEvent(EventKind.SAID_TAKEN, talk.at, taken_by=talk.at, by=talk.by(meant.one)))
    ask(talk, meant, "which_time" if told else "on_time_or_now")


def _in_time(talk: Talk, meant: Candidate) -> bool:
    """Whether a dose told as taken, with no word of when, was taken in its time: it still is."""
    last = meant.dose.times.take_until
    return meant.waiting if last is None else talk.at <= last


def keep_time(talk: Talk, meant: Candidate, taken_at: datetime) -> None:
    """Keep when a dose was taken. Taken late, it may leave too little time before one that was announced meanwhile."""
    talk.learn(meant.dose, DoseEvent(EventKind.SAID_TAKEN, talk.at, taken_at=taken_at, by=talk.by(meant.one)))
    ingredient = meant.plan.profile.ingredient
    for other in recent(talk):
        same = other.one.patient.id == meant.one.patient.id and other.plan.profile.ingredient == ingredient
        asked = other.waiting and other.dose.state is DoseState.OPEN and not other.dose.standing.answered
        if same and asked and other.dose.slot.due_at > meant.dose.slot.due_at:
            _warn_of(talk, other)


def _warn_of(talk: Talk, other: Candidate) -> None:
    """Take back a reminder that went out before we knew of a dose taken late: wait, or leave it out."""
    one = talk.again(other.one)
    if isinstance(advising.advice_on(one, other.plan, other.dose.slot, talk.at), TooSoon | Skip):
        advise(talk, other)


def not_taken(talk: Talk, meant: Candidate) -> None:
    """Keep that a dose was not taken, and say what the rule says: take it now, or leave it out."""
    dose = meant.dose
    if dose.state is DoseState.NOT_DUE:
        talk.say(meant.one.patient, simply("noted", "answer"))
        return
    talk.learn(dose, DoseEvent(EventKind.SAID_NOT_TAKEN, talk.at, by=talk.by(meant.one)))
    if dose.state is DoseState.TAKEN:
        words = f"First told as taken, then as not taken: the dose of {dose.slot.local_date} {dose.slot.local_time:%H:%M}. Ask the patient."
        talk.alert([meant.one], Notice("contradiction", "warning", f"contradiction {dose.id}", words, plan_id=meant.plan.id))
        talk.say(meant.one.patient, simply("noted", "answer"))
    elif meant.waiting or is_current(talk, meant):
        advise(talk, meant)
    else:
        talk.say(meant.one.patient, simply("noted", "answer"))


def late_question(talk: Talk, meant: Candidate) -> None:
    """Answer "I missed it, what now?": about the dose named, or the current one if its turn has passed."""
    turn = on_turn(talk, meant.plan)
    if meant.dose.state is not DoseState.TAKEN and turn is not None and turn.dose.id != meant.dose.id:
        # Two slots missed: one dose at most is taken, the current slot's. The earlier one is left out.
        talk.learn(meant.dose, DoseEvent(EventKind.SAID_NOT_TAKEN, talk.at, by=talk.by(meant.one)))
        if turn.waiting:
            advise(talk, turn)
            return
    advise(talk, meant)


def advise(talk: Talk, meant: Candidate) -> None:
    """Ask the missed-dose rule about one dose, keep what it says, and say it. Beside a danger sign nothing is advised."""
    if talk.alarmed:
        return
    one = talk.again(meant.one)
    plan = one.plan(meant.plan.id) or meant.plan
    advice = advising.advice_on(one, plan, meant.dose.slot, talk.at)
    talk.learn(meant.dose, *_advised(advice, talk.at))
    if (until := _offered_until(advice)) is not None:
        doses.offer(talk.c, meant.dose, until)
    talk.say(one.patient, advising.draft_for(one, plan, meant.dose, advice, talk.at))
    if isinstance(advice, AskProvider):
        words = f"The patient asked about a late dose and no rule answers: {advice.why}. They were told to call."
        talk.alert([one], Notice("ask_provider", "warning", f"advice {talk.sid}", words, plan_id=plan.id, clinical=False))


def odd(talk: Talk, meant: Candidate | None, why: str) -> None:
    """Keep "took two", "half", "threw up" as told; the next announcement waits for a person."""
    if meant is not None:
        talk.learn(meant.dose, DoseEvent(EventKind.SAID_ODD, talk.at, taken_at=talk.at, why=why, by=talk.by(meant.one)))
    more = why == "took two"
    severity = "urgent" if more else "warning"
    who = [meant.one] if meant else list(talk.answers)
    plan_id = meant.plan.id if meant else None
    words = f"The patient told us: {why}. The next reminder asks them to call before they take it, until somebody has looked at this."
    talk.alert(who, Notice("took_more" if more else "took_less", severity, f"{why} {talk.sid}", words, plan_id=plan_id))
    for one in who[:1]:
        talk.say(one.patient, simply("took_two" if more else "half_or_vomited", "advice-odd"))


def ask_which(talk: Talk, several: Several, *, answers: Mapping[str, str]) -> None:
    """Two doses could be meant: ask once, by weekday and time. Never guess. `answers` says what the choice of each dose means."""
    first, second = several.candidates[-2:]
    ends = talk.now + TIME_ASKED
    fields = {"when": first.when, "which": first.which, "next": second.when, "which2": second.which}
    asks = Asked("which_dose", ends, (first.dose.id, second.dose.id), answers)
    talk.say(first.one.patient, Draft("which_dose", "question", "", fields=fields, expires_at=ends, asks=asks))


def told_times(talk: Talk, meant: Candidate, said: Intent | None) -> list[datetime]:
    """The instants at which a patient can have meant that the dose was taken; none if they did not say. Two: am or pm is open."""
    if isinstance(said, Taken) and said.now:
        return [talk.at]
    if isinstance(said, Taken) and said.ago is not None:
        return [talk.at - said.ago]
    if not isinstance(said, Taken | Named):
        return []
    slot, tz = meant.dose.slot, meant.plan.plan.tz
    clocks: list[time] = [clock for clock in (said.at, said.or_at) if clock is not None]
    days = [slot.local_date + timedelta(days=days) for days in (-1, 0, 1)]
    possible = {instant_of(day, clock, tz) for day in days for clock in clocks}
    return sorted(at for at in possible if slot.due_at - BEFORE_DUE <= at <= talk.at)


def _outside_the_plan(talk: Talk, meant: Candidate) -> None:
    """Taken, though the plan has no dose there: asked, and shown to a person; the record stays as it is."""
    slot = meant.dose.slot
    talk.learn(meant.dose, DoseEvent(EventKind.SAID_TAKEN, talk.at, taken_at=talk.at, by=talk.by(meant.one)))
    ask(talk, meant, "no_dose_due")
    words = f"The patient says they took a dose that was not due ({slot.local_date} {slot.local_time:%H:%M})."
    talk.alert([meant.one], Notice("took_when_not_due", "urgent", f"not due {meant.dose.id}", words, plan_id=meant.plan.id))


def ask(talk: Talk, meant: Candidate, kind: str) -> None:
    """Ask about one dose: when it was taken, or whether it was at all; the text and its question have one name."""
    ends = talk.now + TIME_ASKED
    fields = {"when": meant.when, "which": meant.which}
    asks = Asked(kind, ends, (meant.dose.id,))
    talk.say(meant.one.patient, Draft(kind, "question", "", fields=fields, expires_at=ends, plan_id=meant.plan.id, asks=asks))


def is_current(talk: Talk, meant: Candidate) -> bool:
    """Whether it is this dose's turn in its plan."""
    last = current_slot(meant.plan.course, meant.plan.limits.min_gap, talk.at)
    return last is not None and last.key == meant.dose.slot.key


def _offered_until(advice: Advice) -> datetime | None:
    """Until when advice lets the patient take the dose; None if it does not."""
    match advice:
        case TakeNow(until=until) | TooSoon(then_until=until):
            return until
        case _:
            return None


def _advised(advice: Advice, at: datetime) -> list[DoseEvent]:
    match advice:
        case TakeNow(rule=rule) | TooSoon(rule=rule):  # too soon: it may still be taken, only later, and stays open
            return [DoseEvent(EventKind.ADVISED_TAKE, at, why=rule)]
        case Skip(rule=rule):
            return [DoseEvent(EventKind.ADVISED_SKIP, at, why=rule)]
        case AlreadyTaken() | AskProvider():
            return []
