"""Who is due: claiming patients, and gathering for each what the rules read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Integer, bindparam, func, select, union_all, update

from db.types import UtcDateTime
from reminders.domain.announcing import Announced, Falling, PlanStanding, Waits, fall_due
from reminders.domain.contact import Refused, WhyNot
from reminders.domain.dose_state import DoseState
from reminders.domain.missed import DoseRecord
from reminders.domain.plan import DAY
from reminders.domain.schedule import Slot, slots_between
from reminders.services.records import doses, naming, people, plans
from reminders.services.records.ledger import LOOP_PASS, PATIENT, PLAN, insert_once, locked
from reminders.services.records.people import Patient
from reminders.services.records.plans import StoredPlan

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Due:
    """A patient with a dose due: all their plans that are not over, and the recent doses of each ingredient."""

    patient: Patient
    plans: tuple[StoredPlan, ...]
    due_plans: tuple[StoredPlan, ...]
    records: dict[str, tuple[DoseRecord, ...]]

    def standing(self, plan: StoredPlan, now: datetime) -> PlanStanding:
        """A plan as the rules look at it."""
        line = self.patient.line
        return PlanStanding(
            plan_id=plan.id,
            course=plan.course,
            state=plan.state,
            decided_until=plan.decided_until,
            rule=plan.rule,
            limits=plan.limits,
            quiet=self.patient.quiet,
            contact=line.may_text if line else Refused(WhyNot.NO_CONSENT),
            records=self.records.get(plan.profile.ingredient, ()),
            upcoming_other=self.upcoming(plan, now),
        )

    def falling(self, plan: StoredPlan, now: datetime) -> Falling:
        """Ask the rules what becomes of the plan's slots up to now."""
        return fall_due(self.standing(plan, now), now)

    def knowing(self, plan: StoredPlan, falling: Falling, now: datetime) -> Due:
        """The patient with what was just decided of one plan: the next plan of the ingredient keeps its distance from it."""
        fresh = tuple(
            DoseRecord(
                plan=plan.id,
                slot_date=fallen.slot.local_date,
                number=fallen.slot.number,
                due_at=fallen.slot.due_at,
                amount=fallen.slot.amount,
                state=DoseState.PENDING,
                announced_at=now,
                may_take_until=fallen.times.offered_until,
            )
            for fallen in falling.fallen
            if isinstance(fallen.verdict, Announced | Waits)
        )
        ingredient = plan.profile.ingredient
        return replace(self, records={**self.records, ingredient: (*self.records.get(ingredient, ()), *fresh)})

    def has(self, plan: StoredPlan, slot: Slot) -> bool:
        """Whether a slot has a dose on record already: a patient can answer before the reminder."""
        records = self.records.get(plan.profile.ingredient, ())
        return any((record.plan, record.slot_date, record.number) == (plan.id, *slot.key) for record in records)

    def plan(self, plan_id: str) -> StoredPlan | None:
        """One of the patient's plans that are not over."""
        return next((plan for plan in self.plans if plan.id == plan_id), None)

    def which(self, plan: StoredPlan) -> str:
        """Which of the patient's plans a text is about, and whose, as its field says it."""
        return naming.which(self.patient, self.plans, plan)

    def upcoming(self, plan: StoredPlan, now: datetime) -> tuple[Slot, ...]:
        """The coming two days' slots of the same ingredient in the patient's other plans."""
        others = [other for other in self.plans if other.id != plan.id and other.profile.ingredient == plan.profile.ingredient]
        return tuple(slot for other in others if other.state in plans.ON_CLOCK for slot in slots_between(other.course, now, now + 2 * DAY))


def claim(c: Connection, *, now: datetime, limit: int, only: str | None = None) -> list[str]:
    """Take the rows of the next patients with a dose due, passing over those another replica holds."""
    query = _DUE if only is None else _DUE.where(PATIENT.c.id == only)
    return list(c.scalars(locked(c, query, skip=True), {"now": now, "limit": limit}))


_DUE = (  # made once: to make a statement costs more than to run it
    select(PATIENT.c.id)
    .where(PATIENT.c.next_due_at <= bindparam("now", type_=UtcDateTime))
    .order_by(PATIENT.c.next_due_at, PATIENT.c.id)
    .limit(bindparam("limit", type_=Integer))
)


def waiting(c: Connection, *, now: datetime, limit: int) -> list[str]:
    """The next patients with a dose due, without claiming them."""
    return list(c.scalars(select(PATIENT.c.id).where(PATIENT.c.next_due_at <= now).order_by(PATIENT.c.next_due_at).limit(limit)))


