"""How far the patients have been heard: what silence proves, and when it is called silence all the same.

Texts reach us by a webhook, and the carrier's list is read after it. Until the list has been read past a moment, nobody knows
whether a patient was silent before it. That wait has a bound: an outage of the carrier must not silence the alerts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

BOUND = timedelta(minutes=30)
"""How long after a moment silence is not yet called so, while the list cannot be read."""

OVERDUE = timedelta(minutes=5)
"""How long ago the list can have been read last, before somebody must notice that nobody reads it [our default]."""

A_TURN = timedelta(minutes=2)
"""How long reading must have failed before anything is given up: whoever comes back from an outage reads first [our default]."""


class Heard(Enum):
    """What is known of the texts that were sent before a moment."""

    ALL = auto()
    NOT_YET = auto()
    GIVEN_UP = auto()


@dataclass(frozen=True, slots=True)
class Hearing:
    """How far the patients have been heard. All instants are UTC.

    until          every text that reached the carrier before this has been taken in; None: nothing is known.
    failing_since  since when the carrier's list cannot be read, or is not; None: all is well.
    """

    until: datetime | None = None
    failing_since: datetime | None = None

    def of(self, moment: datetime, now: datetime) -> Heard:
        """Say what is known, at `now`, of the texts sent before a moment that has passed."""
        if self.until is not None and self.until >= moment:
            return Heard.ALL
        lasting = self.failing_since is not None and now >= self.failing_since + A_TURN
        return Heard.GIVEN_UP if lasting and now >= moment + BOUND else Heard.NOT_YET

    def again_at(self, moment: datetime, now: datetime) -> datetime:
        """When a moment not yet heard is to be looked at again, if no reading of the list brings it forward."""
        settled = A_TURN if self.failing_since is None else self.failing_since + A_TURN - now
        return max(moment + BOUND, now + max(settled, timedelta(minutes=1)))

    def is_unattended(self, now: datetime) -> bool:
        """Whether nobody reads the list, and nobody has noticed."""
        return self.failing_since is None and (self.until is None or now > self.until + OVERDUE)
