"""What was prescribed to one patient: a drug, and phases whose amounts are already resolved.

A plan never holds a formula: "+5 mg every three days" only helps to build one (`domain/taper.py`).
An invalid plan cannot exist: every class here checks itself and raises `InvalidPlan` with the path of the fault.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from reminders.domain.missed import MissedDoseRule


class InvalidPlan(ValueError):
    """A plan that cannot be laid out, with the path of the fault inside it."""

    def __init__(self, path: str, message: str) -> None:
        self.path, self.message = path, message
        super().__init__(f"{path}: {message}" if path else message)


class Unit(StrEnum):
    """How a dose is measured."""

    MG = "mg"
    MCG = "mcg"
    G = "g"
    ML = "mL"
    TABLET = "tablet"


class Kind(StrEnum):
    """What a plan is for."""

    TITRATION = "titration"
    MAINTENANCE = "maintenance"
    TAPER = "taper"


class AdvancePolicy(StrEnum):
    """What an unmet gate does. The prescriber chooses; there is no default."""

    AS_PRESCRIBED = "as_prescribed"
    ASK_PROVIDER = "ask_provider"
    STAY_UNLESS_MET = "stay_unless_met"


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """An exact amount of one unit; more than nothing, and finite."""

    value: Decimal
    unit: Unit = Unit.MG

    def __post_init__(self) -> None:
        if not self.value.is_finite() or self.value <= 0:
            raise InvalidPlan("amount", f"must be a finite number above zero, not {self.value}")

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.unit}"


def plain(value: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros: 5, 2.5, 100."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class PlannedDose:
    """One slot of a phase's day: a local wall time (whole minutes, no zone) and an amount."""

    at: time
    amount: Amount

    def __post_init__(self) -> None:
        if self.at.tzinfo is not None or self.at.second or self.at.microsecond:
            raise InvalidPlan("at", "must be a local time of whole minutes, like 08:00")


@dataclass(frozen=True, slots=True)
class Phase:
    """A run of days on the same amounts. `days` counts calendar days; None is open-ended.

    A phase that runs every n days has its doses on its first day and every n-th day from there.
    """

    doses: tuple[PlannedDose, ...]
    days: int | None = None
    every_n_days: int = 1

    def __post_init__(self) -> None:
        if self.days is not None and self.days < 1:
            raise InvalidPlan("days", f"a phase lasts at least one day, not {self.days}")
        if self.every_n_days < 1:
            raise InvalidPlan("every_n_days", f"must be 1 or more, not {self.every_n_days}")
        if not self.doses:
            raise InvalidPlan("doses", "a phase has at least one dose")
        times = [dose.at for dose in self.doses]
        if sorted(set(times)) != times:
            raise InvalidPlan("doses", "times must rise through the day, each once")

    @property
    def per_day(self) -> Decimal:
        """The total of one dosing day, in the phase's unit."""
        return sum((dose.amount.value for dose in self.doses), Decimal(0))


class CheckInItem(StrEnum):
    """What a check-in asks: each in a text of its own, answered in tokens of its own, so that "1" is never ambiguous."""

    SYMPTOMS = "symptoms"
    STIFFNESS = "stiffness"
    BLOOD_PRESSURE = "blood_pressure"
    SPASMS = "spasms"
    IN_THE_WAY = "in_the_way"
    BENEFIT = "benefit"
    SLEEPINESS = "sleepiness"
    FLUIDS = "fluids"


@dataclass(frozen=True, slots=True)
class CheckIns:
    """What the patient is asked on the days of a check-in. `closely`: daily after each change, for who needs it."""

    items: tuple[CheckInItem, ...]
    closely: bool = False

    def __post_init__(self) -> None:
        if not self.items or len(set(self.items)) < len(self.items):
            raise InvalidPlan("items", "name what is asked, each once; a plan without check-ins has no check_ins")


