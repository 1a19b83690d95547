from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reminders.domain.dose_state import DoseEvent, DoseState, EventKind, fold

DUE = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
K = EventKind


def at(minutes: int) -> datetime:
    """An instant, in minutes after the dose fell due."""
    return DUE + timedelta(minutes=minutes)


def after(*events: tuple[EventKind, int] | DoseEvent) -> tuple[DoseEvent, ...]:
    """A dose that fell due, was announced in one text, and then saw these events."""
    first = (DoseEvent(K.FELL_DUE, DUE), DoseEvent(K.TEXT_ACCEPTED, DUE, text="reminder"))
    return first + tuple(event if isinstance(event, DoseEvent) else DoseEvent(event[0], at(event[1])) for event in events)


# --- what people say --------------------------------------------------------------------------------------------------


def test_the_time_told_first_stands() -> None:
    """Telling "taken" twice does not move the time at which it was taken."""
    standing = fold(after(DoseEvent(K.SAID_TAKEN, at(5), taken_at=at(5)), DoseEvent(K.SAID_TAKEN, at(20), taken_at=at(20))))

    assert standing.taken_at == at(5)


def test_a_time_told_later_fills_what_was_unknown() -> None:
    """“On time or just now?” is answered after "taken": the answer gives the time, and the bound stays beside it."""
    standing = fold(after(DoseEvent(K.SAID_TAKEN, at(310)), DoseEvent(K.SAID_TAKEN, at(320), taken_at=at(0))))

    assert (standing.taken_at, standing.taken_by) == (at(0), at(310))


def test_taken_without_a_time_was_taken_at_the_latest_when_it_was_told() -> None:
    """A bare "taken" bounds the time from above, so that the minimum gap can be kept."""
    assert fold(after((K.SAID_TAKEN, 30))).taken_by == at(30)


def test_a_recalled_dose_has_no_time() -> None:
    """“All taken”, said of many doses at once, says nothing about when."""
    standing = fold(after((K.CLOSED, 360), DoseEvent(K.SAID_TAKEN, at(600), recalled=True)))

    assert (standing.state, standing.recalled, standing.taken_at, standing.taken_by) == (DoseState.TAKEN, True, None, None)


def test_a_dose_told_by_itself_is_not_recalled() -> None:
    """“All taken” does not turn a dose that was told by itself into a recalled one."""
    standing = fold(after(DoseEvent(K.SAID_TAKEN, at(5), taken_at=at(5)), DoseEvent(K.SAID_TAKEN, at(600), recalled=True)))

    assert standing.recalled is False


def test_a_contradiction_keeps_the_time_first_told() -> None:
    """After "taken" and then "not taken" the time stays: if the first word was true, the minimum gap must hold."""
    standing = fold(after(DoseEvent(K.SAID_TAKEN, at(5), taken_at=at(5)), (K.SAID_NOT_TAKEN, 20)))

    assert (standing.state, standing.contradicted, standing.taken_at) == (DoseState.MISSED, True, at(5))


def test_a_dose_outside_the_plan_keeps_the_time_it_was_taken() -> None:
    """“Taken”, said of a dose that was not due, leaves it not due; its time still counts for the minimum gap."""
    standing = fold(after(DoseEvent(K.NOT_DUE, at(1), why="suspended", by="Dr. Moss"), DoseEvent(K.SAID_TAKEN, at(9), taken_at=at(9))))

    assert (standing.state, standing.reason, standing.taken_at) == (DoseState.NOT_DUE, "suspended", at(9))


def test_what_was_odd_is_the_reason() -> None:
    """“Took two” is recorded as told: taken, with what was odd about it."""
    standing = fold(after(DoseEvent(K.SAID_ODD, at(5), why="double")))

    assert (standing.state, standing.odd, standing.reason) == (DoseState.TAKEN, True, "double")


def test_a_reply_fetched_late_counts_from_when_it_was_sent() -> None:
    """A reply that a poll finds after the close was still in time if it was sent before."""
    standing = fold(after((K.CLOSED, 360), DoseEvent(K.SAID_TAKEN, at(30), taken_at=at(30))))

    assert (standing.state, standing.told_late) == (DoseState.TAKEN, False)


