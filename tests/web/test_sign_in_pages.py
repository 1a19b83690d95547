"""The pages before the door and just behind it, as a browser without scripts has them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import writing
from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.services import signing_in, staffing
from reminders.web.pages import FORM
from tests.web.serving import NOW, asking, some_parts
from tests.web.signed_in import (
    ADMIN,
    CLINIC,
    NURSE,
    OURS,
    PASSWORD,
    PROVIDER,
    Phone,
    a_browser,
    an_account,
    faults,
    signed_in,
    signing_in_as,
    two_clinics,
)
from tests.web.test_status_page import Page, shown

FIRST = {
    "clinic": "Harbor Clinic",
    "phone": "+12025550100",
    "zone": "America/New_York",
    "name": "Kim Park",
    "prescribes": "yes",
    "login": "kim@harbor.example",
    "password": PASSWORD,
}


@pytest.fixture
def clock() -> HandClock:
    """A clock at the morning of the tests."""
    return HandClock(NOW)


@pytest.fixture
def clinics(sqlite_engine: Engine) -> Engine:
    """A ledger with two clinics and their people."""
    two_clinics(sqlite_engine)
    return sqlite_engine


def link_of(engine: Engine, clock: HandClock, name: str, *, new_device: bool = False) -> str:
    """The path of a one-time link for somebody."""
    return f"/setup/{signing_in.invite(engine, CLINIC, name, by=ADMIN, new_device=new_device, now=clock.now())}"


def phone_of(page: str, login: str) -> Phone:
    """A phone into which somebody typed what stands beside the square."""
    found = re.search(r'<code class="secret">(\w+)</code>', page)
    assert found is not None
    return Phone(found[1], login)


def test_from_the_first_start_to_the_overview(sqlite_engine: Engine, clock: HandClock) -> None:
    """The printed link makes the clinic and the account, shows the recovery codes, and the three let in."""
    path = f"/setup/{signing_in.first_link(sqlite_engine, now=clock.now())}"
    browser = a_browser(sqlite_engine, clock)
    form = browser.get(path)
    phone = phone_of(form.text, FIRST["login"])
    done = browser.post(path, data=FIRST | {"code": phone.code(clock)})
    again = browser.get(path)
    clock.advance(timedelta(minutes=1))
    let_in = signing_in_as(browser, phone, clock)
    overview = browser.get(let_in.headers["Location"])

    assert (form.status_code, done.status_code, again.status_code) == (200, 200, 404)
    assert len(re.findall(r"<li><code>[a-z0-9]{5}-[a-z0-9]{5}</code></li>", done.text)) == 10
    assert (overview.status_code, "Harbor Clinic" in overview.text, "Kim Park" in overview.text) == (200, True, True)


def test_a_form_keeps_what_was_typed(sqlite_engine: Engine, clock: HandClock) -> None:
    """What is wrong stands beside its field; all the rest is kept, but the password and the code."""
    path = f"/setup/{signing_in.first_link(sqlite_engine, now=clock.now())}"
    answer = a_browser(sqlite_engine, clock).post(path, data=FIRST | {"phone": "555", "password": "short", "code": "123"})
    values = dict(re.findall(r'<input id="(\w+)" name="\w+" type="\w+" value="([^"]*)"', answer.text))

    assert (answer.status_code, sorted(faults(answer.text))) == (422, ["code", "password", "phone"])
    assert values == {key: FIRST.get(key, "") for key in ("clinic", "name", "login")} | {"phone": "555", "password": "", "code": ""}
    assert "<option selected>America/New_York</option>" in answer.text
    assert re.search(r'name="prescribes" value="yes" checked', answer.text)
    assert (staffing.clinics(sqlite_engine), 'aria-describedby="phone-fault phone-hint" aria-invalid="true"' in answer.text) == ((), True)


def test_what_is_typed_is_no_markup(sqlite_engine: Engine, clock: HandClock) -> None:
    """It comes back as it was typed, and does nothing."""
    path = f"/setup/{signing_in.first_link(sqlite_engine, now=clock.now())}"
    answer = a_browser(sqlite_engine, clock).post(path, data=FIRST | {"clinic": '"><script>x</script>', "code": "1"})

    assert ("<script>" in answer.text, "&#34;&gt;&lt;script&gt;" in answer.text) == (False, True)


@pytest.mark.parametrize("wrong", ["name", "password", "code"])
def test_one_answer_for_whatever_is_wrong(clinics: Engine, clock: HandClock, wrong: str) -> None:
    """Status and words are the same, to the letter, but for the name that was typed."""
    phone = an_account(clinics, clock, PROVIDER)
    browser = a_browser(clinics, clock)
    given = {
        "name": (replace(phone, login="nobody@harbor.example"), PASSWORD, None),
        "password": (phone, "a guess at random", None),
        "code": (phone, PASSWORD, "000000"),
    }[wrong]
    answer = signing_in_as(browser, given[0], clock, password=given[1], code=given[2])
    unknown = signing_in_as(browser, replace(phone, login="another@harbor.example"), clock)

    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert answer.text.replace(given[0].login, "") == unknown.text.replace("another@harbor.example", "")


@pytest.mark.parametrize(
    ("address", "name", "secure"),
    [("https://doseline.example", "__Host-doseline", True), ("http://127.0.0.1:8000", "doseline", False)],
)
def test_the_cookie(clinics: Engine, clock: HandClock, address: str, name: str, secure: bool) -> None:  # noqa: FBT001 - a cell
    """No script reads it, no other host sets it, and over https it never leaves on plain http. It holds nothing but chance."""
    phone = an_account(clinics, clock, PROVIDER)
    browser = asking(replace(some_parts(engine=clinics, clock=clock), address=address))
    browser.headers.update(OURS)
    cookie = signing_in_as(browser, phone, clock).headers["Set-Cookie"]
    parts = cookie.split("; ")

    assert re.fullmatch(rf"{name}=[A-Za-z0-9_-]{{43}}", parts[0])
    assert sorted(parts[1:]) == sorted(["HttpOnly", "Path=/", "SameSite=lax", *(["Secure"] if secure else [])])


def test_a_cookie_changes_with_each_sign_in(clinics: Engine, clock: HandClock) -> None:
    """What the browser held before is good no more, so that one planted there is worth nothing."""
    phone = an_account(clinics, clock, PROVIDER)
    browser = a_browser(clinics, clock)
    signing_in_as(browser, phone, clock)
    before = browser.cookies["doseline"]
    clock.advance(timedelta(minutes=1))
    signing_in_as(browser, phone, clock)

    assert browser.cookies["doseline"] != before
    assert signing_in.who(clinics, before, now=clock.now()) is None


def test_out(clinics: Engine, clock: HandClock) -> None:
    """Signed out, the cookie is gone, here and in the ledger; looking goes to the door again."""
    browser = signed_in(clinics, clock, NURSE)
    held = browser.cookies["doseline"]
    out = browser.post("/sign-out")

    assert (out.status_code, out.headers["Location"], "doseline" in browser.cookies) == (303, "/sign-in", False)
    assert signing_in.who(clinics, held, now=clock.now()) is None
    assert browser.get("/account").headers["Location"] == "/sign-in"


def test_a_page_left_open_keeps_nobody_signed_in(clinics: Engine, clock: HandClock) -> None:
    """The overview comes again by itself each quarter of a minute; who has gone is out after a quarter of an hour all the same."""
    browser = signed_in(clinics, clock, NURSE)
    again = re.search(r'http-equiv="refresh" content="15; url=([^"]+)"', browser.get("/").text)
    assert again is not None
    shown_for = 0
    while browser.get(again[1]).status_code == 200:
        clock.advance(timedelta(minutes=1))
        shown_for += 1

    assert shown_for == 15


def test_the_account(clinics: Engine, clock: HandClock) -> None:
    """Who one is, how one signs in, how many recovery codes are left; and who is in needs no door."""
    browser = signed_in(clinics, clock, NURSE)
    words = shown(browser.get("/account").text)

    assert [part for part in ("Nurse Lee", "Harbor Clinic", "staff", f"lee@{CLINIC}.example", "10") if part not in words] == []
    assert browser.get("/sign-in").headers["Location"] == "/"
    assert "People" not in words


def test_an_admin_keeps_the_list(clinics: Engine, clock: HandClock) -> None:
    """Adds, changes, makes a link, takes off; each is in the audit under the admin's own name."""
    browser = signed_in(clinics, clock, ADMIN)
    added = browser.post("/people/add", data={"name": " Dr. Eva Roth ", "provider": "yes", "admin": "yes"})
    linked = browser.post("/people/invite", data={"name": "Dr. Eva Roth"})
    link = re.search(r"<code>http://127\.0\.0\.1:8000(/setup/[A-Za-z0-9_-]{43})</code>", linked.text)
    ended = browser.post("/people/end", data={"name": NURSE})
    people = {member.name: (sorted(member.roles), member.ended_at is None) for member in staffing.listed(clinics, CLINIC)}

    assert [answer.status_code for answer in (added, linked, ended)] == [303, 200, 303]
    assert (people["Dr. Eva Roth"], people[NURSE]) == ((["admin", "provider"], True), (["staff"], False))
    assert link is not None
    assert asking(some_parts(engine=clinics, clock=clock)).get(link[1]).status_code == 200
    assert link[1] not in browser.get("/people").text


