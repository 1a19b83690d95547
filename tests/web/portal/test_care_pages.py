"""A caregiver's page, as a phone without scripts has it: the link, the cookie it becomes, and what is said there."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from httpx2 import Response
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.caring import LINK_HOLDS, Grant, Sees
from reminders.domain.dose_state import DoseState
from reminders.domain.signing_in import GUESSES_OF_ADDRESS
from reminders.messaging.texts import LANGUAGES
from reminders.services import caring, importing, replying
from reminders.web.portal.care_words import LOOKS, WORDS
from tests.files import File, a_caregiver, a_clinic, a_consent, an_import_file
from tests.services.test_caring import CLINIC, NURSE, STRIP, TODAY, agreed, first, whose
from tests.stage import ANA, RUI, Stage, patient, phase, plan
from tests.web.serving import NOW, asking, some_parts
from tests.web.signed_in import ADMIN, HILL, OURS, THEIRS, a_browser, signed_in, two_clinics
from tests.web.test_status_page import Page, shown

BERTA, SOUZA = "+12025550107", "+12025550131"
ALERTS = Grant(Sees.ALERTS, answers=False)


def stage(until: str = "03-02 08:10", *patients: File) -> Stage:
    """Ana on her first morning, and her brother Rui."""
    opened = Stage.on_paper(*(patients or [patient(told=True)]))
    opened.run_until(until)
    return opened


def a_phone(
    s: Stage,
    *,
    address: str = "http://127.0.0.1:8000",
    peer: str = "198.51.100.7",
    host: str = "127.0.0.1:8000",
    own_clock: HandClock | None = None,
) -> TestClient:
    """Rui's phone, on a page of ours. `own_clock`: the machine's, where the sandbox has moved the doses'."""
    phone = asking(replace(some_parts(engine=s.engine, clock=s.clock, own_clock=own_clock), address=address), peer=peer, host=host)
    phone.headers.update(OURS)
    return phone


def link(s: Stage) -> str:
    """The path of a new link of Rui's."""
    return f"/care/{caring.link(s.engine, CLINIC, *whose(s), by=NURSE, now=s.now).token}"


def opened(s: Stage, grant: Grant = TODAY, *, own_clock: HandClock | None = None) -> TestClient:
    """Rui's phone, with his page open."""
    agreed(s, grant)
    phone = a_phone(s, own_clock=own_clock)
    assert phone.get(link(s)).headers["Location"] == "/care"
    return phone


def words(answer: Response) -> str:
    """What a page says."""
    return shown(answer.text)


# --- the link and the cookie ----------------------------------------------------------------------------------------


def test_a_link_becomes_a_cookie() -> None:
    """The browser is sent on to an address without it, and no page names it: neither screen nor history keeps it."""
    with stage() as s:
        path, phone = link(s), a_phone(s)
        answer = phone.get(path)
        page = phone.get(answer.headers["Location"])
        token = path.removeprefix("/care/")

        assert (answer.status_code, answer.headers["Location"], answer.text) == (303, "/care", "")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert (page.status_code, token in page.text, token in str(page.headers)) == (200, False, False)


@pytest.mark.parametrize(
    ("address", "name", "secure"),
    [("https://doseline.example", "__Secure-doseline-care", True), ("http://127.0.0.1:8000", "doseline-care", False)],
)
def test_the_cookie(address: str, name: str, secure: bool) -> None:  # noqa: FBT001 - a cell
    """No script reads it, it goes with this page's requests only, and over https it never leaves on plain http."""
    with stage() as s:
        parts = a_phone(s, address=address).get(link(s)).headers["Set-Cookie"].split("; ")

        assert re.fullmatch(rf"{name}=[A-Za-z0-9_-]{{43}}", parts[0])
        assert sorted(parts[1:]) == sorted(["HttpOnly", "Path=/care", "SameSite=lax", *(["Secure"] if secure else [])])


def test_it_lets_in_nowhere_else() -> None:
    """Who holds a link is signed in nowhere; and who is signed in holds none."""
    with stage() as s:
        phone = opened(s)
        held = {"Cookie": f"doseline={phone.cookies['doseline-care']}"}
        nurse = signed_in(s.engine, s.clock, NURSE)

        assert [phone.get(path, headers=held).headers["Location"] for path in ("/", "/account")] == ["/sign-in"] * 2
        assert nurse.get("/care").status_code == 403


