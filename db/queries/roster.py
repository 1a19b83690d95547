"""A clinic's patients in the order in which they need somebody: by the gravest open alert, how long it is open, then by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal, select, tuple_

from db.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

Row = Mapping[str, Any]

PATIENT, PATIENT_WORD, PLAN, DOSE, ALERT, CONTACT_POINT, CONTACT_ROLE = (
    metadata.tables[name] for name in ("patient", "patient_word", "plan", "dose", "alert", "contact_point", "contact_role")
)
NO_ALERT = 4
_END = "\U0010ffff"  # no character comes after it
_ORDER = (PATIENT.c.severity_rank, PATIENT.c.grave_since, PATIENT.c.name, PATIENT.c.id)
_SHOWN = (*_ORDER, PATIENT.c.ref, PATIENT.c.zone)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which patients are looked for; what is left out is not asked.

    state, drug  one of the patient's plans has both
    rank         of their gravest open alert: 0 to 3, or 4 for none
    words        each the beginning of a word of their name or reference, folded as those are
    phone, end   a whole number (E.164), or its last four digits, of the patient or of somebody beside them
    """

    state: str | None = None
    drug: str | None = None
    rank: int | None = None
    words: tuple[str, ...] = ()
    phone: str | None = None
    phone_end: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands in the order; `since` is None exactly where no alert is open."""

    rank: int
    since: datetime | None
    name: str
    patient_id: str


def patients(c: Connection, clinic_id: str, wanted: Wanted, *, after: Place | None, limit: int) -> list[Row]:
    """The next patients after a place: severity_rank, grave_since, name, id, ref, zone.

    Those with an open alert and those without stand in one index, and are walked one after the other: an empty instant compares with
    nothing, so that no one condition goes over the border.
    """
    found: list[Row] = []
    if after is None or after.since is not None:
        found += _rows(c, _grave(clinic_id, wanted, after).limit(limit))
        after = None
    if len(found) < limit and wanted.rank in {None, NO_ALERT}:
        found += _rows(c, _others(clinic_id, wanted, after).limit(limit - len(found)))
    return found


def _grave(clinic_id: str, wanted: Wanted, after: Place | None) -> Select[Any]:
    query = _of(clinic_id, wanted).where(PATIENT.c.severity_rank < NO_ALERT)
    if wanted.rank is not None:
        query = query.where(PATIENT.c.severity_rank == wanted.rank)
    if after is not None:
        query = query.where(_comes_after(_ORDER, (after.rank, after.since, after.name, after.patient_id)))
    return query.order_by(*_ORDER)


def _others(clinic_id: str, wanted: Wanted, after: Place | None) -> Select[Any]:
    query = _of(clinic_id, wanted).where(PATIENT.c.severity_rank == NO_ALERT, PATIENT.c.grave_since.is_(None))
    if after is not None:
        query = query.where(_comes_after((PATIENT.c.name, PATIENT.c.id), (after.name, after.patient_id)))
    return query.order_by(PATIENT.c.name, PATIENT.c.id)


def _comes_after(columns: Sequence[ColumnElement[Any]], place: Sequence[object]) -> ColumnElement[bool]:
    there = (literal(value, column.type) for column, value in zip(columns, place, strict=True))
    return tuple_(*columns) > tuple_(*there)


def _of(clinic_id: str, wanted: Wanted) -> Select[Any]:
    return select(*_SHOWN).where(PATIENT.c.clinic_id == clinic_id, *(PATIENT.c.id.in_(ids) for ids in _conditions(clinic_id, wanted)))


def _conditions(clinic_id: str, wanted: Wanted) -> list[Select[Any]]:
    """Who meets each thing that is asked, by their ids."""
    of_plan: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        of_plan.append(PLAN.c.state == wanted.state)
    if wanted.drug is not None:
        of_plan.append(PLAN.c.drug == wanted.drug)
    conditions = [select(PLAN.c.patient_id).where(PLAN.c.clinic_id == clinic_id, *of_plan)] if of_plan else []
    for word in wanted.words:
        begins = PATIENT_WORD.c.clinic_id == clinic_id, PATIENT_WORD.c.word >= word, PATIENT_WORD.c.word < word + _END
        conditions.append(select(PATIENT_WORD.c.patient_id).where(*begins))
    if wanted.phone is not None:
        conditions.append(_behind(clinic_id, CONTACT_POINT.c.phone == wanted.phone))
    if wanted.phone_end is not None:
        conditions.append(_behind(clinic_id, CONTACT_POINT.c.phone_end == wanted.phone_end))
    return conditions


def _behind(clinic_id: str, number: ColumnElement[bool]) -> Select[Any]:
    point = (CONTACT_POINT.c.clinic_id == CONTACT_ROLE.c.clinic_id) & (CONTACT_POINT.c.id == CONTACT_ROLE.c.contact_point_id)
    return (
        select(CONTACT_ROLE.c.patient_id)
        .join(CONTACT_POINT, point)
        .where(CONTACT_POINT.c.clinic_id == clinic_id, number, CONTACT_ROLE.c.ended_at.is_(None))
    )


def place_of_patient(c: Connection, clinic_id: str, patient_id: str) -> Place | None:
    """Where somebody without an open alert stands, by name; None for nobody of the clinic."""
    row = c.execute(select(PATIENT.c.name).where(PATIENT.c.clinic_id == clinic_id, PATIENT.c.id == patient_id)).first()
    return None if row is None else Place(NO_ALERT, None, row.name, patient_id)


def place_of_alert(c: Connection, clinic_id: str, alert_id: str, ranks: Sequence[str]) -> Place | None:
    """Where the patient of an alert stood while it was the oldest of their gravest, open or not by now; None for none of the clinic.

    `ranks` are the severities, the gravest first.
    """
    query = (
        select(ALERT.c.severity, ALERT.c.raised_at, ALERT.c.patient_id, PATIENT.c.name)
        .join(PATIENT, (PATIENT.c.clinic_id == ALERT.c.clinic_id) & (PATIENT.c.id == ALERT.c.patient_id))
        .where(ALERT.c.clinic_id == clinic_id, ALERT.c.id == alert_id)
    )
    row = c.execute(query).first()
    return None if row is None else Place(ranks.index(row.severity), row.raised_at, row.name, row.patient_id)


def plans_of(c: Connection, patient_ids: Sequence[str]) -> list[Row]:
    """The plans of some patients, newest first: id, patient_id, state."""
    query = select(PLAN.c.id, PLAN.c.patient_id, PLAN.c.state).where(PLAN.c.patient_id.in_(patient_ids))
    return _rows(c, query.order_by(PLAN.c.created_at.desc(), PLAN.c.id))


def alerts_of(c: Connection, patient_ids: Sequence[str]) -> list[Row]:
    """The open alerts of some patients, oldest first: id, patient_id, kind, severity, raised_at, acknowledged_by."""
    columns = (ALERT.c.id, ALERT.c.patient_id, ALERT.c.kind, ALERT.c.severity, ALERT.c.raised_at, ALERT.c.acknowledged_by)
    query = select(*columns).where(ALERT.c.patient_id.in_(patient_ids), ALERT.c.closed_at.is_(None))
    return _rows(c, query.order_by(ALERT.c.raised_at, ALERT.c.id))


def _rows(c: Connection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in c.execute(query).mappings()]
