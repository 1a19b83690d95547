from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reminders.domain.dose_state import DoseEvent, DoseState, EventKind, Standing, fold
from tests.doses import drawn

DUE = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
LATER = DUE + timedelta(hours=1)
K = EventKind


def _event(kind: EventKind, at: datetime = DUE) -> DoseEvent:
    return DoseEvent(kind, at, text="reminder" if kind.value.startswith("text_") else None)


HISTORIES: dict[str, tuple[EventKind, ...]] = {
    "pending": (K.FELL_DUE,),
    "open": (K.FELL_DUE, K.TEXT_ACCEPTED),
    "unconfirmed": (K.FELL_DUE, K.TEXT_ACCEPTED, K.CLOSED),
    "not_reminded": (K.FELL_DUE, K.TEXT_ENDED),
    "… closed": (K.FELL_DUE, K.CLOSED),
    "skipped": (K.FELL_DUE, K.TEXT_ACCEPTED, K.SAID_NOT_TAKEN, K.ADVISED_SKIP),
    "missed": (K.FELL_DUE, K.TEXT_ACCEPTED, K.CLOSED, K.SAID_NOT_TAKEN),
    "taken": (K.FELL_DUE, K.TEXT_ACCEPTED, K.SAID_TAKEN),
    "not_due": (K.FELL_DUE, K.NOT_DUE),
}
"""How a dose comes to stand in each column of the table: the events behind it, oldest first."""

WHAT_HAPPENS: dict[str, tuple[DoseEvent, ...]] = {
    "accepted": (_event(K.TEXT_ACCEPTED, LATER),),
    "delivered": (_event(K.TEXT_DELIVERED, LATER),),
    "undelivered, failed": (_event(K.TEXT_FAILED, LATER),),
    "proven not sent": (_event(K.TEXT_ENDED, LATER),),
    "“taken”, in time": (DoseEvent(K.SAID_TAKEN, LATER, taken_at=LATER),),
    "“taken”, past limit": (DoseEvent(K.SAID_TAKEN, LATER, taken_by=LATER),),
    "“not taken”: take it": (DoseEvent(K.SAID_NOT_TAKEN, LATER), DoseEvent(K.ADVISED_TAKE, LATER)),
    "“not taken”: skip it": (DoseEvent(K.SAID_NOT_TAKEN, LATER), DoseEvent(K.ADVISED_SKIP, LATER)),
    "“not taken”": (DoseEvent(K.SAID_NOT_TAKEN, LATER),),
    "two, half, threw up": (DoseEvent(K.SAID_ODD, LATER, why="double"),),
    "answer_until passed": (_event(K.CLOSED, LATER),),
    "STOP, text queued": (_event(K.OPTED_OUT, LATER),),
    "STOP, in flight": (DoseEvent(K.OPTED_OUT, LATER, why="in_flight"),),
    "new version": (),
    "suspend, stop": (DoseEvent(K.NOT_DUE, LATER, why="suspended"),),
    "… provider's word": (DoseEvent(K.NOT_DUE, LATER, why="suspended", by="Dr. Ada Moss"),),
    "mute": (_event(K.MUTED, LATER),),
}
"""The events of the table, as they are recorded."""


