"""Replying: what a text from somebody means, and what follows. Each text is taken in once, for ever, under its carrier's id.

A reply answers only for the people behind its own number, and no reply changes a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from db.engine import writing
from reminders.domain.caring import LINK_HOLDS
from reminders.domain.contact import Role
from reminders.domain.dose_state import DoseState
from reminders.domain.gate import SEVERE_GRADE
from reminders.messaging import intents as i
from reminders.messaging.questions import Answered, AskOnce, NoQuestion, Outcome, Why
from reminders.messaging.replies import parse
from reminders.messaging.texts import date_words, when
from reminders.messaging.transport import SECRET
from reminders.milestones import Milestone, Passing, unmarked
from reminders.services.records import care, check_ins, due, on_call, people, texts
from reminders.services.records.alerts import Notice
from reminders.services.records.texts import Asked, Draft
from reminders.services.replying import asked, called_phones, doses_said, how_it_goes, number_codes, safety, strangers, supplies_said
from reminders.services.replying.talk import Talk, simply
from reminders.services.replying.which_dose import Candidate, Meant, NoDose, Several, Statement, current, early, is_named, named, unnamed

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row


def _nobody_counts() -> None:
    """Let it pass."""


def receive(
    engine: Engine,
    *,
    sid: str,
    from_phone: str,
    to_phone: str,
    body: str,
    received_at: datetime,
    now: datetime,
    token: str | None = None,
    carriers_word: str = "",
    polled: bool = False,
    pages: str | None = None,
    passing: Passing = unmarked,
    repeated: Callable[[], object] = _nobody_counts,
) -> str | None:
    """Take in a text: keep it, read it, do what follows, and queue the answer; all in one transaction. Again is no harm.

    Returns the words to answer a stranger with in the same breath, as they have no clinic and no texts of their own; else None.

    token     the carrier's mark of one request and its repeats, kept as evidence.
    carriers_word  as what the carrier itself took it (STOP, START, HELP), where it says so: it has acted on it, and answered.
    pages     where our pages are reached, by https; None: no link to one is texted.
    polled    whether it was found in the carrier's list: no webhook brought it.
    repeated  called after the commit if the text was here before, for whoever counts.
    """
    with writing(engine) as c:
        behind = people.behind(c, from_phone)
        points = {role["contact_point_id"] for role in behind}
        called = [phone for phone in on_call.behind(c, from_phone) if phone["contact_point_id"] not in points]
        known = next(iter((*behind, *called)), {"clinic_id": None, "contact_point_id": None})
        read = "" if behind else strangers.reading_of(body, carriers_word)
        row = {
            "sid": sid,
            "clinic_id": known["clinic_id"],
            "contact_point_id": known["contact_point_id"],
            "from_phone": from_phone,
            "to_phone": to_phone,
            "body": body,
            "token": token,
            "polled": polled,
            "reading": read,
            "received_at": received_at,
            "recorded_at": now,
        }
        new = texts.keep_incoming(c, row)
        answer = None if behind else strangers.answer(c, row, new=new, now=now, answered=bool(carriers_word))
        if new:
            meant = _heard(c, behind, sid=sid, body=body, carriers_word=carriers_word, at=received_at, now=now, pages=pages)
            said = strangers.said(meant) if behind else read
            called_phones.heard(c, called, row, said=said, carriers_word=carriers_word, now=now)
        passing(Milestone.INBOUND_BEFORE_COMMIT)
    passing(Milestone.INBOUND_AFTER_COMMIT)
    if not new:
        repeated()
    return answer


def _heard(
    c: Connection, behind: list[Row], *, sid: str, body: str, carriers_word: str, at: datetime, now: datetime, pages: str | None
) -> frozenset[type[i.Intent]]:
    """Let a text take effect at each clinic that knows its number; return the kinds of what it was read as."""
    meant: set[type[i.Intent]] = set()
    for contact_point_id in dict.fromkeys(role["contact_point_id"] for role in behind):
        mine = [role for role in behind if role["contact_point_id"] == contact_point_id]
        read = _converse(c, mine, sid=sid, body=body, carriers_word=carriers_word, at=at, now=now, pages=pages)
        meant |= {type(intent) for intent in read}
    return frozenset(meant)


def _converse(
    c: Connection, behind: list[Row], *, sid: str, body: str, carriers_word: str, at: datetime, now: datetime, pages: str | None
) -> tuple[i.Intent, ...]:
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
        pages=pages,
        carriers_word=carriers_word,
    )
    if number_codes.heard(talk, body):
        return ()
    plainly = parse(body, language=standing[0].patient.language)
    reading = safety.as_the_carrier_took_it(talk, plainly) or safety.where_something_is_asked(
        talk, body, safety.where_stop_stands(talk, body, plainly)
    )
    _understand(talk, reading)
    names = ", ".join(type(intent).__name__ for intent in reading.intents)
    texts.read_as(c, sid, reading=names, understood=not talk.misread)
    return reading.intents


def _understand(talk: Talk, reading: i.Reading) -> None:
    """Let everything a text says take effect: what must not wait, the answer to what was asked, and the rest."""
    outcome = asked.find(talk, reading)
    talk.alarmed = any(isinstance(intent, ALARMS) and not getattr(intent, "negated", False) for intent in reading.intents)
    first = [intent for intent in reading.intents if isinstance(intent, FIRST)]
    for intent in first:
        _take(talk, intent)
    match outcome:
        case Answered():
            for answer in (outcome, *outcome.also):
                asked.answer(talk, answer)
        case AskOnce():
            asked.ask_back(talk, outcome, reading)
        case NoQuestion(why=why):
            if why in UNREADABLE:
                _not_understood(talk)
    for left in _left(outcome, reading):
        if left not in first:
            _take(talk, left)
    asked.settle(talk)
    if reading.unread and not talk.misread:
        words = "Part of a text was not understood. Read it."
        talk.alert(talk.everyone[:1], Notice("unread_words", "info", f"unread {talk.sid}", words, clinical=False, owner="clinic"))
    talk.tell_hours()


def _left(outcome: Outcome, reading: i.Reading) -> Sequence[i.Intent]:
    """The meanings that take effect on their own: those no question has used up."""
    match outcome:
        case Answered(rest=rest):
            return rest
        case AskOnce():
            return [intent for intent in reading.intents if not isinstance(intent, STATEMENTS)]
        case NoQuestion(why=why) if why in UNREADABLE:
            return [intent for intent in reading.intents if not isinstance(intent, STATEMENTS)]
        case _:
            said = any(isinstance(intent, i.Taken | i.NotTaken | i.LateQuestion) for intent in reading.intents)
            return [intent for intent in reading.intents if not (said and isinstance(intent, i.Digit))]  # "1 taken" says it once


def _take(talk: Talk, intent: i.Intent) -> None:
    """Let one meaning of a text take effect, or say that it was not understood."""
    if isinstance(intent, EVERYBODYS) or (talk.answers and type(intent) in SAID):
        SAID[type(intent)](talk, intent)
    else:
        _not_understood(talk)


EVERYBODYS = (i.RedFlag, i.SelfHarm, i.OptOut, i.OptIn, i.HelpWanted, i.LinkWanted, i.WrongNumber, i.StoppedTaking, i.OutOfMedicine)
"""What anybody may say, a caregiver too."""

ALARMS = (i.RedFlag, i.SelfHarm, i.StoppedTaking)
"""Beside these, nothing says "you can take your dose": no more may be safe, or none."""

FIRST = (
    i.SelfHarm,
    i.RedFlag,
    i.OptOut,
    i.StoppedTaking,
    i.WantsToStop,
    i.EndOrAnswer,
    i.OptIn,
    i.WrongNumber,
    i.TookDouble,
    i.TookHalf,
    i.Vomited,
)
"""What takes effect before an answer does: danger, the end of texts, and what makes the next dose a person's decision."""

