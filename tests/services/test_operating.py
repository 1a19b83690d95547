"""System admins: how they come, sign in and go; what they see of the installation, and the clinics they make."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.domain.signing_in import GUESSES_OF_ACCOUNT, IDLE, INVITATION_HOLDS
from reminders.errors import BadFile, NotAllowed, NotFound
from reminders.services import signing_in, staffing
from reminders.services.signing_in import SetUp, operating
from tests.web.serving import NOW
from tests.web.signed_in import CLINIC, OPERATOR, PASSWORD, PROVIDER, Phone, an_account, an_operator, set_up_behind, two_clinics

HOME = "198.51.100.7"
BY = "command line"
NEW = {"clinic": "Lake Clinic", "phone": "+12025550120", "zone": "America/Chicago", "admin": "Lee Roy"}


@pytest.fixture
def clock() -> HandClock:
    """A clock at the morning of the tests."""
    return HandClock(NOW)


@pytest.fixture
def clinics(sqlite_engine: Engine) -> Engine:
    """A ledger with two clinics."""
    two_clinics(sqlite_engine)
    return sqlite_engine


def tries(engine: Engine, phone: Phone, clock: HandClock, *, code: str | None = None, password: str = PASSWORD) -> str | None:
    """Try to sign in."""
    shown = phone.code(clock) if code is None else code
    return signing_in.sign_in(engine, login=phone.login, password=password, code=shown, address=HOME, now=clock.now())


def test_in(clinics: Engine, clock: HandClock) -> None:
    """With name, password and code, as everybody; they are nobody at any clinic."""
    token = tries(clinics, an_operator(clinics, clock), clock)
    assert token is not None
    operator = signing_in.who_operates(clinics, token, now=clock.now())

    assert operator is not None
    assert (operator.name, signing_in.who(clinics, token, now=clock.now())) == (OPERATOR, None)


@pytest.mark.parametrize("wrong", ["password", "code", "recovery"])
def test_anything_wrong_lets_nobody_in(clinics: Engine, clock: HandClock, wrong: str) -> None:
    """Nor does a code a second time, of the phone or of the list."""
    phone = an_operator(clinics, clock)
    given = {"password": {"password": "a guess at random"}, "code": {"code": "000000"}, "recovery": {"code": "aaaaa-aaaaa"}}[wrong]
    once = [tries(clinics, phone, clock, code=code) is not None for code in [phone.code(clock)] * 2 + [phone.recovery[0]] * 2]

    assert tries(clinics, phone, clock, **given) is None
    assert once == [True, False, True, False]


def test_five_guesses(clinics: Engine, clock: HandClock) -> None:
    """They rest as everybody does."""
    phone = an_operator(clinics, clock)
    for _ in range(GUESSES_OF_ACCOUNT):
        tries(clinics, phone, clock, password="a guess at random")

    assert tries(clinics, phone, clock) is None


def test_a_session_ends(clinics: Engine, clock: HandClock) -> None:
    """Left alone, signed out, signed in elsewhere, and with the list."""
    phone = an_operator(clinics, clock)
    held = []
    for _ in range(4):
        held.append(tries(clinics, phone, clock) or "")
        clock.advance(timedelta(minutes=1))

    def are_in() -> list[bool]:
        return [signing_in.who_operates(clinics, token, now=clock.now()) is not None for token in held]

    before = are_in()
    signing_in.sign_out(clinics, held[3], now=clock.now())
    out = are_in()
    held[0] = tries(clinics, phone, clock) or ""
    operating.end(clinics, OPERATOR, by=BY, now=clock.now())

    assert (before, out, are_in()) == ([False, False, False, True], [False] * 4, [False] * 4)
    assert tries(clinics, phone, clock) is None


def test_an_idle_session_ends(clinics: Engine, clock: HandClock) -> None:
    """After a quarter of an hour; a look that comes by itself is no use."""
    token = tries(clinics, an_operator(clinics, clock), clock) or ""
    clock.advance(IDLE / 2)
    assert signing_in.who_operates(clinics, token, now=clock.now(), is_use=False) is not None
    clock.advance(IDLE / 2)

    assert signing_in.who_operates(clinics, token, now=clock.now()) is None


def test_a_link_is_good_once_and_for_a_while(clinics: Engine, clock: HandClock) -> None:
    """A newer one puts it aside; it is for a new phone, and what was there before is good no more."""
    lost = an_operator(clinics, clock)
    older, newer = (operating.invite(clinics, OPERATOR, by=BY, now=clock.now()) for _ in range(2))
    found = set_up_behind(clinics, clock, newer, lost.login)
    late = operating.invite(clinics, OPERATOR, by=BY, now=clock.now())
    clock.advance(INVITATION_HOLDS)

    assert [signing_in.opened(clinics, token, now=clock.now()) for token in (older, newer, late)] == [None] * 3
    assert (tries(clinics, lost, clock), tries(clinics, found, clock) is not None) == (None, True)


def test_nobody_signs_in_by_a_name_twice(clinics: Engine, clock: HandClock) -> None:
    """Neither a system admin by the name of a clinic's, nor the other way."""
    nurse, operator = an_account(clinics, clock, PROVIDER, login="one"), an_operator(clinics, clock)
    theirs = operating.add(clinics, "Max Orr", by=BY, now=clock.now())
    hers = signing_in.invite(clinics, CLINIC, "Nurse Lee", by=BY, now=clock.now())
    said = []
    for token, login in ((theirs, nurse.login), (hers, operator.login)):
        with pytest.raises(BadFile) as caught:
            signing_in.set_up(clinics, token, SetUp(login=login, password=PASSWORD, code="000000"), now=clock.now())
        said.append([fault.path for fault in caught.value.faults])

    assert said == [["login", "code"]] * 2


