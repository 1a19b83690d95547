from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from db.engine import writing
from reminders.cli import app
from reminders.services.records import troubles
from reminders.services.records.troubles import Trouble

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SAID = "trouble since 02 Mar 12:00 UTC: account: The carrier refuses our account.\n"


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["for people", "for programs"])
def test_troubles_are_told_beside_the_alerts(sqlite_url: str, sqlite_engine: Engine, words: list[str]) -> None:
    """What is wrong with the installation as a whole is said on standard error, whoever reads the alerts."""
    with writing(sqlite_engine) as c:
        troubles.begin(c, Trouble.ACCOUNT, "The carrier refuses our account.", now=NOON)
    result = CliRunner().invoke(app, ["alerts", *words], env={"DATABASE_URL": sqlite_url})

    assert (result.exit_code, result.stderr.partition("No open")[0]) == (0, SAID)


def test_without_alerts_a_program_reads_an_empty_list(sqlite_url: str) -> None:
    """With --json there is always a list."""
    result = CliRunner().invoke(app, ["alerts", "--json"], env={"DATABASE_URL": sqlite_url})

    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