@pytest.mark.parametrize("token", ["A" * 43, "x", "A" * 5_000, "%00"])
def test_a_link_that_nobody_made(token: str) -> None:
    """It opens nothing, and is told so in both languages."""
    with stage() as s:
        answer = a_phone(s).get(f"/care/{token}")

        assert (answer.status_code, "Set-Cookie" in answer.headers) == (404, False)
        assert [part for part in ("This link is good no more", "Este enlace ya no sirve") if part not in words(answer)] == []


def test_a_page_whose_link_has_ended() -> None:
    """With the end of texts it opens no more, though it stands open; the cookie is taken away."""
    with stage() as s:
        phone = opened(s)
        s.says("STOP", phone=RUI)
        answers = [phone.get("/care"), phone.post(f"/care/doses/{first(s)}/gave", data={"when": "now"})]

        assert [answer.status_code for answer in answers] == [403, 403]
        assert ("Ana" in answers[0].text, "doseline-care" in phone.cookies, s.rows("dose")[0]["state"]) == (False, False, "open")


def test_guesses_are_counted_where_they_come_from() -> None:
    """By link and by cookie alike; then the right one opens nothing from there."""
    with stage() as s:
        path = link(s)
        for number in range(GUESSES_OF_ADDRESS // 2):
            a_phone(s).get(f"/care/{number:043}")
            a_phone(s).get("/care", headers={"Cookie": f"doseline-care={number:043}"})

        assert [a_phone(s, peer=peer).get(path).status_code for peer in ("198.51.100.7", "198.51.100.8")] == [404, 303]


def test_a_link_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Where it fails, the log names the page and not the link."""
    with stage() as s:
        path = link(s)
        with s.engine.begin() as c:
            c.exec_driver_sql("ALTER TABLE care_grant RENAME COLUMN sees TO saw")
            c.exec_driver_sql("UPDATE care_link SET expires_at = 'never'")
        answer = a_phone(s).get(path)

        assert (answer.status_code >= 500, path in caplog.text, path.removeprefix("/care/") in caplog.text) == (True, False, False)


# --- what is shown --------------------------------------------------------------------------------------------------


def test_by_default_nothing_but_what_they_were_told() -> None:
    """No dose, no time, no state; and who to ask."""
    with stage() as s:
        page = words(opened(s, ALERTS).get("/care"))

        assert [
            part for part in ("For Rui Silva, from Harbor Clinic.", "Ana has not agreed that doses are shown here") if part not in page
        ] == []
        assert [part for part in ("8:00", "tablet", "taken", "Silva's") if part in page] == []


def test_the_doses_of_today() -> None:
    """When each is due, how much as far as the texts say it, and where it stands."""
    with stage("03-02 14:05") as s:
        s.says("1", "03-02 14:06")
        page = words(opened(s, Grant(Sees.TODAY, answers=False)).get("/care"))

        expected = (
            "Mon 8:00 am",
            "nobody answered",
            "Mon 2:00 pm",
            "taken: Mon 2:06 pm",
            "Mon 8:00 pm",
            "still to come",
            "1 tablet of 5 mg",
        )
        assert [part for part in expected if part not in page] == []
        assert ("gave it" in page, "14 days" in page) == (False, False)


def test_the_last_fortnight() -> None:
    """A row for each day with its doses' letters, which are said in words too."""
    with stage("03-03 09:00") as s:
        s.says("1")
        html = opened(s, STRIP).get("/care").text
        rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r'<th scope="row">(.*?)</tr>', html, re.DOTALL)]

        assert (len(rows), rows[2]) == (14, "Sun 1 Mar no dose")
        assert rows[0] == "Tue 3 Mar T Tue 8:00 am: taken."
        assert rows[1].startswith("Mon 2 Mar U Mon 8:00 am: nobody answered. U Mon 2:00 pm: nobody answered.")


def test_in_the_patients_language() -> None:
    """A patient texted in Spanish has people around them who read it."""
    with stage("03-02 08:10", patient(told=True, language="es")) as s:
        answer = opened(s).get("/care")

        assert '<html lang="es">' in answer.text
        assert [
            part
            for part in ("Las dosis de Ana", "Para Rui Silva", "aún sin respuesta", "Se la di ahora mismo")
            if part not in words(answer)
        ] == []


