"""What happened to one patient, newest first and a page at a time: each kind of row looked for by its own index.

A page ends at a place in time (`Before`), and the next begins there: rows of one instant are told apart by their kind and id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, and_, or_, select, true

from db.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

Row = Mapping[str, Any]

DOSE, DOSE_EVENT, TEXT_OUT, TEXT_IN, TEXT_ITEM = (
    metadata.tables[name] for name in ("dose", "dose_event", "text_out", "text_in", "text_item")
)
PLAN_EVENT, CHECK_IN, RATING, ALERT, AUDIT = (metadata.tables[name] for name in ("plan_event", "check_in", "rating", "alert", "audit"))
CONSENT, SUPPLY = metadata.tables["consent"], metadata.tables["supply"]

SAID = ("said_taken", "said_not_taken", "said_odd")
RATINGS_A_TEXT = 10


@dataclass(frozen=True, slots=True)
class Before:
    """A place in time: before an instant, and of what is of that very instant, before a kind (`source`) and an id."""

    at: datetime
    source: str
    id: str | int


def _is_before(at: ColumnElement[Any], key: ColumnElement[Any], source: str, before: Before | None) -> ColumnElement[bool]:
    if before is None:
        return true()
    if source == before.source:
        return or_(at < before.at, and_(at == before.at, key < before.id))
    return at <= before.at if source < before.source else at < before.at


def _newest(
    c: Connection, keys: Sequence[object], by: Callable[[Any], Select[Any]], *, order: tuple[Table, str, str], limit: int
) -> list[Row]:
    """The newest rows under each of some keys. Each is asked for by itself: together they would all be read, to be sorted."""
    table, at, key = order
    newest = (table.c[at].desc(), table.c[key].desc())
    found = [row for one in keys for row in _rows(c, by(one).order_by(*newest).limit(limit))]
    return sorted(found, key=lambda row: (row[at], row[key]), reverse=True)[:limit]


def texts_out(
    c: Connection, clinic_id: str, patient_id: str, points: Sequence[str], *, before: Before | None, source: str, limit: int
) -> list[Row]:
    """The texts to some numbers that are about a patient, or about nobody."""
    about = (TEXT_OUT.c.clinic_id == clinic_id, or_(TEXT_OUT.c.patient_id == patient_id, TEXT_OUT.c.patient_id.is_(None)))
    place = _is_before(TEXT_OUT.c.created_at, TEXT_OUT.c.id, source, before)

    def to(point: str) -> Select[Any]:
        return select(TEXT_OUT).where(TEXT_OUT.c.contact_point_id == point, *about, place)

    return _newest(c, points, to, order=(TEXT_OUT, "created_at", "id"), limit=limit)


def texts_in(c: Connection, clinic_id: str, phones: Sequence[str], *, before: Before | None, source: str, limit: int) -> list[Row]:
    """The texts from some numbers, as the clinic took them in."""
    place = _is_before(TEXT_IN.c.received_at, TEXT_IN.c.sid, source, before)

    def from_(phone: str) -> Select[Any]:
        return select(TEXT_IN).where(TEXT_IN.c.from_phone == phone, TEXT_IN.c.clinic_id == clinic_id, place)

    return _newest(c, phones, from_, order=(TEXT_IN, "received_at", "sid"), limit=limit)


def plan_events(c: Connection, clinic_id: str, plan_ids: Sequence[str], *, before: Before | None, source: str, limit: int) -> list[Row]:
    """What happened to some plans."""
    place = _is_before(PLAN_EVENT.c.at, PLAN_EVENT.c.id, source, before)

    def of(plan_id: str) -> Select[Any]:
        return select(PLAN_EVENT).where(PLAN_EVENT.c.plan_id == plan_id, PLAN_EVENT.c.clinic_id == clinic_id, place)

    return _newest(c, plan_ids, of, order=(PLAN_EVENT, "at", "id"), limit=limit)


def supplies(c: Connection, clinic_id: str, plan_ids: Sequence[str], *, before: Before | None, source: str, limit: int) -> list[Row]:
    """What was said of the tablets of some plans."""
    place = _is_before(SUPPLY.c.at, SUPPLY.c.id, source, before)

    def of(plan_id: str) -> Select[Any]:
        return select(SUPPLY).where(SUPPLY.c.plan_id == plan_id, SUPPLY.c.clinic_id == clinic_id, place)

    return _newest(c, plan_ids, of, order=(SUPPLY, "at", "id"), limit=limit)


def check_ins(c: Connection, clinic_id: str, plan_ids: Sequence[str], *, before: Before | None, source: str, limit: int) -> list[Row]:
    """When the patients of some plans were asked how it goes."""
    place = _is_before(CHECK_IN.c.asked_at, CHECK_IN.c.id, source, before)

    def of(plan_id: str) -> Select[Any]:
        return select(CHECK_IN).where(CHECK_IN.c.clinic_id == clinic_id, CHECK_IN.c.plan_id == plan_id, place)

    return _newest(c, plan_ids, of, order=(CHECK_IN, "asked_at", "id"), limit=limit)


def ratings(c: Connection, clinic_id: str, patient_id: str, *, before: Before | None, source: str, limit: int) -> list[Row]:
    """The numbers that a patient told, all of a text together: as many rows as that many texts can have."""
    place = _is_before(RATING.c.at, RATING.c.sid, source, before)
    query = select(RATING).where(RATING.c.patient_id == patient_id, RATING.c.clinic_id == clinic_id, place)
    return _rows(c, query.order_by(RATING.c.at.desc(), RATING.c.sid.desc(), RATING.c.item).limit(limit * RATINGS_A_TEXT))


def alerts(c: Connection, clinic_id: str, patient_id: str, *, before: Before | None, source: str, limit: int) -> list[Row]:
    """A patient's alerts, closed ones too."""
    place = _is_before(ALERT.c.raised_at, ALERT.c.id, source, before)
    query = select(ALERT).where(ALERT.c.patient_id == patient_id, ALERT.c.clinic_id == clinic_id, place)
    return _rows(c, query.order_by(ALERT.c.raised_at.desc(), ALERT.c.id.desc()).limit(limit))


