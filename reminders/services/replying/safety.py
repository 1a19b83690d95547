"""What does not wait: danger signs, wanting to die, out of medicine, stopped taking it, and the end of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminders.messaging.intents import EndOrAnswer, HelpWanted, Intent, OptIn, OptOut, OutOfMedicine, Reading, RedFlag, SelfHarm, Yes
from reminders.messaging.opting_words import carrier_ended, carrier_resumed
from reminders.messaging.questions import QuestionKind
from reminders.messaging.replies import is_restart, may_answer, says_none_left
from reminders.services.records import alerts, check_ins, people, silencing, texts
from reminders.services.records.alerts import Notice, texts_stopped
from reminders.services.records.supplies import REFILL
from reminders.services.records.texts import Draft
from reminders.services.replying import supplies_said
from reminders.services.replying.talk import simply

if TYPE_CHECKING:
    from reminders.services.replying.talk import Talk

ANSWERED_BY_A_WORD = frozenset({*check_ins.QUESTIONS, QuestionKind.WHY_NOT_TAKEN.value, QuestionKind.STAFF.value})
"""Questions to which a bare word that ends texts can be the answer; and so it can to the text that asks for a refill."""


def red_flag(talk: Talk, flag: RedFlag) -> None:
    """A danger sign: the emergency text at once and a person told; a negated one ("no seizure") is told at lower urgency."""
    if not flag.negated:
        talk.reply(simply("emergency", "emergency"))
    severity = "warning" if flag.negated else "emergency"
    words = f"Danger sign in a text: {flag.kind.value}{' (said not to be so)' if flag.negated else ''}. Read it and call."
    talk.alert(talk.everyone, Notice("red_flag", severity, f"{flag.kind.value} {talk.sid}", words))


def self_harm(talk: Talk, *, negated: bool) -> None:
    """Words of wanting to die: the crisis line at once, and a person told."""
    talk.reply(simply("self_harm", "emergency"))
    words = "Words of wanting to die or of self-harm in a text. Read it and call at once."
    talk.alert(talk.everyone, Notice("self_harm", "urgent" if negated else "emergency", f"self-harm {talk.sid}", words))


def problem(talk: Talk) -> None:
    """A problem, in a number or in words: asked about, and shown to a person."""
    talk.reply(simply("problem", "answer"))
    talk.alert(
        talk.answers or talk.cares, Notice("problem", "warning", f"problem {talk.sid}", "The patient reports a problem. Read it and call.")
    )


def out_of_medicine(talk: Talk, *, soon: bool = False) -> None:
    """Running out means stopping suddenly: told so, and a person told at once."""
    who = talk.answers or talk.cares
    if soon:
        words = "The patient says the medicine is running low."
        talk.alert_unless_open(who, Notice("low_on_medicine", "warning", f"low {talk.sid}", words, clinical=False))
        talk.reply(simply("noted", "answer"))
        return
    talk.reply(simply("out_of_medicine", "advice-supply"))
    words = "Out of medicine: stopping suddenly can be dangerous. Arrange a supply today."
    talk.alert_unless_open(who, Notice("out_of_medicine", "urgent", f"out {talk.sid}", words))
    supplies_said.none_left(talk)


def stopped_taking(talk: Talk) -> None:
    """The medicine was stopped: the warning, and a person told at once. It never ends the texts."""
    talk.reply(simply("stopped_taking", "advice-stop"))
    words = "The patient says they stopped the medicine. Stopping suddenly can be dangerous: call now. Ask before any restart."
    talk.alert_unless_open(talk.answers or talk.cares, Notice("stopped_taking", "urgent", f"stopped {talk.sid}", words))


def wants_to_stop(talk: Talk) -> None:
    """Take up "I want to stop": texts or medicine, nobody knows. A person reads it; nothing is ended."""
    talk.reply(simply("wants_to_stop", "advice-stop"))
    words = "The patient writes that they want to stop; whether the texts or the medicine is not clear. Call."
    talk.alert_unless_open(talk.answers, Notice("wants_to_stop", "urgent", f"wants {talk.sid}", words))


def end_or_answer(talk: Talk) -> None:
    """Take up a bare "no more" where it could be an answer: nothing is ended, and the answer says which word ends the texts."""
    talk.reply(simply("end_or_answer", "answer"))
    words = "A bare word could answer what was asked or be meant to end the texts. Read it and call."
    talk.alert_unless_open(talk.answers, Notice("wants_to_stop", "urgent", f"wants {talk.sid}", words))


def where_something_is_asked(talk: Talk, body: str, reading: Reading) -> Reading:
    """Read a bare "no more" or "baja", while a question is open that it can answer, as for a person. STOP itself ends texts always.

    Asked why nothing was taken, whoever writes "no more" may be out of medicine: that does not wait for the person.
    """
    if reading.intents != (OptOut(),) or not may_answer(body) or not talk.answers:
        return reading
    asked = {row["kind"] for row in talk.questions}
    if not asked & ANSWERED_BY_A_WORD and texts.last_kind(talk.c, talk.contact_point_id, at=talk.at) != REFILL:
        return reading
    none_left = QuestionKind.WHY_NOT_TAKEN.value in asked and says_none_left(body)
    return Reading((EndOrAnswer(), OutOfMedicine()) if none_left else (EndOrAnswer(),))


def help_wanted(talk: Talk) -> None:
    """Say who this is and how it works, unless the carrier has."""
    if talk.carriers_word != "HELP":
        talk.reply(simply("help", "help"))


def as_the_carrier_took_it(talk: Talk, reading: Reading) -> Reading | None:
    """Read a text as the carrier did, where it says so: by that it lets our texts through or not. What does not wait stands beside it.

    A START where no STOP stands has changed nothing: YES is an answer there. None: as we read it.
    """
    starts = talk.carriers_word == "START" and people.opted_out(talk.c, talk.contact_point_id)
    by_word: dict[str, Intent] = {"STOP": OptOut(), "HELP": HelpWanted(), **({"START": OptIn()} if starts else {})}
    meant = by_word.get(talk.carriers_word)
    if meant is None:
        return None
    first = [intent for intent in reading.intents if isinstance(intent, SelfHarm | RedFlag)]
    return Reading((*first, meant))


def where_stop_stands(talk: Talk, body: str, reading: Reading) -> Reading:
    """Read what takes texts up again only where STOP stands: YES, as the carrier does, which has told the person so, and "restart"."""
    yes = Yes() in reading.intents and carrier_resumed(*people.as_it_came(talk.c, talk.sid))
    if (yes or is_restart(body)) and people.opted_out(talk.c, talk.contact_point_id):
        return Reading((OptIn(),))
    return reading


def opt_out(talk: Talk) -> None:
    """End texting to the number at once, for everyone behind it; confirm once; tell the clinic. The medicine has not stopped.

    Once: where the carrier matched the word itself it has told the person, and takes nothing more from us.
    """
    by_carrier = talk.carriers_word == "STOP"
    if not people.opt(talk.c, talk.contact_point_id, out=True, given_by=talk.role, at=talk.at, sid=talk.sid, by_carrier=by_carrier):
        return  # said again, or taken back since: no further text may go there, and the clinic knows
    told = by_carrier or carrier_ended(*people.as_it_came(talk.c, talk.sid))
    _silence(talk, "opted_out", None if told else Draft("texts_stopped", "opt-out", f"in:{talk.sid}"))
    for one in talk.everyone:
        talk.alert([one], texts_stopped(one.patient, talk.contact_point_id, cause=f"stop {talk.sid}"))


def opt_in(talk: Talk) -> None:
    """Take up texting the number again, where consent on record covers it; unless the carrier would let nothing through.

    Its own STOP ends at its own words only, and no answer of ours reaches who wrote others: the clinic has to tell them.
    """
    by_carrier = talk.carriers_word == "START"
    if not by_carrier and people.is_held(talk.c, talk.contact_point_id, talk.sid):
        words = (
            "Texts are asked for again, but the carrier has ended them and lets none through, not even an answer. Ask them to text START."
        )
        talk.alert(talk.everyone, Notice("texts_stopped", "urgent", f"start {talk.contact_point_id} {talk.at:%Y-%m-%d}", words))
        return
    people.opt(talk.c, talk.contact_point_id, out=False, given_by=talk.role, at=talk.at, sid=talk.sid, by_carrier=by_carrier)
    if people.opted_out(talk.c, talk.contact_point_id):
        return  # found late: STOP was said since
    for alert in alerts.open_alerts(talk.c, patient_ids=[one.patient.id for one in talk.everyone], kinds=["texts_stopped"]):
        alerts.close(talk.c, alert, reason="texts are on again", by=talk.role, at=talk.at)
    talk.look_again()
    if not by_carrier:
        talk.reply(simply("opted_in", "opt-in"))


def wrong_number(talk: Talk) -> None:
    """The phone is somebody else's: nothing more is sent to it until a person has proved it again."""
    people.doubt_number(talk.c, talk.contact_point_id)
    _silence(talk, "unverified", Draft("wrong_number", "opt-out", f"in:{talk.sid}"))
    words = "Somebody at this number says it is not the patient's. Ask for the right one; no text goes out until it is verified."
    talk.alert_unless_open(talk.everyone, Notice("wrong_number", "urgent", f"wrong {talk.sid}", words, clinical=False))


def _silence(talk: Talk, why: str, last_word: Draft | None) -> None:
    """Take back all that waits to be sent to the number, and say one last thing to it, if there is one to say."""
    silencing.take_back(talk.c, talk.contact_point_id, why=why, at=talk.at, now=talk.now)
    talk.look_again()
    if last_word is not None:
        for one in talk.everyone[:1]:
            texts.queue(talk.c, one.patient, talk.line(one.patient), last_word, now=talk.now)
