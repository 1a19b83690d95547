"""Check how a plan moves: where it starts, how far and how soon it steps, how it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from reminders.domain.finding import Finding, breach, ours
from reminders.domain.plan import Kind, Phase, Plan, plain
from reminders.domain.profile import DrugProfile, Severity

TOO_SHORT = "taper_too_short"


def check_steps(plan: Plan, profile: DrugProfile) -> Iterator[Finding]:
    """Yield what is unusual in the start, the steps and the end of a plan."""
    yield from _start_too_high(plan, profile)
    yield from _outside_usual(plan, profile)
    yield from _steps(plan, profile)
    yield from _stop(plan, profile)


def _say(plan: Plan, value: Decimal) -> str:
    return f"{plain(value)} {plan.unit}"


def _start_too_high(plan: Plan, profile: DrugProfile) -> Iterator[Finding]:
    rule, first = profile.start_max_per_day, plan.phases[0]
    if rule is not None and plan.kind is not Kind.TAPER and first.per_day > rule.value.value:
        message = "the first phase is above the usual start"
        yield breach(rule, "start_too_high", "phases[0]", message, found=f"{_say(plan, first.per_day)} a day", limit=str(rule.value))


def _outside_usual(plan: Plan, profile: DrugProfile) -> Iterator[Finding]:
    rule, top = profile.usual_per_day, max(phase.per_day for phase in plan.phases)
    if rule is None or plan.kind is not Kind.MAINTENANCE:
        return
    low, high = rule.value
    if not low.value <= top <= high.value:
        yield breach(rule, "outside_usual", "phases", "outside the usual range", found=f"{_say(plan, top)} a day", limit=f"{low} to {high}")


def _steps(plan: Plan, profile: DrugProfile) -> Iterator[Finding]:
    for index, (before, after) in enumerate(pairwise(plan.phases), 1):
        if after.per_day > before.per_day:
            yield from _step_too_soon(profile, f"phases[{index - 1}].days", before)
            yield from _taper_rises(plan, f"phases[{index}]", before, after)
        elif plan.kind is Kind.TAPER:
            yield from _taper_dose_rises(plan, f"phases[{index}]", before, after)
        added = profile.slot_added
        if added is not None and _only_adds_a_slot(before, after):
            # Not a step too large: the label itself goes from 60 to 80 mg a day this way.
            found = f"{len(after.doses)} doses a day, {_say(plan, before.per_day)} to {_say(plan, after.per_day)}"
            yield breach(added, "slot_added", f"phases[{index}]", "a dose more a day; none grows", found=found, limit=added.value)
        else:
            yield from _step_too_large(plan, profile, f"phases[{index}]", before, after)


def _taper_rises(plan: Plan, path: str, before: Phase, after: Phase) -> Iterator[Finding]:
    if plan.kind is Kind.TAPER:
        found = f"{_say(plan, before.per_day)} to {_say(plan, after.per_day)} a day"
        yield ours("taper_rises", path, "a taper never goes back up without an order", found=found, limit="never up", level=Severity.ERROR)


def _taper_dose_rises(plan: Plan, path: str, before: Phase, after: Phase) -> Iterator[Finding]:
    """Lowering takes from one dose at a time and gives to none: what grows, though the day does not, is looked at."""
    for number, (dose, earlier) in enumerate(zip(after.doses, _earlier_amounts(before, after), strict=True)):
        if dose.amount.value > earlier:
            message = "a single dose of a taper grows while the day does not, be it because another dose was left out"
            found, where = f"{_say(plan, earlier)} to {dose.amount} at {dose.at:%H:%M}", f"{path}.doses[{number}].amount"
            yield ours("taper_dose_rises", where, message, found=found, limit="never up", level=Severity.WARNING)


def _earlier_amounts(before: Phase, after: Phase) -> Iterator[Decimal]:
    """What each dose was before: at its own time, else in its own place of as many doses, else the largest of the day."""
    at_its_time, in_its_place = {dose.at: dose.amount.value for dose in before.doses}, _values(before)
    same_number = len(before.doses) == len(after.doses)
    for place, dose in enumerate(after.doses):
        yield at_its_time.get(dose.at, in_its_place[place] if same_number else max(in_its_place))


def _step_too_soon(profile: DrugProfile, path: str, before: Phase) -> Iterator[Finding]:
    rule = profile.step_min_days
    if rule is not None and before.days is not None and before.days < rule.value:
        yield breach(rule, "step_too_soon", path, "a short phase on the way up", found=f"{before.days} days", limit=f"{rule.value} days")


def _step_too_large(plan: Plan, profile: DrugProfile, path: str, before: Phase, after: Phase) -> Iterator[Finding]:
    per_dose, per_day = profile.step_max_per_dose, profile.step_max_per_day
    rise, in_all = _largest_rise(before, after), after.per_day - before.per_day
    if per_dose is not None and rise > per_dose.value.value:
        found = f"{_say(plan, rise)} a dose"
        yield breach(per_dose, "step_too_large", path, "a dose rises by more than usual", found=found, limit=str(per_dose.value))
    if per_day is not None and in_all > per_day.value.value:
        found = f"{_say(plan, in_all)} a day"
        yield breach(per_day, "step_too_large", path, "the day rises by more than usual", found=found, limit=str(per_day.value))


def _largest_rise(before: Phase, after: Phase) -> Decimal:
    """How much more one dose becomes: slot by slot, or largest by largest where the number of slots changes."""
    old, new = _values(before), _values(after)
    if len(old) != len(new):
        old, new = sorted(old, reverse=True), sorted(new, reverse=True)
    return max(later - earlier for earlier, later in zip(old, new, strict=False))


def _only_adds_a_slot(before: Phase, after: Phase) -> bool:
    """Whether all amounts stay and the new ones are no larger than the largest: 20/20/20 to 20/20/20/20."""
    old, new = Counter(_values(before)), Counter(_values(after))
    added = new - old
    return old < new and max(added) <= max(old)


def _values(phase: Phase) -> list[Decimal]:
    return [dose.amount.value for dose in phase.doses]


def _stop(plan: Plan, profile: DrugProfile) -> Iterator[Finding]:
    risk, last = profile.withdrawal_risk, plan.phases[-1]
    if last.days is None or not risk.value:
        return
    if plan.kind is Kind.TAPER and last.per_day <= _largest_cut(plan.phases):
        yield from _taper_too_short(plan, profile)
    else:
        path, found = f"phases[{len(plan.phases) - 1}]", f"{_say(plan, last.per_day)} a day, then nothing"
        yield breach(risk, "stop_without_taper", path, "stopping suddenly can do harm", found=found, limit="a taper")


def _taper_too_short(plan: Plan, profile: DrugProfile) -> Iterator[Finding]:
    rule, days = profile.taper_min_days, sum(phase.days or 0 for phase in plan.phases)
    if rule is not None and days < rule.value:
        yield breach(rule, TOO_SHORT, "phases", "a short taper", found=f"{days} days", limit=f"{rule.value} days")


def _largest_cut(phases: Sequence[Phase]) -> Decimal:
    """The last step, to nothing, is held against this: a taper that ends from a height is no taper."""
    return max((before.per_day - after.per_day for before, after in pairwise(phases)), default=Decimal(0))
