"""The page of keys: made and shown once, listed without what opens, ended."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine

from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.services import key_holding
from tests.web.serving import NOW
from tests.web.signed_in import ADMIN, CLINIC, HILL, NURSE, PROVIDER, THEIRS, faults, signed_in, two_clinics

FILLED = {"name": "hospital system", "holder": PROVIDER, "provider": "yes", "days": "30"}


@pytest.fixture
def clinics(sqlite_engine: Engine) -> Engine:
    """A ledger with two clinics."""
    two_clinics(sqlite_engine)
    return sqlite_engine


@pytest.fixture
def clock() -> HandClock:
    """A clock at the morning of the tests."""
    return HandClock(NOW)


def test_a_key_is_shown_once(clinics: Engine, clock: HandClock) -> None:
    """It opens, in the name that was chosen; the page shows it as it is made, and never again; ended, it opens nothing."""
    admin = signed_in(clinics, clock, ADMIN)
    made = admin.post("/keys/add", data=FILLED)
    (token,) = re.findall(r"doseline_key_[\w-]{43}", made.text)
    asker = key_holding.who(clinics, token, now=clock.now())
    assert asker is not None
    listed = admin.get("/keys").text
    ended = admin.post("/keys/end", data={"key": asker.key_id})

    assert (made.status_code, asker.person.name, asker.person.roles) == (200, PROVIDER, frozenset({StaffRole.PROVIDER}))
    assert (token in listed, "hospital system" in listed, f"made by {ADMIN}" in listed) == (False, True, True)
    assert (ended.headers["Location"], key_holding.who(clinics, token, now=clock.now())) == ("/keys", None)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": ""}, "name", "must have 1 to 80 characters"),
        ({"holder": THEIRS}, "holder", "is nobody on the list"),
        ({"holder": NURSE}, "roles", "Nurse Lee is not provider"),
        ({"provider": ""}, "roles", "choose one at least"),
        ({"days": "367"}, "days", "must be a whole number from 1 to 366"),
        ({"days": "0"}, "days", "must be a whole number from 1 to 366"),
        ({"days": "x"}, "days", "must be a whole number from 1 to 366"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(clinics: Engine, clock: HandClock, changes: dict[str, str], field: str, words: str) -> None:
    """No key is made; what was typed is kept."""
    answer = signed_in(clinics, clock, ADMIN).post("/keys/add", data={**FILLED, **changes})
    told = faults(answer.text)

    assert (answer.status_code, list(told), words in told[field]) == (422, [field], True)
    assert key_holding.listed(clinics, CLINIC) == ()
    assert ('value="hospital system"' in answer.text) == (field != "name")


def test_keys_are_of_ones_own_clinic(clinics: Engine, clock: HandClock) -> None:
    """An admin elsewhere neither sees nor ends them."""
    key, token = key_holding.make(clinics, CLINIC, NURSE, "ward", {StaffRole.STAFF}, by=key_holding.OPERATOR, now=NOW)
    theirs = signed_in(clinics, clock, THEIRS, clinic=HILL)
    shown, ended = theirs.get("/keys").text, theirs.post("/keys/end", data={"key": key.id})

    assert ("ward" in shown, ended.status_code) == (False, 422)
    assert key_holding.who(clinics, token, now=clock.now()) is not None
