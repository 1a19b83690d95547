"""How the API refuses: where, why, with what limit; and nothing is stored."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.services import staffing
from reminders.web.bodies import LONGEST_BODY
from tests.files import a_clinic, a_patient, a_phase, a_plan_file, an_import_file
from tests.web.api.asking import CLINIC, HADDAD, LEE, Program, a_key, a_program, ids
from tests.web.api.examples import CAROL, EDITED
from tests.web.api.test_who import ledger
from tests.web.clinic import MORNING
from tests.web.serving import asking, some_parts


def act(engine: Engine, name: str = "stay") -> str:
    """The path of an act on Ana's plan."""
    return f"/plans/{ids(engine, 'plan')[0]}/acts/{name}"


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        (b"", "", "is missing"),
        (b"{", "", "not JSON"),
        (b"[]", "", "must be an object"),
        (b'{"reason": "a", "reason": "b"}', "reason", "more than once"),
        (b'{"reason": NaN}', "", "NaN is not a number"),
        (b'{"reason": 1}', "reason", "must be text in quotes, not 1"),
        (b'{"reason": "a\\u0000b"}', "reason", "one line of plain text"),
        (b'{"reason": "\\ud800"}', "", "half a character"),
        (b'{"reason": "", "by": "Dr. Ada Moss"}', "by", "unknown key"),
        (b"\xff", "", "not UTF-8"),
        (b"[" * 5_000, "", "nested too deep"),
    ],
)
def test_bad_input_is_named_by_its_path(clinics: Engine, program: Program, body: bytes, path: str, words: str) -> None:
    """422 with the path of what is wrong, in words; nothing is stored."""
    program.get("/me")
    before = ledger(clinics)
    answer = program.ask("POST", act(clinics), body)
    told = answer.json()

    assert (answer.status_code, answer.headers["Content-Type"], told["status"]) == (422, "application/problem+json", 422)
    assert [(error["path"], words in error["message"]) for error in told["errors"]] == [(path, True)]
    assert ledger(clinics) == before


@pytest.mark.parametrize(
    ("kind", "size", "status"),
    [
        ("text/plain", 2, 415),
        ("", 2, 415),
        ("application/json; charset=utf-8", 2, 200),
        ("application/json", LONGEST_BODY + 1, 413),
    ],
)
def test_what_is_no_json_or_too_much(clinics: Engine, program: Program, kind: str, size: int, status: int) -> None:
    """A body of another type, or too large a one, is not read."""
    answer = program.ask("POST", act(clinics), b"{" + b" " * (size - 2) + b"}", Content_Type=kind)

    assert answer.status_code == status


def test_an_import_may_be_larger(program: Program) -> None:
    """It has a megabyte."""
    file = an_import_file(CAROL, clinic=a_clinic(staff=[]))
    within, beyond = (json.dumps(file).encode() + b" " * size for size in (LONGEST_BODY, 1024 * 1024))

    assert [program.ask("POST", "/imports?dry_run=true", body).status_code for body in (within, beyond)] == [200, 413]


def test_a_broken_limit_is_told_with_its_source(clinics: Engine, program: Program) -> None:
    """Where a finding refuses: the number found, the limit, and the source that it rests on."""
    document = a_plan_file(phases=[a_phase(3, "5"), a_phase(None, "50")])
    answer = program.post(f"/plans/{ids(clinics, 'plan')[0]}/edit", {"document": document, "seal": "0" * 64, "reason": "more"})
    errors = {error["path"]: error for error in answer.json()["errors"]}

    assert answer.status_code == 422
    told = errors["phases[1]"]
    assert (told["found"], told["limit"]) == ("150 mg a day", "80 mg")
    assert told["source"] in told["message"]


