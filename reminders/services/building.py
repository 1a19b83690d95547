"""Building: a plan from a formula, and the dated table that a provider approves. A formula only helps to build; see `domain/taper.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from itertools import count

from reminders import drugs
from reminders.domain.plan import DAY, AdvancePolicy, Kind, Phase, Plan, Unit
from reminders.domain.schedule import phase_spans
from reminders.domain.taper import Basis, taper_by, titrate


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a plan is built from. `from_` and `to` are per dose in either basis; `kind` is titration or taper."""

    drug: str
    kind: Kind
    from_: Decimal
    to: Decimal
    step: Decimal
    every_days: int
    times: tuple[time, ...]
    start: date
    zone: str
    advance: AdvancePolicy
    label: str | None = None

    @property
    def unit(self) -> Unit:
        """The unit of the drug's strengths."""
        return drugs.load(self.drug).strengths.value[0].unit


@dataclass(frozen=True, slots=True)
class TableRow:
    """A run of days of a dated table: amounts by time of day, their sum, and the sum of everything so far. Both dates included."""

    phase_no: int
    first: date
    last: date | None
    days: int | None
    amounts: dict[time, Decimal]
    per_day: Decimal
    so_far: Decimal | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A run of days of one reading of a step: the amounts of a day, their sum, and the sum of everything so far."""

    amounts: tuple[Decimal, ...]
    per_day: Decimal
    so_far: Decimal


@dataclass(frozen=True, slots=True)
class TwoReadings:
    """What "+5 mg every 3 days" can mean, run by run (days counted from 1): None where a taper has ended."""

    days: tuple[int, int]
    per_dose: Reading | None
    per_day: Reading | None


def build_plan(recipe: Recipe, basis: Basis) -> Plan:
    """Build the plan of a recipe. Raises InvalidPlan where its steps do not come out."""
    drugs.load(recipe.drug)
    return Plan(
        drug=recipe.drug,
        kind=recipe.kind,
        zone=recipe.zone,
        start=recipe.start,
        advance=recipe.advance,
        phases=_phases(recipe, basis),
        label=recipe.label,
    )


def _phases(recipe: Recipe, basis: Basis) -> tuple[Phase, ...]:
    build = titrate if recipe.kind is Kind.TITRATION else taper_by
    return build(recipe.from_, recipe.to, step=recipe.step, every_days=recipe.every_days, basis=basis, times=recipe.times, unit=recipe.unit)


def two_readings(recipe: Recipe) -> tuple[TwoReadings, ...]:
    """Lay the two readings of a step side by side, until both have ended. Raises InvalidPlan where its steps do not come out."""
    per_dose, per_day = _phases(recipe, Basis.PER_DOSE), _phases(recipe, Basis.PER_DAY)
    runs = range(max(len(per_dose), len(per_day)))
    every = recipe.every_days
    return tuple(
        TwoReadings((number * every + 1, (number + 1) * every), left, right)
        for number, left, right in zip(runs, _goes_on(recipe, per_dose), _goes_on(recipe, per_day), strict=False)
    )


def _goes_on(recipe: Recipe, phases: tuple[Phase, ...]) -> Iterator[Reading | None]:
    """The runs of a reading, without end: a titration stays on its last amounts, a taper has ended."""
    so_far = Decimal(0)
    for number in count():
        if number >= len(phases) and recipe.kind is Kind.TAPER:
            yield None
            continue
        phase = phases[min(number, len(phases) - 1)]
        so_far += phase.per_day * recipe.every_days
        taken = {dose.at: dose.amount.value for dose in phase.doses}
        yield Reading(tuple(taken.get(at, Decimal(0)) for at in recipe.times), phase.per_day, so_far)


def table_of(plan: Plan) -> tuple[TableRow, ...]:
    """Lay a plan out as a dated table, a row for each phase."""
    rows: list[TableRow] = []
    so_far = Decimal(0)
    for span, phase in zip(phase_spans(plan), plan.phases, strict=True):
        dosing_days = None if phase.days is None else -(-phase.days // phase.every_n_days)
        so_far += phase.per_day * (dosing_days or 0)
        rows.append(
            TableRow(
                phase_no=span.phase_no,
                first=span.starts,
                last=None if span.ends is None else span.ends - DAY,
                days=phase.days,
                amounts={dose.at: dose.amount.value for dose in phase.doses},
                per_day=phase.per_day,
                so_far=None if dosing_days is None else so_far,
            )
        )
    return tuple(rows)
