from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from reminders.cli import app
from reminders.clock import SystemClock
from tests.files import a_plan_file, an_import_file, saved
from tests.stage import patient, plan

START = (SystemClock().now() + timedelta(days=30)).date().isoformat()
"""The plans begin a month from now, so that nothing is taken meanwhile, whenever this runs."""


def run(url: str, *words: str) -> Result:
    """Run a command of `doseline supply`."""
    return CliRunner().invoke(app, ["supply", *words], env={"DATABASE_URL": url}, terminal_width=200)


@pytest.fixture
def enrolled(sqlite_url: str, tmp_path: Path) -> str:
    """A ledger with Ana's plan, of tablets of 5 and 10 mg, of which nobody keeps count."""
    data = an_import_file(patient(plan(strengths=["5", "10"]) | {"start": START}))
    result = CliRunner().invoke(app, ["import", str(saved(tmp_path, data))], env={"DATABASE_URL": sqlite_url})
    assert result.exit_code == 0, result.output
    return sqlite_url


def as_json(result: Result) -> Any:  # noqa: ANN401 - JSON values
    """What a command printed for programs."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_nobody_keeps_count_yet(enrolled: str) -> None:
    """Says so, and how to begin; the needs are shown all the same."""
    result = run(enrolled, "show", "ana-baclofen")
    assert (result.exit_code, "Begin with: doseline supply count ana-baclofen" in result.stdout) == (0, True)


def test_count_then_add(enrolled: str) -> None:
    """A count sets what is there, what came is added to it."""
    run(enrolled, "count", "ana-baclofen", "5=20", "10=4", "--by", "Nurse Lee")
    supply = as_json(run(enrolled, "add", "ana-baclofen", "5=40", "--by", "Nurse Lee", "--json"))

    assert {(one["strength"], one["tablets"]) for one in supply["left"]} == {("5", 60), ("10", 4)}


def test_how_long_they_last_is_shown(enrolled: str) -> None:
    """The day on which they run out, and what each phase takes."""
    result = run(enrolled, "count", "ana-baclofen", "5=7", "--by", "Nurse Lee")
    assert (result.exit_code, "They run out on" in result.stdout, "of 5 mg" in result.stdout) == (0, True, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("count", "ana-baclofen", "7=20", "--by", "Nurse Lee"), "7: no tablet of this plan has 7 mg: it is given in 5 mg, 10 mg"),
        (("count", "nobody", "5=20", "--by", "Nurse Lee"), "there is no plan 'nobody'"),
        (("count", "ana-baclofen", "5", "--by", "Nurse Lee"), "like 5=60, not '5'"),
        (("count", "ana-baclofen", "5=-3", "--by", "Nurse Lee"), "like 5=60, not '5=-3'"),
        (("count", "ana-baclofen", "5=20"), "--by"),
    ],
)
def test_what_cannot_be_counted_is_refused(enrolled: str, words: tuple[str, ...], said: str) -> None:
    """Refused with what is wrong, and nothing is stored."""
    result = run(enrolled, *words)
    plain = " ".join(result.output.replace("│", " ").split())
    assert (result.exit_code != 0, said in plain) == (True, True), plain
    assert as_json(run(enrolled, "show", "ana-baclofen", "--json"))["left"] is None


@pytest.mark.parametrize(
    ("supply", "path", "said"),
    [
        ([{"strength": "7", "tablets": 3}], "supply[0].strength", "no tablet of this plan has 7 mg"),
        ([{"strength": "5", "tablets": 3}, {"strength": "5", "tablets": 4}], "supply[1].strength", "say each strength once"),
        ([{"strength": "5", "tablets": -1}], "supply[0].tablets", "must be 0 or more"),
        ([{"strength": "5"}], "supply[0].tablets", "is missing"),
    ],
)
def test_bad_supplies_are_refused_at_the_import(sqlite_url: str, tmp_path: Path, supply: list[object], path: str, said: str) -> None:
    """With the path in the file; nothing is stored."""
    data = an_import_file(patient(plan(strengths=["5"], supply=supply) | {"start": START}))
    result = CliRunner().invoke(app, ["import", str(saved(tmp_path, data)), "--json"], env={"DATABASE_URL": sqlite_url})

    assert (result.exit_code != 0, f"patients[0].plans[0].{path}" in result.output, said in result.output) == (True, True, True), (
        result.output
    )


def test_a_plan_file_of_its_own_has_no_supply(tmp_path: Path) -> None:
    """What a patient has at home belongs to the patient, not to the prescription."""
    file = saved(tmp_path, {**a_plan_file(), "supply": [{"strength": "5", "tablets": 3}]})
    assert CliRunner().invoke(app, ["plan", "check", str(file)]).exit_code != 0