@pytest.mark.parametrize("word", [K.SAID_TAKEN, K.SAID_NOT_TAKEN, K.SAID_ODD])
def test_whoever_says_something_has_answered(word: EventKind) -> None:
    """Any word about a dose is an answer."""
    assert fold(after((word, 5))).answered is True


@pytest.mark.parametrize(("when", "taken_at", "taken_by"), [(at(28), at(28), None), (None, None, at(30))], ids=["at an hour", "no hour"])
def test_taken_after_a_contradiction_counts_anew(when: datetime | None, taken_at: datetime | None, taken_by: datetime | None) -> None:
    """“Taken”, “not taken”, and “taken” after all: when that was is what was said last."""
    first = DoseEvent(K.SAID_TAKEN, at(5), taken_at=None if taken_by else at(5))
    standing = fold(after(first, (K.SAID_NOT_TAKEN, 20), DoseEvent(K.SAID_TAKEN, at(30), taken_at=when)))

    assert (standing.taken_at, standing.taken_by) == (taken_at, taken_by)


# --- "not taken", and what the rule answers ---------------------------------------------------------------------------


def test_a_dose_that_may_still_be_taken_stays_open() -> None:
    """“Not taken” with the answer "take it now" keeps the dose open."""
    assert fold(after((K.SAID_NOT_TAKEN, 30), (K.ADVISED_TAKE, 30))).state is DoseState.OPEN


def test_the_answer_may_be_stored_before_the_word() -> None:
    """At one instant the word goes before the advice, in whatever order they were written down."""
    assert fold(after((K.ADVISED_TAKE, 30), (K.SAID_NOT_TAKEN, 30))).state is DoseState.OPEN


def test_not_taken_and_then_nothing_is_skipped_by_the_patient() -> None:
    """A dose that the patient was told to take and did not is skipped at its close, by the patient's choice."""
    standing = fold(after((K.SAID_NOT_TAKEN, 30), (K.ADVISED_TAKE, 30), (K.SAID_NOT_TAKEN, 90), (K.CLOSED, 360)))

    assert (standing.state, standing.reason) == (DoseState.SKIPPED, "patient")


def test_not_taken_and_then_taken_is_taken() -> None:
    """Taking the dose after "not yet" is no contradiction."""
    standing = fold(after((K.SAID_NOT_TAKEN, 30), (K.ADVISED_TAKE, 30), (K.SAID_TAKEN, 60)))

    assert (standing.state, standing.contradicted) == (DoseState.TAKEN, False)


def test_too_late_after_all_is_skipped_on_advice() -> None:
    """Asked again past the limit, the rule says to leave it out."""
    standing = fold(after((K.SAID_NOT_TAKEN, 30), (K.ADVISED_TAKE, 30), (K.SAID_NOT_TAKEN, 300), (K.ADVISED_SKIP, 300)))

    assert (standing.state, standing.reason) == (DoseState.SKIPPED, "advised")


def test_a_late_question_and_then_silence_is_unconfirmed() -> None:
    """“Missed my 8am”, the answer "take it now", and no further word: nobody said that it was not taken."""
    standing = fold(after((K.ADVISED_TAKE, 90), (K.CLOSED, 360)))

    assert (standing.state, standing.advised, standing.answered) == (DoseState.UNCONFIRMED, True, False)


def test_a_dose_left_out_instead_of_announced_is_skipped_on_advice() -> None:
    """A dose that falls due too soon after the last is left out before anybody is asked."""
    standing = fold((DoseEvent(K.FELL_DUE, DUE), DoseEvent(K.ADVISED_SKIP, DUE)))

    assert (standing.state, standing.reason, standing.advised) == (DoseState.SKIPPED, "advised", True)


def test_the_rule_does_not_open_what_a_provider_ended() -> None:
    """A provider's word about this very dose ends it, whatever the rule is asked and answers afterwards."""
    ended = DoseEvent(K.NOT_DUE, at(60), why="suspended", by="Dr. Moss")

    assert fold(after((K.SAID_NOT_TAKEN, 30), (K.ADVISED_TAKE, 30), ended, (K.ADVISED_TAKE, 90))).state is DoseState.NOT_DUE


