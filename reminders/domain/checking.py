"""Check a plan against what is known of its drug: limits, steps, tapers, tablets, gaps, labels.

It refuses or flags, with the number found, the limit and the source. It never computes, proposes or changes a dose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from math import lcm

from reminders.domain.finding import Ceiling, Finding, PatientFacts, breach, ours
from reminders.domain.patient_checks import check_patient
from reminders.domain.plan import Amount, Plan, plain
from reminders.domain.profile import DrugProfile, Severity
from reminders.domain.schedule import phase_spans
from reminders.domain.step_checks import check_steps
from reminders.domain.tablets import Tablets, in_tablets, makeable, tablets_text

__all__ = ["Ceiling", "Finding", "PatientFacts", "Tablets", "check_plan", "in_tablets", "makeable", "tablets_text"]


def check_plan(
    plan: Plan,
    profile: DrugProfile,
    *,
    others: Sequence[Plan] = (),
    strengths: tuple[Amount, ...] | None = None,
    scored: tuple[Amount, ...] | None = None,
    ceiling: Ceiling | None = None,
    facts: PatientFacts | None = None,
) -> tuple[Finding, ...]:
    """Check a plan; errors first, then warnings, each in the order of the plan.

    others     the patient's other plans of any drug; those of the same drug share its limits and gaps
    strengths  the tablets this patient has, and which of them are `scored`; left out, those of the profile
    ceiling    a clinic's own daily maximum, honoured up to the profile's ceiling
    facts      left out, nothing is asked about the patient (a plan file alone says nothing of one)
    """
    alike = tuple(other for other in others if profile.is_called(other.drug))
    case = _Case(plan, profile, (plan, *alike), ceiling)
    found = [*_label(plan, others), *(tuple(_unit(case)) or _amounts_and_times(case, strengths, scored))]
    if facts is not None:
        found += check_patient(plan, profile, facts)
    return tuple(sorted(found, key=lambda finding: finding.level is not Severity.ERROR))


@dataclass(frozen=True, slots=True)
class _Case:
    """A plan to check, with the plans that share its drug (itself first)."""

    plan: Plan
    profile: DrugProfile
    plans: tuple[Plan, ...]
    ceiling: Ceiling | None

    def say(self, value: Decimal) -> str:
        return f"{plain(value)} {self.plan.unit}"


def _amounts_and_times(case: _Case, strengths: tuple[Amount, ...] | None, scored: tuple[Amount, ...] | None) -> Iterator[Finding]:
    yield from _dose_too_large(case)
    yield from _day_too_large(case)
    yield from _too_close(case)
    yield from _not_makeable(case, strengths, scored)
    yield from check_steps(case.plan, case.profile)


def _label(plan: Plan, others: Sequence[Plan]) -> Iterator[Finding]:
    """From the second plan on: without a drug name, "1 tablet of 10 mg" could be either medicine."""
    taken = {other.label[:1].casefold() for other in others if other.label}
    if others and not plan.label:
        message = "a patient's second plan needs a label that the patient chose, a letter first"
        yield ours("label_missing", "label", message, found="none", limit="a label")
    elif plan.label and plan.label[:1].casefold() in taken:
        message = "another plan's label begins with the same letter"
        yield ours("label_repeated", "label", message, found=plan.label, limit="a letter of its own")


def _unit(case: _Case) -> Iterator[Finding]:
    known = case.profile.strengths
    unit = known.value[0].unit
    for plan in case.plans:
        if plan.unit is not unit:
            message = f"amounts in {plan.unit} cannot be held against limits in {unit}"
            yield ours("unit", "phases", message, found=plan.unit.value, limit=unit.value)
            return


def _dose_too_large(case: _Case) -> Iterator[Finding]:
    rule = case.profile.max_per_dose
    for path, amount in _amounts(case.plan):
        if rule is not None and amount > rule.value:
            yield breach(rule, "dose_too_large", path, "above the largest single dose", found=str(amount), limit=str(rule.value))


def _not_makeable(case: _Case, strengths: tuple[Amount, ...] | None, scored: tuple[Amount, ...] | None) -> Iterator[Finding]:
    rule = case.profile.strengths
    limit = ", ".join(str(strength) for strength in strengths or rule.value)
    for path, amount in _amounts(case.plan):
        if in_tablets(amount, case.profile, strengths, scored=scored) is None:
            yield breach(rule, "not_makeable", path, "cannot be made from these tablets", found=str(amount), limit=limit)


def _amounts(plan: Plan) -> Iterator[tuple[str, Amount]]:
    for index, phase in enumerate(plan.phases):
        for number, dose in enumerate(phase.doses):
            yield f"phases[{index}].doses[{number}].amount", dose.amount


def _day_too_large(case: _Case) -> Iterator[Finding]:
    """The highest day of each phase, over all plans of the drug."""
    highest: dict[int, Decimal] = {}
    for doses in _by_day(case.plans).values():
        total = sum((dose.amount.value for dose in doses), Decimal(0))
        for dose in doses:
            if dose.plan_no == 0:
                highest[dose.phase] = max(total, highest.get(dose.phase, total))
    for phase in sorted(highest):
        yield from _over_day(case, f"phases[{phase}]", highest[phase])


def _over_day(case: _Case, path: str, total: Decimal) -> Iterator[Finding]:
    usual, furthest, ceiling = case.profile.max_per_day, case.profile.ceiling_per_day, case.ceiling
    if usual is None or total <= usual.value.value:
        return
    found = f"{case.say(total)} a day"
    if ceiling is None or furthest is None:
        yield breach(usual, "day_too_large", path, "above the daily maximum", found=found, limit=str(usual.value))
    elif total > furthest.value.value:
        yield breach(furthest, "day_too_large", path, "above what any source allows", found=found, limit=str(furthest.value))
    elif total > ceiling.per_day.value:
        yield breach(usual, "day_too_large", path, "above the clinic's own ceiling", found=found, limit=str(ceiling.per_day))
    else:
        message = f"above the daily maximum of the label, within the ceiling approved by {ceiling.approved_by}"
        yield Finding(
            Severity.WARNING, "day_over_label", path, message, found, str(usual.value), usual.source, usual.confidence,
            second_confirmation=True,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _WallDose:
    """A dose by the wall clock: `since` counts from the beginning of the calendar; plan 0 is the one checked."""

    since: timedelta
    amount: Amount
    plan_no: int
    phase: int
    number: int


def _too_close(case: _Case) -> Iterator[Finding]:
    """An error though the gap may be ours: the reminder of the later dose would always say to leave it out."""
    gap, seen = case.profile.min_gap, set()
    doses = sorted((dose for day in _by_day(case.plans).values() for dose in day), key=lambda dose: dose.since)
    for earlier, later in pairwise(doses):
        mine = later if later.plan_no == 0 else earlier
        path = f"phases[{mine.phase}].doses[{mine.number}].at"
        if later.since - earlier.since < gap.value and mine.plan_no == 0 and path not in seen:
            seen.add(path)
            whose = "" if earlier.plan_no == later.plan_no else " of another plan of this drug"
            found, limit = _hours(later.since - earlier.since), _hours(gap.value)
            message = f"too close to the dose{whose} beside it"
            yield Finding(Severity.ERROR, "too_close", path, message, found, limit, gap.source, gap.confidence)


def _hours(span: timedelta) -> str:
    hours, minutes = divmod(span // timedelta(minutes=1), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


# Long enough for any rhythm that is really prescribed to show each way its days can fall together.
_LONGEST_RHYTHM = 400


def _by_day(plans: Sequence[Plan]) -> dict[date, list[_WallDose]]:
    """The doses of all plans by date, for the dates around each change: between changes the days repeat."""
    rhythm = min(lcm(*(phase.every_n_days for plan in plans for phase in plan.phases)), _LONGEST_RHYTHM)
    changes = {day for plan in plans for span in phase_spans(plan) for day in (span.starts, span.ends) if day is not None}
    days: defaultdict[date, list[_WallDose]] = defaultdict(list)
    for day in sorted({change + timedelta(days=offset) for change in changes for offset in range(-1, rhythm + 1)}):
        for plan_no, plan in enumerate(plans):
            days[day] += _wall_doses(plan, plan_no, day)
    return days


def _wall_doses(plan: Plan, plan_no: int, day: date) -> Iterator[_WallDose]:
    for index, (span, phase) in enumerate(zip(phase_spans(plan), plan.phases, strict=True)):
        if span.starts <= day and (span.ends is None or day < span.ends) and (day - span.starts).days % phase.every_n_days == 0:
            for number, dose in enumerate(phase.doses):
                since = timedelta(days=day.toordinal(), hours=dose.at.hour, minutes=dose.at.minute)
                yield _WallDose(since, dose.amount, plan_no, index, number)
