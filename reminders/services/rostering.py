"""Rostering: a clinic's patients, those who need somebody first, a page at a time; and finding one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import phonenumbers

from db.engine import reading
from db.queries import roster as queries
from db.queries.roster import NO_ALERT, Place, Wanted
from reminders import drugs
from reminders.domain.escalation import SEVERITIES
from reminders.domain.plan_state import PlanState
from reminders.domain.roles import Right
from reminders.errors import BadFile, Fault, NotFound
from reminders.services.records import panels, people, plans, staff
from reminders.services.records.name_words import words_of
from reminders.services.records.panels import Panel

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from db.queries.roster import Row

__all__ = ["Filters", "Panel", "Roster", "RosterAlert", "RosterLine", "drugs_known", "roster"]

PAGE = 25
LEAST_LETTERS = 2
LEAST_DIGITS = 7
"""A number with fewer digits is no phone's; four are the end of one."""
PHONE_END = 4
NONE_OPEN = "none"
"""Of a filter: without an open alert."""
OVER = frozenset({PlanState.COMPLETED.value, PlanState.STOPPED.value})


@dataclass(frozen=True, slots=True)
class Filters:
    """What a roster is narrowed to: a plan's state, a drug's key, how grave the gravest open alert is (or `none`); and a search.

    `text`: the beginnings of words of a name or reference, a phone number, or its last four digits.
    """

    state: PlanState | None = None
    drug: str | None = None
    severity: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class RosterAlert:
    """An open alert of a patient, in short."""

    id: str
    kind: str
    severity: str
    taken_on: bool


@dataclass(frozen=True, slots=True)
class RosterLine:
    """A patient in the roster. `severity`: of the gravest open alert, `days`: whole days since the oldest of those; None without one.

    panels  the plans that are not over, newest first; of who has none, the last one
    """

    patient_id: str
    name: str
    ref: str
    zone: str
    severity: str | None
    days: int | None
    alerts: tuple[RosterAlert, ...]
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """A page of the roster; `after`: what the next page is asked for with, None on the last one."""

    lines: tuple[RosterLine, ...]
    after: str | None


def drugs_known() -> tuple[tuple[str, str], ...]:
    """The drugs that a roster can be narrowed to: keys and names, by name."""
    return tuple(sorted(((profile.key, profile.name) for profile in drugs.all_profiles()), key=lambda known: known[1]))


def roster(
    engine: Engine, clinic_id: str, *, by: str, filters: Filters, now: datetime, after: str | None = None, limit: int = PAGE
) -> Roster:
    """A page of a clinic's roster.

    Raises NotAllowed for who cares for nobody, BadFile for a search that can find nothing (path `text`), and NotFound for an `after`
    that is nobody's.
    """
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        wanted, place = _wanted(c, clinic_id, filters), _place(c, clinic_id, after)
        found = queries.patients(c, clinic_id, wanted, after=place, limit=limit + 1)
        lines = _lines(c, found[:limit], now=now)
    more = len(found) > limit
    return Roster(lines, _cursor(lines[-1]) if more else None)


def _wanted(c: Connection, clinic_id: str, filters: Filters) -> Wanted:
    asked = Wanted(state=filters.state and filters.state.value, drug=filters.drug, rank=_rank(filters.severity))
    text = filters.text.strip()
    if not text:
        return asked
    if re.fullmatch(r"[\d\s().+/-]*\d[\d\s().+/-]*", text):
        return _by_phone(c, clinic_id, asked, text)
    words = words_of(text)
    if not words or (words[0].isascii() and max(map(len, words)) < LEAST_LETTERS):  # one sign can be a whole name, elsewhere
        raise BadFile([Fault("text", f"needs at least {LEAST_LETTERS} letters of a name")])
    return Wanted(asked.state, asked.drug, asked.rank, words=words)


def _by_phone(c: Connection, clinic_id: str, asked: Wanted, text: str) -> Wanted:
    digits = re.sub(r"\D", "", text)
    if len(digits) == PHONE_END:
        return Wanted(asked.state, asked.drug, asked.rank, phone_end=digits)
    if len(digits) < LEAST_DIGITS:
        return Wanted(asked.state, asked.drug, asked.rank, words=words_of(text))  # a reference can be a number
    return Wanted(asked.state, asked.drug, asked.rank, phone=_in_full(text, like=people.clinic_phone(c, clinic_id)))


def _in_full(text: str, *, like: str) -> str:
    """A number as it is kept, with its country: where none is typed, the clinic's own."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(like))
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise BadFile([Fault("text", "is no phone number")]) from None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _rank(severity: str | None) -> int | None:
    if severity is None:
        return None
    return NO_ALERT if severity == NONE_OPEN else SEVERITIES.index(severity)


def _place(c: Connection, clinic_id: str, after: str | None) -> Place | None:
    """Where the last page ended, as a row that does not change tells it: an alert that was closed since keeps its severity and instant."""
    if after is None:
        return None
    kind, its_id = after[:1], after[1:]
    if kind == "a":
        place = queries.place_of_alert(c, clinic_id, its_id, SEVERITIES)
    else:
        place = queries.place_of_patient(c, clinic_id, its_id) if kind == "p" else None
    if place is None:
        raise NotFound("there is no such page")
    return place


def _cursor(last: RosterLine) -> str:
    gravest = next((alert for alert in last.alerts if alert.severity == last.severity), None)
    return f"a{gravest.id}" if gravest else f"p{last.patient_id}"


def _lines(c: Connection, found: Sequence[Row], *, now: datetime) -> tuple[RosterLine, ...]:
    ids = [row["id"] for row in found]
    shown = _plans_shown(queries.plans_of(c, ids)) if ids else {}
    seen = panels.panels_of(c, plans.read(c, [plan_id for some in shown.values() for plan_id in some]), now=now)
    waiting: dict[str, list[RosterAlert]] = {}
    for row in queries.alerts_of(c, ids) if ids else ():
        short = RosterAlert(row["id"], row["kind"], row["severity"], row["acknowledged_by"] is not None)
        waiting.setdefault(row["patient_id"], []).append(short)
    return tuple(
        RosterLine(
            patient_id=row["id"],
            name=row["name"],
            ref=row["ref"],
            zone=row["zone"],
            severity=None if row["grave_since"] is None else SEVERITIES[row["severity_rank"]],
            days=None if row["grave_since"] is None else (now - row["grave_since"]) // timedelta(days=1),
            alerts=tuple(sorted(waiting.get(row["id"], ()), key=lambda alert: SEVERITIES.index(alert.severity))),
            panels=tuple(seen[plan_id] for plan_id in shown.get(row["id"], ())),
        )
        for row in found
    )


def _plans_shown(found: Sequence[Row]) -> Mapping[str, list[str]]:
    """Of each patient the plans that are not over; of who has none, the newest."""
    by_patient: dict[str, list[Row]] = {}
    for row in found:
        by_patient.setdefault(row["patient_id"], []).append(row)
    return {
        patient_id: [row["id"] for row in mine if row["state"] not in OVER] or [mine[0]["id"]] for patient_id, mine in by_patient.items()
    }
