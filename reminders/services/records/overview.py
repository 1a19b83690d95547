"""How things stand, read for people to look at: plans, next doses, last texts, open alerts.

People are shown by reference and initials, and numbers by their last two digits: nobody has signed in to see more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

from db.queries import watching as queries
from reminders.domain.dose_state import DoseState
from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import Slot, phase_spans, slots_between
from reminders.messaging.failure_codes import words_of
from reminders.services.records import alerts, plans, troubles

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.domain.plan import PlannedDose
    from reminders.services.records.ledger import Row
    from reminders.services.records.plans import StoredPlan

PLANS_SHOWN, TEXTS_SHOWN, ALERTS_SHOWN, NEXT_SHOWN = 50, 20, 50, 10
BEHIND, AHEAD = timedelta(days=10), timedelta(days=4)


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
    """An open alert; `deadline_at` is None once it was taken on, or where none applies; `overdue` says that nobody did in time."""

    severity: str
    kind: str
    words: str
    person: Person
    plan_ref: str | None
    owner: str
    raised_at: datetime
    deadline_at: datetime | None
    overdue: str | None
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True)
class TroubleLine:
    """Something wrong with the installation as a whole: its kind, in words, and since when. It names no patient."""

    kind: str
    words: str
    since: datetime


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


class _Addressed(TypedDict):
    person: Person
    role: str
    phone_end: str


def clinic_lines(c: Connection, *, now: datetime, clinic_id: str | None = None) -> tuple[ClinicLine, ...]:
    """Read how one clinic, or every one, stands, by name."""
    return tuple(_clinic(c, row, now) for row in queries.clinics(c) if clinic_id in (None, row["id"]))


def trouble_lines(c: Connection) -> tuple[TroubleLine, ...]:
    """Read what is wrong with the installation, oldest first."""
    return tuple(TroubleLine(row["name"].partition(" ")[0], row["words"], row["began_at"]) for row in troubles.standing(c))


def initials(name: str) -> str:
    """Shorten a name to its words' first letters: "Ana María Silva" is "A. M. S."."""
    return " ".join(f"{word[0]}." for word in name.split())


def without_names(body: str, names: Iterable[str]) -> str:
    """Shorten each word of some names, wherever it stands as a word, to its first letter."""
    words = sorted({word for name in names for word in name.split()}, key=len, reverse=True)
    if not words:
        return body
    return re.sub(rf"(?<!\w)({'|'.join(map(re.escape, words))})(?!\w)", lambda match: f"{match[0][0]}.", body)


def without_numbers(body: str) -> str:
    """Shorten what may be a phone number, seven digits or more in any grouping, to its last two."""
    return re.sub(r"\+?\d(?:[ ().-]{0,2}\d){6,}", lambda match: f"··{match[0][-2:]}", body)


def _clinic(c: Connection, clinic: Row, now: datetime) -> ClinicLine:
    clinic_id = clinic["id"]
    shown = _plans(c, clinic_id, now)
    found = queries.open_alerts(c, clinic_id, limit=ALERTS_SHOWN)
    return ClinicLine(
        id=clinic_id,
        name=clinic["name"],
        zone=clinic["zone"],
        simulated=clinic["simulated"],
        states=tuple((PlanState(row["state"]), row["plans"]) for row in queries.plan_counts(c, clinic_id)),
        plans=tuple(line for line, _ in shown),
        next_doses=_next_doses(shown),
        texts=_texts(c, clinic_id, now),
        alert_count=found[0]["alerts"] if found else 0,
        alerts=tuple(_alert(row, now) for row in found),
    )


def _plans(c: Connection, clinic_id: str, now: datetime) -> list[tuple[PlanLine, tuple[Slot, ...]]]:
    """The plans to be shown, each with its slots to come."""
    found = queries.plans(c, clinic_id, limit=PLANS_SHOWN)
    ids = [row["id"] for row in found]
    stored = plans.read(c, ids)
    past: dict[str, list[Mark]] = {}
    for row in queries.doses(c, clinic_id, ids, since=now - BEHIND):
        past.setdefault(row["plan_id"], []).append(_mark(row))
    return [_plan(row, stored[row["id"]], past.get(row["id"], []), now) for row in found]


