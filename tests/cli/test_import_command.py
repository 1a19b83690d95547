from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import Engine, func, select
from typer.testing import CliRunner, Result

from db.engine import make_engine, reading
from db.tables import metadata
from reminders.cli import app
from tests.files import a_patient, an_import_file, changed, saved


def imported(file: Path, *words: str, url: str) -> Result:
    """Run `doseline import` on a file, into the database of an address."""
    return CliRunner().invoke(app, ["import", str(file), *words], env={"DATABASE_URL": url})


def patients(engine: Engine) -> int:
    """Count the patients of a database."""
    with reading(engine) as c:
        return c.scalar(select(func.count()).select_from(metadata.tables["patient"])) or 0


def test_an_import_says_what_it_stored(tmp_path: Path, sqlite_url: str) -> None:
    """An import ends with 0 and the counts in words."""
    result = imported(saved(tmp_path, an_import_file()), url=sqlite_url)

    expected = "Stored in clinic harbor-clinic: 1 patient, 1 caregiver, 2 consents, 1 medicine, 1 plan.\n"
    assert (result.exit_code, result.stdout) == (0, expected)


def test_an_import_makes_the_ledger_it_needs(tmp_path: Path) -> None:
    """On SQLite the database is made and brought up to date by the way."""
    url = f"sqlite:///{tmp_path / 'new' / 'doseline.db'}"
    assert imported(saved(tmp_path, an_import_file()), url=url).exit_code == 0

    engine = make_engine(url)
    assert patients(engine) == 1
    engine.dispose()


def test_an_import_can_be_read_by_programs(tmp_path: Path, sqlite_url: str) -> None:
    """With --json the counts are a JSON object."""
    result = imported(saved(tmp_path, an_import_file()), "--json", url=sqlite_url)

    counts = {"clinic": "harbor-clinic", "patients": 1, "caregivers": 1, "consents": 2, "medicines": 1, "plans": 1, "warnings": []}
    assert json.loads(result.stdout) == counts


def test_a_bad_file_is_refused_with_every_path(tmp_path: Path, sqlite_url: str, sqlite_engine: Engine) -> None:
    """A file with faults ends with 1, names each by its path, and leaves nothing behind."""
    data = an_import_file(a_patient(phone="202-555-0101", plans=[]), a_patient(zone="Mars"))

    result = imported(saved(tmp_path, data), url=sqlite_url)

    paths = [line.partition(":")[0].strip() for line in result.stderr.splitlines()[1:]]
    assert (result.exit_code, result.stdout, paths) == (1, "", ["patients[0].phone", "patients[1].ref", "patients[1].zone"])
    assert patients(sqlite_engine) == 0


def test_a_bad_file_is_refused_in_json_too(tmp_path: Path, sqlite_url: str) -> None:
    """With --json the faults are a JSON object, each with its path."""
    result = imported(saved(tmp_path, changed(an_import_file(), "patients[0].consent", None)), "--json", url=sqlite_url)

    assert (result.exit_code, [fault["path"] for fault in json.loads(result.stdout)["faults"]]) == (1, ["patients[0].consent"])


def test_warnings_do_not_stop_an_import(tmp_path: Path, sqlite_url: str) -> None:
    """What a person should look at is said on standard error, and the file is stored."""
    result = imported(saved(tmp_path, changed(an_import_file(), "patients[0].medicines", ["lithium"])), url=sqlite_url)

    assert (result.exit_code, result.stderr.startswith("Look at patients[0].medicines[0]: ")) == (0, True)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    """A file that cannot be opened ends with 1."""
    assert imported(tmp_path / "none.json", url=sqlite_url).exit_code == 1


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    """A setting that cannot be used is named with its remedy."""
    result = imported(saved(tmp_path, an_import_file()), url="mysql://localhost/x")

    assert (result.exit_code, "DATABASE_URL" in result.stderr) == (1, True)


def test_a_database_that_does_not_answer_is_said_in_words(tmp_path: Path) -> None:
    """A database that is down is one sentence, not a traceback."""
    result = imported(saved(tmp_path, an_import_file()), url="postgresql://nobody@127.0.0.1:1/none")

    assert (result.exit_code, "the database does not answer" in result.stderr) == (1, True)


def test_a_database_behind_the_release_is_not_touched(tmp_path: Path, postgres_url: str) -> None:
    """On PostgreSQL bringing the tables up to date is a step of its own, and the error says which."""
    result = imported(saved(tmp_path, an_import_file()), url=postgres_url)

    assert (result.exit_code, "doseline migrate" in result.stderr) == (1, True)
