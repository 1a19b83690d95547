"""What is known of a drug and form: every number with its source. The values only; `reminders/drugs` reads the files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from datetime import date, time

    from reminders.domain.missed import MissedDoseRule
    from reminders.domain.plan import Amount, CheckInItem, Unit

T_co = TypeVar("T_co", covariant=True)


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
class Sourced(Generic[T_co]):
    """A value, where it comes from, how sure that is, and what breaching it does.

    `disagrees`: what other sources say, as (value, source) in words. The cautious one is `value`; all are shown.
    """

    value: T_co
    source: str
    confidence: Confidence
    on_breach: Severity = Severity.WARNING
    disagrees: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What a patient is asked because of another medicine, and when.

    days    days from 1, counted anew from the start, from each change of phase, and from the day the medicine was added.
    weekly  also every seventh day, from the start or from that day.
    raises  the letters of symptoms that count one grade higher beside it.
    """

    asks: tuple[CheckInItem, ...]
    days: tuple[int, ...] = ()
    weekly: bool = False
    raises: tuple[str, ...] = ()


NOTED = "low"
"""An interaction of this severity is a note on the plan; nobody has to acknowledge it."""
GRAVE = "high"
"""An interaction of this severity calls somebody at once; what must not be taken together is never of a lesser one."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """A class of medicines that matters beside this drug: the names it is recognised by, what it does, and what is asked then.

    `labs`: what a laboratory is to check beside it. By which day is the provider's to say: the sources name no interval.
    """

    group: str
    names: tuple[str, ...]
    effect: Sourced[str]
    advice: str
    severity: str
    monitoring: Sourced[Monitoring] | None = None
    labs: Sourced[tuple[str, ...]] | None = None

    @property
    def blocks(self) -> bool:
        """Whether a provider acknowledges it before a plan is approved."""
        return self.severity != NOTED

    @property
    def forbids(self) -> bool:
        """Whether its source forbids the two together: no reason makes up for that."""
        return self.effect.on_breach is Severity.ERROR

    def knows(self, medicine: str) -> bool:
        """Whether a medicine, as it was entered, is of this class: one of its names begins a word of it."""
        words = f" {medicine.casefold()} "
        return any(f" {name.casefold()}" in words for name in self.names)


@dataclass(frozen=True, slots=True)
class KidneyBand:
    """What one source advises for a range of kidney function, `above <= value < below`, in mL/min."""

    above: Decimal
    below: Decimal
    advice: Sourced[str]

    def holds(self, value: Decimal) -> bool:
        """Whether a measured value lies in this band."""
        return self.above <= value < self.below


@dataclass(frozen=True, slots=True)
class Indication:
    """What the drug is given for, under the names it goes by; `caution` says where the sources have doubts."""

    names: tuple[str, ...]
    caution: Sourced[str] | None = None


class TemplateKind(StrEnum):
    """Which way a ready layout goes."""

    TITRATION = "titration"
    TAPER = "taper"


@dataclass(frozen=True, slots=True)
class TemplatePhase:
    """A run of days of a ready layout: an amount for each slot of the day, None where that slot does not exist.

    `days` counts calendar days; None is open-ended. Its doses stand on its first day and every n-th day from there.
    """

    amounts: tuple[Amount | None, ...]
    days: int | None
    every_n_days: int = 1


@dataclass(frozen=True, slots=True)
class Template:
    """A ready layout of phases to pick from, with what it rests on. It proposes nothing: the provider picks it.

    `times`: usual local times, one for each slot of the day; empty where the source has none.
    `from_per_day`: what was taken each day before the first phase; None where the layout starts from nothing.
    """

    name: str
    kind: TemplateKind
    times: tuple[time, ...]
    phases: tuple[TemplatePhase, ...]
    from_per_day: Amount | None
    basis: Sourced[str]


@dataclass(frozen=True, slots=True)
class PercentCut:
    """How far a day's total may fall within so many days, in percent of the highest of them."""

    percent: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class Approval:
    """Who of a clinic answers for a profile of its own, and since when; `replaces`: in place of the shipped one."""

    by: str
    on: date
    replaces: bool = False


NOT_COUNTED = frozenset({"injection"})
"""What is not made of tablets: no strengths are needed to take an amount of it, and none are counted."""


@dataclass(frozen=True, slots=True)
class DrugProfile:
    """A drug and form. None means "no source": the provider fills it in, nobody guesses.

    Amounts are exact, all in `unit`; gaps are elapsed time. `withdrawal_risk`: stopping suddenly can do harm.
    `ceiling_per_day`: how far a clinic may raise `max_per_day` for itself. `notes`: what people read, by topic.
    `longest_gap`: a dose left out that would make a longer one is asked about. `taper_only`: of rising nothing is known.
    `first_cut_percent`: how far a taper's first cut goes at most. `approval`: there where a clinic wrote the file.
    `sources`: the names that stand beside the values, each with a word on what it is.
    """

    key: str
    name: str
    ingredient: str
    form: str
    unit: Unit
    aliases: tuple[str, ...]
    strengths: Sourced[tuple[Amount, ...]] | None
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
    min_gap: Sourced[timedelta] | None
    max_gap: Sourced[timedelta] | None
    missed_dose_rule: Sourced[MissedDoseRule] | None
    gap_warn: Sourced[timedelta] | None
    gap_suspend: Sourced[timedelta] | None
    interactions: tuple[Interaction, ...]
    red_flags: Sourced[tuple[str, ...]] | None
    ceiling_per_day: Sourced[Amount] | None = None
    usual_per_day: Sourced[tuple[Amount, ...]] | None = None
    slot_added: Sourced[str] | None = None
    older_from: Sourced[int] | None = None
    kidney_caution: Sourced[str] | None = None
    kidney: tuple[KidneyBand, ...] = ()
    indications: tuple[Indication, ...] = ()
    review_within: Sourced[timedelta] | None = None
    notes: tuple[tuple[str, Sourced[str]], ...] = ()
    templates: tuple[Template, ...] = ()
    max_per_week: Sourced[Amount] | None = None
    max_doses_in_24h: Sourced[int] | None = None
    longest_gap: Sourced[timedelta] | None = None
    taper_only: bool = False
    cut_max_per_day: Sourced[Amount] | None = None
    cut_min_days: Sourced[int] | None = None
    cut_max_percent: Sourced[PercentCut] | None = None
    first_cut_percent: Sourced[Decimal] | None = None
    approval: Approval | None = None
    sources: tuple[tuple[str, str], ...] = ()

    @property
    def tablets(self) -> tuple[Amount, ...]:
        """The strengths it comes in; empty where no source gives them."""
        return () if self.strengths is None else self.strengths.value

    @property
    def is_counted(self) -> bool:
        """Whether an amount of it is made of tablets, so that its strengths must be known."""
        return self.form not in NOT_COUNTED

    def interacting(self, medicine: str) -> tuple[Interaction, ...]:
        """The classes that a medicine, as it was entered, is of."""
        return tuple(group for group in self.interactions if group.knows(medicine))

    def is_called(self, name: str) -> bool:
        """Whether a plan's drug, by key, name or brand, in any case, is this one.

        By its ingredient only where that is its name: two forms of an ingredient share no numbers.
        """
        return name.casefold() in {known.casefold() for known in (self.key, self.name, *self.aliases)}
