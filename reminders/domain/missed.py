"""What to say about a late dose, and whether a reminder may go out: the missed-dose rule.

Pure: rules (`missed_rules`) and limits are data, what was taken (`intake`) and `now` are arguments, nothing is stored.
Four laws hold for every answer given here (`tests/laws/test_missed_laws.py`):

(a) never two amounts for one slot;
(b) two doses of an ingredient are never closer than its minimum gap, even if the patient never answers;
(c) the sum by slot date never exceeds the daily maximum;
(d) where a drug has a maximum in 24 hours, no late dose may break it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from reminders.domain.dose_state import DoseState
from reminders.domain.four_times import ON_TIME, FourTimes, times_of
from reminders.domain.intake import (
    TOLD_NOT_TAKEN,
    DoseRecord,
    Intake,
    Limits,
    free_from,
    hour_unknown,
    intakes_around,
    most_in_24h,
    passes_daily_maximum,
    perhaps_taken,
    usual_moment,
)
from reminders.domain.missed_rules import (
    AskProviderRule,
    Beyond,
    Boundary,
    Fraction,
    HoursBeforeNext,
    MaxLate,
    MissedDoseRule,
    TakeLimit,
    in_words,
    span,
    take_until,
)
from reminders.domain.plan import DAY
from reminders.domain.schedule import Slot

__all__ = [
    "ON_TIME",
    "Advice",
    "AlreadyTaken",
    "Announce",
    "Announcement",
    "Ask",
    "AskProvider",
    "AskProviderRule",
    "Beyond",
    "Boundary",
    "DoseRecord",
    "FourTimes",
    "Fraction",
    "HoursBeforeNext",
    "Limits",
    "MaxLate",
    "MissedDoseRule",
    "NotBefore",
    "Situation",
    "Skip",
    "SkipThis",
    "SkipWhy",
    "TakeLimit",
    "TakeNow",
    "TooSoon",
    "advice_for",
    "in_words",
    "may_announce",
    "settled_why",
    "take_until",
    "times_of",
]


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

    @property
    def own(self) -> DoseRecord | None:
        """This slot's own dose, if it has one."""
        return next((record for record in self.records if self._is_own(record)), None)

    @property
    def others(self) -> tuple[DoseRecord, ...]:
        """All doses but this slot's."""
        return tuple(record for record in self.records if not self._is_own(record))

    def _is_own(self, record: DoseRecord) -> bool:
        return (record.plan, record.slot_date, record.number) == (self.plan, *self.slot.key)

    @property
    def room_until(self) -> datetime | None:
        """The last moment (UTC) that leaves the minimum gap to the ingredient's next dose, of any plan; None: there is none."""
        slots = (*self.upcoming, self.next_slot) if self.next_slot else self.upcoming
        dues = [slot.due_at for slot in slots] + [record.due_at for record in self.others if record.state is not DoseState.NOT_DUE]
        following = [due for due in dues if due > self.slot.due_at]
        return min(following) - self.limits.min_gap if following else None

    @property
    def last_moment(self) -> datetime | None:
        """The last moment (UTC, included) at which this dose may be taken; None: no rule says."""
        return take_until(self.slot, self.next_slot, self.rule, not_after=self.room_until).last


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


def advice_for(situation: Situation, now: datetime) -> Advice:
    """Say what to do about one slot's dose, asked at `now` (aware UTC).

    One dose at most, of the slot's own amount, and it moves no later one. Ask again whenever the answer is used: it holds
    up to and including its `until`. Of several missed slots ask about the current one; an earlier one is always left out.

    Source: NHS, baclofen: less than 2 hours to the next dose, leave it out; never two together, never an extra.
    """
    own, due_at, last = situation.own, situation.slot.due_at, situation.last_moment
    if own is not None and own.state is DoseState.TAKEN and not own.odd:
        return AlreadyTaken(own.taken_at, rule="one dose for each slot")
    if (why := _for_a_person(situation)) is not None:
        return AskProvider(why, rule=in_words(situation.rule))
    ready = free_from(situation.others, situation.limits.min_gap, due_at)
    if last is None:
        return TooSoon(ready, None, rule=_distance(situation)) if now < due_at else AskProvider(in_words(situation.rule))
    if now > last or ready > last:
        return _leave_out(situation, now)
    return TooSoon(ready, last, rule=_distance(situation)) if now < ready else _take_now(situation, now, last)


def _distance(situation: Situation) -> str:
    return f"not before its time, and {span(situation.limits.min_gap)} between two doses"


def _for_a_person(situation: Situation) -> str | None:
    """Why no rule may answer for this dose, neither with advice nor with a reminder; None: the rules can."""
    own = situation.own
    if any(record.odd for record in situation.records):
        return "a dose was taken twice, taken in part or thrown up, and nobody has looked at it yet"
    if own is not None and own.state is DoseState.NOT_DUE:
        return "the plan says no dose here"
    if passes_daily_maximum(situation.slot, situation.others, situation.limits.max_per_day):
        return f"with this dose the day would pass its maximum of {situation.limits.max_per_day}"
    return None


