from __future__ import annotations

import pytest

from reminders.domain.roles import Right, StaffRole, refusal


@pytest.mark.parametrize(
    ("roles", "right", "words"),
    [
        ({StaffRole.STAFF}, Right.PRESCRIBE, "Kim is staff: only provider may"),
        ({StaffRole.ADMIN}, Right.CARE, "Kim is admin: only provider or staff may"),
        ({StaffRole.ADMIN, StaffRole.STAFF}, Right.PRESCRIBE, "Kim is staff, admin: only provider may"),
        (set[StaffRole](), Right.ADMINISTER, "Kim is without a role: only admin may"),
        ({StaffRole.PROVIDER}, Right.PRESCRIBE, ""),
        ({StaffRole.ADMIN, StaffRole.PROVIDER}, Right.CARE, ""),
        ({StaffRole.ADMIN}, Right.ADMINISTER, ""),
    ],
)
def test_a_refusal_says_who_could(roles: set[StaffRole], right: Right, words: str) -> None:
    """It names what the person is, and who may."""
    assert refusal("Kim", roles, right) == words
