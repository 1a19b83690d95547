"""A SQLite ledger as one file: copied while it is in use, checked, and put in the place of another in one step.

PostgreSQL has its own tools for all of this.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import make_url

from db.engine import migrations

OURS_ALONE = 0o600
"""A ledger is patients' data: nobody else on the machine reads a copy of it."""


LOCKED = frozenset({"SQLITE_BUSY", "SQLITE_BUSY_RECOVERY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED"})


class Unusable(ValueError):
    """A file is no whole ledger of a release known here; the words say why."""


class Busy(ValueError):
    """Another process has the file open."""


def file_of(url: str) -> Path | None:
    """The file that a SQLite address names; None for a database in memory, or of another kind."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database))


def copy_whole(source: Path, target: Path) -> None:
    """Copy a ledger, as it is at one moment, into a new file on disk; whoever writes to it goes on meanwhile. Raises Unusable."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OURS_ALONE))
    try:
        with closing(_opened(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            _fold(new)
    except sqlite3.DatabaseError as error:
        raise Unusable(f"SQLite cannot read it: {error}") from error
    on_disk(target)


def check(file: Path) -> None:
    """Look through a whole file. Raises Unusable if a page is damaged, or it is no ledger of this release or an older one."""
    try:
        with closing(_opened(file)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
            named = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone() if named else None
    except sqlite3.DatabaseError as error:
        raise Unusable(f"SQLite cannot read it: {error}") from error
    if found != ["ok"]:
        raise Unusable(f"it is damaged: {found[0]}")
    if revision is None:
        raise Unusable("it holds no ledger of Doseline's")
    try:
        ScriptDirectory.from_config(migrations()).get_revision(revision[0])
    except CommandError as error:
        raise Unusable(f"a newer release wrote it (migration {revision[0]}): install that one") from error


def _opened(file: Path, *, timeout: float = 5) -> sqlite3.Connection:
    """Open a file that is there. It is not opened by the engine, which would turn its log on."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=timeout)


def fold(file: Path) -> None:
    """Make one file of a ledger and its log, on disk. Raises Unusable, or Busy while somebody else has it open."""
    try:
        with closing(_opened(file, timeout=1)) as connection:
            _fold(connection)
    except sqlite3.DatabaseError as error:
        raise Busy if error.sqlite_errorname in LOCKED else Unusable(f"SQLite cannot read it: {error}") from error
    on_disk(file)


def _fold(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0] != "delete":
        raise Busy


def put_in_place(prepared: Path, place: Path, *, aside: Path) -> None:
    """Put a prepared file in the place of a ledger, in one step; what was there is kept under another name, never deleted.

    Raises Busy while somebody else has it open. At every instant there is a whole file in the place, the old one or the new.
    """
    if place.exists():
        _close(place, aside)
        os.link(place, aside)
    prepared.replace(place)
    on_disk(place)


def publish(prepared: Path, target: Path) -> None:
    """Give a prepared file its name, in one step. Raises FileExistsError if there is one of that name."""
    os.link(prepared, target)
    prepared.unlink()
    on_disk(target)


def on_disk(file: Path) -> None:
    """Wait until a file and its name would survive a power cut."""
    for path in (file, file.absolute().parent):
        held = os.open(path, os.O_RDONLY)
        os.fsync(held)
        os.close(held)


def _close(place: Path, aside: Path) -> None:
    """Fold the log of what is put aside into its file. A log that cannot be folded goes aside too, and must not meet the new file."""
    log, kept = Path(f"{place}-wal"), Path(f"{aside}-wal")
    if log.exists():
        os.link(log, kept)  # before SQLite looks at it: beside a ruined file it throws the log away
    try:
        fold(place)
    except Unusable:
        for end in ("-wal", "-shm"):
            Path(f"{place}{end}").unlink(missing_ok=True)
    except Busy:
        kept.unlink(missing_ok=True)
        raise
    else:
        kept.unlink(missing_ok=True)
