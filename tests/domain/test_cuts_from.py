"""The first cut of a taper: what a plan alone does not tell, with the day before it does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reminders.domain.checking import check_plan
from reminders.domain.cut_checks import check_cuts_from
from reminders.domain.plan import Kind, Plan
from reminders.domain.profile import DrugProfile, Severity
from tests.builders import a_phase, a_plan
from tests.domain.test_findings_in_full import STRICT, label, mg

LOOSE: DrugProfile = replace(STRICT, first_cut_percent=None, cut_max_percent=None)
DOWN = a_plan(a_phase("10/10/10", 8), a_phase("5/5/10", 8), a_phase("5/5/5", 8), kind=Kind.TAPER)


def found(plan: Plan, profile: DrugProfile, before: str | None) -> list[tuple[str, str, str]]:
    """What speaks against a taper from the doses of a day on: code, path, and what was found."""
    day = () if before is None else a_phase(before).doses
    return [(finding.code, finding.path, finding.found) for finding in check_cuts_from(plan, profile, day)]


@pytest.mark.parametrize(
    ("before", "at_first"),
    [
        (None, []),
        ("10/10/10", []),
        ("15/15/10", []),
        ("15/15/15", [("cut_too_large", "phases[0]", "15 mg a day")]),
        ("20/20/20", [("cut_too_large", "phases[0]", "30 mg a day")]),
    ],
)
def test_the_cut_to_the_first_phase(before: str | None, at_first: list[tuple[str, str, str]]) -> None:
    """Ten a day are the most: 40 to 30 is in order, 45 to 30 is not, at the first phase; the last cut, to nothing, is looked at too."""
    assert found(DOWN, LOOSE, before) == at_first + ([] if before is None else [("cut_too_large", "phases[2]", "15 mg a day")])


def test_the_day_before_had_lasted_long_enough() -> None:
    """The phase that is too short is the plan's own, under its own number; the day before it is none."""
    short = a_plan(a_phase("10/10/10", 3), a_phase("5/5/10", 8), a_phase("5/5/5", 8), kind=Kind.TAPER)
    slow = replace(LOOSE, cut_max_per_day=None, cut_min_days=label(366))

    assert found(short, replace(LOOSE, cut_max_per_day=None), "15/15/10") == [("cut_too_soon", "phases[0].days", "3 days")]
    assert found(short, slow, "15/15/10")[0] == ("cut_too_soon", "phases[0].days", "3 days")


def test_the_first_cut_by_its_percent() -> None:
    """A tenth at most, of what was taken the day before."""
    assert found(DOWN, replace(STRICT, cut_max_per_day=None, cut_max_percent=None), "15/15/10") == [
        ("first_cut_too_large", "phases[0]", "25 %")
    ]


def test_every_path_is_the_plans_own() -> None:
    """A later cut is found with the day before as it is without, at the same place."""
    long_way = a_plan(*(a_phase(f"{n}/{n}/{n}", 8) for n in range(60, 0, -5)), kind=Kind.TAPER)
    wide = replace(LOOSE, cut_max_per_day=label(mg("14"), Severity.WARNING), cut_min_days=None)
    alone = [(finding.code, finding.path, finding.found) for finding in check_plan(long_way, wide) if finding.code == "cut_too_large"]

    assert found(long_way, wide, "60/60/60") == alone
    assert [path for _, path, _ in alone[8:]] == ["phases[9]", "phases[10]", "phases[11]", "phases[11]"]


@pytest.mark.parametrize("kind", [Kind.TITRATION])
def test_only_a_taper_falls(kind: Kind) -> None:
    """A plan that goes up has no first cut."""
    assert found(replace(DOWN, kind=kind), LOOSE, "20/20/20") == []
