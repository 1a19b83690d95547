"""`doseline key`: made and shown once, listed without what opens, ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from db.engine import make_engine
from reminders.cli import app
from reminders.clock import SystemClock
from reminders.services import key_holding
from tests.files import an_import_file, saved


def run(url: str, *words: str) -> Result:
    """Run a command of `doseline key`."""
    return CliRunner().invoke(app, ["key", *words], env={"DATABASE_URL": url}, terminal_width=250)


@pytest.fixture
def clinic(sqlite_url: str, tmp_path: Path) -> str:
    """A ledger with one clinic, its provider and its nurse."""
    result = CliRunner().invoke(app, ["import", str(saved(tmp_path, an_import_file()))], env={"DATABASE_URL": sqlite_url})
    assert result.exit_code == 0, result.output
    return sqlite_url


def opens(url: str, token: str) -> bool:
    """Whether a key opens."""
    engine = make_engine(url)
    try:
        return key_holding.who(engine, token, now=SystemClock().now()) is not None
    finally:
        engine.dispose()


def test_a_key_is_made_listed_and_ended(clinic: str) -> None:
    """What opens is printed once, alone on standard output, and in no list; ended by its id, it opens no more."""
    made = run(clinic, "add", "hospital system", "--for", "Nurse Lee", "--role", "staff", "--days", "30")
    token = made.stdout.strip()
    before = opens(clinic, token)
    (listed,) = json.loads(run(clinic, "list", "--json").stdout)
    table = run(clinic, "list").stdout
    ended = run(clinic, "end", listed["id"])
    again = run(clinic, "end", listed["id"])

    assert (made.exit_code, before, opens(clinic, token)) == (0, True, False)
    assert (listed["holder"], listed["roles"], listed["made_by"]) == ("Nurse Lee", ["staff"], "command line")
    assert (token in json.dumps(listed) + table, listed["id"] in table) == (False, True)
    assert (ended.exit_code, again.exit_code) == (0, 1)


def test_to_a_program_a_new_key_is_json(clinic: str) -> None:
    """What opens stands beside what a list shows."""
    told = json.loads(run(clinic, "add", "x", "--for", "Nurse Lee", "--role", "staff", "--json").stdout)

    assert (opens(clinic, told["key"]), told["used_at"], told["ended_at"]) == (True, None, None)


@pytest.mark.parametrize("words", [("--for", "Nurse Lee", "--role", "provider"), ("--for", "Nobody", "--role", "staff")])
def test_a_key_has_no_more_than_its_person(clinic: str, words: tuple[str, ...]) -> None:
    """Who may not prescribe has no key that may; and nobody's name makes none."""
    refused = run(clinic, "add", "x", *words)

    assert (refused.exit_code, run(clinic, "list").stdout.startswith("There is no key")) == (1, True)
