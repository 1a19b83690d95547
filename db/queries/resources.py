"""What an API looks up, by the opaque ids of rows within one clinic: a page of each at most, never a whole table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, or_, select

from db.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

Row = Mapping[str, Any]
Place = tuple[datetime, str]
"""Where a page ended: the instant and the id of its last row."""

CLINIC, PATIENT, PLAN, PLAN_VERSION, PLAN_EVENT, DOSE, ALERT = (
    metadata.tables[name] for name in ("clinic", "patient", "plan", "plan_version", "plan_event", "dose", "alert")
)
CODE = re.compile(r"\d")
TEXT_OUT, TEXT_IN, CONTACT_POINT, CONTACT_ROLE, CONSENT, MEDICINE, CHECK_IN, RATING = (
    metadata.tables[name] for name in ("text_out", "text_in", "contact_point", "contact_role", "consent", "medicine", "check_in", "rating")
)

_PATIENT = ("id", "ref", "name", "zone", "language", "wording", "next_due_at", "created_at")
_ABOUT = ("alcohol", "born_on", "kidney", "kidney_weak", "quiet_from", "quiet_until")
_PLAN = ("id", "patient_id", "ref", "drug", "label", "state", "reason", "approved_by", "next_due_at", "created_at", "ended_at")
_DOSE = ("id", "plan_id", "local_date", "slot_no", "local_time", "due_at", "amount", "unit", "phase_no", "state", "reason", "taken_at")
_ALERT = (
    *("id", "patient_id", "plan_id", "kind", "severity", "clinical", "owner", "words", "raised_at", "deadline_at", "raised_again"),
    *("acknowledged_at", "acknowledged_by", "closed_at", "close_reason"),
)


def clinic(c: Connection, clinic_id: str) -> Row:
    """The clinic itself."""
    return _rows(c, select(CLINIC).where(CLINIC.c.id == clinic_id))[0]


def patients(c: Connection, clinic_id: str, *, after: str | None, state: str | None, limit: int) -> list[Row]:
    """A clinic's patients in order of their ids, after one; of those with a plan in a state, if one is given."""
    wanted = [PATIENT.c.clinic_id == clinic_id]
    if after is not None:
        wanted.append(PATIENT.c.id > after)
    if state is not None:
        wanted.append(exists().where(PLAN.c.patient_id == PATIENT.c.id, PLAN.c.clinic_id == PATIENT.c.clinic_id, PLAN.c.state == state))
    return _rows(c, select(*(PATIENT.c[name] for name in _PATIENT)).where(*wanted).order_by(PATIENT.c.id).limit(limit))


def patient(c: Connection, clinic_id: str, patient_id: str) -> Row | None:
    """A patient with what is known of them, or None."""
    columns = [PATIENT.c[name] for name in (*_PATIENT, *_ABOUT)]
    return _one(c, select(*columns).where(PATIENT.c.clinic_id == clinic_id, PATIENT.c.id == patient_id))


def contacts(c: Connection, clinic_id: str, patient_id: str) -> list[Row]:
    """The numbers behind a patient, with their roles, and what stands against texting them."""
    point = and_(CONTACT_POINT.c.clinic_id == CONTACT_ROLE.c.clinic_id, CONTACT_POINT.c.id == CONTACT_ROLE.c.contact_point_id)
    of_role = [CONTACT_ROLE.c[name] for name in ("id", "role", "ref", "name", "relationship", "after_misses")]
    of_point = [CONTACT_POINT.c[name] for name in ("phone", "verified_at", "opted_out_at", "unusable_at")]
    mine = CONTACT_ROLE.c.clinic_id == clinic_id, CONTACT_ROLE.c.patient_id == patient_id, CONTACT_ROLE.c.ended_at.is_(None)
    return _rows(c, select(*of_role, *of_point).join(CONTACT_POINT, point).where(*mine).order_by(CONTACT_ROLE.c.id))


def consents(c: Connection, clinic_id: str, patient_id: str, *, limit: int) -> list[Row]:
    """The evidence that texting a patient's numbers was agreed to, withdrawn or taken up again, newest first."""
    point = and_(CONTACT_POINT.c.clinic_id == CONSENT.c.clinic_id, CONTACT_POINT.c.id == CONSENT.c.contact_point_id)
    columns = [CONSENT.c[name] for name in ("kind", "given_by", "wording_version", "channel", "at")]
    mine = CONSENT.c.clinic_id == clinic_id, CONSENT.c.patient_id == patient_id
    query = select(*columns, CONTACT_POINT.c.phone).join(CONTACT_POINT, point).where(*mine)
    return _rows(c, query.order_by(CONSENT.c.at.desc(), CONSENT.c.id).limit(limit))