def test_an_edit_is_of_what_was_looked_at(clinics: Engine, program: Program) -> None:
    """Without the seal of a preview, or with one from before the step was kept back, a document is refused and nothing is stored."""
    path, body = f"/plans/{ids(clinics, 'plan')[0]}/edit", {"document": EDITED, "reason": "same again"}
    seen = program.post(f"{path}/preview", {"document": EDITED}).json()
    program.post(act(clinics), {})
    before = ledger(clinics)
    answers = [program.post(path, body), program.post(path, {**body, "seal": seen["seal"]})]

    assert [(answer.status_code, answer.json()["errors"][0]["path"]) for answer in answers] == [(422, "seal")] * 2
    assert ledger(clinics) == before


def test_a_state_that_does_not_permit_it_is_a_conflict(clinics: Engine, program: Program) -> None:
    """409, with the reason; a role that does not is 403."""
    program.post(act(clinics), {})
    again = program.post(act(clinics), {})
    staffing.add(clinics, CLINIC, HADDAD, {StaffRole.STAFF}, now=MORNING)
    not_theirs = program.post(act(clinics, "resume"), {})

    assert (again.status_code, again.json()["detail"]) == (409, "plan ana-baclofen is staying; this is for one that is active")
    assert not_theirs.status_code == 403


def test_what_needs_a_provider_within_is_refused_to_less(clinics: Engine) -> None:
    """Anybody may acknowledge, but an interacting medicine only a provider; and a provider's key that was lent as staff is none."""
    provider = a_program(clinics, a_key(clinics))
    provider.post(act(clinics, "add-medicine"), {"medicine": "diazepam"})
    lent = a_program(clinics, a_key(clinics, roles=frozenset({StaffRole.STAFF})))
    body = {"reason": "short course"}
    answers = [asker.post(act(clinics, "acknowledge"), body) for asker in (lent, provider)]

    assert [answer.status_code for answer in answers] == [403, 200]


@pytest.mark.parametrize(
    ("file", "path"),
    [
        (an_import_file(a_patient(ref="eva", caregivers=[]), clinic=a_clinic(name="Hill Clinic", staff=[])), "clinic.name"),
        (an_import_file({**a_patient(ref="eva", caregivers=[]), "plans": [{**EDITED, "ref": "x", "approved_by": "Nurse Lee"}]}), ""),
    ],
)
def test_an_import_is_of_this_clinic_and_in_ones_own_name(program: Program, file: object, path: str) -> None:
    """Another clinic's name is a fault; so is an approval in another's name than the key's person."""
    answer = program.post("/imports", file)
    paths = [error["path"] for error in answer.json()["errors"]]

    assert answer.status_code == 422
    assert (path or "patients[0].plans[0].approved_by") in paths


def test_nobody_approves_in_another_providers_name(clinics: Engine, program: Program) -> None:
    """Not even in that of another provider at the clinic, who would have to bring it in with a key of their own."""
    staffing.add(clinics, CLINIC, LEE, {StaffRole.PROVIDER}, now=MORNING)
    patient = a_patient(ref="eva", phone="+12025550103", caregivers=[])
    file = an_import_file({**patient, "plans": [{**EDITED, "ref": "x", "approved_by": LEE}]}, clinic=a_clinic(staff=[]))
    (error,) = program.post("/imports", file).json()["errors"]

    assert (error["path"], HADDAD in error["message"]) == ("patients[0].plans[0].approved_by", True)


def test_a_state_that_no_person_sets(clinics: Engine, program: Program) -> None:
    """A dose is set back to what it may have been, if that was a slip; pending is the machine's own word."""
    path = f"/doses/{ids(clinics, 'dose')[0]}/correct"
    told = {
        state: program.ask("POST", path, json.dumps({"state": state, "reason": "a slip"}).encode()).json()
        for state in ("unconfirmed", "pending")
    }

    assert (told["unconfirmed"]["state"], told["pending"]["status"]) == ("unconfirmed", 422)
    assert [error["message"] for error in told["pending"]["errors"]] == [
        'must be one of taken, skipped, missed, unconfirmed, not_reminded, not_due, open, not "pending"'
    ]


