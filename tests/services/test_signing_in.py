"""One-time links, passwords, codes and sessions: what lets somebody in, and all that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, select, update

from db.engine import reading, writing
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.domain.signing_in import GUESSES_OF_ACCOUNT, GUESSES_OF_ADDRESS, IDLE, INVITATION_HOLDS, LONGEST, SETUP_HOLDS, WINDOW
from reminders.errors import BadFile, NotFound
from reminders.services import forgetting, signing_in, staffing
from reminders.services.signing_in import SetUp
from tests.web.serving import NOW
from tests.web.signed_in import ADMIN, CLINIC, HILL, NURSE, PASSWORD, PROVIDER, THEIRS, Phone, an_account, two_clinics

HOME = "198.51.100.7"
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> HandClock:
    """A clock at the morning of the tests."""
    return HandClock(NOW)


@pytest.fixture
def clinics(engine: Engine) -> Engine:
    """A ledger with two clinics and their people, of whom nobody can sign in yet."""
    two_clinics(engine)
    return engine


def tries(
    engine: Engine, phone: Phone, clock: HandClock, *, password: str = PASSWORD, code: str | None = None, at: str = HOME
) -> str | None:
    """Try to sign in."""
    shown = phone.code(clock) if code is None else code
    return signing_in.sign_in(engine, login=phone.login, password=password, code=shown, address=at, now=clock.now())


def link_of(engine: Engine, clock: HandClock, name: str = NURSE, *, new_device: bool = False) -> str:
    """A one-time link for somebody."""
    return signing_in.invite(engine, CLINIC, name, by=ADMIN, new_device=new_device, now=clock.now())


def faults_of(engine: Engine, clock: HandClock, token: str, given: SetUp) -> dict[str, str]:
    """What is wrong with what was filled in behind a link."""
    with pytest.raises(BadFile) as caught:
        signing_in.set_up(engine, token, given, now=clock.now())
    return {fault.path: fault.message for fault in caught.value.faults}


def code_of(engine: Engine, clock: HandClock, token: str) -> str:
    """The code that a phone shows which has scanned the square behind a link."""
    seen = signing_in.opened(engine, token, now=clock.now())
    assert seen is not None
    return Phone(seen.secret or "", "").code(clock)


def test_in_and_out(clinics: Engine, clock: HandClock) -> None:
    """With name, password and code somebody is in, as what they are; signed out, nobody is."""
    phone = an_account(clinics, clock, PROVIDER)
    token = tries(clinics, phone, clock)
    assert token is not None
    person = signing_in.who(clinics, token, now=clock.now())
    signing_in.sign_out(clinics, token, now=clock.now())

    assert person is not None
    assert (person.name, person.clinic_id, person.clinic) == (PROVIDER, CLINIC, "Harbor Clinic")
    assert person.roles == {StaffRole.PROVIDER}
    assert signing_in.who(clinics, token, now=clock.now()) is None


def test_names_know_no_capitals(clinics: Engine, clock: HandClock) -> None:
    """A phone's keyboard may begin a name with a capital, and end it with a space."""
    phone = an_account(clinics, clock, PROVIDER, login="  Haddad@Harbor.example ")

    assert tries(clinics, replace(phone, login="HADDAD@harbor.example"), clock) is not None


