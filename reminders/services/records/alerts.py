"""Alerts: something a person must look at, one for each cause, kept when it is closed."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BindParameter, bindparam, select, update

from db.types import UtcDateTime
from reminders.domain.clinic_hours import ClinicHours
from reminders.domain.contact import Role
from reminders.domain.escalation import NO_ALERT, SEVERITIES, overdue_words, pause_after
from reminders.services.records import people, plans
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import ALERT, PATIENT, PLAN, insert_once, new_id, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import ColumnElement, Connection

    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Clinic, Patient

_RANK: BindParameter[int] = bindparam("rank")
_SINCE = bindparam("since", type_=UtcDateTime)
_GRAVEST = update(PATIENT).where(PATIENT.c.id == bindparam("its_id")).values(severity_rank=_RANK, grave_since=_SINCE)
_GRAVER = _GRAVEST.where(
    (PATIENT.c.severity_rank > _RANK) | ((PATIENT.c.severity_rank == _RANK) & (PATIENT.c.grave_since > _SINCE)),
)

CLINIC_HOURS = timedelta(hours=4)
"""How long an alert that can wait may do so, in clinic hours, before the backup is told [our default]."""

SOME_MISSED, SOME_CAUSE = "some_missed", "some "
"""The alert that of several doses some were taken, and its cause: so, and the id of the question that was answered."""


@dataclass(frozen=True)
class Notice:
    """An alert to be raised. `cause` is its key within (patient, kind): a run of misses is told once, not at each miss.

    clinical  whether it leaves a gate unmet: an information alert does not freeze a titration over a weekend.
    stays     whether it tells the provider that the plan stays; awaits_yes  and that its next step waits for their yes.
    """

    kind: str
    severity: str
    cause: str
    words: str
    _: KW_ONLY
    plan_id: str | None = None
    clinical: bool = True
    stays: bool = False
    awaits_yes: bool = False
    owner: str = "provider"


def raise_once(c: Connection, patient: Patient, notice: Notice, *, now: datetime) -> str | None:
    """Raise an alert unless its cause has raised one; return its id if it is new."""
    by = deadline(patient.clinic, notice.severity, now)
    calls_at_once = pause_after(notice.severity, 0) is not None
    row = {
        "clinic_id": patient.clinic.id,
        "id": new_id(),
        "patient_id": patient.id,
        "plan_id": notice.plan_id,
        "kind": notice.kind,
        "severity": notice.severity,
        "cause": notice.cause,
        "clinical": notice.clinical,
        "stays": notice.stays,
        "awaits_yes": notice.awaits_yes,
        "owner": notice.owner,
        "words": notice.words[:400],
        "raised_at": now,
        "deadline_at": by,
        "call_at": now if calls_at_once else by,
        "raised_again": 0,
    }
    if not insert_once(c, ALERT, row):
        return None
    write_audit(c, patient.clinic.id, Entry(now, "doseline", "alert raised", str(row["id"]), notice.kind))
    # Under the clinic's row lock: of two that raise at once the second compares with what the first has written.
    c.execute(_GRAVER, {"its_id": patient.id, "rank": SEVERITIES.index(notice.severity), "since": now})
    if notice.clinical:  # a new clinical alert can overturn a step already announced
        plans.touched(c, _plans_of(c, patient.id, notice.plan_id), at=now)
    return str(row["id"])


def texts_stopped(patient: Patient, contact_point_id: str, *, cause: str) -> Notice:
    """The alert that a number has opted out: urgent where it is the patient's or their proxy's, for the medicine goes on."""
    mine = any(line.contact_point_id == contact_point_id and line.role is not Role.CAREGIVER for line in patient.lines)
    words = (
        "The patient ended the texts. The medicine has not ended: call, and agree how to go on." if mine else "A caregiver ended the texts."
    )
    return Notice("texts_stopped", "urgent" if mine else "info", cause, words, clinical=mine)


def deadline(clinic: Clinic, severity: str, now: datetime) -> datetime | None:
    """Until when somebody must have taken an alert on; None for mere information."""
    at_once = pause_after(severity, 0)
    if at_once is not None:
        return now + at_once
    hours = ClinicHours(clinic.opens_at, clinic.closes_at)
    return None if severity == "info" else hours.after(now, CLINIC_HOURS, clinic.tz)


def open_alerts(
    c: Connection,
    *,
    clinic_id: str | None = None,
    patient_ids: Iterable[str] | None = None,
    plan_id: str | None = None,
    kinds: Iterable[str] | None = None,
) -> list[Row]:
    """The alerts not closed, oldest first."""
    wanted: list[ColumnElement[bool]] = [ALERT.c.closed_at.is_(None)]
    if clinic_id is not None:
        wanted.append(ALERT.c.clinic_id == clinic_id)
    if patient_ids is not None:
        wanted.append(ALERT.c.patient_id.in_(list(patient_ids)))
    if plan_id is not None:
        wanted.append(ALERT.c.plan_id == plan_id)
    if kinds is not None:
        wanted.append(ALERT.c.kind.in_(list(kinds)))
    return rows(c, select(ALERT).where(*wanted).order_by(ALERT.c.raised_at, ALERT.c.id))


def about(alert: Row) -> str:
    """What an alert is about, in a word or two."""
    return str(alert["kind"]).replace("_", " ")


def close(c: Connection, alert: Row, *, reason: str, by: str, at: datetime, audited: str | None = None) -> None:
    """Close an alert with its reason. It is kept. `audited`: what the audit has in place of it, where it may tell of the patient."""
    people.lock(c, [alert["patient_id"]])  # before the clinic's row, as everywhere: else two would wait for each other
    c.execute(update(ALERT).where(ALERT.c.id == alert["id"], ALERT.c.closed_at.is_(None)).values(closed_at=at, close_reason=reason[:400]))
    write_audit(c, alert["clinic_id"], Entry(at, by, "alert closed", alert["id"], reason if audited is None else audited))
    rank, since = gravest(open_alerts(c, patient_ids=[alert["patient_id"]]))
    c.execute(_GRAVEST, {"its_id": alert["patient_id"], "rank": rank, "since": since})


def gravest(open_now: Iterable[Row]) -> tuple[int, datetime | None]:
    """How grave a patient's open alerts are: the rank of the gravest, and when the oldest of that rank was raised."""
    ranked = ((SEVERITIES.index(alert["severity"]), alert["raised_at"]) for alert in open_now)
    return min(ranked, default=(NO_ALERT, None))


