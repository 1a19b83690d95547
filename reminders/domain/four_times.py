"""The four times of a dose: until when it is announced, taken, waited for and answered. Four, because one window serves none of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reminders.domain.contact import QuietHours
from reminders.domain.missed_rules import MissedDoseRule, take_until
from reminders.domain.plan import DAY, HOUR
from reminders.domain.schedule import Slot

ON_TIME = timedelta(minutes=1)
"""Announced within a minute of its due instant, a dose is announced on time: a pass takes seconds."""


@dataclass(frozen=True, slots=True)
class FourTimes:
    """The four times of a dose, in UTC.

    announce_until  its reminder may go out before this instant.
    take_until      it may be taken up to and including this moment; None: no rule says.
    silent_at       from here on an unanswered dose counts as silent, though still open.
    answer_until    from here on it is closed.
    """

    announce_until: datetime
    take_until: datetime | None
    silent_at: datetime
    answer_until: datetime

    @property
    def offered_until(self) -> datetime:
        """The last moment at which somebody who follows the reminder takes the dose; no rule, or on time only: until it is announced."""
        return self.announce_until if self.take_until is None else max(self.take_until, self.announce_until)


# Our defaults. In quiet hours a text that is late must not wake anybody.
ANNOUNCE_WITHIN, ANNOUNCE_PART_OF_GAP = HOUR, 4
ANNOUNCE_WITHIN_IN_QUIET_HOURS = timedelta(minutes=15)


def times_of(
    slot: Slot,
    next_slot: Slot | None,
    rule: MissedDoseRule,
    quiet: QuietHours,
    tz: ZoneInfo,
    *,
    not_after: datetime | None = None,
) -> FourTimes:
    """Reckon the four times of a slot. `not_after`: as for `take_until`, the room that the ingredient's next dose leaves."""
    due_at = slot.due_at
    last = take_until(slot, next_slot, rule, not_after=not_after).last
    useful_until = last or not_after
    announce_until = _announce_until(due_at, next_slot, quiet, tz)
    if useful_until is not None:  # a reminder that says "take it" when it is too late would be wrong advice
        announce_until = min(announce_until, max(useful_until, due_at + ON_TIME))
    return FourTimes(
        announce_until=announce_until,
        take_until=last,
        silent_at=due_at + DAY if last is None else min(last, due_at + DAY),
        answer_until=max(last or due_at, due_at + DAY) if next_slot is None else next_slot.due_at,
    )


def _announce_until(due_at: datetime, next_slot: Slot | None, quiet: QuietHours, tz: ZoneInfo) -> datetime:
    within = ANNOUNCE_WITHIN if next_slot is None else min(ANNOUNCE_WITHIN, (next_slot.due_at - due_at) / ANNOUNCE_PART_OF_GAP)
    at_least = due_at + ANNOUNCE_WITHIN_IN_QUIET_HOURS
    ends = at_least if quiet.contains(due_at, tz) else max(at_least, quiet.next_start(due_at, tz))
    return min(due_at + within, ends)
