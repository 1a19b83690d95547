"""Enrolling in a browser without scripts: forms that keep what was typed, a code that comes back, and what each page changes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.services import replying
from tests.web.serving import ANA, NOW
from tests.web.signed_in import HILL, NURSE, PROVIDER, THEIRS, signed_in, two_clinics
from tests.web.test_status_page import Page, shown

NEW = {
    "name": "Berta Lund",
    "ref": "B-17",
    "phone": "(202) 555-0121",
    "zone": "America/New_York",
    "language": "en",
    "wording": "discreet",
    "alcohol": "none",
    "quiet_from": "21:00",
    "quiet_until": "08:00",
    "consent_how": "paper",
    "consent_at": "2026-03-02T08:00",
    "consent_wording": "consent-en-1",
}
CONSENT = {name: NEW[name] for name in ("consent_how", "consent_at", "consent_wording")}
BERTA = "+12025550121"


@dataclass
class Desk:
    """A browser in which somebody is signed in, at Ana's clinic."""

    client: TestClient
    engine: Engine
    clock: HandClock

    def rows(self, table: str, **wanted: object) -> list[dict[str, Any]]:
        """The rows of a table in which these stand."""
        with reading(self.engine) as c:
            found = [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]
        return [row for row in found if all(row[name] == value for name, value in wanted.items())]

    def at(self, page: str = "", ref: str = "ana") -> str:
        """The address of a page of a patient."""
        return f"/patients/{self.rows('patient', ref=ref)[0]['id']}{page}"

    def role(self, name: str = "Ana Silva") -> str:
        """The id of somebody's role."""
        return str(self.rows("contact_role", name=name)[0]["id"])

    def code(self) -> str:
        """The newest code that was texted."""
        texts = sorted(self.rows("text_out", purpose="verification"), key=lambda row: row["created_at"])
        return str(re.findall(r"\d{6}", texts[-1]["body"])[0])

    def send(self, page: str, data: dict[str, str] | None = None, ref: str = "ana") -> Response:
        """Send a form of a patient's."""
        return self.client.post(self.at(page, ref), data=data or {"none": ""})


@pytest.fixture
def clinics(sqlite_engine: Engine) -> Engine:
    """Two clinics and their people."""
    two_clinics(sqlite_engine)
    return sqlite_engine


@pytest.fixture
def desk(clinics: Engine) -> Desk:
    """The nurse at the desk."""
    clock = HandClock(NOW)
    return Desk(signed_in(clinics, clock, NURSE), clinics, clock)


def of_provider(engine: Engine) -> Desk:
    """The provider at the desk."""
    clock = HandClock(NOW)
    return Desk(signed_in(engine, clock, PROVIDER), engine, clock)


def faults(html: str) -> dict[str, str]:
    """What a page says is wrong, by field."""
    return {name: unescape(words) for name, words in re.findall(r'<p class="fault" id="([\w-]+)-fault">(.*?)</p>', html)}


def typed(html: str) -> dict[str, str]:
    """What stands in the fields of a page."""
    texts = dict(re.findall(r'<input id="[\w-]+" name="(\w+)" type="[\w-]+" value="([^"]*)"', html))
    chosen = dict(re.findall(r'<input type="(?:radio|checkbox)" name="(\w+)" value="(\w+)" checked>', html))
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    return {name: unescape(value) for name, value in (texts | chosen | hidden).items()}


def test_a_patient_is_enrolled_and_the_number_verified(desk: Desk) -> None:
    """The form, the code as it is read out, and the page of the patient."""
    enrolled = desk.client.post("/patients/new", data=NEW | {"medicines": "vitamin D\r\nlithium"})
    people = desk.client.get(enrolled.headers["Location"])
    prove = f"/people/{desk.role('Berta Lund')}/prove"
    wrong = desk.send(prove, {"code": f"{(int(desk.code()) + 1) % 1_000_000:06}"}, "B-17")
    right = desk.send(prove, {"code": desk.code()}, "B-17")
    after = shown(desk.client.get(desk.at("/people", "B-17")).text)

    assert (enrolled.status_code, enrolled.headers["Location"]) == (303, desk.at("/people", "B-17"))
    assert "not verified: only the code is texted" in shown(people.text)
    assert (wrong.status_code, list(faults(wrong.text).values())) == (
        422,
        ["The code is not the one that was sent: have it read out again."],
    )
    assert (right.status_code, right.headers["Location"]) == (303, desk.at(ref="B-17"))
    assert "verified" in after
    assert "not verified" not in after
    assert [row["name"] for row in desk.rows("medicine", patient_id=desk.rows("patient", ref="B-17")[0]["id"])] == ["vitamin D", "lithium"]