def reword(c: Connection, alert: Row, *, words: str, stays: bool = False, awaits_yes: bool = False) -> None:
    """Say an alert in other words, now that more is known of its cause; `stays`: they tell of a stay, which `awaits_yes`."""
    c.execute(update(ALERT).where(ALERT.c.id == alert["id"]).values(words=words[:400], stays=stays, awaits_yes=awaits_yes))


def acknowledge(c: Connection, alert: Row, *, by: str, at: datetime) -> None:
    """Note who has taken an alert on; its deadline is met, and it is not raised again."""
    values = {"acknowledged_at": at, "acknowledged_by": by, "deadline_at": None, "call_at": None}
    c.execute(update(ALERT).where(ALERT.c.id == alert["id"], ALERT.c.acknowledged_at.is_(None)).values(values))
    write_audit(c, alert["clinic_id"], Entry(at, by, "alert acknowledged", alert["id"]))


def give_back(c: Connection, patient: Patient, alert: Row, *, by: str, at: datetime) -> None:
    """Undo that somebody has taken an alert on: its deadline is reckoned anew, from now, and a clinical one keeps the gate shut again."""
    until = deadline(patient.clinic, alert["severity"], at)
    calls_at = at if pause_after(alert["severity"], 0) is not None else until
    values = {"acknowledged_at": None, "acknowledged_by": None, "deadline_at": until, "call_at": calls_at}
    c.execute(update(ALERT).where(ALERT.c.id == alert["id"], ALERT.c.closed_at.is_(None)).values(values))
    write_audit(c, alert["clinic_id"], Entry(at, by, "alert given back", alert["id"]))


def unanswered(c: Connection, *, now: datetime, limit: int) -> list[Row]:
    """The open alerts that nobody has taken on, and that call for somebody now; those that waited longest first."""
    wanted = (ALERT.c.call_at <= now, ALERT.c.closed_at.is_(None), ALERT.c.acknowledged_at.is_(None))
    return rows(c, select(ALERT).where(*wanted).order_by(ALERT.c.call_at, ALERT.c.id).limit(limit))


def call(c: Connection, alert: Row, *, at: datetime) -> bool:
    """Let an alert call for somebody: when it is raised, and again from its deadline on, to the backup too, until somebody takes it on.

    One that can wait does so at its deadline only. The deadline stands. Return whether it called: of two processes at it, one lets it.
    """
    if at < alert["deadline_at"]:
        return _moved_on(c, alert, {"call_at": alert["deadline_at"]})
    times = alert["raised_again"] + 1
    pause = pause_after(alert["severity"], times)
    values = {"owner": "backup", "raised_again": times, "call_at": None if pause is None else at + pause}
    called = _moved_on(c, alert, values)
    if called:
        write_audit(c, alert["clinic_id"], Entry(at, "doseline", "alert raised again", alert["id"], f"{alert['kind']}, {times}"))
    return called


def put_off(c: Connection, alert: Row, *, until: datetime) -> None:
    """Let an alert call a little later: the phone that it would call has only just been told of others."""
    _moved_on(c, alert, {"call_at": until})


def _moved_on(c: Connection, alert: Row, values: Mapping[str, object]) -> bool:
    still = (ALERT.c.id == alert["id"], ALERT.c.call_at == alert["call_at"], ALERT.c.closed_at.is_(None))
    return c.execute(update(ALERT).where(*still, ALERT.c.acknowledged_at.is_(None)).values(dict(values))).rowcount == 1


def overdue(alert: Row, now: datetime) -> str | None:
    """How an alert that nobody has taken on in time says so; None while it is in time, and once it was taken on or closed."""
    if alert["acknowledged_at"] or alert["closed_at"] or alert["deadline_at"] is None or now < alert["deadline_at"]:
        return None
    return overdue_words(now - alert["raised_at"], alert["raised_again"])


def _plans_of(c: Connection, patient_id: str, plan_id: str | None) -> list[str]:
    if plan_id is not None:
        return [plan_id]
    return list(c.scalars(select(PLAN.c.id).where(PLAN.c.patient_id == patient_id, PLAN.c.state.in_(("active", "staying")))))