WRONG: dict[str, Callable[[Phone], tuple[Phone, dict[str, str]]]] = {
    "the password": lambda phone: (phone, {"password": PASSWORD + "s"}),
    "no password": lambda phone: (phone, {"password": ""}),
    "the code": lambda phone: (phone, {"code": "000000"}),
    "no code": lambda phone: (phone, {"code": ""}),
    "no digits": lambda phone: (phone, {"code": "\u0660" * 6}),
    "the name": lambda phone: (replace(phone, login="nobody@harbor.example"), {}),
    "a made-up recovery code": lambda phone: (phone, {"code": "aaaaa-aaaaa"}),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_anything_wrong_lets_nobody_in(clinics: Engine, clock: HandClock, wrong: str) -> None:
    """Whatever it is; and the right three let in afterwards."""
    phone = an_account(clinics, clock, PROVIDER)
    other, given = WRONG[wrong](phone)

    assert tries(clinics, other, clock, **given) is None
    assert tries(clinics, phone, clock) is not None


def test_a_code_is_good_once(clinics: Engine, clock: HandClock) -> None:
    """Whoever looked over a shoulder is too late; so is who used one of the minute before."""
    phone = an_account(clinics, clock, PROVIDER)
    code = phone.code(clock)
    earlier = phone.code(HandClock(clock.now() - timedelta(seconds=30)))

    assert [tries(clinics, phone, clock, code=given) is not None for given in (code, code, earlier)] == [True, False, False]


def test_a_code_is_good_once_on_every_replica(clinics: Engine, clock: HandClock) -> None:
    """Two who come with one code at the same moment: one is let in."""
    phone = an_account(clinics, clock, PROVIDER)
    code, both, let_in = phone.code(clock), Barrier(2), list[str | None]()

    def come() -> None:
        both.wait()
        let_in.append(tries(clinics, phone, clock, code=code))

    callers = [Thread(target=come) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert sorted(token is not None for token in let_in) == [False, True]


@pytest.mark.parametrize(("seconds", "is_in"), [(-31, True), (0, True), (31, True), (95, False), (-95, False)])
def test_a_phones_clock_may_be_a_little_off(clinics: Engine, clock: HandClock, seconds: int, is_in: bool) -> None:  # noqa: FBT001 - a cell
    """Half a minute either way is taken, more is not."""
    phone = an_account(clinics, clock, PROVIDER)
    clock.advance(timedelta(minutes=5, seconds=15))  # in the middle of a code's half minute
    shown = phone.code(HandClock(clock.now() + timedelta(seconds=seconds)))

    assert (tries(clinics, phone, clock, code=shown) is not None) == is_in


def test_a_recovery_code_is_good_once(clinics: Engine, clock: HandClock) -> None:
    """In place of the code, however it is typed; the others stay good."""
    phone = an_account(clinics, clock, PROVIDER)
    first, second = phone.recovery[0].upper().replace("-", " "), phone.recovery[1]

    assert [tries(clinics, phone, clock, code=given) is not None for given in (first, first, second)] == [True, False, True]
    token = tries(clinics, phone, clock)
    assert token is not None
    person = signing_in.who(clinics, token, now=clock.now())
    assert person is not None
    assert signing_in.account_of(clinics, person) == (phone.login, 8)


def test_five_guesses(clinics: Engine, clock: HandClock) -> None:
    """After five, the right three do not let in either, from anywhere, for a quarter of an hour; the others are not touched."""
    phone, other = an_account(clinics, clock, PROVIDER), an_account(clinics, clock, NURSE)
    for _ in range(GUESSES_OF_ACCOUNT):
        assert tries(clinics, phone, clock, password="a guess at random") is None
        clock.advance(SECOND)

    assert (tries(clinics, phone, clock), tries(clinics, phone, clock, at="198.51.100.8")) == (None, None)
    assert tries(clinics, other, clock) is not None
    clock.advance(WINDOW - GUESSES_OF_ACCOUNT * SECOND - SECOND)
    assert tries(clinics, phone, clock) is None
    clock.advance(SECOND)
    assert tries(clinics, phone, clock) is not None


def test_an_unknown_name_rests_as_a_known_one_does(clinics: Engine, clock: HandClock) -> None:
    """Nobody learns by the sixth answer which names there are."""
    nobody = Phone("A" * 32, "nobody@harbor.example")
    for _ in range(GUESSES_OF_ACCOUNT + 1):
        assert tries(clinics, nobody, clock) is None
    with reading(clinics) as c:
        kept = [row.tries for row in c.execute(select(metadata.tables["sign_in_guard"]))]

    assert sorted(len(one.split()) for one in kept) == [GUESSES_OF_ACCOUNT, GUESSES_OF_ACCOUNT + 1]


def test_fifty_guesses_from_one_address(clinics: Engine, clock: HandClock) -> None:
    """Whoever tries many names from one place is stopped there, and only there."""
    phone = an_account(clinics, clock, PROVIDER)
    with writing(clinics) as c:
        seconds = int(clock.now().timestamp())
        row = {"key": signing_in.kept(f"address {HOME}"), "tries": " ".join([str(seconds)] * GUESSES_OF_ADDRESS), "last_at": clock.now()}
        c.execute(metadata.tables["sign_in_guard"].insert().values(row))

    assert tries(clinics, phone, clock) is None
    assert tries(clinics, phone, clock, at="198.51.100.8") is not None


@pytest.mark.parametrize(("spans", "is_in"), [((IDLE - SECOND,), True), ((IDLE,), False), ((IDLE / 2, IDLE / 2, IDLE / 2), True)])
def test_a_session_left_alone_ends(clinics: Engine, clock: HandClock, spans: tuple[timedelta, ...], is_in: bool) -> None:  # noqa: FBT001 - a cell
    """After a quarter of an hour without use; each use begins it again."""
    token = tries(clinics, an_account(clinics, clock, PROVIDER), clock)
    assert token is not None
    seen = []
    for span in spans:
        clock.advance(span)
        seen.append(signing_in.who(clinics, token, now=clock.now()) is not None)

    assert seen[-1] == is_in


def test_a_session_ends_with_the_day(clinics: Engine, clock: HandClock) -> None:
    """After twelve hours, however busy."""
    token, began = tries(clinics, an_account(clinics, clock, PROVIDER), clock), clock.now()
    assert token is not None
    while clock.now() + IDLE / 2 < began + LONGEST:
        clock.advance(IDLE / 2)
        assert signing_in.who(clinics, token, now=clock.now()) is not None
    clock.advance_to(began + LONGEST)

    assert signing_in.who(clinics, token, now=clock.now()) is None


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "'; DROP TABLE web_session; --"])
def test_what_nobody_was_given_is_nobodys(clinics: Engine, clock: HandClock, token: str) -> None:
    """A made-up cookie is no session."""
    assert signing_in.who(clinics, token, now=clock.now()) is None
    signing_in.sign_out(clinics, token, everywhere=True, now=clock.now())