UNREADABLE = frozenset({Why.CONTRADICTION, Why.ASKED_ALREADY})
"""A short answer that says two things at once, or that could still mean either of two after it was asked which."""

STATEMENTS = (i.Digit, i.Taken, i.NotTaken, i.Yes, i.No, i.SomeTaken, i.NoneOfThem, i.OnTime, i.TookBoth, i.Named, i.Label)
"""What only says something of a dose or to a question."""


def _not_understood(talk: Talk) -> None:
    """One short menu, shown to staff, and no state changes; no menu where a person has taken the conversation over: it is for them."""
    talk.misread = True
    held = talk.held()
    about = [one for one in talk.answers if one.patient.id in held] or talk.everyone[:1]
    talk.for_a_person("A text was not understood. Read it.", about, held)
    if not held:
        talk.reply(simply("not_understood", "menu"))


def _about_a_dose(talk: Talk, said: Statement, then: str) -> None:
    """Find the dose that is meant, and let what was said of it take effect; ask once if it could be two."""
    match _meant(talk, said):
        case Candidate() as meant if then == "taken":
            doses_said.taken(talk, meant, said)
            if meant.dose.state is DoseState.TAKEN and not doses_said.told_times(talk, meant, said):
                doses_said.advise(talk, meant)  # told before: it is down as taken, and is not to be taken again
        case Candidate() as meant:
            asked.THEN[then](talk, meant)
        case Several() as several:
            doses_said.ask_which(talk, several, answers={each.dose.id: then for each in several.candidates})
        case NoDose():
            _no_dose(talk, then)


