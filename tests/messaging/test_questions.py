"""Which open question a reply answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.domain.plan import CheckInItem
from reminders.messaging.intents import (
    Intent,
    LateQuestion,
    OutOfMedicine,
    Problem,
    Reading,
    Taken,
)
from reminders.messaging.questions import (
    Answered,
    AskOnce,
    Meaning,
    NoQuestion,
    Outcome,
    Question,
    QuestionKind,
    Why,
    menu_of,
    names_dose,
    question_for,
)
from reminders.messaging.replies import parse

NEW_YORK = ZoneInfo("America/New_York")
EIGHT = datetime(2026, 11, 25, 8, 0, tzinfo=NEW_YORK)
TWO = datetime(2026, 11, 25, 14, 0, tzinfo=NEW_YORK)
NOW = datetime(2026, 11, 25, 14, 30, tzinfo=NEW_YORK).astimezone(UTC)


def ask(
    kind: QuestionKind = QuestionKind.DOSE,
    *doses: str,
    ident: str = "q",
    minutes_ago: int = 30,
    lasts: int = 360,
    delivered: bool = True,
    labels: tuple[str, ...] = (),
    dues: tuple[datetime, ...] = (),
) -> Question:
    """A question asked some minutes before NOW."""
    asked_at = NOW - timedelta(minutes=minutes_ago)
    return Question(ident, kind, doses or ("two",), asked_at, asked_at + timedelta(minutes=lasts), delivered, labels, dues)


MORNING = ask(QuestionKind.DOSE, "eight", ident="morning", minutes_ago=390, lasts=600, dues=(EIGHT,))
AFTERNOON = ask(QuestionKind.DOSE, "two", ident="afternoon", dues=(TWO,))
UNREAD_YET = ask(QuestionKind.DOSE, "two", ident="afternoon", delivered=False, dues=(TWO,))
PAIR = ask(QuestionKind.DOSE, "a-two", "b-two", labels=("A", "B"), dues=(TWO, TWO))
THREE = ask(QuestionKind.DOSE, "a-two", "b-two", "c-two", labels=("A", "B", "C"))
WHICH = ask(QuestionKind.WHICH_DOSE, "eight", "two", ident="which", minutes_ago=1, dues=(EIGHT, TWO))
CARE = ask(QuestionKind.CAREGIVER_CHECK, ident="care")


def outcome(text: str, *questions: Question, roles: tuple[str, ...] = ("patient",), language: str = "en") -> Outcome:
    """What a text comes to, sent at NOW."""
    return question_for(parse(text, language=language), questions, NOW, roles=roles)


# --- digits -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "digit", "meaning"),
    [
        (QuestionKind.DOSE, 1, Meaning.TAKEN),
        (QuestionKind.DOSE, 2, Meaning.NOT_TAKEN),
        (QuestionKind.DOSE, 3, Meaning.PROBLEM),
        (QuestionKind.ON_TIME_OR_NOW, 1, Meaning.ON_TIME),
        (QuestionKind.ON_TIME_OR_NOW, 2, Meaning.JUST_NOW),
        (QuestionKind.NO_DOSE_DUE, 1, Meaning.TOOK_ONE),
        (QuestionKind.NO_DOSE_DUE, 2, Meaning.TOOK_NONE),
        (QuestionKind.WHY_NOT_TAKEN, 1, Meaning.FORGOT),
        (QuestionKind.WHY_NOT_TAKEN, 2, Meaning.UNWELL),
        (QuestionKind.WHY_NOT_TAKEN, 3, Meaning.OUT_OF_MEDICINE),
        (QuestionKind.WHY_NOT_TAKEN, 4, Meaning.FELT_BETTER),
        (QuestionKind.WHY_NOT_TAKEN, 5, Meaning.OTHER),
        (QuestionKind.SILENCE, 1, Meaning.ALL),
        (QuestionKind.SILENCE, 2, Meaning.SOME),
        (QuestionKind.OUTAGE, 3, Meaning.NONE),
        (QuestionKind.CATCH_UP, 1, Meaning.ALL),
        (QuestionKind.CATCH_UP, 2, Meaning.SOME),
    ],
)
def test_a_bare_digit_means_what_its_question_says(kind: QuestionKind, digit: int, meaning: Meaning) -> None:
    """Each question's digits mean what its text prints."""
    question = ask(kind)

    assert outcome(str(digit), question) == Answered(question, meaning, ("two",))


