"""What happened to one patient, newest first and a page at a time: each kind of row looked for by its own index.

A page ends at a place in time (`Before`), and the next begins there: rows of one instant are told apart by their kind and id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select, true

from db.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Connection, Select, Table

Row = Mapping[str, Any]
Spell = tuple[str, datetime, datetime]
"""A number, and from when until when somebody was reached at it."""

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


@dataclass(frozen=True, slots=True)
class Page:
    """A page of one kind of row at one clinic: so many, before a place in time if there is one. `source` names the kind."""

    clinic_id: str
    before: Before | None
    source: str
    limit: int


def _is_before(at: ColumnElement[Any], key: ColumnElement[Any], page: Page) -> ColumnElement[bool]:
    before = page.before
    if before is None:
        return true()
    if page.source == before.source:
        return or_(at < before.at, and_(at == before.at, key < before.id))
    return at <= before.at if page.source < before.source else at < before.at


_ORDER = {
    TEXT_OUT: (TEXT_OUT.c.created_at, TEXT_OUT.c.id),
    TEXT_IN: (TEXT_IN.c.received_at, TEXT_IN.c.sid),
    PLAN_EVENT: (PLAN_EVENT.c.at, PLAN_EVENT.c.id),
    SUPPLY: (SUPPLY.c.at, SUPPLY.c.id),
    CHECK_IN: (CHECK_IN.c.asked_at, CHECK_IN.c.id),
    ALERT: (ALERT.c.raised_at, ALERT.c.id),
    CONSENT: (CONSENT.c.at, CONSENT.c.id),
    AUDIT: (AUDIT.c.at, AUDIT.c.no),
}
"""By table, its instant and what tells apart the rows of one."""


def _newest(c: Connection, page: Page, table: Table, *mine: ColumnElement[bool]) -> list[Row]:
    at, key = _ORDER[table]
    place = (table.c.clinic_id == page.clinic_id, _is_before(at, key, page))
    return _rows(c, select(table).where(*mine, *place).order_by(at.desc(), key.desc()).limit(page.limit))


def _newest_of(c: Connection, page: Page, whose: Column[Any], values: Sequence[str], *mine: ColumnElement[bool]) -> list[Row]:
    """The newest rows of some values of a column. Each is asked for by itself: together they would all be read, to be sorted."""
    at, key = _ORDER[whose.table]
    found = [row for value in values for row in _newest(c, page, whose.table, whose == value, *mine)]
    return sorted(found, key=lambda row: (row[at.name], row[key.name]), reverse=True)[: page.limit]


def texts_out(c: Connection, page: Page, patient_id: str, points: Sequence[str], *, former: Sequence[str] = ()) -> list[Row]:
    """The texts to some numbers that are about a patient, or about nobody; to `former` ones, those about the patient alone."""
    whose, mine = TEXT_OUT.c.contact_point_id, TEXT_OUT.c.patient_id == patient_id
    found = _newest_of(c, page, whose, points, or_(mine, TEXT_OUT.c.patient_id.is_(None)))
    return [*found, *_newest_of(c, page, whose, former, mine)]


def texts_in(c: Connection, page: Page, phones: Sequence[str], *, former: Sequence[Spell] = ()) -> list[Row]:
    """The texts from some numbers, as the clinic took them in; from `former` ones, those of a while."""
    found = _newest_of(c, page, TEXT_IN.c.from_phone, phones)
    for phone, since, until in former:
        found += _newest_of(c, page, TEXT_IN.c.from_phone, [phone], TEXT_IN.c.received_at >= since, TEXT_IN.c.received_at < until)
    return list({row["sid"]: row for row in found}.values())


def plan_events(c: Connection, page: Page, plan_ids: Sequence[str]) -> list[Row]:
    """What happened to some plans."""
    return _newest_of(c, page, PLAN_EVENT.c.plan_id, plan_ids)


def supplies(c: Connection, page: Page, plan_ids: Sequence[str]) -> list[Row]:
    """What was said of the tablets of some plans."""
    return _newest_of(c, page, SUPPLY.c.plan_id, plan_ids)


def check_ins(c: Connection, page: Page, plan_ids: Sequence[str]) -> list[Row]:
    """When the patients of some plans were asked how it goes."""
    return _newest_of(c, page, CHECK_IN.c.plan_id, plan_ids)


def ratings(c: Connection, page: Page, patient_id: str) -> list[Row]:
    """The numbers that a patient told, all of a text together: as many rows as that many texts can have."""
    mine = (RATING.c.patient_id == patient_id, RATING.c.clinic_id == page.clinic_id, _is_before(RATING.c.at, RATING.c.sid, page))
    order = (RATING.c.at.desc(), RATING.c.sid.desc(), RATING.c.item)
    return _rows(c, select(RATING).where(*mine).order_by(*order).limit(page.limit * RATINGS_A_TEXT))


def alerts(c: Connection, page: Page, patient_id: str) -> list[Row]:
    """A patient's alerts, closed ones too."""
    return _newest(c, page, ALERT, ALERT.c.patient_id == patient_id)


def consents(c: Connection, page: Page, patient_id: str, points: Sequence[str]) -> list[Row]:
    """What was said at some numbers of being texted about a patient."""
    mine = (CONSENT.c.contact_point_id.in_(points), CONSENT.c.patient_id == patient_id)
    return _newest(c, page, CONSENT, *mine) if points else []


def corrections(c: Connection, page: Page, patient_id: str, *, since: datetime) -> list[Row]:
    """What staff set right of a patient's doses due since an instant, each with its slot."""
    its_dose = (DOSE.c.id == DOSE_EVENT.c.dose_id) & (DOSE.c.clinic_id == DOSE_EVENT.c.clinic_id)
    query = select(DOSE_EVENT, DOSE.c.plan_id, DOSE.c.local_date, DOSE.c.slot_no).join(DOSE, its_dose)
    mine = (DOSE.c.patient_id == patient_id, DOSE.c.clinic_id == page.clinic_id, DOSE.c.due_at >= since, DOSE_EVENT.c.kind == "corrected")
    place = _is_before(DOSE_EVENT.c.at, DOSE_EVENT.c.id, page)
    return _rows(c, query.where(*mine, place).order_by(DOSE_EVENT.c.at.desc(), DOSE_EVENT.c.id.desc()).limit(page.limit))


def acts(c: Connection, page: Page, subjects: Sequence[str]) -> list[Row]:
    """What the audit has of some subjects; its ids are numbers."""
    before = page.before
    if before is not None and before.source == page.source:
        page = replace(page, before=replace(before, id=int(before.id) if str(before.id).isdigit() else 0))
    return _newest_of(c, page, AUDIT.c.subject, subjects)


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
