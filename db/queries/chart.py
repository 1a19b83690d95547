"""What a patient's page looks at: one patient, a bounded number of rows each, each found by an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.queries.gravity import GRAVEST_FIRST
from db.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

Row = Mapping[str, Any]

PATIENT, PLAN, DOSE, DOSE_EVENT = (metadata.tables[name] for name in ("patient", "plan", "dose", "dose_event"))
TEXT_OUT, TEXT_ITEM = metadata.tables["text_out"], metadata.tables["text_item"]
CONSENT, MEDICINE, ALERT, PLAN_EVENT = (metadata.tables[name] for name in ("consent", "medicine", "alert", "plan_event"))


def is_patient_of(c: Connection, clinic_id: str, patient_id: str) -> bool:
    """Whether a clinic has a patient of this id."""
    return c.scalar(select(PATIENT.c.id).where(PATIENT.c.id == patient_id, PATIENT.c.clinic_id == clinic_id)) is not None


def plans(c: Connection, clinic_id: str, patient_id: str, *, limit: int) -> list[Row]:
    """A patient's plans: id, approved_by, set_aside_at, ended_at; those that go on first, and then the newest."""
    query = select(PLAN.c.id, PLAN.c.approved_by, PLAN.c.set_aside_at, PLAN.c.ended_at)
    mine = (PLAN.c.patient_id == patient_id, PLAN.c.clinic_id == clinic_id)
    order = (PLAN.c.ended_at.is_not(None), PLAN.c.created_at.desc(), PLAN.c.id)
    return _rows(c, query.where(*mine).order_by(*order).limit(limit))


def doses(c: Connection, clinic_id: str, plan_ids: Sequence[str], *, first: date, end: date) -> list[Row]:
    """The doses of some plans with `first <= local date < end`, in order of due instant."""
    mine = (DOSE.c.clinic_id == clinic_id, DOSE.c.plan_id.in_(plan_ids), DOSE.c.local_date >= first, DOSE.c.local_date < end)
    return _rows(c, select(DOSE).where(*mine).order_by(DOSE.c.due_at, DOSE.c.slot_no))


def corrected(c: Connection, dose_ids: Sequence[str]) -> set[str]:
    """Of some doses, those that a person has set right."""
    query = select(DOSE_EVENT.c.dose_id).where(DOSE_EVENT.c.dose_id.in_(dose_ids), DOSE_EVENT.c.kind == "corrected")
    return set(c.scalars(query)) if dose_ids else set()


def dose(c: Connection, clinic_id: str, plan_id: str, *, on: date, number: int) -> Row | None:
    """One dose of a plan, by its slot."""
    mine = (DOSE.c.clinic_id == clinic_id, DOSE.c.plan_id == plan_id, DOSE.c.local_date == on, DOSE.c.slot_no == number)
    return next(iter(_rows(c, select(DOSE).where(*mine))), None)


def dose_events(c: Connection, clinic_id: str, dose_id: str, *, limit: int) -> list[Row]:
    """What is known of a dose, as it was learnt."""
    mine = (DOSE_EVENT.c.dose_id == dose_id, DOSE_EVENT.c.clinic_id == clinic_id)
    return _rows(c, select(DOSE_EVENT).where(*mine).order_by(DOSE_EVENT.c.no).limit(limit))


def texts_of_dose(c: Connection, clinic_id: str, dose_id: str, *, limit: int) -> list[Row]:
    """The texts that announced a dose, reminded of it or corrected it, oldest first."""
    of_it = (TEXT_ITEM.c.text_id == TEXT_OUT.c.id) & (TEXT_ITEM.c.clinic_id == TEXT_OUT.c.clinic_id)
    query = select(TEXT_OUT, TEXT_ITEM.c.kind.label("item")).join(TEXT_ITEM, of_it)
    mine = (TEXT_ITEM.c.clinic_id == clinic_id, TEXT_ITEM.c.dose_id == dose_id)
    return _rows(c, query.where(*mine).order_by(TEXT_OUT.c.created_at, TEXT_OUT.c.id).limit(limit))


def consents(c: Connection, clinic_id: str, patient_id: str, point_ids: Sequence[str], *, limit: int) -> list[Row]:
    """What is on record of being texted about a patient, at some numbers, newest first."""
    mine = (CONSENT.c.contact_point_id.in_(point_ids), CONSENT.c.clinic_id == clinic_id, CONSENT.c.patient_id == patient_id)
    return _rows(c, select(CONSENT).where(*mine).order_by(CONSENT.c.at.desc(), CONSENT.c.id).limit(limit)) if point_ids else []


def medicines(c: Connection, clinic_id: str, patient_id: str, *, limit: int) -> list[Row]:
    """The medicines on a patient's list, and those that came off it, newest first."""
    mine = (MEDICINE.c.patient_id == patient_id, MEDICINE.c.clinic_id == clinic_id)
    return _rows(c, select(MEDICINE).where(*mine).order_by(MEDICINE.c.added_at.desc(), MEDICINE.c.id).limit(limit))


def alerts(c: Connection, clinic_id: str, patient_id: str, *, limit: int) -> list[Row]:
    """A patient's open alerts, the gravest first, then the oldest."""
    mine = (ALERT.c.patient_id == patient_id, ALERT.c.clinic_id == clinic_id, ALERT.c.closed_at.is_(None))
    return _rows(c, select(ALERT).where(*mine).order_by(GRAVEST_FIRST, ALERT.c.raised_at, ALERT.c.id).limit(limit))


def acknowledged(c: Connection, plan_ids: Sequence[str], *, limit: int) -> list[Row]:
    """What was said of the list of medicines beside some plans, by whom and why, newest first."""
    kinds = ("interaction acknowledged", "medicine added", "medicine removed", "alcohol none")
    mine = (PLAN_EVENT.c.plan_id.in_(plan_ids), PLAN_EVENT.c.kind.in_(kinds))
    return _rows(c, select(PLAN_EVENT).where(*mine).order_by(PLAN_EVENT.c.at.desc(), PLAN_EVENT.c.id.desc()).limit(limit))


def _rows(c: Connection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in c.execute(query).mappings()]