def consents(
    c: Connection, clinic_id: str, patient_id: str, points: Sequence[str], *, before: Before | None, source: str, limit: int
) -> list[Row]:
    """What was said at some numbers of being texted about a patient."""
    place = _is_before(CONSENT.c.at, CONSENT.c.id, source, before)
    mine = (CONSENT.c.contact_point_id.in_(points), CONSENT.c.clinic_id == clinic_id, CONSENT.c.patient_id == patient_id)
    return _rows(c, select(CONSENT).where(*mine, place).order_by(CONSENT.c.at.desc(), CONSENT.c.id.desc()).limit(limit)) if points else []


def corrections(
    c: Connection, clinic_id: str, patient_id: str, *, since: datetime, before: Before | None, source: str, limit: int
) -> list[Row]:
    """What staff set right of a patient's doses due since an instant, each with its slot."""
    its_dose = (DOSE.c.id == DOSE_EVENT.c.dose_id) & (DOSE.c.clinic_id == DOSE_EVENT.c.clinic_id)
    query = select(DOSE_EVENT, DOSE.c.plan_id, DOSE.c.local_date, DOSE.c.slot_no).join(DOSE, its_dose)
    mine = (DOSE.c.patient_id == patient_id, DOSE.c.clinic_id == clinic_id, DOSE.c.due_at >= since, DOSE_EVENT.c.kind == "corrected")
    place = _is_before(DOSE_EVENT.c.at, DOSE_EVENT.c.id, source, before)
    return _rows(c, query.where(*mine, place).order_by(DOSE_EVENT.c.at.desc(), DOSE_EVENT.c.id.desc()).limit(limit))


def acts(c: Connection, clinic_id: str, subjects: Sequence[str], *, before: Before | None, source: str, limit: int) -> list[Row]:
    """What the audit has of some subjects; its ids are numbers."""
    if before is not None and before.source == source:
        before = Before(before.at, source, int(before.id) if str(before.id).isdigit() else 0)
    place = _is_before(AUDIT.c.at, AUDIT.c.no, source, before)

    def of(subject: str) -> Select[Any]:
        return select(AUDIT).where(AUDIT.c.subject == subject, AUDIT.c.clinic_id == clinic_id, place)

    return _newest(c, subjects, of, order=(AUDIT, "at", "no"), limit=limit)


def doses_of_texts(c: Connection, clinic_id: str, text_ids: Sequence[str]) -> list[Row]:
    """The doses that some texts are about: text_id, plan_id, local_date, slot_no."""
    if not text_ids:
        return []
    its_dose = (DOSE.c.id == TEXT_ITEM.c.dose_id) & (DOSE.c.clinic_id == TEXT_ITEM.c.clinic_id)
    query = select(TEXT_ITEM.c.text_id, DOSE.c.plan_id, DOSE.c.local_date, DOSE.c.slot_no).join(DOSE, its_dose)
    return _rows(c, query.where(TEXT_ITEM.c.text_id.in_(text_ids), TEXT_ITEM.c.clinic_id == clinic_id).order_by(DOSE.c.due_at, DOSE.c.id))


def doses_decided(c: Connection, clinic_id: str, patient_id: str, *, since: datetime, until: datetime) -> list[Row]:
    """What was told of a patient's doses that were due in a time: at, plan_id, local_date, slot_no."""
    its_dose = (DOSE.c.id == DOSE_EVENT.c.dose_id) & (DOSE.c.clinic_id == DOSE_EVENT.c.clinic_id)
    query = select(DOSE_EVENT.c.at, DOSE.c.plan_id, DOSE.c.local_date, DOSE.c.slot_no).join(DOSE, its_dose)
    mine = (DOSE.c.patient_id == patient_id, DOSE.c.clinic_id == clinic_id, DOSE.c.due_at >= since, DOSE.c.due_at <= until)
    return _rows(c, query.where(*mine, DOSE_EVENT.c.kind.in_(SAID)).order_by(DOSE.c.due_at, DOSE.c.id))


def _rows(c: Connection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in c.execute(query).mappings()]
