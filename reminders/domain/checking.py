"""Check a plan against what is known of its drug: limits, steps, tapers, tablets, gaps, labels.

It refuses or flags, with the number found, the limit and the source. It never computes, proposes or changes a dose.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from math import lcm

from reminders.domain.cut_checks import check_cuts
from reminders.domain.finding import Ceiling, Finding, PatientFacts, breach, ours
from reminders.domain.gaps import NO_MIN_GAP, min_gap_of
from reminders.domain.patient_checks import check_patient
from reminders.domain.plan import DAY, Amount, Kind, Plan, plain
from reminders.domain.profile import DrugProfile, Severity, Sourced
from reminders.domain.schedule import phase_spans
from reminders.domain.step_checks import check_steps
from reminders.domain.tablets import NO_STRENGTHS, Tablets, in_tablets, makeable, tablets_text

__all__ = ["Ceiling", "Finding", "PatientFacts", "Tablets", "check_plan", "in_tablets", "makeable", "tablets_text"]

WEEK = 7 * DAY


def check_plan(
    plan: Plan,
    profile: DrugProfile,
    *,
    others: Sequence[Plan] = (),
    strengths: tuple[Amount, ...] | None = None,
    scored: tuple[Amount, ...] | None = None,
    ceiling: Ceiling | None = None,
    facts: PatientFacts | None = None,
    is_alike: Callable[[Plan], bool] | None = None,
) -> tuple[Finding, ...]:
    """Check a plan; errors first, then warnings, each in the order of the plan.

    others     the patient's other plans of any drug; those of the same ingredient share its limits and gaps
    strengths  the tablets this patient has, and which of them are `scored`; left out, those of the plan, or else of the profile
    ceiling    a clinic's own daily maximum, honoured up to the profile's ceiling
    facts      left out, nothing is asked about the patient (a plan file alone says nothing of one)
    is_alike   which of the others are of the same ingredient; left out, those that go by a name of this profile
    """
    alike = tuple(other for other in others if (is_alike or _goes_by(profile))(other))
    case = _Case(plan, profile, (plan, *alike), ceiling)
    tablets = strengths or plan.strengths
    found = [*_label(plan, others), *_only_tapers(case), *(tuple(_unit(case)) or _amounts_and_times(case, tablets, scored))]
    if facts is not None:
        found += check_patient(plan, profile, facts)
    return tuple(sorted(found, key=lambda finding: finding.level is not Severity.ERROR))


def _goes_by(profile: DrugProfile) -> Callable[[Plan], bool]:
    return lambda other: profile.is_called(other.drug)


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
    yield from _too_much_running(case)
    yield from _too_close(case)
    yield from _not_makeable(case, strengths, scored)
    yield from check_steps(case.plan, case.profile)
    yield from check_cuts(case.plan, case.profile)


def _only_tapers(case: _Case) -> Iterator[Finding]:
    if case.profile.taper_only and case.plan.kind is not Kind.TAPER:
        message = "of this drug only tapers are known: no start, no step and no maximum would be checked"
        yield ours("only_tapers", "kind", message, found=case.plan.kind.value, limit=Kind.TAPER.value)


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
    unit = case.profile.unit
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
    tablets = strengths or case.profile.tablets
    if not tablets:
        yield from _no_strengths(case)
        return
    limit = ", ".join(str(strength) for strength in tablets)
    for path, amount in _amounts(case.plan):
        if in_tablets(amount, case.profile, strengths, scored=scored) is None:
            said = "cannot be made from these tablets", str(amount), limit
            yield _unmade(case.profile.strengths, path, *said)


def _no_strengths(case: _Case) -> Iterator[Finding]:
    """An amount that nobody can hold against a tablet is not approved; what is injected is no matter of tablets."""
    if case.profile.is_counted:
        yield ours("no_strengths", "strengths", NO_STRENGTHS, found="none", limit="the tablets that this patient has")


def _unmade(rule: Sourced[tuple[Amount, ...]] | None, path: str, message: str, found: str, limit: str) -> Finding:
    if rule is None:
        return ours("not_makeable", path, message, found=found, limit=limit)
    return breach(rule, "not_makeable", path, message, found=found, limit=limit)


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


def _too_much_running(case: _Case) -> Iterator[Finding]:
    """What no 24 hours, and no week, may hold, whichever day it falls on."""
    profile = case.profile
    if profile.max_in_24h is not None:
        yield from _over(case, profile.max_in_24h, "too_much_in_24h", "24 hours", DAY)
    if profile.max_per_week is not None:
        yield from _over(case, profile.max_per_week, "week_too_large", "7 days", WEEK)
    rule = profile.max_doses_in_24h
    if rule is not None:
        for path, doses in _most_in(case, DAY, lambda doses: Decimal(len(doses))):
            if doses > rule.value:
                found, limit = f"{doses} doses in 24 hours", f"{rule.value} doses"
                yield breach(rule, "too_many_doses", path, "more doses than any 24 hours may hold", found=found, limit=limit)


def _over(case: _Case, rule: Sourced[Amount], code: str, span: str, length: timedelta) -> Iterator[Finding]:
    for path, total in _most_in(case, length, lambda doses: sum((dose.amount.value for dose in doses), Decimal(0))):
        if total > rule.value.value:
            found, limit = f"{case.say(total)} in {span}", str(rule.value)
            yield breach(rule, code, path, f"more than any {span} may hold", found=found, limit=limit)


def _most_in(case: _Case, length: timedelta, count: Callable[[Collection[_WallDose]], Decimal]) -> Iterator[tuple[str, Decimal]]:
    """The most that a run of this length holds, over all plans of the drug, by the phase of the last of this plan's doses in it."""
    doses = (dose for day in _by_day(case.plans, length.days).values() for dose in day)
    most: dict[int, Decimal] = {}
    running: deque[_WallDose] = deque()
    for dose in sorted(doses, key=lambda dose: dose.since):
        running.append(dose)
        while running[0].since <= dose.since - length:
            running.popleft()
        phase = next((mine.phase for mine in reversed(running) if mine.plan_no == 0), None)
        if phase is not None:
            most[phase] = max(count(running), most.get(phase, Decimal(0)))
    yield from ((f"phases[{phase}]", most[phase]) for phase in sorted(most))


