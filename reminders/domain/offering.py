"""What may be done to a plan as it stands. A page offers this and no more; whoever acts is asked again when they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from reminders.domain.acting import StaffAction
from reminders.domain.plan_state import PlanState
from reminders.domain.roles import NEEDED, StaffRole, has_right

_S, _A = PlanState, StaffAction

GOES_ON = frozenset({_S.ACTIVE, _S.STAYING})
LIVE = GOES_ON | {_S.MUTED, _S.SUSPENDED}

UNCHANGING = frozenset({_A.ACKNOWLEDGE, _A.ADD_MEDICINE, _A.REMOVE_MEDICINE})
"""What changes neither a dose nor a text of the plan: it is done without first showing what it would do."""

WITH_REASON = frozenset({_A.REMOVE_MEDICINE, _A.STEP_BACK, _A.ADVANCE, _A.SLOW_DOWN, _A.SUSPEND, _A.RESTART, _A.STOP})
"""What a page takes only with a reason: it changes what is taken, or ends what somebody looks after [our default]."""


@dataclass(frozen=True, slots=True)
class Stands:
    """How a plan stands, as far as it decides what may be done.

    phase, phases  the number of the running phase, from 1, and of all.
    steps_ahead    whether a further phase is to begin.
    ends_ahead     whether the running phase, or one after it, has an end.
    listed         how many medicines are on the patient's list; alerts  how many open alerts nobody has taken on.
    """

    state: PlanState
    phase: int
    phases: int
    steps_ahead: bool
    ends_ahead: bool
    listed: int = 0
    alerts: int = 0


_MAY: Mapping[StaffAction, Callable[[Stands], bool]] = MappingProxyType(
    {
        _A.ACKNOWLEDGE: lambda at: at.alerts > 0,
        _A.STAY: lambda at: at.state is _S.ACTIVE and at.steps_ahead,
        _A.RESUME: lambda at: at.state is _S.STAYING,
        _A.STEP_BACK: lambda at: at.state in GOES_ON and at.phase > 1,
        _A.ADVANCE: lambda at: at.state in GOES_ON and at.phase < at.phases,
        _A.SLOW_DOWN: lambda at: at.state in GOES_ON and at.ends_ahead,
        _A.MUTE: lambda at: at.state in GOES_ON,
        _A.UNMUTE: lambda at: at.state is _S.MUTED,
        _A.SUSPEND: lambda at: at.state in GOES_ON or at.state is _S.MUTED,
        _A.RESTART: lambda at: at.state is _S.SUSPENDED,
        _A.STOP: lambda at: at.state in LIVE,
        _A.MOVE_ZONE: lambda at: at.state in LIVE,
        _A.ADD_MEDICINE: lambda at: at.state in LIVE,
        _A.REMOVE_MEDICINE: lambda at: at.state in LIVE and at.listed > 0,
    }
)


def possible(stands: Stands) -> tuple[StaffAction, ...]:
    """What the state of a plan lets be done, the gentlest first."""
    return tuple(action for action, may in _MAY.items() if may(stands))


def offered(stands: Stands, roles: Iterable[StaffRole]) -> tuple[StaffAction, ...]:
    """Of what its state permits, what somebody of these roles may do."""
    mine = tuple(roles)
    return tuple(action for action in possible(stands) if has_right(mine, NEEDED[action]))


def withheld(stands: Stands, roles: Iterable[StaffRole]) -> tuple[StaffAction, ...]:
    """Of what its state permits, what somebody of these roles may not do."""
    may = offered(stands, roles)
    return tuple(action for action in possible(stands) if action not in may)
