"""Check how a plan falls: how much each cut takes away, and how long each step down lasts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate, pairwise

from reminders.domain.finding import Finding, breach
from reminders.domain.plan import Kind, Phase, Plan, PlannedDose, plain
from reminders.domain.profile import DrugProfile

WHOLE = Decimal(100)

LONG = 366
"""The day before a taper had lasted longer than any rule about cuts looks back."""


def check_cuts(plan: Plan, profile: DrugProfile) -> Iterator[Finding]:
    """Yield the cuts that are larger or sooner than the drug's sources have them; a taper's last cut is the one to nothing."""
    totals = [phase.per_day for phase in plan.phases]
    if plan.kind is Kind.TAPER:
        totals.append(Decimal(0))
    for index, (before, after) in enumerate(pairwise(totals), 1):
        if after < before:
            yield from _cut_too_large(plan, profile, index, before - after)
            yield from _cut_too_soon(plan, profile, index)
    yield from _first_cut_too_large(plan, profile)
    yield from _falls_too_fast(plan, profile)


def check_cuts_from(plan: Plan, profile: DrugProfile, before: tuple[PlannedDose, ...]) -> Iterator[Finding]:
    """Check the cuts of a taper from the day before it on; a plan alone does not say what was taken before its first phase.

    `before`: the doses of that day; none, and nothing is checked. Paths are the plan's own. How long that day had lasted
    nobody says: long enough.
    """
    if not before or plan.kind is not Kind.TAPER:
        return
    whole = replace(plan, phases=(Phase(before, LONG), *plan.phases))
    for finding in check_cuts(whole, profile):
        yield replace(finding, path=_one_before(finding.path))


def _one_before(path: str) -> str:
    """The path of a phase in the plan without the day before it."""
    return re.sub(r"(?<=^phases\[)[0-9]+", lambda index: str(int(index.group()) - 1), path)


def _cut_too_large(plan: Plan, profile: DrugProfile, index: int, cut: Decimal) -> Iterator[Finding]:
    rule = profile.cut_max_per_day
    if rule is not None and cut > rule.value.value:
        found, path = f"{plain(cut)} {plan.unit} a day", f"phases[{min(index, len(plan.phases) - 1)}]"
        yield breach(rule, "cut_too_large", path, "the day falls by more than usual", found=found, limit=str(rule.value))


def _cut_too_soon(plan: Plan, profile: DrugProfile, index: int) -> Iterator[Finding]:
    rule, days = profile.cut_min_days, plan.phases[index - 1].days
    if rule is not None and days is not None and days < rule.value:
        path, found = f"phases[{index - 1}].days", f"{days} days"
        yield breach(rule, "cut_too_soon", path, "a short phase on the way down", found=found, limit=f"{rule.value} days")


def _first_cut_too_large(plan: Plan, profile: DrugProfile) -> Iterator[Finding]:
    """The first cut that the plan itself shows; what was taken before its first phase it does not say."""
    rule = profile.first_cut_percent
    if rule is None or plan.kind is not Kind.TAPER or len(plan.phases) == 1:
        return
    before, after = plan.phases[0].per_day, plan.phases[1].per_day
    cut = (before - after) * WHOLE / before
    if cut > rule.value:
        message = "the first cut is larger than usual"
        yield breach(rule, "first_cut_too_large", "phases[1]", message, found=_percent(cut), limit=_percent(rule.value))


def _falls_too_fast(plan: Plan, profile: DrugProfile) -> Iterator[Finding]:
    """Each phase is held against the highest day of the days before it. The last step, to nothing, is no cut of this kind."""
    rule = profile.cut_max_percent
    if rule is None:
        return
    ends = list(accumulate(phase.days or 0 for phase in plan.phases))
    for index, phase in enumerate(plan.phases[1:], 1):
        starts = ends[index - 1]
        recent = [earlier.per_day for end, earlier in zip(ends[:index], plan.phases, strict=False) if end > starts - rule.value.days]
        cut = (max(recent) - phase.per_day) * WHOLE / max(recent)
        if cut > rule.value.percent:
            found, limit = (f"{_percent(share)} in {rule.value.days} days" for share in (cut, rule.value.percent))
            yield breach(rule, "falls_too_fast", f"phases[{index}]", "the day falls faster than usual", found=found, limit=limit)


def _percent(share: Decimal) -> str:
    return f"{plain(round(share, 1))} %"
