"""Keys: in whose name, with how much of their right, for how long, and that no marked request is done twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from db.engine import reading, writing
from db.tables import metadata
from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.roles import Right, StaffRole
from reminders.errors import NotAllowed, NotFound
from reminders.services import forgetting, importing, key_holding, prescribing, staffing
from reminders.services.key_holding import Answered, Asker, Asking
from reminders.services.records import staff
from reminders.services.records.audit import first_broken_link
from tests.files import a_clinic, an_import_file

NOW = datetime(2026, 3, 2, 13, 5, tzinfo=UTC)
HADDAD, LEE, PARK = "Dr. Noor Haddad", "Nurse Lee", "Kim Park"
CLINIC, HILL = "harbor-clinic", "hill-clinic"
ALL = frozenset({StaffRole.PROVIDER, StaffRole.STAFF})


@pytest.fixture
def clinics(engine: Engine) -> Engine:
    """Harbor Clinic with an admin, a provider who is staff too, and a nurse; and Hill Clinic."""
    importing.import_file(engine, an_import_file(), now=NOW - timedelta(days=2))
    staffing.add(engine, CLINIC, PARK, {StaffRole.ADMIN}, now=NOW)
    staffing.add(engine, CLINIC, HADDAD, ALL, now=NOW)
    importing.import_file(engine, an_import_file(clinic=a_clinic(name="Hill Clinic"), patients=[]), now=NOW)
    return engine


def a_key(engine: Engine, *, holder: str = HADDAD, roles: frozenset[StaffRole] = ALL, days: int = 90) -> tuple[str, str]:
    """A key's id, and what opens."""
    key, token = key_holding.make(engine, CLINIC, holder, "hospital system", roles, by=PARK, now=NOW, holds=timedelta(days=days))
    return key.id, token


def asker(engine: Engine, token: str, *, now: datetime = NOW) -> Asker:
    """Who asks with a key that is good."""
    found = key_holding.who(engine, token, now=now)
    assert found is not None
    return found


def test_a_key_acts_in_a_name(clinics: Engine) -> None:
    """It is 256 random bits behind a prefix, opens as its person with its roles, and only its hash is kept."""
    key_id, token = a_key(clinics)
    found = asker(clinics, token)
    with reading(clinics) as c:
        row = c.execute(select(metadata.tables["api_key"])).one()
        audit = metadata.tables["audit"]
        told = c.execute(select(audit.c.actor, audit.c.subject).where(audit.c.action == "key made")).one()
        assert first_broken_link(c, CLINIC) is None

    assert re.fullmatch(r"doseline_key_[A-Za-z0-9_-]{43}", token)
    assert (found.key_id, found.person.name, found.person.clinic_id, found.person.roles) == (key_id, HADDAD, CLINIC, ALL)
    assert (token in str(row), tuple(told)) == (False, (PARK, key_id))


def test_a_list_shows_no_key(clinics: Engine) -> None:
    """Name, holder, roles, maker, last use, end: all but what opens."""
    key_id, token = a_key(clinics)
    key_holding.who(clinics, token, now=NOW + timedelta(hours=1))
    (key,) = key_holding.listed(clinics, CLINIC)

    assert (key.id, key.name, key.holder, key.roles, key.made_by) == (key_id, "hospital system", HADDAD, ALL, PARK)
    assert (key.used_at, key.expires_at, key.ended_at) == (NOW + timedelta(hours=1), NOW + timedelta(days=90), None)
    assert key_holding.listed(clinics, HILL) == ()


def _ended(engine: Engine, key_id: str) -> None:
    key_holding.end(engine, CLINIC, key_id, by=PARK, now=NOW)


def _left(engine: Engine, _: str) -> None:
    staffing.end(engine, CLINIC, HADDAD, now=NOW)


def _came_back(engine: Engine, _: str) -> None:
    staffing.end(engine, CLINIC, HADDAD, now=NOW)
    staffing.add(engine, CLINIC, HADDAD, ALL, now=NOW)


@pytest.mark.parametrize("over", [_ended, _left, _came_back])
def test_a_key_that_is_over_opens_nothing(clinics: Engine, over: Callable[[Engine, str], None]) -> None:
    """Ended, or its person has left, even if they came back."""
    key_id, token = a_key(clinics)
    before = key_holding.who(clinics, token, now=NOW)
    over(clinics, key_id)

    assert (before is None, key_holding.who(clinics, token, now=NOW)) == (False, None)


def test_a_key_has_its_day(clinics: Engine) -> None:
    """It opens until the instant at which it expires, and not at it."""
    _, token = a_key(clinics, days=1)
    last = NOW + timedelta(days=1)

    assert key_holding.who(clinics, token, now=last - timedelta.resolution) is not None
    assert key_holding.who(clinics, token, now=last) is None


@pytest.mark.parametrize("token", ["", "x", "doseline_key_", "doseline_key_" + "A" * 43, "doseline_key_" + "A" * 42 + "\n", "é" * 50])
def test_what_is_no_key_opens_nothing(clinics: Engine, token: str) -> None:
    """Whatever was given in its place."""
    a_key(clinics)

    assert key_holding.who(clinics, token, now=NOW) is None


