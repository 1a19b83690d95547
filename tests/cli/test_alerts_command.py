from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from db.engine import writing
from reminders.cli import app
from reminders.services.escalating import escalate
from reminders.services.records import alerts, troubles
from reminders.services.records.troubles import Trouble
from reminders.services.replying import receive
from tests.web.clinic import opened

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


def test_what_nobody_took_on_in_time_says_so(sqlite_url: str, sqlite_engine: Engine) -> None:
    """An alert past its deadline says how long it waits, to people and to programs; one that was taken on says by whom."""
    opened(sqlite_engine)
    receive(sqlite_engine, sid="SM1", from_phone="+12025550101", to_phone="", body="call me", received_at=NOON, now=NOON)
    escalate(sqlite_engine, now=NOON + timedelta(days=1))
    told, listed = (CliRunner().invoke(app, ["alerts", *words], env={"DATABASE_URL": sqlite_url}).stdout for words in ((), ("--json",)))
    with writing(sqlite_engine) as c:
        alerts.acknowledge(c, alerts.open_alerts(c)[0], by="Dr. Noor Haddad", at=NOON)
    taken_on = CliRunner().invoke(app, ["alerts"], env={"DATABASE_URL": sqlite_url}).stdout
    [line] = json.loads(listed)

    assert re.search(r"The patient asks to be called\. \(overdue: waits \d+ h \d+ min, raised again once\)", told)
    assert (line["overdue"][:14], line["raised_again"], line["deadline_at"]) == ("overdue: waits", 1, "2026-03-02T17:00:00Z")
    assert "(taken on by Dr. Noor Haddad)" in taken_on
    assert "overdue" not in taken_on
