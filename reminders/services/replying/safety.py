"""What does not wait: danger signs, wanting to die, out of medicine, stopped taking it, and the end of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminders.domain.contact import Role
from reminders.domain.dose_state import DoseEvent, EventKind
from reminders.messaging.intents import RedFlag, Refill
from reminders.services.records import alerts, doses, people, texts
from reminders.services.records.alerts import Notice
from reminders.services.records.texts import Draft
from reminders.services.replying.talk import simply

if TYPE_CHECKING:
    from reminders.services.replying.talk import Talk


def red_flag(talk: Talk, flag: RedFlag) -> None:
    """A danger sign: the emergency text at once and a person told; a negated one ("no seizure") is told at lower urgency."""
    if not flag.negated:
        _say_first(talk, simply("emergency", "emergency"))
    severity = "warning" if flag.negated else "emergency"
    words = f"Danger sign in a text: {flag.kind.value}{' (said not to be so)' if flag.negated else ''}. Read it and call."
    talk.alert(talk.everyone, Notice("red_flag", severity, f"{flag.kind.value} {talk.sid}", words))


def self_harm(talk: Talk, *, negated: bool) -> None:
    """Words of wanting to die: the crisis line at once, and a person told."""
    _say_first(talk, simply("self_harm", "emergency"))
    words = "Words of wanting to die or of self-harm in a text. Read it and call at once."
    talk.alert(talk.everyone, Notice("self_harm", "urgent" if negated else "emergency", f"self-harm {talk.sid}", words))


def problem(talk: Talk) -> None:
    """A problem, in a number or in words: asked about, and shown to a person."""
    _say_first(talk, simply("problem", "answer"))
    talk.alert(
        talk.answers or talk.cares, Notice("problem", "warning", f"problem {talk.sid}", "The patient reports a problem. Read it and call.")
    )


def out_of_medicine(talk: Talk, *, soon: bool = False) -> None:
    """Running out means stopping suddenly: told so, and a person told at once."""
    day = f"{talk.at:%Y-%m-%d}"
    if soon:
        words = "The patient says the medicine is running low."
        talk.alert(talk.answers, Notice("low_on_medicine", "warning", f"low {day}", words, clinical=False))
        _say_first(talk, simply("noted", "answer"))
        return
    _say_first(talk, simply("out_of_medicine", "advice-supply"))
    words = "Out of medicine: stopping suddenly can be dangerous. Arrange a supply today."
    talk.alert(talk.answers, Notice("out_of_medicine", "urgent", f"out {day}", words))


def refill(talk: Talk, found: Refill) -> None:
    """New medicine was fetched: noted, and the alert about the empty box closed."""
    count = f" ({found.count} pieces)" if found.count else ""
    for alert in alerts.open_alerts(
        talk.c, patient_ids=[one.patient.id for one in talk.answers], kinds=["out_of_medicine", "low_on_medicine"]
    ):
        alerts.close(talk.c, alert, reason=f"new supply told by text{count}", by=talk.by, at=talk.at)
    words = f"New supply told by text{count}."
    talk.alert(talk.answers, Notice("refill", "info", f"refill {talk.sid}", words, clinical=False, owner="clinic"))
    _say_first(talk, simply("refill_noted", "answer"))


def stopped_taking(talk: Talk) -> None:
    """The medicine was stopped: the warning, and a person told at once. It never ends the texts."""
    _say_first(talk, simply("stopped_taking", "advice-stop"))
    words = "The patient says they stopped the medicine. Stopping suddenly can be dangerous: call now. Ask before any restart."
    talk.alert(talk.answers, Notice("stopped_taking", "urgent", f"stopped {talk.at:%Y-%m-%d}", words))


def wants_to_stop(talk: Talk) -> None:
    """Take up "I want to stop": texts or medicine, nobody knows. A person reads it; nothing is ended."""
    _say_first(talk, simply("wants_to_stop", "advice-stop"))
    words = "The patient writes that they want to stop; whether the texts or the medicine is not clear. Call."
    talk.alert(talk.answers, Notice("wants_to_stop", "urgent", f"wants {talk.at:%Y-%m-%d}", words))


def opt_out(talk: Talk) -> None:
    """End texting to the number at once, for everyone behind it; confirm once; tell the clinic. The medicine has not stopped."""
    people.opt(talk.c, talk.contact_point_id, out=True, given_by=talk.by, at=talk.at, sid=talk.sid)
    cancelled = texts.cancel_queued(talk.c, contact_point_id=talk.contact_point_id)
    _end(talk, cancelled)
    texts.withdraw_questions(talk.c, [talk.contact_point_id], at=talk.at)
    again = [talk.again(one) for one in talk.everyone]
    if again:
        line = next(line for line in again[0].patient.lines if line.contact_point_id == talk.contact_point_id)
        texts.queue(talk.c, again[0].patient, line, Draft("texts_stopped", "opt-out", f"in:{talk.sid}"), now=talk.now)
    for one in talk.everyone:
        mine = any(line.contact_point_id == talk.contact_point_id and line.role is not Role.CAREGIVER for line in one.patient.lines)
        words = (
            "The patient ended the texts. The medicine has not ended: call, and agree how to go on."
            if mine
            else "A caregiver ended the texts."
        )
        notice = Notice("texts_stopped", "urgent" if mine else "info", f"stop {talk.sid}", words, clinical=mine)
        talk.alert([one], notice)


def opt_in(talk: Talk) -> None:
    """Take up texting the number again, where consent on record covers it."""
    people.opt(talk.c, talk.contact_point_id, out=False, given_by=talk.by, at=talk.at, sid=talk.sid)
    for alert in alerts.open_alerts(talk.c, patient_ids=[one.patient.id for one in talk.everyone], kinds=["texts_stopped"]):
        alerts.close(talk.c, alert, reason="texts are on again", by=talk.by, at=talk.at)
    for one in talk.everyone[:1]:
        talk.say(talk.again(one).patient, simply("opted_in", "opt-in"))


def wrong_number(talk: Talk) -> None:
    """The phone is somebody else's: nothing more is sent to it until a person has proved it again."""
    for one in talk.everyone[:1]:
        talk.say(one.patient, simply("wrong_number", "answer"))
    words = "Somebody at this number says it is not the patient's. Ask for the right one; no text goes out until it is verified."
    talk.alert(talk.everyone, Notice("wrong_number", "urgent", f"wrong {talk.contact_point_id}", words, clinical=False))


def _end(talk: Talk, text_ids: list[str]) -> None:
    """The doses of texts that STOP has cancelled learn that nobody was reminded. One in flight is left to settle."""
    facts = {}
    for text_id, dose_ids in doses.of_text(talk.c, text_ids).items():
        facts.update({dose_id: [DoseEvent(EventKind.OPTED_OUT, talk.at, text=text_id, why="opted_out")] for dose_id in dose_ids})
    doses.learn(talk.c, facts, now=talk.now)


def _say_first(talk: Talk, draft: Draft) -> None:
    """Answer once, however many patients are behind the phone."""
    for one in talk.everyone[:1]:
        talk.say(one.patient, draft)