def test_who_leaves_is_out_at_once(clinics: Engine, clock: HandClock) -> None:
    """Taken off the list, a person is signed out, cannot sign in, and no link of theirs is good; back on it, they can."""
    phone = an_account(clinics, clock, PROVIDER)
    token, link = tries(clinics, phone, clock), link_of(clinics, clock, PROVIDER)
    assert token is not None
    staffing.end(clinics, CLINIC, PROVIDER, now=clock.now())
    clock.advance(timedelta(minutes=1))

    assert (signing_in.who(clinics, token, now=clock.now()), tries(clinics, phone, clock)) == (None, None)
    assert signing_in.opened(clinics, link, now=clock.now()) is None
    staffing.add(clinics, CLINIC, PROVIDER, {StaffRole.PROVIDER}, now=clock.now())
    clock.advance(timedelta(minutes=1))
    assert tries(clinics, phone, clock) is not None


def test_what_somebody_is_changes_at_once(clinics: Engine, clock: HandClock) -> None:
    """A role given or taken holds with the next look, without signing in again."""
    token = tries(clinics, an_account(clinics, clock, PROVIDER), clock)
    assert token is not None
    staffing.add(clinics, CLINIC, PROVIDER, {StaffRole.STAFF}, now=clock.now())
    person = signing_in.who(clinics, token, now=clock.now())

    assert person is not None
    assert person.roles == {StaffRole.STAFF}


def test_out_everywhere(clinics: Engine, clock: HandClock) -> None:
    """All of a person's sessions end, and nobody else's."""
    phone, other = an_account(clinics, clock, PROVIDER), an_account(clinics, clock, NURSE)
    theirs = tries(clinics, other, clock)
    mine = []
    for _ in range(2):
        mine.append(tries(clinics, phone, clock))
        clock.advance(timedelta(minutes=1))
    signing_in.sign_out(clinics, mine[0] or "", everywhere=True, now=clock.now())

    assert [signing_in.who(clinics, token or "", now=clock.now()) is not None for token in (*mine, theirs)] == [False, False, True]


# One-time links


def test_a_link_is_good_once(clinics: Engine, clock: HandClock) -> None:
    """Used, it is nothing; and a newer one puts an older one aside."""
    older, token = link_of(clinics, clock), link_of(clinics, clock)
    given = SetUp(login="lee", password=PASSWORD, code=code_of(clinics, clock, token))

    assert signing_in.opened(clinics, older, now=clock.now()) is None
    assert signing_in.set_up(clinics, token, given, now=clock.now()) is not None
    assert signing_in.set_up(clinics, token, given, now=clock.now()) is None
    assert signing_in.opened(clinics, token, now=clock.now()) is None


def test_a_link_is_good_for_a_while(clinics: Engine, clock: HandClock) -> None:
    """Three days, and not a moment longer."""
    token = link_of(clinics, clock)
    clock.advance(INVITATION_HOLDS - SECOND)
    still = signing_in.opened(clinics, token, now=clock.now())
    clock.advance(SECOND)

    assert (still is not None, signing_in.opened(clinics, token, now=clock.now())) == (True, None)


def test_one_link_used_twice_at_once(clinics: Engine, clock: HandClock) -> None:
    """Two who open one link at the same moment: one has an account."""
    token, both, done = link_of(clinics, clock), Barrier(2), list[bool]()
    code = code_of(clinics, clock, token)

    def come(login: str) -> None:
        both.wait()
        done.append(signing_in.set_up(clinics, token, SetUp(login=login, password=PASSWORD, code=code), now=clock.now()) is not None)

    callers = [Thread(target=come, args=(login,)) for login in ("lee", "not-lee")]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert sorted(done) == [False, True]


