"""`doseline caregiver`: who is around a patient, what they may see, and a link to it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reminders.cli import app
from reminders.clock import SystemClock
from reminders.services import caring
from reminders.services.opening import open_ledger
from tests.cli.test_staff_commands import enrol
from tests.files import an_import_file

BY = ("--by", "Nurse Lee")
AGREED = ("--agreed-by", "Ana Silva")


def run(url: str, *words: str) -> Result:
    """Run a command of `doseline caregiver`."""
    return CliRunner().invoke(app, ["caregiver", *words], env={"DATABASE_URL": url}, terminal_width=200)


@pytest.fixture
def clinic(sqlite_url: str, tmp_path: Path) -> str:
    """A ledger with Ana and her brother."""
    enrol(sqlite_url, tmp_path, an_import_file())
    return sqlite_url


def test_what_is_agreed_is_listed(clinic: str) -> None:
    """By default the least; then what was agreed, and who said so."""
    before = json.loads(run(clinic, "list", "ana", "--json").stdout)
    agreed = run(clinic, "agree", "ana", "rui", "--sees", "today", "--answers", *AGREED, *BY)
    after, shown = json.loads(run(clinic, "list", "ana", "--json").stdout), run(clinic, "list", "ana").stdout

    assert [(one["ref"], one["sees"], one["answers"], one["agreed_by"], one["no_page"]) for one in (*before, *after)] == [
        ("rui", "alerts", False, None, ""),
        ("rui", "today", True, "Ana Silva", ""),
    ]
    assert (agreed.stdout, "today's doses" in shown) == ("rui sees today's doses, and may say that a dose was given.\n", True)


def test_a_link_opens_the_page(clinic: str) -> None:
    """It is shown once, with until when it is good."""
    made = run(clinic, "link", "ana", "rui", *BY)
    (token,) = re.findall(r"http://127\.0\.0\.1:8000/care/([A-Za-z0-9_-]{43})\n", made.stdout)
    engine = open_ledger(clinic)
    holder = caring.who(engine, token, address="", now=SystemClock().now())
    engine.dispose()

    assert made.stdout.startswith("For Rui Silva, until ")
    assert holder is not None
    assert holder.line.name == "Rui Silva"
    assert set(json.loads(run(clinic, "link", "ana", "rui", *BY, "--json").stdout)) == {"name", "link", "expires_at"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("link", "ana", "nobody", *BY), "ana has no caregiver or proxy 'nobody'"),
        (("link", "eva", "rui", *BY), "there is no patient 'eva'"),
        (("list", "eva"), "there is no patient 'eva'"),
        (("link", "ana", "rui", "--by", "Mallory"), "nobody at the clinic is called 'Mallory'"),
        (("agree", "ana", "rui", "--sees", "alerts", "--answers", *AGREED, *BY), "sees today's doses"),
    ],
)
def test_what_is_refused(clinic: str, words: tuple[str, ...], said: str) -> None:
    """With the reason, and nothing is made."""
    result = run(clinic, *words)

    assert (result.exit_code, said in result.output) == (1, True)