def test_what_is_only_tried_changes_nothing(clinics: Engine, program: Program) -> None:
    """An import, an enrolment and an act with `dry_run` say what would be, and store none of it."""
    program.get("/me")
    before = ledger(clinics)
    answers = [
        program.post("/imports?dry_run=true", an_import_file(CAROL, clinic=a_clinic(staff=[]))),
        program.post("/patients?dry_run=true", CAROL),
        program.post(act(clinics, "suspend") + "?dry_run=true", {"reason": "rash"}),
    ]

    assert [answer.status_code for answer in answers] == [200, 201, 200]
    assert [answer.json().get("stored", answer.json().get("done")) for answer in answers] == [False] * 3
    assert any("take no dose for now" in text["body"] for text in answers[2].json()["foreseen"]["texts"])
    assert ledger(clinics) == before


def test_a_patients_own_paths_are_the_ones_named(program: Program) -> None:
    """A patient is sent alone, so that a fault's path begins within them."""
    answer = program.post("/patients", {**CAROL, "phone": "555-0101"})

    assert [error["path"] for error in answer.json()["errors"]] == ["phone"]


def test_who_asks_too_often_waits(clinics: Engine) -> None:
    """Each key for itself: what is over is refused with how long to wait, and after that it may again."""
    clock = HandClock(MORNING)
    parts = replace(some_parts(engine=clinics, clock=clock), calls_a_minute=12)
    client = asking(parts)
    one, other = (Program(client, a_key(clinics)) for _ in range(2))
    found = [one.get("/me").status_code for _ in range(3)]
    refused = one.get("/me")
    clock.advance(timedelta(seconds=int(refused.headers["Retry-After"])))

    assert (found, refused.status_code, other.get("/me").status_code) == ([200, 200, 429], 429, 200)
    assert one.get("/me").status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/me", 405), ("GET", "/plans/x", 404)])
def test_what_is_not_there(program: Program, method: str, path: str, status: int) -> None:
    """A path of nobody's, a method that it has not, an id that none can be."""
    answer = program.ask(method, path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


def test_lists_go_on_where_they_ended(clinics: Engine, program: Program) -> None:
    """Page by page, each list gives each of its rows once; what is no `next` of ours is refused."""
    plan, patient = ids(clinics, "plan")[0], ids(clinics, "patient")[0]
    program.post(act(clinics), {})
    for path in ("/patients", f"/plans/{plan}/events", f"/patients/{patient}/texts"):
        whole = program.get(f"{path}?limit=200").json()["items"]
        walked, page = [], program.get(f"{path}?limit=1").json()
        while page["next"] is not None:
            walked += page["items"]
            page = program.get(f"{path}?limit=1&after={page['next']}").json()
        walked += page["items"]
        assert (len(whole) > 1, walked) == (True, whole)
        assert program.get(f"{path}?after=x").status_code == 422


def test_a_search_goes_on_where_it_ended(program: Program) -> None:
    """Page by page; a place that is nobody's is refused."""
    whole = program.post("/patients/search", {}).json()["items"]
    first = program.post("/patients/search", {"limit": 1}).json()
    second = program.post("/patients/search", {"limit": 1, "after": first["next"]}).json()
    nowhere = program.post("/patients/search", {"after": "p" + "0" * 32})

    assert ([*first["items"], *second["items"]], second["next"]) == (whole, None)
    assert (nowhere.status_code, nowhere.json()["errors"][0]["path"]) == (422, "after")


def test_the_names_of_who_acts_are_kept(clinics: Engine, program: Program) -> None:
    """An act by a key stands under the name of its person, like any other."""
    program.post(act(clinics), {"reason": "sleepy"})
    events = program.get(f"/plans/{ids(clinics, 'plan')[0]}/events").json()["items"]

    assert [(event["kind"], event["by"], event["reason"]) for event in events] == [("stays", HADDAD, "sleepy"), ("approved", HADDAD, "")]
