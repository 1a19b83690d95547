"""Seams: what a patient had taken of a plan when it was joined to another, and the seam in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from reminders.domain.plan import Course, Plan
from reminders.domain.schedule import instant_of, slots_between, totals_by_date
from reminders.domain.seam import Seam, join
from tests.builders import a_course, a_phase, a_plan, times

MIN_GAP, MAX_GAP = timedelta(hours=2), timedelta(hours=12)
JUNE_10 = date(2026, 6, 10)


@dataclass(frozen=True)
class Taken:
    """What a patient had taken of a plan when the seam came."""

    course: Course
    last: datetime
    planned: dict[date, Decimal]

    def joined(self, plan: Plan, *, at: datetime | None = None, max_per_day: Decimal | None = None) -> Seam:
        """Join to another plan, a minute after the last dose if not said otherwise."""
        return join(
            self.course,
            plan,
            at=at or self.last + timedelta(minutes=1),
            last=self.last,
            min_gap=MIN_GAP,
            max_gap=MAX_GAP,
            used={},
            planned_by_date=self.planned,
            max_per_day=max_per_day,
        )


def taken_until(plan: Plan, at: str, on: date = JUNE_10) -> Taken:
    """Say that every dose of a plan was taken on time, the last one at this local time."""
    last = instant_of(on, times(at)[0], plan.tz)
    course = a_course(plan)
    return Taken(course, last, totals_by_date(slots_between(course, last - timedelta(days=3), last + timedelta(minutes=1))))


def three_a_day(zone: str) -> Plan:
    """5 mg at 08:00, 14:00 and 20:00."""
    return a_plan(a_phase("5/5/5"), zone=zone, start="2026-06-01")


def drawn(seam: Seam) -> tuple[str, str, str, str]:
    """Write a seam as its first slot, its gap, the slots jumped over, and its problems."""
    hours = "" if seam.gap is None else f"{seam.gap / timedelta(hours=1):g} h"
    first = "none" if seam.first is None else f"{seam.first.local_date:%d} {seam.first.local_time:%H:%M}"
    jumped = ", ".join(f"{slot.local_date:%d} {slot.local_time:%H:%M}" for slot in seam.jumped)
    return first, hours, jumped, ", ".join(seam.problems)
