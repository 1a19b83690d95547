"""What the status page, the readiness check and the figures look at: how things stand, a bounded number of rows each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, true, union_all

from db.queries.gravity import GRAVEST_FIRST
from db.tables import TEXT_STATES, metadata

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select, Subquery

Row = Mapping[str, Any]

CLINIC, STAFF, PATIENT, PLAN, DOSE = (metadata.tables[name] for name in ("clinic", "staff", "patient", "plan", "dose"))
TEXT_OUT, TEXT_IN, ALERT, LOOP_PASS = (metadata.tables[name] for name in ("text_out", "text_in", "alert", "loop_pass"))
CONTACT_POINT, CONTACT_ROLE = metadata.tables["contact_point"], metadata.tables["contact_role"]
SENDER, WATERMARK = metadata.tables["sender"], metadata.tables["watermark"]

ON_THEIR_WAY = ("queued", "sending", "unknown")

_PATIENT = (PATIENT.c.ref.label("patient_ref"), PATIENT.c.name.label("patient_name"))


def clinics(c: Connection) -> list[Row]:
    """Every clinic: id, name, zone, simulated; by name."""
    return _rows(c, select(CLINIC.c.id, CLINIC.c.name, CLINIC.c.zone, CLINIC.c.simulated).order_by(CLINIC.c.name, CLINIC.c.id))


def clinic_counts(c: Connection) -> list[Row]:
    """Every clinic by numbers: id, name, zone, simulated, staff, patients, plans (that go on), alerts (open); by name."""
    going_on = PLAN.c.state.in_(("active", "staying", "muted", "suspended"))
    wanted = {"staff": (STAFF, STAFF.c.ended_at.is_(None)), "patients": (PATIENT, true()), "plans": (PLAN, going_on)}
    wanted["alerts"] = (ALERT, ALERT.c.closed_at.is_(None))
    counts = [
        select(func.count()).select_from(table).where(table.c.clinic_id == CLINIC.c.id, condition).scalar_subquery().label(name)
        for name, (table, condition) in wanted.items()
    ]
    return _rows(c, select(CLINIC.c.id, CLINIC.c.name, CLINIC.c.zone, CLINIC.c.simulated, *counts).order_by(CLINIC.c.name, CLINIC.c.id))


def plan_counts(c: Connection, clinic_id: str) -> list[Row]:
    """How many plans a clinic has in each state: state, plans."""
    query = select(PLAN.c.state, func.count().label("plans")).where(PLAN.c.clinic_id == clinic_id)
    return _rows(c, query.group_by(PLAN.c.state).order_by(PLAN.c.state))


def plans(c: Connection, clinic_id: str, *, limit: int) -> list[Row]:
    """A clinic's plans and whose they are: first those with a dose to come, soonest first, then the others."""
    query = (
        select(PLAN.c.id, PLAN.c.patient_id, PLAN.c.set_aside_at, *_PATIENT)
        .join(PATIENT, (PATIENT.c.clinic_id == PLAN.c.clinic_id) & (PATIENT.c.id == PLAN.c.patient_id))
        .where(PLAN.c.clinic_id == clinic_id)
        .order_by(PLAN.c.next_due_at.is_(None), PLAN.c.next_due_at, PLAN.c.ref)
        .limit(limit)
    )
    return _rows(c, query)


def doses(c: Connection, clinic_id: str, plan_ids: Sequence[str], *, since: datetime) -> list[Row]:
    """The doses of some plans that fell due at or after an instant, in order of due instant."""
    query = select(DOSE.c.plan_id, DOSE.c.local_date, DOSE.c.slot_no, DOSE.c.due_at, DOSE.c.amount, DOSE.c.state)
    wanted = (DOSE.c.clinic_id == clinic_id, DOSE.c.plan_id.in_(plan_ids), DOSE.c.due_at >= since)
    return _rows(c, query.where(*wanted).order_by(DOSE.c.due_at, DOSE.c.slot_no))


def texts_out(c: Connection, clinic_id: str, *, now: datetime, limit: int) -> list[Row]:
    """A clinic's last texts to people that were due to go out, newest first.

    They are looked for state by state, because the table is indexed by (state, send_at): it grows for ever, the page does not.
    """
    columns = (TEXT_OUT.c.purpose, TEXT_OUT.c.body, TEXT_OUT.c.state, TEXT_OUT.c.status, TEXT_OUT.c.error_code, TEXT_OUT.c.patient_id)
    at = func.coalesce(TEXT_OUT.c.sent_at, TEXT_OUT.c.send_at)
    last = union_all(*(select(_last_in(state, clinic_id, now, limit)) for state in TEXT_STATES))
    query = (
        select(*columns, at.label("at"), CONTACT_POINT.c.id.label("contact_point_id"), CONTACT_POINT.c.phone)
        .join(CONTACT_POINT, (CONTACT_POINT.c.clinic_id == TEXT_OUT.c.clinic_id) & (CONTACT_POINT.c.id == TEXT_OUT.c.contact_point_id))
        .where(TEXT_OUT.c.clinic_id == clinic_id, TEXT_OUT.c.id.in_(last))
        .order_by(at.desc(), TEXT_OUT.c.id)
        .limit(limit)
    )
    return _rows(c, query)


