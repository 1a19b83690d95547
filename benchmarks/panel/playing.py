"""Playing a panel: the running service's code on a clock moved by hand, with simulated people at both ends."""

from __future__ import annotations

import gc
import heapq
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select

from benchmarks.panel.behaviour import ANSWERS_AFTER, SITTINGS, Model, Person, Slot, minutes
from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.clinic_hours import WEEKDAYS
from reminders.domain.dose_state import DoseState
from reminders.messaging.sandbox import SandboxTransport
from reminders.services import importing, prescribing, replying
from reminders.services.opening import in_memory
from reminders.simulation.driver import Driver

ZONE = ZoneInfo("America/New_York")
FIRST = date(2026, 6, 1)
"""A Monday, and no clock changes for months."""
DAYS = 12
"""The label's schedule: three phases of three days, and as long on the fourth."""
TIMES = ("08:00", "14:00", "20:00")
AMOUNTS = ("5", "10", "15", "20")
GATES = len(AMOUNTS) - 1
LEDGER = 40
"""Patients to a ledger: with a caregiver each they fit into the hundred numbers that belong to nobody."""
NURSE = "Nurse"

Json = dict[str, Any]
TEXT, QUESTION, POINT, DOSE = (metadata.tables[name] for name in ("text_out", "question", "contact_point", "dose"))
ALERT, PATIENT, PLAN, EVENT = (metadata.tables[name] for name in ("alert", "patient", "plan", "plan_event"))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A panel to be played."""

    rate: float
    model: Model = Model.INDEPENDENT
    advance: str = "stay_unless_met"
    patients: int = 200
    days: int = DAYS
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Tally:
    """What happened: alerts by (severity, kind), texts by purpose, how many patients passed every gate, the nurse's work."""

    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    patients: int = 0
    passed: int = 0
    calls: int = 0
    minutes: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.alerts + other.alerts,
            self.texts + other.texts,
            self.patients + other.patients,
            self.passed + other.passed,
            self.calls + other.calls,
            self.minutes + other.minutes,
        )


def ledgers_of(scenario: Scenario) -> list[tuple[Scenario, range]]:
    """Share a panel out over ledgers; patients have nothing to do with one another."""
    return [(scenario, range(first, min(first + LEDGER, scenario.patients))) for first in range(0, scenario.patients, LEDGER)]


def play(scenario: Scenario, numbers: range) -> Tally:
    """Play the patients of one ledger, in memory: on a disk a quarter of the time would go into its commits."""
    gc.disable()  # the services leave few cycles, and looking for them takes a quarter of the time
    engine = in_memory()
    played = Panel(engine, scenario, numbers)
    played.run()
    tally = played.tally()
    engine.dispose()
    gc.enable()
    gc.collect()
    return tally


