"""What is known of a drug and form: every number with its source. The values only; `reminders/drugs` reads the files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from reminders.domain.missed import MissedDoseRule
    from reminders.domain.plan import Amount

T = TypeVar("T")


class Confidence(StrEnum):
    """How far a number can be trusted."""

    SOURCED = "sourced"
    SECOND_HAND = "second-hand"
    DEFAULT = "default"


class Severity(StrEnum):
    """What a breach does: an error blocks, a warning needs a typed reason."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T]):
    """A value, where it comes from, how sure that is, and what breaching it does."""

    value: T
    source: str
    confidence: Confidence
    on_breach: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class Interaction:
    """A class of medicines that matters beside this drug: the names it is recognised by, and what it does."""

    group: str
    names: tuple[str, ...]
    effect: Sourced[str]
    advice: str
    severity: str


@dataclass(frozen=True, slots=True)
class DrugProfile:
    """A drug and form. None means "no source": the provider fills it in, nobody guesses.

    Amounts are exact, in the drug's unit; gaps are elapsed time. `withdrawal_risk`: stopping suddenly can do harm.
    """

    key: str
    name: str
    ingredient: str
    form: str
    aliases: tuple[str, ...]
    strengths: Sourced[tuple[Amount, ...]]
    scored: Sourced[tuple[Amount, ...]] | None
    withdrawal_risk: Sourced[bool]
    max_per_dose: Sourced[Amount] | None
    max_per_day: Sourced[Amount] | None
    max_in_24h: Sourced[Amount] | None
    start_max_per_day: Sourced[Amount] | None
    step_max_per_dose: Sourced[Amount] | None
    step_max_per_day: Sourced[Amount] | None
    step_min_days: Sourced[int] | None
    taper_min_days: Sourced[int] | None
    min_gap: Sourced[timedelta]
    max_gap: Sourced[timedelta] | None
    missed_dose_rule: Sourced[MissedDoseRule] | None
    gap_warn: Sourced[timedelta] | None
    gap_suspend: Sourced[timedelta] | None
    interactions: tuple[Interaction, ...]
    red_flags: Sourced[tuple[str, ...]] | None