def test_a_bare_digit_answers_the_last_question_asked() -> None:
    """Both are open and delivered: the later one is meant."""
    assert outcome("1", MORNING, AFTERNOON) == Answered(AFTERNOON, Meaning.TAKEN, ("two",))


def test_the_last_question_is_the_last_in_time_whatever_order_they_come_in() -> None:
    """The ledger's order does not matter."""
    assert outcome("1", AFTERNOON, MORNING) == outcome("1", MORNING, AFTERNOON)


def test_two_that_could_both_be_meant_are_asked_about() -> None:
    """The later one is not proved delivered: the patient may not have read it yet."""
    assert outcome("1", MORNING, UNREAD_YET) == AskOnce((MORNING, UNREAD_YET))


def test_a_word_is_no_surer_than_a_digit() -> None:
    """An unnamed "taken" is asked about too."""
    assert outcome("taken", MORNING, UNREAD_YET) == AskOnce((MORNING, UNREAD_YET))


def test_a_dose_that_is_named_is_not_asked_about() -> None:
    """A time in the answer tells the two apart."""
    assert outcome("took my 8am", MORNING, UNREAD_YET) == Answered(MORNING, Meaning.TAKEN, ("eight",))


def test_two_questions_with_one_meaning_are_one() -> None:
    """A reminder and a nudge of one dose ask the same."""
    nudge = ask(QuestionKind.DOSE, "two", ident="nudge", minutes_ago=1, delivered=False)

    assert outcome("1", AFTERNOON, nudge) == Answered(nudge, Meaning.TAKEN, ("two",))


def test_an_unread_question_that_has_no_such_answer_is_not_meant() -> None:
    """3 is no answer to the catch-up question, so the reminder before it is meant."""
    catch_up = ask(QuestionKind.CATCH_UP, "eight", minutes_ago=1, delivered=False)

    assert outcome("3", AFTERNOON, catch_up) == Answered(AFTERNOON, Meaning.PROBLEM, ("two",))


def test_which_dose_is_asked_only_once() -> None:
    """While that question may not have arrived, a bare digit stays unclear rather than being asked about again."""
    unread_which = ask(QuestionKind.WHICH_DOSE, "eight", "two", minutes_ago=1, delivered=False)

    assert outcome("1", AFTERNOON, unread_which) == NoQuestion(Why.ASKED_ALREADY)


@pytest.mark.parametrize(("text", "expected"), [("1", ("eight",)), ("2", ("two",)), ("the 8am one", ("eight",)), ("Wed 2:00 pm", ("two",))])
def test_which_dose_is_answered_by_number_or_time(text: str, expected: tuple[str, ...]) -> None:
    """The answer chooses the dose."""
    assert outcome(text, AFTERNOON, WHICH) == Answered(WHICH, Meaning.CHOSEN, expected)


@pytest.mark.parametrize("text", ["3", "neither"])
def test_which_dose_can_be_neither(text: str) -> None:
    """The number after the last dose, or the word, chooses none."""
    assert outcome(text, WHICH) == Answered(WHICH, Meaning.NEITHER, ())


@pytest.mark.parametrize("text", ["8", "the 5pm one", "help"])
def test_which_dose_is_not_answered_by_anything_else(text: str) -> None:
    """A number, a time or a word that chooses no dose answers nothing."""
    assert outcome(text, WHICH) == NoQuestion(Why.NO_SUCH_ANSWER)


@pytest.mark.parametrize("text", ["4", "9", "0"])
def test_a_digit_that_the_last_question_lacks_answers_nothing(text: str) -> None:
    """It is not tried on an earlier question: nobody guesses."""
    why = ask(QuestionKind.WHY_NOT_TAKEN, ident="why", minutes_ago=60)

    assert outcome(text, why, AFTERNOON) == NoQuestion(Why.NO_SUCH_ANSWER)


