"""The shortest and the longest time between two doses, for one plan: its drug's, else what its own missed-dose rule says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminders.domain.missed_rules import HoursBeforeNext, MaxLate
from reminders.domain.profile import Confidence, Sourced

if TYPE_CHECKING:
    from datetime import timedelta

    from reminders.domain.plan import Plan
    from reminders.domain.profile import DrugProfile

FEWEST_A_DAY = 3
"""Below this the nights of a plan are longer than the gap itself: a limit for three or four doses a day says nothing."""

NO_MIN_GAP = (
    "no source gives the shortest time between two doses of this drug: the provider writes a missed-dose rule "
    "with a time of its own into the plan, or the clinic a min_gap into a profile of its own"
)


def min_gap_of(plan: Plan, profile: DrugProfile) -> Sourced[timedelta] | None:
    """The shortest time between two doses: the drug's, else the own number of the plan's missed-dose rule [default], else none.

    None is no freedom: a plan without one is refused, for nothing would keep two of its doses apart.
    """
    if profile.min_gap is not None:
        return profile.min_gap
    match plan.missed_dose_rule:
        case HoursBeforeNext(gap=gap) | MaxLate(min_gap=gap) if gap is not None:
            return Sourced(gap, "the plan's missed-dose rule", Confidence.DEFAULT)
        case _:
            return None


def longest_gap_of(plan: Plan, profile: DrugProfile) -> timedelta | None:
    """The time without a dose that this drug does not bear, where the plan has three doses a day or more; else None."""
    return profile.longest_gap.value if profile.longest_gap is not None and _is_frequent(plan) else None


def max_gap_of(plan: Plan, profile: DrugProfile) -> timedelta | None:
    """The drug's longest gap over a seam, where the plan has three doses a day or more; else None."""
    return profile.max_gap.value if profile.max_gap is not None and _is_frequent(plan) else None


def _is_frequent(plan: Plan) -> bool:
    return all(len(phase.doses) >= FEWEST_A_DAY and phase.every_n_days == 1 for phase in plan.phases)
