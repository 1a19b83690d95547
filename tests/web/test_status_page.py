from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from sqlalchemy import Engine, insert, text

from db.engine import writing
from db.tables import metadata
from reminders.clock import HandClock
from reminders.services.records import troubles
from reminders.services.records.troubles import Trouble
from reminders.services.replying import receive
from tests.fake_twilio.server import OUR_NUMBER
from tests.web.clinic import BEGUN, HER_NAMES, HER_NUMBERS, MORNING, a_morning, opened
from tests.web.serving import asking, some_parts

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.crossed: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and what it carries."""
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that ends where it begins, as drawings have them."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close an element, or note that it was not the one open."""
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def all(self, name: str) -> list[str]:
        """Return an attribute's values, in order."""
        return [value for _, found, value in self.attributes if found == name]


@pytest.fixture
def full(sqlite_engine: Engine) -> str:
    """The page of a clinic with texts both ways and an alert."""
    opened(sqlite_engine)
    a_morning(sqlite_engine)
    said = [("+12025550101", "1"), ("+12025550102", "this is Rui, <b>Ana Silva</b>'s brother"), ("+12025550101", "Ana Silva, +12025550101")]
    for number, (phone, body) in enumerate(said):
        receive(sqlite_engine, sid=f"SM{number}", from_phone=phone, to_phone="", body=body, received_at=MORNING, now=MORNING)
    return the_page(sqlite_engine)


def the_page(engine: Engine, query: str = "") -> str:
    """Ask for the page on this machine."""
    answer = asking(some_parts(engine=engine, clock=HandClock(MORNING))).get("/" + query)

    assert answer.status_code == 200
    return answer.text