def _meant(talk: Talk, said: Statement) -> Meant:
    if isinstance(said, i.LateQuestion):
        return named(talk, said) if is_named(said) else current(talk)
    if is_named(said):
        return (early(talk, said) if isinstance(said, i.Taken) and not said.day else None) or named(talk, said)
    found = unnamed(talk)
    if isinstance(found, NoDose) and isinstance(said, i.Taken):
        found = early(talk) or found
    return current(talk) if isinstance(found, NoDose) else found


def _no_dose(talk: Talk, then: str) -> None:
    """Nothing can be meant: it is asked about, and a person told, rather than anything guessed."""
    for one in talk.answers[:1]:
        if then == "taken":
            words = "The patient says they took a dose, but none is due or open. Ask which, and when."
            talk.alert([one], Notice("took_unknown", "warning", f"unknown {talk.sid}", words))
            ends = talk.now + doses_said.TIME_ASKED
            fields = {"when": when(talk.at, one.patient.tz, one.patient.language)}
            talk.say(one.patient, Draft("no_dose_due", "question", "", fields=fields, expires_at=ends, asks=Asked("no_dose_due", ends)))
        else:
            talk.say(one.patient, simply("ask_provider", "advice"))


def _digit(talk: Talk, intent: i.Digit) -> None:
    """A digit that answers no open question means what the menu of every reminder says."""
    menu: Mapping[int, Callable[[], None]] = {
        1: lambda: _about_a_dose(talk, i.Taken(), "taken"),
        2: lambda: _about_a_dose(talk, i.NotTaken(), "not_taken"),
        3: lambda: safety.problem(talk),
    }
    menu.get(intent.n, lambda: _not_understood(talk))()


def _letter(talk: Talk, said: i.Label) -> None:
    """A letter alone says that this one was taken, while a dose of that plan waits; beside a check-in it could be a symptom."""
    taken = i.Taken(label=said.letter)
    match named(talk, taken):
        case Candidate(waiting=True) as meant if not any(row["kind"] in check_ins.QUESTIONS for row in talk.questions):
            doses_said.taken(talk, meant, taken)
        case _:
            _not_understood(talk)


def _both(talk: Talk) -> None:
    """Both of two medicines whose doses wait; else two doses of one."""
    match unnamed(talk):
        case Several(candidates=(first, second)) if first.waiting and second.waiting:
            for meant in (first, second):
                doses_said.taken(talk, meant, i.Taken())
        case _:
            _odd(talk, "took two")


def _odd(talk: Talk, why: str) -> None:
    meant = unnamed(talk)
    if isinstance(meant, NoDose):
        meant = current(talk)
    doses_said.odd(talk, meant if isinstance(meant, Candidate) else None, why)


def _link(talk: Talk) -> None:
    """Text who is around a patient the link to their page, for each patient one; its secret is made when it is sent."""
    readers = [one for one in talk.everyone if care.reader_at(one.patient, talk.contact_point_id)]
    if talk.pages is None or not readers:
        _not_understood(talk)
        return
    for one in readers:
        until = (talk.now + LINK_HOLDS).astimezone(one.patient.tz).date()
        fields = {
            "name": one.patient.name.split()[0],
            "link": f"{talk.pages}/care/{SECRET}",
            "date": date_words(until, one.patient.language),
        }
        talk.say(one.patient, Draft(care.KIND, care.KIND, "", fields=fields))