def test_the_code_is_on_no_page(desk: Desk) -> None:
    """Who has to read it out is who holds the phone: the clinic's own pages do not show it."""
    desk.client.post("/patients/new", data=NEW)
    pages = [desk.client.get(path).text for path in (desk.at("/people", "B-17"), desk.at(ref="B-17"), "/")]
    code = rf"(?<![0-9a-f]){desk.code()}(?![0-9a-f])"  # within a random id it would be one by chance

    assert [re.findall(code, page) for page in pages] == [[], [], []]


def test_a_form_keeps_what_was_typed(desk: Desk) -> None:
    """Every field, chosen or written; each fault beside its field; and nothing is stored."""
    given = NEW | {
        "phone": "555",
        "wording": "amount",
        "alcohol": "some",
        "kidney": "low",
        "has_proxy": "yes",
        "kidney_weak": "yes",
        "ref": "",
    }
    answer = desk.client.post("/patients/new", data=given | {"medicines": "a <b>\nc"})
    kept = typed(answer.text)

    assert answer.status_code == 422
    assert sorted(faults(answer.text)) == ["kidney", "phone", "proxy_name", "proxy_relationship", "ref"]
    assert {name: kept.get(name) for name in given} == given
    assert "a &lt;b&gt;\nc</textarea>" in answer.text
    assert 'aria-describedby="phone-fault phone-hint" aria-invalid="true"' in answer.text
    assert desk.rows("patient", name="Berta Lund") == []


def test_an_empty_form_is_shown_with_what_is_usual(desk: Desk) -> None:
    """The clinic's zone, the quiet hours, now; no consent is chosen for anybody."""
    page = desk.client.get("/patients/new").text
    usual = typed(page)

    assert {name: usual.get(name) for name in ("zone", "quiet_from", "quiet_until", "language", "wording", "alcohol", "consent_how")} == {
        "zone": "America/New_York",
        "quiet_from": "21:00",
        "quiet_until": "08:00",
        "language": "en",
        "wording": "discreet",
        "alcohol": "unknown",
        "consent_how": None,
    }
    assert desk.client.post("/patients/new", data={"name": ""}).status_code == 422


def test_another_number(desk: Desk) -> None:
    """Typed in any way, with its consent; a code goes there, and the old one is nobody's."""
    wrong = desk.send(f"/people/{desk.role()}/number", {"phone": "1"} | CONSENT)
    done = desk.send(f"/people/{desk.role()}/number", {"phone": "202.555.0121"} | CONSENT)
    words = shown(desk.client.get(desk.at("/people")).text)

    assert (wrong.status_code, list(faults(wrong.text)), typed(wrong.text)["phone"]) == (422, ["phone"], "1")
    assert (done.status_code, "202 555 0121" in words, "202 555 0101" in words) == (303, True, False)
    assert f"written down by {NURSE}" in words


def test_a_code_too_soon_is_refused_in_words(desk: Desk) -> None:
    """The button is gone for a minute; who presses an old one is told why."""
    desk.client.post("/patients/new", data=NEW)
    page = desk.client.get(desk.at("/people", "B-17")).text
    answer = desk.send(f"/people/{desk.role('Berta Lund')}/code", ref="B-17")

    assert ("Text another code" in page, "Another code may be sent from" in page) == (False, True)
    assert (answer.status_code, "had one a moment ago" in answer.text) == (422, True)