def shown(html: str) -> str:
    """Return what a reader reads."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_what_nobody_took_on_in_time_stands_out(sqlite_engine: Engine) -> None:
    """An alert past its deadline says so instead of when it was to be answered."""
    opened(sqlite_engine)
    receive(sqlite_engine, sid="SM1", from_phone="+12025550101", to_phone="", body="I had a seizure", received_at=BEGUN, now=BEGUN)
    html = the_page(sqlite_engine)

    assert ("<b>overdue: waits 25 h 5 min</b>" in html, "answer by" in html) == (True, False)


def test_the_page_shows_how_things_stand(full: str) -> None:
    """Plans with state and phase, next doses, last texts and open alerts stand on it."""
    wanted = [
        "Harbor Clinic",
        "ana",
        "A. S.",
        "active",
        "Phase 1 of 4: 5 mg × 3 , from 5 Mar 10 mg × 3",
        "5 · 10 mg",
        "A, blue cap",
        "Next doses",
    ]
    wanted += ["Mon 2 Mar, 14:00", "Last texts", "to ana A. S. ··01", "reminder · delivered", "from ana A. S. ··01", "Open alerts"]

    assert [words for words in wanted if words not in shown(full)] == []


def test_nobodys_name_or_number_is_on_it(full: str) -> None:
    """Names are initials and numbers their last two digits, in texts too, wherever on the page."""
    assert [secret for secret in (*HER_NAMES, *HER_NUMBERS) if secret in full] == []


def test_the_page_says_so(full: str) -> None:
    """A reader is told why names are missing."""
    assert "references and initials in place of names, and the last two digits of numbers" in shown(full)


def test_what_people_write_is_not_markup(full: str) -> None:
    """A text is shown as it was written, and does nothing."""
    assert ("&lt;b&gt;A. S.&lt;/b&gt;" in full, "<b>A. S.</b>" in full) == (True, False)


def test_the_page_is_well_formed(full: str) -> None:
    """Every element is closed, in order, and no name stands twice."""
    page = Page(full)
    ids = page.all("id")

    assert (page.open, page.crossed, len(ids) - len(set(ids))) == ([], [], 0)


def test_the_page_carries_no_script_and_nothing_from_elsewhere(full: str) -> None:
    """What it loads and links to is its own, and it carries neither scripts nor styles within it that the policy would refuse."""
    page = Page(full)
    addresses = sorted({value for name in ("href", "src", "action") for value in page.all(name) if not value.startswith("#")})
    inline = [name for _, name, _ in page.attributes if name == "style" or name.startswith("on")]

    assert (addresses, inline, page.tags["script"], page.tags["style"]) == (
        ["/?refresh=off", "/static/htmx.js", "/static/logo.svg", "/static/portal.css", "/static/status.css"],
        [],
        1,
        0,
    )


def test_each_plans_picture_is_said_in_words(full: str) -> None:
    """A picture has a role and words for who cannot see it."""
    words = [value for value in Page(full).all("aria-label") if "planned" in value]

    assert words == ["2 Mar to 6 Mar: 1 taken, 12 planned.", "2 Mar to 6 Mar: 1 waiting for an answer, 8 planned."]


def test_every_part_has_a_heading(full: str) -> None:
    """Sections are named by headings that are there."""
    page = Page(full)

    assert set(page.all("aria-labelledby")) <= set(page.all("id"))


def test_the_page_refreshes_itself(full: str) -> None:
    """It comes again every 15 s without a script."""
    assert '<meta http-equiv="refresh" content="15">' in full


def test_refreshing_can_be_paused(sqlite_engine: Engine) -> None:
    """Who needs longer to read can stop it."""
    paused = the_page(sqlite_engine, "?refresh=off")

    assert ("http-equiv" in paused, '<a href="/">go on</a>' in paused) == (False, True)


def test_an_empty_ledger_says_what_to_do(sqlite_engine: Engine) -> None:
    """A first look is no empty page."""
    assert "doseline import FILE" in shown(the_page(sqlite_engine))


def test_a_clinic_without_plans_says_what_to_do(sqlite_engine: Engine) -> None:
    """Each part says that it is empty."""
    with writing(sqlite_engine) as c:
        c.execute(
            insert(metadata.tables["clinic"]).values(
                id="demo", name="Demo", phone=OUR_NUMBER, zone="UTC", simulated=True, created_at=MORNING
            )
        )
    words = shown(the_page(sqlite_engine))
    wanted = ["simulated", "No plans yet", "Nothing is due", "No texts yet", "Nobody has to look at anything"]

    assert [part for part in wanted if part not in words] == []


def test_a_plan_out_of_its_usual_run_says_why(sqlite_engine: Engine) -> None:
    """State, reason and being set aside stand on the plan, and an empty picture is said."""
    opened(sqlite_engine)
    with writing(sqlite_engine) as c:
        c.execute(
            text("UPDATE plan SET state = 'suspended', reason = 'gap of 2 days', set_aside_at = '2026-03-02 00:00:00', next_due_at = NULL")
        )
    words = shown(the_page(sqlite_engine))

    assert [part for part in ("suspended", "gap of 2 days", "set aside", "No doses in these days") if part not in words] == []


def test_troubles_stand_first(sqlite_engine: Engine) -> None:
    """What is wrong with the installation as a whole stands above every clinic, with its words and since when."""
    opened(sqlite_engine)
    with writing(sqlite_engine) as c:
        troubles.begin(c, Trouble.CANNOT_HEAR, "We cannot <hear> patients.", now=MORNING)
        troubles.begin(c, Trouble.CLOCK, "A clock is off.", now=MORNING, of="host-1")
        troubles.end(c, Trouble.CLOCK, now=MORNING, of="host-1")
    html = the_page(sqlite_engine)
    words = shown(html)

    assert "cannot hear We cannot &lt;hear&gt; patients. since Mon 2 Mar, 13:05 UTC" in words
    assert ("clock" in words.partition("Harbor Clinic")[0], Page(html).open, "troubles" in Page(html).all("id")) == (False, [], True)


def test_without_troubles_nothing_is_said_of_them(full: str) -> None:
    """A good day has no banner."""
    assert "needs a person" not in full


@pytest.mark.parametrize(
    ("host", "peer", "headers"),
    [
        ("doseline.example", "127.0.0.1", {}),
        ("10.0.0.5:8000", "127.0.0.1", {}),
        ("127.0.0.1", "10.0.0.9", {}),
        ("127.0.0.1", "testclient", {}),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "10.0.0.9"}),
        ("127.0.0.1", "127.0.0.1", {"Via": "1.1 proxy"}),
    ],
    ids=["another name", "another address", "another machine", "no address", "through a proxy", "via a proxy"],
)
def test_the_page_is_for_this_machine_only(sqlite_engine: Engine, host: str, peer: str, headers: dict[str, str]) -> None:
    """Asked from elsewhere, by another name or through a proxy, it shows nothing, and sends whoever asks to sign in."""
    answer = asking(some_parts(engine=sqlite_engine), host=host, peer=peer).get("/", headers=headers)

    assert (answer.status_code, answer.headers["Location"], answer.text) == (303, "/sign-in", "")


@pytest.mark.parametrize(("host", "peer"), [("localhost:8000", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("[::1]:8000", "::1")])
def test_this_machine_has_several_names(sqlite_engine: Engine, host: str, peer: str) -> None:
    """Its loopback names and addresses are all it."""
    assert asking(some_parts(engine=sqlite_engine), host=host, peer=peer).get("/").status_code == 200
