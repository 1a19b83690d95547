"""Who may ask what, as a matrix over every route there is; and who made the page that a request came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine, select
from starlette.routing import Mount
from starlette.testclient import TestClient

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.services import caring, reminding, replying, staffing
from reminders.web.access import ROUTES, SAFE, Access
from reminders.web.api.rows import API_ROUTES
from reminders.web.app import create_app
from tests.web.api.asking import a_key, a_program
from tests.web.serving import ANA, NOW, a_carrier, asking, some_parts
from tests.web.signed_in import (
    ADMIN,
    CLINIC,
    HILL,
    NURSE,
    PROVIDER,
    THEIRS,
    a_browser,
    an_account,
    an_operator,
    signed_in,
    signing_in_as,
    two_clinics,
)

WHO = ("nobody", "staff", "provider", "admin", "admin of another clinic", "a caregiver", "a system admin")
LETS_IN = {
    Access.ANYBODY: set(WHO),
    Access.MACHINE: set(WHO),
    Access.SIGNED_IN: set(WHO) - {"nobody", "a caregiver", "a system admin"},
    Access.CARE: {"staff", "provider", "admin of another clinic"},  # who prescribes there too
    Access.SANDBOX: set(WHO) - {"admin", "a system admin"},  # nobody, too: on this machine, for as long as nobody can sign in
    Access.PRESCRIBE: {"provider", "admin of another clinic"},
    Access.ADMINISTER: {"admin", "admin of another clinic"},
    Access.CAREGIVER: {"a caregiver"},
    Access.OPERATE: {"a system admin"},
}
"""Who may ask at all. What of it is whose, the tests below and those of each page say."""

CHANGES = sorted(key for key, access in ROUTES.items() if key[0] not in SAFE and access is not Access.MACHINE)
NOBODYS = "A" * 43
OF_LOOKING = {"sign_in_guard", "web_session"}
"""The tables that change by somebody looking at a page."""

NAMES_AT_HARBOR = ("Ana Silva", "Harbor Clinic", "+12025550101")
PATIENT, PLAN, ALERT, ROLE = (metadata.tables[name] for name in ("patient", "plan", "alert", "contact_role"))
OF_A_CLINIC = re.compile(r"{(patient|plan|alert)}")
NAMES = {"staff": (NURSE, CLINIC), "provider": (PROVIDER, CLINIC), "admin": (ADMIN, CLINIC), "admin of another clinic": (THEIRS, HILL)}


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method of every route of an app, those within its routers and its API too."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            yield from ((method, route.path) for method in route.methods or ())
        elif isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from ((method, f"{route.path}{path}") for method, path in routes_of(route.app))
        elif hasattr(route, "effective_candidates"):
            for inner in route.effective_candidates():
                yield from ((method, inner.path) for method in inner.methods)


@pytest.fixture
def engine_of_two(sqlite_engine: Engine) -> Engine:
    """A ledger with two clinics."""
    two_clinics(sqlite_engine)
    reminding.remind_due(sqlite_engine, now=NOW)
    replying.receive(sqlite_engine, sid="SM1", from_phone=ANA, to_phone="", body="seizure", received_at=NOW, now=NOW)
    return sqlite_engine


def browser_of(engine: Engine, clock: HandClock, who: str) -> TestClient:
    """A browser in which somebody is signed in, or nobody."""
    if who == "nobody":
        return a_browser(engine, clock)
    name, clinic = NAMES[who]
    return signed_in(engine, clock, name, clinic=clinic)


def a_caregiver(engine: Engine, clock: HandClock) -> TestClient:
    """The browser of Ana's brother, with his page open."""
    role, client = metadata.tables["contact_role"], a_browser(engine, clock)
    with reading(engine) as c:
        his = c.execute(select(role.c.patient_id, role.c.id).where(role.c.clinic_id == CLINIC, role.c.role == "caregiver")).one()
    token = caring.link(engine, CLINIC, *his, by=NURSE, now=clock.now()).token
    assert client.get(f"/care/{token}").status_code == 303
    return client


def filled(engine: Engine, path: str, clinic: str = CLINIC) -> str:
    """A path whose fields hold what is some clinic's: its first patient, who is around them, a plan, an alert; and a token of nobody's."""
    with reading(engine) as c:
        rows = {
            "patient": c.execute(select(PATIENT.c.id).where(PATIENT.c.clinic_id == clinic).order_by(PATIENT.c.ref)).scalars().first(),
            "plan": c.execute(select(PLAN.c.id).where(PLAN.c.clinic_id == clinic).order_by(PLAN.c.ref)).scalars().first(),
            "role": c.execute(
                select(ROLE.c.id)
                .join(PATIENT, PATIENT.c.id == ROLE.c.patient_id)
                .where(ROLE.c.clinic_id == clinic)
                .order_by(PATIENT.c.ref, ROLE.c.role)
            )
            .scalars()
            .first(),
            "alert": c.execute(select(ALERT.c.id).where(ALERT.c.clinic_id == clinic).order_by(ALERT.c.id)).scalars().first(),
        }
    return re.sub(r"{(\w+)}", lambda field: rows.get(field[1]) or NOBODYS, path)