def test_not_taken_of_a_dose_whose_text_was_never_sent_is_a_report() -> None:
    """The rule's word about a dose that nobody was told of is no reason: it was missed."""
    unsent = (DoseEvent(K.FELL_DUE, DUE), DoseEvent(K.TEXT_ENDED, at(1), why="outage"))
    standing = fold((*unsent, DoseEvent(K.SAID_NOT_TAKEN, at(9)), DoseEvent(K.ADVISED_SKIP, at(9))))

    assert (standing.state, standing.reason) == (DoseState.MISSED, None)


def test_the_rule_decides_nothing_after_the_close() -> None:
    """Of a closed dose "not taken" is a report, whatever the rule would have said."""
    assert fold(after((K.CLOSED, 360), (K.SAID_NOT_TAKEN, 400), (K.ADVISED_SKIP, 400))).state is DoseState.MISSED


def test_advice_without_a_word_changes_nothing_after_the_close() -> None:
    """A late question about a closed dose leaves it unconfirmed until somebody says what became of it."""
    assert fold(after((K.CLOSED, 360), (K.ADVISED_SKIP, 400))).state is DoseState.UNCONFIRMED


# --- what the carrier proves ------------------------------------------------------------------------------------------


def test_one_text_that_arrived_is_enough() -> None:
    """A dose was reached if any of its texts reached anyone."""
    failed = DoseEvent(K.TEXT_FAILED, at(1), text="nudge")

    assert fold(after(failed)).state is DoseState.OPEN


def test_a_resend_can_reach_where_the_reminder_failed() -> None:
    """A dose whose reminder failed is open again when the resend leaves."""
    events = (DoseEvent(K.TEXT_FAILED, at(1), text="reminder"), DoseEvent(K.TEXT_ACCEPTED, at(16), text="resend"))

    assert fold(after(*events)).state is DoseState.OPEN


def test_delivered_beats_undelivered() -> None:
    """A text that was delivered is delivered, whatever else its receipts say."""
    events = (DoseEvent(K.TEXT_DELIVERED, at(1), text="reminder"), DoseEvent(K.TEXT_FAILED, at(2), text="reminder"))

    assert fold(after(*events)).state is DoseState.OPEN


def test_a_dose_that_was_not_reminded_says_why() -> None:
    """The reason of a dose that was not reminded is the carrier's, where there is one."""
    standing = fold(after(DoseEvent(K.TEXT_FAILED, at(1), text="reminder", why="landline")))

    assert (standing.state, standing.reason) == (DoseState.NOT_REMINDED, "landline")


def test_a_dose_whose_text_was_not_written_says_why() -> None:
    """A dose that fell due in an outage is not reminded, and says so."""
    standing = fold((DoseEvent(K.FELL_DUE, DUE), DoseEvent(K.TEXT_ENDED, DUE, why="outage")))

    assert (standing.state, standing.reason) == (DoseState.NOT_REMINDED, "outage")


def test_a_dose_without_proof_at_its_close_says_so() -> None:
    """A text not proved to have left when the dose closes makes it not reminded."""
    standing = fold((DoseEvent(K.FELL_DUE, DUE), DoseEvent(K.CLOSED, at(360))))

    assert (standing.state, standing.reason) == (DoseState.NOT_REMINDED, "unproven")


def test_a_text_cancelled_because_it_was_answered_makes_nothing_late() -> None:
    """Taken early, and the reminder cancelled for it: told in time."""
    events = (DoseEvent(K.SAID_TAKEN, at(-20)), DoseEvent(K.FELL_DUE, DUE), DoseEvent(K.TEXT_ENDED, DUE, text="reminder"))

    assert fold(events).told_late is False


def test_opting_out_after_an_answer_changes_nothing() -> None:
    """STOP after "taken" ends the texts, not what was said."""
    assert fold((DoseEvent(K.FELL_DUE, DUE), *(DoseEvent(kind, at(1)) for kind in (K.SAID_TAKEN, K.OPTED_OUT)))).told_late is False