def medicines(c: Connection, clinic_id: str, patient_id: str) -> list[Row]:
    """The other medicines that are, or were, on a patient's list."""
    columns = [MEDICINE.c[name] for name in ("id", "name", "added_at", "removed_at")]
    mine = MEDICINE.c.clinic_id == clinic_id, MEDICINE.c.patient_id == patient_id
    return _rows(c, select(*columns).where(*mine).order_by(MEDICINE.c.added_at, MEDICINE.c.id))


def plans_of(c: Connection, clinic_id: str, patient_id: str) -> list[Row]:
    """A patient's plans, those that are over among them, by reference."""
    mine = PLAN.c.clinic_id == clinic_id, PLAN.c.patient_id == patient_id
    return _rows(c, select(*(PLAN.c[name] for name in _PLAN)).where(*mine).order_by(PLAN.c.ref))


def plan(c: Connection, clinic_id: str, plan_id: str) -> Row | None:
    """A plan, or None."""
    return _one(c, select(*(PLAN.c[name] for name in _PLAN)).where(PLAN.c.clinic_id == clinic_id, PLAN.c.id == plan_id))


def versions(c: Connection, clinic_id: str, plan_id: str) -> list[Row]:
    """The versions of a plan in order, each with the hash of its document."""
    columns = [PLAN_VERSION.c[name] for name in ("no", "document", "document_hash", "effective_at", "approved_by", "approved_at")]
    mine = PLAN_VERSION.c.clinic_id == clinic_id, PLAN_VERSION.c.plan_id == plan_id
    return _rows(c, select(*columns).where(*mine).order_by(PLAN_VERSION.c.no))


def events(c: Connection, clinic_id: str, plan_id: str, *, before: Place | None, limit: int) -> list[Row]:
    """What happened to a plan, newest first."""
    columns = [PLAN_EVENT.c[name] for name in ("id", "at", "kind", "state", "phase_no", "by", "reason")]
    mine = PLAN_EVENT.c.clinic_id == clinic_id, PLAN_EVENT.c.plan_id == plan_id
    return _newest(c, select(*columns).where(*mine), PLAN_EVENT.c.at, PLAN_EVENT.c.id, before=before, limit=limit)


def doses(
    c: Connection, clinic_id: str, plan_id: str, *, first: date | None, end: date | None, after: Place | None, limit: int
) -> list[Row]:
    """A plan's doses of `first <= local date < end`, in order of due instant, after a place."""
    wanted = [DOSE.c.clinic_id == clinic_id, DOSE.c.plan_id == plan_id]
    if first is not None:
        wanted.append(DOSE.c.local_date >= first)
    if end is not None:
        wanted.append(DOSE.c.local_date < end)
    if after is not None:
        at, last = after
        wanted.append(or_(DOSE.c.due_at > at, and_(DOSE.c.due_at == at, DOSE.c.id > last)))
    return _rows(c, select(*(DOSE.c[name] for name in _DOSE)).where(*wanted).order_by(DOSE.c.due_at, DOSE.c.id).limit(limit))


def dose(c: Connection, clinic_id: str, dose_id: str) -> Row | None:
    """A dose with the reference of its plan, or None."""
    whose = and_(PLAN.c.clinic_id == DOSE.c.clinic_id, PLAN.c.id == DOSE.c.plan_id)
    columns = [DOSE.c[name] for name in _DOSE]
    query = select(*columns, PLAN.c.ref.label("plan_ref")).join(PLAN, whose)
    return _one(c, query.where(DOSE.c.clinic_id == clinic_id, DOSE.c.id == dose_id))


