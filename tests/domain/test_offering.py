"""What may be done to a plan as it stands, and by whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reminders.domain.acting import StaffAction as A
from reminders.domain.offering import Stands, offered, possible, withheld
from reminders.domain.plan_state import PlanState as S
from reminders.domain.roles import StaffRole

MIDWAY = Stands(S.ACTIVE, phase=2, phases=4, steps_ahead=True, ends_ahead=True)
LIVE = (A.STOP, A.MOVE_ZONE, A.ADD_MEDICINE)


@pytest.mark.parametrize(
    ("state", "there"),
    [
        (S.ACTIVE, (A.STAY, A.STEP_BACK, A.ADVANCE, A.SLOW_DOWN, A.MUTE, A.SUSPEND, *LIVE)),
        (S.STAYING, (A.RESUME, A.STEP_BACK, A.ADVANCE, A.SLOW_DOWN, A.MUTE, A.SUSPEND, *LIVE)),
        (S.MUTED, (A.UNMUTE, A.SUSPEND, *LIVE)),
        (S.SUSPENDED, (A.RESTART, *LIVE)),
        (S.DRAFT, ()),
        (S.APPROVED, ()),
        (S.COMPLETED, ()),
        (S.STOPPED, ()),
    ],
)
def test_each_state_lets_these_be_done(state: S, there: tuple[A, ...]) -> None:
    """A plan on its second of four phases, without alerts and without other medicines."""
    assert possible(replace(MIDWAY, state=state)) == there


@pytest.mark.parametrize(
    ("stands", "more", "fewer"),
    [
        (replace(MIDWAY, phase=1), set(), {A.STEP_BACK}),
        (replace(MIDWAY, phase=4, steps_ahead=False), set(), {A.ADVANCE, A.STAY}),
        (replace(MIDWAY, phase=4, steps_ahead=False, ends_ahead=False), set(), {A.ADVANCE, A.STAY, A.SLOW_DOWN}),
        (replace(MIDWAY, alerts=1), {A.ACKNOWLEDGE}, set()),
        (replace(MIDWAY, listed=1), {A.REMOVE_MEDICINE}, set()),
    ],
)
def test_how_it_stands_decides_too(stands: Stands, more: set[A], fewer: set[A]) -> None:
    """Nothing is before the first phase or after the last; what is not there is neither taken on nor taken off."""
    assert set(possible(stands)) == (set(possible(MIDWAY)) | more) - fewer


@pytest.mark.parametrize(
    ("roles", "may"),
    [
        ([StaffRole.PROVIDER], set(possible(MIDWAY))),
        ([StaffRole.STAFF], {A.STAY, A.MUTE, A.MOVE_ZONE, A.ADD_MEDICINE}),
        ([StaffRole.ADMIN], set()),
        ([], set()),
        ([StaffRole.ADMIN, StaffRole.STAFF], {A.STAY, A.MUTE, A.MOVE_ZONE, A.ADD_MEDICINE}),
    ],
)
def test_each_role_is_offered_what_it_may_do(roles: list[StaffRole], may: set[A]) -> None:
    """And told what it may not: the two together are all that the plan lets be done, in its order."""
    mine, others = offered(MIDWAY, iter(roles)), withheld(MIDWAY, iter(roles))

    assert (set(mine), set(others)) == (may, set(possible(MIDWAY)) - may)
    assert [action for action in possible(MIDWAY) if action in mine] == list(mine)
