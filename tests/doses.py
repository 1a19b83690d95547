"""Doses by the clock of New York: slots, what became of them, and instants written as a person would."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from reminders.domain.announcing import PlanStanding, next_to_take
from reminders.domain.contact import Contactable, QuietHours
from reminders.domain.dose_state import DoseState
from reminders.domain.missed import DoseRecord, HoursBeforeNext, Limits, MissedDoseRule
from reminders.domain.plan import HOUR, Amount, Course
from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import Slot, slots_between
from tests.builders import NEW_YORK, a_course, a_phase, a_plan

TZ = ZoneInfo(NEW_YORK)
MONDAY = date(2026, 6, 1)
TWO_HOURS = HoursBeforeNext(2 * HOUR)
GAP = Limits(min_gap=2 * HOUR)
_OFFSETS = {"EST": timezone(timedelta(hours=-5)), "EDT": timezone(timedelta(hours=-4))}


def drawn(table: str) -> tuple[tuple[str, ...], ...]:
    """Read a drawn table: rows of cells between bars, the first row its heading."""
    return tuple(tuple(cell.strip() for cell in line.split("|")) for line in table.strip().splitlines())


def clock(text: str, day: date = MONDAY) -> datetime:
    """Read a local time: "12:00", "12:00:01", "02:00+" of the next day, "01:30+ EST" where the hour occurs twice."""
    hour, *zone = text.split()
    local = datetime.fromisoformat(f"{day}T{hour.rstrip('+')}") + timedelta(days=hour.count("+"))
    return local.replace(tzinfo=_OFFSETS[zone[0]] if zone else TZ).astimezone(UTC)


def daily(times: str, amount: str = "5", *, start: date = date(2026, 3, 2), days: int | None = None) -> Course:
    """A course of one amount at "08/14/20" every day, from long before the tests' Monday on."""
    at = tuple(f"{hour}:00" if len(hour) == 2 else hour for hour in times.split("/"))
    return a_course(a_plan(a_phase("/".join([amount] * len(at)), days, at=at), start=str(start)))


def slot_at(course: Course, due: str, day: date = MONDAY) -> Slot:
    """The slot of a course that falls due at a local time."""
    due_at = clock(due, day)
    return slots_between(course, due_at, due_at + timedelta.resolution)[0]


def slot_and_next(course: Course, due: str, day: date = MONDAY) -> tuple[Slot, Slot | None]:
    """A slot, and the one after it."""
    slot = slot_at(course, due, day)
    return slot, next_to_take(course, slot, GAP.min_gap)


def standing(
    course: Course, *records: DoseRecord, decided: str = "07:59", rule: MissedDoseRule = TWO_HOURS, limits: Limits = GAP
) -> PlanStanding:
    """An active plan of a patient who may be texted, decided up to a local time of the Monday."""
    return PlanStanding(
        plan_id="plan",
        course=course,
        state=PlanState.ACTIVE,
        decided_until=clock(decided),
        rule=rule,
        limits=limits,
        quiet=QuietHours(),
        contact=Contactable(),
        records=records,
    )


def dose(
    slot: Slot,
    state: DoseState = DoseState.OPEN,
    *,
    plan: str = "plan",
    taken_at: datetime | None = None,
    taken_by: datetime | None = None,
    until: datetime | None = None,
    odd: bool = False,
) -> DoseRecord:
    """What became of a slot; told as taken as soon as an hour is given."""
    state = DoseState.TAKEN if taken_at or taken_by else state
    return DoseRecord(
        plan=plan,
        slot_date=slot.local_date,
        number=slot.number,
        due_at=slot.due_at,
        amount=slot.amount,
        state=state,
        taken_at=taken_at,
        taken_by=taken_by,
        announced_at=slot.due_at,
        may_take_until=until,
        odd=odd,
    )


def mg(amount: str) -> Amount:
    """An amount in mg."""
    return Amount(Decimal(amount))
