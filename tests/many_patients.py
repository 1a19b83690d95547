"""A clinic of many patients in a PostgreSQL, written set by set: names, plans, two weeks of doses, texts, alerts open and closed.

It is for looking at how long a page takes. Nothing is texted, and no number is anybody's: each is one of the hundred that belong to
nobody, made longer than any network's so that each patient has their own.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, literal

from db.engine import writing
from db.tables import metadata
from reminders.domain.plan import AdvancePolicy
from reminders.services.records.plans import document_of
from tests.builders import a_phase, a_plan

CLINIC, PROVIDER, NURSE = "many-patients", "Dr. Ida Berg", "Nurse Lee"
NOW = datetime(2026, 3, 20, 17, 5, tzinfo=UTC)  # 13:05 in New York
DAYS = 14

GIVEN = (
    *("Ana", "Rui", "Berta", "Kim", "Noor", "Ada", "Ivo", "Lena", "Omar", "Pia", "Quinn", "Rosa", "Sam", "Tara", "Uma", "Viktor"),
    *("Wanda", "Xenia", "Yusuf", "Zoe", "Marta", "Marco", "Maria", "Max", "Mina"),
)
FAMILY = (
    *("Silva", "Souza", "Lund", "Park", "Haddad", "Moss", "Berg", "Lee", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Sato", "Tran"),
    *("Ueda", "Vargas", "Weiss", "Xu", "Yilmaz", "Zimmer", "Marsh"),
)
ENDS = ("", *"aeiou", *(f"{vowel}{sound}" for vowel in "aeiou" for sound in ("n", "r", "l", "s", "nd", "rt", "lk", "st")))

_DRUGS = (("baclofen-tablet", "baclofen"), ("tizanidine", "tizanidine"), ("gabapentin-ir", "gabapentin"))


def seed(engine: Engine, patients: int) -> None:
    """Fill an empty, migrated PostgreSQL; each table at once, its indexes made after it is full, and its statistics taken."""
    with writing(engine) as c:
        c.exec_driver_sql("SET LOCAL session_replication_role = replica")  # each reference is right by the way it is written
        c.exec_driver_sql("SET LOCAL synchronous_commit = off")
        c.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
        _without_autovacuum(c)
        _defaults(c)
        _clinic(c)
        _patients(c, patients)
        _plans(c)
        for table, fill in (("dose", _doses), ("text_out", _texts_out), ("text_in", _texts_in)):
            indexes = _without_indexes(c, table)
            fill(c)
            for index in indexes:
                c.exec_driver_sql(index)
        _alerts(c)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _without_autovacuum(c: Connection) -> None:
    """Leave each table to the VACUUM at the end: rows that PostgreSQL's own is looking at meanwhile, it could not mark as seen by all."""
    for table in metadata.sorted_tables:
        c.exec_driver_sql(f'ALTER TABLE "{table.name}" SET (autovacuum_enabled = off)')