class Panel:
    """Some patients of a scenario on one ledger, with a caregiver each and one nurse."""

    def __init__(self, engine: Engine, scenario: Scenario, numbers: range) -> None:
        self._engine, self._scenario = engine, scenario
        self._start, self._end = (local(FIRST + timedelta(days=days), time.min) for days in (0, scenario.days))
        self._people = {f"p{number}": Person(scenario.seed, f"p{number}", scenario.rate, scenario.model) for number in numbers}
        self._clock = HandClock(self._start)
        importing.import_file(engine, _enrolment(list(self._people), scenario.advance), now=self._start)
        self._read: set[str] = set()
        self._coming: list[tuple[datetime, str, str]] = []
        self._said = self._calls = self._minutes = 0

    def run(self) -> None:
        """Let the days pass."""
        sittings = list(_sittings(self._scenario.days))
        with Driver(self._engine, self._clock, SandboxTransport(self._clock), self._texted) as driver:
            while True:
                moments = [driver.settle(), self._coming[0][0] if self._coming else None, sittings[0] if sittings else None]
                moment = min(at for at in (*moments, self._end) if at is not None)
                if moment >= self._end:
                    return
                self._clock.advance_to(moment)
                while self._coming and self._coming[0][0] <= moment:
                    self._answer(heapq.heappop(self._coming))
                if sittings and sittings[0] <= moment:
                    sittings.pop(0)
                    driver.settle()
                    self._work_list(driver)

    def tally(self) -> Tally:
        """Count what stands in the ledger."""
        with reading(self._engine) as c:
            alerts = c.execute(select(ALERT.c.severity, ALERT.c.kind, func.count()).group_by(ALERT.c.severity, ALERT.c.kind)).all()
            sent = select(TEXT.c.purpose, func.count()).where(TEXT.c.sent_at.is_not(None)).group_by(TEXT.c.purpose)
            texts = c.execute(sent).all()
            last_phase = select(DOSE.c.plan_id).where(DOSE.c.phase_no > GATES)
            stayed = select(EVENT.c.plan_id).where(EVENT.c.kind == "stays")
            flagged = select(ALERT.c.plan_id).where(ALERT.c.kind == "gate_unmet")
            passing = select(PLAN.c.id).where(PLAN.c.id.in_(last_phase), PLAN.c.id.not_in(stayed), PLAN.c.id.not_in(flagged))
            passed = len(c.execute(passing).all())
        return Tally(
            Counter({(severity, kind): count for severity, kind, count in alerts}),
            Counter(dict(map(tuple, texts))),
            len(self._people),
            passed,
            self._calls,
            self._minutes,
        )

    def _texted(self, moment: datetime) -> None:
        """Have every text that just left read, and its answer on the way."""
        query = (
            select(TEXT.c.id, TEXT.c.template, POINT.c.phone, PATIENT.c.ref, QUESTION.c.kind, QUESTION.c.doses)
            .join(QUESTION, QUESTION.c.text_id == TEXT.c.id)
            .join(POINT, POINT.c.id == TEXT.c.contact_point_id)
            .join(PATIENT, PATIENT.c.id == QUESTION.c.patient_id)
            .where(TEXT.c.sent_at >= moment)
        )
        with reading(self._engine) as c:
            for row in c.execute(query).all():
                if row.id in self._read:
                    continue
                self._read.add(row.id)
                wanted = select(DOSE.c.local_date, DOSE.c.slot_no).where(DOSE.c.id.in_(json.loads(row.doses))).order_by(DOSE.c.due_at)
                slots = [Slot(on, no) for on, no in c.execute(wanted)]
                asked_on = moment.astimezone(ZONE).date()
                reply = self._people[row.ref].reply(row.kind, slots, nudge=row.template == "nudge", asked_on=asked_on)
                if reply is not None:
                    heapq.heappush(self._coming, (moment + ANSWERS_AFTER, row.phone, reply))

    def _answer(self, coming: tuple[datetime, str, str]) -> None:
        at, phone, body = coming
        self._said += 1
        replying.receive(self._engine, sid=f"said-{self._said:06}", from_phone=phone, to_phone="", body=body, received_at=at, now=at)

    def _work_list(self, driver: Driver) -> None:
        """The nurse takes on all that is open, patient by patient."""
        waiting = select(PATIENT.c.ref, func.count()).join(ALERT, ALERT.c.patient_id == PATIENT.c.id).group_by(PATIENT.c.ref)
        unseen = (ALERT.c.severity != "info", ALERT.c.closed_at.is_(None), ALERT.c.acknowledged_at.is_(None))
        with reading(self._engine) as c:
            listed = dict(map(tuple, c.execute(waiting.where(*unseen).order_by(PATIENT.c.ref))))
        self._calls += len(listed)
        self._minutes += minutes(list(listed.values()))
        for ref in listed:
            self._call(driver, ref, plan_of(ref))

    def _call(self, driver: Driver, ref: str, plan: str) -> None:
        """Call a patient: a plan that stays goes on, one suspended begins again, and which doses were taken is noted."""

        def act(action: StaffAction, phase: int | None = None) -> None:
            driver.acts(StaffAct(self._clock.now(), action, plan, reason="called", by=NURSE, phase=phase))

        act(StaffAction.ACKNOWLEDGE)
        with reading(self._engine) as c:
            state = c.scalar(select(PLAN.c.state).where(PLAN.c.ref == plan))
            phase = c.scalar(select(func.max(DOSE.c.phase_no)).join(PLAN, PLAN.c.id == DOSE.c.plan_id).where(PLAN.c.ref == plan))
        if state == "staying":
            act(StaffAction.RESUME)
        elif state == "suspended":
            act(StaffAction.RESTART, phase)
        for on, no in self._unknown(plan):
            self._note(plan, on, no, DoseState.TAKEN if self._people[ref].takes(Slot(on, no)) else DoseState.MISSED)

    def _note(self, plan: str, on: date, no: int, told: DoseState) -> None:
        now, reason = self._clock.now(), "told on the phone"
        prescribing.correct(self._engine, plan_ref=plan, local_date=on, slot_no=no, state=told, by=NURSE, reason=reason, now=now)

    def _unknown(self, plan: str) -> list[tuple[date, int]]:
        """The doses of a plan that nobody has answered for, though their time is over."""
        silent = (DOSE.c.state == "open") & (DOSE.c.silent_at <= self._clock.now()) & ~DOSE.c.answered
        query = select(DOSE.c.local_date, DOSE.c.slot_no).join(PLAN, PLAN.c.id == DOSE.c.plan_id).where(PLAN.c.ref == plan)
        with reading(self._engine) as c:
            return [(on, no) for on, no in c.execute(query.where(DOSE.c.state.in_(("unconfirmed", "not_reminded")) | silent))]


