"""May the next phase begin? The gate's conditions, and what the prescriber's advance policy makes of an unmet one.

All numbers are our defaults: no published rule ties a step to adherence. Nothing here changes a dose: a step happens
on its day, or waits, or the plan stays; nothing is skipped to catch up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias, assert_never

from reminders.domain.dose_state import DoseState
from reminders.domain.escalation import ANSWERED, LAST
from reminders.domain.plan import AdvancePolicy, InvalidPlan, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN = (DoseState.UNCONFIRMED, DoseState.NOT_REMINDED)
SEVERE_GRADE = 3
STIFFNESS_LIMIT = 7
"""Stiffness from 7 of 10 is severe (Ther Adv Neurol Disord 2023); on a taper it leaves the gate unmet. [default]"""
STIFFNESS_RISE = 2
"""Points by which stiffness may not have risen since before a taper. [default]"""


@dataclass(frozen=True, slots=True)
class CheckIn:
    """What the check-ins of a phase said. Grades 0 to 3; stiffness 0 to 10 over the last 24 hours, None: not rated.

    `rates_stiffness`: whether stiffness was asked for.
    """

    answered: bool = True
    worst_grade: int = 0
    fall: bool = False
    confusion: bool = False
    breathing: bool = False
    red_flag: bool = False
    stiffness: int | None = None
    stiffness_before: int | None = None
    rates_stiffness: bool = True


class Condition(StrEnum):
    """What should hold before a phase begins."""

    TIME = "time"
    DOSES = "doses"
    CHECK_IN = "check_in"
    SIGNS = "signs"
    MATTERS = "matters"
    TABLETS = "tablets"


@dataclass(frozen=True, slots=True)
class Unmet:
    """A condition that does not hold, and how, in words for who decides."""

    condition: Condition
    words: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What a gate looks at. Doses are states in order of due instant, muted ones left out; more than nine may be given.

    phase       this phase's doses; of them the last nine that are closed and were due
    last_nine   the plan's doses, over all phases; of them the last nine that were taken or not, whichever
    check_in    None: this phase had none to answer
    clinical    what the open clinical alerts are about, in a word or two each
    forbidden   the patient's other medicines that must not be taken beside it, each with the source; a taper goes on past them
    tablets_ok  enough for the next phase; None: nobody keeps count
    """

    phase: tuple[DoseState, ...]
    last_nine: tuple[DoseState, ...]
    time_done: bool
    check_in: CheckIn | None = None
    clinical: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    overdue_followups: int = 0
    tablets_ok: bool | None = None
    tapering: bool = False


@dataclass(frozen=True, slots=True)
class GateResult:
    """Met or not, with a readable reason for each condition that is not; `unknown`: doses to ask about first.

    Of the last `closed` doses of the phase `confirmed` were taken.
    """

    met: bool
    reasons: tuple[Unmet, ...]
    unknown: int
    confirmed: int = 0
    closed: int = 0

    @property
    def needed(self) -> int:
        """How many of the closed ones must be confirmed."""
        return required(self.closed)


def gate(facts: GateFacts) -> GateResult:
    """Say whether the next phase may begin. For a step it matters what was taken, whoever's fault a silence is."""
    closed = [state for state in facts.phase if state in ANSWERED or state in UNKNOWN][-LAST:]
    reasons = (
        *_unless(facts.time_done, Condition.TIME, "the days of this phase are not over"),
        *_unconfirmed(closed),
        *_run(facts.last_nine),
        *_check_in(facts),
        *_open_matters(facts),
        *_shortage(facts),
    )
    unknown = sum(state in UNKNOWN for state in closed)
    return GateResult(not reasons, reasons, unknown, confirmed=closed.count(DoseState.TAKEN), closed=len(closed))


