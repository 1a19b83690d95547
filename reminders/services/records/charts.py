"""A patient's chart as a value: who they are, their plans with each dose of some weeks, and what a person must look at.

Everything is read by the patient's id and bounded: a chart costs the same after ten years as after one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from db.queries import chart as queries
from reminders.domain.adherence import Adherence, Mark, adherence, mark_of
from reminders.domain.caring import Grant, granted
from reminders.domain.contact import Contactable, Role
from reminders.domain.dose_state import DoseState, Standing
from reminders.domain.offering import Stands
from reminders.domain.plan import DAY
from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import instant_of, phase_spans, slots_between
from reminders.services.records import alerts, care, enrolment, people, plans, supplies

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.domain.plan import PlannedDose
    from reminders.domain.supply import Outlook
    from reminders.services.records.care import Agreed
    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Line, Patient
    from reminders.services.records.plans import StoredPlan

BEHIND, AHEAD = 21, 14
"""Days shown before a day and from it on: five weeks, which fit a page of paper [our default]."""
CALENDAR = range(2000, 2100)
PLANS_SHOWN, ALERTS_SHOWN, CONSENTS_SHOWN, MEDICINES_SHOWN = 12, 30, 20, 30
WHY_NOT_IN_WORDS: Mapping[str, str] = {
    "opted_out": "ended the texts (STOP)",
    "no_consent": "no consent on record",
    "unverified": "number not verified",
    "unusable": "number cannot be texted",
}


@dataclass(frozen=True, slots=True)
class Span:
    """The local dates that a chart shows, `first <= date < end`; `today` is the patient's."""

    first: date
    end: date
    today: date

    @property
    def days(self) -> tuple[date, ...]:
        """Each date of it."""
        return tuple(self.first + timedelta(days=n) for n in range((self.end - self.first).days))


@dataclass(frozen=True, slots=True)
class Cell:
    """One dose of a plan, or a slot still to come (`mark` and `state` are None then). `amount` is in the plan's unit.

    `corrected`: a person set it right; `odd`: told as two, half or vomited, and nobody has looked; `contradicted`: told both ways.
    """

    local_date: date
    number: int
    local_time: time
    due_at: datetime
    amount: Decimal
    phase_no: int
    mark: Mark | None = None
    state: DoseState | None = None
    reason: str | None = None
    taken_at: datetime | None = None
    corrected: bool = False
    odd: bool = False
    contradicted: bool = False


@dataclass(frozen=True, slots=True)
class PhaseLine:
    """A phase as the plan now lays it out: `starts <= date < ends`, no end if it is open; whether it is the one that runs.

    `starts` is None while the plan stays on a phase before it.
    """

    number: int
    starts: date | None
    ends: date | None
    doses: tuple[PlannedDose, ...]
    every_n_days: int
    runs: bool


@dataclass(frozen=True, slots=True)
class PlanChart:
    """One plan, as it stands and in the days shown. `scores`: of the doses that fell due in them; `supply`: None if nobody counts."""

    id: str
    drug: str
    label: str | None
    kind: str
    advance: str
    unit: str
    zone: str
    state: PlanState
    reason: str | None
    approved_by: str
    version: int
    ended_at: datetime | None
    set_aside: bool
    phases: tuple[PhaseLine, ...]
    stands: Stands
    cells: tuple[Cell, ...]
    scores: Adherence
    supply: Outlook | None
    labs_due_at: datetime | None

    @property
    def phase(self) -> PhaseLine:
        """The phase that runs."""
        return next(phase for phase in self.phases if phase.runs)

    @property
    def next_phase(self) -> PhaseLine | None:
        """The phase after it."""
        return next((phase for phase in self.phases if phase.number == self.phase.number + 1), None)


@dataclass(frozen=True, slots=True)
class AlertCard:
    """An open alert. `deadline_at`: None once it was taken on, or where none applies; `overdue`: how long it waits, in words."""

    id: str
    plan_id: str | None
    kind: str
    severity: str
    words: str
    owner: str
    raised_at: datetime
    deadline_at: datetime | None
    overdue: str | None
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """A person's phone. `may_text`: empty, or why it may not be texted; `after_misses`: from how many they are told, of a caregiver.

    `grant`: what a page behind a link would show them, of who is around the patient; `agreed_by`: who agreed to it, empty where it is
    the least of their role.
    """

    point_id: str
    role_id: str
    phone: str
    role: Role
    name: str
    may_text: str
    shared: bool
    after_misses: int | None
    grant: Grant | None = None
    agreed_by: str = ""


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """What somebody said of being texted, and how it is known. `phone` is the number's."""

    at: datetime
    kind: str
    given_by: str
    wording_version: str
    channel: str
    message_sid: str | None
    phone: str


