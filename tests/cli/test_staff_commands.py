from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from reminders.cli import app
from reminders.clock import SystemClock
from reminders.services import signing_in
from tests.files import a_clinic, an_import_file, saved


def run(url: str, *words: str) -> Result:
    """Run a command of `doseline staff`."""
    return CliRunner().invoke(app, ["staff", *words], env={"DATABASE_URL": url}, terminal_width=200)


def enrol(url: str, folder: Path, data: object) -> None:
    """Import a file."""
    result = CliRunner().invoke(app, ["import", str(saved(folder, data))], env={"DATABASE_URL": url})
    assert result.exit_code == 0, result.output


@pytest.fixture
def clinic(sqlite_url: str, tmp_path: Path) -> str:
    """A ledger with one clinic, its provider and its nurse."""
    enrol(sqlite_url, tmp_path, an_import_file())
    return sqlite_url


def test_the_list_is_shown(clinic: str) -> None:
    """Everybody, and what they are; to programs as JSON."""
    shown, told = run(clinic, "list"), json.loads(run(clinic, "list", "--json").stdout)

    assert [line.split("  ")[0] for line in shown.stdout.splitlines()] == ["name", "Dr. Noor Haddad", "Nurse Lee"]
    assert [(one["name"], one["roles"], one["ended_at"]) for one in told] == [
        ("Dr. Noor Haddad", ["provider"], None),
        ("Nurse Lee", ["staff"], None),
    ]


def test_add_end_and_take_back(clinic: str) -> None:
    """Each says what the person is now; who left is shown with the day."""
    added = run(clinic, "add", "Dr. Ada Moss", "--role", "admin", "--role", "provider")
    ended = run(clinic, "end", "Dr. Ada Moss")
    listed = json.loads(run(clinic, "list", "--json").stdout)
    again = run(clinic, "end", "Dr. Ada Moss")
    back = json.loads(run(clinic, "add", "Dr. Ada Moss", "--role", "staff", "--json").stdout)

    assert (added.stdout, ended.stdout) == ("Dr. Ada Moss is provider, admin.\n", "Dr. Ada Moss is off the list.\n")
    assert listed[0]["ended_at"] is not None
    assert (again.exit_code, "nobody on the list of harbor-clinic is called 'Dr. Ada Moss'" in again.output) == (1, True)
    assert (back["roles"], back["ended_at"]) == (["staff"], None)


def test_which_clinic(clinic: str, tmp_path: Path) -> None:
    """With two clinics, one is named; a wrong name is told what there is."""
    enrol(clinic, tmp_path, {"clinic": a_clinic(name="Hill Clinic", phone="+12025550110", staff=[]), "patients": []})
    unsaid, said, wrong = run(clinic, "list"), run(clinic, "list", "--clinic", "hill-clinic"), run(clinic, "list", "--clinic", "hull")

    assert (unsaid.exit_code, "say which clinic, with --clinic: there is harbor-clinic, hill-clinic" in unsaid.output) == (1, True)
    assert (said.exit_code, "doseline staff add NAME --role provider" in said.stdout) == (0, True)
    assert (wrong.exit_code, "there is no clinic 'hull'" in wrong.output) == (1, True)


@pytest.mark.parametrize("words", [("add", "Dr. Ada Moss"), ("add", "Dr. Ada Moss", "--role", "owner"), ("end",)])
def test_what_was_typed_wrong(clinic: str, words: tuple[str, ...]) -> None:
    """Nobody is added without a role, or with one that there is not."""
    result = run(clinic, *words)

    assert (result.exit_code, len(json.loads(run(clinic, "list", "--json").stdout))) == (2, 2)


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "a\nb"], ids=["empty", "blank", "long", "two lines"])
def test_a_name_is_one(clinic: str, name: str) -> None:
    """A name that no file could give is refused here too."""
    result = run(clinic, "add", name, "--role", "staff")

    assert (result.exit_code, len(json.loads(run(clinic, "list", "--json").stdout))) == (2, 2), result.output


def test_a_link_is_made(clinic: str, sqlite_engine: Engine) -> None:
    """It opens the page on which that person begins; a newer one puts it aside; nobody else has one."""
    said = run(clinic, "invite", "Nurse Lee")
    older = said.stdout.split("/setup/")[1].strip()
    told = json.loads(run(clinic, "invite", "Nurse Lee", "--new-phone", "--json").stdout)
    newer, now = told["link"].split("/setup/")[1], SystemClock().now()
    nobody = run(clinic, "invite", "Dr. Who")

    assert (said.exit_code, said.stdout.startswith("For Nurse Lee, once, until ")) == (0, True)
    assert told["link"].startswith("http://127.0.0.1:8000/setup/")
    assert [signing_in.opened(sqlite_engine, token, now=now) is not None for token in (older, newer)] == [False, True]
    assert (nobody.exit_code, "nobody on the list of harbor-clinic is called 'Dr. Who'" in nobody.output) == (1, True)
