"""How many tablets are there, how many a run of slots takes, and whether they last: for a taper, for the next phase, for a stay.

What is there is what somebody counted, with what came since, less what was perhaps taken since: a doubt counts against it.
All spans of days are our defaults: no source names one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import groupby

from reminders.domain.gate import resume_extra_days
from reminders.domain.plan import DAY, Amount, Course, Kind, Plan, Stay, Version
from reminders.domain.profile import DrugProfile
from reminders.domain.schedule import Slot, instant_of, phase_spans, slots_between, slots_of_dates
from reminders.domain.tablets import Tablets, count_tablets, in_tablets

HORIZON = timedelta(days=120)
"""So far ahead tablets are reckoned where a plan has no end. [default]"""
ASK_FOR_MORE = timedelta(days=7)
"""The patient is reminded to fetch more when the tablets last no longer than this. [default]"""
NEARLY_OUT = timedelta(days=3)
"""The clinic is told when they last no longer than this. [default]"""
STAY_LOOKED_AT = 3
"""A stay whose length nobody knows yet is reckoned at so many days: over a weekend, until somebody can decide. [default]"""
OPEN_PHASE = timedelta(days=7)
"""Of a phase without an end, so much must be there when it begins. [default]"""


class TallyKind(StrEnum):
    """What somebody said of tablets: that they are there, or that they came to those that were."""

    COUNTED = "counted"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Tally:
    """So many tablets of one strength, counted or added at an instant (UTC). What came before anybody counted begins the count."""

    at: datetime
    kind: TallyKind
    strength: Amount
    tablets: int


@dataclass(frozen=True, slots=True)
class Use:
    """An amount that was taken, or perhaps was, at an instant (UTC)."""

    at: datetime
    amount: Amount


def on_hand(tallies: Iterable[Tally], uses: Iterable[Use], profile: DrugProfile, strengths: tuple[Amount, ...] = ()) -> dict[Amount, int]:
    """Say how many whole tablets are there, by strength, largest first; only strengths that somebody spoke of.

    `strengths`: those the plan gives; empty: those spoken of. Never less than none: who takes more than was counted had more.
    """
    said = tuple(tallies)
    sizes = strengths or tuple({tally.strength for tally in said})
    left: dict[Amount, Decimal] = {}
    events: list[Use | Tally] = [*uses, *said]
    for event in sorted(events, key=lambda event: event.at):
        match event:
            case Tally(kind=TallyKind.COUNTED):
                left[event.strength] = Decimal(event.tablets)
            case Tally():
                left[event.strength] = left.get(event.strength, Decimal(0)) + event.tablets
            case Use():
                for used in _made(event.amount, profile, sizes):
                    if used.strength in left:
                        left[used.strength] = max(Decimal(0), left[used.strength] - used.count)
    return {strength: int(left[strength]) for strength in sorted(left, reverse=True)}


def not_a_strength(strength: Amount, plan: Plan, profile: DrugProfile) -> str:
    """Say why tablets of a strength cannot be counted for a plan; empty: they can."""
    if not profile.is_counted:
        return f"{profile.name} is not made of tablets: none are counted"
    known = plan.strengths or profile.tablets
    return "" if strength in known else f"no tablet of this plan has {strength}: it is given in {', '.join(map(str, sorted(known)))}"


def runs_out_at(slots: Sequence[Slot], profile: DrugProfile, left: Mapping[Amount, int], strengths: tuple[Amount, ...] = ()) -> Slot | None:
    """Say the first of these slots, in their order, whose tablets are not all there; None if they last."""
    sizes = strengths or tuple(left)
    made = {amount: _made(amount, profile, sizes) for amount in {slot.amount for slot in slots}}
    taken = defaultdict[Amount, Decimal](Decimal)
    for slot in slots:
        for tablets in made[slot.amount]:
            taken[tablets.strength] += tablets.count
            if taken[tablets.strength] > left.get(tablets.strength, 0):
                return slot
    return None


def _made(amount: Amount, profile: DrugProfile, sizes: tuple[Amount, ...]) -> tuple[Tablets, ...]:
    return in_tablets(amount, profile, sizes) or in_tablets(amount, profile) or ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """How long the tablets of a plan last.

    left      on hand now, by strength, largest first
    runs_out  the first slot whose tablets are not all there; None: they last to the plan's end, or for all of `HORIZON`
    ends      the local date of a taper's last dose; None: not a taper
    missing   for a taper, the tablets still to be fetched before its end
    """

    left: Mapping[Amount, int]
    runs_out: Slot | None
    ends: date | None
    missing: Mapping[Amount, int]


def outlook(course: Course, profile: DrugProfile, left: Mapping[Amount, int], *, since: datetime, now: datetime) -> Outlook:
    """Reckon how long the tablets last for the slots due from `since` on (UTC), those not yet in `left`.

    A taper that stays is reckoned as if it went on tomorrow: its end must be covered whenever that is.
    """
    tapering = course.current.plan.kind is Kind.TAPER
    ahead = _as_if_resumed(course, now) if tapering else course
    ends = phase_spans(ahead.current.followed)[-1].ends
    until = now + HORIZON if ends is None else instant_of(ends, time.min, ahead.current.plan.tz)
    slots, strengths = slots_between(ahead, since, until), course.current.plan.strengths
    return Outlook(
        left=left,
        runs_out=runs_out_at(slots, profile, left, strengths),
        ends=ends - DAY if tapering and ends is not None else None,
        missing=_missing(tablets_needed(slots, profile, strengths or tuple(left)), left) if tapering else {},
    )


def _as_if_resumed(course: Course, now: datetime) -> Course:
    """The course with its open stay, if it has one, ended now."""
    version = course.current
    stays = tuple(stay if stay.extra_days is not None else _ended(version, stay, now) for stay in version.stays)
    return replace(course, versions=(*course.versions[:-1], replace(version, stays=stays)))


def _ended(version: Version, stay: Stay, now: datetime) -> Stay:
    closed = tuple(earlier for earlier in version.stays if earlier.extra_days is not None)
    planned_end = _end_of_phase(replace(version, stays=closed), stay.phase_no)
    extra = resume_extra_days(planned_end=planned_end, stay_since=stay.since, resumed=now.astimezone(version.plan.tz).date())
    return replace(stay, extra_days=extra)


class Want(StrEnum):
    """What the tablets that are left call for."""

    SHORT_OF_TAPER = "short_of_taper"
    NEARLY_OUT = "nearly_out"
    ASK_FOR_MORE = "ask_for_more"


def wants(seen: Outlook, *, now: datetime) -> frozenset[Want]:
    """Say what an outlook calls for; nothing, if the tablets last."""
    if seen.runs_out is None:
        return frozenset()
    remaining = seen.runs_out.due_at - now
    found = {
        Want.SHORT_OF_TAPER: seen.ends is not None,
        Want.NEARLY_OUT: remaining <= NEARLY_OUT,
        Want.ASK_FOR_MORE: remaining <= ASK_FOR_MORE,
    }
    return frozenset(want for want, holds in found.items() if holds)


def enough_for_phase(course: Course, profile: DrugProfile, left: Mapping[Amount, int], phase_no: int, *, since: datetime) -> bool:
    """Say whether the tablets last from `since` (UTC) through a phase of the plan that governs, or its first days if it has no end."""
    version = course.current
    span = phase_spans(version.followed)[phase_no - 1]
    ends = instant_of(span.ends or span.starts + OPEN_PHASE, time.min, version.plan.tz)
    return runs_out_at(slots_between(course, since, ends), profile, left, version.plan.strengths) is None


@dataclass(frozen=True, slots=True)
class PhaseNeed:
    """What a phase still takes, by strength, largest first, on the local dates `first` to `last`. `phase_no` counts from 1."""

    phase_no: int
    first: date
    last: date
    tablets: Mapping[Amount, int]


def needs_by_phase(
    course: Course, profile: DrugProfile, left: Mapping[Amount, int], *, since: datetime, until: datetime
) -> tuple[PhaseNeed, ...]:
    """Count what each phase takes of the slots due in `since < due < until` (UTC)."""
    strengths = course.current.plan.strengths or tuple(left) or None
    by_phase = groupby(slots_between(course, since + timedelta.resolution, until), key=lambda slot: slot.phase_no)
    found = ((phase_no, tuple(slots)) for phase_no, slots in by_phase)
    return tuple(
        PhaseNeed(phase_no, slots[0].local_date, slots[-1].local_date, tablets_needed(slots, profile, strengths))
        for phase_no, slots in found
    )


def stay_words(supply: StaySupply) -> str:
    """Say what a stay of `STAY_LOOKED_AT` days takes, and whether it is there."""
    short = f"; missing: {in_words(supply.short)}" if supply.short else ""
    return f"{STAY_LOOKED_AT} days more take {in_words(supply.extra)} on top of what follows{short}."


def in_words(counts: Mapping[Amount, int]) -> str:
    """Say counts of tablets: "12 of 10 mg and 3 of 5 mg"."""
    return " and ".join(f"{count} of {strength}" for strength, count in counts.items()) or "none"


@dataclass(frozen=True, slots=True)
class StaySupply:
    """What a stay takes, in tablets by strength, largest first.

    extra   for the days of the stay alone
    needed  from now on to the horizon, the stay included
    short   what is then missing; if not empty it is an urgent alert, not a stay
    """

    extra: Mapping[Amount, int]
    needed: Mapping[Amount, int]
    short: Mapping[Amount, int]


def tablets_needed(slots: Iterable[Slot], profile: DrugProfile, strengths: tuple[Amount, ...] | None = None) -> dict[Amount, int]:
    """Count the tablets that slots take, by strength, largest first; from the patient's own strengths if given."""
    return count_tablets((slot.amount for slot in slots), profile, strengths)


