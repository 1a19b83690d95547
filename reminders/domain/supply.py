"""How many tablets a run of slots takes, and whether they last: for a taper, for the next phase, for a stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from reminders.domain.plan import Amount, Course, Stay, Version
from reminders.domain.profile import DrugProfile
from reminders.domain.schedule import Slot, instant_of, phase_spans, slots_between, slots_of_dates
from reminders.domain.tablets import count_tablets


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