def local(on: date, at: time) -> datetime:
    """An instant (UTC) from the panel's local time."""
    return datetime.combine(on, at, tzinfo=ZONE).astimezone(UTC)


def working_days(days: int) -> int:
    """How many of the first days are Monday to Friday."""
    return sum((FIRST + timedelta(days=day)).weekday() < WEEKDAYS for day in range(days))


def plan_of(ref: str) -> str:
    """The reference of a patient's plan."""
    return f"{ref}-baclofen"


def _sittings(days: int) -> Iterator[datetime]:
    for day in range(days):
        if (FIRST + timedelta(days=day)).weekday() < WEEKDAYS:
            yield from (local(FIRST + timedelta(days=day), at) for at in SITTINGS)


def _enrolment(refs: list[str], advance: str) -> Json:
    patients = [_patient(ref, number, advance) for number, ref in enumerate(refs, start=1)]
    people = [{"name": "Dr. Noor Haddad", "roles": ["provider"]}, {"name": NURSE, "roles": ["provider"]}]  # a nurse who may prescribe
    return {"clinic": {"name": "Harbor Clinic", "phone": "+12025550100", "zone": ZONE.key, "staff": people}, "patients": patients}


def _patient(ref: str, number: int, advance: str) -> Json:
    person = {"ref": ref, "name": f"Patient {number}", "phone": f"+120255501{number:02}", "zone": ZONE.key, "wording": "amount"}
    told = {"ref": f"{ref}-c", "name": f"Caregiver {number}", "phone": f"+120255501{LEDGER + number:02}", "role": "caregiver"}
    agreed = {"relationship": "partner", "consent": _consent(f"Caregiver {number}"), "alerts": {"after_misses": 2}}
    return {**person, "consent": _consent(f"Patient {number}"), "caregivers": [{**told, **agreed}], "plans": [_plan(ref, advance)]}


def _consent(by: str) -> Json:
    at = local(FIRST - timedelta(days=3), time(10))
    return {"by": by, "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "wording_version": "consent-en-1", "number_verified": True}


def _plan(ref: str, advance: str) -> Json:
    """The label's titration (US baclofen tablets label): 5, 10, 15, 20 mg three times a day, three days each, the last open."""
    head = {"ref": plan_of(ref), "approved_by": "Dr. Noor Haddad", "drug": "baclofen-tablet", "kind": "titration", "zone": ZONE.key}
    phases = [
        {"days": None if mg == AMOUNTS[-1] else 3, "doses": [{"at": at, "amount": mg, "unit": "mg"} for at in TIMES]} for mg in AMOUNTS
    ]
    return {**head, "start": FIRST.isoformat(), "advance": advance, "phases": phases}
