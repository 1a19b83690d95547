"""Watching: how things stand, as values to be shown, and whether this process is fit to serve. Nothing is decided or changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from db.engine import WriterBusy, is_current, reading
from db.queries import watching as queries
from reminders.services.records.overview import ClinicLine, clinic_lines

if TYPE_CHECKING:
    from sqlalchemy import Engine

LOOP = "build"
"""The part of the loop whose passes prove that it is alive: it runs every 15 s, whether or not a dose is due."""

LONGEST_SILENCE = timedelta(seconds=45)
LONGEST_OVERDUE = timedelta(minutes=5)
"""A dose that waits longer than this to be decided means that the passes do not do their work [our default]."""


@dataclass(frozen=True, slots=True)
class Overview:
    """How every clinic stands at an instant (UTC)."""

    at: datetime
    clinics: tuple[ClinicLine, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so, whether it is, and in a few words how it stands."""

    ok: bool
    says: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether this process is fit to serve, and why."""

    ok: bool
    checks: dict[str, Check]


def overview(engine: Engine, *, now: datetime) -> Overview:
    """Look at every clinic at one moment of the ledger."""
    with reading(engine) as c:
        return Overview(now, clinic_lines(c, now=now))


def readiness(engine: Engine, *, now: datetime) -> Readiness:
    """Say whether the database answers, is at the newest migration, and is being worked on. Never raises for a database that is away."""
    zones = {"time_zones": Check(ok=True, says=zone_rules())}
    try:
        if not is_current(engine):
            return _ready({"database": Check(ok=False, says="not at the newest migration: run `doseline migrate`"), **zones})
        with reading(engine) as c:
            passed, due = queries.last_pass(c, LOOP), queries.oldest_due(c)
    except (SQLAlchemyError, WriterBusy):
        return _ready({"database": Check(ok=False, says="does not answer"), **zones})
    answers = {"database": Check(ok=True, says="answers")}
    return _ready({**answers, "loop": _alive(passed, now), "doses": _in_time(due, now), **zones})


def zone_rules() -> str:
    """The version of the time zone rules in use: those of the pinned tzdata package, on every machine."""
    return f"tzdata {version('tzdata')}"


def _ready(checks: dict[str, Check]) -> Readiness:
    return Readiness(all(check.ok for check in checks.values()), checks)


def _alive(passed: datetime | None, now: datetime) -> Check:
    if passed is None:
        return Check(ok=False, says="no pass yet")
    age = now - passed
    return Check(ok=age <= LONGEST_SILENCE, says=f"last pass {age.total_seconds():.0f} s ago")


def _in_time(due: datetime | None, now: datetime) -> Check:
    late = now - due if due is not None and due < now else timedelta()
    return Check(ok=late <= LONGEST_OVERDUE, says=f"oldest waits {late.total_seconds():.0f} s" if late else "none overdue")
