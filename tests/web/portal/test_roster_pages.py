"""The roster's pages: who is shown, what stands in an address, and what is said of a search that cannot find anybody."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.services import importing, reminding, replying
from tests.files import a_consent, a_patient, an_entry, an_import_file
from tests.web.serving import ANA, NOW
from tests.web.signed_in import ADMIN, CLINIC, HILL, NURSE, THEIRS, signed_in, two_clinics

PATIENT = metadata.tables["patient"]


@dataclass
class Room:
    """A browser at the roster."""

    client: TestClient

    def names(self, path: str = "/patients") -> list[str]:
        """Who stands on a page."""
        return self.on(self.client.get(path).text)

    def search(self, text: str, **form: str) -> str:
        """Send the form of the roster; return the page."""
        answer = self.client.post("/patients/search", data={"text": text, **form})
        assert answer.status_code == 200
        return answer.text

    @staticmethod
    def on(html: str) -> list[str]:
        """The names on a page, in order."""
        return re.findall(r'<h3><a href="/patients/\w+">(.*?)</a></h3>', html)


def more_people(engine: Engine, number: int) -> None:
    """Patients with names in order, each with a plan."""
    people = [
        a_patient(
            ref=f"more-{n:02}",
            name=f"Zed {chr(65 + n)}",
            phone=f"+120255501{20 + n}",
            consent=a_consent(f"Zed {n}"),
            caregivers=[],
            plans=[an_entry(ref=f"plan-{n}")],
        )
        for n in range(number)
    ]
    importing.import_file(engine, an_import_file(*people), now=NOW)


@pytest.fixture
def engine_of_two(sqlite_engine: Engine) -> Engine:
    """Two clinics; Ana's dose has come, and she wrote of a seizure."""
    two_clinics(sqlite_engine)
    reminding.remind_due(sqlite_engine, now=NOW)
    replying.receive(sqlite_engine, sid="SM1", from_phone=ANA, to_phone="", body="seizure", received_at=NOW, now=NOW)
    return sqlite_engine


@pytest.fixture
def room(engine_of_two: Engine) -> Room:
    """A nurse at the roster."""
    return Room(signed_in(engine_of_two, HandClock(NOW), NURSE))


def test_who_needs_somebody(room: Room) -> None:
    """With the gravest alert, since when, the plan, its doses by letter, and what was confirmed."""
    shown = room.client.get("/patients").text

    assert room.on(shown) == ["Ana Silva"]
    for told in ("state-emergency", "since today", "red flag", "step 1 of", "no dose that counts", "17 Feb to 2 Mar: no doses."):
        assert told in shown


def test_pages_of_the_roster(room: Room, engine_of_two: Engine) -> None:
    """Everybody once, by an address that has nobody's name, reference or number in it."""
    more_people(engine_of_two, 26)
    seen, paths = [], ["/patients"]
    while True:
        shown = room.client.get(paths[-1]).text
        seen += room.on(shown)
        onward = re.search(r'rel="next" href="(.*?)"', shown)
        if onward is None:
            break
        paths.append(onward[1].replace("&amp;", "&"))

    assert seen == ["Ana Silva", *(f"Zed {chr(65 + n)}" for n in range(26))]
    assert re.fullmatch(r"/patients\?after=[ap][0-9a-f]{32}", paths[1])


def test_narrowed_by_the_address(room: Room, engine_of_two: Engine) -> None:
    """A state, a drug, a severity; what nobody could have chosen is not chosen."""
    more_people(engine_of_two, 1)
    found = {
        query: room.names(f"/patients?{query}")
        for query in (
            "severity=emergency",
            "severity=none",
            "drug=tizanidine",
            "state=suspended",
            "state=nonsense&drug=x&severity=y",
            "state=active",
        )
    }

    assert found == {
        "severity=emergency": ["Ana Silva"],
        "severity=none": ["Zed A"],
        "drug=tizanidine": [],
        "state=suspended": [],
        "state=nonsense&drug=x&severity=y": ["Ana Silva", "Zed A"],
        "state=active": ["Ana Silva", "Zed A"],
    }