@pytest.mark.parametrize("kind", [*(QuestionKind(item.value) for item in CheckInItem), QuestionKind.CONSENT])
def test_a_digit_passes_by_a_question_with_tokens_of_its_own(kind: QuestionKind) -> None:
    """A check-in after the reminder does not take its 1."""
    check_in = ask(kind, ident="check", minutes_ago=1)

    assert outcome("1", AFTERNOON, check_in) == Answered(AFTERNOON, Meaning.TAKEN, ("two",))
    assert menu_of(check_in) == {}


def test_nothing_open_is_no_question() -> None:
    """Without an open question a digit answers none."""
    assert outcome("1") == NoQuestion(Why.NOTHING_OPEN)


@pytest.mark.parametrize(("minutes_ago", "answers"), [(30, True), (360, False), (359, True), (0, True), (-1, False)])
def test_a_question_is_open_until_it_expires(minutes_ago: int, *, answers: bool) -> None:
    """From the minute it is asked to just before it expires."""
    assert isinstance(outcome("1", ask(minutes_ago=minutes_ago)), Answered) is answers


def test_an_expired_question_gives_way_to_an_open_one() -> None:
    """The last question asked is the last that is still open."""
    expired = ask(QuestionKind.CATCH_UP, ident="old", minutes_ago=20, lasts=10)

    assert outcome("2", AFTERNOON, expired) == Answered(AFTERNOON, Meaning.NOT_TAKEN, ("two",))


# --- digits and words together ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1 taken", "1 yes", "1 took it at 2:10pm", "1, took my 2pm"])
def test_a_word_that_agrees_with_the_digit_is_used_up(text: str) -> None:
    """It says the same once."""
    assert outcome(text, AFTERNOON) == Answered(AFTERNOON, Meaning.TAKEN, ("two",))


@pytest.mark.parametrize("text", ["2 taken", "1 skipped", "1 no", "1 took my 8am", "1 none", "1 on time", "1 2", "1 and 3"])
def test_a_word_that_denies_the_digit_answers_nothing(text: str) -> None:
    """Two answers in one are none."""
    assert outcome(text, AFTERNOON) == NoQuestion(Why.CONTRADICTION)


@pytest.mark.parametrize(
    ("text", "rest"),
    [("1 but I feel dizzy", (Problem(),)), ("2 out of pills", (OutOfMedicine(),)), ("2 missed my 8am", (LateQuestion(at=EIGHT.time()),))],
)
def test_what_stands_beside_a_digit_takes_effect_too(text: str, rest: tuple[Intent, ...]) -> None:
    """A symptom or a question beside an answer is handed on."""
    answered = outcome(text, AFTERNOON)

    assert isinstance(answered, Answered)
    assert answered.rest == rest


@pytest.mark.parametrize(
    ("text", "meaning", "rest"),
    [
        ("1 forgot", Meaning.FORGOT, ()),
        ("2 felt unwell", Meaning.UNWELL, ()),
        ("3 out of medicine", Meaning.OUT_OF_MEDICINE, ()),
        ("5 other", Meaning.OTHER, ()),
        ("1, out of medicine", Meaning.FORGOT, (OutOfMedicine(),)),
    ],
)
def test_a_reason_is_said_once(text: str, meaning: Meaning, rest: tuple[Intent, ...]) -> None:
    """The printed word beside its digit is no second meaning; another reason is."""
    why = ask(QuestionKind.WHY_NOT_TAKEN)

    assert outcome(text, why) == Answered(why, meaning, ("two",), rest=rest)


def test_an_ambiguous_digit_stays_so_with_its_word() -> None:
    """The word says the same about either."""
    assert outcome("1 taken", MORNING, UNREAD_YET) == AskOnce((MORNING, UNREAD_YET))


