"""`doseline system`: who runs the installation."""

from __future__ import annotations

import json
import re
from pathlib import Path

from typer.testing import CliRunner, Result

from reminders.cli import app
from tests.cli.test_staff_commands import enrol
from tests.files import an_import_file


def run(url: str, *words: str) -> Result:
    """Run a command of `doseline system`."""
    return CliRunner().invoke(app, ["system", *words], env={"DATABASE_URL": url}, terminal_width=200)


def test_add_invite_and_end(sqlite_url: str, tmp_path: Path) -> None:
    """A link each time, shown once; who left is on the list as such, and has no further link."""
    enrol(sqlite_url, tmp_path, an_import_file())
    added, again, invited = (run(sqlite_url, *words, "Pat Quinn") for words in (("add",), ("add",), ("invite",)))
    ended, gone = run(sqlite_url, "end", "Pat Quinn"), run(sqlite_url, "invite", "Pat Quinn")
    links = [re.findall(r"http://127\.0\.0\.1:8000/setup/[A-Za-z0-9_-]{43}\n", result.stdout) for result in (added, invited)]

    assert [len(found) for found in links] == [1, 1]
    assert ([result.exit_code for result in (again, gone)], "already" in again.output) == ([1, 1], True)
    assert ended.stdout == "Pat Quinn is off the list.\n"
    assert [(one["name"], one["signs_in"], one["ended_at"] is None) for one in json.loads(run(sqlite_url, "list", "--json").stdout)] == [
        ("Pat Quinn", False, False)
    ]
    assert "left" in run(sqlite_url, "list").stdout