@dataclass(frozen=True)
class Plan:
    """One immutable version of a prescription: what is taken, at which local times, from which date on.

    `strengths`: the tablets that this patient has; empty: those of the drug's profile.
    """

    drug: str
    kind: Kind
    zone: str
    start: date
    advance: AdvancePolicy
    phases: tuple[Phase, ...]
    label: str | None = None
    missed_dose_rule: MissedDoseRule | None = None
    strengths: tuple[Amount, ...] = ()
    check_ins: CheckIns | None = None

    def __post_init__(self) -> None:
        if not self.phases:
            raise InvalidPlan("phases", "a plan has at least one phase")
        for index, phase in enumerate(self.phases[:-1]):
            if phase.days is None:
                raise InvalidPlan(f"phases[{index}].days", "only the last phase may be open-ended")
        units = {dose.amount.unit for phase in self.phases for dose in phase.doses}
        if len(units) > 1:
            raise InvalidPlan("phases", f"one plan, one unit; found {', '.join(sorted(units))}")
        if {strength.unit for strength in self.strengths} - units:
            raise InvalidPlan("strengths", f"must be in {self.unit}, as the doses are")
        if len(set(self.strengths)) < len(self.strengths):
            raise InvalidPlan("strengths", "must each stand once")
        if self.kind is Kind.TAPER and self.advance is AdvancePolicy.STAY_UNLESS_MET:
            # A silent stay can use up the tablets, and so cause the sudden stop that the taper should prevent.
            raise InvalidPlan("advance", "a taper is as_prescribed or ask_provider, never stay_unless_met")
        if self.kind is Kind.TAPER and self.phases[-1].days is None:
            raise InvalidPlan(f"phases[{len(self.phases) - 1}].days", "a taper ends: give its last phase its days")
        if not self._fits_the_calendar():
            raise InvalidPlan("start", "a plan starts in 1970 or later and its phases end before the year 3000")
        _ = self.tz

    def _fits_the_calendar(self) -> bool:
        """Instants near the ends of what a date can hold overflow when they change zone."""
        days = sum(phase.days or 0 for phase in self.phases)
        return self.start >= date(1970, 1, 1) and self.start.toordinal() + days < date(3000, 1, 1).toordinal()

    @cached_property
    def tz(self) -> ZoneInfo:
        """The patient's time zone."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InvalidPlan("zone", f"no such time zone: {self.zone!r}; use an IANA name like America/New_York") from error

    @property
    def unit(self) -> Unit:
        """The one unit of all its amounts."""
        return self.phases[0].doses[0].amount.unit


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in which doses go on and no step is taken: the phase grows, and all that follows shifts as a block.

    `phase_no` counts from 1. While `extra_days` is None the stay is open and the phase has no end.
    """

    phase_no: int
    since: date
    extra_days: int | None = None


def as_followed(plan: Plan, stays: tuple[Stay, ...]) -> Plan:
    """Lay a plan's stays into its phases: a finished stay lengthens its phase, an open one ends the list there."""
    if not stays:
        return plan
    phases = list(plan.phases)
    for stay in stays:
        phase = phases[stay.phase_no - 1]
        if stay.extra_days is None:
            return replace(plan, phases=(*phases[: stay.phase_no - 1], replace(phase, days=None)))
        if phase.days is not None:
            phases[stay.phase_no - 1] = replace(phase, days=phase.days + stay.extra_days)
    return replace(plan, phases=tuple(phases))


@dataclass(frozen=True)
class Version:
    """A plan as it governs from one instant on.

    effective_at  UTC; every slot due from here on, until the next version's, is this one's.
    first_at      UTC; slots in [effective_at, first_at) were jumped over at the seam (`not_due`); None: none were.
    used          for dates shared with older versions, the highest slot number already used there.
    """

    plan: Plan
    effective_at: datetime
    no: int = 1
    first_at: datetime | None = None
    used: tuple[tuple[date, int], ...] = ()
    stays: tuple[Stay, ...] = ()

    @cached_property
    def followed(self) -> Plan:
        """The plan with its stays laid in. An open stay in a taper keeps it without end: that is what waiting means."""
        return _unchecked_taper(self.plan, self.stays)


def _unchecked_taper(plan: Plan, stays: tuple[Stay, ...]) -> Plan:
    if plan.kind is Kind.TAPER and any(stay.extra_days is None for stay in stays):
        return as_followed(replace(plan, kind=Kind.MAINTENANCE), stays)
    return as_followed(plan, stays)


@dataclass(frozen=True)
class Course:
    """All versions of one patient's plan, oldest first, each governing until the next; `ended_at` (UTC) if it was stopped."""

    versions: tuple[Version, ...]
    ended_at: datetime | None = None

    @classmethod
    def of(cls, plan: Plan, effective_at: datetime) -> Course:
        """A course of one version."""
        return cls((Version(plan, effective_at),))

    @property
    def current(self) -> Version:
        """The version that governs now and from now on."""
        return self.versions[-1]


HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
