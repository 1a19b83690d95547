"""Many patients with plans, written straight into the ledger: enrolling a herd one by one would take minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from db.engine import reading, writing
from db.tables import metadata
from reminders import drugs
from reminders.domain.plan import Course, Plan
from reminders.domain.schedule import next_slot
from reminders.services.records.plans import document_of
from tests.builders import a_phase, a_plan

Row = dict[str, object]
PHONES = 100  # of a clinic: the numbers +1 202 555 0100 to 0199 belong to nobody
LABELS = ("A, blue cap", "B, red cap", "C, green cap")


def due_at(at: datetime, label: str | None = None, *, drug: str = "baclofen-tablet", zone: str = "UTC") -> Plan:
    """A plan of one dose a day, due for the first time at this minute."""
    local = at.astimezone(ZoneInfo(zone))
    return a_plan(a_phase("5", at=(f"{local:%H:%M}",)), zone=zone, start=f"{local:%Y-%m-%d}", label=label, drug=drug)


def shelve_another_medicine(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a medicine of another ingredient on the shelf, else like baclofen, and return its key.

    Two plans of one ingredient at one minute would be a dose too many, and so no case of two doses in one text.
    """
    baclofen = drugs.load("baclofen-tablet")
    other = replace(baclofen, key="another-tablet", name="another", aliases=(), ingredient="another")
    monkeypatch.setattr(drugs, "_shelf", lambda: (baclofen, other))
    return other.key


def enrol(engine: Engine, *plans: Plan, now: datetime, patients: int = 1, zone: str = "UTC", phones: Sequence[str] = ()) -> list[str]:
    """Enrol patients who may be texted, each with these plans, decided up to now; return the plans' ids.

    Their phones are the hundred numbers that belong to nobody, again in each clinic, unless others are given, one a patient.
    """
    made: dict[str, list[Row]] = {
        name: [] for name in ("clinic", "patient", "contact_point", "contact_role", "consent", "plan", "plan_version")
    }
    begun = [_begun(plan, now) for plan in plans]
    soonest = min((plan["next_due_at"] for plan, _ in begun if plan["next_due_at"]), default=None, key=str)
    clinic = ""
    for number in range(patients):
        if number % PHONES == 0:
            clinic = uuid4().hex
            made["clinic"].append({"id": clinic, "name": "Elm Street", "phone": "+12025550100", "zone": "UTC", "created_at": now})
        patient = {"clinic_id": clinic, "id": uuid4().hex, "ref": f"p-{number}", "name": "Pat Doe", "zone": zone, "created_at": now}
        made["patient"].append(patient | {"next_due_at": soonest})
        _add_phone(made, patient, phones[number] if phones else f"+120255501{number % PHONES:02}", now)
        for index, (plan, version) in enumerate(begun):
            owner = {
                "clinic_id": clinic,
                "id": uuid4().hex,
                "patient_id": patient["id"],
                "ref": f"{patient['ref']}-{index}",
                "label": LABELS[index],
            }
            made["plan"].append(plan | owner)
            made["plan_version"].append(version | {"clinic_id": clinic, "plan_id": owner["id"]})
    with writing(engine) as connection:
        for name, rows in made.items():
            if rows:
                connection.execute(insert(metadata.tables[name]), rows)
    return [str(plan["id"]) for plan in made["plan"]]


def _begun(plan: Plan, now: datetime) -> tuple[Row, Row]:
    """The rows of a plan decided up to now, and of its first version, without their owner."""
    course = Course.of(plan, datetime.combine(plan.start, datetime.min.time(), tzinfo=plan.tz).astimezone(UTC))
    following = next_slot(course, now)
    document = document_of(plan)
    row = {
        "drug": plan.drug,
        "ingredient": plan.drug.removesuffix("-tablet"),
        "state": "active",
        "approved_by": "Dr Gray",
        "decided_until": now,
        "created_at": now,
    }
    version = {
        "no": 1,
        "used": "{}",
        "document": document,
        "document_hash": hashlib.sha256(document.encode()).hexdigest(),
        "approved_by": "Dr Gray",
    }
    return row | {"next_due_at": following and following.due_at}, version | {
        "effective_at": course.current.effective_at,
        "approved_at": now,
    }


def _add_phone(made: dict[str, list[Row]], patient: Row, phone: str, now: datetime) -> None:
    owner = {"clinic_id": patient["clinic_id"], "id": uuid4().hex}
    points = {"contact_point_id": owner["id"], "patient_id": patient["id"]}
    made["contact_point"].append(owner | {"phone": phone, "verified_at": now, "created_at": now})
    made["contact_role"].append(owner | points | {"role": "patient", "name": "Pat Doe"})
    made["consent"].append(owner | points | {"kind": "given", "given_by": "Pat Doe", "at": now})


def count(engine: Engine, table: str, **where: object) -> int:
    """Count the rows of a table in which the columns have these values."""
    with reading(engine) as connection:
        return counted(connection, table, **where)


def counted(connection: Connection, table: str, **where: object) -> int:
    """Count the rows of a table in which the columns have these values."""
    columns = metadata.tables[table].columns
    wanted = [columns[name] == value for name, value in where.items()]
    return int(connection.execute(select(func.count()).select_from(metadata.tables[table]).where(*wanted)).scalar_one())


def column(engine: Engine, table: str, name: str) -> Sequence[object]:
    """Return all that a column holds, in order."""
    wanted = metadata.tables[table].columns[name]
    with reading(engine) as connection:
        return connection.scalars(select(wanted).order_by(wanted)).all()
