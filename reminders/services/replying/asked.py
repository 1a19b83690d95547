"""Answers to what was asked: what follows from each, once `messaging/questions.py` has said which question a text answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from reminders.domain.dose_state import DoseEvent, EventKind
from reminders.messaging.intents import NoneOfThem, Reading, Symptoms, Yes
from reminders.messaging.question_words import answer_of
from reminders.messaging.questions import Answered, AskOnce, Meaning, Outcome, Question, QuestionKind, question_for
from reminders.services.records import alerts, doses, texts
from reminders.services.records.alerts import Notice
from reminders.services.records.texts import Asked, Draft
from reminders.services.replying import doses_said, how_it_goes, safety
from reminders.services.replying.talk import simply
from reminders.services.replying.which_dose import Candidate, Several, local_due, of_ids

if TYPE_CHECKING:
    from reminders.services.records.due import Due
    from reminders.services.records.ledger import Row
    from reminders.services.replying.talk import Talk

DELIVERED = 4
"""The rank of a text proved to have arrived."""

READ = timedelta(seconds=30)
"""After this, what comes back to "which dose do you mean?" answers it, though no carrier proved it delivered: it is asked once only."""


def find(talk: Talk, reading: Reading) -> Outcome:
    """Find the question that a text answers."""
    return question_for(reading, questions(talk), talk.at, roles=talk.roles)


def questions(talk: Talk) -> list[Question]:
    """What this phone was asked and can still answer, oldest first.

    Of reminders of several doses that left together, nobody can say which was read last.
    """
    known = {meant.dose.id: meant for meant in of_ids(talk, {dose_id for row in talk.questions for dose_id in json.loads(row["doses"])})}
    found: list[Question] = []
    for row in talk.questions:
        together = any(_asked_together(row, other) for other in talk.questions[: len(found)])
        delivered = row["rank"] >= DELIVERED or (row["kind"] == QuestionKind.WHICH_DOSE.value and talk.at - row["asked_at"] >= READ)
        found.append(_question(row, known, delivered=delivered and not together))
    return found


def _question(row: Row, known: Mapping[str, Candidate], *, delivered: bool) -> Question:
    about = tuple(json.loads(row["doses"]))
    letters = {dose_id: letter for letter, dose_id in json.loads(row["labels"]).items()} if row["kind"] == "dose" else {}
    return Question(
        id=row["id"],
        kind=QuestionKind(row["kind"]),
        doses=about,
        asked_at=row["asked_at"],
        expires_at=row["expires_at"],
        delivered=delivered,
        labels=tuple(letters.get(dose_id, "") for dose_id in about) if letters else (),
        dues=tuple(local_due(known[dose_id].one, known[dose_id].dose.slot) for dose_id in about) if set(about) <= set(known) else (),
    )


def _asked_together(row: Row, other: Row) -> bool:
    same_kind = row["kind"] == other["kind"] == QuestionKind.DOSE.value
    return bool(same_kind and row["asked_at"] == other["asked_at"] and set(json.loads(row["doses"])) != set(json.loads(other["doses"])))


def answer(talk: Talk, answered: Answered) -> None:
    """Let an answer take effect, and close its question unless doses of it are still unanswered for."""
    question = answered.question
    ANSWERS[question.kind](talk, answered)
    if question.kind is not QuestionKind.DOSE or answered.doses == question.doses:
        texts.answered(talk.c, question.id, answered.meaning.value, at=talk.at)


def ask_back(talk: Talk, ask: AskOnce, reading: Reading) -> None:
    """Two questions could be meant: ask once which dose, and remember what the text would say to each."""
    each = [
        next((found for intent in reading.intents if (found := answer_of(question, intent, talk.at))), None) for question in ask.questions
    ]
    if all(said is not None and said.meaning is Meaning.PROBLEM for said in each):
        safety.problem(talk)  # whichever is meant: it does not wait, and both doses are still asked about
        return
    answers = {said.doses[-1]: said for said in each if said is not None and said.doses}
    about = of_ids(talk, answers)
    if len(about) > 1:
        meanings = {dose_id: f"{said.question.id} {said.meaning.value}" for dose_id, said in answers.items()}
        doses_said.ask_which(talk, Several(tuple(about)), answers=meanings)
        return
    question = ask.questions[-1]  # both are about one dose: the last question asked is answered
    for intent in reading.intents:
        if (found := answer_of(question, intent, talk.at)) is not None:
            answer(talk, found)


def settle(talk: Talk) -> None:
    """Close the questions whose doses have all been answered for, in whatever words."""
    for row in talk.questions:
        about = doses.read(talk.c, json.loads(row["doses"])).values() if row["kind"] == QuestionKind.DOSE.value else ()
        if about and all(dose.standing.answered and dose.state not in doses.WAITING for dose in about):
            texts.answered(talk.c, row["id"], "in words", at=talk.at)


def _dose(talk: Talk, answered: Answered) -> None:
    """An answer for several doses is for those not yet answered for: after "A", "2" says that B was not taken."""
    about = of_ids(talk, answered.doses)
    open_ones = [meant for meant in about if not meant.dose.standing.answered]
    if answered.meaning is Meaning.PROBLEM:
        safety.problem(talk)
    elif answered.meaning is Meaning.SOME:
        _some(talk, answered)
    for meant in open_ones or about:
        if answered.meaning is Meaning.TAKEN:
            doses_said.taken(talk, meant, answered.said)
        elif answered.meaning is Meaning.NOT_TAKEN:
            doses_said.not_taken(talk, meant)


def _when(talk: Talk, answered: Answered) -> None:
    """Keep the time of a dose told as taken. "Just now" is as of when it was first told: by then it had been taken."""
    for meant in of_ids(talk, answered.doses):
        by = meant.dose.standing.taken_by or talk.at
        told = {Meaning.ON_TIME: [meant.dose.slot.due_at], Meaning.JUST_NOW: [by]}.get(answered.meaning)
        times = doses_said.told_times(talk, meant, answered.said) if told is None else told
        if len(times) == 1:
            doses_said.keep_time(talk, meant, times[0])
        else:
            doses_said.ask(talk, meant, "which_time")


def _which_dose(talk: Talk, answered: Answered) -> None:
    row = _row(talk, answered)
    meanings = json.loads(row["labels"])
    for meant in of_ids(talk, answered.doses):
        question_id, _, meaning = meanings[meant.dose.id].rpartition(" ")
        asked = next((question for question in questions(talk) if question.id == question_id), None)
        if asked is not None:
            answer(talk, Answered(asked, Meaning(meaning), (meant.dose.id,)))
        elif meaning in THEN:
            THEN[meaning](talk, meant)
        else:
            talk.misread = True  # what was asked can no longer be answered
    if answered.meaning is Meaning.NEITHER:
        one = _patient_of(talk, answered)
        words = "A text about a dose fitted two, and the patient says neither is meant. Ask which."
        talk.alert([one], Notice("which_dose", "warning", f"neither {answered.question.id}", words, clinical=False))
        talk.say(one.patient, simply("noted", "answer"))


THEN: Mapping[str, Callable[[Talk, Candidate], None]] = MappingProxyType(
    {
        Meaning.TAKEN.value: doses_said.taken,
        Meaning.NOT_TAKEN.value: doses_said.not_taken,
        "late": doses_said.late_question,
    }
)
"""What was said of the dose that had to be asked for."""

REASONS: Mapping[Meaning, str] = MappingProxyType({Meaning.FORGOT: "forgot", Meaning.FELT_BETTER: "felt better", Meaning.OTHER: "other"})


def _why_not_taken(talk: Talk, answered: Answered) -> None:
    """Each reason has its action: out of medicine and feeling unwell do not wait."""
    one = _patient_of(talk, answered)
    if answered.meaning is Meaning.OUT_OF_MEDICINE:
        safety.out_of_medicine(talk)
    elif answered.meaning is Meaning.UNWELL:
        safety.problem(talk)
    else:
        better = answered.meaning is Meaning.FELT_BETTER
        words = f"Reason given for doses not taken: {REASONS[answered.meaning]}."
        cause = f"reason {answered.question.id}"
        plan_id = _row(talk, answered)["plan_id"]
        talk.alert([one], Notice("reason_given", "warning" if better else "info", cause, words, plan_id=plan_id, clinical=better))
        talk.say(one.patient, simply("noted", "answer"))


def _how_many(talk: Talk, answered: Answered) -> None:
    """All: taken, recalled in one answer. None: reported as not taken. Some: a person asks which."""
    unknown = (*doses.UNKNOWN, *doses.WAITING)
    about = [meant for meant in of_ids(talk, answered.doses) if meant.dose.state in unknown and not meant.dose.standing.answered]
    for meant in about:
        by = talk.by(meant.one)
        if answered.meaning is Meaning.ALL:
            talk.learn(meant.dose, DoseEvent(EventKind.SAID_TAKEN, talk.at, taken_by=talk.at, recalled=True, by=by))
        elif answered.meaning is Meaning.NONE and meant.waiting and doses_said.is_current(talk, meant):
            doses_said.not_taken(talk, meant)
        elif answered.meaning is Meaning.NONE:
            talk.learn(meant.dose, DoseEvent(EventKind.SAID_NOT_TAKEN, talk.at, by=by))
    if answered.meaning is Meaning.SOME:
        _some(talk, answered)
    elif not talk.said:
        talk.say(_patient_of(talk, answered).patient, simply("noted", "answer"))


def _some(talk: Talk, answered: Answered) -> None:
    one = _patient_of(talk, answered)
    words = "The patient says that some of the doses asked about were taken and some were not. Ask which."
    plan_id = _row(talk, answered)["plan_id"]
    talk.alert(
        [one], Notice(alerts.SOME_MISSED, "warning", alerts.SOME_CAUSE + answered.question.id, words, plan_id=plan_id, clinical=False)
    )
    talk.say(one.patient, simply("noted", "answer"))


def _catch_up(talk: Talk, answered: Answered) -> None:
    """The evening before a step: the unknown doses become known, and the gate is decided on that at once."""
    _how_many(talk, answered)
    how_it_goes.decide_if_all_known(talk, _row(talk, answered)["plan_id"])


def _check_in(talk: Talk, answered: Answered) -> None:
    """Keep what a check-in was answered; the gate of a step that waited for it is decided on that.

    A yes or no without its letter could be meant for a dose: the question is put again, and nothing is kept.
    """
    one, said = _patient_of(talk, answered), answered.said
    if answered.meaning is Meaning.NO_LETTER:
        _put_again(talk, answered)
        return
    if isinstance(said, NoneOfThem):
        said = Symptoms()
    if isinstance(said, how_it_goes.Told):
        how_it_goes.told(talk, one, said, asked=answered.question.kind is QuestionKind.SYMPTOMS)
        how_it_goes.decide_if_all_known(talk, _row(talk, answered)["plan_id"])
        talk.say(one.patient, simply("noted", "answer"))


def _put_again(talk: Talk, answered: Answered) -> None:
    row = _row(talk, answered)
    asks = Asked(row["kind"], row["expires_at"])
    again = Draft(row["kind"], "check_in", "", expires_at=row["expires_at"], plan_id=row["plan_id"], asks=asks)
    one = _patient_of(talk, answered)
    talk.say(one.patient, again)
    if answered.question.kind is QuestionKind.SLEEPINESS and isinstance(answered.said, Yes):
        words = "A bare yes came after the question about slow or hard breathing. It was asked again; do not wait for the answer: call."
        talk.alert([one], Notice("breathing", "urgent", f"breathing {talk.sid}", words))


def _no_dose_due(talk: Talk, answered: Answered) -> None:
    one = _patient_of(talk, answered)
    if answered.meaning is Meaning.TOOK_NONE:
        for alert in alerts.open_alerts(talk.c, patient_ids=[one.patient.id], kinds=["took_when_not_due", "took_unknown"]):
            alerts.close(talk.c, alert, reason="the patient says it was not taken", by=talk.by(one), at=talk.at)
    talk.say(one.patient, simply("noted", "answer"))


def _caregiver_check(talk: Talk, answered: Answered) -> None:
    one = _patient_of(talk, answered)
    for alert in alerts.open_alerts(talk.c, patient_ids=[one.patient.id], kinds=["caregivers_told"]):
        alerts.acknowledge(talk.c, alert, by="caregiver", at=talk.at)
    talk.say(one.patient, simply("caregiver_thanks", "answer"))


def _to_staff(talk: Talk, answered: Answered) -> None:
    """A yes or no to what a person wrote is for a person, beside the patient about whom it was asked: it takes no dose."""
    talk.for_a_person("An answer to what somebody at the clinic wrote. Read it.", [_patient_of(talk, answered)], talk.held())


def _row(talk: Talk, answered: Answered) -> Row:
    return next(row for row in talk.questions if row["id"] == answered.question.id)


def _patient_of(talk: Talk, answered: Answered) -> Due:
    wanted = _row(talk, answered)["patient_id"]
    return next(one for one in talk.everyone if one.patient.id == wanted)


ANSWERS: Mapping[QuestionKind, Callable[[Talk, Answered], None]] = MappingProxyType(
    {
        QuestionKind.DOSE: _dose,
        QuestionKind.ON_TIME_OR_NOW: _when,
        QuestionKind.WHICH_TIME: _when,
        QuestionKind.WHICH_DOSE: _which_dose,
        QuestionKind.WHY_NOT_TAKEN: _why_not_taken,
        QuestionKind.SILENCE: _how_many,
        QuestionKind.OUTAGE: _how_many,
        QuestionKind.CATCH_UP: _catch_up,
        QuestionKind.NO_DOSE_DUE: _no_dose_due,
        QuestionKind.CAREGIVER_CHECK: _caregiver_check,
        QuestionKind.SYMPTOMS: _check_in,
        QuestionKind.STIFFNESS: _check_in,
        QuestionKind.BLOOD_PRESSURE: _check_in,
        QuestionKind.SPASMS: _check_in,
        QuestionKind.IN_THE_WAY: _check_in,
        QuestionKind.BENEFIT: _check_in,
        QuestionKind.SLEEPINESS: _check_in,
        QuestionKind.FLUIDS: _check_in,
        QuestionKind.STAFF: _to_staff,
    }
)
