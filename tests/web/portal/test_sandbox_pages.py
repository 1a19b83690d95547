"""The sandbox's page: the phones around a patient, the clock over them, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from httpx2 import Response
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock, SandboxClock
from reminders.formats.story_file import read_story
from reminders.messaging.sandbox import SandboxTransport
from reminders.services import sandboxing
from reminders.simulation.sandbox import Sandbox
from tests.web.serving import NOW, asking, some_parts
from tests.web.signed_in import ADMIN, CLINIC, HILL, NURSE, OURS, PROVIDER, THEIRS, an_account, signing_in_as, two_clinics

START = NOW  # 08:05 in New York: the first dose is that of two o'clock
PATIENT = metadata.tables["patient"]


class World:
    """A process that serves a sandbox, and whoever asks it."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.own = engine, HandClock(START)
        self.clock: SandboxClock = sandboxing.clock_of(engine, self.own)
        self.sandbox = Sandbox(engine, self.clock, self.own, SandboxTransport(self.clock))
        with reading(engine) as c:
            self.ana, self.rui = (c.scalars(select(PATIENT.c.id).where(PATIENT.c.clinic_id == clinic)).one() for clinic in (CLINIC, HILL))

    def browser(self, who: str | None = None, *, clinic: str = CLINIC, peer: str = "127.0.0.1") -> TestClient:
        """A browser on a page of ours, in which somebody is signed in, or nobody."""
        parts = some_parts(engine=self.engine, clock=self.clock, sandbox=self.sandbox, own_clock=self.own)
        client = asking(parts, peer=peer)
        client.headers.update(OURS)
        if who is not None:
            phone = an_account(self.engine, self.own, who, clinic=clinic)
            assert signing_in_as(client, phone, self.own).status_code == 303
        return client

    def path(self, act: str = "") -> str:
        """Where Ana's phones are, or something that is done to them."""
        return f"/sandbox/phones/{self.ana}{act and '/'}{act}"

    def moves(self, client: TestClient, way: str) -> Response:
        """Press a button of the clock bar, and wait until the clock is there."""
        answer = client.post(self.path("clock"), data={"way": way})
        assert self.sandbox.wait(30)
        return answer

    def rows(self, table: str) -> list[dict[str, object]]:
        """All rows of a table."""
        with reading(self.engine) as c:
            return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]


@pytest.fixture
def world(sqlite_engine: Engine) -> Iterator[World]:
    """Two clinics with a patient each, in the morning before Ana's first dose."""
    two_clinics(sqlite_engine)
    world = World(sqlite_engine)
    yield world
    world.sandbox.close()


@pytest.fixture
def here(world: World) -> TestClient:
    """A browser on this machine, before anybody can sign in."""
    return world.browser()


def shown(client: TestClient, path: str) -> str:
    """What a page says, without its tags."""
    return words(client.get(path).text)


