"""What the phones around one patient show, as rows: who is behind each, what was said both ways, and the facts that were decided by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from reminders.services.records.ledger import (
    ALERT,
    CLINIC,
    CONTACT_POINT,
    CONTACT_ROLE,
    DOSE,
    DOSE_EVENT,
    ON_CALL,
    PATIENT,
    PLAN,
    PLAN_EVENT,
    TEXT_IN,
    TEXT_ITEM,
    TEXT_OUT,
    by,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

UNSENT = ("cancelled", "expired")


def clinics(c: Connection) -> list[Row]:
    """Every clinic: id, name, zone; simulated ones first."""
    return rows(c, select(CLINIC.c.id, CLINIC.c.name, CLINIC.c.zone).order_by(CLINIC.c.simulated.desc(), CLINIC.c.name, CLINIC.c.id))


def patients(c: Connection, clinic_id: str, *, limit: int) -> list[Row]:
    """The first patients of a clinic: id, name, zone; those with a dose to come before the others, then by name."""
    query = select(PATIENT.c.id, PATIENT.c.name, PATIENT.c.zone).where(PATIENT.c.clinic_id == clinic_id)
    return rows(c, query.order_by(PATIENT.c.next_due_at.is_(None), PATIENT.c.name, PATIENT.c.id).limit(limit))


def patient(c: Connection, clinic_id: str, patient_id: str) -> Row | None:
    """One patient of a clinic; None if there is no such patient there."""
    found = rows(c, select(PATIENT).where(PATIENT.c.clinic_id == clinic_id, PATIENT.c.id == patient_id))
    return found[0] if found else None


def behind(c: Connection, clinic_id: str, patient_id: str) -> list[Row]:
    """The numbers around a patient, with who is behind each: the patient's own first, then a proxy's, then caregivers'."""
    query = (
        select(CONTACT_POINT, CONTACT_ROLE.c.role, CONTACT_ROLE.c.name, CONTACT_ROLE.c.relationship, CONTACT_ROLE.c.id.label("role_id"))
        .join(
            CONTACT_ROLE, (CONTACT_ROLE.c.clinic_id == CONTACT_POINT.c.clinic_id) & (CONTACT_ROLE.c.contact_point_id == CONTACT_POINT.c.id)
        )
        .where(CONTACT_ROLE.c.clinic_id == clinic_id, CONTACT_ROLE.c.patient_id == patient_id, CONTACT_ROLE.c.ended_at.is_(None))
    )
    turn = {"patient": 0, "proxy": 1, "caregiver": 2}
    return sorted(rows(c, query), key=lambda row: (turn[row["role"]], row["name"], row["role_id"]))


def on_call(c: Connection, clinic_id: str) -> Row | None:
    """The clinic's on-call phone, if it has one."""
    here = (ON_CALL.c.clinic_id == CONTACT_POINT.c.clinic_id) & (ON_CALL.c.contact_point_id == CONTACT_POINT.c.id)
    found = rows(c, select(CONTACT_POINT).join(ON_CALL, here).where(CONTACT_POINT.c.clinic_id == clinic_id))
    return found[0] if found else None


def texts_out(c: Connection, clinic_id: str, point_ids: Sequence[str], *, limit: int) -> dict[str, list[Row]]:
    """The last texts to each of some numbers, newest first: those that left, are on their way, or could not be sent."""
    at = func.coalesce(TEXT_OUT.c.sent_at, TEXT_OUT.c.send_at)
    groups = {}
    for point_id in point_ids:
        wanted = (TEXT_OUT.c.clinic_id == clinic_id, TEXT_OUT.c.contact_point_id == point_id, TEXT_OUT.c.state.not_in(UNSENT))
        groups[point_id] = rows(c, select(TEXT_OUT, at.label("at")).where(*wanted).order_by(TEXT_OUT.c.created_at.desc()).limit(limit))
    return groups


def texts_in(c: Connection, clinic_id: str, phones: Sequence[str], *, limit: int) -> dict[str, list[Row]]:
    """The last texts from each of some numbers, newest first."""
    groups = {}
    for phone in phones:
        wanted = (TEXT_IN.c.from_phone == phone, TEXT_IN.c.clinic_id == clinic_id)
        groups[phone] = rows(c, select(TEXT_IN).where(*wanted).order_by(TEXT_IN.c.received_at.desc(), TEXT_IN.c.sid).limit(limit))
    return groups


def doses_of(c: Connection, clinic_id: str, text_ids: Sequence[str]) -> dict[str, list[Row]]:
    """The doses that each of some texts announces, reminds of or corrects, with their four times."""
    if not text_ids:
        return {}
    query = (
        select(DOSE, TEXT_ITEM.c.text_id)
        .join(TEXT_ITEM, (TEXT_ITEM.c.dose_id == DOSE.c.id) & (TEXT_ITEM.c.clinic_id == DOSE.c.clinic_id))
        .where(DOSE.c.clinic_id == clinic_id, TEXT_ITEM.c.text_id.in_(list(text_ids)))
        .order_by(DOSE.c.due_at, DOSE.c.slot_no)
    )
    return by("text_id", rows(c, query))


def advised(c: Connection, clinic_id: str, dose_ids: Sequence[str]) -> dict[str, list[Row]]:
    """What the missed-dose rule said of some doses, by dose, each with the dose's times."""
    if not dose_ids:
        return {}
    query = (
        select(DOSE_EVENT.c.dose_id, DOSE_EVENT.c.at, DOSE_EVENT.c.why, DOSE.c.due_at, DOSE.c.take_until, DOSE.c.offered_until)
        .join(DOSE, (DOSE.c.id == DOSE_EVENT.c.dose_id) & (DOSE.c.clinic_id == DOSE_EVENT.c.clinic_id))
        .where(DOSE.c.clinic_id == clinic_id, DOSE.c.id.in_(list(dose_ids)), DOSE_EVENT.c.kind.in_(("advised_take", "advised_skip")))
        .order_by(DOSE_EVENT.c.at, DOSE_EVENT.c.no)
    )
    return by("dose_id", rows(c, query))


def alerts(c: Connection, clinic_id: str, patient_id: str, *, limit: int) -> list[Row]:
    """A patient's last alerts, newest first."""
    wanted = (ALERT.c.clinic_id == clinic_id, ALERT.c.patient_id == patient_id)
    return rows(c, select(ALERT).where(*wanted).order_by(ALERT.c.raised_at.desc(), ALERT.c.id).limit(limit))


def plan_events(c: Connection, clinic_id: str, patient_id: str, *, limit: int) -> list[Row]:
    """The last things that happened to a patient's plans, newest first."""
    query = (
        select(PLAN_EVENT, PLAN.c.ref.label("plan"))
        .join(PLAN, (PLAN.c.id == PLAN_EVENT.c.plan_id) & (PLAN.c.clinic_id == PLAN_EVENT.c.clinic_id))
        .where(PLAN.c.clinic_id == clinic_id, PLAN.c.patient_id == patient_id)
    )
    return rows(c, query.order_by(PLAN_EVENT.c.at.desc(), PLAN_EVENT.c.id).limit(limit))


def fields_of(text: Row) -> dict[str, str]:
    """What a text's template was filled with."""
    fields: dict[str, str] = json.loads(text["fields"])
    return fields
