"""Which open question a reading answers, and how. It keeps no ledger: the open questions of a phone are given to it.

A bare digit answers the last question asked. Two that could both be meant are asked about once, never guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from reminders.messaging.intents import (
    Digit,
    Intent,
    Label,
    Named,
    No,
    NoneOfThem,
    NotTaken,
    OnTime,
    Reading,
    SomeTaken,
    Taken,
    TookBoth,
    Yes,
)
from reminders.messaging.question_kinds import Answered, AskOnce, Meaning, NoQuestion, Outcome, Question, QuestionKind, Why, menu_of
from reminders.messaging.question_words import answer_of, names_dose

__all__ = [
    "Answered",
    "AskOnce",
    "Meaning",
    "NoQuestion",
    "Outcome",
    "Question",
    "QuestionKind",
    "Why",
    "menu_of",
    "names_dose",
    "question_for",
]


def question_for(reading: Reading, questions: Sequence[Question], now: datetime, *, roles: Collection[str] = ("patient",)) -> Outcome:
    """Say which of a phone's questions a reading answers at an instant, and how.

    `roles` of the phone: a caregiver's answers only what caregivers are asked, a patient's or proxy's only the rest.
    What can be no answer (a danger sign, STOP, "call me") takes effect whatever comes out here.
    """
    live = [question for question in questions if question.asked_at <= now < question.expires_at and _is_for(question, roles)]
    live.sort(key=lambda question: (question.asked_at, question.id))
    digits = [intent for intent in reading.intents if isinstance(intent, Digit)]
    words = [intent for intent in reading.intents if not isinstance(intent, Digit)]
    if len(digits) > 1:
        return NoQuestion(Why.CONTRADICTION)
    if digits:
        return _beside_digit(_answer_to(live, digits[0], now), words, now)
    return _together([(intent, _answer_to(live, intent, now)) for intent in words])


_TO_CAREGIVERS = frozenset((QuestionKind.CAREGIVER_CONSENT, QuestionKind.CAREGIVER_CHECK))
_PATIENT_ROLES = frozenset(("patient", "proxy"))
_STATEMENTS = (Taken, NotTaken, Yes, No, SomeTaken, NoneOfThem, OnTime, TookBoth, Named, Label)
"""What beside a digit must say the same as it; other meanings take effect beside it."""


def _is_for(question: Question, roles: Collection[str]) -> bool:
    if question.kind in _TO_CAREGIVERS:
        return "caregiver" in roles
    return any(role in _PATIENT_ROLES for role in roles)


# --- which of several questions ---------------------------------------------------------------------------------------------------


def _answer_to(live: Sequence[Question], intent: Intent, now: datetime) -> Outcome:
    """Find the question one meaning answers: the last one it can answer.

    A question that has not been proved delivered may not have been read yet: then the one before it can be meant as well.
    """
    if isinstance(intent, Digit):
        live = [question for question in live if menu_of(question)]
    found: list[Answered] = []
    for question in reversed(live):
        answer = answer_of(question, intent, now)
        if answer is not None:
            found.append(answer)
        if question.delivered and (answer is not None or isinstance(intent, Digit)):
            break
    if not found:
        return NoQuestion(Why.NO_SUCH_ANSWER if live else Why.NOTHING_OPEN)
    differing = {(answer.meaning, answer.doses): answer for answer in reversed(found)}
    if len(differing) == 1:
        return found[0]
    if found[0].question.kind is QuestionKind.WHICH_DOSE:
        return NoQuestion(Why.ASKED_ALREADY)
    return AskOnce(tuple(answer.question for answer in differing.values()))


def _beside_digit(outcome: Outcome, words: Sequence[Intent], now: datetime) -> Outcome:
    """Check a digit against the words beside it: "1 taken" agrees with itself, "2 taken" answers nothing."""
    if not isinstance(outcome, Answered):
        return outcome
    rest: list[Intent] = []
    for word in words:
        said = answer_of(outcome.question, word, now)
        if said is not None and (said.meaning, said.doses) == (outcome.meaning, outcome.doses):
            continue
        if isinstance(word, _STATEMENTS):
            return NoQuestion(Why.CONTRADICTION)
        rest.append(word)
    return replace(outcome, rest=tuple(rest))


def _together(outcomes: Sequence[tuple[Intent, Outcome]]) -> Outcome:
    """Put the answers of several meanings into one; a question to ask back comes before them all."""
    answers = [outcome for _, outcome in outcomes if isinstance(outcome, Answered)]
    rest = tuple(intent for intent, outcome in outcomes if not isinstance(outcome, Answered))
    ask = next((outcome for _, outcome in outcomes if isinstance(outcome, AskOnce)), None)
    if ask is not None:
        return ask
    if answers:
        return replace(answers[0], also=tuple(answers[1:]), rest=rest)
    return next((outcome for _, outcome in outcomes), NoQuestion())