def _leave_out(situation: Situation, now: datetime) -> Skip | AskProvider:
    """Too late, or too near another dose: left out, unless the rule or a drug that bears no long gap wants a person asked."""
    rule, room, longest = situation.rule, situation.room_until, situation.limits.longest_gap
    if isinstance(rule, MaxLate) and rule.beyond is Beyond.ASK and (room is None or now <= room):
        return AskProvider("past the limit of its rule", rule=in_words(rule))
    if longest is not None and _gap_without_it(situation) > longest:
        return AskProvider(f"without this dose there would be more than {span(longest)} between two doses", rule=in_words(rule))
    return Skip(_next_due(situation), rule=in_words(rule))


def _gap_without_it(situation: Situation) -> timedelta:
    """From the last dose perhaps taken (else the first we know of) to the next, if this one is left out."""
    if situation.next_slot is None:
        return timedelta(0)
    taken = [usual_moment(record) for record in situation.others if perhaps_taken(record)]
    known = [situation.slot.due_at, *(record.due_at for record in situation.others)]
    return situation.next_slot.due_at - (max(taken) if taken else min(known))


def _next_due(situation: Situation) -> datetime | None:
    return None if situation.next_slot is None else situation.next_slot.due_at


def _take_now(situation: Situation, now: datetime, last: datetime) -> TakeNow | Skip:
    """Take it, as long as the maximum in 24 hours allows; where it allows nothing, leave it out (law d)."""
    if _too_much_in_24h(situation, now):
        return Skip(_next_due(situation), rule=f"no more than {situation.limits.max_in_24h} in any 24 h")
    # Taken later it comes within 24 hours of one more slot at a time: the advice ends where that would be one too many.
    ends = [last, *(slot.due_at - DAY for slot in situation.upcoming if slot.due_at - DAY < last)]
    lawful = (end for end in ends if not _too_much_in_24h(situation, end))
    return TakeNow(max(lawful, default=now), rule=in_words(situation.rule))


def _too_much_in_24h(situation: Situation, taken_at: datetime) -> bool:
    """Say whether this dose, taken then, makes any 24 hours pass the drug's maximum, all later slots being taken on time."""
    if situation.limits.max_in_24h is None:
        return False
    others = intakes_around(situation.others, situation.upcoming)
    return most_in_24h(Intake(taken_at, situation.slot.amount.value), others) > situation.limits.max_in_24h


class SkipWhy(StrEnum):
    """Why a dose is not announced. The first three need no text; the last two need "leave this one out"."""

    TAKEN_EARLY = "taken_early"
    ANSWERED = "answered"
    TOO_LATE = "too_late"
    TOO_SOON = "too_soon"
    OVER_MAXIMUM = "over_maximum"


@dataclass(frozen=True, slots=True)
class Announce:
    """Announce it. With `guard_after` (UTC) the text adds: if you took one after that moment, skip this one."""

    guard_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotBefore:
    """Announce it with "not before": a dose was late, and this one keeps its distance. `until` in UTC, a whole minute."""

    until: datetime


@dataclass(frozen=True, slots=True)
class SkipThis:
    """Do not announce it."""

    why: SkipWhy


@dataclass(frozen=True, slots=True)
class Ask:
    """Tell the patient to call before they take it; a person decides."""

    why: str


Announcement: TypeAlias = Announce | NotBefore | SkipThis | Ask


def may_announce(situation: Situation, now: datetime) -> Announcement:
    """Say whether a slot's reminder may go out at `now` (aware UTC): a reminder is advice too.

    To be asked when the slot falls due, and again when its text is claimed for sending.
    """
    limits = situation.limits
    if (settled := settled_why(situation.own)) is not None:
        return SkipThis(settled)
    if (why := _for_a_person(situation)) is not None:
        return Ask(why)
    at, last = max(now, situation.slot.due_at), situation.last_moment
    if last is not None and at > max(last, situation.slot.due_at + ON_TIME):
        return SkipThis(SkipWhy.TOO_LATE)
    known = (record for record in situation.others if not hour_unknown(record))
    surely_free = free_from(situation.others, limits.min_gap, at)
    if free_from(known, limits.min_gap, at) > at:
        return _wait_until(situation, surely_free)
    if at > situation.slot.due_at + ON_TIME and _too_much_in_24h(situation, at):
        return SkipThis(SkipWhy.OVER_MAXIMUM)
    if surely_free > at:
        return Announce(guard_after=situation.slot.due_at - limits.min_gap)
    return Announce()


def settled_why(own: DoseRecord | None) -> SkipWhy | None:
    """Why a slot needs no reminder any more: taken early, or answered; None: nobody has said anything that settles it."""
    if own is None or own.odd:
        return None
    if own.state is DoseState.TAKEN:
        return SkipWhy.TAKEN_EARLY if usual_moment(own) < own.due_at else SkipWhy.ANSWERED
    return SkipWhy.ANSWERED if own.state in TOLD_NOT_TAKEN else None


def _wait_until(situation: Situation, ready: datetime) -> NotBefore | SkipThis | Ask:
    """The reminder of a dose that must keep its distance from a late one: not before, or not at all."""
    last = situation.last_moment
    if last is None:
        return Ask(in_words(situation.rule))
    if ready > last:
        return SkipThis(SkipWhy.TOO_SOON)
    return SkipThis(SkipWhy.OVER_MAXIMUM) if _too_much_in_24h(situation, ready) else NotBefore(ready)