def required(closed: int) -> int:
    """Say how many of so many closed doses must be confirmed: four fifths, rounded up."""
    return -(-4 * closed // 5)


def overturned(facts: GateFacts) -> tuple[Unmet, ...]:
    """Say what overturns a step already announced, at the first dose of the new amount.

    Only a red flag or a severe symptom, an open clinical alert, or a shortage; empty: the step stands.
    """
    return (*_severe(facts.check_in or CheckIn()), *_clinical(facts), *_shortage(facts))


def _unless(holds: bool, condition: Condition, words: str) -> tuple[Unmet, ...]:  # noqa: FBT001 - what is asked
    return () if holds else (Unmet(condition, words),)


def _unconfirmed(closed: list[DoseState]) -> tuple[Unmet, ...]:
    if not closed:
        return (Unmet(Condition.DOSES, "no dose of this phase is closed yet"),)
    confirmed, needed = closed.count(DoseState.TAKEN), required(len(closed))
    return _unless(confirmed >= needed, Condition.DOSES, f"{confirmed} of {len(closed)} doses confirmed, {needed} needed")


def _run(states: Iterable[DoseState]) -> tuple[Unmet, ...]:
    counted = [state for state in states if state in ANSWERED or state is DoseState.UNCONFIRMED][-LAST:]
    runs = [len(list(run)) for taken, run in groupby(counted, key=lambda state: state is DoseState.TAKEN) if not taken]
    longest = max(runs, default=0)
    return _unless(longest <= 1, Condition.DOSES, f"{longest} doses running not taken")


def _check_in(facts: GateFacts) -> tuple[Unmet, ...]:
    if facts.check_in is None:
        return ()
    if not facts.check_in.answered:
        return (Unmet(Condition.CHECK_IN, "the check-in is not answered"),)
    return (*_severe(facts.check_in), *(_stiffness(facts.check_in) if facts.tapering else ()))


def _severe(check_in: CheckIn) -> tuple[Unmet, ...]:
    signs = {
        f"a symptom at grade {SEVERE_GRADE}": check_in.worst_grade >= SEVERE_GRADE,
        "a fall": check_in.fall,
        "confusion": check_in.confusion,
        "trouble breathing": check_in.breathing,
        "a red flag": check_in.red_flag,
    }
    return tuple(Unmet(Condition.SIGNS, sign) for sign, seen in signs.items() if seen)


def _stiffness(check_in: CheckIn) -> tuple[Unmet, ...]:
    # On a taper only: rising, high stiffness is what the rise is for.
    if check_in.stiffness is None:
        return _unless(not check_in.rates_stiffness, Condition.CHECK_IN, "stiffness is not rated")
    if check_in.stiffness >= STIFFNESS_LIMIT:
        return (Unmet(Condition.SIGNS, f"stiffness {check_in.stiffness} of 10 on a taper"),)
    if check_in.stiffness_before is not None and check_in.stiffness - check_in.stiffness_before >= STIFFNESS_RISE:
        words = f"stiffness up from {check_in.stiffness_before} to {check_in.stiffness} since before the taper"
        return (Unmet(Condition.SIGNS, words),)
    return ()


def _open_matters(facts: GateFacts) -> tuple[Unmet, ...]:
    overdue = facts.overdue_followups
    forbidden = () if facts.tapering else facts.forbidden
    return (
        *_clinical(facts),
        *(Unmet(Condition.MATTERS, f"contraindicated beside {medicine}") for medicine in forbidden),
        *_unless(not overdue, Condition.MATTERS, f"{overdue} overdue follow-up{'s' if overdue > 1 else ''}"),
    )


def _clinical(facts: GateFacts) -> tuple[Unmet, ...]:
    about = tuple(dict.fromkeys(facts.clinical))
    return _unless(not about, Condition.MATTERS, f"open clinical alert{'s' if len(about) > 1 else ''}: {', '.join(about)}")


def _shortage(facts: GateFacts) -> tuple[Unmet, ...]:
    return _unless(facts.tablets_ok is not False, Condition.TABLETS, "not enough tablets for the next phase")


@dataclass(frozen=True, slots=True)
class Step:
    """The next phase begins on its day."""


@dataclass(frozen=True, slots=True)
class StepFlagged:
    """The next phase begins on its day, and the provider is told the evening before what speaks against it."""

    reasons: tuple[Unmet, ...]


@dataclass(frozen=True, slots=True)
class Stay:
    """Doses go on, the remaining phases shift as a block; patient and provider are told why."""

    reasons: tuple[Unmet, ...]


@dataclass(frozen=True, slots=True)
class AwaitYes:
    """Nothing changes until a provider says so; `urgent`: the tablets run out before a stay would end."""

    reasons: tuple[Unmet, ...]
    urgent: bool = False


StepDecision: TypeAlias = Step | StepFlagged | Stay | AwaitYes


def decide_step(policy: AdvancePolicy, kind: Kind, result: GateResult, *, stay_covered: bool | None = None) -> StepDecision:
    """Say what the prescriber's advance policy makes of a gate.

    `stay_covered`: the tablets last through a stay; False makes it an urgent wait for the provider; None: nobody keeps
    count. Raises InvalidPlan for a taper that stays unless met: a silent stay can use up the tablets, and so cause the
    sudden stop that the taper should prevent.
    """
    match policy:
        case AdvancePolicy.AS_PRESCRIBED:
            return Step() if result.met else StepFlagged(result.reasons)
        case AdvancePolicy.ASK_PROVIDER:
            return AwaitYes(result.reasons)
        case AdvancePolicy.STAY_UNLESS_MET if kind is Kind.TAPER:
            raise InvalidPlan("advance", "a taper is as_prescribed or ask_provider, never stay_unless_met")
        case AdvancePolicy.STAY_UNLESS_MET if result.met:
            return Step()
        case AdvancePolicy.STAY_UNLESS_MET if stay_covered is False:
            return AwaitYes((*result.reasons, Unmet(Condition.TABLETS, "the tablets do not last through a stay")), urgent=True)
        case AdvancePolicy.STAY_UNLESS_MET:
            return Stay(result.reasons)
        case _ as unreachable:
            assert_never(unreachable)


def resume_extra_days(*, planned_end: date, stay_since: date, resumed: date) -> int:
    """Say by how many days a stay lengthens its phase, given local dates.

    `planned_end` is the first date after the phase as planned. What follows shifts as a block, by the days stayed; the
    next phase begins on the day after the plan was resumed at the earliest, for a change is announced the evening before.
    """
    starts = max(planned_end + (resumed - stay_since), resumed + timedelta(days=1))
    return (starts - planned_end).days
