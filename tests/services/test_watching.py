from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from importlib.metadata import version

import pytest
from sqlalchemy import Engine, text

from db.engine import make_engine, writing
from reminders.domain.dose_state import DoseState
from reminders.domain.plan_state import PlanState
from reminders.messaging.sandbox import CarrierFault
from reminders.services import reporting, watching
from reminders.services.escalating import escalate
from reminders.services.records import alerts, people, troubles
from reminders.services.records.alerts import Notice
from reminders.services.records.overview import ClinicLine, Person, initials, without_names, without_numbers
from reminders.services.records.troubles import Trouble
from reminders.services.reminding import record_pass
from reminders.services.replying import receive
from reminders.services.watching import Check, overview, readiness
from tests.web.clinic import BEGUN, MORNING, a_morning, opened


@pytest.fixture
def clinic(sqlite_engine: Engine) -> ClinicLine:
    """Harbor Clinic, a morning in."""
    opened(sqlite_engine)
    a_morning(sqlite_engine)
    return seen(sqlite_engine)


def seen(engine: Engine) -> ClinicLine:
    """Look at the one clinic there is."""
    [clinic] = overview(engine, now=MORNING).clinics
    return clinic


def noted(engine: Engine, *notices: Notice) -> None:
    """Raise alerts about Ana, a minute apart."""
    with writing(engine) as c:
        ana = c.execute(text("SELECT id FROM patient WHERE ref = 'ana'")).scalar_one()
        patient = people.patients(c, [ana])[ana]
        for minute, notice in enumerate(notices):
            alerts.raise_once(c, patient, notice, now=MORNING + timedelta(minutes=minute))


def test_an_empty_ledger_has_no_clinic(sqlite_engine: Engine) -> None:
    """Before anything was brought in there is nothing to show."""
    assert overview(sqlite_engine, now=MORNING).clinics == ()


def test_both_databases_show_the_same(engine: Engine) -> None:
    """What is shown does not depend on the kind of database."""
    opened(engine)
    a_morning(engine)
    clinic = seen(engine)

    assert (clinic.name, [plan.ref for plan in clinic.plans], len(clinic.texts), clinic.states) == (
        "Harbor Clinic",
        ["ana-baclofen", "berta-baclofen"],
        2,
        ((PlanState.ACTIVE, 2),),
    )


def test_people_are_shown_by_reference_and_initials(clinic: ClinicLine) -> None:
    """Nobody has signed in, so nobody's name is shown."""
    assert [plan.person for plan in clinic.plans] == [Person("ana", "A. S."), Person("berta", "B. L.")]


def test_a_plan_shows_its_phase_and_its_next_step(clinic: ClinicLine) -> None:
    """Where a plan is, what is taken now, and what from which day."""
    plan = clinic.plans[0]
    step = plan.next_step

    assert (plan.phase_no, plan.phases, [dose.amount.value for dose in plan.doses]) == (1, 4, [Decimal(5)] * 3)
    assert step is not None
    assert (step.on, {dose.amount.value for dose in step.doses}) == (date(2026, 3, 5), {Decimal(10)})


def test_the_last_phase_has_no_next_step(clinic: ClinicLine) -> None:
    """A plan in its last phase steps no further; its label is shown."""
    plan = clinic.plans[1]

    assert (plan.next_step, plan.label, plan.zone) == (None, "A, blue cap", "Europe/London")


def test_a_plans_picture_has_what_was_and_what_comes(clinic: ClinicLine) -> None:
    """Doses that fell due stand with their states, the slots of the next four days without, each slot once."""
    marks = clinic.plans[0].marks

    assert [mark.state for mark in marks] == [DoseState.OPEN, *[None] * 12]
    assert len({(mark.local_date, mark.number) for mark in marks}) == len(marks)


def test_a_dose_answered_early_stands_once(sqlite_engine: Engine) -> None:
    """A dose on record before it is due is not drawn again as yet to come."""
    opened(sqlite_engine)
    a_morning(sqlite_engine)
    early = MORNING + timedelta(hours=5, minutes=40)
    receive(sqlite_engine, sid="SM1", from_phone="+12025550101", to_phone="", body="1", received_at=MORNING, now=MORNING)
    receive(sqlite_engine, sid="SM2", from_phone="+12025550101", to_phone="", body="took it", received_at=early, now=early)
    [clinic] = overview(sqlite_engine, now=early).clinics
    ana = next(plan for plan in clinic.plans if plan.ref == "ana-baclofen")
    keys = [(mark.local_date, mark.number) for mark in ana.marks]

    assert len(set(keys)) == len(keys)


