from __future__ import annotations

import json
from datetime import timedelta

from typer.testing import CliRunner, Result

from reminders.cli import app
from reminders.clock import HandClock, SystemClock
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN, FakeTwilio
from tests.stage import ANA


def audited(url: str, twilio: FakeTwilio, *words: str) -> Result:
    """Run `doseline audit carrier` with an account at a stand-in."""
    account = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_FROM": OUR_NUMBER}
    address = {"DOSELINE_TRANSPORT": "twilio", "TWILIO_API_BASE_URL": twilio.url, "PUBLIC_URL": "https://doseline.example.org"}
    return CliRunner().invoke(app, ["audit", "carrier", *words], env={"DATABASE_URL": url, **account, **address})


def test_a_day_with_a_text_that_the_ledger_lacks(sqlite_url: str) -> None:
    """The counts say so, and the command ends with 1; neither number nor words are shown. The day before is clean."""
    clock = HandClock(SystemClock().now() - timedelta(days=1))
    day, before = (f"{clock.now() - timedelta(days=days):%Y-%m-%d}" for days in (0, 1))
    with FakeTwilio(clock) as twilio:
        twilio.account.accept({"To": ANA, "From": OUR_NUMBER, "Body": "Harbor Clinic: something else."})
        told = audited(sqlite_url, twilio)
        of_program = audited(sqlite_url, twilio, "--day", day, "--json")
        clean = audited(sqlite_url, twilio, "--day", before)

    assert (told.exit_code, told.stdout) == (1, f"{day} (UTC): 1 texts sent, 0 of them twice, 1 unknown to the ledger.\n")
    assert json.loads(of_program.stdout) == {"day": day, "listed": 1, "doubled": 0, "unknown": 1}
    assert (clean.exit_code, clean.stdout) == (0, f"{before} (UTC): 0 texts sent, 0 of them twice, 0 unknown to the ledger.\n")


def test_without_the_list_nothing_is_called_clean(sqlite_url: str) -> None:
    """The words say what to look at."""
    with FakeTwilio() as twilio:
        pass
    result = audited(sqlite_url, twilio)

    assert (result.exit_code, "the carrier's list cannot be read" in result.stderr) == (1, True)