@pytest.mark.parametrize(
    ("action", "form", "words"),
    [
        ("add", {"name": "", "staff": "yes"}, "Must have 1 to 80 characters"),
        ("add", {"name": "Eva"}, "has a role"),
        ("add", {"name": ADMIN, "staff": "yes"}, "no longer be an admin"),
        ("end", {"name": ADMIN}, "Nobody takes themselves off"),
        ("end", {"name": "Dr. Who"}, "nobody on the list"),
        ("invite", {"name": ""}, "nobody on the list"),
    ],
)
def test_what_an_admin_cannot_do(clinics: Engine, clock: HandClock, action: str, form: dict[str, str], words: str) -> None:
    """It is said on the page, and the list stays as it is."""
    browser = signed_in(clinics, clock, ADMIN)
    before = staffing.listed(clinics, CLINIC)
    answer = browser.post(f"/people/{action}", data=form)

    assert (answer.status_code, words.lower() in shown(answer.text).lower()) == (422, True)
    assert staffing.listed(clinics, CLINIC) == before


@pytest.mark.parametrize("path", ["/sign-in", "/people/add", "/setup/" + "A" * 43])
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ((b"login=a&login=b&name=a&name=b", FORM), 400),
        ((b"login=%ff%fe", FORM), 400),
        ((b"login=a%00b", FORM), 400),
        ((b"\xff\xfe", FORM), 400),
        ((b"&".join(b"a%d=1" % number for number in range(600)), FORM), 400),
        ((b"login=" + b"a" * 70_000, FORM), 413),
        ((b"{}", "application/json"), 415),
        ((b"", ""), 415),
    ],
    ids=["twice", "no UTF-8", "a NUL", "not even text", "too many fields", "too long", "JSON", "nothing"],
)
def test_what_is_no_form(clinics: Engine, clock: HandClock, path: str, sent: tuple[bytes, str], status: int) -> None:
    """It is refused, and is no fault of ours."""
    browser = signed_in(clinics, clock, ADMIN)

    assert browser.post(path, content=sent[0], headers={"Content-Type": sent[1]}).status_code == status