def test_what_was_filled_in_wrong_is_said_by_field(clinics: Engine, clock: HandClock) -> None:
    """All of it at once; the link stays good, and nothing is stored."""
    an_account(clinics, clock, PROVIDER, login="haddad")
    token = link_of(clinics, clock)

    said = faults_of(clinics, clock, token, SetUp(login="Haddad ", password="short", code="000000"))
    assert said.keys() == {"login", "password", "code"}
    assert "take another" in said["login"]
    assert "12 characters" in said["password"]
    assert signing_in.opened(clinics, token, now=clock.now()) is not None


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("elevenchars", "must have 12 characters or more"),
        ("x" * 129, "must have 128 characters at most"),
        ("password12345", "is easily guessed"),
        ("qwertyuiop12", "is easily guessed"),
        ("aaaaaaaaaaaaaaaa", "is easily guessed"),
        ("nurseleenurselee", "is easily guessed"),
        ("harborclinic", "is easily guessed"),
        (PASSWORD, ""),
        ("ø" * 3 + " zigzag copper lantern", ""),
        ("p" + "lantern otter sixpence" * 5, ""),
    ],
)
def test_passwords(clinics: Engine, clock: HandClock, password: str, fault: str) -> None:
    """Long enough, not too long, and nothing that everybody tries first; no rule of what letters it must have."""
    token = link_of(clinics, clock)
    said = faults_of(clinics, clock, token, SetUp(login="lee", password=password, code="000000"))

    assert said.get("password", "").startswith(fault)
    assert ("password" in said) == bool(fault)


def test_a_new_password_keeps_the_phone(clinics: Engine, clock: HandClock) -> None:
    """A link for who has an account asks for the code of the phone that is there: it is no way around it."""
    phone = an_account(clinics, clock, NURSE)
    token = link_of(clinics, clock)
    seen = signing_in.opened(clinics, token, now=clock.now())
    assert seen is not None
    assert seen.secret is None
    fresh = PASSWORD[::-1]
    said = faults_of(clinics, clock, token, SetUp(login=phone.login, password=fresh, code="000000"))
    codes = signing_in.set_up(clinics, token, SetUp(login=phone.login, password=fresh, code=phone.code(clock)), now=clock.now())
    clock.advance(timedelta(minutes=1))

    assert (list(said), codes is not None) == (["code"], True)
    assert (tries(clinics, phone, clock), tries(clinics, phone, clock, password=fresh) is not None) == (None, True)


def test_a_recovery_code_sets_a_new_password_once(clinics: Engine, clock: HandClock) -> None:
    """In place of the code; a made-up one does not, and then nothing is stored and the link stays good."""
    phone = an_account(clinics, clock, NURSE)
    token = link_of(clinics, clock)

    def given(code: str) -> SetUp:
        return SetUp(login=phone.login, password=PASSWORD[::-1], code=code)

    assert faults_of(clinics, clock, token, given("aaaaa-aaaaa")).keys() == {"code"}
    assert signing_in.set_up(clinics, token, given(phone.recovery[0]), now=clock.now()) is not None


def test_a_new_phone_puts_the_old_one_aside(clinics: Engine, clock: HandClock) -> None:
    """The code of the lost phone is good no more, nor are the recovery codes, and whoever was signed in is out."""
    lost = an_account(clinics, clock, NURSE)
    token = tries(clinics, lost, clock)
    link = link_of(clinics, clock, new_device=True)
    seen = signing_in.opened(clinics, link, now=clock.now())
    assert seen is not None
    found = Phone(seen.secret or "", lost.login)
    signing_in.set_up(clinics, link, SetUp(login=lost.login, password=PASSWORD, code=found.code(clock)), now=clock.now())
    clock.advance(timedelta(minutes=1))

    assert signing_in.who(clinics, token or "", now=clock.now()) is None
    assert [tries(clinics, lost, clock), tries(clinics, lost, clock, code=lost.recovery[0])] == [None, None]
    assert tries(clinics, found, clock) is not None


def test_links_are_for_people_of_the_list(clinics: Engine, clock: HandClock) -> None:
    """Not for who is on another clinic's, and not for who left."""
    staffing.end(clinics, CLINIC, NURSE, now=clock.now())
    for name in (THEIRS, NURSE, "Dr. Who"):
        with pytest.raises(NotFound):
            link_of(clinics, clock, name)
    assert signing_in.invite(clinics, HILL, THEIRS, by=THEIRS, now=clock.now())


