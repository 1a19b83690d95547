"""The states of a plan, and which may follow which.

*Staying*: doses go on and no step is taken. *Muted*: doses go on elsewhere (a hospital, say), no texts, not counted.
*Suspended*: do not take; the patient is told and nothing is due. Never "hold": to a nurse that means "do not give".
"""

from __future__ import annotations

from enum import StrEnum


class PlanState(StrEnum):
    """Where a plan stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    ACTIVE = "active"
    STAYING = "staying"
    MUTED = "muted"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    STOPPED = "stopped"


_S = PlanState

NEXT_STATES: dict[PlanState, frozenset[PlanState]] = {
    _S.DRAFT: frozenset({_S.APPROVED}),
    _S.APPROVED: frozenset({_S.DRAFT, _S.ACTIVE, _S.STOPPED}),
    _S.ACTIVE: frozenset({_S.STAYING, _S.MUTED, _S.SUSPENDED, _S.COMPLETED, _S.STOPPED}),
    _S.STAYING: frozenset({_S.ACTIVE, _S.MUTED, _S.SUSPENDED, _S.STOPPED}),
    _S.MUTED: frozenset({_S.ACTIVE, _S.STAYING, _S.SUSPENDED, _S.COMPLETED, _S.STOPPED}),
    _S.SUSPENDED: frozenset({_S.ACTIVE, _S.STAYING, _S.MUTED, _S.STOPPED}),
    _S.COMPLETED: frozenset(),
    _S.STOPPED: frozenset(),
}
"""A suspended plan is never completed: its end is a named provider's decision. What is completed or stopped stays so; what
comes after is a new plan.
"""

DOSES_FALL_DUE = frozenset({_S.ACTIVE, _S.STAYING, _S.MUTED})
"""In these states slots fall due and become doses; in all others time passes and nothing is owed."""


def may_become(state: PlanState, following: PlanState) -> bool:
    """Say whether a plan may go from one state straight to another; staying in its state is not a step."""
    return following in NEXT_STATES[state]