# --- closing, muting, correcting --------------------------------------------------------------------------------------


def test_silence_that_may_be_our_deafness_is_marked() -> None:
    """A dose closed while replies could not be fetched is unverified."""
    assert fold(after(DoseEvent(K.CLOSED, at(390), verified=False))).unverified is True


@pytest.mark.parametrize("minutes", [380, 400])
def test_the_mark_goes_when_the_poll_comes_through(minutes: int) -> None:
    """A close that was verified takes the mark off, and none that comes with it puts it back."""
    events = (DoseEvent(K.CLOSED, at(390), verified=False), DoseEvent(K.CLOSED, at(minutes)))

    assert fold(after(*events)).unverified is False


def test_an_answer_takes_the_mark_off() -> None:
    """A dose that was answered after all is not unverified."""
    assert fold(after(DoseEvent(K.CLOSED, at(390), verified=False), (K.SAID_TAKEN, 400))).unverified is False


def test_told_as_not_taken_and_unheard_since() -> None:
    """Told as not taken, advised to take it, and closed while we may not have heard that it was: skipped, and unverified."""
    told = after((K.SAID_NOT_TAKEN, 10), (K.ADVISED_TAKE, 10), DoseEvent(K.CLOSED, at(360), verified=False))
    standing = fold(told)

    assert (standing.state, standing.reason, standing.unverified) == (DoseState.SKIPPED, "patient", True)


@pytest.mark.parametrize("last", [DoseEvent(K.CLOSED, at(360)), DoseEvent(K.SAID_NOT_TAKEN, at(400))], ids=["heard", "said again"])
def test_skipped_and_heard_since(last: DoseEvent) -> None:
    """The mark goes when all was fetched, or when the patient says once more that it was not taken."""
    told = after((K.SAID_NOT_TAKEN, 10), (K.ADVISED_TAKE, 10), DoseEvent(K.CLOSED, at(360), verified=False), last)
    standing = fold(told)

    assert (standing.state, standing.unverified) == (DoseState.SKIPPED, False)


def test_skipped_on_advice_is_verified() -> None:
    """What the rule advised to leave out was left out, whether or not we can hear."""
    assert fold(after((K.ADVISED_SKIP, 300), DoseEvent(K.CLOSED, at(360), verified=False))).unverified is False


def test_a_muted_dose_closes_as_usual_outside_all_counts() -> None:
    """Muting an open dose leaves it to close, not counted."""
    standing = fold(after((K.MUTED, 10), (K.CLOSED, 360)))

    assert (standing.state, standing.muted) == (DoseState.UNCONFIRMED, True)


def test_a_muted_pending_dose_says_why_it_was_not_reminded() -> None:
    """Muting a dose before its text left makes it not reminded, because it was muted."""
    assert fold((DoseEvent(K.FELL_DUE, DUE), DoseEvent(K.MUTED, at(1)))).reason == "muted"


@pytest.mark.parametrize(("decided", "state", "muted"), [(K.NOT_DUE, DoseState.NOT_DUE, False), (K.MUTED, DoseState.NOT_REMINDED, True)])
def test_a_decision_goes_before_the_text_cancelled_for_it(decided: EventKind, state: DoseState, *, muted: bool) -> None:
    """Suspending or muting a dose whose text is cancelled at that very instant is not our failure to remind."""
    standing = fold(
        (DoseEvent(K.FELL_DUE, DUE), DoseEvent(K.TEXT_ENDED, at(1), text="reminder", why="cancelled"), DoseEvent(decided, at(1)))
    )

    assert (standing.state, standing.muted) == (state, muted)


def test_a_correction_settles_what_was_odd_and_contradicted() -> None:
    """After a named person has looked, nothing is left to look at; the time told stays."""
    correction = DoseEvent(K.CORRECTED, at(60), state=DoseState.TAKEN, by="Nurse Bell", why="told by phone: one tablet")
    standing = fold(after(DoseEvent(K.SAID_ODD, at(5), taken_at=at(5), why="double"), correction))

    assert (standing.odd, standing.contradicted, standing.taken_at) == (False, False, at(5))