def test_a_plan_off_the_clock_has_nothing_to_come(sqlite_engine: Engine) -> None:
    """A suspended plan's slots are not due, so none is drawn or listed, and no step is announced."""
    opened(sqlite_engine)
    with writing(sqlite_engine) as c:
        c.execute(text("UPDATE plan SET state = 'suspended', reason = 'gap' WHERE ref = 'ana-baclofen'"))
    plan = next(plan for plan in seen(sqlite_engine).plans if plan.ref == "ana-baclofen")

    assert (plan.state, plan.reason, plan.marks, plan.next_step) == (PlanState.SUSPENDED, "gap", (), None)


def test_next_doses_are_in_order_over_all_plans(clinic: ClinicLine) -> None:
    """The next doses of the clinic, soonest first."""
    coming = [(dose.plan_ref, f"{dose.slot.due_at:%d %H:%M}", str(dose.slot.amount)) for dose in clinic.next_doses[:3]]

    assert coming == [("ana-baclofen", "02 19:00", "5 mg"), ("berta-baclofen", "02 20:00", "10 mg"), ("ana-baclofen", "03 01:00", "5 mg")]


def test_a_text_shows_to_whom_and_what_became_of_it(clinic: ClinicLine) -> None:
    """The last text first: its time, its reader by initials, the end of the number, its purpose and its standing."""
    line = clinic.texts[0]

    assert (line.outgoing, line.person, line.role, line.phone_end, line.purpose, line.standing) == (
        True,
        Person("ana", "A. S."),
        "patient",
        "01",
        "reminder",
        "delivered",
    )


def test_a_carriers_code_is_said_in_words(sqlite_engine: Engine) -> None:
    """Staff read why a text did not arrive."""
    opened(sqlite_engine)
    a_morning(sqlite_engine, fault=CarrierFault("undelivered", 30003))
    standings = [line.standing for line in seen(sqlite_engine).texts if line.person.ref == "ana"]

    assert "undelivered: the handset is off or out of reach" in standings


def test_texts_of_both_ways_stand_together(sqlite_engine: Engine) -> None:
    """A reply stands above the text it answers, with names in it shortened."""
    opened(sqlite_engine)
    a_morning(sqlite_engine)
    receive(sqlite_engine, sid="SM1", from_phone="+12025550101", to_phone="", body="Ana here: 1", received_at=MORNING, now=MORNING)
    [line] = [line for line in seen(sqlite_engine).texts if not line.outgoing]

    assert (line.at, line.person.ref, line.phone_end, line.body) == (MORNING, "ana", "01", "A. here: 1")


def test_a_text_from_nobody_we_know_is_not_shown(sqlite_engine: Engine) -> None:
    """A number that is nobody's belongs to no clinic."""
    opened(sqlite_engine)
    receive(sqlite_engine, sid="SM1", from_phone="+12025550199", to_phone="", body="1", received_at=MORNING, now=MORNING)

    assert seen(sqlite_engine).texts == ()


def test_a_code_that_proves_a_number_is_not_shown(sqlite_engine: Engine) -> None:
    """The digits of a verification stay between us and the phone."""
    opened(sqlite_engine)
    a_morning(sqlite_engine)
    with writing(sqlite_engine) as c:
        c.execute(text("UPDATE text_out SET purpose = 'verification', body = 'Your code is 482913.'"))

    assert {line.body for line in seen(sqlite_engine).texts} == {"Your code is ••••••."}


def test_the_gravest_alert_stands_first(sqlite_engine: Engine) -> None:
    """Open alerts by gravity, then by age; names in their words are shortened, and all are counted."""
    opened(sqlite_engine)
    noted(
        sqlite_engine,
        Notice("misses", "warning", "a", "3 doses not taken"),
        Notice("stopped", "urgent", "b", "Ana has stopped taking it"),
        Notice("unread", "info", "c", "Read it"),
        Notice("misses", "warning", "d", "4 of 9"),
    )
    clinic = seen(sqlite_engine)

    assert ([(alert.severity, alert.words) for alert in clinic.alerts], clinic.alert_count) == (
        [("urgent", "A. has stopped taking it"), ("warning", "3 doses not taken"), ("warning", "4 of 9"), ("info", "Read it")],
        4,
    )


