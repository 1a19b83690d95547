"""What a caregiver's page shows, and who may say there that a dose was given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reminders.domain.caring import GIVEN_WITHIN, LEAST, Grant, Sees, granted, open_to_say, still_told
from reminders.domain.contact import Role
from reminders.domain.dose_state import DoseState

ALERTS, TODAY, STRIP = Sees
DUE = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("sees", "shown"), [(ALERTS, {ALERTS}), (TODAY, {ALERTS, TODAY}), (STRIP, {ALERTS, TODAY, STRIP})], ids=("alerts", "today", "strip")
)
def test_each_view_shows_what_is_less_than_it(sees: Sees, shown: set[Sees]) -> None:
    """Who sees the last days sees today too; who sees today, what they were told of."""
    assert {other for other in Sees if sees.shows(other)} == shown


@pytest.mark.parametrize(
    ("role", "agreed", "holds"),
    [
        (Role.CAREGIVER, None, Grant(ALERTS, answers=False)),
        (Role.CAREGIVER, Grant(STRIP, answers=False), Grant(STRIP, answers=False)),
        (Role.CAREGIVER, Grant(TODAY, answers=True), Grant(TODAY, answers=True)),
        (Role.PROXY, None, Grant(TODAY, answers=True)),
        (Role.PROXY, LEAST, Grant(TODAY, answers=True)),
        (Role.PROXY, Grant(STRIP, answers=False), Grant(STRIP, answers=True)),
        (Role.PROXY, Grant(TODAY, answers=True), Grant(TODAY, answers=True)),
    ],
)
def test_what_holds_for_somebody(role: Role, agreed: Grant | None, holds: Grant) -> None:
    """A caregiver has what the patient agreed to, else the least; a proxy answers in any case, and so sees today's doses."""
    assert granted(role, agreed) == holds


@pytest.mark.parametrize("sees", [TODAY, STRIP])
def test_who_answers_sees_the_doses(sees: Sees) -> None:
    """Nobody says of a dose that they do not see that it was given."""
    assert Grant(sees, answers=True).answers
    with pytest.raises(ValueError, match=r"^who may say that a dose was given sees today's doses$"):
        Grant(ALERTS, answers=True)


@pytest.mark.parametrize(("after", "told"), [(-SECOND, True), (GIVEN_WITHIN, True), (GIVEN_WITHIN + SECOND, False)], ids=str)
def test_how_long_a_dose_can_be_told_of(after: timedelta, told: bool) -> None:  # noqa: FBT001 - a cell
    """For a day after it was due, to the last moment; and before it is."""
    assert still_told(DUE, DUE + after) is told


@pytest.mark.parametrize("state", DoseState)
@pytest.mark.parametrize("answers", [True, False])
def test_what_is_offered_to_say(state: DoseState, answers: bool) -> None:  # noqa: FBT001 - a cell
    """To who may answer, of a dose that is neither down as taken nor left without a dose by the plan, for as long as it can be told of."""
    grant = Grant(TODAY, answers=answers)
    settled = state in {DoseState.TAKEN, DoseState.NOT_DUE}

    assert open_to_say(grant, state, DUE, DUE + GIVEN_WITHIN) is (answers and not settled)
    assert not open_to_say(grant, state, DUE, DUE + GIVEN_WITHIN + SECOND)