def test_a_link_is_in_no_log(sqlite_engine: Engine, clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    """Where a page fails behind a one-time link, the log names the page and not the link."""
    link = f"/setup/{signing_in.first_link(sqlite_engine, now=clock.now())}"
    with writing(sqlite_engine) as c:
        c.exec_driver_sql("UPDATE invitation SET totp_secret = 'no base 32!'")
    answer = a_browser(sqlite_engine, clock).post(link, data=FIRST | {"code": "123456"})

    assert (answer.status_code, "/setup/{token} failed" in caplog.text, link in caplog.text) == (500, True, False)


@pytest.mark.parametrize("token", ["A" * 43, "x", "..%2f..%2fetc", "A" * 5_000, "%00"])
def test_a_link_that_nobody_made(sqlite_engine: Engine, clock: HandClock, token: str) -> None:
    """There is nothing behind it, whether it is looked at or filled in."""
    browser = a_browser(sqlite_engine, clock)

    assert (browser.get(f"/setup/{token}").status_code, browser.post(f"/setup/{token}", data=FIRST).status_code) == (404, 404)


def pages_of(engine: Engine, clock: HandClock) -> dict[str, str]:
    """Every page with a form, as it is first seen and as it is seen after a mistake."""
    browser, door = signed_in(engine, clock, ADMIN), a_browser(engine, clock)
    link = link_of(engine, clock, PROVIDER)
    return {
        "sign in": door.get("/sign-in").text,
        "sign in, refused": door.post("/sign-in", data={"login": "x", "password": "x", "code": "x"}).text,
        "set up": door.get(link).text,
        "set up, wrong": door.post(link, data={"login": "x"}).text,
        "account": browser.get("/account").text,
        "people": browser.get("/people").text,
        "people, linked": browser.post("/people/invite", data={"name": PROVIDER}).text,
        "people, wrong": browser.post("/people/add", data={"name": ""}).text,
    }


def test_the_pages_are_well_formed(clinics: Engine, clock: HandClock) -> None:
    """Every element is closed, in order; no name twice; every field has its label; one file of ours runs, nothing is from elsewhere."""
    for name, html in pages_of(clinics, clock).items():
        page = Page(html)
        ids, labels = page.all("id"), page.all("for")
        named = {value for tag, key, value in page.attributes if tag in {"input", "select"} and key == "id"}
        inline = [key for _, key, _ in page.attributes if key == "style" or key.startswith("on")]
        addresses = {value for key in ("href", "src", "action") for value in page.all(key)}

        assert (page.open, page.crossed, len(ids) - len(set(ids))) == ([], [], 0), name
        scripts = [(key, value) for tag, key, value in page.attributes if tag == "script"]
        assert (named - set(labels), inline, page.tags["script"], page.tags["style"]) == (set(), [], 1, 0), name
        assert scripts == [("src", "/static/htmx.js"), ("defer", "")], name
        assert [address for address in addresses if not re.match(r"/|#", address)] == [], name
        assert set(page.all("aria-describedby")) <= {" ".join(pair) for pair in _pairs(ids)} | set(ids), name


def _pairs(ids: list[str]) -> set[tuple[str, str]]:
    return {(one, other) for one in ids for other in ids}


def test_roles_are_named_on_the_list(clinics: Engine, clock: HandClock) -> None:
    """Everybody stands on it with what they are, who left among them."""
    staffing.add(clinics, CLINIC, "Dr. Eva Roth", {StaffRole.PROVIDER, StaffRole.ADMIN}, now=NOW)
    staffing.end(clinics, CLINIC, NURSE, now=NOW)
    words = shown(signed_in(clinics, clock, ADMIN).get("/people").text)

    assert [part for part in ("Dr. Eva Roth admin, provider", "Nurse Lee left", "Kim Park admin") if part not in words] == []
