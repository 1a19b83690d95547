"""When somebody is at the clinic: deadlines that run only in its hours, and when its doors open next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from reminders.domain.plan import DAY
from reminders.domain.schedule import instant_of

WEEKDAYS = 5
LONGEST_CLOSED = 8
"""Days looked ahead: a week, and one more for a zone that skips a date."""


@dataclass(frozen=True, slots=True)
class ClinicHours:
    """The hours of a working day, `opens <= clock < closes`, Monday to Friday, by the clinic's own clock [our default]."""

    opens: time = time(8)
    closes: time = time(17)

    def __post_init__(self) -> None:
        if self.opens >= self.closes:
            raise ValueError("a clinic opens before it closes")

    def after(self, start: datetime, span: timedelta, tz: ZoneInfo) -> datetime:
        """The instant (UTC) at which the clinic has been open for a span since `start`."""
        left = span
        for opens, closes in self._days(start, tz):
            begins = max(opens, start)
            if closes - begins >= left:
                return begins + left
            left -= max(closes - begins, timedelta())
            start = closes
        return self.after(start, left, tz)

    def are_on(self, instant: datetime, tz: ZoneInfo) -> bool:
        """Say whether somebody is at the clinic."""
        return any(opens <= instant < closes for opens, closes in self._days(instant, tz))

    def next_opening(self, instant: datetime, tz: ZoneInfo) -> datetime:
        """The first instant (UTC) after this one at which the clinic opens."""
        return next(opens for opens, _ in self._days(instant, tz) if opens > instant)

    def _days(self, instant: datetime, tz: ZoneInfo) -> list[tuple[datetime, datetime]]:
        """The coming working days as half-open windows (UTC), from the local date of an instant on."""
        today = instant.astimezone(tz).date()
        days = [today + DAY * ahead for ahead in range(LONGEST_CLOSED)]
        return [(instant_of(day, self.opens, tz), instant_of(day, self.closes, tz)) for day in days if day.weekday() < WEEKDAYS]