def test_every_word_is_there_in_each_language() -> None:
    """None is missing, none has other fields, and every state has its looks."""
    fields = {language: {key: sorted(re.findall(r"{(\w+)}", said)) for key, said in said_in.items()} for language, said_in in WORDS.items()}

    assert set(WORDS) == set(LOOKS) == set(LANGUAGES)
    assert {key: sorted(set(found)) for key, found in fields["en"].items()} == {
        key: sorted(set(found)) for key, found in fields["es"].items()
    }
    assert all(set(looks) == {*DoseState, None} for looks in LOOKS.values())


# --- what is said ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "taken_at"), [({"when": "now"}, "13:10"), ({"when": "due"}, "13:00"), ({"when": "at", "at": "08:05"}, "13:05"), ({}, "13:10")]
)
def test_i_gave_it(form: dict[str, str], taken_at: str) -> None:
    """It is down as taken at that time; the page says so, and the loop is told."""
    with stage() as s:
        phone = opened(s)
        answer = phone.post(f"/care/doses/{first(s)}/gave", data=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
        row = s.rows("dose")[0]

        assert (answer.status_code, row["state"], f"{row['taken_at']:%H:%M}") == (200, "taken", taken_at)
        assert "Noted: the Mon 8:00 am dose is down as given." in words(answer)


def test_a_sandbox_that_was_moved_hears_it_too() -> None:
    """A link is good by the machine's clock; a week further on the doses' its page shows a dose, and takes a word of it."""
    with stage() as s:
        machines = HandClock(s.now)
        phone = opened(s, own_clock=machines)
        s.run_until("03-10 08:10")
        paths = re.findall(r'action="(/care/doses/\w+/gave)"', phone.get("/care").text)
        before = phone.post(paths[0], data={"when": "now"})
        machines.advance(LINK_HOLDS)

        assert (before.status_code, phone.post(paths[0], data={"when": "now"}).status_code) == (200, 403)
        assert s.rows("dose")[-1]["state"] == "taken"


@pytest.mark.parametrize("at", ["08:11", "20:00", "", "8", "25:00", "08:05:00", "\u0660\u0668:05"])
def test_a_time_that_cannot_have_been(at: str) -> None:
    """It is said beside the field of that dose, and nothing is kept."""
    with stage() as s:
        answer = opened(s).post(f"/care/doses/{first(s)}/gave", data={"when": "at", "at": at})

        assert (answer.status_code, s.rows("dose")[0]["state"]) == (422, "open")
        assert re.search(r'aria-invalid="true" aria-describedby="at-1-fault"', answer.text)


def test_what_now() -> None:
    """What the plan's rule says of a dose that was not given yet is shown, in the words of its text."""
    with stage("03-02 12:30") as s:
        answer = opened(s).post(f"/care/doses/{first(s)}/what-now")

        assert "leave out the Mon 8:00 am dose: the next one is too near. Take only your next dose, Mon 2:00 pm. Do not double." in words(
            answer
        )


def test_nothing_invites_to_give_what_was_left_out() -> None:
    """A dose that the rule has left out can be told as given all the same, and only under that name."""
    with stage("03-02 12:30") as s:
        phone, dose = opened(s), first(s)
        before, after = phone.get("/care").text, phone.post(f"/care/doses/{dose}/what-now").text
        button = '<button name="when" value="now"'

        assert ([button in html for html in (before, after)], "It was given all the same" in after) == ([True, False], True)


def test_it_was_given_before_it_was_due() -> None:
    """One that is near can be told of, which the page then says; to tell of it twice is refused, and to look again is no word."""
    with stage("03-02 13:10") as s:
        phone = opened(s)
        near = phone.get("/care")
        answers = [phone.post("/care/early", data=early_in(near)) for _ in range(2)]
        after = phone.get(answers[0].headers["Location"])

        assert ("The next dose is near: Mon 2:00 pm" in words(near), [answer.status_code for answer in answers]) == (True, [303, 409])
        assert "Noted: the Mon 2:00 pm dose is down as given." in words(after)
        assert [row["state"] for row in s.rows("dose")] == ["open", "taken"]


def early_in(answer: Response) -> dict[str, str]:
    """What a page's form sends of the dose that is near."""
    (form,) = re.findall(r'action="/care/early">(.*?)</form>', answer.text, re.DOTALL)
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))


def test_a_page_left_open_tells_of_the_dose_it_shows() -> None:
    """Sent again when a later dose is near, "I gave it already" is no word of that one."""
    with stage("03-02 13:10") as s:
        phone = opened(s)
        form = early_in(phone.get("/care"))
        phone.post("/care/early", data=form)
        s.run_until("03-02 19:10")
        answer = phone.post("/care/early", data=form)
        s.run_until("03-02 20:01")

        assert (answer.status_code, [row["state"] for row in s.rows("dose")]) == (409, ["unconfirmed", "taken", "open"])