def gather(c: Connection, patient_ids: Sequence[str], *, now: datetime) -> list[Due]:
    """Read what the rules need of patients, by sets."""
    if not patient_ids:
        return []
    known = people.patients(c, patient_ids)
    their_plans = plans.of_patients(c, patient_ids)
    records = records_by_ingredient(c, patient_ids, since=now - doses.RECENT)
    return [
        Due(
            known[patient_id],
            tuple(their_plans.get(patient_id, ())),
            tuple(plan for plan in their_plans.get(patient_id, ()) if plan.next_due_at is not None and plan.next_due_at <= now),
            records.get(patient_id, {}),
        )
        for patient_id in patient_ids
    ]


def records_by_ingredient(c: Connection, patient_ids: Sequence[str], *, since: datetime) -> dict[str, dict[str, tuple[DoseRecord, ...]]]:
    """The recent doses of patients, by patient and ingredient, over all their plans, those that are over too."""
    ingredients = doses.plan_ids_of_ingredient(c, patient_ids)
    groups: dict[str, dict[str, tuple[DoseRecord, ...]]] = {}
    for patient_id, found in doses.of_patients(c, patient_ids, since=since).items():
        mine = groups.setdefault(patient_id, {})
        for dose in found:
            ingredient = ingredients[dose.plan_id][1]
            mine[ingredient] = (*mine.get(ingredient, ()), doses.record_of(dose))
    return groups


def minutes(c: Connection, *, now: datetime, until: datetime) -> list[datetime]:
    """The distinct minutes at which something is due for a patient's plans, up to `until`; what is overdue counts as now."""
    coming = select(PLAN.c.next_due_at).where(PLAN.c.next_due_at > now, PLAN.c.next_due_at < until, PLAN.c.set_aside_at.is_(None))
    overdue = select(func.min(PATIENT.c.next_due_at)).where(PATIENT.c.next_due_at <= now)
    found = c.scalars(union_all(coming.distinct(), overdue)).all()
    return sorted({max(at, now) for at in found if at is not None})


def stamp(c: Connection, name: str, *, now: datetime) -> None:
    """Write when a part of the loop last finished a pass."""
    if c.execute(update(LOOP_PASS).where(LOOP_PASS.c.name == name).values(at=now)).rowcount == 0:
        insert_once(c, LOOP_PASS, {"name": name, "at": now})


def last_stamp(c: Connection, name: str) -> datetime | None:
    """When a part of the loop last finished a pass; None if it never did."""
    at: datetime | None = c.scalar(select(LOOP_PASS.c.at).where(LOOP_PASS.c.name == name))
    return at


def plan_failed(c: Connection, plan: StoredPlan, *, tries: int, again_at: datetime, now: datetime) -> bool:
    """Put a plan that could not be decided back a minute; the last time set it aside. Say whether it was set aside."""
    if plan.tries + 1 >= tries:
        plans.save(c, plan, tries=plan.tries + 1, set_aside_at=now, next_due_at=None)
    else:
        plans.save(c, plan, tries=plan.tries + 1, next_due_at=again_at)
    plans.set_next_due(c, [plan.patient_id])
    return plan.tries + 1 >= tries


@dataclass(frozen=True)
class SetAside:
    """A plan taken off the clock, and whose it is."""

    patient: Patient
    plan_id: str


def patient_failed(c: Connection, patient_id: str, *, tries: int, again_at: datetime, now: datetime) -> list[SetAside]:
    """Put a patient whose pass fails alone back a minute; the last time set their due plans aside, and return those."""
    c.execute(locked(c, select(PATIENT.c.id).where(PATIENT.c.id == patient_id))).all()
    failed = c.execute(select(PATIENT.c.tries).where(PATIENT.c.id == patient_id)).scalar_one() + 1
    late = (PLAN.c.patient_id == patient_id) & (PLAN.c.next_due_at <= now)
    if failed < tries:
        c.execute(update(PATIENT).where(PATIENT.c.id == patient_id).values(tries=failed))
        c.execute(update(PLAN).where(late).values(next_due_at=again_at))
        plans.set_next_due(c, [patient_id])
        return []
    plan_ids = list(c.scalars(select(PLAN.c.id).where(late)))
    c.execute(update(PLAN).where(late).values(set_aside_at=now, next_due_at=None))
    c.execute(update(PATIENT).where(PATIENT.c.id == patient_id).values(tries=0))
    plans.set_next_due(c, [patient_id])
    patient = people.patients(c, [patient_id])[patient_id]
    return [SetAside(patient, plan_id) for plan_id in plan_ids]


MERGED = timedelta(minutes=10)
"""Doses of one patient due this close together travel in one text."""
