"""The rules about a late dose, as data, and the last moment at which each still says "take it".

A rule is a plan's own, else its drug profile's. It looks at one slot and the next; what the patient has taken, and what
is said to them, is decided in `missed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias, assert_never

from reminders.domain.plan import DAY, HOUR, plain
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


LATE_WITHOUT_NEXT = 2 * HOUR
"""The general rule of the NHS Specialist Pharmacy Service, "Advising on missed or delayed doses": up to 2 hours late is
usually fine. It caps the last dose before a stop where the rule counts back from a next dose that does not exist.
"""


@dataclass(frozen=True, slots=True)
class TakeLimit:
    """The end of the time in which a dose may be taken, and what holds at that very instant. `at` None: no rule says, ask."""

    at: datetime | None
    at_limit: Boundary = Boundary.TAKE

    @property
    def last(self) -> datetime | None:
        """The last moment at which "take it now" is the answer, that moment included."""
        if self.at is None or self.at_limit is Boundary.TAKE:
            return self.at
        return self.at - timedelta.resolution


def take_until(slot: Slot, next_slot: Slot | None, rule: MissedDoseRule, *, not_after: datetime | None = None) -> TakeLimit:
    """The last moment a slot's dose may be taken, by its rule and in elapsed time; never before it is due.

    `not_after` is what the ingredient's next dose leaves room for; whatever the rule says, nothing is taken later.
    A dose at its due time is always allowed. Once the next slot is due, the turn has passed to that one.
    """
    if isinstance(rule, AskProviderRule):
        return TakeLimit(None)
    ends = _ends_by_rule(slot, next_slot, rule)
    if next_slot is not None:
        ends.append((next_slot.due_at, Boundary.SKIP))
    if not_after is not None:
        ends.append((not_after, Boundary.TAKE))
    # Tuples compare by instant first; at one instant "skip" sorts before "take", and so the stricter one wins.
    return TakeLimit(*max(min(ends), (slot.due_at, Boundary.TAKE)))


def _ends_by_rule(slot: Slot, next_slot: Slot | None, rule: HoursBeforeNext | MaxLate | Fraction) -> list[tuple[datetime, Boundary]]:
    """Every end the rule itself sets, each with what holds at that very instant."""
    if isinstance(rule, MaxLate):
        late = [(slot.due_at + rule.late, rule.at_limit)]
        return late if next_slot is None or rule.min_gap is None else [*late, (next_slot.due_at - rule.min_gap, Boundary.TAKE)]
    if next_slot is None:
        return [(slot.due_at + LATE_WITHOUT_NEXT, Boundary.TAKE)]
    if isinstance(rule, HoursBeforeNext):
        return [(next_slot.due_at - rule.gap, rule.at_limit)]
    return [(slot.due_at + _part(next_slot.due_at - slot.due_at, rule.of_gap), rule.at_limit)]


def _part(gap: timedelta, part: Decimal) -> timedelta:
    """An exact part of a gap, to the microsecond and never more."""
    return int(Decimal(gap // timedelta.resolution) * part) * timedelta.resolution


def in_words(rule: MissedDoseRule) -> str:
    """Write a rule with its number, for staff: what was decided must be readable beside the decision."""
    match rule:
        case HoursBeforeNext():
            return f"leave it out if {_under(rule.at_limit)} {span(rule.gap)} remains to the next dose"
        case MaxLate():
            room = "" if rule.min_gap is None else f", and {span(rule.min_gap)} or more before the next dose"
            return f"take it if {_within(rule.at_limit)} {span(rule.late)} late{room}"
        case Fraction():
            return f"take it if {_within(rule.at_limit)} {plain(rule.of_gap)} of the time to the next dose has passed"
        case AskProviderRule():
            return "neither the plan nor the drug profile has a rule"
        case _ as unreachable:
            assert_never(unreachable)


def _under(at_limit: Boundary) -> str:
    return "less than" if at_limit is Boundary.TAKE else "no more than"


def _within(at_limit: Boundary) -> str:
    return "at most" if at_limit is Boundary.TAKE else "less than"


def span(length: timedelta) -> str:
    """Write a length of time in its largest exact unit: 5 d, 48 h, 90 min. Up to two days, hours are how people count."""
    if length > 2 * DAY and length % DAY == timedelta(0):
        return f"{length // DAY} d"
    if length % HOUR == timedelta(0):
        return f"{length // HOUR} h"
    return f"{plain(Decimal(length // timedelta(seconds=1)) / 60)} min"