def test_the_list(clinics: Engine, clock: HandClock) -> None:
    """Added once, ended once, taken back; nobody takes themselves off; each is in every clinic's audit."""
    operating.add(clinics, OPERATOR, by=BY, now=clock.now())
    with pytest.raises(NotAllowed, match="already"):
        operating.add(clinics, OPERATOR, by=BY, now=clock.now())
    with pytest.raises(NotAllowed, match="nobody takes themselves off"):
        operating.end(clinics, OPERATOR, by=OPERATOR, now=clock.now())
    operating.end(clinics, OPERATOR, by=BY, now=clock.now())
    for change in (operating.end, operating.invite):
        with pytest.raises(NotFound):
            change(clinics, OPERATOR, by=BY, now=clock.now())
    ended = operating.listed(clinics)
    operating.add(clinics, OPERATOR, by=BY, now=clock.now())
    audit = metadata.tables["audit"]
    with reading(clinics) as c:
        told = c.execute(select(audit.c.clinic_id, audit.c.action).where(audit.c.action.like("system%"))).all()

    assert [(one.name, one.ended_at is None) for one in (*ended, *operating.listed(clinics))] == [(OPERATOR, False), (OPERATOR, True)]
    acts = ["system admin listed", "system link made", "system admin ended", "system admin listed", "system link made"]
    assert {clinic: [row.action for row in told if row.clinic_id == clinic] for clinic in (CLINIC, "hill-clinic")} == {
        CLINIC: acts,
        "hill-clinic": acts,
    }


def test_the_installation_by_numbers(clinics: Engine) -> None:
    """Each clinic with its counts, and nobody's name."""
    seen = operating.installation(clinics, now=NOW)

    assert [(one.name, one.staff, one.patients, one.plans, one.alerts) for one in seen.clinics] == [
        ("Harbor Clinic", 3, 1, 1, 0),
        ("Hill Clinic", 1, 1, 0, 0),
    ]
    assert [name for name in ("Ana", "Silva", "Rui", "Haddad", "+1202") if name in str(replace(seen, admins=()))] == []


def test_a_clinic_is_made(clinics: Engine, clock: HandClock) -> None:
    """With its first admin, who sets up how they sign in behind the link, and can then list others."""
    token = operating.make_clinic(clinics, **NEW, by=OPERATOR, now=clock.now())
    admin = set_up_behind(clinics, clock, token, "lee@lake.example")
    person = signing_in.who(clinics, tries(clinics, admin, clock) or "", now=clock.now())

    assert person is not None
    assert (person.clinic_id, person.name, person.roles) == ("lake-clinic", "Lee Roy", frozenset({StaffRole.ADMIN}))
    assert [member.name for member in staffing.listed(clinics, "lake-clinic")] == ["Lee Roy"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"clinic": ""}, "clinic"),
        ({"clinic": "Harbor Clinic"}, "clinic"),
        ({"phone": "555"}, "phone"),
        ({"zone": "Mars"}, "zone"),
        ({"admin": ""}, "name"),
    ],
)
def test_a_clinic_that_cannot_be(clinics: Engine, changes: dict[str, str], field: str) -> None:
    """It is said by field, and nothing is made; of one that is there already nothing is changed."""
    before = staffing.clinics(clinics), staffing.listed(clinics, CLINIC)
    with pytest.raises(BadFile) as caught:
        operating.make_clinic(clinics, **NEW | changes, by=OPERATOR, now=NOW)

    assert [fault.path for fault in caught.value.faults] == [field]
    assert (staffing.clinics(clinics), staffing.listed(clinics, CLINIC)) == before


def test_a_ledger_with_a_system_admin_has_begun(sqlite_engine: Engine, clock: HandClock) -> None:
    """No first link is printed any more, and the overview is for who is signed in."""
    before = signing_in.has_begun(sqlite_engine)
    an_operator(sqlite_engine, clock)

    assert (before, signing_in.has_begun(sqlite_engine), signing_in.first_link(sqlite_engine, now=clock.now())) == (False, True, None)
