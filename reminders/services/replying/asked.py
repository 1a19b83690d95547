"""Answers to what was asked: which question a short answer belongs to, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from reminders.domain.dose_state import DoseEvent, EventKind
from reminders.messaging.intents import Digit, Intent, Label, No, NoneOfThem, OnTime, SomeTaken, Taken, TookBoth, Yes
from reminders.services.records import alerts, doses, plans, texts
from reminders.services.records.alerts import Notice
from reminders.services.replying import doses_said, safety
from reminders.services.replying.talk import simply
from reminders.services.replying.which_dose import Candidate, Several, of_ids

if TYPE_CHECKING:
    from reminders.services.records.due import Due
    from reminders.services.records.ledger import Row
    from reminders.services.replying.talk import Talk

DELIVERED = 4

DIGITS: Mapping[str, int] = MappingProxyType(
    {
        "dose": 3,
        "on_time_or_now": 2,
        "which_dose": 3,
        "why_not_taken": 5,
        "silence": 3,
        "outage": 3,
        "catch_up": 2,
        "no_dose_due": 2,
        "caregiver_check": 1,
    }
)
"""How many numbered answers each kind of question has."""


def digit_of(kind: str, intent: Intent) -> int | None:
    """Which numbered answer a short answer means to a kind of question; None: it answers no such question."""
    match intent:
        case Digit(n=n):
            return n if 1 <= n <= DIGITS[kind] else None
        case Yes():
            return 1 if kind in {"dose", "no_dose_due", "caregiver_check"} else None
        case No():
            return 2 if kind in {"dose", "no_dose_due"} else None
        case NoneOfThem():
            return {"dose": 2, "silence": 3, "outage": 3, "which_dose": 3}.get(kind)
        case SomeTaken():
            return 2 if kind in {"silence", "outage", "catch_up"} else None
        case OnTime():
            return 1 if kind == "on_time_or_now" else None
        case Taken(all=True):
            return 1 if kind in {"silence", "outage", "catch_up", "dose"} else None
        case Taken(now=True):
            return 2 if kind == "on_time_or_now" else None
        case _:
            return None


def answer(talk: Talk, intent: Intent) -> bool:
    """Let a short answer answer the last question it can; False if it answers none."""
    fitting = [question for question in talk.questions if digit_of(question["kind"], intent) is not None]
    if isinstance(intent, Label | TookBoth):
        fitting = talk.questions_of(["dose"])
    if not fitting:
        return False
    question = fitting[-1]
    if len(fitting) > 1 and question["rank"] < DELIVERED and _both_about_doses(fitting[-2], question):
        before, last = of_ids(talk, json.loads(fitting[-2]["doses"])), of_ids(talk, json.loads(question["doses"]))
        if before and last:
            doses_said.ask_which(talk, Several((before[-1], last[0])), then="taken" if digit_of("dose", intent) == 1 else "not taken")
            return True
    if isinstance(intent, Label):
        return _by_label(talk, question, intent)
    if isinstance(intent, TookBoth):
        return _both(talk, question)
    digit = digit_of(question["kind"], intent)
    assert digit is not None  # noqa: S101 - fitting questions only
    texts.answered(talk.c, question["id"], str(digit), at=talk.at)
    talk.questions = tuple(other for other in talk.questions if other["id"] != question["id"])
    ANSWERS[question["kind"]](talk, question, digit)
    return True


def dose_question(talk: Talk) -> list[Candidate]:
    """The doses of the newest open question about a dose."""
    asked = talk.questions_of(["dose"])
    return of_ids(talk, json.loads(asked[-1]["doses"])) if asked else []


def settle(talk: Talk, dose_ids: set[str]) -> None:
    """Close the questions whose doses have all been answered for, in whatever words."""
    for question in talk.questions_of(["dose"]):
        about = set(json.loads(question["doses"]))
        if about & dose_ids and all(_answered(dose) for dose in doses.read(talk.c, about).values()):
            texts.answered(talk.c, question["id"], "in words", at=talk.at)


def _answered(dose: doses.StoredDose) -> bool:
    return dose.standing.answered and dose.state not in doses.WAITING


def _both_about_doses(one: Row, other: Row) -> bool:
    return bool(one["kind"] == other["kind"] == "dose")


def _by_label(talk: Talk, question: Row, intent: Label) -> bool:
    """In a text about several medicines, a letter means that only this one was taken."""
    dose_id = json.loads(question["labels"]).get(intent.letter)
    if dose_id is None:
        return False
    for meant in of_ids(talk, [dose_id]):
        doses_said.taken(talk, meant)
    return True


def _both(talk: Talk, question: Row) -> bool:
    about = of_ids(talk, json.loads(question["doses"]))
    if len(about) == 1:
        doses_said.odd(talk, about[0], "took two")
    else:
        _dose(talk, question, 1)
    return True


def _dose(talk: Talk, question: Row, digit: int) -> None:
    about = of_ids(talk, json.loads(question["doses"]))
    if digit == 3:  # noqa: PLR2004 - the number printed in every reminder
        safety.problem(talk)
        return
    for meant in about:
        if digit == 1:
            doses_said.taken(talk, meant)
        else:
            doses_said.not_taken(talk, meant)


def _on_time_or_now(talk: Talk, question: Row, digit: int) -> None:
    for meant in of_ids(talk, json.loads(question["doses"])):
        told = meant.dose.standing.taken_by or talk.at
        at = meant.dose.slot.due_at if digit == 1 else told
        talk.learn(meant.dose, DoseEvent(EventKind.SAID_TAKEN, talk.at, taken_at=at, by=talk.by))


def _which_dose(talk: Talk, question: Row, digit: int) -> None:
    about = of_ids(talk, json.loads(question["doses"]))
    if digit > len(about):
        talk.say(talk.everyone[0].patient, simply("noted", "answer"))
        return
    THEN[json.loads(question["labels"]).get("then", "taken")](talk, about[digit - 1])


THEN: Mapping[str, Callable[[Talk, Candidate], None]] = MappingProxyType(
    {
        "taken": doses_said.taken,
        "not taken": doses_said.not_taken,
        "late": doses_said.late_question,
        "took two": lambda talk, meant: doses_said.odd(talk, meant, "took two"),
    }
)
"""What was said of the dose that had to be asked for."""


def _why_not_taken(talk: Talk, question: Row, digit: int) -> None:
    """Each reason has its action: out of medicine and feeling unwell do not wait."""
    reason = ("forgot", "felt unwell", "out of medicine", "felt better", "other")[digit - 1]
    one = _patient_of(talk, question)
    if reason == "out of medicine":
        safety.out_of_medicine(talk)
    elif reason == "felt unwell":
        safety.problem(talk)
    else:
        severity = "warning" if reason == "felt better" else "info"
        words = f"Reason given for doses not taken: {reason}."
        notice = Notice(
            "reason_given", severity, f"reason {question['id']}", words, plan_id=question["plan_id"], clinical=reason == "felt better"
        )
        talk.alert([one], notice)
        talk.say(one.patient, simply("noted", "answer"))


def _silence(talk: Talk, question: Row, digit: int) -> None:
    """All: taken, recalled in one answer. None: reported as not taken. Some: a person asks which."""
    about = of_ids(talk, json.loads(question["doses"]))
    unknown = [meant for meant in about if meant.dose.state in (*doses.UNKNOWN, *doses.WAITING) and not meant.dose.standing.answered]
    one = _patient_of(talk, question)
    if digit == 1:
        recalled = DoseEvent(EventKind.SAID_TAKEN, talk.at, taken_by=talk.at, recalled=True, by=talk.by)
        for meant in unknown:
            talk.learn(meant.dose, recalled)
    elif digit == 2:  # noqa: PLR2004 - the number printed in the question
        words = "The patient says some of the doses were taken and some were not. Ask which."
        talk.alert([one], Notice("some_missed", "warning", f"some {question['id']}", words, plan_id=question["plan_id"], clinical=False))
    else:
        for meant in unknown:
            talk.learn(meant.dose, DoseEvent(EventKind.SAID_NOT_TAKEN, talk.at, by=talk.by))
    talk.say(one.patient, simply("noted", "answer"))


def _catch_up(talk: Talk, question: Row, digit: int) -> None:
    """The evening before a step: the unknown doses become known, and the gate is decided on that at once."""
    about = of_ids(talk, json.loads(question["doses"]))
    if digit == 1:
        for meant in about:
            if meant.dose.state in (*doses.UNKNOWN, *doses.WAITING):
                talk.learn(meant.dose, DoseEvent(EventKind.SAID_TAKEN, talk.at, taken_by=talk.at, recalled=True, by=talk.by))
    else:
        one = _patient_of(talk, question)
        words = "Before the next step the patient says that some doses were missed. Ask which."
        talk.alert([one], Notice("some_missed", "info", f"some {question['id']}", words, plan_id=question["plan_id"], clinical=False))
    if question["plan_id"]:
        plans.decide_step_soon(talk.c, question["plan_id"], at=talk.now)


def _no_dose_due(talk: Talk, question: Row, digit: int) -> None:
    one = _patient_of(talk, question)
    if digit == 2:  # noqa: PLR2004 - the number printed in the question
        for alert in alerts.open_alerts(talk.c, patient_ids=[one.patient.id], kinds=["took_when_not_due"]):
            alerts.close(talk.c, alert, reason="the patient says it was not taken", by=talk.by, at=talk.at)
    talk.say(one.patient, simply("noted", "answer"))


def _caregiver_check(talk: Talk, question: Row, _digit: int) -> None:
    one = _patient_of(talk, question)
    for alert in alerts.open_alerts(talk.c, patient_ids=[one.patient.id], kinds=["caregivers_told"]):
        alerts.acknowledge(talk.c, alert, by="caregiver", at=talk.at)
    talk.say(one.patient, simply("caregiver_thanks", "answer"))


def _patient_of(talk: Talk, question: Row) -> Due:
    return next(one for one in talk.everyone if one.patient.id == question["patient_id"])


ANSWERS: Mapping[str, Callable[[Talk, Row, int], None]] = MappingProxyType(
    {
        "dose": _dose,
        "on_time_or_now": _on_time_or_now,
        "which_dose": _which_dose,
        "why_not_taken": _why_not_taken,
        "silence": _silence,
        "outage": _silence,
        "catch_up": _catch_up,
        "no_dose_due": _no_dose_due,
        "caregiver_check": _caregiver_check,
    }
)