def test_what_was_given_before_midnight_is_noted() -> None:
    """A dose of tomorrow, told of today, is on the page that says so."""
    with stage("03-02 23:40", patient(plan(phase("5", times=["00:30"])), told=True)) as s:
        phone = opened(s)
        answer = phone.post("/care/early", data=early_in(phone.get("/care")))

        assert "Noted: the Tue 12:30 am dose is down as given." in words(phone.get(answer.headers["Location"]))


@pytest.mark.parametrize("given", ["", "nobodys", "the one that waits"])
def test_an_address_notes_nothing(given: str) -> None:
    """Only of a dose that is down as taken does a page say so."""
    with stage() as s:
        page = opened(s).get("/care", params={"given": first(s) if given == "the one that waits" else given})

        assert (page.status_code, "Noted" in words(page)) == (200, False)


def test_they_will_check() -> None:
    """Taken on with one button; the page says so from then on."""
    with stage("03-02 20:00") as s:
        s.says("2", "03-02 08:20")
        s.says("2", "03-02 14:20")
        s.run_until("03-02 20:30")
        phone = opened(s, ALERTS)
        (path,) = re.findall(r'action="(/care/told/\w+/take-on)"', phone.get("/care").text)
        answer = phone.post(path)

        assert (answer.status_code, answer.headers["Location"]) == (303, "/care")
        assert "You said that you will check." in words(phone.get("/care"))


def test_who_only_looks_changes_nothing() -> None:
    """Whatever their phone sends."""
    with stage() as s:
        phone = opened(s, Grant(Sees.STRIP, answers=False))
        before = s.rows("dose_event")
        tries = (f"/care/doses/{first(s)}/gave", f"/care/doses/{first(s)}/what-now", "/care/early")

        assert [phone.post(path, data={"when": "now"}).status_code for path in tries] == [409] * 3
        assert s.rows("dose_event") == before


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}])
def test_a_page_of_somebody_elses_says_nothing(headers: dict[str, str]) -> None:
    """With the cookie of a caregiver who answers: what another's page sends is refused."""
    with stage() as s:
        phone = opened(s)
        answer = phone.post(f"/care/doses/{first(s)}/gave", data={"when": "now"}, headers=headers)

        assert (answer.status_code, s.rows("dose")[0]["state"]) == (403, "open")


# --- whose ----------------------------------------------------------------------------------------------------------


def with_others() -> Stage:
    """Ana with Rui; Berta with her sister at the same clinic; and Rui Souza with his at another. Each missed two doses."""
    berta = _of(
        "berta", "Berta Lund", BERTA, a_caregiver(ref="sara", name="Sara Lund", phone="+12025550152", consent=a_consent("Sara Lund"))
    )
    souza = _of(
        "souza", "Rui Souza", SOUZA, a_caregiver(ref="ines", name="Ines Souza", phone="+12025550153", consent=a_consent("Ines Souza"))
    )
    s = Stage.on_paper(patient(told=True), berta)
    hill = a_clinic(name="Hill Clinic", phone="+12025550110")
    importing.import_file(s.engine, an_import_file(souza, clinic=hill), now=s.now)
    for until in ("08:20", "14:20"):
        s.run_until(f"03-02 {until}")
        for phone in (ANA, BERTA, SOUZA):
            s.says("2", phone=phone)
    s.run_until("03-02 20:30")
    return s


def _of(ref: str, name: str, phone: str, caregiver: File) -> File:
    return patient(plan(ref=f"{ref}-baclofen"), ref=ref, name=name, phone=phone, consent=a_consent(name), caregivers=[caregiver])


def test_one_patients_caregiver_reaches_no_other() -> None:
    """Of the same clinic or of another: no dose and no alert of theirs is there, none is shown, and nothing changes."""
    with with_others() as s:
        mine = whose(s)[0]
        theirs = [row for row in s.rows("dose") if row["patient_id"] != mine]
        told = [row for row in s.rows("alert") if row["patient_id"] != mine and row["kind"] == "caregivers_told"]
        phone = opened(s, STRIP)
        before = {name: s.rows(name) for name in metadata.tables}
        page = phone.get("/care").text
        found = [
            phone.post(f"/care/doses/{row['id']}/{say}", data={"when": "now"}).status_code for row in theirs for say in ("gave", "what-now")
        ]
        found += [phone.post(f"/care/told/{row['id']}/take-on").status_code for row in told]

        assert [{row["clinic_id"] for row in rows} for rows in (theirs, told)] == [{CLINIC, "hill-clinic"}] * 2
        assert ([name for name in ("Berta", "Sara", "Souza", "Hill") if name in page], set(found)) == ([], {404})
        assert {name: s.rows(name) for name in before} == before


