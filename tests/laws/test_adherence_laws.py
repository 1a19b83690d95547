from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reminders.domain.adherence import COUNTED, NOT_TAKEN, Adherence, Mark, ScoredDose, adherence, percent

MONDAY = date(2026, 11, 23)


def _in_order(rows: list[tuple[int, Mark, int]]) -> list[ScoredDose]:
    return [ScoredDose(MONDAY + timedelta(days=day), mark, Decimal(mg)) for day, mark, mg in sorted(rows, key=lambda row: row[0])]


doses = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(Mark), st.integers(1, 40)), max_size=30).map(_in_order)


def shares(score: Adherence) -> list[Fraction]:
    """Every share of a report that has data."""
    values = [getattr(score, field.name) for field in fields(score)] + [score.correct_days]
    return [value for value in values if isinstance(value, Fraction)]


@given(doses)
def test_every_share_lies_between_nothing_and_all(rows: list[ScoredDose]) -> None:
    """No share is below 0 or above 1."""
    assert all(0 <= share <= 1 for share in shares(adherence(rows)))


@given(doses)
def test_the_lower_bound_is_never_above_the_upper(rows: list[ScoredDose]) -> None:
    """What was confirmed is never more than what may have been taken, and what was answered lies between."""
    score = adherence(rows)
    assume(score.responded is not None)
    bounds = [score.lower or 0, score.responded or 0, score.upper or 0]

    assert bounds == sorted(bounds)


@pytest.mark.parametrize("measure", ["taken", "lower", "upper", "weighted"])
@given(rows=doses, data=st.data())
def test_no_score_falls_when_a_dose_becomes_taken(measure: str, rows: list[ScoredDose], data: st.DataObject) -> None:
    """A dose that turns out to have been taken never lowers a score."""
    places = [place for place, row in enumerate(rows) if row.mark in NOT_TAKEN]
    assume(places)
    place = data.draw(st.sampled_from(places))
    better = [*rows[:place], rows[place]._replace(mark=data.draw(st.sampled_from((Mark.T, Mark.C)))), *rows[place + 1 :]]

    assert getattr(adherence(better), measure) >= getattr(adherence(rows), measure)


@given(doses)
def test_nothing_vanishes(rows: list[ScoredDose]) -> None:
    """Every dose is counted, or shown beside the counts."""
    score = adherence(rows)

    assert score.counted + score.not_reminded + score.outside + score.unfinished == len(rows)


@given(doses)
def test_what_is_not_counted_changes_no_score(rows: list[ScoredDose]) -> None:
    """Taking the uncounted doses away changes neither bound, nor the weight, nor the longest run."""
    score, bare = adherence(rows), adherence(row for row in rows if row.mark in COUNTED)

    assert (score.lower, score.upper, score.weighted, score.longest_run) == (bare.lower, bare.upper, bare.weighted, bare.longest_run)


@given(st.fractions(0, 1))
def test_a_printed_percentage_is_within_half_a_hundredth(share: Fraction) -> None:
    """What is printed differs from the exact share by half of its last place at most."""
    assert abs(Fraction(percent(share)) - share * 100) <= Fraction(1, 200)
