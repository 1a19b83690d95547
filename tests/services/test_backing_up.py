"""A backup, and the way back: whole or not at all, and never without its quarantine."""

from __future__ import annotations

import multiprocessing
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from db.engine import make_engine
from reminders.errors import BadFile, NotAllowed
from reminders.services import backing_up, reminding
from tests.stage import Stage, at

NOW = at("03-03 12:00")
DAY = timedelta(days=1)


class Ledger(NamedTuple):
    """A ledger in a file, worked on at noon, and a backup of it that is a day old."""

    url: str
    file: Path
    backup: Path


@pytest.fixture
def ledger(sqlite_url: str, tmp_path: Path) -> Ledger:
    """A clinic of one day, backed up, and then used for another day."""
    engine = make_engine(sqlite_url)
    with Stage(engine) as clinic:
        clinic.run_until("03-02 12:00")
        reminding.record_pass(engine, "build", now=clinic.now)
        backup = tmp_path / "backup.db"
        backing_up.back_up(sqlite_url, backup)
        clinic.run_until("03-03 12:00")
        reminding.record_pass(engine, "build", now=clinic.now)
    engine.dispose()
    return Ledger(sqlite_url, Path(sqlite_url.removeprefix("sqlite:///")), backup)


def asked(file: Path, query: str) -> list[tuple[object, ...]]:
    """Ask a file something."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def doses(file: Path) -> object:
    """How many doses a ledger holds."""
    return asked(file, "SELECT count(*) FROM dose")[0][0]


def gaps(file: Path) -> list[str]:
    """Since when the quarantines of a ledger look back."""
    return [str(since) for (since,) in asked(file, "SELECT since FROM quarantine WHERE ended_at IS NULL")]


def test_a_backup_is_a_whole_ledger_for_nobody_else_to_read(ledger: Ledger) -> None:
    """It was taken in use, in one file; only its owner may read it."""
    assert asked(ledger.backup, "PRAGMA integrity_check") == [("ok",)]
    assert (doses(ledger.backup), doses(ledger.file), gaps(ledger.backup)) == (1, 4, [])
    assert ledger.backup.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in ledger.backup.parent.iterdir() if "backup" in path.name) == ["backup.db"]


def test_a_backup_is_never_overwritten(ledger: Ledger) -> None:
    """An older one may be the only good one."""
    before = ledger.backup.read_bytes()
    with pytest.raises(NotAllowed, match="never overwritten"):
        backing_up.back_up(ledger.url, ledger.backup)

    assert ledger.backup.read_bytes() == before


def test_a_damaged_ledger_makes_no_backup(ledger: Ledger, tmp_path: Path) -> None:
    """A copy of damage is no backup: it is refused, and nothing is left of it."""
    with ledger.file.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 8)
    with pytest.raises(BadFile):
        backing_up.back_up(ledger.url, tmp_path / "second.db")

    assert [path for path in tmp_path.iterdir() if "second" in path.name] == []


def test_a_restored_ledger_is_in_quarantine_and_the_other_is_kept(ledger: Ledger) -> None:
    """The gap begins two minutes before the backup was last worked on; nothing is deleted."""
    aside = backing_up.restore(ledger.url, ledger.backup, now=NOW + DAY)

    assert aside == ledger.file.with_name("doseline.db.aside-20260304T170000Z")
    assert (doses(ledger.file), gaps(ledger.file)) == (1, ["2026-03-02 16:58:00.000000"])
    assert (doses(aside), gaps(aside)) == (4, [])


def test_a_restore_where_no_ledger_is(ledger: Ledger, tmp_path: Path) -> None:
    """On a new machine there is nothing to put aside."""
    place = tmp_path / "new" / "doseline.db"

    assert backing_up.restore(f"sqlite:///{place}", ledger.backup, now=NOW) is None
    assert (doses(place), len(gaps(place))) == (1, 1)


@pytest.mark.parametrize("damage", ["text", "truncated", "newer", "another"])
def test_what_is_no_backup_is_refused(ledger: Ledger, tmp_path: Path, damage: str) -> None:
    """The ledger that is there stays, and so does the file."""
    file = tmp_path / "damaged.db"
    whole = ledger.backup.read_bytes()
    file.write_bytes({"text": b"no ledger", "truncated": whole[: len(whole) // 2]}.get(damage, whole))
    if damage == "newer":
        asked_and_kept(file, "UPDATE alembic_version SET version_num = '9999'")
    if damage == "another":
        asked_and_kept(file, "DROP TABLE alembic_version")
    with pytest.raises(BadFile):
        backing_up.restore(ledger.url, file, now=NOW)

    assert (doses(ledger.file), gaps(ledger.file)) == (4, [])
    assert [path for path in ledger.file.parent.iterdir() if "restoring" in path.name or "aside" in path.name] == []


def asked_and_kept(file: Path, statement: str) -> None:
    """Change a file."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_ledger_in_use_is_not_replaced(ledger: Ledger) -> None:
    """Another process, though it serves nothing, would go on writing to what was put aside."""
    engine = make_engine(ledger.url)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM dose")
        with pytest.raises(NotAllowed, match="stop it first"):
            backing_up.restore(ledger.url, ledger.backup, now=NOW)
    engine.dispose()

    assert (doses(ledger.file), gaps(ledger.file)) == (4, [])


def test_a_ruined_ledger_is_put_aside_too(ledger: Ledger) -> None:
    """It is why one restores: what cannot be read is kept as it is, its log with it."""
    ledger.file.write_bytes(b"ruined")
    Path(f"{ledger.file}-wal").write_bytes(b"a log")

    aside = backing_up.restore(ledger.url, ledger.backup, now=NOW)

    assert aside is not None
    assert (aside.read_bytes(), Path(f"{aside}-wal").read_bytes()) == (b"ruined", b"a log")
    assert (doses(ledger.file), len(gaps(ledger.file))) == (1, 1)


def test_a_restore_that_was_killed_leaves_no_ledger_that_would_send(ledger: Ledger, tmp_path: Path) -> None:
    """Wherever it is killed: the old ledger is there whole, or the restored one is, in quarantine."""
    fork = multiprocessing.get_context("fork")
    found = set()
    for tries, patience in enumerate([*(tries * 0.01 for tries in range(24)), None]):
        place = tmp_path / f"{tries}" / "doseline.db"
        place.parent.mkdir()
        place.write_bytes(ledger.file.read_bytes())
        restoring = fork.Process(target=backing_up.restore, args=(f"sqlite:///{place}", ledger.backup), kwargs={"now": NOW})
        restoring.start()
        restoring.join(timeout=patience)
        restoring.kill()
        restoring.join()
        restoring.close()

        found.add((doses(place), len(gaps(place))))
        assert found <= {(4, 0), (1, 1)}
    assert found == {(4, 0), (1, 1)}