def _defaults(c: Connection) -> None:
    """Let PostgreSQL itself fill in what the tables have a plain default for, as SQLAlchemy does for everybody else."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.default is not None and column.default.is_scalar:
                given = literal(column.default.arg, column.type).compile(c, compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
                c.exec_driver_sql(f'ALTER TABLE "{table.name}" ALTER COLUMN "{column.name}" SET DEFAULT {given}')


def _without_indexes(c: Connection, table: str) -> list[str]:
    """Drop the indexes of a table that keep no constraint; return how to make them again."""
    found = c.exec_driver_sql(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN (SELECT conname FROM pg_constraint)", (table,)
    ).all()
    for name, _ in found:
        c.exec_driver_sql(f'DROP INDEX "{name}"')
    return [made for _, made in found]


def _clinic(c: Connection) -> None:
    c.exec_driver_sql(
        "INSERT INTO clinic (id, name, phone, zone, opens_at, closes_at, simulated, created_at)"
        " VALUES (%s, 'Clinic of many', '+12025550100', 'America/New_York', '08:00', '17:00', true, %s)",
        (CLINIC, NOW - timedelta(days=60)),
    )
    for name, role in ((PROVIDER, "provider"), (NURSE, "staff")):
        its_id = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
        c.exec_driver_sql("INSERT INTO staff (clinic_id, id, name, created_at) VALUES (%s, %s, %s, %s)", (CLINIC, its_id, name, NOW))
        c.exec_driver_sql("INSERT INTO staff_role (clinic_id, staff_id, role) VALUES (%s, %s, %s)", (CLINIC, its_id, role))


def _patients(c: Connection, patients: int) -> None:
    """Names that begin alike as people's do: some 25 given ones, and a thousand family names."""
    given = "'{" + ",".join(GIVEN) + "}'::text[]"
    family = "'{" + ",".join(f"{name}{end}" for name in FAMILY for end in ENDS) + "}'::text[]"
    c.exec_driver_sql(
        f"""
        INSERT INTO patient (clinic_id, id, ref, name, zone, language, wording, alcohol, kidney_weak, quiet_from, quiet_until, tries,
                             severity_rank, created_at)
        SELECT %s, md5('patient ' || n), 'mrn-' || n,
               ({given})[1 + n %% array_length({given}, 1)] || ' ' || ({family})[1 + (n * 7919) %% array_length({family}, 1)],
               'America/New_York', 'en', 'discreet', 'unknown', false, '21:00', '08:00', 0, 4, %s
        FROM generate_series(1, %s) AS n
        """,
        (CLINIC, NOW - timedelta(days=40), patients),
    )
    c.exec_driver_sql(
        """
        INSERT INTO patient_word (clinic_id, word, patient_id)
        SELECT DISTINCT clinic_id, word, id FROM patient, regexp_split_to_table(lower(name || ' ' || replace(ref, '-', ' ')), ' ') AS word
        """
    )
    number = "'+120255501' || lpad((n %% 100)::text, 2, '0') || lpad((n / 100)::text, 4, '0')"
    every = "(SELECT id, name, ref, substr(ref, 5)::int AS n FROM patient) AS p"
    c.exec_driver_sql(
        f"""
        INSERT INTO contact_point (clinic_id, id, phone, phone_end, verified_at, created_at)
        SELECT %s, md5('point ' || n), {number}, right({number}, 4), %s, %s FROM {every}
        """,
        (CLINIC, NOW - timedelta(days=40), NOW - timedelta(days=40)),
    )
    c.exec_driver_sql(
        f"""
        INSERT INTO contact_role (clinic_id, id, contact_point_id, patient_id, role, ref, name, relationship)
        SELECT %s, md5('role ' || n), md5('point ' || n), id, 'patient', ref, name, '' FROM {every}
        """,
        (CLINIC,),
    )
    c.exec_driver_sql(
        f"""
        INSERT INTO consent (clinic_id, id, contact_point_id, patient_id, kind, given_by, wording_version, channel, at)
        SELECT %s, md5('consent ' || n), md5('point ' || n), id, 'given', name, 'v1', 'import', %s FROM {every}
        """,
        (CLINIC, NOW - timedelta(days=40)),
    )


