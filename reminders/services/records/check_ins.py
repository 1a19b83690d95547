"""Check-ins: asking a patient how it goes, keeping what is told, and what a gate reads of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from reminders.domain.check_in import HARD_TO_BREATHE, SYMPTOMS, TICKS, Report, asked_on, counted, raised
from reminders.domain.gate import CheckIn
from reminders.domain.plan import CheckInItem, Kind
from reminders.services.records import outbox, people, plans, texts
from reminders.services.records.ledger import CHECK_IN, RATING, TEXT_OUT, insert_all, insert_once, new_id, rows
from reminders.services.records.texts import Asked, Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

ANSWERED_WITHIN = timedelta(hours=24)
"""For how long a check-in can be answered [our default]."""
LATE = timedelta(hours=4)
"""After an outage of ours a check-in so much later is not sent any more: it asks about the day [our default]."""
STIFFNESS, SPASMS, SEVERITY = CheckInItem.STIFFNESS.value, CheckInItem.SPASMS.value, "spasm_severity"
PRESSURE = ("systolic", "diastolic")
QUESTIONS = tuple(item.value for item in CheckInItem)


def ask(c: Connection, plan_id: str, patient_id: str, *, now: datetime) -> None:
    """Ask what a plan's check-in asks today, under the patient's lock; and put the next one on the clock.

    Several plans of one patient ask the same things once. What cannot be asked in time is not asked: no gate waits for it.
    """
    people.lock(c, [patient_id])
    plan = plans.read(c, [plan_id])[plan_id]
    due_at = plan.check_in_at
    if due_at is None or due_at > now:
        return
    patient, day = people.patients(c, [patient_id])[patient_id], due_at.astimezone(plan.plan.tz).date()
    if now < due_at + LATE and not patient.quiet.contains(now, patient.tz) and plans.next_check_in_at(plan) == due_at:
        _ask(c, patient, plan, asked_on(plan.plan, day, plan.watches), now=now)
    plans.save(c, plan, checked_in_on=day)
    plans.put_on_clock(c, [plans.read(c, [plan_id])[plan_id]])


def _ask(c: Connection, patient: Patient, plan: StoredPlan, items: Sequence[CheckInItem], *, now: datetime) -> None:
    day = now.astimezone(plan.plan.tz).date()
    asked = [item for item in items if _queue(c, patient, plan, item, now=now)]
    row = {
        "clinic_id": plan.clinic_id,
        "id": new_id(),
        "plan_id": plan.id,
        "version_no": plan.course.current.no,
        "phase_no": plans.current_phase(plan, now),
        "local_date": day,
        "items": ",".join(asked),
        "asked_at": now,
    }
    if asked:
        insert_once(c, CHECK_IN, row)


def _queue(c: Connection, patient: Patient, plan: StoredPlan, item: CheckInItem, *, now: datetime) -> bool:
    """Queue one question; say whether the patient is asked it today, for this plan or another."""
    cause = f"check-in:{patient.id}:{now.astimezone(plan.plan.tz):%Y%m%d}:{item.value}"
    asks = Asked(item.value, now + ANSWERED_WITHIN)
    draft = Draft(item.value, "check_in", cause, expires_at=now + LATE, plan_id=plan.id, asks=asks)
    return texts.queue(c, patient, patient.line, draft, now=now) is not None or texts.has_spoken(c, plan.clinic_id, cause)


def keep(c: Connection, patient: Patient, ratings: Mapping[str, int], *, sid: str, by: str, at: datetime) -> None:
    """Keep the numbers that a text told."""
    same = {"clinic_id": patient.clinic.id, "patient_id": patient.id, "sid": sid, "by": by, "at": at}
    insert_all(c, RATING, [{**same, "id": new_id(), "item": item, "value": value} for item, value in ratings.items()])


def reports(c: Connection, patient_id: str, *, since: datetime) -> list[Report]:
    """What a patient told since an instant, oldest first: one report a text."""
    query = select(RATING).where(RATING.c.patient_id == patient_id, RATING.c.at >= since).order_by(RATING.c.at, RATING.c.sid)
    by_text: dict[str, list[Row]] = {}
    for row in rows(c, query):
        by_text.setdefault(row["sid"], []).append(row)
    return [_report(told) for told in by_text.values()]


def _report(told: Sequence[Row]) -> Report:
    values = {row["item"]: row["value"] for row in told}
    grades = {letter: value for letter, value in values.items() if letter in SYMPTOMS}
    ticks = {letter: bool(value) for letter, value in values.items() if letter in TICKS}
    return Report(told[0]["at"], grades or None, values.get(STIFFNESS), ticks)


def of_phase(c: Connection, plan: StoredPlan, phase_no: int, versions: Collection[int]) -> CheckIn | None:
    """What the check-ins of a phase said, for its gate: the newest word on each item. None: it had none to answer."""
    mine = (CHECK_IN.c.plan_id == plan.id) & (CHECK_IN.c.phase_no == phase_no) & CHECK_IN.c.version_no.in_(list(versions))
    asked = rows(c, select(CHECK_IN).where(mine).order_by(CHECK_IN.c.asked_at))
    if not asked:
        return None
    items = {item for row in asked for item in row["items"].split(",")}
    told = reports(c, plan.patient_id, since=asked[0]["asked_at"])
    if not told and not _reached(c, plan.patient_id, since=asked[0]["asked_at"]):
        return None
    grades = counted({letter: grade for report in told for letter, grade in (report.grades or {}).items()}, raised(plan.watches))
    ticks = {letter: yes for report in told for letter, yes in report.ticks.items()}
    ratings = [report.stiffness for report in told if report.stiffness is not None]
    return CheckIn(
        answered=bool(grades) if CheckInItem.SYMPTOMS.value in items else bool(told),
        worst_grade=max(grades.values(), default=0),
        breathing=ticks.get(HARD_TO_BREATHE, False),
        stiffness=ratings[-1] if ratings else None,
        stiffness_before=_before(c, plan) if plan.plan.kind is Kind.TAPER else None,
        rates_stiffness=STIFFNESS in items,
    )


def _reached(c: Connection, patient_id: str, *, since: datetime) -> bool:
    """Whether any question has left, and is not known to be lost: what never reached the patient was none to answer."""
    mine = (TEXT_OUT.c.patient_id == patient_id) & (TEXT_OUT.c.kind == "check_in") & (TEXT_OUT.c.created_at >= since)
    left = (TEXT_OUT.c.state == "accepted") & (TEXT_OUT.c.status.is_(None) | TEXT_OUT.c.status.not_in(outbox.LOST))
    return c.execute(select(TEXT_OUT.c.id).where(mine, left).limit(1)).first() is not None


def _before(c: Connection, plan: StoredPlan) -> int | None:
    """The last rating of stiffness before a taper began."""
    mine = (RATING.c.patient_id == plan.patient_id) & (RATING.c.item == STIFFNESS) & (RATING.c.at < plan.began)
    value: int | None = c.scalar(select(RATING.c.value).where(mine).order_by(RATING.c.at.desc()).limit(1))
    return value