@dataclass(frozen=True, slots=True)
class MedicineLine:
    """A medicine on the list, or one that came off it; `does` says what it does beside each plan, with the source."""

    name: str
    added_at: datetime
    removed_at: datetime | None
    does: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListEvent:
    """What somebody at the clinic said of the list of medicines."""

    at: datetime
    kind: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A patient's chart. `local_now` is the time on the patient's clock; `own` the phone that their texts go to."""

    id: str
    ref: str
    name: str
    clinic: str
    zone: str
    language: str
    wording: str
    local_now: datetime
    span: Span
    lines: tuple[PhoneLine, ...]
    own: PhoneLine | None
    plans: tuple[PlanChart, ...]
    alerts: tuple[AlertCard, ...]
    consents: tuple[ConsentLine, ...]
    medicines: tuple[MedicineLine, ...]
    list_events: tuple[ListEvent, ...]


def chart_of(c: Connection, clinic_id: str, patient_id: str, *, now: datetime, first: date | None = None) -> Chart | None:
    """Read a patient's chart from a local date on, or around today; None if the clinic has no such patient."""
    if not queries.is_patient_of(c, clinic_id, patient_id):
        return None
    patient = people.patients(c, [patient_id])[patient_id]
    local_now = now.astimezone(patient.tz)
    span = span_from(first, local_now.date())
    found = queries.plans(c, clinic_id, patient_id, limit=PLANS_SHOWN)
    stored = plans.read(c, [row["id"] for row in found])
    open_alerts = queries.alerts(c, clinic_id, patient_id, limit=ALERTS_SHOWN)
    past = _past(c, clinic_id, [row["id"] for row in found], span)
    known = (*patient.lines, *(one.line for one in enrolment.former_numbers(c, patient)))
    points = {line.contact_point_id: line.phone for line in known}
    agreed = care.of_roles(c, [line.role_id for line in patient.lines])
    return Chart(
        id=patient.id,
        ref=patient.ref,
        name=patient.name,
        clinic=patient.clinic.name,
        zone=patient.zone,
        language=patient.language,
        wording=patient.wording,
        local_now=local_now,
        span=span,
        lines=tuple(phone_line(line, agreed.get(line.role_id)) for line in patient.lines),
        own=None if patient.line is None else phone_line(patient.line, agreed.get(patient.line.role_id)),
        plans=tuple(
            _plan(c, stored[row["id"]], row=row, past=past.get(row["id"], ()), span=span, open_alerts=open_alerts, now=now) for row in found
        ),
        alerts=tuple(alert_card(row, now) for row in open_alerts),
        consents=tuple(_consent(row, points) for row in queries.consents(c, clinic_id, patient_id, list(points), limit=CONSENTS_SHOWN)),
        medicines=_medicines(c, patient, stored.values()),
        list_events=tuple(
            ListEvent(row["at"], row["kind"], row["by"], row["reason"])
            for row in queries.acknowledged(c, list(stored), limit=MEDICINES_SHOWN)
        ),
    )


def plan_ids(c: Connection, clinic_id: str, patient_id: str) -> list[str]:
    """The ids of the plans that a chart shows."""
    return [row["id"] for row in queries.plans(c, clinic_id, patient_id, limit=PLANS_SHOWN)]


def span_from(first: date | None, today: date) -> Span:
    """The days shown: from a date on, or around today, if that is no date at which anybody was treated here."""
    begins = first if first is not None and first.year in CALENDAR else today - BEHIND * DAY
    return Span(begins, begins + (BEHIND + AHEAD) * DAY, today)


def _past(c: Connection, clinic_id: str, plan_ids: Sequence[str], span: Span) -> Mapping[str, tuple[Cell, ...]]:
    found = queries.doses(c, clinic_id, plan_ids, first=span.first, end=span.end)
    corrected = queries.corrected(c, [row["id"] for row in found])
    cells: dict[str, tuple[Cell, ...]] = {}
    for row in found:
        cells[row["plan_id"]] = (*cells.get(row["plan_id"], ()), cell_of(row, corrected=row["id"] in corrected))
    return cells


def cell_of(row: Row, *, corrected: bool = False) -> Cell:
    """A dose of the ledger, as a chart shows it."""
    standing = Standing(
        DoseState(row["state"]),
        reason=row["reason"],
        taken_at=row["taken_at"],
        taken_by=row["taken_by"],
        recalled=row["recalled"],
        muted=row["muted"],
    )
    return Cell(
        local_date=row["local_date"],
        number=row["slot_no"],
        local_time=row["local_time"],
        due_at=row["due_at"],
        amount=row["amount"],
        phase_no=row["phase_no"],
        mark=mark_of(standing, row["due_at"], row["take_until"]),
        state=standing.state,
        reason=standing.reason,
        taken_at=standing.taken_at or standing.taken_by,
        corrected=corrected,
        odd=row["odd"],
        contradicted=row["contradicted"],
    )