def _plans(c: Connection) -> None:
    """A plan each, of every tenth two; four of five go on, the others stay, are suspended, muted or over."""
    steps = [a_phase(amounts, days=days) for amounts, days in (("5/5/5", 7), ("10/10/10", 14), ("15/15/15", None))]
    for no, (drug, ingredient) in enumerate(_DRUGS):
        document = document_of(a_plan(*steps, start="2026-03-06", zone="America/New_York", advance=AdvancePolicy.ASK_PROVIDER, drug=drug))
        which = "n %% 10 = 0" if no == 2 else f"n %% 2 = {no}"
        c.exec_driver_sql(
            f"""
            INSERT INTO plan (clinic_id, id, patient_id, ref, drug, ingredient, label, state, approved_by, decided_until, next_due_at,
                              tries, created_at)
            SELECT %s, md5('plan {no} ' || n), id, 'plan-{no}-' || n, %s, %s, %s,
                   CASE WHEN n %% 17 = 3 THEN 'staying' WHEN n %% 101 = 5 THEN 'suspended' WHEN n %% 103 = 7 THEN 'muted'
                        WHEN n %% 11 = 9 THEN 'completed' WHEN n %% 53 = 11 THEN 'stopped' ELSE 'active' END,
                   %s, %s, %s, 0, %s
            FROM (SELECT id, substr(ref, 5)::int AS n FROM patient) AS p WHERE {which}
            """,
            (
                CLINIC,
                drug,
                ingredient,
                "B, red cap" if no == 2 else None,
                PROVIDER,
                NOW,
                NOW + timedelta(hours=1),
                NOW - timedelta(days=14),
            ),
        )
        c.exec_driver_sql(
            """
            INSERT INTO plan_version (clinic_id, plan_id, no, document, document_hash, effective_at, used, approved_by, approved_at)
            SELECT clinic_id, id, 1, %s, %s, %s, '{}', %s, %s FROM plan WHERE drug = %s
            """,
            (
                document,
                hashlib.sha256(document.encode()).hexdigest(),
                datetime(2026, 3, 6, 5, tzinfo=UTC),
                PROVIDER,
                NOW - timedelta(days=14),
                drug,
            ),
        )
    c.exec_driver_sql(
        """
        INSERT INTO plan_stay (clinic_id, id, plan_id, version_no, phase_no, since, opened_at)
        SELECT clinic_id, md5('stay ' || id), id, 1, 1, '2026-03-13', %s FROM plan WHERE state = 'staying'
        """,
        (NOW - timedelta(days=8),),
    )
    c.exec_driver_sql(
        """
        INSERT INTO plan_event (clinic_id, id, plan_id, kind, state, phase_no, by, reason, at)
        SELECT clinic_id, md5('event ' || id), id, 'approved', 'active', 1, %s, '', %s FROM plan
        """,
        (PROVIDER, NOW - timedelta(days=14)),
    )


def _doses(c: Connection) -> None:
    """Three a day and plan for two weeks up to today's first: five of six taken, the others as patients and carriers have it."""
    c.exec_driver_sql(
        """
        INSERT INTO dose (clinic_id, id, plan_id, patient_id, version_no, local_date, slot_no, local_time, due_at, amount, unit, phase_no,
                          state, reason, taken_at, recalled, muted, unverified, odd, contradicted, answered, announced_at,
                          announce_until, take_until, silent_at, answer_until, check_at, changed_at)
        SELECT clinic_id, md5(id || day || slot), id, patient_id, 1, clock::date, slot, clock::time, at, '5', 'mg', 1 + (day < 7)::int,
               state_of, CASE WHEN state_of = 'skipped' THEN 'patient' END,
               CASE WHEN state_of = 'taken' THEN at + chance * interval '2 hours' END,
               false, false, false, false, false, state_of IN ('taken', 'skipped', 'missed'), at, at + interval '1 hour',
               at + interval '4 hours', at + interval '4 hours', at + interval '6 hours', NULL, at + interval '2 hours'
        FROM plan, generate_series(0, %s - 1) AS day, generate_series(1, 3) AS slot,
             LATERAL (SELECT ('x' || substr(md5(id || day || slot), 1, 6))::bit(24)::int / 16777216.0 AS chance) AS drawn,
             LATERAL (SELECT DATE '2026-03-20' - day + TIME '02:00' + slot * interval '6 hours' AS clock) AS local,
             LATERAL (SELECT clock AT TIME ZONE 'America/New_York' AS at) AS due,
             LATERAL (SELECT CASE WHEN chance < 0.83 THEN 'taken' WHEN chance < 0.9 THEN 'unconfirmed' WHEN chance < 0.93 THEN 'missed'
                                  WHEN chance < 0.96 THEN 'skipped' WHEN chance < 0.98 THEN 'not_reminded'
                                  ELSE 'not_due' END AS state_of) AS what
        WHERE at < %s
        """,
        (DAYS, NOW),
    )