def test_somebody_is_added_and_taken_off(desk: Desk) -> None:
    """A caregiver with what they are told; the form keeps what was typed."""
    otto = {"name": "Otto Berg", "relationship": "neighbour", "phone": "2025550122", "role": "caregiver", "after_misses": "3"}
    wrong = desk.send("/people/add", otto | CONSENT | {"after_misses": "0"})
    bare = desk.send("/people/add")
    added = desk.send("/people/add", otto | CONSENT)
    before = shown(desk.client.get(desk.at("/people")).text)
    ended = desk.send(f"/people/{desk.role('Otto Berg')}/end")
    after = shown(desk.client.get(desk.at("/people")).text)

    assert (wrong.status_code, list(faults(wrong.text)), typed(wrong.text)["name"]) == (422, ["after_misses"], "Otto Berg")
    assert (bare.status_code, added.status_code, ended.status_code) == (422, 303, 303)
    assert ("Otto Berg" in before, "after 3 doses running" in before, "Otto Berg" in after) == (True, True, False)


def test_no_more_texts_and_texts_again(desk: Desk) -> None:
    """Said on the phone and taken back so; where STOP was texted the page says that only START helps."""
    role = desk.role()
    desk.send(f"/people/{role}/end-texts")
    ended = shown(desk.client.get(desk.at("/people")).text)
    bare = desk.send(f"/people/{role}/consent")
    desk.send(f"/people/{role}/consent", CONSENT | {"consent_how": "voice"})
    again = shown(desk.client.get(desk.at("/people")).text)
    replying.receive(desk.engine, sid="SM9", from_phone=ANA, to_phone="", body="STOP", received_at=desk.clock.now(), now=desk.clock.now())
    stopped = shown(desk.client.get(desk.at("/people")).text)
    refused = desk.send(f"/people/{role}/consent", CONSENT)

    assert ("no more texts wanted" in ended, "no more texts wanted" in again) == (True, False)
    assert (bare.status_code, "consent_how" in faults(bare.text)) == (422, True)
    assert ("STOP was texted from this number" in ended, "STOP was texted from this number" in stopped) == (False, True)
    assert (refused.status_code, "until START is texted" in refused.text, typed(refused.text)["consent_wording"]) == (
        422,
        True,
        "consent-en-1",
    )


def test_the_patients_own_number_is_not_taken_off(desk: Desk) -> None:
    """The button is not there; who sends it all the same is told why not."""
    answer = desk.send(f"/people/{desk.role()}/end")

    assert (answer.status_code, "own number" in answer.text) == (422, True)


@pytest.mark.parametrize("act", ["number", "consent", "code", "prove", "end", "end-texts"])
def test_somebody_who_is_not_there(desk: Desk, act: str) -> None:
    """An id of nobody, or of somebody around another patient, is not found, looked at or sent; and nothing changes."""
    desk.client.post("/patients/new", data=NEW)
    theirs, before = desk.role("Berta Lund"), desk.rows("audit")
    looks = [desk.client.get(desk.at(f"/people/{role}/{act}")).status_code for role in (theirs, "x" * 32) if act in {"number", "consent"}]
    sent = [desk.send(f"/people/{role}/{act}", NEW | {"code": "123456"}).status_code for role in (theirs, "x" * 32)]

    assert (set(looks) <= {404}, sent) == (True, [404, 404])
    assert desk.rows("audit") == before


def test_details(desk: Desk) -> None:
    """Changed, they are the patient's; what is wrong stands beside its field; what speaks against a plan is shown with its source."""
    now = typed(desk.client.get(desk.at("/details")).text)
    wrong = desk.send("/details", now | {"born": "2030-01-01", "name": "Ana Maria Silva"})
    plain = desk.send("/details", now | {"name": "Ana Maria Silva"})
    grave = desk.send("/details", now | {"name": "Ana Maria Silva", "born": "1950-01-01", "kidney": "25"})
    words = shown(desk.client.get(desk.at("/details")).text)

    assert (now["wording"], now["alcohol"], now["quiet_from"]) == ("amount", "none", "21:00")
    assert (wrong.status_code, list(faults(wrong.text)), typed(wrong.text)["name"]) == (422, ["born"], "Ana Maria Silva")
    assert (plain.headers["Location"], grave.headers["Location"]) == (desk.at(), desk.at("/details#beside"))
    assert [
        part for part in ("What this says beside the plans", "76 years", "25 mL/min", "Source: Vlavonou et al. 2014") if part not in words
    ] == []
    assert desk.rows("alert", kind="patient_facts") != []