def test_a_correction_away_from_taken_forgets_the_time() -> None:
    """A dose corrected to missed has no time at which it was taken."""
    correction = DoseEvent(K.CORRECTED, at(60), state=DoseState.MISSED, by="Nurse Bell", why="told by phone")

    assert fold(after(DoseEvent(K.SAID_TAKEN, at(5), taken_at=at(5)), correction)).taken_at is None


@pytest.mark.parametrize(("state", "taken_by"), [(DoseState.TAKEN, at(5)), (DoseState.MISSED, None)])
def test_a_correction_keeps_the_bound_only_of_what_stays_taken(state: DoseState, taken_by: datetime | None) -> None:
    """Taken at the latest when it was told: that stays with a dose that stays taken, and goes with one that was not."""
    correction = DoseEvent(K.CORRECTED, at(60), state=state, by="Nurse Bell", why="told by phone")

    assert fold(after((K.SAID_TAKEN, 5), correction)).taken_by == taken_by


def test_a_correction_may_name_the_bound() -> None:
    """Staff may know no more than that it was taken before noon."""
    correction = DoseEvent(K.CORRECTED, at(400), state=DoseState.TAKEN, taken_by=at(240), by="Nurse Bell", why="told by phone")

    assert fold(after((K.CLOSED, 360), correction)).taken_by == at(240)


@pytest.mark.parametrize("recalled", [True, False])
def test_a_correction_leaves_a_taken_dose_as_it_was_told(*, recalled: bool) -> None:
    """What was recalled among many stays so, and what was told by itself does not become so."""
    told = DoseEvent(K.SAID_TAKEN, at(5), recalled=recalled)
    correction = DoseEvent(K.CORRECTED, at(60), state=DoseState.TAKEN, by="Nurse Bell", why="told by phone")

    assert fold(after(told, correction)).recalled is recalled


@pytest.mark.parametrize(("state", "late"), [(DoseState.MISSED, True), (DoseState.OPEN, False)])
def test_what_is_told_after_a_correction(state: DoseState, *, late: bool) -> None:
    """Of a dose corrected to a finished state "taken" is told late; of one that was opened again it is not."""
    correction = DoseEvent(K.CORRECTED, at(400), state=state, by="Nurse Bell", why="wrong patient")

    assert fold(after((K.CLOSED, 360), correction, (K.SAID_TAKEN, 410))).told_late is late


def test_a_correction_to_taken_may_name_the_time() -> None:
    """Staff say when it was taken, and nobody told it late."""
    correction = DoseEvent(K.CORRECTED, at(400), state=DoseState.TAKEN, taken_at=at(2), by="Nurse Bell", why="told by phone")
    standing = fold(after((K.CLOSED, 360), correction))

    assert (standing.taken_at, standing.told_late) == (at(2), False)


@pytest.mark.parametrize(("reopened", "closed"), [(DoseState.OPEN, DoseState.UNCONFIRMED), (DoseState.PENDING, DoseState.NOT_REMINDED)])
def test_a_dose_opened_again_closes_again(reopened: DoseState, closed: DoseState) -> None:
    """A correction to an unfinished state waits for the next close, like any dose."""
    correction = DoseEvent(K.CORRECTED, at(10), state=reopened, by="Nurse Bell", why="wrong patient")

    assert fold(after((K.SAID_TAKEN, 5), correction, (K.CLOSED, 360))).state is closed


@pytest.mark.parametrize(
    ("state", "by", "why"), [(None, "Nurse Bell", "phone"), (DoseState.TAKEN, None, "phone"), (DoseState.TAKEN, "Bell", None)]
)
def test_a_correction_names_its_state_its_author_and_its_reason(state: DoseState | None, by: str | None, why: str | None) -> None:
    """A correction without its state, author or reason cannot be made."""
    with pytest.raises(ValueError, match=r"^a correction names its state, who made it, and why$"):
        DoseEvent(K.CORRECTED, DUE, state=state, by=by, why=why)
