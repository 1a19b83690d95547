"""What was taken, or announced and perhaps taken, of one ingredient: the ground for a seam."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from reminders.domain.intake import DoseRecord, perhaps_taken, usual_moment
from reminders.services.records import due

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.plans import StoredPlan


def of_ingredient(c: Connection, plan: StoredPlan, *, since: datetime) -> tuple[DoseRecord, ...]:
    """The recent doses of a plan's ingredient, over all the patient's plans, that were taken or may have been."""
    found = due.records_by_ingredient(c, [plan.patient_id], since=since).get(plan.patient_id, {})
    return tuple(record for record in found.get(plan.profile.ingredient, ()) if perhaps_taken(record))


def last_moment(taken: Sequence[DoseRecord]) -> datetime | None:
    """When the last of them was taken, or announced if nobody told."""
    return max((usual_moment(record) for record in taken), default=None)


def by_date(taken: Sequence[DoseRecord]) -> dict[date, Decimal]:
    """Their amounts by slot date."""
    totals: dict[date, Decimal] = {}
    for record in taken:
        totals[record.slot_date] = totals.get(record.slot_date, Decimal(0)) + record.amount.value
    return totals