def test_details_changed_by_two_at_once(desk: Desk) -> None:
    """What somebody else noted since the page was opened stays as they noted it; where both changed the same, the later one is asked."""
    page = typed(desk.client.get(desk.at("/details")).text)
    desk.send("/details", page | {"kidney_weak": "yes", "born": "1950-01-01"})
    both = desk.send("/details", page | {"name": "Ana Maria Silva", "born": "1950-02-01"})
    unchanged = desk.rows("patient", ref="ana")[0]
    again = desk.send("/details", typed(both.text))
    row = desk.rows("patient", ref="ana")[0]

    assert (both.status_code, faults(both.text)) == (
        422,
        {"born": "Date of birth was changed to 1950-01-01 since this page was opened: keep yours again to replace it."},
    )
    assert {name: typed(both.text).get(name) for name in ("name", "born", "kidney_weak")} == {
        "name": "Ana Maria Silva",
        "born": "1950-02-01",
        "kidney_weak": "yes",
    }
    assert (unchanged["name"], str(unchanged["born_on"])) == ("Ana Silva", "1950-01-01")
    assert (again.status_code, row["name"], str(row["born_on"]), row["kidney_weak"]) == (303, "Ana Maria Silva", "1950-02-01", True)


def test_a_name_set_right_leaves_what_was_noted_meanwhile(desk: Desk) -> None:
    """The page of who corrects a name was opened before somebody noted that the kidneys are weak: they stay so."""
    page = typed(desk.client.get(desk.at("/details")).text)
    desk.send("/details", page | {"kidney_weak": "yes"})
    desk.send("/details", page | {"name": "Ana Maria Silva"})
    row = desk.rows("patient", ref="ana")[0]

    assert (row["name"], row["kidney_weak"]) == ("Ana Maria Silva", True)


def test_a_move_is_shown_before_it_is_stored(desk: Desk) -> None:
    """Where to, what would happen, and only then yes, to just that; a wrong zone stands at its field."""
    wrong = desk.send("/zone", {"zone": "Boston", "step": "look"})
    looked = desk.send("/zone", {"zone": "Europe/London", "step": "look"})
    mark = re.search(r'name="seen" value="([0-9a-f]{64})"', looked.text)
    assert mark is not None
    yes = {"zone": "Europe/London", "seen": mark[1], "step": "do"}
    reasonless = desk.send("/zone", yes)
    other = desk.send("/zone", yes | {"reason": "visits her sister", "seen": "0" * 64})
    unmoved = desk.rows("patient", ref="ana")[0]["zone"]
    done = desk.send("/zone", yes | {"reason": "visits her sister"})

    assert (wrong.status_code, list(faults(wrong.text))) == (422, ["zone"])
    assert (looked.status_code, "Mon 2 Mar, 14:00" in looked.text, "Nothing is stored yet" in looked.text) == (200, True, True)
    assert (reasonless.status_code, list(faults(reasonless.text))) == (422, ["reason"])
    assert (other.status_code, "look again" in other.text, typed(other.text)["reason"]) == (422, True, "visits her sister")
    assert (unmoved, done.status_code, desk.rows("patient", ref="ana")[0]["zone"]) == ("America/New_York", 303, "Europe/London")


def test_the_list_of_medicines(clinics: Engine) -> None:
    """What is added is shown with what it does; a provider takes it on with a reason and a day; it comes off with a reason."""
    desk = of_provider(clinics)
    added = desk.send("/medicines/add", {"name": "furosemide", "reason": ""})
    again = desk.send("/medicines/add", {"name": "Furosemide", "reason": "twice"})
    words = shown(desk.client.get(desk.at("/medicines")).text)
    alert, medicine = desk.rows("alert", kind="interaction")[0]["id"], desk.rows("medicine", name="furosemide")[0]["id"]
    dayless = desk.send(f"/medicines/{alert}/acknowledge", {"reason": "needed", "labs_due": ""})
    taken_on = desk.send(f"/medicines/{alert}/acknowledge", {"reason": "needed", "labs_due": "2026-03-09"})
    after = shown(desk.client.get(desk.at("/medicines")).text)
    off = desk.send(f"/medicines/{medicine}/remove", {"reason": "stopped by her doctor"})

    assert (added.status_code, again.status_code, faults(again.text)) == (
        303,
        422,
        {"add-name": "Medicine: Furosemide is on the list already."},
    )
    assert typed(again.text)["reason"] == "twice"
    assert ("diuretics" in words, "Source: Right Baclofen Dose for Managing Pain" in words, "It waits for a provider" in words) == (
        True,
    ) * 3
    assert (dayless.status_code, list(faults(dayless.text))) == (422, [f"{alert}-labs_due"])
    assert (taken_on.status_code, "It waits for a provider" in after, off.status_code) == (303, False, 303)
    assert desk.rows("medicine", name="furosemide", removed_at=None) == []


