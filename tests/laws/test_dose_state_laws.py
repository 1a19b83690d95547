from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.dose_state import DoseEvent, DoseState, EventKind, fold

START = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
K = EventKind

CARRIER = (K.TEXT_ACCEPTED, K.TEXT_DELIVERED, K.TEXT_FAILED)
CLOCK = (K.TEXT_ENDED, K.OPTED_OUT, K.CLOSED)
WORDS = (K.SAID_TAKEN, K.SAID_NOT_TAKEN, K.SAID_ODD)
ADVICE = (K.ADVISED_TAKE, K.ADVISED_SKIP)
DECISIONS = (K.NOT_DUE, K.MUTED)
TOLD_NOT_TAKEN = {DoseState.OPEN, DoseState.SKIPPED, DoseState.MISSED}

instants = st.integers(0, 999).map(lambda minutes: START + timedelta(minutes=minutes))
texts = st.sampled_from(("reminder", "resend", "nudge"))
receipts = st.builds(DoseEvent, st.sampled_from(CARRIER), instants, text=texts, why=st.sampled_from((None, "unreachable", "blocked")))
corrections = st.builds(
    DoseEvent, st.just(K.CORRECTED), instants, state=st.sampled_from(DoseState), by=st.just("Nurse Bell"), why=st.just("told by phone")
)


def events(*kinds: EventKind) -> st.SearchStrategy[DoseEvent]:
    """Draw an event of one of these kinds, at any minute."""
    return st.builds(
        DoseEvent,
        st.sampled_from(kinds),
        instants,
        text=texts,
        taken_at=st.none() | instants,
        why=st.sampled_from((None, "in_flight", "suspended")),
        by=st.sampled_from((None, "Dr. Moss")),
        recalled=st.booleans(),
        verified=st.booleans(),
    )


told = st.lists(events(*CLOCK, *WORDS, *ADVICE) | corrections, max_size=8, unique_by=lambda event: event.at)


@given(told, st.lists(receipts, max_size=6), st.data())
def test_receipts_in_any_order_and_repeated_give_one_standing(rest: list[DoseEvent], sent: list[DoseEvent], data: st.DataObject) -> None:
    """Receipts say the same whenever they come, in whatever order, and however often."""
    again = sent + data.draw(st.lists(st.sampled_from(sent), max_size=3)) if sent else []
    arrived = [DoseEvent(event.kind, data.draw(instants), text=event.text, why=event.why) for event in data.draw(st.permutations(again))]

    assert fold(rest + arrived) == fold(rest + sent)


@given(
    st.lists(events(*CLOCK, *WORDS, *ADVICE, *DECISIONS) | corrections | receipts, max_size=10, unique_by=lambda event: event.at), st.data()
)
def test_the_order_in_which_events_are_stored_says_nothing(history: list[DoseEvent], data: st.DataObject) -> None:
    """A fold goes by when things happened, not by when they were written down."""
    assert fold(data.draw(st.permutations(history))) == fold(history)


@given(st.lists(events(*CLOCK, *WORDS, *ADVICE) | receipts, max_size=8), events(K.SAID_TAKEN), st.data())
def test_neither_carrier_nor_clock_overwrites_taken(before: list[DoseEvent], word: DoseEvent, data: st.DataObject) -> None:
    """Once the last word is "taken", the dose is taken, whatever receipts and clocks say before or after."""
    earlier = [event for event in before if event.kind not in WORDS or event.at < word.at]
    later = data.draw(st.lists(events(*CLOCK) | receipts, max_size=6))

    assert fold([*earlier, word, *later]).state is DoseState.TAKEN


@given(st.lists(events(*CLOCK, *WORDS, *ADVICE) | receipts, max_size=8), events(K.SAID_NOT_TAKEN), st.data())
def test_neither_carrier_nor_clock_overwrites_not_taken(before: list[DoseEvent], word: DoseEvent, data: st.DataObject) -> None:
    """Once the last word is "not taken", the dose is open while the rule lets it be taken, else skipped or missed."""
    earlier = [event for event in before if event.kind not in WORDS or event.at < word.at]
    later = data.draw(st.lists(events(*CLOCK, *ADVICE) | receipts, max_size=6))

    assert fold([*earlier, word, *later]).state in TOLD_NOT_TAKEN


@given(st.lists(events(*CLOCK, *WORDS, *ADVICE, *DECISIONS) | receipts, max_size=8), corrections, st.data())
def test_a_named_correction_outlasts_carrier_clock_and_decisions(
    before: list[DoseEvent], correction: DoseEvent, data: st.DataObject
) -> None:
    """What staff correct a finished dose to stays until a person speaks again."""
    settled = DoseState.TAKEN if correction.state in (DoseState.PENDING, DoseState.OPEN) else correction.state
    stated = DoseEvent(K.CORRECTED, START + timedelta(days=1), state=settled, by="Nurse Bell", why="told by phone")
    later = data.draw(st.lists(events(*CLOCK, *DECISIONS) | receipts, max_size=6))

    assert fold([*before, stated, *(DoseEvent(e.kind, e.at + timedelta(days=2), text=e.text, by=e.by) for e in later)]).state is settled


@given(st.lists(events(*CLOCK, *DECISIONS, K.ADVISED_TAKE) | receipts, max_size=10))
def test_silence_is_never_called_missed(history: list[DoseEvent]) -> None:
    """A dose of which nobody said anything is not taken, skipped or missed."""
    assert fold(history).state not in {DoseState.TAKEN, DoseState.SKIPPED, DoseState.MISSED}


@given(st.lists(events(*WORDS, *ADVICE, *CLOCK, *DECISIONS), max_size=8), st.lists(receipts, max_size=4))
def test_a_closed_dose_is_in_a_final_state(history: list[DoseEvent], sent: list[DoseEvent]) -> None:
    """After its close no dose is pending or open."""
    closed = DoseEvent(K.CLOSED, START + timedelta(days=1))

    assert fold([*history, *sent, closed]).state not in {DoseState.PENDING, DoseState.OPEN}
