"""What happened, for reports and exports: doses as they stand, by plan, and what changed since an instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, union_all

from db.types import UtcDateTime
from reminders.domain.adherence import Mark, mark_of
from reminders.domain.dose_state import DoseState, Standing
from reminders.domain.escalation import SEVERITIES
from reminders.services.records import alerts
from reminders.services.records.ledger import (
    ALERT,
    CONTACT_POINT,
    DOSE,
    PATIENT,
    PLAN,
    PLAN_EVENT,
    SENDER,
    TEXT_IN,
    TEXT_ITEM,
    TEXT_OUT,
    asked,
    by,
    rows,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from reminders.services.records.ledger import Row


@dataclass(frozen=True, slots=True)
class DoseLine:
    """One dose of an export: whose, of which plan, when due, what it came to."""

    clinic: str
    patient: str
    plan: str
    drug: str
    local_date: date
    slot_no: int
    phase: int
    due_at: datetime
    amount: Decimal
    unit: str
    state: DoseState
    reason: str | None
    taken_at: datetime | None
    mark: Mark


def dose_lines(
    c: Connection, *, first: date | None = None, end: date | None = None, clinic_id: str | None = None, patient_id: str | None = None
) -> list[DoseLine]:
    """The doses of `first <= local date < end`, by patient and plan, in order of due instant; of everybody, or of one patient."""
    query = (
        select(DOSE, PLAN.c.ref.label("plan_ref"), PLAN.c.drug, PATIENT.c.ref.label("patient_ref"))
        .join(PLAN, (PLAN.c.id == DOSE.c.plan_id) & (PLAN.c.clinic_id == DOSE.c.clinic_id))
        .join(PATIENT, (PATIENT.c.id == DOSE.c.patient_id) & (PATIENT.c.clinic_id == DOSE.c.clinic_id))
        .order_by(PATIENT.c.ref, PLAN.c.ref, DOSE.c.due_at, DOSE.c.slot_no)
    )
    if first is not None:
        query = query.where(DOSE.c.local_date >= first)
    if end is not None:
        query = query.where(DOSE.c.local_date < end)
    if clinic_id is not None:
        query = query.where(DOSE.c.clinic_id == clinic_id)
    if patient_id is not None:
        query = query.where(DOSE.c.patient_id == patient_id)
    return [_line(row) for row in rows(c, query)]


def _line(row: Row) -> DoseLine:
    return DoseLine(
        clinic=row["clinic_id"],
        patient=row["patient_ref"],
        plan=row["plan_ref"],
        drug=row["drug"],
        local_date=row["local_date"],
        slot_no=row["slot_no"],
        phase=row["phase_no"],
        due_at=row["due_at"],
        amount=row["amount"],
        unit=row["unit"],
        state=DoseState(row["state"]),
        reason=row["reason"],
        taken_at=row["taken_at"],
        mark=_mark(row),
    )


def _mark(row: Row) -> Mark:
    standing = Standing(
        DoseState(row["state"]),
        reason=row["reason"],
        taken_at=row["taken_at"],
        taken_by=row["taken_by"],
        recalled=row["recalled"],
        muted=row["muted"],
    )
    return mark_of(standing, row["due_at"], row["take_until"])


def plan_refs(c: Connection, clinic_id: str | None = None, patient_id: str | None = None) -> list[tuple[str, str, str]]:
    """Every plan, or those of one patient: (patient's reference, plan's reference, drug), in order."""
    query = select(PATIENT.c.ref, PLAN.c.ref, PLAN.c.drug).join(
        PLAN, (PLAN.c.patient_id == PATIENT.c.id) & (PLAN.c.clinic_id == PATIENT.c.clinic_id)
    )
    if clinic_id is not None:
        query = query.where(PLAN.c.clinic_id == clinic_id)
    if patient_id is not None:
        query = query.where(PLAN.c.patient_id == patient_id)
    return [(patient, plan, drug) for patient, plan, drug in c.execute(query.order_by(PATIENT.c.ref, PLAN.c.ref))]


class Work(StrEnum):
    """What can be due; when to poll stands in no row."""

    POLL = "poll"
    REMIND = "remind"
    DELIVER = "deliver"
    FOLLOW_UP = "follow up"
    ESCALATE = "escalate"


_UNANSWERED = (ALERT.c.closed_at.is_(None), ALERT.c.acknowledged_at.is_(None))
_DUE = {
    select(func.min(PATIENT.c.next_due_at)): Work.REMIND,
    select(func.min(TEXT_OUT.c.send_at)).where(TEXT_OUT.c.state == "queued"): Work.DELIVER,
    select(func.min(DOSE.c.check_at)): Work.FOLLOW_UP,
    select(func.min(PLAN.c.step_check_at)): Work.FOLLOW_UP,
    select(func.min(PLAN.c.check_in_at)): Work.FOLLOW_UP,
    select(func.min(PLAN.c.supply_check_at)): Work.FOLLOW_UP,
    select(func.min(PLAN.c.labs_due_at)): Work.FOLLOW_UP,
    select(func.min(PLAN.c.recount_at)): Work.ESCALATE,
    select(func.min(ALERT.c.call_at)).where(*_UNANSWERED): Work.ESCALATE,
}
_MOMENTS = union_all(*_DUE, select(func.max(SENDER.c.rests_until)))  # made once: a story asks some thousand times


def next_moments(c: Connection) -> dict[Work, datetime]:
    """When each kind of work is next due: the earliest of its due columns, left out where all are empty."""
    moments: dict[Work, datetime] = {}
    *due, rests_until = c.scalars(_MOMENTS)
    for at, work in zip(due, _DUE.values(), strict=True):
        if at is not None:
            moments[work] = min(at, moments.get(work, at))
    if rests_until is not None and Work.DELIVER in moments:
        moments[Work.DELIVER] = max(moments[Work.DELIVER], rests_until)
    return moments


_SINCE = bindparam("since", type_=UtcDateTime)
_TEXTS_SENT = (
    select(TEXT_OUT, CONTACT_POINT.c.phone)
    .join(CONTACT_POINT, (CONTACT_POINT.c.id == TEXT_OUT.c.contact_point_id) & (CONTACT_POINT.c.clinic_id == TEXT_OUT.c.clinic_id))
    .where(TEXT_OUT.c.sent_at >= _SINCE)
    .order_by(TEXT_OUT.c.sent_at, TEXT_OUT.c.created_at, TEXT_OUT.c.purpose, CONTACT_POINT.c.phone)
)
_DOSES_CHANGED = (
    select(DOSE, PLAN.c.ref.label("plan"), PLAN.c.state.label("plan_state"))
    .join(PLAN, (PLAN.c.id == DOSE.c.plan_id) & (PLAN.c.clinic_id == DOSE.c.clinic_id))
    .where(DOSE.c.changed_at >= _SINCE)
    .order_by(DOSE.c.due_at, PLAN.c.ref, DOSE.c.slot_no)
)
_ALERTS_CHANGED = (
    select(ALERT, PLAN.c.ref.label("plan"), PATIENT.c.ref.label("patient"))
    .outerjoin(PLAN, (PLAN.c.id == ALERT.c.plan_id) & (PLAN.c.clinic_id == ALERT.c.clinic_id))
    .join(PATIENT, (PATIENT.c.id == ALERT.c.patient_id) & (PATIENT.c.clinic_id == ALERT.c.clinic_id))
    .where((ALERT.c.raised_at >= _SINCE) | ((ALERT.c.owner == "backup") & ALERT.c.closed_at.is_(None)))
    .order_by(ALERT.c.raised_at, PATIENT.c.ref, ALERT.c.kind)
)
_PLAN_EVENTS = (
    select(PLAN_EVENT, PLAN.c.ref.label("plan"))
    .join(PLAN, (PLAN.c.id == PLAN_EVENT.c.plan_id) & (PLAN.c.clinic_id == PLAN_EVENT.c.clinic_id))
    .where(PLAN_EVENT.c.at >= _SINCE)
    .order_by(PLAN_EVENT.c.at, PLAN.c.ref)
)


def texts_sent(c: Connection, *, since: datetime) -> list[Row]:
    """The texts that left at or after an instant, each with its number; in the order they left."""
    return _since(c, _TEXTS_SENT, since)


def doses_changed(c: Connection, *, since: datetime) -> list[Row]:
    """The doses whose state may have changed at or after an instant, in order of due instant."""
    return _since(c, _DOSES_CHANGED, since)


def alerts_changed(c: Connection, *, since: datetime) -> list[Row]:
    """The alerts raised, or given to somebody else, at or after an instant; each with its plan's reference."""
    return _since(c, _ALERTS_CHANGED, since)