def _plan(
    c: Connection, plan: StoredPlan, *, row: Row, past: Sequence[Cell], span: Span, open_alerts: Sequence[Row], now: datetime
) -> PlanChart:
    document, phase_no = plan.plan, plans.current_phase(plan, now)
    return PlanChart(
        id=plan.id,
        drug=plan.profile.name,
        label=plan.label,
        kind=document.kind.value,
        advance=document.advance.value,
        unit=document.unit.value,
        zone=document.zone,
        state=plan.state,
        reason=plan.reason,
        approved_by=row["approved_by"],
        version=plan.course.current.no,
        ended_at=row["ended_at"],
        set_aside=row["set_aside_at"] is not None,
        phases=phases_of(plan, phase_no),
        stands=stands_of(plan, open_alerts, now=now),
        cells=tuple(sorted((*past, *_coming(plan, past, span, now)), key=lambda cell: (cell.due_at, cell.number))),
        scores=adherence((cell.local_date, cell.mark, cell.amount) for cell in past if cell.mark is not None),
        supply=supplies.outlook_of(c, plan, now=now) if plan.profile.is_counted and plan.state in supplies.AT_HOME else None,
        labs_due_at=plan.labs_due_at,
    )


def stands_of(plan: StoredPlan, open_alerts: Iterable[Row], *, now: datetime) -> Stands:
    """How a plan stands, as far as it decides what may be done to it."""
    phase_no = plans.current_phase(plan, now)
    return Stands(
        state=plan.state,
        phase=phase_no,
        phases=len(plan.course.current.plan.phases),
        steps_ahead=plans.next_phase(plan) is not None,
        ends_ahead=any(phase.days is not None for phase in plan.course.current.plan.phases[phase_no - 1 :]),
        listed=sum(medicine.plan is None for medicine in plan.medicines),
        alerts=sum(alert["plan_id"] in {None, plan.id} and not alert["acknowledged_at"] for alert in open_alerts),
    )


def phases_of(plan: StoredPlan, running: int) -> tuple[PhaseLine, ...]:
    """The phases of a plan as it now lays them out; of those behind a stay nobody knows when they begin."""
    spans = {span.phase_no: span for span in phase_spans(plan.plan)}
    return tuple(
        PhaseLine(
            number=number,
            starts=spans[number].starts if number in spans else None,
            ends=spans[number].ends if number in spans else None,
            doses=phase.doses,
            every_n_days=phase.every_n_days,
            runs=number == running,
        )
        for number, phase in enumerate(plan.course.current.plan.phases, 1)
    )


def _coming(plan: StoredPlan, past: Sequence[Cell], span: Span, now: datetime) -> Iterable[Cell]:
    """The slots to come in the days shown, as the plan lays them out now; none while nothing is due."""
    if plan.state not in plans.ON_CLOCK or span.end <= span.today:
        return
    known = {(cell.local_date, cell.number) for cell in past}  # a patient can answer before the slot is due
    since = max(now, plan.decided_until + timedelta.resolution, instant_of(span.first - DAY, time.min, plan.plan.tz))
    for slot in slots_between(plan.course, since, instant_of(span.end + DAY, time.min, plan.plan.tz)):
        if slot.key not in known and span.first <= slot.local_date < span.end:
            yield Cell(slot.local_date, slot.number, slot.local_time, slot.due_at, slot.amount.value, slot.phase_no)


def phone_line(line: Line, agreed: Agreed | None = None) -> PhoneLine:
    """A phone, as a chart shows it, and what was agreed that its holder sees."""
    why = "" if isinstance(line.may_text, Contactable) else WHY_NOT_IN_WORDS[line.may_text.why.value]
    grant = None if line.role is Role.PATIENT else granted(line.role, agreed.grant if agreed else None)
    return PhoneLine(
        point_id=line.contact_point_id,
        role_id=line.role_id,
        phone=line.phone,
        role=line.role,
        name=line.name,
        may_text=why,
        shared=line.shared,
        after_misses=line.after_misses,
        grant=grant,
        agreed_by=agreed.agreed_by if agreed else "",
    )


def alert_card(row: Row, now: datetime) -> AlertCard:
    """An open alert, as a chart shows it."""
    return AlertCard(
        id=row["id"],
        plan_id=row["plan_id"],
        kind=row["kind"],
        severity=row["severity"],
        words=row["words"],
        owner=row["owner"],
        raised_at=row["raised_at"],
        deadline_at=row["deadline_at"],
        overdue=alerts.overdue(row, now),
        acknowledged_by=row["acknowledged_by"],
    )


def _consent(row: Row, phones: Mapping[str, str]) -> ConsentLine:
    names = ("at", "kind", "given_by", "wording_version", "channel", "message_sid")
    return ConsentLine(**{name: row[name] for name in names}, phone=phones[row["contact_point_id"]])


def _medicines(c: Connection, patient: Patient, stored: Iterable[StoredPlan]) -> tuple[MedicineLine, ...]:
    live = [plan for plan in stored if plan.state not in supplies.OVER]
    listed = queries.medicines(c, patient.clinic.id, patient.id, limit=MEDICINES_SHOWN)
    return tuple(
        MedicineLine(row["name"], row["added_at"], row["removed_at"], () if row["removed_at"] else tuple(_does(row["name"], live)))
        for row in listed
    )


def _does(name: str, live: Iterable[StoredPlan]) -> Iterable[str]:
    for plan in live:
        for group in plan.profile.interacting(name):
            yield f"beside {plan.profile.name}, {group.severity}: {group.effect.value} ({group.effect.source}); {group.advice}"