def _too_close(case: _Case) -> Iterator[Finding]:
    """An error though the gap may be ours: the reminder of the later dose would always say to leave it out."""
    gap, seen = min_gap_of(case.plan, case.profile), set()
    if gap is None:
        yield ours("no_min_gap", "missed_dose_rule", NO_MIN_GAP, found="none", limit="required")
        return
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


_LONGEST_RHYTHM = 400
"""Long enough for any rhythm that is really prescribed to show each way its days can fall together."""


def _by_day(plans: Sequence[Plan], reach: int = 1) -> dict[date, list[_WallDose]]:
    """The doses of all plans by date, for the dates around each change (`reach` days): between changes the days repeat."""
    rhythm = min(lcm(*(phase.every_n_days for plan in plans for phase in plan.phases)), _LONGEST_RHYTHM)
    changes = {day for plan in plans for span in phase_spans(plan) for day in (span.starts, span.ends) if day is not None}
    days: defaultdict[date, list[_WallDose]] = defaultdict(list)
    for day in sorted({change + timedelta(days=offset) for change in changes for offset in range(-reach, rhythm + reach)}):
        for plan_no, plan in enumerate(plans):
            days[day] += _wall_doses(plan, plan_no, day)
    return days


def _wall_doses(plan: Plan, plan_no: int, day: date) -> Iterator[_WallDose]:
    for index, (span, phase) in enumerate(zip(phase_spans(plan), plan.phases, strict=True)):
        if span.starts <= day and (span.ends is None or day < span.ends) and (day - span.starts).days % phase.every_n_days == 0:
            for number, dose in enumerate(phase.doses):
                since = timedelta(days=day.toordinal(), hours=dose.at.hour, minutes=dose.at.minute)
                yield _WallDose(since, dose.amount, plan_no, index, number)
