"""What a patient has taken, or may have taken without telling us: the ground on which the laws of the missed-dose rule stand.

A person who said nothing may have followed our last word to them at its last moment. Every question here is answered for
that case too, over all of the patient's plans of one ingredient.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from reminders.domain.dose_state import DoseState
from reminders.domain.plan import DAY, Amount
from reminders.domain.schedule import Slot

EARLY = timedelta(minutes=60)
"""How long before its reminder a dose can be told as taken [our default]."""

TOLD_NOT_TAKEN = frozenset({DoseState.SKIPPED, DoseState.MISSED, DoseState.NOT_DUE})


@dataclass(frozen=True, slots=True)
class Limits:
    """An ingredient's limits over all of a patient's plans; None: no source sets one. Maxima are in the plan's unit."""

    min_gap: timedelta
    max_per_day: Decimal | None = None
    max_in_24h: Decimal | None = None
    longest_gap: timedelta | None = None


@dataclass(frozen=True, slots=True)
class DoseRecord:
    """What one dose of the ingredient (of any of the patient's plans) came to, as far as we know. All instants UTC.

    taken_at        when it was taken, where the patient told us.
    taken_by        told as taken, hour unknown: at the latest then.
    announced_at    when its reminder was written; None: none was.
    may_take_until  the last moment at which a text of ours lets the patient take it: `offered_until`, or later advice's `until`.
    odd             "took two", "half" or "threw up", and no person has looked at it yet.
    """

    plan: str
    slot_date: date
    number: int
    due_at: datetime
    amount: Amount
    state: DoseState
    taken_at: datetime | None = None
    taken_by: datetime | None = None
    announced_at: datetime | None = None
    may_take_until: datetime | None = None
    odd: bool = False


def told_taken(record: DoseRecord) -> bool:
    """Say whether somebody told that it was taken. What is said against it later, or that no dose was due, undoes no tablet."""
    return record.state is DoseState.TAKEN or record.taken_at is not None or record.taken_by is not None


def perhaps_taken(record: DoseRecord) -> bool:
    """Say whether this dose was, or may have been, taken: told so, or reminded and silent."""
    if told_taken(record):
        return True
    if record.state is DoseState.NOT_REMINDED:
        return record.may_take_until is not None
    return record.state not in TOLD_NOT_TAKEN


def latest_moment(record: DoseRecord) -> datetime | None:
    """The latest moment (UTC) at which a dose was, or may yet be, taken; None if told as not taken, or never offered."""
    if told_taken(record):
        return usual_moment(record)
    return None if record.state in TOLD_NOT_TAKEN else record.may_take_until


def usual_moment(record: DoseRecord) -> datetime:
    """The moment (UTC) a dose was, or would have been, taken: as told, else when it was due."""
    return record.taken_at or record.taken_by or record.due_at


def hour_unknown(record: DoseRecord) -> bool:
    """Say whether a dose is known to be taken, but not when."""
    return told_taken(record) and record.taken_at is None


def free_from(records: Iterable[DoseRecord], min_gap: timedelta, at: datetime) -> datetime:
    """The first moment (UTC), `at` or later, that is the minimum gap after everything perhaps taken.

    A moment later than `at` is rounded up to the minute, for texts name it by the clock.
    """
    moments = [_minute_up(moment + min_gap) for record in records if (moment := latest_moment(record)) is not None]
    return max([at, *moments])


def _minute_up(moment: datetime) -> datetime:
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + timedelta(minutes=1)


def passes_daily_maximum(slot: Slot, others: Iterable[DoseRecord], max_per_day: Decimal | None) -> bool:
    """Say whether a slot's amount, with all that is perhaps taken of its slot date, is more than the daily maximum.

    The day is the slot's own: a late night dose belongs to its evening. An amount in another unit cannot be added up,
    and counts as too much.
    """
    if max_per_day is None:
        return False
    same_day = [record.amount for record in others if record.slot_date == slot.local_date and perhaps_taken(record)]
    if any(amount.unit is not slot.amount.unit for amount in same_day):
        return True
    return slot.amount.value + sum(amount.value for amount in same_day) > max_per_day


@dataclass(frozen=True, slots=True)
class Intake:
    """An amount at an instant (UTC): taken, perhaps taken, or planned."""

    at: datetime
    amount: Decimal


def intakes_around(others: Iterable[DoseRecord], upcoming: Iterable[Slot]) -> tuple[Intake, ...]:
    """All intakes but this slot's: what was taken (silent doses at their own hour), and the slots yet to come, on time."""
    taken = [Intake(usual_moment(record), record.amount.value) for record in others if perhaps_taken(record)]
    ahead = [Intake(later.due_at, later.amount.value) for later in upcoming]
    return (*taken, *ahead)


def most_in_24h(own: Intake, others: Iterable[Intake]) -> Decimal:
    """The largest sum of any 24 hours that hold this intake, `start <= at < start + 24 h`."""
    intakes = (own, *others)
    starts = [intake.at for intake in intakes if own.at - DAY < intake.at <= own.at]
    return max(sum((intake.amount for intake in intakes if start <= intake.at < start + DAY), Decimal(0)) for start in starts)