def test_an_alert_nobody_took_on_in_time_says_so(sqlite_engine: Engine) -> None:
    """From its deadline on, with how long it waits and how often it was raised again; once somebody has it, no more."""
    opened(sqlite_engine)
    noted(sqlite_engine, Notice("red_flag", "emergency", "a", "Read it and call."))

    def says(minutes: int) -> str | None:
        at = MORNING + timedelta(minutes=minutes)
        escalate(sqlite_engine, now=at)
        [clinic] = overview(sqlite_engine, now=at).clinics
        [line] = reporting.alert_lines(sqlite_engine, now=at)
        assert line.overdue == clinic.alerts[0].overdue
        return line.overdue

    waited = [says(minutes) for minutes in (9, 10, 25)]
    with writing(sqlite_engine) as c:
        alerts.acknowledge(c, alerts.open_alerts(c)[0], by="Dr. Noor Haddad", at=MORNING)
    taken_on = says(26)
    with writing(sqlite_engine) as c:
        c.execute(text("UPDATE alert SET acknowledged_at = NULL, deadline_at = raised_at, closed_at = raised_at"))
    [closed] = reporting.alert_lines(sqlite_engine, now=MORNING + timedelta(hours=1), closed_too=True)

    assert waited == [None, "overdue: waits 10 min, raised again once", "overdue: waits 25 min, raised again 2 times"]
    assert (taken_on, closed.overdue) == (None, None)


def test_a_closed_alert_is_not_open(sqlite_engine: Engine) -> None:
    """What was closed is kept, and not shown."""
    opened(sqlite_engine)
    noted(sqlite_engine, Notice("misses", "warning", "a", "3 doses not taken"))
    with writing(sqlite_engine) as c:
        alerts.close(c, alerts.open_alerts(c)[0], reason="answered", by="clinic", at=MORNING)
    clinic = seen(sqlite_engine)

    assert (clinic.alerts, clinic.alert_count) == ((), 0)


@pytest.mark.parametrize(("name", "short"), [("Ana Silva", "A. S."), ("  Ana  María  Silva ", "A. M. S."), ("Ébano", "É."), ("", "")])
def test_a_name_is_its_first_letters(name: str, short: str) -> None:
    """Every word of a name gives its first letter."""
    assert initials(name) == short


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("Ana, it's time.", "A., it's time."),
        ("Banana for Ana-Silva", "Banana for A.-S."),
        ("ana", "ana"),
        ("", ""),
    ],
)
def test_names_are_shortened_as_words(body: str, shown: str) -> None:
    """A name is shortened wherever it stands as a word, and not inside another."""
    assert without_names(body, ["Ana Silva"]) == shown


def test_without_names_nothing_is_shortened() -> None:
    """A text about nobody stays as it is."""
    assert without_names("Ana", []) == "Ana"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("call +12025550101 now", "call ··01 now"),
        ("(202) 555-0101", "(··01"),
        ("202.555.0101, 1", "··01, 1"),
        ("took 20 mg at 10:30 on 2/3", "took 20 mg at 10:30 on 2/3"),
    ],
)
def test_numbers_are_shortened(body: str, shown: str) -> None:
    """What may be somebody's number keeps its last two digits; amounts and times stay."""
    assert without_numbers(body) == shown


# Whether the process is fit to serve


def test_a_process_is_ready_when_all_is_well(engine: Engine) -> None:
    """The ledger answers at the newest migration, the loop is alive and no dose waits."""
    record_pass(engine, watching.LOOP, now=MORNING - timedelta(seconds=15))
    found = readiness(engine, now=MORNING)

    assert (found.ok, found.checks["loop"], found.checks["doses"]) == (
        True,
        Check(ok=True, says="last pass 15 s ago"),
        Check(ok=True, says="none overdue"),
    )


def test_a_loop_that_never_passed_makes_it_unfit(sqlite_engine: Engine) -> None:
    """A process whose scheduler has not finished a first pass is not ready yet."""
    assert readiness(sqlite_engine, now=MORNING).checks["loop"] == Check(ok=False, says="no pass yet")


@pytest.mark.parametrize(("waits", "ok"), [(timedelta(minutes=5), True), (timedelta(minutes=5, seconds=1), False)])
def test_a_dose_that_waits_long_makes_it_unfit(sqlite_engine: Engine, waits: timedelta, *, ok: bool) -> None:
    """Passes that come and do no work are no proof of life."""
    opened(sqlite_engine)
    first_due = BEGUN + timedelta(hours=20)
    record_pass(sqlite_engine, watching.LOOP, now=first_due + waits)

    assert readiness(sqlite_engine, now=first_due + waits).checks["doses"] == Check(
        ok=ok, says=f"oldest waits {waits.total_seconds():.0f} s"
    )


