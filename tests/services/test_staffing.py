"""Who is on a clinic's list, and that nobody else decides anything: by whichever way the name comes in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.domain.dose_state import DoseState
from reminders.domain.roles import StaffRole
from reminders.errors import BadFile, NotAllowed, NotFound
from reminders.formats.plan_file import read_plan
from reminders.services import editing, importing, prescribing, staffing, supplying
from reminders.services.records.audit import first_broken_link
from reminders.services.supplying import TallyKind
from tests.files import a_clinic, a_patient, an_entry, an_import_file, changed
from tests.stage import Stage, patient, phase, plan

NOW = datetime(2026, 2, 28, 12, tzinfo=UTC)
HADDAD, LEE = "Dr. Noor Haddad", "Nurse Lee"
CLINIC, HILL = "harbor-clinic", "hill-clinic"
RISE = (phase("5/5/5", 3), phase("10/10/10", 3), phase("15/15/15"))


def names(engine: Engine, clinic: str = CLINIC) -> dict[str, tuple[list[str], bool]]:
    """Each person on a list: what they are, and whether they are still there."""
    members = staffing.listed(engine, clinic)
    return {member.name: (sorted(role.value for role in member.roles), member.ended_at is None) for member in members}


def faults_of(engine: Engine, data: object) -> list[str]:
    """Import a bad file; return its faults."""
    with pytest.raises(BadFile) as caught:
        importing.import_file(engine, data, now=NOW)
    return [str(fault) for fault in caught.value.faults]


def test_a_list_is_kept(engine: Engine) -> None:
    """A file brings the first people; others are added, given other roles, ended and taken back; each leaves an entry in the audit."""
    importing.import_file(engine, an_import_file(), now=NOW)
    staffing.add(engine, CLINIC, "Dr. Ada Moss", {StaffRole.ADMIN, StaffRole.PROVIDER}, now=NOW)
    staffing.add(engine, CLINIC, LEE, {StaffRole.PROVIDER}, now=NOW)
    staffing.end(engine, CLINIC, HADDAD, now=NOW)
    ended = names(engine)
    staffing.add(engine, CLINIC, HADDAD, {StaffRole.STAFF}, now=NOW)

    assert ended == {"Dr. Ada Moss": (["admin", "provider"], True), HADDAD: (["provider"], False), LEE: (["provider"], True)}
    assert names(engine)[HADDAD] == (["staff"], True)
    with reading(engine) as c:
        audit = metadata.tables["audit"]
        told = c.execute(select(audit.c.actor, audit.c.detail).where(audit.c.action.startswith("staff")).order_by(audit.c.no)).all()
        assert first_broken_link(c, CLINIC) is None
    assert [tuple(row) for row in told] == [
        ("import", "provider"),
        ("import", "staff"),
        ("command line", "admin, provider"),
        ("command line", "provider"),
        ("command line", ""),
        ("command line", "staff"),
    ]


def test_lists_are_a_clinics_own(engine: Engine) -> None:
    """A provider of one clinic is nobody at another, though both are in one ledger."""
    importing.import_file(engine, an_import_file(), now=NOW)
    importing.import_file(engine, an_import_file(clinic=a_clinic(name="Hill Clinic", staff=[])) | {"patients": []}, now=NOW)

    assert (names(engine, HILL), staffing.clinics(engine)) == ({}, (CLINIC, HILL))
    theirs = an_import_file(a_patient(phone="+12025550103", caregivers=[]), clinic=a_clinic(name="Hill Clinic", staff=[]))
    (said,) = faults_of(engine, theirs)
    assert said.startswith(f"patients[0].plans[0].approved_by: nobody at the clinic is called '{HADDAD}'")
    assert said.endswith("`doseline staff add` puts a person on its list, or `clinic.staff` in this file")


@pytest.mark.parametrize(
    ("clinic", "name", "says"),
    [
        ("nowhere", HADDAD, "there is no clinic 'nowhere'; there is harbor-clinic"),
        (CLINIC, "Dr. Who", "nobody on the list of harbor-clinic"),
    ],
)
def test_nobody_ends_who_is_not_there(engine: Engine, clinic: str, name: str, says: str) -> None:
    """A clinic, or a person, that is not there is said to be so."""
    importing.import_file(engine, an_import_file(), now=NOW)
    with pytest.raises(NotFound, match=says):
        staffing.end(engine, clinic, name, now=NOW)


def test_nobody_is_listed_as_nothing(engine: Engine) -> None:
    """Who is on the list is something there."""
    importing.import_file(engine, an_import_file(), now=NOW)
    with pytest.raises(NotAllowed, match="has a role"):
        staffing.add(engine, CLINIC, "Dr. Ada Moss", set(), now=NOW)
    assert "Dr. Ada Moss" not in names(engine)


ACTS: dict[str, Callable[[Stage, str], object]] = {
    "advance": lambda clinic, by: clinic.acts("advance", by=by),
    "step_back": lambda clinic, by: clinic.acts("step_back", by=by),
    "suspend": lambda clinic, by: clinic.acts("suspend", by=by),
    "stop": lambda clinic, by: clinic.acts("stop", by=by),
    "slow_down": lambda clinic, by: clinic.acts("slow_down", days=2, by=by),
    "edit": lambda clinic, by: editing.approve(clinic.engine, "ana-baclofen", _slower(), by=by, reason="sleepy", now=clinic.now),
}
CARES: dict[str, Callable[[Stage, str], object]] = {
    "stay": lambda clinic, by: clinic.acts("stay", by=by),
    "acknowledge": lambda clinic, by: clinic.acts("acknowledge", by=by),
    "add_medicine": lambda clinic, by: clinic.acts("add_medicine", medicine="zinc", by=by),
    "correct": lambda clinic, by: prescribing.correct(
        clinic.engine,
        plan_ref="ana-baclofen",
        local_date=date(2026, 3, 2),
        slot_no=1,
        state=DoseState.TAKEN,
        by=by,
        reason="told by phone",
        now=clinic.now,
    ),
    "count": lambda clinic, by: supplying.say(clinic.engine, "ana-baclofen", {Decimal(5): 20}, TallyKind.COUNTED, by=by, now=clinic.now),
}


def _slower() -> Any:  # noqa: ANN401 - a plan
    entry = plan(phase("5/5/5", 6), phase("10/10/10"))
    return read_plan({key: value for key, value in entry.items() if key not in {"ref", "approved_by", "supply"}})


def _kept(clinic: Stage) -> dict[str, list[Any]]:
    """All that an act could have left."""
    return {name: clinic.rows(name) for name in ("plan", "plan_version", "plan_stay", "plan_event", "dose", "dose_event", "audit", "alert")}


@pytest.mark.parametrize("act", [*ACTS, *CARES])
def test_a_name_without_a_role_does_nothing(act: str) -> None:
    """Nobody of that name, somebody who left, an admin: each is refused with the reason, and nothing is changed."""
    with Stage.on_paper(patient(plan(*RISE, advance="as_prescribed"))) as clinic:
        clinic.run_until("03-05 09:00")
        staffing.add(clinic.engine, CLINIC, "Dr. Ada Moss", {StaffRole.PROVIDER}, now=clinic.now)
        staffing.add(clinic.engine, CLINIC, "Kim Park", {StaffRole.ADMIN}, now=clinic.now)
        staffing.end(clinic.engine, CLINIC, "Dr. Ada Moss", now=clinic.now)
        before = _kept(clinic)
        for by, says in (
            ("Dr. Who", "nobody at the clinic"),
            ("Dr. Ada Moss", "left the clinic's list on 05 Mar"),
            ("Kim Park", "is admin"),
        ):
            with pytest.raises(NotAllowed, match=says):
                (ACTS | CARES)[act](clinic, by)
        assert _kept(clinic) == before


@pytest.mark.parametrize("act", ACTS)
def test_what_is_taken_is_a_providers(act: str) -> None:
    """A nurse is refused, and nothing is changed; a provider is not."""
    with Stage.on_paper(patient(plan(*RISE, advance="as_prescribed"))) as clinic:
        clinic.run_until("03-05 09:00")
        before = _kept(clinic)
        with pytest.raises(NotAllowed, match="Nurse Lee is staff: only provider may"):
            ACTS[act](clinic, LEE)
        assert _kept(clinic) == before
        ACTS[act](clinic, HADDAD)
        assert _kept(clinic) != before


@pytest.mark.parametrize("act", CARES)
def test_what_leaves_it_as_prescribed_is_a_nurses_too(act: str) -> None:
    """She keeps a step back, takes alerts on, and sets records right."""
    with Stage.on_paper(patient(plan(*RISE, advance="as_prescribed"))) as clinic:
        clinic.run_until("03-05 09:00")
        CARES[act](clinic, LEE)
        assert clinic.doses()["03-02/1"]


def test_only_a_provider_takes_an_interaction_on() -> None:
    """A nurse may say what else is taken, but not that it is well so."""
    with Stage.on_paper(patient(plan(*RISE, advance="as_prescribed"))) as clinic:
        clinic.run_until("03-02 09:00")
        clinic.acts("add_medicine", medicine="diazepam", by=LEE)
        with pytest.raises(NotAllowed, match="only provider may"):
            clinic.acts("acknowledge", by=LEE)
        assert [alert["acknowledged_at"] for alert in clinic.rows("alert") if alert["kind"] == "interaction"] == [None]
        clinic.acts("acknowledge", by=HADDAD)
        assert [alert["acknowledged_by"] for alert in clinic.rows("alert") if alert["kind"] == "interaction"] == [HADDAD]


def test_an_interaction_nobody_took_on_is_not_put_aside_by_a_nurse() -> None:
    """To take the medicine off the list would answer for the provider; once a provider has acknowledged it, she may."""
    with Stage.on_paper(patient(plan(*RISE))) as clinic:
        clinic.run_until("03-02 09:00")
        clinic.acts("add_medicine", medicine="diazepam", by=LEE)
        before = _kept(clinic)
        with pytest.raises(NotAllowed, match="only provider may"):
            clinic.acts("remove_medicine", medicine="diazepam", by=LEE)
        assert _kept(clinic) == before
        clinic.acts("acknowledge", by=HADDAD)
        clinic.acts("remove_medicine", medicine="diazepam", by=LEE)
        assert [alert["closed_at"] is None for alert in clinic.rows("alert") if alert["kind"] == "interaction"] == [False]


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("patients[0].plans[0].approved_by", LEE, f"patients[0].plans[0].approved_by: {LEE} is staff: only provider may"),
        ("patients[0].plans[0].approved_by", "Dr. Who", "patients[0].plans[0].approved_by: nobody at the clinic is called 'Dr. Who'"),
        ("clinic.staff[0].roles", [], "clinic.staff[0].roles: must have at least 1 entry"),
        ("clinic.staff[0].roles", ["owner"], "clinic.staff[0].roles[0]: must be one of"),
        ("clinic.staff[0].name", "", "clinic.staff[0].name: must not be empty"),
    ],
)
def test_an_import_stands_on_a_providers_name(engine: Engine, path: str, value: object, fault: str) -> None:
    """A plan that no provider approved is refused at the path of the name, and nothing of the file is stored, its people neither."""
    (said,) = faults_of(engine, changed(an_import_file(), path, value))

    assert (said.startswith(fault), staffing.clinics(engine)) == (True, ())


def test_an_acknowledgement_in_a_file_is_a_providers(engine: Engine) -> None:
    """Who goes on beside an interacting medicine prescribes."""
    entry = an_entry(acknowledged=[{"of": "diazepam", "by": LEE, "reason": "short course"}])
    data = an_import_file(a_patient(medicines=["diazepam"], plans=[entry]))

    assert [said.partition(",")[0] for said in faults_of(engine, data)] == [
        f"patients[0].plans[0].acknowledged[0].by: {LEE} is staff: only provider may"
    ]


def test_an_old_file_brings_nobody_back(engine: Engine) -> None:
    """Who left, and who is something else by now, is not listed again by a file that says otherwise."""
    importing.import_file(engine, an_import_file(), now=NOW)
    staffing.end(engine, CLINIC, HADDAD, now=NOW)
    staffing.add(engine, CLINIC, LEE, {StaffRole.ADMIN}, now=NOW)

    said = faults_of(engine, an_import_file() | {"patients": []})

    assert said == [
        f"clinic.staff[0]: {HADDAD} is on the clinic's list otherwise: `doseline staff` changes that",
        f"clinic.staff[1]: {LEE} is on the clinic's list otherwise: `doseline staff` changes that",
    ]
    assert names(engine) == {HADDAD: (["provider"], False), LEE: (["admin"], True)}
