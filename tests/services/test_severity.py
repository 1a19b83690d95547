"""How grave a patient's open alerts are, kept on their row: raised and closed by several processes at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy import Connection, Engine, select

from db.engine import reading, writing
from db.tables import metadata
from reminders.domain.plan import HOUR
from reminders.services.records import alerts, people
from reminders.services.records.alerts import Notice
from reminders.services.records.people import Patient
from tests.scheduling.enrolled import due_at, enrol
from tests.scheduling.wall import NOON, until

PATIENT = metadata.tables["patient"]
WAITING = """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"""


def somebody(engine: Engine, *, alert: str | None = None) -> Patient:
    """A patient without an alert, or with one of a severity."""
    enrol(engine, due_at(NOON), now=NOON)
    with writing(engine) as c:
        [patient] = people.patients(c, c.scalars(select(PATIENT.c.id)).all()).values()
        if alert is not None:
            raised(c, patient, alert, NOON)
    return patient


def standing(engine: Engine) -> tuple[int, datetime | None]:
    """What the patient's row says."""
    with reading(engine) as c:
        rank, since = c.execute(select(PATIENT.c.severity_rank, PATIENT.c.grave_since)).one()
    return rank, since


def raised(c: Connection, patient: Patient, severity: str, at: datetime) -> None:
    """Raise an alert of its own cause."""
    assert alerts.raise_once(c, patient, Notice("problem", severity, f"{severity} {at}", "words"), now=at)


def closed(engine: Engine, patient_id: str, severity: str) -> None:
    """Close the alerts of one severity."""
    with writing(engine) as c:
        for alert in alerts.open_alerts(c, patient_ids=[patient_id]):
            if alert["severity"] == severity:
                alerts.close(c, alert, reason="seen to", by="Nurse Lee", at=NOON)


def test_the_gravest_counts_and_of_it_the_oldest(engine: Engine) -> None:
    """Whatever the order in which they are raised and closed."""
    patient = somebody(engine)
    seen = [standing(engine)]
    for severity, at in (
        ("info", NOON),
        ("urgent", NOON + 2 * HOUR),
        ("warning", NOON),
        ("urgent", NOON + HOUR),
        ("urgent", NOON + 3 * HOUR),
    ):
        with writing(engine) as c:
            raised(c, patient, severity, at)
        seen.append(standing(engine))
    for severity in ("warning", "urgent", "info"):
        closed(engine, patient.id, severity)
        seen.append(standing(engine))

    assert seen == [
        (4, None),
        (3, NOON),
        (1, NOON + 2 * HOUR),
        (1, NOON + 2 * HOUR),
        (1, NOON + HOUR),
        (1, NOON + HOUR),
        (1, NOON + HOUR),
        (3, NOON),
        (4, None),
    ]


def test_one_is_raised_while_the_last_is_closed(postgres_engine: Engine) -> None:
    """Who closes the last one waits for who raises another, and then sees it; who raises is not overwritten."""
    patient = somebody(postgres_engine, alert="emergency")
    with ThreadPoolExecutor(1) as other:
        with writing(postgres_engine) as c:
            raised(c, patient, "warning", NOON)
            closing = other.submit(closed, postgres_engine, patient.id, "emergency")
            waits_for_lock(postgres_engine)
        closing.result()

    assert standing(postgres_engine) == (2, NOON)


def test_two_are_raised_at_once(postgres_engine: Engine) -> None:
    """The second waits for the first and keeps what is graver."""
    patient = somebody(postgres_engine)

    def other_raises() -> None:
        with writing(postgres_engine) as c:
            raised(c, patient, "warning", NOON)

    with ThreadPoolExecutor(1) as other:
        with writing(postgres_engine) as c:
            raised(c, patient, "urgent", NOON)
            raising = other.submit(other_raises)
            waits_for_lock(postgres_engine)
        raising.result()

    assert standing(postgres_engine) == (1, NOON)


def test_one_is_closed_beside_a_service_that_has_the_patient(postgres_engine: Engine) -> None:
    """Who closes waits for the patient's row before it takes the clinic's, which the other needs to end."""
    patient = somebody(postgres_engine, alert="emergency")
    with ThreadPoolExecutor(1) as other:
        with writing(postgres_engine) as c:
            people.lock(c, [patient.id])
            closing = other.submit(closed, postgres_engine, patient.id, "emergency")
            waits_for_lock(postgres_engine)
            raised(c, patient, "warning", NOON)
        closing.result()

    assert standing(postgres_engine) == (2, NOON)


def waits_for_lock(engine: Engine) -> None:
    """Wait until somebody in this database waits for a row that another holds."""

    def somebody_waits() -> bool:
        with reading(engine) as c:
            return bool(c.exec_driver_sql(WAITING).scalar_one())

    until(somebody_waits, within=30)