def shortfall(slots: Iterable[Slot], profile: DrugProfile, left: Mapping[Amount, int]) -> dict[Amount, int]:
    """Count the tablets missing for these slots, by strength, largest first; empty if what is left is enough."""
    return _missing(tablets_needed(slots, profile, tuple(left)), left)


def stay_supply(
    course: Course, profile: DrugProfile, stay: Stay, *, now: datetime, left: Mapping[Amount, int], refill_at: datetime | None = None
) -> StaySupply:
    """Hold the tablets left against a stay of known length in the current version.

    The horizon is the refill (UTC, exclusive); without one the end of the plan; without that the end of the stay.
    Raises ValueError for a stay without a length, or in a phase without an end.
    """
    closed = tuple(earlier for earlier in course.current.stays if earlier.extra_days is not None)
    staying = replace(course.current, stays=(*closed, stay))
    ends, stays_until = (_end_of_phase(version, stay.phase_no) for version in (replace(staying, stays=closed), staying))
    horizon = refill_at or instant_of(phase_spans(staying.followed)[-1].ends or stays_until, time.min, staying.plan.tz)
    to_come = slots_between(replace(course, versions=(*course.versions[:-1], staying)), now, horizon)
    return StaySupply(
        extra=tablets_needed(slots_of_dates(staying.followed, ends, stays_until), profile, tuple(left)),
        needed=tablets_needed(to_come, profile, tuple(left)),
        short=shortfall(to_come, profile, left),
    )


def _end_of_phase(version: Version, phase_no: int) -> date:
    ends = phase_spans(version.followed)[phase_no - 1].ends
    if ends is None:
        raise ValueError(f"phase {phase_no} has no end: a stay adds nothing to it that could be counted")
    return ends


def _missing(needed: Mapping[Amount, int], left: Mapping[Amount, int]) -> dict[Amount, int]:
    return {strength: count - left.get(strength, 0) for strength, count in needed.items() if count > left.get(strength, 0)}
