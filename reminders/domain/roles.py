"""Who at a clinic may decide what. A name without a role decides nothing; an ended one neither."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from reminders.domain.acting import StaffAction


class StaffRole(StrEnum):
    """What somebody is at a clinic. One person may be several: where one person runs it, the provider is its admin too."""

    PROVIDER = "provider"
    STAFF = "staff"
    ADMIN = "admin"


class Right(StrEnum):
    """What a role gives. `PRESCRIBE`: what is taken, and when; `CARE`: all that leaves it as prescribed; `ADMINISTER`: who works here."""

    PRESCRIBE = "prescribe"
    CARE = "care"
    ADMINISTER = "administer"


RIGHTS: Mapping[StaffRole, frozenset[Right]] = MappingProxyType(
    {
        StaffRole.PROVIDER: frozenset({Right.PRESCRIBE, Right.CARE}),
        StaffRole.STAFF: frozenset({Right.CARE}),
        StaffRole.ADMIN: frozenset({Right.ADMINISTER}),
    }
)

# A stay keeps the amount as it is, so whoever answers the phone may begin one. What ends it lets a step happen, and what
# suspends or stops takes the medicine away, which for a drug with a withdrawal risk is as much a decision as a raise.
NEEDED: Mapping[StaffAction, Right] = MappingProxyType(
    {
        StaffAction.STAY: Right.CARE,
        StaffAction.RESUME: Right.PRESCRIBE,
        StaffAction.STEP_BACK: Right.PRESCRIBE,
        StaffAction.ADVANCE: Right.PRESCRIBE,
        StaffAction.SLOW_DOWN: Right.PRESCRIBE,
        StaffAction.MUTE: Right.CARE,
        StaffAction.UNMUTE: Right.CARE,
        StaffAction.SUSPEND: Right.PRESCRIBE,
        StaffAction.RESTART: Right.PRESCRIBE,
        StaffAction.STOP: Right.PRESCRIBE,
        StaffAction.ACKNOWLEDGE: Right.CARE,
        StaffAction.MOVE_ZONE: Right.CARE,
        StaffAction.ADD_MEDICINE: Right.CARE,
        StaffAction.REMOVE_MEDICINE: Right.CARE,
    }
)


def has_right(roles: Iterable[StaffRole], right: Right) -> bool:
    """Whether one of these roles gives a right."""
    return any(right in RIGHTS[role] for role in roles)


def refusal(name: str, roles: Collection[StaffRole], right: Right) -> str:
    """Why somebody may not do what needs a right, in words; empty if they may."""
    if has_right(roles, right):
        return ""
    able = " or ".join(role.value for role in StaffRole if right in RIGHTS[role])
    return f"{name} is {', '.join(role.value for role in StaffRole if role in roles) or 'without a role'}: only {able} may"
