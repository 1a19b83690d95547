"""Who may ask what of the API, as a matrix over every operation there is; and that another clinic's rows are not there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.services import key_holding, staffing
from reminders.web.access import Access
from tests.web.api.asking import CLINIC, EVERY, HADDAD, HILL, LEE, MOSS, PARK, Program, a_key, a_program
from tests.web.api.examples import BODIES, OPERATIONS, ROWS, Operation, prepare
from tests.web.clinic import MORNING
from tests.web.signed_in import signed_in

ROLES: Mapping[str, tuple[str, frozenset[StaffRole]]] = {
    "staff": (LEE, frozenset({StaffRole.STAFF})),
    "provider": (HADDAD, frozenset({StaffRole.PROVIDER})),
    "a provider's, lent as staff": (HADDAD, frozenset({StaffRole.STAFF})),
    "admin": (PARK, frozenset({StaffRole.ADMIN})),
}
WHO = ("nobody", *ROLES)
CARING = {"staff", "provider", "a provider's, lent as staff"}
LETS_IN = {
    Access.API_ANYBODY: set(WHO),
    Access.API_KEY: set(ROLES),
    Access.API_CARE: CARING,
    Access.API_PRESCRIBE: {"provider"},
    Access.API_ADMINISTER: {"admin"},
}


def ledger(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Everything that is stored."""
    with reading(engine) as c:
        return {name: [tuple(row) for row in c.execute(select(table))] for name, table in metadata.tables.items()}


def program_of(engine: Engine, who: str) -> Program:
    """A program with the key of somebody, which it has used already; or with none."""
    key = None if who == "nobody" else a_key(engine, holder=ROLES[who][0], roles=ROLES[who][1])
    program = a_program(engine, key)
    program.get("/me")
    return program


@pytest.mark.parametrize("who", WHO)
def test_the_matrix(clinics: Engine, who: str) -> None:
    """Every operation × every kind of key: who may not ask is refused, and nothing is changed; who may, is beyond the door."""
    program, found = program_of(clinics, who), {}
    for operation in OPERATIONS:
        path, before = operation.to(clinics), ledger(clinics)
        status = program.ask(operation.method, path, None if operation.method == "GET" else {}).status_code
        is_turned_away = status in {401, 403}
        assert not is_turned_away or (ledger(clinics) == before and status == (401 if who == "nobody" else 403))
        found[str(operation)] = not is_turned_away

    assert found == {str(operation): who in LETS_IN[operation.access] for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_each_operation_is_carried_out(clinics: Engine, program: Program, operation: Operation) -> None:
    """With a body that is in order, and a key that may: so that a refusal below is one of what it is about."""
    prepare(program, clinics, operation)
    answer = program.ask(operation.method, operation.to(clinics), operation.body(program, clinics))

    assert answer.status_code in {200, 201}, answer.text


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.has_ids], ids=str)
def test_another_clinics_rows_are_not_there(clinics: Engine, program: Program, operation: Operation) -> None:
    """The ids of another clinic, with a body that is in order: 404, and nothing of either clinic is changed."""
    body = operation.body(program, clinics)
    before = ledger(clinics)
    answer = program.ask(operation.method, operation.to(clinics, clinic=HILL), body)

    assert (answer.status_code, ledger(clinics) == before) == (404, True)


def test_another_clinics_rows_are_there_for_its_own_key(clinics: Engine) -> None:
    """The ids of the test above are true ones."""
    theirs = a_program(clinics, a_key(clinics, holder=MOSS, clinic=HILL, roles=frozenset({StaffRole.PROVIDER, StaffRole.ADMIN})))
    looks = [one for one in OPERATIONS if one.has_ids and one.method == "GET"]

    assert {theirs.get(one.to(clinics, clinic=HILL)).status_code for one in looks} == {200}


def test_lists_are_of_one_clinic(program: Program) -> None:
    """No list, and no export, names anybody of the other clinic, even where it is asked by their ids."""
    lists = [one.path for one in OPERATIONS if one.method == "GET" and "{" not in one.path and one.path != "/openapi.json"]
    told = "".join(program.get(path).text for path in lists)

    assert ("Ana Silva" in told, "rui-baclofen" in told, "Rui Souza" in told, MOSS in told) == (True, False, False, False)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic {key}", "{key}", "Bearer {key}x", "Bearer x{key}", "Bearer {key}, Bearer {key}"],
)
def test_what_is_no_key_opens_nothing(clinics: Engine, program: Program, header: str) -> None:
    """Whatever stands in its place: 401, and how to come back."""
    answer = a_program(clinics, None).ask("GET", "/me", Authorization=header.format(key=program.key))

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_key_is_asked_for_each_time(clinics: Engine) -> None:
    """Ended by an admin, it opens nothing from the next request on; so does that of a person who left."""
    keys = [a_key(clinics, holder=holder, roles=frozenset({StaffRole.STAFF})) for holder in (HADDAD, LEE)]
    programs = [a_program(clinics, key) for key in keys]
    before = [program.get("/me").status_code for program in programs]
    ended = next(key for key in key_holding.listed(clinics, CLINIC) if key.holder == HADDAD)
    key_holding.end(clinics, CLINIC, ended.id, by=PARK, now=MORNING)
    staffing.end(clinics, CLINIC, LEE, now=MORNING)

    assert (before, [program.get("/me").status_code for program in programs]) == ([200, 200], [401, 401])


def test_no_cookie_is_read(clinics: Engine) -> None:
    """Who is signed in, on the very machine and from a page of ours, is nobody here without a key."""
    clock = HandClock(MORNING)
    browser = signed_in(clinics, clock, PARK)

    assert (browser.get("/account").status_code, browser.get("/api/v1/staff").status_code) == (200, 401)


def test_a_key_needs_no_page_of_ours(clinics: Engine, program: Program) -> None:
    """What says that it comes from elsewhere may act with a key: no browser adds one by itself."""
    operation = next(one for one in OPERATIONS if one.path.endswith("/acts/stay"))
    answer = program.post(operation.to(clinics), {}, Origin="https://elsewhere.example", Sec_Fetch_Site="cross-site")

    assert answer.status_code == 200


def test_every_operation_with_a_body_has_an_example() -> None:
    """A new operation is in the tests above with a body of its own, or fails here; and what leads to a row is known by its table."""
    sent = {one.path for one in OPERATIONS if one.method != "GET"}
    named = {part.strip("{}") for one in OPERATIONS for part in one.path.split("/") if part.startswith("{")}

    assert (sent - set(BODIES), named - {*ROWS, "drug", "queue"}) == ({"/patients/{patient}/plans", "/plans/{plan}/edit"}, set())


def test_a_key_is_for_as_long_as_it_was_made(clinics: Engine) -> None:
    """On its last day it opens, and on the next not."""
    key = a_key(clinics, roles=EVERY)
    last = MORNING + timedelta(days=364)

    assert [a_program(clinics, key, clock=HandClock(last + timedelta(days=days))).get("/me").status_code for days in (0, 3)] == [200, 401]
