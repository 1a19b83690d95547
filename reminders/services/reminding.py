"""Reminding: what becomes of each dose as its minute comes, and the text that says so.

The patient row is the lock. One transaction claims patients, decides every slot from each plan's cursor to now, writes
doses and texts, and moves the cursor: a pass that does not commit has changed nothing.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.milestones import Milestone, Passing, unmarked
from reminders.services.records import alerts, announcements, due, stepping
from reminders.services.records.alerts import Notice
from reminders.services.records.due import Due

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)

TRIES = 3
PUT_BACK = timedelta(minutes=1)


def remind_due(engine: Engine, *, now: datetime, limit: int = 500, only: str | None = None, passing: Passing = unmarked) -> int:
    """Record every dose that fell due for the next patients in line, and write their texts; return how many patients."""
    with writing(engine) as c:
        claimed = due.claim(c, now=now, limit=limit, only=only)
        passing(Milestone.BATCH_CLAIMED)
        stepping.look_first(c, claimed, now=now)
        standing = due.gather(c, claimed, now=now)
        decided = [_decided(c, one, now) for one in standing]
        announcements.apply(c, decided, now=now)
        passing(Milestone.BATCH_BEFORE_COMMIT)
    passing(Milestone.BATCH_AFTER_COMMIT)
    return len(claimed)


def remind_singly(engine: Engine, *, now: datetime, limit: int = 500) -> int:
    """Do a failed batch again one patient at a time; who fails alone is put back a minute, and set aside at the third time."""
    with reading(engine) as c:
        waiting = due.waiting(c, now=now, limit=limit)
    done = 0
    for patient_id in waiting:
        try:
            done += remind_due(engine, now=now, limit=1, only=patient_id)
        except Exception:
            log.exception("patient %s put back", patient_id)
            done += _put_back(engine, patient_id, now=now)
    return done


def due_minutes(engine: Engine, *, now: datetime, until: datetime) -> list[datetime]:
    """The distinct minutes at which a plan has a dose due, in order; what is overdue counts as now."""
    with reading(engine) as c:
        return due.minutes(c, now=now, until=until)


def record_pass(engine: Engine, name: str, *, now: datetime) -> None:
    """Stamp the end of a pass: the only proof that the loop is alive."""
    with writing(engine) as c:
        due.stamp(c, name, now=now)


def _decided(c: Connection, one: Due, now: datetime) -> announcements.Decided:
    """Decide one patient's plans. A plan that cannot be decided is set aside; nobody else waits for it."""
    decided, standing = announcements.Decided(one), one
    for plan in one.due_plans:
        try:
            falling = standing.falling(plan, now)
            decided.add(plan, falling)
            standing = standing.knowing(plan, falling, now)
        except Exception:
            log.exception("plan %s cannot be decided", plan.id)
            if due.plan_failed(c, plan, tries=TRIES, again_at=now + PUT_BACK, now=now):
                alerts.raise_once(c, one.patient, _set_aside(plan.id), now=now)
    return decided


def _put_back(engine: Engine, patient_id: str, *, now: datetime) -> int:
    with writing(engine) as c:
        for plan in due.patient_failed(c, patient_id, tries=TRIES, again_at=now + PUT_BACK, now=now):
            alerts.raise_once(c, plan.patient, _set_aside(plan.plan_id), now=now)
    return 1


def _set_aside(plan_id: str) -> Notice:
    words = "This plan could not be worked out three times running, and is off the clock: its reminders do not go out. Call the patient."
    return Notice("plan_set_aside", "urgent", f"set aside {plan_id}", words, plan_id=plan_id, clinical=False, owner="operator")