def test_a_database_that_is_away_makes_it_unfit() -> None:
    """It says so, and does not raise."""
    away = make_engine("postgresql://nobody@127.0.0.1:1/nothing")

    assert readiness(away, now=MORNING).checks["database"] == Check(ok=False, says="does not answer")


def test_an_old_database_makes_it_unfit() -> None:
    """Tables of another release are not served."""
    assert readiness(make_engine("sqlite://"), now=MORNING).checks["database"].ok is False


@pytest.mark.parametrize(
    ("seconds", "ok", "says"),
    [
        (None, True, "nothing to compare"),
        (0.04, True, "0.0 s ahead of the database's"),
        (-2.1, True, "2.1 s behind the database's"),
        (30, True, "30.0 s ahead of the database's"),
        (30.1, False, "30.1 s ahead of the database's"),
        (-7200, False, "7200.0 s behind the database's"),
    ],
)
def test_a_clock_far_from_the_databases_makes_it_unfit(
    sqlite_engine: Engine,
    seconds: float | None,
    ok: bool,  # noqa: FBT001 - a parameter
    says: str,
) -> None:
    """From two seconds on a replica claims nothing; from thirty on it should not be asked anything either."""
    apart = None if seconds is None else timedelta(seconds=seconds)
    found = readiness(sqlite_engine, now=MORNING, apart=lambda: apart)

    assert found.checks["clock"] == Check(ok=ok, says=says)


LATE = Check(ok=False, says="deliver last ended well 46 s ago")


@pytest.mark.parametrize(
    ("built", "delivered", "expected"),
    [
        (45, 45, Check(ok=True, says="last pass 45 s ago")),
        (46, 45, Check(ok=False, says="last pass 46 s ago")),
        (15, 46, LATE),
        (15, None, Check(ok=True, says="last pass 15 s ago")),
        (None, 1, Check(ok=False, says="no pass yet")),
    ],
)
def test_a_dead_loop_is_not_hidden_by_another_replicas(
    sqlite_engine: Engine, built: int | None, delivered: int | None, expected: Check
) -> None:
    """Where this process knows when its own loop last passed, the ledger's last pass, which may be another's, proves nothing."""
    record_pass(sqlite_engine, watching.LOOP, now=MORNING)
    silences = {"build": built, "deliver": delivered, "follow up": 1, "escalate": 1}

    def silent_for(name: str) -> timedelta | None:
        seconds = silences[name]
        return None if seconds is None else timedelta(seconds=seconds)

    assert readiness(sqlite_engine, now=MORNING, silent_for=silent_for).checks["loop"] == expected


def test_a_disk_that_is_nearly_full_makes_it_unfit(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below a hundred megabytes a person must make room."""
    roomy = readiness(sqlite_engine, now=MORNING).checks["disk"].ok
    monkeypatch.setattr(watching, "free_bytes", lambda _: 99_999_999)

    assert (roomy, readiness(sqlite_engine, now=MORNING).checks["disk"]) == (True, Check(ok=False, says="99 MB free"))


def test_the_disk_of_a_database_elsewhere_is_not_seen(postgres_engine: Engine) -> None:
    """Nothing is said of a disk that is not this machine's."""
    assert readiness(postgres_engine, now=MORNING).checks["disk"] == Check(ok=True, says="not to be seen from here")


def test_standing_troubles_are_named_and_make_nothing_unfit(sqlite_engine: Engine) -> None:
    """Each kind is named once, without whose it is; who is texted does not depend on it."""
    record_pass(sqlite_engine, watching.LOOP, now=MORNING)
    with writing(sqlite_engine) as c:
        for who in ("web-1", "web-2"):
            troubles.begin(c, Trouble.CLOCK, "3 s ahead", now=MORNING, of=who)
        troubles.begin(c, Trouble.ACCOUNT, "code 20003", now=MORNING)
    found = readiness(sqlite_engine, now=MORNING)

    assert (found.ok, found.checks["troubles"]) == (True, Check(ok=True, says="account, clock"))


def test_the_zone_rules_in_use_are_the_pinned_ones() -> None:
    """The machine's own rules are not used: two machines that differ in them would disagree about a dose."""
    assert watching.zone_rules() == f"tzdata {version('tzdata')}"
