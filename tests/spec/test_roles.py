"""Who at a clinic may do what."""

from __future__ import annotations

import pytest

from reminders.domain.acting import StaffAction
from reminders.domain.roles import NEEDED, StaffRole, has_right

MAY = [
    ("stay", True, True, False),
    ("resume", True, False, False),
    ("step_back", True, False, False),
    ("advance", True, False, False),
    ("slow_down", True, False, False),
    ("mute", True, True, False),
    ("unmute", True, True, False),
    ("suspend", True, False, False),
    ("restart", True, False, False),
    ("stop", True, False, False),
    ("acknowledge", True, True, False),
    ("move_zone", True, True, False),
    ("add_medicine", True, True, False),
    ("remove_medicine", True, True, False),
]
"""Who may do what to a plan: a provider, staff, an admin. Whoever is several of them may do what any of them may.

What is taken, and when, is a provider's: also to take an interacting medicine on, to approve a plan and to change it. To set
a dose right, and to count tablets, is anybody's who cares for the patient.

Source: only a provider restarts, steps back or speeds up [Doseline's rule]; whose the rest is: Doseline's default.
"""


@pytest.mark.parametrize(("action", "provider", "staff", "admin"), MAY, ids=[row[0] for row in MAY])
def test_roles(action: str, provider: bool, staff: bool, admin: bool) -> None:  # noqa: FBT001 - cells of a table
    """What takes or gives medicine is a provider's; what leaves it as prescribed is anybody's who cares."""
    right = NEEDED[StaffAction(action)]

    assert [has_right([role], right) for role in StaffRole] == [provider, staff, admin]


def test_every_action_has_its_row() -> None:
    """No action is anybody's by being left out."""
    assert [row[0] for row in MAY] == list(StaffAction) == list(NEEDED)
