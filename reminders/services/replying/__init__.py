"""Replying: what a text from somebody means, and what follows. Each text is taken in once, for ever, under its carrier's id.

A reply answers only for the people behind its own number, and no reply changes a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from db.engine import writing
from reminders.domain.contact import Role
from reminders.messaging import intents as i
from reminders.messaging.replies import parse
from reminders.services.records import due, people, texts
from reminders.services.records.alerts import Notice
from reminders.services.replying import asked, doses_said, safety
from reminders.services.replying.talk import Talk, simply
from reminders.services.replying.which_dose import Candidate, Meant, NoDose, Several, current, early, is_named, named, unnamed

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row


def receive(engine: Engine, *, sid: str, from_phone: str, to_phone: str, body: str, received_at: datetime, now: datetime) -> None:
    """Take in a text: keep it, read it, do what follows, and queue the answer; all in one transaction. Again is no harm."""
    with writing(engine) as c:
        behind = people.behind(c, from_phone)
        row = {
            "sid": sid,
            "clinic_id": behind[0]["clinic_id"] if behind else None,
            "contact_point_id": behind[0]["contact_point_id"] if behind else None,
            "from_phone": from_phone,
            "to_phone": to_phone,
            "body": body,
            "received_at": received_at,
            "recorded_at": now,
        }
        if not texts.keep_incoming(c, row) or not behind:
            return  # taken in before; or from a number nobody knows, to which an answer would reveal who is enrolled
        for contact_point_id in dict.fromkeys(role["contact_point_id"] for role in behind):
            mine = [role for role in behind if role["contact_point_id"] == contact_point_id]
            _converse(c, mine, sid=sid, body=body, at=received_at, now=now)


def _converse(c: Connection, behind: list[Row], *, sid: str, body: str, at: datetime, now: datetime) -> None:
    patient_ids = sorted({role["patient_id"] for role in behind})
    people.lock(c, patient_ids)
    answering = {role["patient_id"] for role in behind if role["role"] != Role.CAREGIVER.value}
    standing = due.gather(c, patient_ids, now=now)
    point = behind[0]["contact_point_id"]
    talk = Talk(
        c,
        sid,
        at,
        now,
        point,
        answers=tuple(one for one in standing if one.patient.id in answering),
        cares=tuple(one for one in standing if one.patient.id not in answering),
        questions=tuple(texts.open_questions(c, [point], now=at)),
    )
    reading = parse(body, language=standing[0].patient.language)
    understood = [_take(talk, intent) for intent in reading.intents]
    if reading.unread and any(understood):
        talk.alert(
            talk.everyone[:1],
            Notice("unread_words", "info", f"unread {sid}", "Part of a text was not understood. Read it.", clinical=False, owner="clinic"),
        )
    names = ", ".join(type(intent).__name__ for intent in reading.intents)
    texts.read_as(c, sid, reading=names, understood=any(understood))


def _take(talk: Talk, intent: i.Intent) -> bool:
    """Let one meaning of a text take effect; say whether it could."""
    if isinstance(intent, EVERYBODYS):
        SAID[type(intent)](talk, intent)
        return True
    if asked.answer(talk, intent):
        return True
    if talk.answers and type(intent) in SAID:
        SAID[type(intent)](talk, intent)
        return True
    _not_understood(talk)
    return False


EVERYBODYS = (i.RedFlag, i.SelfHarm, i.OptOut, i.OptIn, i.HelpWanted, i.WrongNumber)
"""What anybody may say, a caregiver too."""


def _not_understood(talk: Talk) -> None:
    """One short menu, shown to staff, and no state changes."""
    for one in talk.everyone[:1]:
        talk.say(one.patient, simply("not_understood", "menu"))
        words = "A text was not understood. Read it."
        talk.alert([one], Notice("unreadable", "info", f"unreadable {talk.sid}", words, clinical=False, owner="clinic"))


def _about_a_dose(talk: Talk, intent: Any, then: str) -> None:  # noqa: ANN401 - any meaning that names a dose
    """Find the dose that is meant, and let what was said of it take effect; ask once if it could be two."""
    meant = _meant(talk, intent, then)
    match meant:
        case Candidate():
            if then == "taken":
                doses_said.taken(talk, meant, intent)
            else:
                asked.THEN[then](talk, meant)
            asked.settle(talk, {meant.dose.id})
        case Several():
            doses_said.ask_which(talk, meant, then=then)
        case NoDose():
            _no_dose(talk, then)


def _meant(talk: Talk, intent: Any, then: str) -> Meant:  # noqa: ANN401
    if is_named(intent):
        return named(talk, intent)
    if then == "late":
        return current(talk, None)
    about = asked.dose_question(talk)
    if len(about) == 1:
        return about[0]
    if len(about) > 1:
        return Several(tuple(about))
    found = unnamed(talk)
    if isinstance(found, NoDose) and then == "taken":
        return early(talk) or found
    return found


def _no_dose(talk: Talk, then: str) -> None:
    """Nothing can be meant: a person is asked rather than anything guessed."""
    for one in talk.answers[:1]:
        if then == "taken":
            words = "The patient says they took a dose, but none is due or open. Ask which, and when."
            talk.alert([one], Notice("took_unknown", "warning", f"unknown {talk.sid}", words))
            talk.say(one.patient, simply("noted", "answer"))
        else:
            talk.say(one.patient, simply("ask_provider", "advice"))


def _taken(talk: Talk, intent: i.Taken) -> None:
    everything = asked.dose_question(talk) if intent.all else []
    if everything:
        for meant in everything:
            doses_said.taken(talk, meant, intent)
        asked.settle(talk, {meant.dose.id for meant in everything})
    else:
        _about_a_dose(talk, intent, "taken")


def _not_taken(talk: Talk, intent: i.NotTaken) -> None:
    everything = asked.dose_question(talk) if intent.all or not is_named(intent) else []
    for meant in everything:
        doses_said.not_taken(talk, meant)
    if not everything:
        _about_a_dose(talk, intent, "not taken")


def _digit(talk: Talk, intent: i.Digit) -> None:
    """A digit that answers no open question means what the menu of every reminder says."""
    menu: Mapping[int, Callable[[], None]] = {
        1: lambda: _about_a_dose(talk, i.Taken(), "taken"),
        2: lambda: _about_a_dose(talk, i.NotTaken(), "not taken"),
        3: lambda: safety.problem(talk),
    }
    menu.get(intent.n, lambda: _not_understood(talk))()


def _odd(talk: Talk, why: str) -> None:
    about = asked.dose_question(talk)
    meant = about[0] if len(about) == 1 else current(talk, None)
    doses_said.odd(talk, meant if isinstance(meant, Candidate) else None, why)


def _tell(talk: Talk, kind: str, severity: str, words: str, *, answer: str = "noted", clinical: bool = False) -> None:
    talk.alert(
        talk.answers, Notice(kind, severity, f"{kind} {talk.sid}", words, clinical=clinical, owner="provider" if clinical else "clinic")
    )
    for one in talk.answers[:1]:
        talk.say(one.patient, simply(answer, "answer"))


def _symptoms(talk: Talk, intent: i.Symptoms) -> None:
    worst = max((grade for _, grade in intent.grades), default=0)
    severe = worst >= 3  # noqa: PLR2004 - the worst grade of the scale
    words = "Symptoms told by text: " + (", ".join(f"{letter}{grade}" for letter, grade in intent.grades) or "none") + "."
    _tell(talk, "symptoms", "urgent" if severe else "info", words, clinical=severe)


def _help(talk: Talk) -> None:
    for one in talk.everyone[:1]:
        talk.say(one.patient, simply("help", "help"))


SAID: Mapping[type, Callable[[Talk, Any], None]] = MappingProxyType(
    {
        i.RedFlag: safety.red_flag,
        i.SelfHarm: lambda talk, said: safety.self_harm(talk, negated=said.negated),
        i.OptOut: lambda talk, _: safety.opt_out(talk),
        i.OptIn: lambda talk, _: safety.opt_in(talk),
        i.HelpWanted: lambda talk, _: _help(talk),
        i.WrongNumber: lambda talk, _: safety.wrong_number(talk),
        i.StoppedTaking: lambda talk, _: safety.stopped_taking(talk),
        i.WantsToStop: lambda talk, _: safety.wants_to_stop(talk),
        i.OutOfMedicine: lambda talk, said: safety.out_of_medicine(talk, soon=said.soon),
        i.Refill: safety.refill,
        i.Problem: lambda talk, _: safety.problem(talk),
        i.Taken: _taken,
        i.NotTaken: _not_taken,
        i.LateQuestion: lambda talk, said: _about_a_dose(talk, said, "late"),
        i.Digit: _digit,
        i.TookDouble: lambda talk, _: _odd(talk, "took two"),
        i.TookBoth: lambda talk, _: _odd(talk, "took two"),
        i.TookHalf: lambda talk, _: _odd(talk, "half"),
        i.Vomited: lambda talk, _: _odd(talk, "threw up"),
        i.Symptoms: _symptoms,
        i.Stiffness: lambda talk, said: _tell(talk, "stiffness", "info", f"Stiffness told by text: {said.n} of 10."),
        i.BloodPressure: lambda talk, said: _tell(
            talk, "blood_pressure", "info", f"Blood pressure told by text: {said.systolic}/{said.diastolic}."
        ),
        i.CallMe: lambda talk, _: _tell(talk, "call_me", "warning", "The patient asks to be called."),
        i.Slower: lambda talk, _: _tell(talk, "slower", "warning", "The patient asks to go slower.", answer="slower"),
        i.Unsure: lambda talk, _: _tell(
            talk, "unsure", "warning", "The patient is not sure whether a dose was taken. Call.", answer="ask_provider"
        ),
        i.FeltBetter: lambda talk, _: _tell(talk, "felt_better", "info", "The patient writes of feeling better."),
    }
)
"""What follows from each meaning that answers no question."""