def test_a_key_has_at_most_what_its_person_has(clinics: Engine) -> None:
    """A role that is taken from the person is taken from the key; one that the key never had it does not get."""
    _, token = a_key(clinics)
    staffing.add(clinics, CLINIC, HADDAD, {StaffRole.STAFF, StaffRole.ADMIN}, now=NOW)

    assert asker(clinics, token).person.roles == {StaffRole.STAFF}


def test_every_service_sees_how_much_was_lent(clinics: Engine) -> None:
    """A key of a provider that may only care cannot prescribe: the service refuses, and says so of the key."""
    _, token = a_key(clinics, roles=frozenset({StaffRole.STAFF}))
    lent = asker(clinics, token).engine
    act = StaffAct(NOW, StaffAction.SUSPEND, "ana-baclofen", by=HADDAD, reason="rash")
    with pytest.raises(NotAllowed, match=f"this key of {HADDAD} is staff: only provider may"):
        prescribing.act(lent, act, now=NOW, clinic_id=CLINIC)
    prescribing.act(clinics, act, now=NOW, clinic_id=CLINIC)
    with reading(lent) as narrow, reading(clinics) as whole:
        refused = [bool(staff.refused(c, CLINIC, HADDAD, Right.PRESCRIBE)) for c in (narrow, whole)]

    assert refused == [True, False]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"holder": "Dr. Nobody"}, NotFound),
        ({"roles": frozenset()}, NotAllowed),
        ({"roles": frozenset({StaffRole.ADMIN})}, NotAllowed),
        ({"days": 0}, NotAllowed),
        ({"days": 367}, NotAllowed),
    ],
)
def test_no_such_key_is_made(clinics: Engine, changes: dict[str, object], error: type[Exception]) -> None:
    """Nobody's, without a role, with one its person has not, or for too long."""
    with pytest.raises(error):
        a_key(clinics, **changes)  # type: ignore[arg-type]

    assert key_holding.listed(clinics, CLINIC) == ()


def test_only_an_admin_makes_and_ends_keys(clinics: Engine) -> None:
    """A nurse makes none, not even her own, and ends none; and an admin ends none of another clinic."""
    with pytest.raises(NotAllowed):
        key_holding.make(clinics, CLINIC, LEE, "mine", {StaffRole.STAFF}, by=LEE, now=NOW)
    key_id, token = a_key(clinics)
    with pytest.raises(NotAllowed):
        key_holding.end(clinics, CLINIC, key_id, by=LEE, now=NOW)
    with pytest.raises(NotFound):
        key_holding.end(clinics, HILL, key_id, by=key_holding.OPERATOR, now=NOW)

    assert key_holding.who(clinics, token, now=NOW) is not None


def test_the_last_use_is_written_once_a_minute(clinics: Engine) -> None:
    """The look within the minute writes nothing; the one after it does."""
    _, token = a_key(clinics)
    seen = []
    for seconds in (0, 59, 60):
        key_holding.who(clinics, token, now=NOW + timedelta(seconds=seconds))
        seen.append(key_holding.listed(clinics, CLINIC)[0].used_at)

    assert seen == [NOW, NOW, NOW + timedelta(seconds=60)]


def test_a_marked_request_is_begun_once(clinics: Engine) -> None:
    """Its repeat gets what it was answered with; another request under the mark is not the same; another key's mark is its own."""
    mine, others = (Asking(asker(clinics, a_key(clinics)[1]), "mark-1", b"POST /a {}") for _ in range(2))
    first = key_holding.begin(clinics, mine, now=NOW)
    running = key_holding.begin(clinics, mine, now=NOW)
    key_holding.keep(clinics, mine, status=201, body='{"id": "1"}')
    again = key_holding.begin(clinics, mine, now=NOW)
    other = key_holding.begin(clinics, Asking(mine.asker, "mark-1", b"POST /b {}"), now=NOW)

    assert (first, running) == (None, Answered(is_same=True, status=None, body=""))
    assert again == Answered(is_same=True, status=201, body='{"id": "1"}')
    assert (other is not None and other.is_same, key_holding.begin(clinics, others, now=NOW)) == (False, None)


def test_a_refused_request_may_be_sent_again(clinics: Engine) -> None:
    """It changed nothing, and its mark is free."""
    asking = Asking(asker(clinics, a_key(clinics)[1]), "mark-1", b"")
    key_holding.begin(clinics, asking, now=NOW)
    key_holding.drop(clinics, asking)

    assert key_holding.begin(clinics, asking, now=NOW) is None


def test_answers_are_forgotten_after_a_day(clinics: Engine) -> None:
    """And not before."""
    key_holding.begin(clinics, Asking(asker(clinics, a_key(clinics)[1]), "mark-1", b""), now=NOW)
    left = []
    for past in (timedelta(days=1), timedelta(days=1, seconds=1)):
        forgetting.forget(clinics, now=NOW + past)
        with writing(clinics) as c:
            left.append(c.scalar(select(func.count()).select_from(metadata.tables["api_answer"])))

    assert left == [1, 0]
