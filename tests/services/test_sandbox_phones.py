"""What the sandbox's phones offer to answer with, and how far its clock's buttons lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.errors import NotAllowed
from reminders.messaging.question_kinds import MENUS, QuestionKind
from reminders.messaging.questions import Answered, Question, question_for
from reminders.messaging.replies import parse
from reminders.services.sandboxing.phones import EXAMPLES
from reminders.services.sandboxing.ways import clock_change

NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
TO_CAREGIVERS = {QuestionKind.CAREGIVER_CONSENT, QuestionKind.CAREGIVER_CHECK}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in EXAMPLES.items() for text in texts])
def test_an_example_answers_its_question(kind: QuestionKind, text: str) -> None:
    """A quick reply that is not understood would teach the wrong thing."""
    asked = Question("q", kind, ("d",), NOON, NOON + timedelta(hours=4), dues=(NOON.astimezone(ZoneInfo("America/New_York")),))
    roles = ("caregiver",) if kind in TO_CAREGIVERS else ("patient",)

    assert isinstance(question_for(parse(text), [asked], NOON, roles=roles), Answered)


def test_every_question_can_be_answered_with_a_button() -> None:
    """Each has digits, or examples; "which dose?" has one digit a dose, and what a person at the clinic asks is answered in words."""
    assert set(QuestionKind) - set(MENUS) - set(EXAMPLES) == {QuestionKind.WHICH_DOSE, QuestionKind.STAFF}


@pytest.mark.parametrize(
    ("zone", "forward", "at"),
    [
        ("America/New_York", True, datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("America/New_York", False, datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("Europe/London", True, datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Australia/Sydney", True, datetime(2026, 10, 3, 16, tzinfo=UTC)),
        ("Australia/Sydney", False, datetime(2026, 4, 4, 16, tzinfo=UTC)),
    ],
)
def test_the_clock_changes_of_a_year(zone: str, *, forward: bool, at: datetime) -> None:
    """By the rules of each zone, to the second: in the south they go forward in autumn's month."""
    assert clock_change(ZoneInfo(zone), after=NOON, forward=forward) == at


def test_the_change_after_the_last_is_next_years() -> None:
    """Once it is over, the next one is a year away."""
    assert clock_change(ZoneInfo("America/New_York"), after=datetime(2026, 3, 8, 7, tzinfo=UTC), forward=True).year == 2027


@pytest.mark.parametrize("zone", ["Africa/Lagos", "Asia/Kolkata", "UTC"])
def test_where_clocks_never_change_there_is_none(zone: str) -> None:
    """It says so, and leads nowhere."""
    with pytest.raises(NotAllowed, match="do not change"):
        clock_change(ZoneInfo(zone), after=NOON, forward=True)