def test_a_search_is_in_no_address(room: Room, engine_of_two: Engine) -> None:
    """It is posted, and so is its next page; where nothing is typed the address has what was chosen."""
    more_people(engine_of_two, 26)
    shown = room.search("zed", state="active")
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', shown))
    rest = room.search(**hidden)
    empty = room.client.post("/patients/search", data={"text": " ", "state": "staying", "severity": "urgent", "drug": ""})

    assert (len(room.on(shown)), room.on(rest), 'rel="next"' in shown) == (25, ["Zed Z"], False)
    assert (empty.status_code, empty.headers["Location"]) == (303, "/patients?state=staying&severity=urgent")
    assert room.on(room.search("ANA")) == room.on(room.search("202-555-0101")) == ["Ana Silva"]


def test_the_first_page_again(room: Room, engine_of_two: Engine) -> None:
    """Whoever went on comes back to what they had narrowed the roster to, or were looking for."""
    more_people(engine_of_two, 27)
    onward = re.findall(r'rel="next" href="(.*?)"', room.client.get("/patients?state=active&severity=none").text)[0].replace("&amp;", "&")
    back = re.findall(r'href="([^"]*)">First page<', room.client.get(onward).text)
    second = room.search("zed", state="active", after=onward.rpartition("=")[2])
    form = re.findall(
        r'<form method="post" action="/patients/search">((?:<input type="hidden"[^>]*>)*)<button class="plain">First page<', second
    )
    kept = dict(re.findall(r'name="(\w+)" value="(.*?)"', form[0]))

    assert back == ["/patients?state=active&amp;severity=none"]
    assert {name: value for name, value in kept.items() if value} == {"text": "zed", "state": "active"}
    assert room.on(room.search(**kept)) == [f"Zed {chr(65 + n)}" for n in range(25)]


def test_what_was_typed_stays(room: Room) -> None:
    """Beside what is wrong with it; and nobody found is said kindly."""
    answer = room.client.post("/patients/search", data={"text": "a", "state": "active"})
    nobody = room.search("nobody")

    assert answer.status_code == 422
    for kept in (
        'value="a"',
        '<option value="active" selected>',
        "Name or phone needs at least 2 letters of a name.",
        'aria-invalid="true"',
    ):
        assert kept in answer.text
    assert "Nobody is found by that" in nobody


@pytest.mark.parametrize("path", ["/patients?after=", "/patients?after=zz", "/patients?after=p"])
def test_a_page_that_is_not_there(room: Room, path: str) -> None:
    """Not an error of ours."""
    assert room.client.get(path).status_code == 404


def test_nobody_of_another_clinic(room: Room, engine_of_two: Engine) -> None:
    """Neither listed, nor found, nor gone on from."""
    with reading(engine_of_two) as c:
        theirs = c.scalars(select(PATIENT.c.id).where(PATIENT.c.clinic_id == HILL)).first()
    hill = Room(signed_in(engine_of_two, HandClock(NOW), THEIRS, clinic=HILL))

    assert (hill.names(), room.names()) == (["Rui Souza"], ["Ana Silva"])
    assert (hill.on(hill.search("ana")), room.on(room.search("rui")), room.on(room.search("0131"))) == ([], [], [])
    assert room.client.get(f"/patients?after=p{theirs}").status_code == 404


def test_an_admin_sees_no_patients(engine_of_two: Engine) -> None:
    """Who says who works here decides nothing about a patient, and looks at none."""
    client = signed_in(engine_of_two, HandClock(NOW), ADMIN, clinic=CLINIC)

    assert [client.get("/patients").status_code, client.post("/patients/search", data={"text": "ana"}).status_code] == [403, 403]