def plan_events(c: Connection, *, since: datetime) -> list[Row]:
    """What happened to plans at or after an instant; each with its plan's reference."""
    return _since(c, _PLAN_EVENTS, since)


def _since(c: Connection, query: Select[Any], since: datetime) -> list[Row]:
    return asked(c, query, since=since)


def doses_of_texts(c: Connection, text_ids: list[str]) -> dict[str, list[Row]]:
    """The doses each text is about: plan's reference, local date, slot number."""
    if not text_ids:
        return {}
    query = (
        select(TEXT_ITEM.c.text_id, PLAN.c.ref.label("plan"), DOSE.c.local_date, DOSE.c.slot_no)
        .join(DOSE, (DOSE.c.id == TEXT_ITEM.c.dose_id) & (DOSE.c.clinic_id == TEXT_ITEM.c.clinic_id))
        .join(PLAN, (PLAN.c.id == DOSE.c.plan_id) & (PLAN.c.clinic_id == DOSE.c.clinic_id))
        .where(TEXT_ITEM.c.text_id.in_(text_ids))
        .order_by(DOSE.c.due_at, PLAN.c.ref)
    )
    return by("text_id", rows(c, query))


def count_alerts(c: Connection, *, not_to: Iterable[str] = (), clinic_id: str | None = None) -> int:
    """How many alerts were raised, but for those to some owners."""
    query = select(func.count()).select_from(ALERT).where(ALERT.c.owner.not_in(list(not_to)))
    if clinic_id is not None:
        query = query.where(ALERT.c.clinic_id == clinic_id)
    return int(c.scalar(query) or 0)


