"""The long run is long: the laws of never doubling a dose get thousands of examples, and no law keeps the day's few."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parents[1]
NEVER_DOUBLE = TESTS / "laws" / "test_missed_laws.py"
AT_LEAST = 2000
LAWS = (
    "test_a_one_amount_for_a_slot",
    "test_b_minimum_gap",
    "test_b_minimum_gap_after_a_dose_against_advice",
    "test_c_daily_maximum",
    "test_d_maximum_in_24_hours",
)


def drawn_tests(file: Path) -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """Find the tests of a file that Hypothesis draws, with their decorators by name."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            decorators = {ast.unparse(each.func): each for each in node.decorator_list if isinstance(each, ast.Call)}
            if "given" in decorators:
                yield node.name, dict(decorators)


@pytest.mark.parametrize("law", LAWS)
def test_each_law_of_never_doubling_takes_its_examples_from_the_profile(law: str) -> None:
    """No setting of its own stands between a law and the night's number."""
    assert "settings" not in dict(drawn_tests(NEVER_DOUBLE))[law]


def test_the_night_has_thousands_of_examples() -> None:
    """The profile that `make test-night` names has two thousand or more."""
    recipe = (TESTS.parent / "Makefile").read_text(encoding="utf-8").partition("\ntest-night:")[2].partition("\n\n")[0]

    assert "--hypothesis-profile night" in recipe
    assert settings.get_profile("night").max_examples >= AT_LEAST


def test_no_law_keeps_the_days_few_examples_at_night() -> None:
    """A law with fewer examples than the profile takes a share of it, never a number."""
    fixed = [
        f"{file.relative_to(TESTS)}: {name}"
        for file in sorted(TESTS.rglob("test_*.py"))
        for name, decorators in drawn_tests(file)
        if "settings" in decorators and isinstance(_examples(decorators["settings"]), ast.Constant)
    ]

    assert fixed == []


def _examples(decorator: ast.expr) -> ast.expr | None:
    assert isinstance(decorator, ast.Call)
    return next((keyword.value for keyword in decorator.keywords if keyword.arg == "max_examples"), None)
