"""The sheet's page: whose it is, in which language, and of which plans there is one."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.acting import StaffAct, StaffAction
from reminders.services import prescribing
from tests.web.serving import NOW
from tests.web.signed_in import HILL, NURSE, PROVIDER, THEIRS, signed_in, two_clinics


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    """Harbor Clinic, with Ana's titration, and Hill Clinic."""
    two_clinics(sqlite_engine)
    return sqlite_engine


def path(engine: Engine) -> str:
    """Where the sheet of Ana's plan is."""
    with reading(engine) as c:
        table = metadata.tables["plan"]
        plan = c.execute(select(table.c.id, table.c.patient_id)).one()
    return f"/patients/{plan.patient_id}/plans/{plan.id}/sheet"


def nurse(engine: Engine) -> TestClient:
    """A browser of Nurse Lee's."""
    return signed_in(engine, HandClock(NOW), NURSE)


def test_a_nurse_prints_it(engine: Engine) -> None:
    """The table, the rule, whom to call, and no word of a page around it in print."""
    page = nurse(engine).get(path(engine))

    assert page.status_code == 200
    assert all(
        words in page.text for words in ("For Ana Silva", "8:00 am", "Harbor Clinic: 202 555 0100", "Call 911 now", "less than 2 hours")
    )


def test_another_language_may_be_asked_for(engine: Engine) -> None:
    """The patient's own is usual; what there are no words of is not there."""
    client = nurse(engine)
    shown = [client.get(f"{path(engine)}{query}").text for query in ("", "?in=es", "?in=xx")]

    assert ["Su plan de dosis" in page for page in shown] == [False, True, False]


def test_a_plan_that_is_over_has_no_sheet(engine: Engine) -> None:
    """Nor is a plan of another patient's found by one's own path."""
    act = StaffAct(NOW, StaffAction.STOP, "ana-baclofen", PROVIDER, "allergic")
    client, where = nurse(engine), path(engine)
    prescribing.act(engine, act, now=NOW)
    elsewhere = where.replace(where.split("/")[2], "nobody")

    assert [client.get(there).status_code for there in (where, elsewhere)] == [404, 404]


def test_another_clinic_prints_nothing_of_it(engine: Engine) -> None:
    """It is nobody's plan there."""
    assert signed_in(engine, HandClock(NOW), THEIRS, clinic=HILL).get(path(engine)).status_code == 404
