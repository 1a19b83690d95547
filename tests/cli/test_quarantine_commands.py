from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from db.engine import make_engine
from reminders.bootstrap import only_one
from reminders.cli import app
from reminders.clock import SystemClock
from reminders.services import quarantining, reminding
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN, FakeTwilio
from tests.stage import ANA, Stage, at, patient, phase, plan

FIRST = at("03-02 12:00")


def run(url: str, *words: str | Path, **environ: str) -> Result:
    """Run a command on the database of an address."""
    return CliRunner().invoke(app, [str(word) for word in words], env={"DATABASE_URL": url, **environ})


@pytest.fixture
def lived(sqlite_url: str) -> str:
    """A clinic of one morning, long ago; its one plan was for a day."""
    engine = make_engine(sqlite_url)
    with Stage(engine, patient(plan(phase("5/5/5", 1)))) as clinic:
        clinic.run_until(FIRST)
        reminding.record_pass(engine, "build", now=clinic.now)
    engine.dispose()
    return sqlite_url


def by_twilio(address: str) -> dict[str, str]:
    """The settings of an account, at a stand-in."""
    account = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_FROM": OUR_NUMBER}
    return {**account, "DOSELINE_TRANSPORT": "twilio", "TWILIO_API_BASE_URL": address, "PUBLIC_URL": "https://doseline.example.org"}


def test_a_backup_comes_back_in_quarantine_and_a_person_ends_it(lived: str, tmp_path: Path) -> None:
    """From the copy to the word of a named person: each command says what the next one is."""
    backup = run(lived, "backup", tmp_path / "kept.db")
    restored = run(lived, "restore", tmp_path / "kept.db")
    shown = json.loads(run(lived, "quarantine", "--json").stdout)
    too_soon = run(lived, "quarantine", "end", "--by", "Noor Haddad")
    reconciled = run(lived, "quarantine", "reconcile", "--json")
    ended = run(lived, "quarantine", "end", "--by", "Noor Haddad")
    after = run(lived, "quarantine")

    assert (backup.exit_code, backup.stderr) == (0, f"The ledger is in {tmp_path / 'kept.db'}, checked.\n")
    assert "doseline quarantine reconcile" in restored.stderr
    assert re.search(r"The ledger that was there is kept as .*/doseline\.db\.aside-\d{8}T\d{6}Z\.", restored.stderr)
    assert (shown["stands"], shown["why"], shown["since"]) == (True, "A backup was restored.", "2026-03-02T16:58:00Z")
    assert (too_soon.exit_code, "run `doseline quarantine reconcile` first" in too_soon.stderr) == (1, True)
    assert (reconciled.exit_code, json.loads(reconciled.stdout)) == (0, {"found": 0, "heard": 0, "unexplained": {}})
    assert (ended.exit_code, ended.stderr[:18]) == (0, "Texts leave again;")
    assert (after.exit_code, after.stderr) == (0, "No quarantine stands: texts leave as they fall due.\n")


def test_a_backup_is_refused_where_one_is(lived: str, tmp_path: Path) -> None:
    """The file that is there stays, and the words say what to do."""
    file = tmp_path / "kept.db"
    file.write_text("mine", encoding="utf-8")

    result = run(lived, "backup", file)

    assert (result.exit_code, file.read_text(encoding="utf-8")) == (1, "mine")
    assert result.stderr == f"Error: {file} is there already: a backup is never overwritten. Name another file\n"


def test_a_restore_is_refused_while_the_ledger_is_served(lived: str, tmp_path: Path) -> None:
    """The server would go on writing to what was put aside."""
    run(lived, "backup", tmp_path / "kept.db")
    with only_one(lived):
        result = run(lived, "restore", tmp_path / "kept.db")

    assert (result.exit_code, result.stderr) == (1, "Error: Another Doseline process holds this database file; stop it first.\n")


def test_a_restore_names_a_backup_or_a_mark(lived: str) -> None:
    """Neither is a mistake, and so are both."""
    assert [run(lived, "restore", *words).exit_code for words in ([], ["kept.db", "--mark"])] == [2, 2]


def test_a_ruined_backup_is_refused(lived: str, tmp_path: Path) -> None:
    """With the file and what is wrong with it."""
    file = tmp_path / "kept.db"
    file.write_text("no ledger", encoding="utf-8")

    result = run(lived, "restore", file, "--json")

    assert (result.exit_code, json.loads(result.stdout)["error"]) == (1, "bad file")
    assert json.loads(result.stdout)["faults"] == [{"path": str(file), "message": "SQLite cannot read it: file is not a database"}]


def test_postgresql_has_tools_of_its_own(postgres_database_url: str, tmp_path: Path) -> None:
    """The commands say which, and end with 2; what they restored is marked by us."""
    backup = run(postgres_database_url, "backup", tmp_path / "kept.dump")
    restore = run(postgres_database_url, "restore", tmp_path / "kept.dump")
    marked = run(postgres_database_url, "restore", "--mark")
    shown = json.loads(run(postgres_database_url, "quarantine", "--json").stdout)

    assert (backup.exit_code, "pg_dump" in backup.stderr) == (2, True)
    assert (restore.exit_code, "doseline restore --mark" in restore.stderr) == (2, True)
    assert (marked.exit_code, shown["stands"]) == (0, True)


def test_reconciling_asks_the_carrier_and_names_patients_by_reference(lived: str, sqlite_engine: Engine) -> None:
    """What the carrier sent and no row explains is counted by patient; no number and no words are shown."""
    quarantining.begin(sqlite_engine, "A backup was restored.", now=SystemClock().now() - timedelta(minutes=5))
    with FakeTwilio() as twilio:
        twilio.account.accept({"To": ANA, "From": OUR_NUMBER, "Body": "Harbor Clinic: something else."})
        found = run(lived, "quarantine", "reconcile", **by_twilio(twilio.url))
    ended = run(lived, "quarantine", "end", "--by", "Noor Haddad")
    despite = run(lived, "quarantine", "end", "--by", "Noor Haddad", "--unreconciled", "a test by hand")

    assert (found.exit_code, "  unexplained: 1 to patient ana. Look at them" in found.stdout) == (0, True)
    assert ANA[2:] not in found.output
    assert "something else" not in found.output
    assert (ended.exit_code, "1 texts in the gap are unexplained" in ended.stderr, despite.exit_code) == (1, True, 0)


def test_reconciling_without_the_carrier_changes_nothing(lived: str, sqlite_engine: Engine) -> None:
    """The words say so, and what to do."""
    quarantining.begin(sqlite_engine, "A backup was restored.", now=SystemClock().now() - timedelta(minutes=5))
    result = run(lived, "quarantine", "reconcile", **by_twilio("http://127.0.0.1:9"))

    assert (result.exit_code, "nothing was changed" in result.stderr) == (1, True)
    assert quarantining.is_held(sqlite_engine)