def texts_in(c: Connection, clinic_id: str, *, limit: int) -> list[Row]:
    """A clinic's last texts from people whose number it knows, newest first."""
    columns = (TEXT_IN.c.contact_point_id, TEXT_IN.c.from_phone, TEXT_IN.c.body, TEXT_IN.c.understood, TEXT_IN.c.received_at)
    known = (TEXT_IN.c.clinic_id == clinic_id, TEXT_IN.c.contact_point_id.is_not(None))
    return _rows(c, select(*columns).where(*known).order_by(TEXT_IN.c.received_at.desc(), TEXT_IN.c.sid).limit(limit))


def people_behind(c: Connection, clinic_id: str, contact_point_ids: Sequence[str]) -> list[Row]:
    """Everyone behind some numbers: contact_point_id, role, name, and the patient they answer for or are told about."""
    query = (
        select(CONTACT_ROLE.c.contact_point_id, CONTACT_ROLE.c.patient_id, CONTACT_ROLE.c.role, CONTACT_ROLE.c.name, *_PATIENT)
        .join(PATIENT, (PATIENT.c.clinic_id == CONTACT_ROLE.c.clinic_id) & (PATIENT.c.id == CONTACT_ROLE.c.patient_id))
        .where(CONTACT_ROLE.c.clinic_id == clinic_id, CONTACT_ROLE.c.contact_point_id.in_(contact_point_ids))
        .order_by(PATIENT.c.ref, CONTACT_ROLE.c.id)
    )
    return _rows(c, query)


def open_alerts(c: Connection, clinic_id: str, *, limit: int) -> list[Row]:
    """A clinic's open alerts: the gravest first, then the oldest. `alerts` counts all of them."""
    query = (
        select(ALERT, *_PATIENT, PLAN.c.ref.label("plan_ref"), func.count().over().label("alerts"))
        .join(PATIENT, (PATIENT.c.clinic_id == ALERT.c.clinic_id) & (PATIENT.c.id == ALERT.c.patient_id))
        .outerjoin(PLAN, (PLAN.c.clinic_id == ALERT.c.clinic_id) & (PLAN.c.id == ALERT.c.plan_id))
        .where(ALERT.c.clinic_id == clinic_id, ALERT.c.closed_at.is_(None))
        .order_by(GRAVEST_FIRST, ALERT.c.raised_at, ALERT.c.id)
        .limit(limit)
    )
    return _rows(c, query)


def last_pass(c: Connection, name: str) -> datetime | None:
    """When a part of the loop last finished a pass; None if it never did."""
    at: datetime | None = c.scalars(select(LOOP_PASS.c.at).where(LOOP_PASS.c.name == name)).one_or_none()
    return at


def oldest_due(c: Connection) -> datetime | None:
    """When the dose that waits longest is, or was, due; None if none is to come."""
    at: datetime | None = c.scalars(select(func.min(PATIENT.c.next_due_at))).one()
    return at


def texts_on_their_way(c: Connection) -> dict[str, int]:
    """How many texts are in each state that is not their last."""
    return _counted(c, ON_THEIR_WAY)


def texts_between(c: Connection, since: datetime, until: datetime) -> dict[str, int]:
    """How many texts that were to go out in a span (since < send_at <= until) are in each state."""
    return _counted(c, TEXT_STATES, TEXT_OUT.c.send_at > since, TEXT_OUT.c.send_at <= until)


def oldest_doubt(c: Connection) -> datetime | None:
    """When the text that waits longest for proof that it was sent, or was not, was claimed; None if there is none."""
    query = select(func.min(TEXT_OUT.c.claimed_at)).where(TEXT_OUT.c.state.in_(("sending", "unknown")))
    at: datetime | None = c.scalars(query).one()
    return at


def senders(c: Connection) -> list[Row]:
    """Every way texts leave: name, rests_until."""
    return _rows(c, select(SENDER.c.name, SENDER.c.rests_until).order_by(SENDER.c.name))


def watermarks(c: Connection) -> list[Row]:
    """Every list of the carrier's: name, at, failing_since."""
    return _rows(c, select(WATERMARK.c.name, WATERMARK.c.at, WATERMARK.c.failing_since).order_by(WATERMARK.c.name))


def passes(c: Connection) -> list[Row]:
    """Every part of the loop that ever finished a pass: name, at."""
    return _rows(c, select(LOOP_PASS.c.name, LOOP_PASS.c.at).order_by(LOOP_PASS.c.name))


def _counted(c: Connection, states: Sequence[str], *wanted: ColumnElement[bool]) -> dict[str, int]:
    query = select(TEXT_OUT.c.state, func.count().label("texts")).where(TEXT_OUT.c.state.in_(states), *wanted).group_by(TEXT_OUT.c.state)
    return dict.fromkeys(states, 0) | {row.state: row.texts for row in c.execute(query)}


def _last_in(state: str, clinic_id: str, now: datetime, limit: int) -> Subquery:
    due = (TEXT_OUT.c.state == state, TEXT_OUT.c.clinic_id == clinic_id, TEXT_OUT.c.send_at <= now)
    return select(TEXT_OUT.c.id).where(*due).order_by(TEXT_OUT.c.send_at.desc()).limit(limit).subquery()


def _rows(c: Connection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in c.execute(query).mappings()]
