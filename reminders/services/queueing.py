"""Queueing: the open alerts of a clinic in lists that people empty, each with what it rests on, and what they do about one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from db.engine import reading, writing
from db.queries import queues as queries
from reminders.domain.acting import StaffAction
from reminders.domain.contact import Contactable, Role
from reminders.domain.escalation import SEVERITIES, Counts, counts
from reminders.domain.gate import GateResult, gate
from reminders.domain.offering import offered
from reminders.domain.plan_state import PlanState
from reminders.domain.queues import KINDS, Queue, queue_of
from reminders.domain.roles import Right, StaffRole
from reminders.errors import NotAllowed
from reminders.services.records import (
    alerts,
    attending,
    charts,
    counting,
    panels,
    people,
    plans,
    staff,
    stepping,
    watermarks,
)
from reminders.services.records.attending import Attended, Held
from reminders.services.records.panels import Panel

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

__all__ = ["Card", "Counted", "Panel", "Phone", "Queue", "QueuePage", "card", "counted", "page"]

PAGE = 10
WITH_GATE = frozenset({Queue.STEPS, Queue.STAYS})
"""The queues whose cards show the numbers of the next step's gate."""
FROM_A_CARD = (StaffAction.STAY, StaffAction.RESUME, StaffAction.ADVANCE, StaffAction.STEP_BACK, StaffAction.SUSPEND, StaffAction.RESTART)
"""What a card leads to, of what may be done to its plan."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many open alerts a queue has; `untaken`: nobody has taken them on; `grave`: of those, urgent or worse."""

    queue: Queue
    alerts: int
    untaken: int
    grave: int


@dataclass(frozen=True, slots=True)
class Phone:
    """A number to call, and whose it is. `texted`: whether we may text it."""

    name: str
    role: Role
    phone: str
    texted: bool