# --- words ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "meaning"),
    [
        (QuestionKind.DOSE, "yes", Meaning.TAKEN),
        (QuestionKind.DOSE, "no", Meaning.NOT_TAKEN),
        (QuestionKind.DOSE, "skipped", Meaning.NOT_TAKEN),
        (QuestionKind.ON_TIME_OR_NOW, "on time", Meaning.ON_TIME),
        (QuestionKind.ON_TIME_OR_NOW, "just now", Meaning.JUST_NOW),
        (QuestionKind.ON_TIME_OR_NOW, "at 2:10pm", Meaning.AT_TIME),
        (QuestionKind.WHICH_TIME, "8:15 am", Meaning.AT_TIME),
        (QuestionKind.WHICH_TIME, "10 minutes ago", Meaning.AT_TIME),
        (QuestionKind.WHICH_TIME, "just now", Meaning.JUST_NOW),
        (QuestionKind.NO_DOSE_DUE, "I did not", Meaning.TOOK_NONE),
        (QuestionKind.NO_DOSE_DUE, "yes", Meaning.TOOK_ONE),
        (QuestionKind.WHY_NOT_TAKEN, "forgot", Meaning.FORGOT),
        (QuestionKind.WHY_NOT_TAKEN, "felt unwell", Meaning.UNWELL),
        (QuestionKind.WHY_NOT_TAKEN, "ran out of pills", Meaning.OUT_OF_MEDICINE),
        (QuestionKind.WHY_NOT_TAKEN, "feel better", Meaning.FELT_BETTER),
        (QuestionKind.WHY_NOT_TAKEN, "other", Meaning.OTHER),
        (QuestionKind.SILENCE, "took them all", Meaning.ALL),
        (QuestionKind.SILENCE, "none", Meaning.NONE),
        (QuestionKind.OUTAGE, "missed some", Meaning.SOME),
        (QuestionKind.OUTAGE, "missed all", Meaning.NONE),
        (QuestionKind.CATCH_UP, "yes", Meaning.ALL),
        (QuestionKind.CATCH_UP, "no", Meaning.SOME),
        (QuestionKind.CATCH_UP, "missed one", Meaning.SOME),
        (QuestionKind.STIFFNESS, "S4", Meaning.RATED),
        (QuestionKind.SYMPTOMS, "a2 c1", Meaning.RATED),
        (QuestionKind.SYMPTOMS, "none", Meaning.RATED),
        (QuestionKind.BLOOD_PRESSURE, "118/76", Meaning.RATED),
        (QuestionKind.SPASMS, "P2 3", Meaning.RATED),
        (QuestionKind.IN_THE_WAY, "W no F yes", Meaning.RATED),
        (QuestionKind.IN_THE_WAY, "yes", Meaning.NO_LETTER),
        (QuestionKind.BENEFIT, "H no", Meaning.RATED),
        (QuestionKind.BENEFIT, "no", Meaning.NO_LETTER),
        (QuestionKind.SLEEPINESS, "A2", Meaning.RATED),
        (QuestionKind.SLEEPINESS, "R no", Meaning.RATED),
        (QuestionKind.FLUIDS, "L yes", Meaning.RATED),
        (QuestionKind.FLUIDS, "yes", Meaning.NO_LETTER),
        (QuestionKind.CONSENT, "YES", Meaning.AGREED),
        (QuestionKind.CONSENT, "no", Meaning.REFUSED),
    ],
)
def test_words_answer_the_question_they_fit(kind: QuestionKind, text: str, meaning: Meaning) -> None:
    """A patient need not know the digits."""
    question = ask(kind)

    assert outcome(text, question) == Answered(question, meaning, ("two",))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (QuestionKind.SILENCE, "yes"),
        (QuestionKind.OUTAGE, "no"),
        (QuestionKind.ON_TIME_OR_NOW, "taken"),
        (QuestionKind.WHY_NOT_TAKEN, "missed my 8am"),
        (QuestionKind.WHY_NOT_TAKEN, "can i take it"),
        (QuestionKind.DOSE, "both"),
        (QuestionKind.DOSE, "none"),
        (QuestionKind.DOSE, "some"),
        (QuestionKind.DOSE, "dizzy"),
        (QuestionKind.WHICH_TIME, "Monday"),
    ],
)
def test_words_that_do_not_fit_answer_nothing(kind: QuestionKind, text: str) -> None:
    """A yes to "have you taken your doses?" is not yet all of them."""
    assert outcome(text, ask(kind)) == NoQuestion(Why.NO_SUCH_ANSWER)


