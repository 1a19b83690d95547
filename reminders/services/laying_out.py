"""Laying out: a plan as the dated table that a provider approves, and the tablets that it takes. It computes no dose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal

from reminders.domain.plan import DAY, Amount, Phase, Plan
from reminders.domain.profile import DrugProfile
from reminders.domain.schedule import phase_spans
from reminders.domain.tablets import count_tablets
from reminders.domain.taper import dosing_days

USUAL_DAYS = 42
"""How far an open-ended phase is laid out where nobody says: six weeks, as long as the label's steps take to show what they do."""

A_WEEK = 7

SHORT = 3
"""A phase before it that is shorter than this says nothing of how an open-ended one is best read."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A run of days on the same amounts, both dates included; days count from 1, the plan's first.

    `last` and `until_day` are None where the run has no end, and so is `so_far`, the sum of everything up to its end.
    """

    phase_no: int
    first: date
    last: date | None
    from_day: int
    until_day: int | None
    amounts: dict[time, Decimal]
    per_day: Decimal
    so_far: Decimal | None

    @property
    def days(self) -> int | None:
        """How many days it lasts."""
        return None if self.until_day is None else self.until_day - self.from_day + 1


def table_of(plan: Plan, *, until_day: int = USUAL_DAYS) -> tuple[TableRow, ...]:
    """Lay a plan out as a dated table: a row for each phase, the open-ended one in runs up to `until_day`, and then without end.

    A run is as long as the phase before it, or a week where there is none, or one of a day or two.
    """
    rows: list[TableRow] = []
    so_far = Decimal(0)
    for phase_no, phase, first, days in _runs(plan, until_day):
        from_day = (first - plan.start).days + 1
        so_far += phase.per_day * dosing_days(days or 0, phase.every_n_days)
        rows.append(
            TableRow(
                phase_no=phase_no,
                first=first,
                last=None if days is None else first + (days - 1) * DAY,
                from_day=from_day,
                until_day=None if days is None else from_day + days - 1,
                amounts={dose.at: dose.amount.value for dose in phase.doses},
                per_day=phase.per_day,
                so_far=None if days is None else so_far,
            )
        )
    return tuple(rows)


def _runs(plan: Plan, until_day: int) -> Iterator[tuple[int, Phase, date, int | None]]:
    """Each phase with its first date and its days; the open-ended one in whole stretches of its rhythm."""
    for span, phase in zip(phase_spans(plan), plan.phases, strict=True):
        if phase.days is not None:
            yield span.phase_no, phase, span.starts, phase.days
            continue
        first, run = span.starts, _run_of(plan)
        while (left := until_day - (first - plan.start).days) >= (1 if phase.every_n_days == 1 else run):
            days = min(run, left)
            yield span.phase_no, phase, first, days
            first += timedelta(days=days)
        yield span.phase_no, phase, first, None


def _run_of(plan: Plan) -> int:
    before, rhythm = plan.phases[-2:-1], plan.phases[-1].every_n_days
    usual = (before[0].days if before else None) or A_WEEK
    usual = usual if usual >= SHORT else A_WEEK
    return -(-usual // rhythm) * rhythm


@dataclass(frozen=True, slots=True)
class Dispensing:
    """The tablets that a plan takes, by strength, largest first: phase by phase, and in all, where two halves make one.

    An open-ended phase is counted up to `until_day`, which is None where every phase ends.
    """

    phases: tuple[dict[Amount, int], ...]
    in_all: dict[Amount, int]
    until_day: int | None


def tablets_to_dispense(
    plan: Plan, profile: DrugProfile, strengths: tuple[Amount, ...] | None = None, *, until_day: int = USUAL_DAYS
) -> Dispensing | None:
    """Count the tablets that a plan takes, of the strengths this patient has, or else of the profile's; None if none are known."""
    if not (strengths or profile.tablets):
        return None
    by_phase = [
        [dose.amount for dose in phase.doses] * dosing_days(_days_of(plan, phase, span.starts, until_day), phase.every_n_days)
        for span, phase in zip(phase_spans(plan), plan.phases, strict=True)
    ]
    return Dispensing(
        phases=tuple(count_tablets(amounts, profile, strengths) for amounts in by_phase),
        in_all=count_tablets([amount for amounts in by_phase for amount in amounts], profile, strengths),
        until_day=None if plan.phases[-1].days is not None else until_day,
    )


def _days_of(plan: Plan, phase: Phase, first: date, until_day: int) -> int:
    return phase.days if phase.days is not None else max(0, until_day - (first - plan.start).days)
