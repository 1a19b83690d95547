from __future__ import annotations

import pytest

from reminders.domain.approval import check_approval, check_approved_yet
from tests.builders import a_plan, utc

MIDNIGHT = [
    ("2026-03-02 04:59", None),  # still 1 March in New York
    ("2026-03-02 05:00", None),
    ("2026-03-03 04:59", None),
    ("2026-03-03 05:00", "2026-03-03"),
]


@pytest.mark.parametrize(("approved_at", "limit"), MIDNIGHT)
def test_a_plan_starts_on_the_day_of_its_approval_at_the_earliest(approved_at: str, limit: str | None) -> None:
    """The day is the patient's: what is approved late on 2 March in New York may start on 2 March, from midnight on no more."""
    found = [(finding.path, finding.found, finding.limit) for finding in check_approval(a_plan(start="2026-03-02"), utc(approved_at))]

    assert found == ([] if limit is None else [("start", "2026-03-02", limit)])


def test_an_approval_that_is_not_told_is_not_missed() -> None:
    """A plan file alone does not say when it was approved."""
    assert list(check_approval(a_plan(), None)) == []


@pytest.mark.parametrize(("approved_at", "found"), [("2026-03-02 12:01", 1), ("2026-03-02 12:00", 0), ("2026-03-02 11:59", 0)])
def test_what_will_be_approved_is_not(approved_at: str, found: int) -> None:
    """An approval counts from its own minute on; nobody approves anything in advance."""
    assert len(list(check_approved_yet(utc(approved_at), utc("2026-03-02 12:00")))) == found