def test_a_word_finds_the_question_it_fits_behind_the_last() -> None:
    """After the reason question, "taken" is about the reminder before it."""
    why = ask(QuestionKind.WHY_NOT_TAKEN, ident="why", minutes_ago=1)

    assert outcome("taken", AFTERNOON, why) == Answered(AFTERNOON, Meaning.TAKEN, ("two",))


def test_a_rating_and_a_dose_in_one_text_answer_two_questions() -> None:
    """Each meaning finds its own question."""
    check_in = ask(QuestionKind.STIFFNESS, ident="check", minutes_ago=1)

    assert outcome("S4. taken", AFTERNOON, check_in) == Answered(
        check_in, Meaning.RATED, ("two",), also=(Answered(AFTERNOON, Meaning.TAKEN, ("two",)),)
    )


def test_an_answer_hands_on_what_it_does_not_use() -> None:
    """A symptom beside "taken" takes effect."""
    assert outcome("taken, feel dizzy", AFTERNOON) == Answered(AFTERNOON, Meaning.TAKEN, ("two",), rest=(Problem(),))


def test_a_text_that_answers_nothing_says_why() -> None:
    """A danger sign is no answer, and no question is invented for it."""
    assert question_for(Reading(()), [AFTERNOON], NOW) == NoQuestion(Why.NOTHING_OPEN)
    assert outcome("had a seizure", AFTERNOON) == NoQuestion(Why.NO_SUCH_ANSWER)


# --- several medicines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meaning", "doses"),
    [
        ("1", Meaning.TAKEN, ("a-two", "b-two")),
        ("2", Meaning.NOT_TAKEN, ("a-two", "b-two")),
        ("all", Meaning.TAKEN, ("a-two", "b-two")),
        ("took both", Meaning.TAKEN, ("a-two", "b-two")),
        ("none", Meaning.NOT_TAKEN, ("a-two", "b-two")),
        ("A", Meaning.TAKEN, ("a-two",)),
        ("b", Meaning.TAKEN, ("b-two",)),
        ("took A", Meaning.TAKEN, ("a-two",)),
        ("skipped B", Meaning.NOT_TAKEN, ("b-two",)),
        ("some", Meaning.SOME, ("a-two", "b-two")),
        ("took my 2pm A", Meaning.TAKEN, ("a-two",)),
    ],
)
def test_a_letter_is_that_medicine_only(text: str, meaning: Meaning, doses: tuple[str, ...]) -> None:
    """In a text about two medicines: 1 all, 2 none, a label's letter only that one."""
    assert outcome(text, PAIR) == Answered(PAIR, meaning, doses)


def test_two_letters_are_two_answers() -> None:
    """One text answers one question twice."""
    assert outcome("A taken, B skipped", PAIR) == Answered(
        PAIR, Meaning.TAKEN, ("a-two",), also=(Answered(PAIR, Meaning.NOT_TAKEN, ("b-two",)),)
    )


@pytest.mark.parametrize("text", ["C", "took D"])
def test_an_unknown_letter_answers_nothing(text: str) -> None:
    """A letter that the text did not print is no dose of it."""
    assert outcome(text, PAIR) == NoQuestion(Why.NO_SUCH_ANSWER)


@pytest.mark.parametrize(("text", "doses"), [("C", ("c-two",)), ("took my 2pm", ()), ("took my 2pm A", ())])
def test_without_times_only_letters_name_a_dose(text: str, doses: tuple[str, ...]) -> None:
    """A question that does not know its dose's times cannot be answered by one."""
    expected = Answered(THREE, Meaning.TAKEN, doses) if doses else NoQuestion(Why.NO_SUCH_ANSWER)

    assert outcome(text, THREE) == expected


def test_not_all_of_three_needs_asking_which() -> None:
    """A reminder for three or more has "2 not all"."""
    assert outcome("2", THREE) == Answered(THREE, Meaning.SOME, ("a-two", "b-two", "c-two"))