FIRST = SetUp(
    login="Kim",
    password=PASSWORD,
    code="",
    name="Kim Park",
    clinic="Harbor Clinic",
    phone="+12025550100",
    zone="America/New_York",
    prescribes=True,
)


def test_the_first_start_makes_a_clinic(engine: Engine, clock: HandClock) -> None:
    """The link of an empty ledger makes a clinic and its first person, once; afterwards there is no such link."""
    token = signing_in.first_link(engine, now=clock.now())
    assert token is not None
    given = replace(FIRST, code=code_of(engine, clock, token))

    assert signing_in.set_up(engine, token, given, now=clock.now()) is not None
    (kim,) = staffing.listed(engine, CLINIC)
    assert (kim.name, sorted(kim.roles)) == ("Kim Park", ["admin", "provider"])
    assert (signing_in.first_link(engine, now=clock.now()), signing_in.has_begun(engine)) == (None, True)


def test_a_first_link_is_short_lived_and_one(engine: Engine, clock: HandClock) -> None:
    """It was printed on a screen: an hour, and a new start puts it aside."""
    older = signing_in.first_link(engine, now=clock.now()) or ""
    token = signing_in.first_link(engine, now=clock.now()) or ""
    good = [signing_in.opened(engine, one, now=clock.now()) is not None for one in (older, token)]
    clock.advance(SETUP_HOLDS)

    assert (good, signing_in.opened(engine, token, now=clock.now())) == ([False, True], None)


def test_no_first_link_beside_a_clinic(clinics: Engine, clock: HandClock) -> None:
    """Where a clinic is there already, its list says who may have a link."""
    assert signing_in.first_link(clinics, now=clock.now()) is None


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("clinic", " "), ("phone", "555"), ("zone", "Mars/Base"), ("name", "a\nb"), ("clinic", "x" * 81)]
)
def test_the_first_clinic_is_checked(engine: Engine, clock: HandClock, field: str, value: str) -> None:
    """As an import's is; and nothing is stored."""
    token = signing_in.first_link(engine, now=clock.now()) or ""
    changed: dict[str, str] = {field: value}
    given = replace(FIRST, code=code_of(engine, clock, token), **changed)  # type: ignore[arg-type]  # texts, all of them

    assert faults_of(engine, clock, token, given).keys() == {field}
    assert staffing.clinics(engine) == ()


def test_nothing_kept_lets_anybody_in(clinics: Engine, clock: HandClock) -> None:
    """Whoever reads the tables finds no password, no recovery code, no link and no session that could be used."""
    phone = an_account(clinics, clock, PROVIDER)
    held = [tries(clinics, phone, clock), link_of(clinics, clock), PASSWORD, *phone.recovery]
    with reading(clinics) as c:
        kept = "\n".join(
            str(tuple(row))
            for name in ("account", "recovery_code", "invitation", "web_session", "sign_in_guard", "audit")
            for row in c.execute(select(metadata.tables[name]))
        )

    assert [secret for secret in held if secret and secret in kept] == []
    assert "$argon2id$v=19$m=65536,t=3" in kept


def test_what_is_over_is_forgotten(clinics: Engine, clock: HandClock) -> None:
    """Sessions, links and tries go once they are over, and not before."""
    phone = an_account(clinics, clock, PROVIDER)
    tries(clinics, phone, clock)
    tries(clinics, phone, clock, password="a guess at random")
    link_of(clinics, clock)

    def left() -> dict[str, int]:
        with reading(clinics) as c:
            return {name: len(c.execute(select(metadata.tables[name])).all()) for name in ("web_session", "invitation", "sign_in_guard")}

    forgetting.forget(clinics, now=clock.now())
    before = left()
    forgetting.forget(clinics, now=clock.now() + WINDOW)
    after = left()
    forgetting.forget(clinics, now=clock.now() + INVITATION_HOLDS)

    assert (before, after, left()) == (
        {"web_session": 1, "invitation": 1, "sign_in_guard": 2},
        {"web_session": 0, "invitation": 1, "sign_in_guard": 0},
        {"web_session": 0, "invitation": 0, "sign_in_guard": 0},
    )


def test_a_clock_set_back_ends_a_session(clinics: Engine, clock: HandClock) -> None:
    """What begins in the future is not believed."""
    token = tries(clinics, an_account(clinics, clock, PROVIDER), clock)
    with writing(clinics) as c:
        c.execute(update(metadata.tables["web_session"]).values(created_at=clock.now() + timedelta(hours=1)))

    assert signing_in.who(clinics, token or "", now=clock.now()) is None
