"""Watching: how things stand, as values to be shown, and whether this process is fit to serve. Nothing is decided or changed.

People are shown by reference and initials, and numbers by their last two digits: nobody has signed in to see more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import TZPATH

from sqlalchemy.exc import SQLAlchemyError

from db.engine import WriterBusy, is_current, reading
from db.queries import watching as queries
from reminders.domain.dose_state import DoseState
from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import Slot, phase_spans, slots_between
from reminders.messaging.failure_codes import words_of
from reminders.services.records import plans

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from db.queries.watching import Row
    from reminders.domain.plan import PlannedDose
    from reminders.services.records.plans import StoredPlan

PLANS_SHOWN, TEXTS_SHOWN, ALERTS_SHOWN, NEXT_SHOWN = 50, 20, 50, 10
BEHIND, AHEAD = timedelta(days=10), timedelta(days=4)

LOOP = "build"
"""The part of the loop whose passes prove that it is alive: it runs every 15 s, whether or not a dose is due."""

LONGEST_SILENCE = timedelta(seconds=45)
LONGEST_OVERDUE = timedelta(minutes=5)
"""A dose that waits longer than this to be decided means that the passes do not do their work [our default]."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, by what may be shown: their patient's reference, and initials such as "A. S."."""

    ref: str
    initials: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A dose in a plan's picture; `state` is None for a slot yet to come. `amount` is in the plan's unit."""

    local_date: date
    number: int
    due_at: datetime
    amount: Decimal
    state: DoseState | None


@dataclass(frozen=True, slots=True)
class Step:
    """A phase to come: its first local date, and the doses of its day."""

    on: date
    doses: tuple[PlannedDose, ...]


@dataclass(frozen=True, slots=True)
class PlanLine:
    """How one plan stands. `marks` are its doses of the last days and its slots of the next, in order of due instant."""

    ref: str
    person: Person
    drug: str
    label: str | None
    zone: str
    state: PlanState
    reason: str | None
    set_aside: bool
    phase_no: int
    phases: int
    doses: tuple[PlannedDose, ...]
    next_step: Step | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class NextDose:
    """A slot to come, and whose it is; its local time is in `zone`."""

    person: Person
    plan_ref: str
    label: str | None
    slot: Slot
    zone: str


@dataclass(frozen=True, slots=True)
class TextLine:
    """A text to somebody or from them. `phone_end` is the last two digits; `standing` says what became of it."""

    at: datetime
    outgoing: bool
    person: Person
    role: str
    phone_end: str
    purpose: str
    body: str
    standing: str


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An open alert; `deadline_at` is None once it was taken on, or where none applies."""

    severity: str
    kind: str
    words: str
    person: Person
    plan_ref: str | None
    owner: str
    raised_at: datetime
    deadline_at: datetime | None
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True)
class ClinicLine:
    """One clinic: its plans (those due soonest first), next doses, last texts (newest first) and open alerts (gravest first).

    `states` and `alert_count` count all there are; the lines are the first of them.
    """

    id: str
    name: str
    zone: str
    simulated: bool
    states: tuple[tuple[PlanState, int], ...]
    plans: tuple[PlanLine, ...]
    next_doses: tuple[NextDose, ...]
    texts: tuple[TextLine, ...]
    alert_count: int
    alerts: tuple[AlertLine, ...]


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
        return Overview(now, tuple(_clinic(c, row, now) for row in queries.clinics(c)))


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


@lru_cache(maxsize=1)
def zone_rules() -> str:
    """The version of the time zone rules in use: the system's where it says one, else those of the tzdata package."""
    for folder in TZPATH:
        rules = Path(folder) / "tzdata.zi"
        if rules.is_file():
            with rules.open(encoding="utf-8") as lines:
                return lines.readline().removeprefix("# version ").strip()
    return files("tzdata").joinpath("zones").parent.joinpath("VERSION").name


def initials(name: str) -> str:
    """Shorten a name to its words' first letters: "Ana María Silva" is "A. M. S."."""
    return " ".join(f"{word[0]}." for word in name.split())


def without_names(body: str, names: Iterable[str]) -> str:
    """Shorten each word of some names, wherever it stands as a word, to its first letter."""
    words = sorted({word for name in names for word in name.split()}, key=len, reverse=True)
    if not words:
        return body
    return re.sub(rf"(?<!\w)({'|'.join(map(re.escape, words))})(?!\w)", lambda match: f"{match[0][0]}.", body)
