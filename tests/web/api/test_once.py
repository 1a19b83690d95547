"""A marked request is carried out once, however often it is sent."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from reminders.services import key_holding
from reminders.services.key_holding import Asking
from tests.web.api.asking import Program, a_key, a_program, ids
from tests.web.clinic import MORNING

COUNT = {"kind": "added", "tablets": [{"strength": "5", "tablets": 60}]}


def tablets(engine: Engine) -> str:
    """The path of Ana's tablets."""
    return f"/plans/{ids(engine, 'plan')[0]}/supply"


def left(program: Program, engine: Engine) -> int:
    """How many tablets she has."""
    found = program.get(tablets(engine)).json()["left"]
    return int(found[0]["tablets"]) if found else 0


def test_a_repeat_is_answered_as_it_was(clinics: Engine, program: Program) -> None:
    """Sixty tablets that came, told twice under one mark, are sixty; without a mark they are a hundred and twenty."""
    first, again = (program.post(tablets(clinics), COUNT, Idempotency_Key="m-1") for _ in range(2))
    once = left(program, clinics)
    program.post(tablets(clinics), COUNT)

    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert (once, left(program, clinics)) == (60, 120)
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")


def test_a_mark_is_for_one_request(clinics: Engine, program: Program) -> None:
    """With another body it is refused, and nothing is done."""
    program.post(tablets(clinics), COUNT, Idempotency_Key="m-1")
    other = program.post(tablets(clinics), {**COUNT, "kind": "counted"}, Idempotency_Key="m-1")

    assert (other.status_code, other.json()["errors"][0]["path"]) == (422, "Idempotency-Key")


def test_a_mark_is_a_keys_own(clinics: Engine, program: Program) -> None:
    """Two programs may come upon the same."""
    other = a_program(clinics, a_key(clinics))
    answers = [asker.post(tablets(clinics), COUNT, Idempotency_Key="m-1") for asker in (program, other)]

    assert ([answer.status_code for answer in answers], left(program, clinics)) == ([200, 200], 120)


def test_what_was_refused_may_be_sent_again(clinics: Engine, program: Program) -> None:
    """A refusal did nothing, so the mark is free: the state may be another by now."""
    plan = ids(clinics, "plan")[0]
    refused = program.post(f"/plans/{plan}/acts/resume", {}, Idempotency_Key="m-1")
    program.post(f"/plans/{plan}/acts/stay", {})
    done = program.post(f"/plans/{plan}/acts/resume", {}, Idempotency_Key="m-1")

    assert (refused.status_code, done.status_code) == (409, 200)


def test_what_broke_off_is_not_done_again(clinics: Engine, program: Program) -> None:
    """Whether it was done nobody can say: its repeat is refused, and somebody looks."""
    assert program.key is not None
    asker = key_holding.who(clinics, program.key, now=MORNING)
    assert asker is not None
    path = f"/api/v1{tablets(clinics)}"
    asked = b"\n".join((b"POST", path.encode(), b"", b'{"kind": "added", "tablets": [{"strength": "5", "tablets": 60}]}'))
    key_holding.begin(clinics, Asking(asker, "m-1", asked), now=MORNING)
    answer = program.post(tablets(clinics), COUNT, Idempotency_Key="m-1")

    assert (answer.status_code, left(program, clinics)) == (409, 0)


@pytest.mark.parametrize("mark", ["", "a b", "x" * 256])
def test_what_is_no_mark(clinics: Engine, program: Program, mark: str) -> None:
    """It is refused, and nothing is done."""
    answer = program.post(tablets(clinics), COUNT, Idempotency_Key=mark)

    assert (answer.status_code, left(program, clinics)) == (422, 0)
