"""Watching: how things stand, as values to be shown, and whether this process is fit to serve. Nothing is decided or changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from db.engine import WriterBusy, free_bytes, is_current, reading
from db.queries import watching as queries
from reminders.services.records import troubles
from reminders.services.records.overview import ClinicLine, TroubleLine, clinic_lines, trouble_lines

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.services.records.ledger import Row

LOOP = "build"
"""The part of the loop whose passes prove that it is alive: it runs every 15 s, whether or not a dose is due."""

WORK = ("deliver", "follow up", "escalate")
"""What is done every second, and ends well whether or not there is anything to do. One that keeps failing is as bad as a dead loop."""

LONGEST_SILENCE = timedelta(seconds=45)
LONGEST_OVERDUE = timedelta(minutes=5)
"""A dose that waits longer than this to be decided means that the passes do not do their work [our default]."""


FAR_APART = timedelta(seconds=30)
LEAST_FREE = 100_000_000
"""Bytes. With less, a person must make room before the ledger takes no more [our default]."""


@dataclass(frozen=True, slots=True)
class Overview:
    """How every clinic stands at an instant (UTC), and what is wrong with the installation as a whole."""

    at: datetime
    clinics: tuple[ClinicLine, ...]
    troubles: tuple[TroubleLine, ...]


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


def _nothing_to_compare() -> None:
    """Know of no other clock."""


def overview(engine: Engine, *, now: datetime, clinic_id: str | None = None) -> Overview:
    """Look at one clinic, or at every one, at one moment of the ledger."""
    with reading(engine) as c:
        return Overview(now, clinic_lines(c, now=now, clinic_id=clinic_id), trouble_lines(c))


def standing_troubles(engine: Engine) -> tuple[TroubleLine, ...]:
    """Look for what is wrong with the installation as a whole, oldest first."""
    with reading(engine) as c:
        return trouble_lines(c)


def readiness(
    engine: Engine,
    *,
    now: datetime,
    apart: Callable[[], timedelta | None] = _nothing_to_compare,
    silent_for: Callable[[str], timedelta | None] | None = None,
) -> Readiness:
    """Say whether the database answers, is at the newest migration, and is being worked on. Never raises for a database that is away.

    apart       how far this process's clock is ahead of the database's; None where there is nothing to compare.
    silent_for  how long ago this process's own loop last finished a pass of some work, which another replica's must not hide;
                None: it never did.
    """
    zones = {"time_zones": Check(ok=True, says=zone_rules())}
    try:
        if not is_current(engine):
            return _ready({"database": Check(ok=False, says="not at the newest migration: run `doseline migrate`"), **zones})
        with reading(engine) as c:
            passed, due, wrong = queries.last_pass(c, LOOP), queries.oldest_due(c), troubles.standing(c)
        clock = _clock(apart())
    except (SQLAlchemyError, WriterBusy):
        return _ready({"database": Check(ok=False, says="does not answer"), **zones})
    since_passed = None if passed is None else now - passed
    return _ready(
        {
            "database": Check(ok=True, says="answers"),
            "disk": _room(free_bytes(engine)),
            "clock": clock,
            "loop": _alive(since_passed) if silent_for is None else _alive(silent_for(LOOP), {name: silent_for(name) for name in WORK}),
            "doses": _in_time(due, now),
            "troubles": _told(wrong),
            **zones,
        }
    )


def zone_rules() -> str:
    """The version of the time zone rules in use: those of the pinned tzdata package, on every machine."""
    return f"tzdata {version('tzdata')}"


def _ready(checks: dict[str, Check]) -> Readiness:
    return Readiness(all(check.ok for check in checks.values()), checks)


def _alive(silence: timedelta | None, work: Mapping[str, timedelta | None] = MappingProxyType({})) -> Check:
    """Judge a loop by its last pass, and by the work that has not ended well for longest."""
    if silence is None:
        return Check(ok=False, says="no pass yet")
    name, longest = max(((name, known) for name, known in work.items() if known is not None), key=lambda one: one[1], default=("", silence))
    if longest > max(silence, LONGEST_SILENCE):
        return Check(ok=False, says=f"{name} last ended well {longest.total_seconds():.0f} s ago")
    return Check(ok=silence <= LONGEST_SILENCE, says=f"last pass {silence.total_seconds():.0f} s ago")


def _room(free: int | None) -> Check:
    if free is None:
        return Check(ok=True, says="not to be seen from here")
    return Check(ok=free >= LEAST_FREE, says=f"{free // 1_000_000} MB free")


def _clock(apart: timedelta | None) -> Check:
    """Compare the clocks. Two seconds apart, a process claims nothing; thirty, and it should not take in what people say either."""
    if apart is None:
        return Check(ok=True, says="nothing to compare")
    where = "ahead of" if apart > timedelta() else "behind"
    return Check(ok=abs(apart) <= FAR_APART, says=f"{abs(apart).total_seconds():.1f} s {where} the database's")


def _told(wrong: Sequence[Row]) -> Check:
    """Name the troubles that stand. They are a person's to end, or end by themselves; none is a reason to serve no longer."""
    kinds = sorted({str(row["name"]).partition(" ")[0] for row in wrong})
    return Check(ok=True, says=", ".join(kinds) or "none")


def _in_time(due: datetime | None, now: datetime) -> Check:
    late = now - due if due is not None and due < now else timedelta()
    return Check(ok=late <= LONGEST_OVERDUE, says=f"oldest waits {late.total_seconds():.0f} s" if late else "none overdue")