def ledger(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Everything that a page could change, but when somebody who is signed in was last seen."""
    tables = {name: [column for column in table.c if column.name != "session_seen_at"] for name, table in metadata.tables.items()}
    with reading(engine) as c:
        return {name: [tuple(row) for row in c.execute(select(*columns))] for name, columns in tables.items() if name not in OF_LOOKING}


def test_every_route_is_declared() -> None:
    """A route that nobody gave a row fails here, and answers nobody; and no row is of a route that is gone."""
    assert sorted(set(routes_of(create_app(some_parts(carrier=a_carrier()))))) == sorted([*ROUTES, *API_ROUTES])


def test_an_undeclared_route_answers_nobody(sqlite_engine: Engine) -> None:
    """Whoever forgets the row has a page that nobody sees."""
    app = create_app(some_parts(engine=sqlite_engine))

    @app.get("/forgotten")
    def forgotten() -> str:
        return "seen"

    with TestClient(app) as client:
        assert client.get("/forgotten").status_code == 403


@pytest.mark.parametrize("who", WHO)
def test_the_matrix(engine_of_two: Engine, who: str) -> None:
    """Every route × everybody: who may not ask is sent to sign in (a look) or refused, and nothing is changed; who may, is beyond the door.

    What the overview shows depends on who looks, and has tests of its own.
    """
    clock, doors = HandClock(NOW), sorted(key for key, access in ROUTES.items() if access is not Access.MACHINE and key != ("GET", "/"))
    phone = an_account(engine_of_two, clock, NAMES[who][0], clinic=NAMES[who][1]) if who in NAMES else None
    phone = an_operator(engine_of_two, clock) if who == "a system admin" else phone
    client = a_caregiver(engine_of_two, clock) if who == "a caregiver" else a_browser(engine_of_two, clock)
    found = {}
    for method, path in doors:
        if phone and not client.cookies:  # at first, and after each door that leads out
            assert signing_in_as(client, phone, clock).status_code == 303
        before = ledger(engine_of_two)
        answer = client.request(method, filled(engine_of_two, path))
        is_turned_away = answer.status_code in {401, 403} or (answer.headers.get("Location") == "/sign-in" and not path.startswith("/sign"))
        assert not is_turned_away or ledger(engine_of_two) == before
        found[method, path] = not is_turned_away
        clock.advance(timedelta(seconds=30))  # a code is good once

    assert found == {key: who in LETS_IN[ROUTES[key]] for key in doors}


def test_a_nul_is_in_no_address(postgres_engine: Engine) -> None:
    """PostgreSQL holds none: what is asked for by one is not there, for a person or for a program, and the ledger is not away."""
    two_clinics(postgres_engine)
    client = signed_in(postgres_engine, HandClock(NOW), NURSE)
    program = a_program(postgres_engine, a_key(postgres_engine, roles=frozenset({StaffRole.PROVIDER})))

    found = [client.get(path).status_code for path in ("/patients/%00", "/alerts/%00", "/queues/signs?after=%00", "/setup/%00")]
    assert found == [404] * 4
    assert program.get("/patients?after=%00").status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:8000.elsewhere.example"},
        {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "cross-site"},
    ],
    ids=lambda headers: ", ".join(f"{name} {value}" for name, value in headers.items()) or "nothing",
)
def test_a_page_of_somebody_elses_changes_nothing(engine_of_two: Engine, headers: dict[str, str]) -> None:
    """Every route that changes something, with the cookie of an admin: a foreign page, or what says nothing of itself, is refused."""
    client = signed_in(engine_of_two, HandClock(NOW), ADMIN)
    del client.headers["Sec-Fetch-Site"]
    before = ledger(engine_of_two)
    found = {
        (method, path): client.request(
            method, filled(engine_of_two, path), data={"name": PROVIDER, "provider": "yes"}, headers=headers
        ).status_code
        for method, path in CHANGES
    }

    assert found == dict.fromkeys(CHANGES, 403)
    assert ledger(engine_of_two) == before


def test_a_browser_that_says_only_its_origin(engine_of_two: Engine) -> None:
    """An older one, that knows no Sec-Fetch-Site, is believed by its Origin."""
    client = signed_in(engine_of_two, HandClock(NOW), ADMIN)
    del client.headers["Sec-Fetch-Site"]
    answer = client.post("/people/end", data={"name": PROVIDER}, headers={"Origin": "http://127.0.0.1:8000"})

    assert answer.status_code == 303


@pytest.mark.parametrize("action", ["end", "invite", "add"])
def test_an_admin_reaches_no_other_clinic(engine_of_two: Engine, action: str) -> None:
    """The name of somebody at another clinic is nobody's here: their list stays as it is."""
    client = signed_in(engine_of_two, HandClock(NOW), ADMIN)
    with reading(engine_of_two) as c:
        of_hill = select(metadata.tables["staff"]).where(metadata.tables["staff"].c.clinic_id == HILL)
        before = c.execute(of_hill).all()
    client.post(f"/people/{action}", data={"name": THEIRS, "staff": "yes"})
    shown = client.get("/people").text
    with reading(engine_of_two) as c:
        assert c.execute(of_hill).all() == before
        invited = c.execute(select(metadata.tables["invitation"]).where(metadata.tables["invitation"].c.clinic_id == HILL)).all()

    assert (invited, "Dr. Noor Haddad" in shown, (THEIRS in shown) == (action == "add")) == ([], True, True)


def test_nobody_reaches_into_another_clinic(engine_of_two: Engine) -> None:
    """Every route that names a patient, a plan or an alert × somebody with every role elsewhere: it is not there, nothing changes."""
    clock = HandClock(NOW)
    staffing.add(engine_of_two, HILL, THEIRS, set(StaffRole), now=NOW)
    client = signed_in(engine_of_two, clock, THEIRS, clinic=HILL)
    before = ledger(engine_of_two)
    found = {}
    for method, path in sorted(key for key in ROUTES if OF_A_CLINIC.search(key[1])):
        answer = client.request(method, filled(engine_of_two, path), data=None if method in SAFE else {"reason": "seen"})
        found[method, path] = (answer.status_code, [name for name in NAMES_AT_HARBOR if name in answer.text])
        clock.advance(timedelta(seconds=1))

    assert found == dict.fromkeys(found, (404, []))
    assert ledger(engine_of_two) == before


def test_whoever_may_look_at_what_is_theirs_sees_it(engine_of_two: Engine) -> None:
    """The same routes, asked by the clinic's own people, are there: else the test above would prove nothing."""
    staffing.add(engine_of_two, CLINIC, PROVIDER, set(StaffRole), now=NOW)
    client = signed_in(engine_of_two, HandClock(NOW), PROVIDER)
    looks = sorted(path for method, path in ROUTES if method == "GET" and OF_A_CLINIC.search(path))

    assert {path: client.get(filled(engine_of_two, path)).status_code for path in looks} == dict.fromkeys(looks, 200)


def test_each_sees_their_own_clinic(engine_of_two: Engine) -> None:
    """The overview is of the clinic of who looks, and of no other."""
    clock = HandClock(NOW)
    ours, theirs = (browser_of(engine_of_two, clock, who).get("/").text for who in ("provider", "admin of another clinic"))

    assert (["Harbor Clinic" in page for page in (ours, theirs)], ["Hill Clinic" in page for page in (ours, theirs)]) == (
        [True, False],
        [False, True],
    )


def test_once_somebody_can_sign_in_this_machine_is_nobody(engine_of_two: Engine) -> None:
    """The page that showed every clinic to whoever sat here is gone then."""
    clock = HandClock(NOW)
    here = asking(some_parts(engine=engine_of_two, clock=clock))
    before = here.get("/")
    signed_in(engine_of_two, clock, NURSE)
    after = here.get("/")

    assert ((before.status_code, "Hill Clinic" in before.text), (after.status_code, after.headers["Location"])) == (
        (200, True),
        (303, "/sign-in"),
    )


def test_a_system_admin_reads_no_patient(engine_of_two: Engine) -> None:
    """Every route, asked as a system admin with the ids of what is there: nothing of any patient or member is in any answer."""
    clock = HandClock(NOW)
    phone, client = an_operator(engine_of_two, clock), a_browser(engine_of_two, clock)
    patients = select(PATIENT.c.name, PATIENT.c.id)
    with reading(engine_of_two) as c:
        theirs = {word for row in c.execute(patients) for word in row} | {"+12025550101", "+12025550131", PROVIDER, NURSE, THEIRS}
    seen = {}
    for method, path in sorted(key for key, access in ROUTES.items() if access is not Access.MACHINE):
        if not client.cookies:
            assert signing_in_as(client, phone, clock).status_code == 303
        before = ledger(engine_of_two)
        there = filled(engine_of_two, path)
        answer = client.request(method, there)
        seen[method, path] = [word for word in theirs if word in answer.text.replace(there, "")]
        assert ledger(engine_of_two) == before or path in {"/sign-out", "/system/clinics", "/system/invite"}
        clock.advance(timedelta(seconds=30))

    assert [where for where, words in seen.items() if words] == []
