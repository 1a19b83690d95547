"""The open alerts of a clinic, as lists that people empty."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import false, func, literal, or_, select, tuple_

from db.queries.gravity import GRAVEST_FIRST
from db.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

Row = Mapping[str, Any]

ALERT, PATIENT = metadata.tables["alert"], metadata.tables["patient"]
_PLACE = (GRAVEST_FIRST, ALERT.c.raised_at, ALERT.c.id)


def _open(clinic_id: str) -> tuple[ColumnElement[bool], ...]:
    return ALERT.c.clinic_id == clinic_id, ALERT.c.closed_at.is_(None)


def counts(c: Connection, clinic_id: str) -> list[Row]:
    """How many open alerts there are of each kind: kind, awaits_yes, severity, alerts, untaken (nobody has taken them on)."""
    columns = (ALERT.c.kind, ALERT.c.awaits_yes, ALERT.c.severity)
    query = select(*columns, func.count().label("alerts"), func.count().filter(ALERT.c.acknowledged_at.is_(None)).label("untaken"))
    return [dict(row) for row in c.execute(query.where(*_open(clinic_id)).group_by(*columns)).mappings()]


def alerts(c: Connection, clinic_id: str, *, kinds: Collection[str], others: bool, steps: bool, after: str | None, limit: int) -> list[Row]:
    """The next open alerts of a list after one of them, the gravest first, of those the oldest; all columns, and the patient's.

    kinds  the kinds that belong to it; others  these are those that do not; steps  what waits for a yes, whatever its kind.
    """
    of_kind = ALERT.c.kind.not_in(list(kinds)) if others else ALERT.c.kind.in_(list(kinds)) if kinds else false()
    mine = or_(of_kind & ALERT.c.awaits_yes.is_(False), ALERT.c.awaits_yes.is_(True)) if steps else of_kind & ALERT.c.awaits_yes.is_(False)
    query = (
        select(ALERT, PATIENT.c.name.label("patient_name"), PATIENT.c.ref.label("patient_ref"), PATIENT.c.zone.label("patient_zone"))
        .join(PATIENT, (PATIENT.c.clinic_id == ALERT.c.clinic_id) & (PATIENT.c.id == ALERT.c.patient_id))
        .where(*_open(clinic_id), mine)
        .order_by(*_PLACE)
        .limit(limit)
    )
    if after is not None:
        place = select(*_PLACE).where(ALERT.c.clinic_id == clinic_id, ALERT.c.id == after)
        there = c.execute(place).first()
        if there is None:
            return []
        query = query.where(tuple_(*_PLACE) > tuple_(*(literal(value, column.type) for column, value in zip(_PLACE, there, strict=True))))
    return [dict(row) for row in c.execute(query).mappings()]


def alert(c: Connection, clinic_id: str, alert_id: str) -> Row | None:
    """An alert of the clinic, open or closed, with its patient's name, reference and zone."""
    query = (
        select(ALERT, PATIENT.c.name.label("patient_name"), PATIENT.c.ref.label("patient_ref"), PATIENT.c.zone.label("patient_zone"))
        .join(PATIENT, (PATIENT.c.clinic_id == ALERT.c.clinic_id) & (PATIENT.c.id == ALERT.c.patient_id))
        .where(ALERT.c.clinic_id == clinic_id, ALERT.c.id == alert_id)
    )
    row = c.execute(query).mappings().first()
    return None if row is None else dict(row)