def _plan(row: Row, plan: StoredPlan, past: Sequence[Mark], now: datetime) -> tuple[PlanLine, tuple[Slot, ...]]:
    coming = slots_between(plan.course, now, now + AHEAD) if plan.state in plans.ON_CLOCK else ()
    known = {(mark.local_date, mark.number) for mark in past}
    ahead = tuple(slot for slot in coming if slot.key not in known)  # a patient can answer before the slot is due
    phase_no, phases = plans.current_phase(plan, now), plan.plan.phases
    line = PlanLine(
        ref=plan.ref,
        person=_person(row),
        drug=plan.profile.name,
        label=plan.label,
        zone=plan.plan.zone,
        state=plan.state,
        reason=plan.reason,
        set_aside=row["set_aside_at"] is not None,
        phase_no=phase_no,
        phases=len(phases),
        doses=phases[phase_no - 1].doses,
        next_step=_next_step(plan, phase_no),
        marks=tuple(sorted((*past, *map(_coming, ahead)), key=lambda mark: (mark.due_at, mark.number))),
    )
    return line, ahead


def _next_step(plan: StoredPlan, phase_no: int) -> Step | None:
    spans = phase_spans(plan.plan)
    if plan.state not in plans.ON_CLOCK or phase_no == len(spans):
        return None
    return Step(spans[phase_no].starts, plan.plan.phases[phase_no].doses)


def _next_doses(shown: Iterable[tuple[PlanLine, tuple[Slot, ...]]]) -> tuple[NextDose, ...]:
    coming = [NextDose(line.person, line.ref, line.label, slot, line.zone) for line, slots in shown for slot in slots[:NEXT_SHOWN]]
    return tuple(sorted(coming, key=lambda dose: (dose.slot.due_at, dose.plan_ref))[:NEXT_SHOWN])


def _mark(row: Row) -> Mark:
    return Mark(row["local_date"], row["slot_no"], row["due_at"], row["amount"], DoseState(row["state"]))


def _coming(slot: Slot) -> Mark:
    return Mark(slot.local_date, slot.number, slot.due_at, slot.amount.value, None)


def _texts(c: Connection, clinic_id: str, now: datetime) -> tuple[TextLine, ...]:
    """The last texts both ways, newest first."""
    sent, heard = queries.texts_out(c, clinic_id, now=now, limit=TEXTS_SHOWN), queries.texts_in(c, clinic_id, limit=TEXTS_SHOWN)
    points = sorted({row["contact_point_id"] for row in (*sent, *heard)})
    behind: dict[str, list[Row]] = {}
    for row in queries.people_behind(c, clinic_id, points):
        behind.setdefault(row["contact_point_id"], []).append(row)
    lines = [_text_out(row, behind.get(row["contact_point_id"], [])) for row in sent]
    lines += [_text_in(row, behind.get(row["contact_point_id"], [])) for row in heard]
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True)[:TEXTS_SHOWN])


def _text_out(row: Row, people: Sequence[Row]) -> TextLine:
    about = [person for person in people if row["patient_id"] in {None, person["patient_id"]}]
    code = row["error_code"]
    return TextLine(
        at=row["at"],
        outgoing=True,
        **_addressed(about or people, row["phone"]),
        purpose=row["purpose"],
        # A code that proves a number is a secret between us and the phone.
        body=re.sub(r"\d", "•", row["body"]) if row["purpose"] == "verification" else without_names(row["body"], _names(people)),
        standing=(row["status"] or row["state"]) + (f": {words_of(code)}" if code else ""),
    )


def _text_in(row: Row, people: Sequence[Row]) -> TextLine:
    return TextLine(
        at=row["received_at"],
        outgoing=False,
        **_addressed(people, row["from_phone"]),
        purpose="",
        body=without_numbers(without_names(row["body"], _names(people))),
        standing="understood" if row["understood"] else "not understood",
    )


def _addressed(people: Sequence[Row], phone: str) -> _Addressed:
    first = people[0] if people else {"patient_ref": "", "patient_name": "", "role": "on call"}
    return {"person": _person(first), "role": first["role"], "phone_end": phone[-2:]}


def _names(people: Iterable[Row]) -> set[str]:
    return {name for row in people for name in (row["name"], row["patient_name"])}


def _alert(row: Row, now: datetime) -> AlertLine:
    return AlertLine(
        severity=row["severity"],
        kind=row["kind"],
        words=without_names(row["words"], [row["patient_name"]]),
        person=_person(row),
        plan_ref=row["plan_ref"],
        owner=row["owner"],
        raised_at=row["raised_at"],
        deadline_at=row["deadline_at"],
        overdue=alerts.overdue(row, now),
        acknowledged_by=row["acknowledged_by"],
    )


def _person(row: Row) -> Person:
    return Person(row["patient_ref"], initials(row["patient_name"]))
