"""When a person at the clinic has a patient's conversation in hand, and when what they write may leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from reminders.domain.contact import QuietHours

HOLDS_FOR = timedelta(hours=4)
"""For how long a conversation stays in a person's hands unless they hand it back: they may have gone home [our default]."""

TALKING = timedelta(minutes=30)
"""Whoever wrote to us so lately is awake, and may be answered in their quiet hours [our default]."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """Somebody has a conversation in hand in `[began_at, until)`, or until it was handed back. Instants UTC."""

    by: str
    began_at: datetime
    until: datetime
    ended_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it is in their hands at an instant."""
        return self.began_at <= at < (self.until if self.ended_at is None else min(self.until, self.ended_at))


def in_whose_hands(takeovers: tuple[Takeover, ...], *, written_at: datetime, now: datetime) -> str | None:
    """Whose a text is that was written at one instant and is read at another: whoever had the conversation at either, now before then."""
    return next((takeover.by for at in (now, written_at) for takeover in takeovers if takeover.holds(at)), None)


def leaves_at(now: datetime, quiet: QuietHours, tz: ZoneInfo, *, heard_at: datetime | None) -> datetime:
    """When a text that a person wrote leaves: at once, or when the patient's quiet hours end unless they have just written themselves."""
    talking = heard_at is not None and now - heard_at < TALKING
    return now if talking or not quiet.contains(now, tz) else quiet.next_end(now, tz)
