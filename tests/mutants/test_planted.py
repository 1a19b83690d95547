"""The planted bugs can still be planted: what they change stands where they say, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.planted import PLANTED, Planted

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_has_its_place(planted: Planted) -> None:
    """Its lines stand in its file once, and the tests that must see it are there."""
    text = (ROOT / planted.file).read_text(encoding="utf-8")

    assert (text.count(planted.old), planted.new == planted.old) == (1, False)
    assert [test for test in planted.tests if not (ROOT / test).is_file()] == []


def test_there_are_ten() -> None:
    """Each with a name of its own."""
    assert len({planted.name for planted in PLANTED}) == 10
