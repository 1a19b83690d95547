"""How the counters of misses see a plan's stored doses, given how far its patient has been heard."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reminders.domain.escalation import CountedDose, counted_dose
from reminders.domain.hearing import Heard, Hearing
from reminders.services.records import doses, plans

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from reminders.services.records.doses import StoredDose

LAST_DOSES = 60


def of_plan(c: Connection, plan_id: str, hearing: Hearing, now: datetime) -> tuple[tuple[StoredDose, ...], tuple[CountedDose, ...]]:
    """Read a plan's last doses, and see those of them that count: a restart by a provider begins every count anew."""
    recent = tuple(doses.of_plan(c, plan_id, last=LAST_DOSES))
    began = plans.restarted_at(c, plan_id)
    return recent, tuple(_counted(dose, hearing, now) for dose in recent if began is None or dose.slot.due_at >= began)


def _counted(dose: StoredDose, hearing: Hearing, now: datetime) -> CountedDose:
    """See a dose as the counters do at `now`."""
    silent_at = dose.times.silent_at if is_silent(dose, hearing, now) else now + timedelta.resolution
    verified = hearing.of(dose.times.silent_at, now) is Heard.ALL
    return counted_dose(dose.standing, dose.slot.due_at, silent_at=silent_at, now=now, verified=verified, key=dose.id)


def is_silent(dose: StoredDose, hearing: Hearing, now: datetime) -> bool:
    """Whether the silence about an open dose counts: its time has come, and what was texted before has been fetched, or is given up."""
    silent_at = dose.times.silent_at
    return silent_at <= now and hearing.of(silent_at, now) is not Heard.NOT_YET
