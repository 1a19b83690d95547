"""The states of a plan."""

from __future__ import annotations

from itertools import product

import pytest

from reminders.domain.plan_state import DOSES_FALL_DUE, NEXT_STATES, PlanState, may_become
from tests.doses import drawn

FOLLOWS = drawn("""
    from      | draft | approved | active | staying | muted | suspended | completed | stopped
    draft     | –     | yes      | –      | –       | –     | –         | –         | –
    approved  | yes   | –        | yes    | –       | –     | –         | –         | yes
    active    | –     | –        | –      | yes     | yes   | yes       | yes       | yes
    staying   | –     | –        | yes    | –       | yes   | yes       | –         | yes
    muted     | –     | –        | yes    | yes     | –     | yes       | yes       | yes
    suspended | –     | –        | yes    | yes     | yes   | –         | –         | yes
    completed | –     | –        | –      | –       | –     | –         | –         | –
    stopped   | –     | –        | –      | –       | –     | –         | –         | –
""")


@pytest.mark.parametrize(("state", "cells"), [pytest.param(PlanState(row[0]), row[1:], id=row[0]) for row in FOLLOWS[1:]])
def test_may_become(state: PlanState, cells: tuple[str, ...]) -> None:
    """A plan goes from state to state as the table says, and what has ended stays ended."""
    assert tuple("yes" if may_become(state, following) else "–" for following in PlanState) == cells


def test_every_state_is_in_the_table() -> None:
    """No state is without its row."""
    assert list(NEXT_STATES) == list(PlanState)


def test_doses_fall_due() -> None:
    """Doses fall due while a plan is active, staying or muted; suspended means do not take."""
    assert {PlanState.ACTIVE, PlanState.STAYING, PlanState.MUTED} == DOSES_FALL_DUE


def test_every_running_plan_can_be_stopped_and_suspended() -> None:
    """Whatever a running plan's state, it can be suspended or stopped at once."""
    steps = product(DOSES_FALL_DUE, (PlanState.SUSPENDED, PlanState.STOPPED))

    assert all(may_become(state, following) for state, following in steps)
