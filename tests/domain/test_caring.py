"""What a caregiver's page shows, and who may say there that a dose was given."""

from __future__ import annotations

import pytest

from reminders.domain.caring import LEAST, Grant, Sees, granted
from reminders.domain.contact import Role

ALERTS, TODAY, STRIP = Sees


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