def _texts_out(c: Connection) -> None:
    """A reminder of each dose of the last three days."""
    c.exec_driver_sql(
        """
        INSERT INTO text_out (clinic_id, id, contact_point_id, patient_id, plan_id, version_no, kind, cause, purpose, template, language,
                              fields, body, urgent, state, send_at, expires_at, attempt, looked, doubts, sid, status, rank, sent_at,
                              created_at)
        SELECT d.clinic_id, md5('text ' || d.id), r.contact_point_id, d.patient_id, d.plan_id, 1, 'reminder', 'due ' || d.id, 'reminder',
               'reminder', 'en', '{}', 'Clinic of many: time for your dose. Reply 1 taken, 2 not taken, 3 problem.', false, 'accepted',
               d.due_at,
               d.announce_until, 1, 0, 0, 'SM' || substr(md5('sid ' || d.id), 1, 30), 'delivered', 4, d.due_at, d.due_at
        FROM dose AS d JOIN contact_role AS r ON r.patient_id = d.patient_id WHERE d.due_at > %s
        """,
        (NOW - timedelta(days=3),),
    )


def _texts_in(c: Connection) -> None:
    """An answer to each of them that was answered."""
    c.exec_driver_sql(
        """
        INSERT INTO text_in (sid, clinic_id, contact_point_id, from_phone, to_phone, body, polled, understood, reading, received_at,
                             recorded_at)
        SELECT 'SI' || substr(md5('in ' || d.id), 1, 30), d.clinic_id, p.id, p.phone, '', '1', false, true, 'taken', d.changed_at,
               d.changed_at
        FROM dose AS d JOIN contact_role AS r ON r.patient_id = d.patient_id JOIN contact_point AS p ON p.id = r.contact_point_id
        WHERE d.due_at > %s AND d.answered
        """,
        (NOW - timedelta(days=3),),
    )


def _alerts(c: Connection) -> None:
    """Three old ones each, closed; and of every fiftieth patient one or two that are open."""
    kinds = "'{misses,unreadable,plan_stays,red_flag,texts_stopped,supply_low,phone_problem,problem,reason_given}'::text[]"
    severities = "'{warning,info,warning,emergency,urgent,warning,warning,warning,info}'::text[]"
    row = f"""
        SELECT p.clinic_id, md5('alert ' || p.id || no), p.id, md5('plan ' || (n %% 2) || ' ' || n), ({kinds})[1 + (n / 50 + no) %% 9],
               ({severities})[1 + (n / 50 + no) %% 9], 'cause ' || no, (n / 50 + no) %% 9 IN (0, 3, 7), false,
               n %% 100 = 0 AND (n / 50 + no) %% 9 = 2, 'provider', '3 doses running not taken, 1 of them unconfirmed.',
               %s::timestamptz - (n %% 400) * interval '1 hour' - no * interval '1 min',
               NULL::timestamptz, NULL::timestamptz, 0
        FROM (SELECT *, substr(ref, 5)::int AS n FROM patient) AS p"""
    columns = (
        "clinic_id, id, patient_id, plan_id, kind, severity, cause, clinical, stays, awaits_yes, owner, words, raised_at, deadline_at,"
        " call_at, raised_again"
    )
    c.exec_driver_sql(
        f"INSERT INTO alert ({columns}, closed_at, close_reason) SELECT old.*, %s, 'a dose was confirmed'"
        f" FROM ({row}, generate_series(1, 3) AS no) AS old",
        (NOW - timedelta(days=1), NOW - timedelta(days=20)),
    )
    c.exec_driver_sql(
        f"INSERT INTO alert ({columns}) {row}, generate_series(4, 5) AS no WHERE n %% 50 = 0 AND (no = 4 OR n %% 100 = 0)", (NOW,)
    )
    rank = "CASE severity WHEN 'emergency' THEN 0 WHEN 'urgent' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END"
    c.exec_driver_sql(
        f"""
        UPDATE patient SET severity_rank = gravest.rank, grave_since = gravest.since
        FROM (SELECT DISTINCT ON (patient_id) patient_id, {rank} AS rank, raised_at AS since FROM alert WHERE closed_at IS NULL
              ORDER BY patient_id, {rank}, raised_at) AS gravest
        WHERE gravest.patient_id = patient.id
        """
    )