def words(html: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def phone_of(client: TestClient, path: str, holder: str) -> str:
    """The id of somebody's phone, as its form has it."""
    found = re.search(rf'<section class="phone" id="phone-(\w+)"[^>]*>\s*<header>\s*<h2[^>]*>{holder}</h2>', client.get(path).text)
    assert found is not None
    return found[1]


def quick_replies(client: TestClient, path: str, phone: str) -> list[str]:
    """What the buttons under a phone send."""
    return re.findall(rf'id="say-{phone}-\d+" name="text" value="([^"]*)"', client.get(path).text)


def test_it_leads_to_the_first_patient(world: World, here: TestClient) -> None:
    """Whoever comes to /sandbox sees phones at once: of the clinic that is first by name, where none is simulated."""
    answer = here.get("/sandbox")

    assert (answer.status_code, answer.headers["Location"]) == (303, world.path())


def test_the_phones_stand_side_by_side(world: World) -> None:
    """The patient's, the caregiver's, and what the clinic sees."""
    client = world.browser(PROVIDER)
    page = client.get(world.path()).text

    assert re.findall(r'<h2 id="(?:holder-\w+|desk)">(.*?)</h2>', page) == ["Ana Silva", "Rui Silva", "Harbor Clinic"]


def test_the_next_event_is_the_first_reminder(world: World) -> None:
    """It arrives on Ana's phone, at two, with what it was decided by."""
    client = world.browser(PROVIDER)
    world.moves(client, "event")
    said = shown(client, world.path())

    assert "Mon 2:00 pm dose: 1 tablet of 5 mg." in said
    assert "Mon 2 Mar, 14:00" in said
    assert "5 mg due Mon 2:00 pm, phase 1: a reminder is of use until Mon 3:00 pm; may be taken until Mon 6:00 pm" in said


def test_a_reply_is_answered_on_the_phone(world: World) -> None:
    """To "MISSED" at two: the rule's answer, and the numbers that it used, stand in the chat."""
    client = world.browser(PROVIDER)
    world.moves(client, "event")
    phone = phone_of(client, world.path(), "Ana Silva")
    answer = client.post(world.path("say"), data={"phone": phone, "text": "MISSED"})
    said = shown(client, world.path())

    assert answer.status_code == 303
    assert "you can take the Mon 2:00 pm dose until Mon 6:00 pm" in said
    assert "TakeNow until Mon 6:00 pm: rule: leave it out if less than 2 h remains to the next dose" in said
    assert "next Mon 8:00 pm" in said


def test_quick_replies_are_what_the_open_question_offers(world: World) -> None:
    """After a reminder: 1, 2 and 3, with what they mean; and what can always be said."""
    client = world.browser(PROVIDER)
    phone = phone_of(client, world.path(), "Ana Silva")
    before = quick_replies(client, world.path(), phone)
    world.moves(client, "event")

    assert (before, quick_replies(client, world.path(), phone)) == (
        ["1", "2", "MISSED", "HELP", "STOP"],
        ["1", "2", "3", "MISSED", "HELP", "STOP"],
    )


def test_no_reply_leads_to_the_close_of_the_dose(world: World) -> None:
    """The first dose closes when the next is due, and is unconfirmed: never called missed."""
    client = world.browser(PROVIDER)
    world.moves(client, "no_reply")

    assert [dose["state"] for dose in world.rows("dose")][:1] == ["unconfirmed"]
    assert world.clock.now() - datetime(2026, 3, 3, 1, 0, tzinfo=UTC) <= timedelta(seconds=1)


@pytest.mark.parametrize(
    ("way", "there"),
    [
        ("quarter", START + timedelta(minutes=15)),
        ("day", datetime(2026, 3, 3, 5, 0, tzinfo=UTC)),
        ("step", datetime(2026, 3, 5, 5, 0, tzinfo=UTC)),
        ("spring", datetime(2026, 3, 8, 6, 0, tzinfo=UTC)),
    ],
)
def test_the_clock_bar_leads(world: World, way: str, there: datetime) -> None:
    """A quarter of an hour; midnight in New York; the day of the next step; an hour before two o'clock of 8 March."""
    client = world.browser(PROVIDER)
    since = world.clock.now()
    world.moves(client, way)
    there += since - START if way == "quarter" else timedelta()

    assert timedelta() <= world.clock.now() - there <= timedelta(seconds=1)


def test_a_trip_moves_the_patients_times(world: World) -> None:
    """To London, by the service of the clinic, with its seam; and under the name of who is signed in."""
    client = world.browser(PROVIDER)
    answer = client.post(world.path("trip"), data={"zone": "Europe/London"})

    assert (answer.status_code, [row["zone"] for row in world.rows("patient") if row["id"] == world.ana]) == (303, ["Europe/London"])
    assert [event["by"] for event in world.rows("plan_event") if "moved" in str(event["kind"])] == [PROVIDER]


def test_no_trip_leads_to_what_is_no_place(world: World) -> None:
    """Neither a name that no zone has, nor the machine's own, which the system lists beside them."""
    client = world.browser(PROVIDER)
    answers = [client.post(world.path("trip"), data={"zone": zone}) for zone in ("Boston", "localtime")]

    assert [(answer.status_code, "There is no such time zone." in words(answer.text)) for answer in answers] == [(422, True)] * 2


def test_a_phone_that_is_off_says_so(world: World) -> None:
    """Its texts are not delivered, and the page says why."""
    client = world.browser(PROVIDER)
    phone = phone_of(client, world.path(), "Ana Silva")
    client.post(world.path("carrier"), data={"phone": phone, "fault": "undelivered 30003"})
    world.moves(client, "event")

    assert "undelivered: the handset is off or out of reach (30003)" in shown(client, world.path())


def test_what_no_webhook_brings_is_not_heard(world: World) -> None:
    """Our webhook off, and the lists: what Ana writes waits at the carrier."""
    client = world.browser(PROVIDER)
    client.post(world.path("hearing"), data={"webhook": "", "lists": ""})
    phone = phone_of(client, world.path(), "Ana Silva")
    client.post(world.path("say"), data={"phone": phone, "text": "1"})
    before = world.rows("text_in")
    client.post(world.path("hearing"), data={"webhook": "yes", "lists": "yes"})
    world.moves(client, "quarter")

    assert (before, [text["body"] for text in world.rows("text_in")]) == ([], ["1"])


def test_an_empty_text_is_told_beside_what_was_typed(world: World) -> None:
    """And changes nothing."""
    client = world.browser(PROVIDER)
    phone = phone_of(client, world.path(), "Ana Silva")
    empty = client.post(world.path("say"), data={"phone": phone, "text": "  "})
    long = client.post(world.path("say"), data={"phone": phone, "text": "a" * 1601})

    assert (empty.status_code, "is empty" in words(empty.text)) == (422, True)
    assert (long.status_code, "longer than 1600" in words(long.text), "a" * 1601 in long.text) == (422, True, True)
    assert world.rows("text_in") == []


def test_a_way_that_leads_nowhere_says_so(world: World) -> None:
    """Where clocks never change there is no change to go to."""
    client = world.browser(PROVIDER)
    client.post(world.path("trip"), data={"zone": "Africa/Lagos"})
    answer = world.moves(client, "spring")

    assert (answer.status_code, "The clocks of Africa/Lagos do not change." in words(answer.text)) == (422, True)


def test_it_renews_itself_without_keeping_anybody_signed_in(world: World) -> None:
    """Only the part that changes is asked for again, with the mark of what comes by itself."""
    client = world.browser(PROVIDER)
    page = client.get(world.path()).text
    part = client.get(f"{world.path()}?again=1", headers={"HX-Request": "true"}).text

    assert f'hx-get="{world.path()}?again=1"' in page
    assert ("<html" in page, "<html" in part, 'class="phone"' in part) == (True, False, True)


def test_to_move_the_clock_signs_nobody_out(world: World) -> None:
    """Sessions go by the machine's clock: a day forward is no day without use."""
    client = world.browser(PROVIDER)
    world.moves(client, "day")
    still = client.get("/account").status_code
    again = world.browser(NURSE)

    assert (still, again.get(world.path()).status_code) == (200, 200)


def test_the_other_pages_say_that_it_is_a_simulation(world: World) -> None:
    """From when the clock was moved, each page of the portal."""
    client = world.browser(PROVIDER)
    before = 'id="simulation"' in client.get("/account").text
    world.moves(client, "day")

    assert (before, 'id="simulation"' in client.get("/account").text, 'id="simulation"' in client.get("/").text) == (False, True, True)


def test_before_anybody_can_sign_in_it_is_this_machines(world: World) -> None:
    """Whoever tries Doseline needs no account; from elsewhere one does, and so here, once somebody has one."""
    here, elsewhere = world.browser(), world.browser(peer="203.0.113.9")
    first = (
        here.get(world.path()).status_code,
        here.get("/sandbox").status_code,
        elsewhere.get("/sandbox").headers["Location"],
    )
    world.browser(NURSE)
    then = here.get("/sandbox")

    assert first == (200, 303, "/sign-in")
    assert (then.status_code, then.headers["Location"]) == (303, "/sign-in")


def test_the_first_clinic_can_be_played_with_by_nobody_in_particular(world: World, here: TestClient) -> None:
    """The act of somebody on its list is under their name."""
    patient = here.get("/sandbox").headers["Location"]
    answer = here.post(f"{patient}/clock", data={"way": "quarter"})
    assert world.sandbox.wait(30)

    assert (answer.status_code, world.sandbox.is_moved) == (303, True)


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("say", {"text": "1"}),
        ("clock", {"way": "day"}),
        ("stop", {}),
        ("trip", {"zone": "Europe/London"}),
        ("carrier", {"fault": "sent"}),
        ("hearing", {"webhook": "yes"}),
    ],
)
def test_another_clinics_patients_are_not_there(world: World, act: str, form: dict[str, str]) -> None:
    """Neither to look at nor to play with; and no phone of theirs by way of a patient of one's own."""
    client = world.browser(THEIRS, clinic=HILL)
    phone = phone_of(client, f"/sandbox/phones/{world.rui}", "Rui Souza")
    answers = [client.get(world.path()), client.post(world.path(act), data={"phone": phone, **form})]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert (world.sandbox.is_moved, world.rows("text_in")) == (False, [])