@dataclass(frozen=True, slots=True)
class PlanOnCard:
    """A plan that an alert is about, or may be: how it stands, its counters, its gate where that is asked for, what may be done to it."""

    panel: Panel
    counts: Counts
    gate: GateResult | None
    offered: tuple[StaffAction, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """An alert with what it rests on.

    overdue     how long it waits, in words, past its deadline; None in time
    kept        why it cannot be given back; why_open  why no note closes it yet; both empty where it can be
    by_reason   only a provider takes it on, with a reason; labs  what a laboratory is to check beside the plan
    """

    id: str
    queue: Queue
    kind: str
    severity: str
    words: str
    owner: str
    clinical: bool
    raised_at: datetime
    deadline_at: datetime | None
    overdue: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    closed_at: datetime | None
    close_reason: str | None
    patient_id: str
    patient: str
    ref: str
    zone: str
    phones: tuple[Phone, ...]
    plans: tuple[PlanOnCard, ...]
    kept: str
    why_open: str
    by_reason: bool
    labs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of a queue; `after`: what the next page is asked for with, None on the last one."""

    queue: Queue
    cards: tuple[Card, ...]
    after: str | None


def counted(engine: Engine, clinic_id: str, *, by: str) -> tuple[Counted, ...]:
    """Every queue of a clinic, in order. Raises NotAllowed for who cares for nobody."""
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        found = queries.counts(c, clinic_id)
    of: dict[Queue, list[Row]] = {queue: [] for queue in Queue}
    for row in found:
        of[queue_of(row["kind"], awaits_yes=row["awaits_yes"])].append(row)
    return tuple(_counted(queue, rows) for queue, rows in of.items())


def _counted(queue: Queue, rows: Sequence[Row]) -> Counted:
    grave = [row["untaken"] for row in rows if row["severity"] in SEVERITIES[:2]]
    return Counted(queue, sum(row["alerts"] for row in rows), sum(row["untaken"] for row in rows), sum(grave))


def page(
    engine: Engine,
    clinic_id: str,
    queue: Queue,
    *,
    by: str,
    roles: Collection[StaffRole],
    now: datetime,
    after: str | None = None,
    limit: int = PAGE,
) -> QueuePage:
    """A page of a queue: the gravest first, of those the oldest. `after`: the id of the last page's last alert, open or closed by now.

    Raises NotAllowed for who cares for nobody.
    """
    others = queue is Queue.OTHER
    kinds = frozenset().union(*(each for which, each in KINDS.items() if which is not queue)) if others else KINDS[queue]
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        found = queries.alerts(c, clinic_id, kinds=kinds, others=others, steps=queue is Queue.STEPS, after=after, limit=limit + 1)
        cards = _cards(c, found[:limit], roles, now=now)
    return QueuePage(queue, cards, cards[-1].id if len(found) > limit else None)


def card(engine: Engine, clinic_id: str, alert_id: str, *, by: str, roles: Collection[StaffRole], now: datetime) -> Card:
    """One alert, open or closed. Raises UnknownAlert, and NotAllowed for who cares for nobody."""
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        return _cards(c, [attending.find(c, clinic_id, alert_id)], roles, now=now)[0]


# --- what a card shows ------------------------------------------------------------------------------------------------------


def _cards(c: Connection, found: Sequence[Row], roles: Collection[StaffRole], *, now: datetime) -> tuple[Card, ...]:
    whose = people.patients(c, {row["patient_id"] for row in found})
    stored = _plans_about(c, found)
    seen = _seen(c, found, stored, roles, now=now)
    announced = stepping.announced(c, stored.values())
    return tuple(_card(row, whose[row["patient_id"]], _about(row, stored), seen, announced, now=now) for row in found)


def _plans_about(c: Connection, found: Sequence[Row]) -> dict[str, StoredPlan]:
    """The plans that the alerts name, and of those that name none every plan of their patients that is not over."""
    named = plans.read(c, {row["plan_id"] for row in found if row["plan_id"] is not None})
    unnamed = plans.of_patients(c, {row["patient_id"] for row in found if row["plan_id"] is None})
    return named | {plan.id: plan for mine in unnamed.values() for plan in mine}


def _about(row: Row, stored: Mapping[str, StoredPlan]) -> list[StoredPlan]:
    if row["plan_id"] is not None:
        return [stored[row["plan_id"]]]
    return [plan for plan in stored.values() if plan.patient_id == row["patient_id"] and plan.state is not PlanState.DRAFT]


def _seen(
    c: Connection, found: Sequence[Row], stored: Mapping[str, StoredPlan], roles: Collection[StaffRole], *, now: datetime
) -> dict[str, PlanOnCard]:
    """How each plan stands, with the gate of its next step where an alert about that asks for it."""
    shown, hearing = panels.panels_of(c, stored, now=now), watermarks.hearing(c, now=now)
    gated = {row["plan_id"] for row in found if queue_of(row["kind"], awaits_yes=row["awaits_yes"]) in WITH_GATE}
    seen = {}
    for plan_id, plan in stored.items():
        _, that_count = counting.of_plan(c, plan_id, hearing, now)
        may = offered(charts.stands_of(plan, (), now=now), roles)
        seen[plan_id] = PlanOnCard(
            panel=shown[plan_id],
            counts=counts(that_count),
            gate=gate(stepping.gate_facts(c, plan, now)[0]) if plan_id in gated else None,
            offered=tuple(action for action in FROM_A_CARD if action in may),
        )
    return seen


def _card(
    row: Row,
    patient: Patient,
    about: Sequence[StoredPlan],
    seen: Mapping[str, PlanOnCard],
    announced: Mapping[str, datetime],
    *,
    now: datetime,
) -> Card:
    only = about[0] if len(about) == 1 else None
    return Card(
        **{name: row[name] for name in _AS_KEPT},
        queue=queue_of(row["kind"], awaits_yes=row["awaits_yes"]),
        overdue=alerts.overdue(row, now),
        patient=patient.name,
        ref=patient.ref,
        zone=patient.zone,
        phones=tuple(Phone(line.name, line.role, line.phone, isinstance(line.may_text, Contactable)) for line in patient.lines),
        plans=tuple(seen[plan.id] for plan in about),
        kept=attending.why_kept(row, about, announced),
        why_open=attending.why_open(only, row),
        by_reason=attending.needs_provider(row),
        labs=tuple(check for checks in only.labs.values() for check in checks) if only else (),
    )


_AS_KEPT = (
    *("id", "kind", "severity", "words", "owner", "clinical", "raised_at", "deadline_at", "acknowledged_at", "acknowledged_by"),
    *("closed_at", "close_reason", "patient_id"),
)


# --- what a person does about one -------------------------------------------------------------------------------------------


@contextmanager
def _attending(engine: Engine, clinic_id: str, alert_id: str, *, by: str, now: datetime) -> Iterator[Held]:
    """A transaction in which somebody attends to an open alert of a clinic."""
    with writing(engine) as c, attending.hold(c, clinic_id, alert_id, by=by, now=now) as held:
        yield held


def acknowledge(
    engine: Engine, clinic_id: str, alert_id: str, *, by: str, now: datetime, reason: str = "", labs_due: date | None = None
) -> None:
    """Take an alert on: its deadline is met, it is not raised again, and one about the medicine lets the next step come.

    Raises UnknownAlert; NotAllowed for who may not, for one that is closed, and for an interacting medicine without its reason or the
    day of its checks.
    """
    with _attending(engine, clinic_id, alert_id, by=by, now=now) as held:
        said = Attended(by, reason, labs_due)
        if held.plan is not None:
            attending.check_labs_due(held.plan, said, now=now)
        if held.alert["acknowledged_at"] is not None:
            raise NotAllowed(f"{held.alert['acknowledged_by']} has taken this alert on")
        attending.take_on(held.c, held.plan, held.alert, said, now=now)


def give_back(engine: Engine, clinic_id: str, alert_id: str, *, by: str, now: datetime) -> None:
    """Undo a slip: nobody has taken the alert on. Raises UnknownAlert, and NotAllowed where that cannot be undone."""
    with _attending(engine, clinic_id, alert_id, by=by, now=now) as held:
        attending.give_back(held.c, held.patient, held.plan, held.alert, by=by, now=now)


def resolve(engine: Engine, clinic_id: str, alert_id: str, *, by: str, note: str, now: datetime) -> Queue:
    """Close an alert with a note; return the queue that it leaves.

    Raises UnknownAlert; NotAllowed without a note, for who may not, and while what it tells of still stands.
    """
    with _attending(engine, clinic_id, alert_id, by=by, now=now) as held:
        attending.resolve(held.c, held.plan, held.alert, Attended(by, note), now=now)
        return queue_of(held.alert["kind"], awaits_yes=held.alert["awaits_yes"])
