"""The installation's page, as a system admin's browser without scripts has it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from reminders.clock import HandClock
from reminders.services import signing_in, staffing
from reminders.services.signing_in import operating
from tests.web.serving import NOW
from tests.web.signed_in import ADMIN, OPERATOR, a_browser, an_operator, faults, signed_in, signing_in_as, two_clinics
from tests.web.test_status_page import Page, shown

NEW = {"clinic": "Lake Clinic", "phone": "+12025550120", "zone": "America/Chicago", "name": "Lee Roy"}
LINK = re.compile(r"<code>http://127\.0\.0\.1:8000/setup/([A-Za-z0-9_-]{43})</code>")


@pytest.fixture
def clock() -> HandClock:
    """A clock at the morning of the tests."""
    return HandClock(NOW)


@pytest.fixture
def browser(sqlite_engine: Engine, clock: HandClock) -> TestClient:
    """A browser in which a system admin is signed in, over two clinics."""
    two_clinics(sqlite_engine)
    client = a_browser(sqlite_engine, clock)
    assert signing_in_as(client, an_operator(sqlite_engine, clock), clock).headers["Location"] == "/"
    return client


def test_from_the_door_to_the_page(browser: TestClient) -> None:
    """Whoever signs in as one is sent to the installation, and finds the way out."""
    words = shown(browser.get("/system").text)

    assert [browser.get(path).headers["Location"] for path in ("/", "/sign-in")] == ["/system", "/"]
    assert [
        part for part in ("Pat Quinn, system admin", "Harbor Clinic America/New_York 3 1 1 0", "Troubles None.") if part not in words
    ] == []
    assert browser.post("/sign-out").headers["Location"] == "/sign-in"
    assert browser.get("/system").headers["Location"] == "/sign-in"


def test_a_clinic_is_made(browser: TestClient, sqlite_engine: Engine, clock: HandClock) -> None:
    """Its link is shown once, and sets up its first admin."""
    made = browser.post("/system/clinics", data=NEW)
    (token,) = LINK.findall(made.text)
    seen = signing_in.opened(sqlite_engine, token, now=clock.now())

    assert seen is not None
    assert (made.status_code, seen.name, seen.clinic, "lake-clinic" in staffing.clinics(sqlite_engine)) == (
        200,
        "Lee Roy",
        "Lake Clinic",
        True,
    )
    assert token not in browser.get("/system").text


def test_a_form_keeps_what_was_typed(browser: TestClient, sqlite_engine: Engine) -> None:
    """What is wrong stands beside its field."""
    answer = browser.post("/system/clinics", data=NEW | {"phone": "555", "clinic": "Harbor Clinic"})

    assert (answer.status_code, sorted(faults(answer.text)), len(staffing.clinics(sqlite_engine))) == (422, ["clinic", "phone"], 2)
    assert ('value="Lee Roy"' in answer.text, "<option selected>America/Chicago</option>" in answer.text) == (True, True)


def test_another_system_admin(browser: TestClient, sqlite_engine: Engine) -> None:
    """Is put on the list with a link; one who is on it already, or nobody, is not."""
    made = browser.post("/system/invite", data={"admin": "Max Orr"})
    refused = [browser.post("/system/invite", data={"admin": name}) for name in ("Max Orr", "")]

    assert (len(LINK.findall(made.text)), [answer.status_code for answer in refused]) == (1, [422, 422])
    assert [one.name for one in operating.listed(sqlite_engine)] == ["Max Orr", OPERATOR]


def test_an_admin_of_a_clinic_is_none_of_the_installation(browser: TestClient, sqlite_engine: Engine, clock: HandClock) -> None:
    """Whatever roles somebody has at a clinic, the installation is not theirs, and is no place in their pages."""
    admin = signed_in(sqlite_engine, clock, ADMIN)

    assert [admin.get("/system").status_code, admin.post("/system/clinics", data=NEW).status_code] == [403, 403]
    assert ("/system" in admin.get("/people").text, browser.get("/people").status_code) == (False, 403)


def test_the_page_is_well_formed(browser: TestClient) -> None:
    """Every element is closed, in order; no name stands twice; every field has its label; nothing is from elsewhere."""
    for html in (
        browser.get("/system").text,
        browser.post("/system/clinics", data={"clinic": ""}).text,
        browser.post("/system/clinics", data=NEW).text,
    ):
        page = Page(html)
        ids, labels = page.all("id"), page.all("for")
        named = {value for tag, key, value in page.attributes if tag in {"input", "select"} and key == "id"}

        assert (page.open, page.crossed, len(ids) - len(set(ids)), page.tags["h1"], named - set(labels)) == ([], [], 0, 1, set())
        assert [address for key in ("href", "src", "action") for address in page.all(key) if not re.match(r"/|#", address)] == []
