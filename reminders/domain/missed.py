"""What to say about a late dose, and whether a reminder may go out: the missed-dose rule.

Pure: rules and limits are data (a plan's, else its drug profile's), `now` is an argument, nothing is stored.
Four laws hold for every answer given here (`tests/laws/test_missed_laws.py`):

(a) never two amounts for one slot;
(b) two doses of an ingredient are never closer than its minimum gap, even if the patient never answers;
(c) the sum by slot date never exceeds the daily maximum;
(d) where a drug has a maximum in 24 hours, no late dose may break it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from reminders.domain.dose_state import DoseState
    from reminders.domain.plan import Amount
    from reminders.domain.schedule import Slot


class Boundary(StrEnum):
    """What a rule says of the very instant of its limit."""

    TAKE = "take"
    SKIP = "skip"


class Beyond(StrEnum):
    """What a "so much late at most" rule says past its limit."""

    SKIP = "skip"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class HoursBeforeNext:
    """Leave the dose out if less than `gap` remains to the next one (NHS, baclofen: less than 2 hours)."""

    gap: timedelta
    at_limit: Boundary = Boundary.TAKE


@dataclass(frozen=True, slots=True)
class MaxLate:
    """Take the dose if it is at most `late` late and, where set, at least `min_gap` before the next (Ozempic label: 5 days, 48 h)."""

    late: timedelta
    min_gap: timedelta | None = None
    at_limit: Boundary = Boundary.TAKE
    beyond: Beyond = Beyond.SKIP


@dataclass(frozen=True, slots=True)
class Fraction:
    """Take the dose up to this part of the time to the next one (0.5: half the gap)."""

    of_gap: Decimal
    at_limit: Boundary = Boundary.TAKE


@dataclass(frozen=True, slots=True)
class AskProviderRule:
    """Neither the plan nor the drug profile has a rule: a person answers."""


MissedDoseRule: TypeAlias = HoursBeforeNext | MaxLate | Fraction | AskProviderRule


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
    may_take_until  the last moment at which a text of ours lets the patient take it (its take_until, or later advice).
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


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the rule looks at for one slot.

    next_slot  the plan's next slot after this one; None: this is the last before a stop.
    records    this ingredient's doses of the last three days, over all plans; this slot's own too if it has one.
    upcoming   this ingredient's slots yet to come, over all plans, for 24 h past the moment this dose may still be taken.
    plan       the plan's id, as in `records`.
    """

    slot: Slot
    next_slot: Slot | None
    rule: MissedDoseRule
    limits: Limits
    records: tuple[DoseRecord, ...] = ()
    upcoming: tuple[Slot, ...] = ()
    plan: str = ""


@dataclass(frozen=True, slots=True)
class TakeNow:
    """Take this slot's own amount now; the advice holds up to and including `until`."""

    until: datetime
    rule: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave this dose out; the next is due at `next_at` (None: there is no next)."""

    next_at: datetime | None
    rule: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AlreadyTaken:
    """This slot's dose has been taken; `taken_at` is None where the hour is not known."""

    taken_at: datetime | None
    rule: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class TooSoon:
    """Not before `until`; from then on it may be taken up to and including `then_until` (None: ask)."""

    until: datetime
    then_until: datetime | None
    rule: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AskProvider:
    """No rule answers this: the patient calls the clinic before taking anything."""

    why: str
    rule: str = field(default="", compare=False)


Advice: TypeAlias = TakeNow | Skip | AlreadyTaken | TooSoon | AskProvider
