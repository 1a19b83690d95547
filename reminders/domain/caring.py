"""What a caregiver's page shows, and what may be said there: as much as the patient agreed to, and by default the least."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reminders.domain.contact import Role
from reminders.domain.dose_state import DoseState

LINK_HOLDS = timedelta(days=7)
"""How long the link to a caregiver's page is good [our default]."""

STRIP_DAYS = 14
"""How many days the longest view shows, today among them [our default]."""

GIVEN_WITHIN = timedelta(hours=24)
"""How long after it was due a dose can be told of on the page [our default]: later than that, the clinic is called."""


class Sees(StrEnum):
    """What a page shows, each more than the one before: only what its reader was told of; today's doses; the last days' too."""

    ALERTS = "alerts"
    TODAY = "today"
    STRIP = "strip"

    def shows(self, other: Sees) -> bool:
        """Whether this much shows that much too."""
        order = list(Sees)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Grant:
    """What one person may see, and whether they may say that a dose was given, or ask what to do about one."""

    sees: Sees
    answers: bool

    def __post_init__(self) -> None:
        if self.answers and not self.sees.shows(Sees.TODAY):
            raise ValueError("who may say that a dose was given sees today's doses")


LEAST = Grant(Sees.ALERTS, answers=False)
PROXYS = Grant(Sees.TODAY, answers=True)
"""Of who answers for the patient in any case, by text."""


def granted(role: Role, agreed: Grant | None) -> Grant:
    """What holds for somebody: what the patient agreed to, else the least of their role. A proxy answers whatever else is agreed."""
    if role is Role.PROXY:
        return PROXYS if agreed is None else Grant(max(agreed.sees, Sees.TODAY, key=list(Sees).index), answers=True)
    return agreed or LEAST


def still_told(due_at: datetime, now: datetime) -> bool:
    """Whether a dose can still be told of, and asked about, on a page. Instants UTC."""
    return now - due_at <= GIVEN_WITHIN


def open_to_say(grant: Grant, state: DoseState, due_at: datetime, now: datetime) -> bool:
    """Whether a page offers its reader to say that a dose was given. What is down as taken needs no second word. Instants UTC."""
    return grant.answers and state not in {DoseState.TAKEN, DoseState.NOT_DUE} and still_told(due_at, now)
