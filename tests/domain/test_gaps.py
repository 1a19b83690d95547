from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from reminders import drugs
from reminders.domain.gaps import longest_gap_of, min_gap_of
from reminders.domain.missed import AskProviderRule, Fraction, HoursBeforeNext, MaxLate, MissedDoseRule
from reminders.domain.plan import DAY, HOUR, Plan
from reminders.domain.profile import Confidence, Sourced
from tests.builders import a_phase, a_plan

BACLOFEN = drugs.load("baclofen")
SILENT = replace(BACLOFEN, min_gap=None)


@pytest.mark.parametrize(
    ("rule", "gap"),
    [
        (HoursBeforeNext(3 * HOUR), 3 * HOUR),
        (MaxLate(5 * DAY, min_gap=48 * HOUR), 48 * HOUR),
        (MaxLate(5 * DAY), None),
        (Fraction(Decimal("0.5")), None),
        (AskProviderRule(), None),
        (None, None),
    ],
)
def test_where_the_drug_has_no_gap_the_plans_own_rule_says_it(rule: MissedDoseRule | None, gap: timedelta | None) -> None:
    """The shortest time between two doses is the rule's own number, by default; a rule without one gives none."""
    found = min_gap_of(replace(a_plan(), missed_dose_rule=rule), SILENT)

    assert found == (None if gap is None else Sourced(gap, "the plan's missed-dose rule", Confidence.DEFAULT))


def test_the_drugs_own_gap_goes_first() -> None:
    """What the profile says is not put aside by a plan."""
    assert min_gap_of(replace(a_plan(), missed_dose_rule=HoursBeforeNext(3 * HOUR)), BACLOFEN) == BACLOFEN.min_gap


@pytest.mark.parametrize(
    ("plan", "gap"), [(a_plan(), 12 * HOUR), (a_plan(a_phase("5/5", at="08:00 20:00")), None), (a_plan(a_phase("5/5/5", every=2)), None)]
)
def test_the_gap_a_drug_does_not_bear_is_meant_for_three_doses_a_day(plan: Plan, gap: timedelta | None) -> None:
    """For fewer, or not every day, the nights alone are longer; without a number there is none."""
    seizures = replace(BACLOFEN, longest_gap=Sourced(12 * HOUR, "a label", Confidence.SOURCED))

    assert (longest_gap_of(plan, seizures), longest_gap_of(plan, BACLOFEN)) == (gap, None)
