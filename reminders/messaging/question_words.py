"""What one meaning of a reply says to one question, and which dose the words name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from reminders.messaging.dose_statements import UNNAMED, naming_of
from reminders.messaging.intents import (
    BloodPressure,
    DayWord,
    Digit,
    FeltBetter,
    Intent,
    Label,
    LateQuestion,
    Named,
    No,
    NoneOfThem,
    NotTaken,
    OnTime,
    OtherReason,
    OutOfMedicine,
    PartOfDay,
    Problem,
    SomeTaken,
    Spasms,
    Stiffness,
    Symptoms,
    Taken,
    Ticks,
    TookBoth,
    Yes,
)
from reminders.messaging.question_kinds import Answered, Meaning, Question, QuestionKind, menu_of

Statement = Taken | NotTaken | LateQuestion | Named


def answer_of(question: Question, intent: Intent, now: datetime) -> Answered | None:
    """Say what one meaning says to one question; None: nothing."""
    answer = _answer_of(question, intent, now)
    return None if answer is None else replace(answer, said=intent)


def _answer_of(question: Question, intent: Intent, now: datetime) -> Answered | None:
    if isinstance(intent, Digit):
        meaning = menu_of(question).get(intent.n)
        if meaning is None:
            return None
        chosen = question.doses[intent.n - 1 : intent.n] if question.kind is QuestionKind.WHICH_DOSE else question.doses
        return Answered(question, meaning, chosen)
    if question.kind is QuestionKind.DOSE:
        return _about_doses(question, intent, now)
    if question.kind is QuestionKind.WHICH_DOSE:
        return _chosen(question, intent, now)
    meaning = next((meaning for fits, meaning in _WORDS.get(question.kind, ()) if fits(intent)), None)
    return Answered(question, meaning, question.doses) if meaning is not None else None


def _about_doses(question: Question, intent: Intent, now: datetime) -> Answered | None:
    """Read words about the doses of a reminder. In one for several, a letter is that one only, and "some" needs asking which."""
    several = len(question.doses) > 1
    if isinstance(intent, Taken | NotTaken | Label):
        doses = _named_doses(question, intent, now)
        meaning = Meaning.NOT_TAKEN if isinstance(intent, NotTaken) else Meaning.TAKEN
        return Answered(question, meaning, doses) if doses else None
    if isinstance(intent, Yes) or (several and isinstance(intent, TookBoth)):
        return Answered(question, Meaning.TAKEN, question.doses)
    if isinstance(intent, No) or (several and isinstance(intent, NoneOfThem)):
        return Answered(question, Meaning.NOT_TAKEN, question.doses)
    if several and isinstance(intent, SomeTaken):
        return Answered(question, Meaning.SOME, question.doses)
    return None


def _chosen(question: Question, intent: Intent, now: datetime) -> Answered | None:
    if isinstance(intent, NoneOfThem):
        return Answered(question, Meaning.NEITHER, ())
    if not isinstance(intent, Named | Label | Taken | NotTaken | LateQuestion):
        return None
    doses = _named_doses(question, intent, now)
    return Answered(question, Meaning.CHOSEN, doses) if len(doses) == 1 else None


def _named_doses(question: Question, intent: Statement | Label, now: datetime) -> tuple[str, ...]:
    """Return the doses of a question that a statement can mean: all of them if it names none."""
    named = _of_label(intent) if isinstance(intent, Label) else intent
    if naming_of(named) == UNNAMED:
        return question.doses
    labels = question.labels or (None,) * len(question.doses)
    if question.dues:
        known = zip(question.doses, question.dues, labels, strict=True)
        return tuple(dose for dose, due, label in known if names_dose(named, due, now, label))
    by_label_alone = naming_of(named) == naming_of(_of_label(Label(named.label or "")))
    return tuple(dose for dose, label in zip(question.doses, labels, strict=True) if by_label_alone and label == named.label)


def _of_label(label: Label) -> Taken:
    return Taken(label=label.letter)


# --- which dose ------------------------------------------------------------


def names_dose(intent: Statement, due: datetime, now: datetime, label: str | None = None) -> bool:
    """Say whether what a statement names can be the dose due at an instant (aware, in the patient's zone).

    A statement that names nothing can be any. A time may be half an hour off, for people round; days count back from `now`.
    """
    letter, time, or_time, part, day = naming_of(intent)
    local_now = now.astimezone(due.tzinfo)
    return (
        (letter is None or letter == label)
        and (time is None or any(_near(due, each.hour * 60 + each.minute) for each in (time, or_time) if each is not None))
        and (part is None or due.hour in _HOURS[part])
        and (day is None or _is_day(due, local_now, day, part))
    )


_SMALL_HOURS = 4
_HOURS = {
    PartOfDay.MORNING: range(_SMALL_HOURS, 12),
    PartOfDay.AFTERNOON: range(12, 18),
    PartOfDay.EVENING: range(17, 24),
    PartOfDay.NIGHT: (*range(18, 24), *range(_SMALL_HOURS)),
}
_ROUNDING_MINUTES = 30
_DAY_MINUTES = 24 * 60


def _near(due: datetime, minute: int) -> bool:
    off = abs(due.hour * 60 + due.minute - minute)
    return min(off, _DAY_MINUTES - off) <= _ROUNDING_MINUTES


def _is_day(due: datetime, now: datetime, day: DayWord, part: PartOfDay | None) -> bool:
    """Say whether a due time lies on a named day; "last night" reaches into the small hours of today."""
    date = due.date()
    if part is PartOfDay.NIGHT and due.hour < _SMALL_HOURS:
        date -= timedelta(days=1)
    if day is DayWord.TODAY:
        return date == now.date()
    if day is DayWord.YESTERDAY:
        return date == now.date() - timedelta(days=1)
    return date.weekday() == tuple(DayWord).index(day) and timedelta(0) <= now.date() - date < timedelta(days=7)


# --- words of their own ------------------------------------------------------------

_Fits = Callable[[Intent], bool]


def _is(*kinds: type[Intent]) -> _Fits:
    return lambda intent: isinstance(intent, kinds)


def _all(intent: Intent) -> bool:
    return isinstance(intent, Taken) and intent.all


def _nothing_taken(intent: Intent) -> bool:
    return isinstance(intent, NoneOfThem) or (isinstance(intent, NotTaken) and intent.all)


def _just_now(intent: Intent) -> bool:
    return isinstance(intent, Taken) and intent.now


def _at_time(intent: Intent) -> bool:
    return (isinstance(intent, Taken) and (intent.at or intent.ago) is not None) or (isinstance(intent, Named) and intent.at is not None)


def _forgot(intent: Intent) -> bool:
    return isinstance(intent, LateQuestion) and not intent.asked and naming_of(intent) == UNNAMED


def _ticks(*letters: str) -> tuple[tuple[_Fits, Meaning], ...]:
    """Answered by yes or no with one of these letters; without one it is not said to what."""

    def fits(intent: Intent) -> bool:
        return isinstance(intent, Ticks) and any(letter in letters for letter, _ in intent.ticks)

    return (fits, Meaning.RATED), (_is(Yes, No), Meaning.NO_LETTER)


def _only_sleepy(intent: Intent) -> bool:
    return isinstance(intent, Symptoms) and [letter for letter, _ in intent.grades] == ["A"]


_ALL_SOME_NONE = ((_all, Meaning.ALL), (_is(SomeTaken), Meaning.SOME), (_nothing_taken, Meaning.NONE))
_WORDS: Mapping[QuestionKind, tuple[tuple[_Fits, Meaning], ...]] = MappingProxyType(
    {
        QuestionKind.ON_TIME_OR_NOW: ((_is(OnTime), Meaning.ON_TIME), (_just_now, Meaning.JUST_NOW), (_at_time, Meaning.AT_TIME)),
        QuestionKind.WHICH_TIME: ((_just_now, Meaning.JUST_NOW), (_at_time, Meaning.AT_TIME), (_is(OnTime), Meaning.ON_TIME)),
        QuestionKind.NO_DOSE_DUE: ((_is(Taken, Yes), Meaning.TOOK_ONE), (_is(NotTaken, No), Meaning.TOOK_NONE)),
        QuestionKind.WHY_NOT_TAKEN: (
            (_forgot, Meaning.FORGOT),
            (_is(Problem), Meaning.UNWELL),
            (_is(OutOfMedicine), Meaning.OUT_OF_MEDICINE),
            (_is(FeltBetter), Meaning.FELT_BETTER),
            (_is(OtherReason), Meaning.OTHER),
        ),
        QuestionKind.SILENCE: _ALL_SOME_NONE,
        QuestionKind.OUTAGE: _ALL_SOME_NONE,
        # "Did you take all doses?" can be answered by yes or no; "have you taken your doses?" cannot: all, or some?
        QuestionKind.CATCH_UP: ((_all, Meaning.ALL), (_is(Yes), Meaning.ALL), (_is(SomeTaken, No), Meaning.SOME), (_forgot, Meaning.SOME)),
        QuestionKind.STIFFNESS: ((_is(Stiffness), Meaning.RATED),),
        QuestionKind.SYMPTOMS: ((_is(Symptoms, NoneOfThem), Meaning.RATED),),
        QuestionKind.BLOOD_PRESSURE: ((_is(BloodPressure), Meaning.RATED),),
        QuestionKind.SPASMS: ((_is(Spasms), Meaning.RATED),),
        QuestionKind.IN_THE_WAY: _ticks("W", "F"),
        QuestionKind.BENEFIT: _ticks("H"),
        QuestionKind.SLEEPINESS: ((_only_sleepy, Meaning.RATED), *_ticks("R")),
        QuestionKind.FLUIDS: _ticks("L"),
        QuestionKind.CONSENT: ((_is(Yes), Meaning.AGREED), (_is(No), Meaning.REFUSED)),
        QuestionKind.CAREGIVER_CONSENT: ((_is(Yes), Meaning.AGREED), (_is(No), Meaning.REFUSED)),
        QuestionKind.CAREGIVER_CHECK: ((_is(Yes), Meaning.WILL_CHECK),),
        QuestionKind.STAFF: ((_is(Yes, No), Meaning.TO_STAFF),),
    },
)
"""What words mean to a question that has words of its own; how those of a dose and of "which dose?" are read, see above."""
