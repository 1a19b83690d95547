"""The questions our texts ask, what their digits mean, and what can come of an answer; values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from reminders.messaging.intents import Intent


class QuestionKind(StrEnum):
    """What was asked. A reminder asks too: `dose`, for one dose or for several that travelled together; and so does a person, `staff`."""

    DOSE = "dose"
    ON_TIME_OR_NOW = "on_time_or_now"
    WHICH_DOSE = "which_dose"
    WHICH_TIME = "which_time"
    NO_DOSE_DUE = "no_dose_due"
    WHY_NOT_TAKEN = "why_not_taken"
    SILENCE = "silence"
    OUTAGE = "outage"
    CATCH_UP = "catch_up"
    STIFFNESS = "stiffness"
    SYMPTOMS = "symptoms"
    BLOOD_PRESSURE = "blood_pressure"
    SPASMS = "spasms"
    IN_THE_WAY = "in_the_way"
    BENEFIT = "benefit"
    SLEEPINESS = "sleepiness"
    FLUIDS = "fluids"
    CONSENT = "consent"
    CAREGIVER_CONSENT = "caregiver_consent"
    CAREGIVER_CHECK = "caregiver_check"
    STAFF = "staff"


class Meaning(StrEnum):
    """What an answer says to its question."""

    TAKEN = "taken"
    NOT_TAKEN = "not_taken"
    PROBLEM = "problem"
    ALL = "all"
    SOME = "some"
    NONE = "none"
    ON_TIME = "on_time"
    JUST_NOW = "just_now"
    AT_TIME = "at_time"
    CHOSEN = "chosen"
    NEITHER = "neither"
    TOOK_ONE = "took_one"
    TOOK_NONE = "took_none"
    FORGOT = "forgot"
    UNWELL = "unwell"
    OUT_OF_MEDICINE = "out_of_medicine"
    FELT_BETTER = "felt_better"
    OTHER = "other"
    RATED = "rated"
    NO_LETTER = "no_letter"
    AGREED = "agreed"
    REFUSED = "refused"
    WILL_CHECK = "will_check"
    TO_STAFF = "to_staff"


@dataclass(frozen=True, slots=True)
class Question:
    """One question to one phone, open in `[asked_at, expires_at)`, UTC.

    doses      the ids of the doses it is about, in the order in which the text names them.
    delivered  whether the carrier has proved it arrived.
    labels     a letter for each dose, where the text has them.
    dues       the due time of each dose, aware, in the patient's zone; without them no dose can be answered by its time.
    """

    id: str
    kind: QuestionKind
    doses: tuple[str, ...]
    asked_at: datetime
    expires_at: datetime
    delivered: bool = True
    labels: tuple[str, ...] = ()
    dues: tuple[datetime, ...] = ()


class Why(StrEnum):
    """Why no question was answered."""

    NOTHING_OPEN = "nothing_open"
    NO_SUCH_ANSWER = "no_such_answer"
    CONTRADICTION = "contradiction"
    ASKED_ALREADY = "asked_already"


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a question, about these of its doses.

    also  what else the same text answers ("A taken, B skipped").
    rest  the meanings of the text that are not used up by the answer and take effect beside it ("1, but I feel sick").
    said  the meaning that answers: it may tell more than the answer ("took it at 9").
    """

    question: Question
    meaning: Meaning
    doses: tuple[str, ...]
    also: tuple[Answered, ...] = ()
    rest: tuple[Intent, ...] = ()
    said: Intent | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class AskOnce:
    """Several questions could be meant: ask once which, oldest first."""

    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class NoQuestion:
    """It answers no open question, or none that can be told."""

    why: Why = Why.NOTHING_OPEN


Outcome = Answered | AskOnce | NoQuestion


_DOSE_MENU = {1: Meaning.TAKEN, 2: Meaning.NOT_TAKEN, 3: Meaning.PROBLEM}
_HOW_MANY = {1: Meaning.ALL, 2: Meaning.SOME, 3: Meaning.NONE}
MENUS: Mapping[QuestionKind, Mapping[int, Meaning]] = MappingProxyType(
    {
        QuestionKind.DOSE: _DOSE_MENU,
        QuestionKind.ON_TIME_OR_NOW: {1: Meaning.ON_TIME, 2: Meaning.JUST_NOW},
        QuestionKind.NO_DOSE_DUE: {1: Meaning.TOOK_ONE, 2: Meaning.TOOK_NONE},
        QuestionKind.WHY_NOT_TAKEN: {
            1: Meaning.FORGOT,
            2: Meaning.UNWELL,
            3: Meaning.OUT_OF_MEDICINE,
            4: Meaning.FELT_BETTER,
            5: Meaning.OTHER,
        },
        QuestionKind.SILENCE: _HOW_MANY,
        QuestionKind.OUTAGE: _HOW_MANY,
        QuestionKind.CATCH_UP: {1: Meaning.ALL, 2: Meaning.SOME},
        QuestionKind.CAREGIVER_CHECK: {1: Meaning.WILL_CHECK},
    },
)
"""What each digit means, as the texts say it; a question with none is answered by its own tokens (S4, A2, W no, 118/76) or by YES.

A reminder of three or more medicines has "2 not all"; "which dose?" has one digit a dose and one for neither: see `menu_of`.
"""


def menu_of(question: Question) -> Mapping[int, Meaning]:
    """Say what each digit means to this question; empty if digits mean nothing to it."""
    if question.kind is QuestionKind.WHICH_DOSE:
        count = len(question.doses)
        return {**dict.fromkeys(range(1, count + 1), Meaning.CHOSEN), count + 1: Meaning.NEITHER}
    if question.kind is QuestionKind.DOSE and len(question.doses) > 2:  # noqa: PLR2004  # one, two, many: as the texts are
        return {**_DOSE_MENU, 2: Meaning.SOME}
    return MENUS.get(question.kind, {})