def _tell(talk: Talk, kind: str, severity: str, words: str, *, answer: str = "noted", clinical: bool = False) -> None:
    talk.alert(
        talk.answers, Notice(kind, severity, f"{kind} {talk.sid}", words, clinical=clinical, owner="provider" if clinical else "clinic")
    )
    talk.reply(simply(answer, "answer"))


def _unasked(talk: Talk, said: how_it_goes.Told) -> None:
    """Keep what a patient tells of how it goes without being asked; of whom, must be plain. What calls for no look is information."""
    found = [how_it_goes.told(talk, one, said, asked=False) for one in talk.answers] if len(talk.answers) == 1 else []
    if any(found):
        talk.reply(simply("noted", "answer"))
        return
    match said:
        case i.Symptoms(grades=grades):
            worst = max((grade for _, grade in grades), default=0) >= SEVERE_GRADE
            words = "Symptoms told by text: " + (", ".join(f"{letter}{grade}" for letter, grade in grades) or "none") + "."
            _tell(talk, "symptoms", "urgent" if worst else "info", words, clinical=worst)
        case i.Stiffness(n=rating):
            _tell(talk, "stiffness", "info", f"Stiffness told by text: {rating} of 10.")
        case i.BloodPressure(systolic=systolic, diastolic=diastolic):
            _tell(talk, "blood_pressure", "info", f"Blood pressure told by text: {systolic}/{diastolic}.")
        case i.Spasms(frequency=frequency, severity=severity):
            severe = f", severity {severity} of 3" if severity else ""
            _tell(talk, "spasms", "info", f"Spasms told by text: Penn frequency {frequency} of 4{severe}.")
        case i.Ticks(ticks=ticks):
            words = ", ".join(f"{letter} {'yes' if yes else 'no'}" for letter, yes in ticks)
            _tell(talk, "ticks", "info", f"Told by text: {words}.")


SAID: Mapping[type, Callable[[Talk, Any], None]] = MappingProxyType(
    {
        i.RedFlag: safety.red_flag,
        i.SelfHarm: lambda talk, said: safety.self_harm(talk, negated=said.negated),
        i.OptOut: lambda talk, _: safety.opt_out(talk),
        i.OptIn: lambda talk, _: safety.opt_in(talk),
        i.HelpWanted: lambda talk, _: safety.help_wanted(talk),
        i.LinkWanted: lambda talk, _: _link(talk),
        i.WrongNumber: lambda talk, _: safety.wrong_number(talk),
        i.StoppedTaking: lambda talk, _: safety.stopped_taking(talk),
        i.WantsToStop: lambda talk, _: safety.wants_to_stop(talk),
        i.EndOrAnswer: lambda talk, _: safety.end_or_answer(talk),
        i.OutOfMedicine: lambda talk, said: safety.out_of_medicine(talk, soon=said.soon),
        i.Refill: supplies_said.refill,
        i.TabletsLeft: supplies_said.tablets_left,
        i.Problem: lambda talk, _: safety.problem(talk),
        i.Taken: lambda talk, said: _about_a_dose(talk, said, "taken"),
        i.NotTaken: lambda talk, said: _about_a_dose(talk, said, "not_taken"),
        i.LateQuestion: lambda talk, said: _about_a_dose(talk, said, "late"),
        i.Digit: _digit,
        i.Label: _letter,
        i.TookDouble: lambda talk, _: _odd(talk, "took two"),
        i.TookBoth: lambda talk, _: _both(talk),
        i.TookHalf: lambda talk, _: _odd(talk, "half"),
        i.Vomited: lambda talk, _: _odd(talk, "threw up"),
        i.Symptoms: _unasked,
        i.Stiffness: _unasked,
        i.BloodPressure: _unasked,
        i.Spasms: _unasked,
        i.Ticks: _unasked,
        i.CallMe: lambda talk, _: _tell(talk, "call_me", "warning", "The patient asks to be called."),
        i.Slower: lambda talk, _: _tell(talk, "slower", "warning", "The patient asks to go slower.", answer="slower"),
        i.Unsure: lambda talk, _: _tell(
            talk, "unsure", "warning", "The patient is not sure whether a dose was taken. Call.", answer="ask_provider"
        ),
        i.FeltBetter: lambda talk, _: _tell(talk, "felt_better", "info", "The patient writes of feeling better."),
    }
)
"""What follows from each meaning that answers no question."""