def texts(c: Connection, clinic_id: str, patient_id: str, *, before: Place | None, limit: int) -> list[Row]:
    """The texts to and from the numbers behind a patient, newest first: to them, those about this patient only."""
    mine = CONTACT_ROLE.c.clinic_id == clinic_id, CONTACT_ROLE.c.patient_id == patient_id, CONTACT_ROLE.c.ended_at.is_(None)
    points = list(c.scalars(select(CONTACT_ROLE.c.contact_point_id).where(*mine).distinct()))
    theirs = CONTACT_POINT.c.clinic_id == clinic_id, CONTACT_POINT.c.id.in_(points)
    phones = {row.id: row.phone for row in c.execute(select(CONTACT_POINT.c.id, CONTACT_POINT.c.phone).where(*theirs))}
    at = func.coalesce(TEXT_OUT.c.sent_at, TEXT_OUT.c.send_at)
    out = select(TEXT_OUT, at.label("at")).where(
        TEXT_OUT.c.clinic_id == clinic_id, TEXT_OUT.c.contact_point_id.in_(points), TEXT_OUT.c.patient_id == patient_id
    )
    came = select(TEXT_IN, TEXT_IN.c.received_at.label("at")).where(
        TEXT_IN.c.clinic_id == clinic_id, TEXT_IN.c.from_phone.in_(list(phones.values()))
    )
    said = [_ours(row, phones) for row in _newest(c, out, at, TEXT_OUT.c.id, before=before, limit=limit)]
    said += [_theirs(row) for row in _newest(c, came, TEXT_IN.c.received_at, TEXT_IN.c.sid, before=before, limit=limit)]
    return sorted(said, key=lambda row: (row["at"], row["id"]), reverse=True)[:limit]


def _ours(row: Row, phones: Mapping[str, str]) -> Row:
    names = ("id", "at", "purpose", "body", "state", "status", "error_code", "plan_id")
    return {
        **{name: row[name] for name in names},
        "body": CODE.sub("•", row["body"]) if row["purpose"] == "verification" else row["body"],  # between us and the phone
        "ours": True,
        "phone": phones[row["contact_point_id"]],
        "understood": None,
        "reading": None,
    }


def _theirs(row: Row) -> Row:
    names = ("at", "body", "understood", "reading")
    unsaid = dict.fromkeys(("purpose", "state", "status", "error_code", "plan_id"))
    return {**{name: row[name] for name in names}, **unsaid, "id": row["sid"], "ours": False, "phone": row["from_phone"]}


def alerts(
    c: Connection,
    clinic_id: str,
    *,
    wanted: Mapping[str, str],
    is_open: bool | None,
    before: Place | None,
    limit: int,
) -> list[Row]:
    """A clinic's alerts, newest first: those whose columns are as `wanted`, open ones, closed ones, or (None) both."""
    conditions = [ALERT.c.clinic_id == clinic_id, *(ALERT.c[name] == value for name, value in wanted.items())]
    if is_open is not None:
        conditions.append(ALERT.c.closed_at.is_(None) if is_open else ALERT.c.closed_at.is_not(None))
    query = select(*(ALERT.c[name] for name in _ALERT)).where(*conditions)
    return _newest(c, query, ALERT.c.raised_at, ALERT.c.id, before=before, limit=limit)


def check_ins(c: Connection, clinic_id: str, patient_id: str, *, limit: int) -> list[Row]:
    """When a patient was asked how it goes, and what, newest first."""
    whose = and_(PLAN.c.clinic_id == CHECK_IN.c.clinic_id, PLAN.c.id == CHECK_IN.c.plan_id)
    columns = [CHECK_IN.c[name] for name in ("plan_id", "local_date", "phase_no", "items", "asked_at")]
    query = select(*columns).join(PLAN, whose).where(PLAN.c.clinic_id == clinic_id, PLAN.c.patient_id == patient_id)
    return _rows(c, query.order_by(CHECK_IN.c.asked_at.desc(), CHECK_IN.c.id).limit(limit))


def ratings(c: Connection, clinic_id: str, patient_id: str, *, before: Place | None, limit: int) -> list[Row]:
    """What a patient told of how it goes, a number a row, newest first."""
    columns = [RATING.c[name] for name in ("id", "item", "value", "by", "at")]
    mine = RATING.c.clinic_id == clinic_id, RATING.c.patient_id == patient_id
    return _newest(c, select(*columns).where(*mine), RATING.c.at, RATING.c.id, before=before, limit=limit)


def _newest(
    c: Connection, query: Select[Any], at: ColumnElement[datetime], row_id: ColumnElement[str], *, before: Place | None, limit: int
) -> list[Row]:
    """A page of a query, newest first, before a place."""
    if before is not None:
        moment, last = before
        query = query.where(or_(at < moment, and_(at == moment, row_id < last)))
    return _rows(c, query.order_by(at.desc(), row_id.desc()).limit(limit))


def _one(c: Connection, query: Select[Any]) -> Row | None:
    found = _rows(c, query)
    return found[0] if found else None


def _rows(c: Connection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in c.execute(query).mappings()]