def test_a_nurse_is_shown_that_a_provider_is_waited_for(desk: Desk) -> None:
    """She adds to the list; what waits has no button for her, and is refused if she sends it all the same, or takes it off."""
    desk.send("/medicines/add", {"name": "diazepam", "reason": ""})
    page = desk.client.get(desk.at("/medicines")).text
    alert, medicine = desk.rows("alert", kind="interaction")[0]["id"], desk.rows("medicine", name="diazepam")[0]["id"]
    off = desk.send(f"/medicines/{medicine}/remove", {"reason": "a slip"})

    assert ("It waits for a provider" in page, "Acknowledge it" in page) == (True, False)
    assert desk.send(f"/medicines/{alert}/acknowledge", {"reason": "fine", "labs_due": ""}).status_code == 403
    assert (off.status_code, list(faults(off.text))) == (422, [f"{medicine}-reason"])


PLACES = ("/details", "/people", "/people/add", "/zone", "/medicines")


def test_the_pages_are_well_formed(desk: Desk) -> None:
    """Every element is closed, in order; no name stands twice; every field has its label; there is one heading; nothing runs."""
    desk.send("/medicines/add", {"name": "furosemide", "reason": ""})
    pages = {place: desk.client.get(desk.at(place)).text for place in PLACES}
    pages |= {act: desk.client.get(desk.at(f"/people/{desk.role()}/{act}")).text for act in ("number", "consent")}
    pages |= {"new": desk.client.get("/patients/new").text, "new, wrong": desk.client.post("/patients/new", data={"name": ""}).text}
    pages |= {"add, wrong": desk.send("/people/add").text, "medicine, wrong": desk.send("/medicines/add", {"name": ""}).text}
    pages["zone, looked at"] = desk.send("/zone", {"zone": "Europe/London", "step": "look"}).text
    for name, html in pages.items():
        page = Page(html)
        ids, labels = page.all("id"), page.all("for")
        named = {value for tag, key, value in page.attributes if tag in {"input", "select", "textarea"} and key == "id"}
        inline = [key for _, key, _ in page.attributes if key == "style" or key.startswith("on")]
        described = {each for value in page.all("aria-describedby") for each in value.split()}

        assert (page.open, page.crossed, len(ids) - len(set(ids)), page.tags["h1"]) == ([], [], 0, 1), name
        assert (named - set(labels), inline, page.tags["style"], described - set(ids)) == (set(), [], 0, set()), name


def test_no_name_and_no_number_stands_in_an_address(desk: Desk) -> None:
    """Each page of a patient is known by ids that say nothing."""
    pages = "".join(desk.client.get(desk.at(place)).text for place in PLACES)
    addresses = {value for key in ("href", "action") for value in Page(pages).all(key) if not value.startswith("tel:")}

    assert [path for path in addresses if re.search(r"ana|silva|2025550|\?", path.lower())] == []


def test_another_clinics_patient(clinics: Engine, desk: Desk) -> None:
    """Nothing of them is found, whatever is asked."""
    theirs = signed_in(clinics, HandClock(NOW), THEIRS, clinic=HILL)
    looks = [theirs.get(desk.at(place)).status_code for place in PLACES]
    sends = [theirs.post(desk.at(place), data=NEW).status_code for place in ("/details", "/people/add", "/zone", "/medicines/add")]

    assert (set(looks), set(sends)) == ({404}, {404})