@dataclass(frozen=True, slots=True)
class Said:
    """One text of a conversation; `ours` if we sent it. `state` is how far ours has come, and None for theirs."""

    at: datetime
    phone: str
    ours: bool
    body: str
    purpose: str | None = None
    state: str | None = None


def conversation(c: Connection, *, phone: str | None = None, limit: int = 50) -> list[Said]:
    """The newest texts in both directions, oldest first; with one phone, or with all."""
    ours = (
        select(TEXT_OUT, CONTACT_POINT.c.phone)
        .join(CONTACT_POINT, (CONTACT_POINT.c.id == TEXT_OUT.c.contact_point_id) & (CONTACT_POINT.c.clinic_id == TEXT_OUT.c.clinic_id))
        .where(TEXT_OUT.c.state.not_in(("cancelled", "expired")))
        .order_by(TEXT_OUT.c.created_at.desc(), TEXT_OUT.c.id)
        .limit(limit)
    )
    theirs = select(TEXT_IN).order_by(TEXT_IN.c.received_at.desc()).limit(limit)
    if phone is not None:
        ours, theirs = ours.where(CONTACT_POINT.c.phone == phone), theirs.where(TEXT_IN.c.from_phone == phone)
    said = [
        Said(
            row["sent_at"] or row["send_at"],
            row["phone"],
            ours=True,
            body=row["body"],
            purpose=row["purpose"],
            state=row["status"] or row["state"],
        )
        for row in rows(c, ours)
    ]
    said += [Said(row["received_at"], row["from_phone"], ours=False, body=row["body"]) for row in rows(c, theirs)]
    return sorted(said, key=lambda text: (text.at, text.ours))[-limit:]


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert as a list shows it. No names: whose it is, by reference. `overdue`: since when, in words, if nobody took it on in time."""

    clinic: str
    patient: str
    plan: str | None
    kind: str
    severity: str
    owner: str
    words: str
    raised_at: datetime
    deadline_at: datetime | None
    raised_again: int
    overdue: str | None
    acknowledged_by: str | None
    closed_at: datetime | None
    close_reason: str | None


def alert_lines(c: Connection, *, now: datetime, closed_too: bool = False, clinic_id: str | None = None) -> list[AlertLine]:
    """The alerts, the gravest first and of those the oldest; open ones only, unless asked."""
    query = (
        select(ALERT, PLAN.c.ref.label("plan"), PATIENT.c.ref.label("patient"))
        .outerjoin(PLAN, (PLAN.c.id == ALERT.c.plan_id) & (PLAN.c.clinic_id == ALERT.c.clinic_id))
        .join(PATIENT, (PATIENT.c.id == ALERT.c.patient_id) & (PATIENT.c.clinic_id == ALERT.c.clinic_id))
    )
    if not closed_too:
        query = query.where(ALERT.c.closed_at.is_(None))
    if clinic_id is not None:
        query = query.where(ALERT.c.clinic_id == clinic_id)
    found = sorted(rows(c, query), key=lambda row: (SEVERITIES.index(row["severity"]), row["raised_at"], row["patient"]))
    names = (
        "patient",
        "plan",
        "kind",
        "severity",
        "owner",
        "words",
        "raised_at",
        "deadline_at",
        "raised_again",
        "acknowledged_by",
        "closed_at",
        "close_reason",
    )
    return [AlertLine(row["clinic_id"], **{name: row[name] for name in names}, overdue=alerts.overdue(row, now)) for row in found]