def test_no_phone_of_another_patients_speaks(world: World) -> None:
    """The number is looked up among those around the patient, never taken from the form."""
    theirs = world.browser(THEIRS, clinic=HILL)
    phone = phone_of(theirs, f"/sandbox/phones/{world.rui}", "Rui Souza")
    client = world.browser(PROVIDER)

    assert client.post(world.path("say"), data={"phone": phone, "text": "STOP"}).status_code == 404


def test_an_admin_alone_does_not_play(world: World) -> None:
    """Who works here is not who cares for patients."""
    client = world.browser(ADMIN)

    assert (client.get("/sandbox").status_code, "/sandbox" in client.get("/account").text) == (403, False)


def test_a_session_is_saved_and_plays_the_same(world: World) -> None:
    """The file is a story's, and the page says what came of playing it again."""
    client = world.browser(PROVIDER)
    world.moves(client, "event")
    client.post(world.path("say"), data={"phone": phone_of(client, world.path(), "Ana Silva"), "text": "MISSED"})
    world.moves(client, "day")
    saved = client.get("/sandbox/story/file")
    client.post("/sandbox/story/replay")
    world.sandbox.wait_for_replay(CLINIC, 60)
    story = read_story(saved.json())

    assert (saved.headers["Content-Disposition"], [type(event).__name__ for event in story.events]) == (
        'attachment; filename="story.json"',
        ["TextIn"],
    )
    assert re.search(r"It plays the same: \d+ texts and 2 doses", shown(client, "/sandbox/story"))
    assert "What it cannot say" not in shown(client, "/sandbox/story")


def test_what_has_no_story_says_why(world: World) -> None:
    """Hill Clinic has a patient and no plan: there is nothing to save, and the page says so instead of a file."""
    client = world.browser(THEIRS, clinic=HILL)
    asked = client.get("/sandbox/story/file")

    assert "Content-Disposition" not in asked.headers
    assert "there is no plan yet" in words(asked.text)


def test_without_a_sandbox_nothing_is_there(sqlite_engine: Engine) -> None:
    """A carrier's process has no such page, and no place of that name."""
    two_clinics(sqlite_engine)
    own = HandClock(START)
    client = asking(some_parts(engine=sqlite_engine, clock=own))
    client.headers.update(OURS)
    found = [client.get("/sandbox"), client.get("/sandbox/phones/any"), client.post("/sandbox/phones/any/clock", data={"way": "day"})]
    phone = an_account(sqlite_engine, own, PROVIDER)
    signing_in_as(client, phone, own)

    assert ([answer.status_code for answer in found], "/sandbox" in client.get("/account").text) == ([404, 404, 404], False)
