"""Which of several plans a text is about, and whose: without a drug name, "your 8:00 am dose" could be either medicine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reminders.services.records import plans

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan


def which(patient: Patient, live: Iterable[StoredPlan], plan: StoredPlan) -> str:
    """What is put beside a dose: initials for a shared phone, the label's letter where the patient has another plan; else nothing.

    `live` are the patient's plans that are not over. Of one that is over itself there are still doses to speak of.
    """
    line = patient.line
    initials = "".join(name[0] for name in patient.name.split()[:2]) if line and line.shared else ""
    several = any(other.id != plan.id for other in live)
    found = " ".join(part for part in (initials, letter(plan) if several else "") if part)
    return f"({found})" if found else ""


def which_of(c: Connection, patient: Patient, plan: StoredPlan) -> dict[str, str]:
    """The same as a text's field, where the patient's other plans are not at hand."""
    return {"which": which(patient, plans.of_patients(c, [patient.id]).get(patient.id, ()), plan)}


def letter(plan: StoredPlan) -> str:
    """The letter by which a patient names a plan; empty if it has no label."""
    return plan.label[0].upper() if plan.label else ""
