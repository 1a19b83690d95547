"""Backing up: a copy of the ledger in one checked file, and the way back, which ends in quarantine.

A restored ledger does not know what was sent after its backup was taken. It is marked before it is put in place: whoever
is interrupted has either the old ledger, or the restored one in quarantine.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from db.backup import Busy, Unusable, check, copy_whole, file_of, fold, publish, put_in_place
from db.engine import make_engine, migrate, writing
from reminders.errors import BadFile, Fault, NotAllowed
from reminders.services.records import evidence, quarantines

RESTORED = "A backup was restored."
ELSEWHERE = "DATABASE_URL names no SQLite file"


def back_up(url: str, file: Path) -> None:
    """Copy the SQLite ledger of an address into a new file, checked, while it is in use. Raises NotAllowed, BadFile."""
    source = _file(url, f"{ELSEWHERE}: back PostgreSQL up with pg_dump, or with its point-in-time recovery")
    if not source.exists():
        raise NotAllowed(f"there is no ledger at {source}: check DATABASE_URL")
    if file.exists():
        raise NotAllowed(f"{file} is there already: a backup is never overwritten. Name another file")
    prepared = file.with_name(f".{file.name}.part")
    try:
        copy_whole(source, prepared)
        check(prepared)
        publish(prepared, file)
    except Unusable as error:
        raise BadFile([Fault(str(source), str(error))], f"{source}: {error}") from error
    except FileExistsError:
        raise NotAllowed(f"{file} is there already: a backup is never overwritten. Name another file") from None
    except OSError as error:
        raise NotAllowed(f"cannot write {file}: {error.strerror}") from error
    finally:
        prepared.unlink(missing_ok=True)


def restore(url: str, file: Path, *, now: datetime) -> Path | None:
    """Put a backup in the place of a SQLite ledger that nobody uses, in quarantine. Return where what was there is kept.

    Raises NotAllowed, BadFile; then what was there is there still.
    """
    place = _file(url, f"{ELSEWHERE}: restore PostgreSQL with pg_restore, then run `doseline restore --mark`")
    if not file.exists():
        raise NotAllowed(f"there is no file {file}")
    place.parent.mkdir(parents=True, exist_ok=True)
    prepared = place.with_name(f"{place.name}.restoring")
    aside = place.with_name(f"{place.name}.aside-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}") if place.exists() else None
    try:
        copy_whole(file, prepared)
        check(prepared)
        _mark(prepared, now)
        put_in_place(prepared, place, aside=aside or place)
    except Unusable as error:
        raise BadFile([Fault(str(file), str(error))], f"{file}: {error}") from error
    except Busy as error:
        raise NotAllowed(f"another process has {place} open: stop it first") from error
    except OSError as error:
        raise NotAllowed(f"cannot write beside {place}: {error.strerror}") from error
    finally:
        prepared.unlink(missing_ok=True)
    return aside


def mark(url: str, *, now: datetime) -> None:
    """Put a ledger in quarantine that was restored by other means."""
    engine = make_engine(url)
    try:
        with writing(engine) as c:
            quarantines.begin(c, why=RESTORED, since=evidence.gap_start(c, now=now), now=now)
    finally:
        engine.dispose()


def _mark(prepared: Path, now: datetime) -> None:
    """Bring a copy up to date, and put it in quarantine; its log is folded in again."""
    url = f"sqlite:///{prepared}"
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    mark(url, now=now)
    fold(prepared)


def _file(url: str, otherwise: str) -> Path:
    file = file_of(url)
    if file is None:
        raise NotAllowed(otherwise)
    return file
