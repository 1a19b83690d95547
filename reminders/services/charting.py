"""Charting: one patient's chart, for whoever cares for them at their clinic."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from db.engine import reading
from db.queries.timeline import Before
from reminders.domain.acting import StaffAction
from reminders.domain.offering import offered, withheld
from reminders.domain.plan_state import PlanState
from reminders.domain.roles import Right, StaffRole
from reminders.errors import UnknownPatient, UnknownPlan
from reminders.services.records import alerts, charts, conversations, dose_charts, people, plans, staff, timelines
from reminders.services.records.charts import AlertCard, Cell, Chart, PhaseLine, PlanChart
from reminders.services.records.conversations import Conversation
from reminders.services.records.dose_charts import DoseChart
from reminders.services.records.timelines import Coming, Entry, Kind

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

__all__ = [
    "Acted",
    "AlertCard",
    "Before",
    "Cell",
    "Chart",
    "DoseSeen",
    "Kind",
    "Page",
    "PhaseLine",
    "PlanChart",
    "PlanSeen",
    "Timeline",
    "dose",
    "page",
    "plan_of",
    "timeline",
    "to_act_on",
]

TEXTS_ON_PAGE, LINES_ON_PAGE, LINES = 12, 15, 40
"""So many texts and lines stand on the page of a patient, and so many lines on a page of the timeline [our default]."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the page of a patient shows: the chart, the newest texts, the newest of what else happened, and what is to come."""

    chart: Chart
    conversation: Conversation
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened to a patient, newest first, and what is to come. `before`: the place before which there is more."""

    patient_id: str
    patient: str
    zone: str
    entries: tuple[Entry, ...]
    before: Before | None
    coming: tuple[Coming, ...]


def page(engine: Engine, clinic_id: str, patient_id: str, *, by: str, now: datetime, first: date | None = None) -> Page:
    """All that the page of a patient shows. Raises UnknownPatient, and NotAllowed for who cares for nobody."""
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        found = charts.chart_of(c, clinic_id, patient_id, now=now, first=first)
        if found is None:
            raise UnknownPatient("there is no such patient")
        patient = people.patients(c, [patient_id])[patient_id]
        talk = conversations.conversation_of(c, patient, before=None, now=now, limit=TEXTS_ON_PAGE)
        return Page(found, talk, _timeline(c, patient, set(Kind) - {Kind.TEXTS}, None, now=now, limit=LINES_ON_PAGE))


def timeline(
    engine: Engine, clinic_id: str, patient_id: str, *, by: str, now: datetime, kind: Kind | None = None, before: Before | None = None
) -> Timeline:
    """What happened to a patient before a place, of one kind or of all. Raises UnknownPatient, NotAllowed for who cares for nobody."""
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        patient = people.of_clinic(c, clinic_id, patient_id)
        return _timeline(c, patient, set(Kind) if kind is None else {kind}, before, now=now, limit=LINES)


def _timeline(c: Connection, patient: Patient, kinds: Collection[Kind], before: Before | None, *, now: datetime, limit: int) -> Timeline:
    mine = plans.read(c, charts.plan_ids(c, patient.clinic.id, patient.id))
    entries, more = timelines.page_of(c, patient, mine, kinds=kinds, before=before, now=now, limit=limit)
    coming = () if before is not None else timelines.coming_of(tuple(mine.values()), now=now)
    return Timeline(patient.id, patient.name, patient.zone, entries, more, coming)


def dose(engine: Engine, clinic_id: str, patient_id: str, plan_id: str, *, on: date, number: int, by: str) -> DoseSeen:
    """One dose of a patient's plan, by its slot. Raises UnknownPlan where there is none on record, NotAllowed for who cares for nobody."""
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        plan = _plan(c, clinic_id, patient_id, plan_id)
        found = dose_charts.dose_chart_of(c, clinic_id, plan_id, on=on, number=number)
        patient = people.patients(c, [patient_id])[patient_id]
    if found is None:
        raise UnknownPlan("there is no such dose")
    return DoseSeen(patient_id, patient.name, plan.id, plan.ref, plan.profile.name, plan.plan.zone, found)


@dataclass(frozen=True, slots=True)
class PlanSeen:
    """Which plan it is, and whose."""

    patient_id: str
    patient: str
    plan_id: str
    drug: str


def plan_of(engine: Engine, clinic_id: str, patient_id: str, plan_id: str, *, by: str) -> PlanSeen:
    """A patient's plan by its name. Raises UnknownPlan, and NotAllowed for who cares for nobody."""
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        plan = _plan(c, clinic_id, patient_id, plan_id)
        return PlanSeen(patient_id, people.patients(c, [patient_id])[patient_id].name, plan_id, plan.profile.name)


def _plan(c: Connection, clinic_id: str, patient_id: str, plan_id: str) -> StoredPlan:
    plan = plans.read(c, [plan_id]).get(plan_id)
    if plan is None or (plan.clinic_id, plan.patient_id) != (clinic_id, patient_id):
        raise UnknownPlan("there is no such plan")
    return plan


@dataclass(frozen=True, slots=True)
class DoseSeen:
    """A dose, and of whose plan it is; `zone` is that of the plan's times."""

    patient_id: str
    patient: str
    plan_id: str
    ref: str
    drug: str
    zone: str
    dose: DoseChart


@dataclass(frozen=True, slots=True)
class Acted:
    """A plan that somebody is about to act on: what they may do as it stands, and may not for want of a role.

    `alerts`: the open ones that nobody has taken on; `labs`: what a laboratory is to check, by medicine; `sudden`: a sudden stop does
    harm.
    """

    patient_id: str
    patient: str
    plan_id: str
    ref: str
    drug: str
    label: str | None
    zone: str
    state: PlanState
    phase: int
    phases: tuple[PhaseLine, ...]
    medicines: tuple[str, ...]
    alerts: tuple[AlertCard, ...]
    labs: Mapping[str, tuple[str, ...]]
    sudden: bool
    offered: tuple[StaffAction, ...]
    withheld: tuple[StaffAction, ...]


def to_act_on(
    engine: Engine, clinic_id: str, patient_id: str, plan_id: str, *, by: str, roles: Collection[StaffRole], now: datetime
) -> Acted:
    """A patient's plan, for somebody who is about to act on it. Raises UnknownPlan, and NotAllowed for who cares for nobody."""
    with reading(engine) as c:
        staff.require(c, clinic_id, by, Right.CARE)
        plan = _plan(c, clinic_id, patient_id, plan_id)
        patient = people.patients(c, [patient_id])[patient_id]
        waiting = [row for row in alerts.open_alerts(c, patient_ids=[patient_id]) if row["plan_id"] in {None, plan_id}]
    stands = charts.stands_of(plan, waiting, now=now)
    return Acted(
        patient_id=patient_id,
        patient=patient.name,
        plan_id=plan.id,
        ref=plan.ref,
        drug=plan.profile.name,
        label=plan.label,
        zone=plan.plan.zone,
        state=plan.state,
        phase=stands.phase,
        phases=charts.phases_of(plan, stands.phase),
        medicines=tuple(medicine.name for medicine in plan.medicines if medicine.plan is None),
        alerts=tuple(charts.alert_card(row, now) for row in waiting if not row["acknowledged_at"]),
        labs=plan.labs,
        sudden=bool(plan.profile.withdrawal_risk.value),
        offered=offered(stands, roles),
        withheld=withheld(stands, roles),
    )