# --- whose answer -----------------------------------------------------------------------------------------------------------------


def test_a_caregiver_answers_only_what_caregivers_are_asked() -> None:
    """A caregiver's 1 is about the check, however late the patient's reminder came."""
    reminder = ask(minutes_ago=1)

    assert outcome("1", CARE, reminder, roles=("caregiver",)) == Answered(CARE, Meaning.WILL_CHECK, ("two",))
    assert outcome("1", reminder, roles=("caregiver",)) == NoQuestion(Why.NOTHING_OPEN)


@pytest.mark.parametrize("role", ["patient", "proxy"])
def test_a_patient_or_proxy_does_not_answer_for_a_caregiver(role: str) -> None:
    """Their 1 is about the dose."""
    later = ask(QuestionKind.CAREGIVER_CHECK, ident="care", minutes_ago=1)

    assert outcome("1", AFTERNOON, later, roles=(role,)) == Answered(AFTERNOON, Meaning.TAKEN, ("two",))


def test_a_phone_with_both_roles_answers_the_last_question() -> None:
    """A father who holds his son's phone and cares for his wife answers whichever came last."""
    later = ask(QuestionKind.CAREGIVER_CHECK, ident="care", minutes_ago=1)

    assert outcome("1", AFTERNOON, later, roles=("proxy", "caregiver")) == Answered(later, Meaning.WILL_CHECK, ("two",))


@pytest.mark.parametrize(("text", "meaning"), [("YES", Meaning.AGREED), ("no", Meaning.REFUSED)])
def test_a_caregiver_agrees_in_words(text: str, meaning: Meaning) -> None:
    """The invitation is answered by YES."""
    invite = ask(QuestionKind.CAREGIVER_CONSENT)

    assert outcome(text, invite, roles=("caregiver",)) == Answered(invite, meaning, ("two",))


def test_yes_will_check_too() -> None:
    """A caregiver who writes yes instead of 1 is understood."""
    assert outcome("yes", CARE, roles=("caregiver",)) == Answered(CARE, Meaning.WILL_CHECK, ("two",))


# --- which dose the words name ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "due", "expected"),
    [
        ("took it", EIGHT, True),
        ("took my 8am", EIGHT, True),
        ("took my 8am", EIGHT.replace(minute=30), True),
        ("took my 8am", EIGHT.replace(minute=31), False),
        ("took my 8am", TWO, False),
        ("missed my 2", TWO, True),
        ("missed my midnight dose", EIGHT.replace(hour=23, minute=45), True),
        ("took my morning dose", EIGHT, True),
        ("took my morning dose", TWO, False),
        ("took my evening pill", EIGHT.replace(hour=20), True),
        ("took today's dose", EIGHT, True),
        ("took yesterday's dose", EIGHT, False),
        ("took yesterday's dose", EIGHT - timedelta(days=1), True),
        ("took last night's", EIGHT.replace(hour=22) - timedelta(days=1), True),
        ("took last night's", EIGHT.replace(hour=1), True),
        ("took last night's", EIGHT.replace(hour=22), False),
        ("took Wednesday's dose", EIGHT, True),
        ("took Wednesday's dose", EIGHT - timedelta(days=7), False),
        ("took Wednesday's dose", EIGHT + timedelta(days=7), False),
        ("took Tuesday's dose", EIGHT, False),
        ("Wed 8:00 am", EIGHT, True),
        ("took A", EIGHT, False),
    ],
)
def test_words_name_a_dose_by_time_part_and_day(text: str, due: datetime, expected: bool) -> None:  # noqa: FBT001  # a table's column
    """Half an hour of rounding; the last day of that name; last night reaches past midnight."""
    (intent,) = parse(text).intents

    assert names_dose(intent, due, NOW) is expected  # type: ignore[arg-type]  # every text of the table names a dose


def test_a_label_names_its_dose() -> None:
    """The letter the patient chose for that medicine."""
    assert (names_dose(Taken(label="A"), EIGHT, NOW, "A"), names_dose(Taken(label="A"), EIGHT, NOW, "B")) == (True, False)