# --- for the clinic -------------------------------------------------------------------------------------------------


@pytest.fixture
def clinics(sqlite_engine: Engine) -> Engine:
    """A ledger with two clinics and their people."""
    two_clinics(sqlite_engine)
    return sqlite_engine


def rui_of(engine: Engine, role: str = "caregiver") -> str:
    """The path at which a link of Rui's, or of Ana herself, is made."""
    roles = metadata.tables["contact_role"]
    with reading(engine) as c:
        found = c.execute(select(roles.c.patient_id, roles.c.id).where(roles.c.role == role, roles.c.clinic_id == CLINIC)).one()
    return f"/patients/{found.patient_id}/caregivers/{found.id}/link"


def test_a_nurse_makes_a_link(clinics: Engine) -> None:
    """It is shown once, with what it opens; and it opens that."""
    clock = HandClock(NOW)
    nurse = signed_in(clinics, clock, NURSE)
    made = nurse.post(rui_of(clinics))
    (path,) = re.findall(r"<code>http://127\.0\.0\.1:8000(/care/[A-Za-z0-9_-]{43})</code>", made.text)

    assert (made.status_code, "It shows only what they were told of." in words(made)) == (200, True)
    assert a_browser(clinics, clock).get(path).status_code == 303


def test_no_link_for_who_may_not_be_texted(clinics: Engine) -> None:
    """It is said why."""
    clock = HandClock(NOW)
    replying.receive(clinics, sid="SM1", from_phone=RUI, to_phone="", body="STOP", received_at=NOW, now=NOW)
    answer = signed_in(clinics, clock, NURSE).post(rui_of(clinics))

    assert (answer.status_code, "Rui Silva can have no page: they ended the texts." in words(answer)) == (409, True)


@pytest.mark.parametrize(
    ("who", "clinic", "role", "status"),
    [(NURSE, CLINIC, "patient", 404), (ADMIN, CLINIC, "caregiver", 403), (THEIRS, HILL, "caregiver", 404)],
)
def test_no_link_for_others(clinics: Engine, who: str, clinic: str, role: str, status: int) -> None:
    """None for a patient themselves, none by who does not care for patients, none by another clinic."""
    answer = signed_in(clinics, HandClock(NOW), who, clinic=clinic).post(rui_of(clinics, role))
    with reading(clinics) as c:
        links = c.execute(select(metadata.tables["care_link"])).all()

    assert (answer.status_code, links) == (status, [])


def test_the_pages_are_well_formed(clinics: Engine) -> None:
    """Every element is closed, in order; no name stands twice; every field has its label; nothing runs, and nothing is from elsewhere."""
    with with_others() as s:
        phone = opened(s, STRIP)
        dose = max((row for row in s.rows("dose") if row["patient_id"] == whose(s)[0]), key=lambda row: row["due_at"])["id"]
        pages = {
            "the page": phone.get("/care").text,
            "a wrong time": phone.post(f"/care/doses/{dose}/gave", data={"when": "at", "at": ""}).text,
            "what now": phone.post(f"/care/doses/{dose}/what-now").text,
            "gone": a_phone(s).get("/care").text,
            "a link": signed_in(clinics, HandClock(NOW), NURSE).post(rui_of(clinics)).text,
        }
    for name, html in pages.items():
        page = Page(html)
        ids, labels = page.all("id"), page.all("for")
        named = {value for tag, key, value in page.attributes if tag in {"input", "select"} and key == "id"}
        inline = [key for _, key, _ in page.attributes if key == "style" or key.startswith("on")]
        addresses = {value for key in ("href", "src", "action") for value in page.all(key)}

        assert (page.open, page.crossed, len(ids) - len(set(ids)), page.tags["h1"]) == ([], [], 0, 1), name
        assert (named - set(labels), inline, page.tags["style"]) == (set(), [], 0), name
        assert [address for address in addresses if not re.match(r"/|#|tel:", address)] == [], name