TRANSITIONS = drawn("""
    event                | pending       | open         | unconfirmed  | not_reminded | … closed    | skipped | missed  | taken   | not_due
    accepted             | open          | –            | –            | open         | unconfirmed | –       | –       | –       | –
    delivered            | open          | –            | –            | open         | unconfirmed | –       | –       | –       | –
    undelivered, failed  | not_reminded  | not_reminded | not_reminded | –            | –           | –       | –       | –       | –
    proven not sent      | not_reminded  | –            | –            | –            | –           | –       | –       | –       | –
    “taken”, in time     | taken         | taken        | taken+       | taken+       | taken+      | taken   | taken+  | –       | –
    “taken”, past limit  | taken         | taken        | taken+       | taken+       | taken+      | taken   | taken+  | –       | –
    “not taken”: take it | open          | –            | missed       | missed       | missed      | –       | –       | missed! | –
    “not taken”: skip it | skipped       | skipped      | missed       | missed       | missed      | –       | –       | missed! | –
    “not taken”          | missed        | missed       | missed       | missed       | missed      | –       | –       | missed! | –
    two, half, threw up  | taken?        | taken?       | taken?+      | taken?+      | taken?+     | taken?  | taken?+ | taken?  | not_due?
    answer_until passed  | not_reminded  | unconfirmed  | –            | –            | –           | –       | –       | –       | –
    STOP, text queued    | not_reminded  | –            | –            | –            | –           | –       | –       | –       | –
    STOP, in flight      | –             | –            | –            | –            | –           | –       | –       | –       | –
    new version          | –             | –            | –            | –            | –           | –       | –       | –       | –
    suspend, stop        | not_due       | –            | –            | –            | –           | –       | –       | –       | –
    … provider's word    | not_due       | not_due      | –            | –            | –           | –       | –       | –       | –
    mute                 | not_reminded~ | open~        | –            | –            | –           | –       | –       | –       | –
""")
"""What becomes of a dose: one row per event, one column per standing before it. Nothing a person said is ever overwritten.

- `–` the event is stored, the standing stays
- `+` told late: after the close, or of a dose whose text was never sent
- `!` both words are kept, and staff see the contradiction
- `?` as told; an alert, and the next announcement waits for a person
- `~` muted: outside all counts

"Past limit" is after *take until*: the patient is asked when, on time or just now. "Take it" and "skip it" are what the
missed-dose rule answered. "… closed" is *not reminded* after its close; "… provider's word" is about this very dose. Staff
may correct any standing to any other, by name and with a reason.

Source: Doseline's default.
"""

CELLS = [(row[0], before, cell) for row in TRANSITIONS[1:] for before, cell in zip(TRANSITIONS[0][1:], row[1:], strict=True)]


def in_words(standing: Standing) -> str:
    """Write a standing as the table does."""
    marks = {"?": standing.odd, "!": standing.contradicted, "~": standing.muted, "+": standing.told_late}
    return standing.state + "".join(mark for mark, raised in marks.items() if raised)


def _state_of(column: str) -> str:
    return "not_reminded" if column == "… closed" else column


@pytest.mark.parametrize(("event", "before", "cell"), CELLS, ids=[f"{event} on {before}" for event, before, _ in CELLS])
def test_every_event_on_every_standing(event: str, before: str, cell: str) -> None:
    """Each event does to each standing what the table says."""
    history = tuple(_event(kind) for kind in HISTORIES[before])
    expected = in_words(fold(history)) if cell == "–" else cell

    assert in_words(fold(history + WHAT_HAPPENS[event])) == expected, f"{event} on {before}"


@pytest.mark.parametrize("before", HISTORIES)
def test_each_column_begins_where_it_says(before: str) -> None:
    """The history behind a column does lead to its state."""
    actual = fold(_event(kind) for kind in HISTORIES[before]).state

    assert actual == _state_of(before)


def test_the_table_leaves_nothing_out() -> None:
    """Every state has a column and every event a row; corrections have a test of their own."""
    columns = {_state_of(before) for before in HISTORIES}
    kinds = {event.kind for events in WHAT_HAPPENS.values() for event in events}

    assert (columns, kinds) == (set(DoseState), set(EventKind) - {K.FELL_DUE, K.CORRECTED})


@pytest.mark.parametrize("before", HISTORIES)
@pytest.mark.parametrize("after", DoseState)
def test_a_named_person_may_correct_any_state_to_any_other(before: str, after: DoseState) -> None:
    """A correction by staff, named and with its reason, stands whatever was there before."""
    history = tuple(_event(kind) for kind in HISTORIES[before])
    correction = DoseEvent(K.CORRECTED, LATER, state=after, by="Nurse Bell", why="told by phone")

    assert fold((*history, correction)).state == after, f"correction to {after} on {before}"
