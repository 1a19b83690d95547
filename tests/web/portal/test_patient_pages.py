"""A patient's page, acting on a plan, and one dose: what is shown, to whom, and what is refused in words."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine

from reminders.services import importing
from tests.files import a_patient, a_phase, an_entry, an_import_file
from tests.web.portal.anas_page import DOSE, Portal, addresses, an_afternoon, portal_of, said
from tests.web.portal.test_plan_pages import hidden
from tests.web.serving import NOW
from tests.web.signed_in import ADMIN, HILL, NURSE, PROVIDER, THEIRS, faults


@pytest.fixture
def clinics(sqlite_engine: Engine) -> Engine:
    """Two clinics, on the first afternoon of Ana's plan."""
    return an_afternoon(sqlite_engine)


@pytest.fixture
def provider(clinics: Engine) -> Portal:
    """Dr. Haddad's browser."""
    return portal_of(clinics, PROVIDER)


@pytest.fixture
def nurse(clinics: Engine) -> Portal:
    """Nurse Lee's browser."""
    return portal_of(clinics, NURSE)


def test_a_patient(provider: Portal) -> None:
    """Who they are, how their plan stands, what waits, and the curve in words."""
    page = provider.client.get(f"/patients/{provider.patient}")
    words = said(page)

    assert page.status_code == 200
    assert "Ana Silva" in words
    assert 'href="tel:+12025550101"' in page.text
    assert "Danger sign in a text: seizure" in words
    assert "America/New_York" in words
    assert "Planned a day, in mg: 10 from 2 Mar, then 15 from 3 Mar" in words
    assert f'href="{provider.at}/act?action=suspend"' in page.text
    assert page.text.count("<h1") == 1


@pytest.mark.parametrize(
    "path", ["", "?from=2026-06-01", "/plans/{plan}/act", "/plans/{plan}/act?action=mute", "/plans/{plan}/dose?date=2026-03-02&slot=2"]
)
def test_no_address_says_anything_of_anybody(provider: Portal, path: str) -> None:
    """No address on a page holds a name, a reference, a phone or a drug; and no page has a style or a script of its own."""
    page = provider.client.get(f"/patients/{provider.patient}{path.replace('{plan}', provider.plan)}")
    told = {address.lower() for address in addresses(page.text)}

    assert page.status_code == 200
    assert not {address for address in told if any(word in address for word in ("ana", "silva", "2025550", "baclofen"))}
    assert " style=" not in page.text
    assert "<style" not in page.text
    assert "<script>" not in page.text


@pytest.mark.parametrize("path", ["", "/plans/{plan}/act", "/plans/{plan}/dose?date=2026-03-02&slot=2"])
def test_nobody_elses(clinics: Engine, path: str) -> None:
    """Another clinic finds nothing there; an admin, who cares for nobody, is not let in."""
    theirs, admin = portal_of(clinics, THEIRS, clinic=HILL), portal_of(clinics, ADMIN)
    at = f"/patients/{theirs.patient}{path.replace('{plan}', theirs.plan)}"

    assert (theirs.client.get(at).status_code, admin.client.get(at).status_code) == (404, 403)


@pytest.mark.parametrize("first", ["never", "2026-13-01", "20260301x"])
def test_no_date(provider: Portal, first: str) -> None:
    """What is no date is no page."""
    assert provider.client.get(f"/patients/{provider.patient}?from={first}").status_code == 404


def test_other_weeks(provider: Portal) -> None:
    """Earlier and later go by dates, four weeks at a time."""
    page = provider.client.get(f"/patients/{provider.patient}?from=2026-04-06").text

    assert "?from=2026-03-09#" in page
    assert "?from=2026-05-04#" in page
    assert "6 Apr to 10 May 2026" in page


# Acting


def test_what_a_nurse_may(nurse: Portal) -> None:
    """Only what her role and the plan's state permit is offered; the rest is named as a provider's."""
    page = nurse.client.get(f"{nurse.at}/act")

    assert set(re.findall(r"act\?action=(\w+)", page.text)) == {"acknowledge", "stay", "mute", "add_medicine", "remove_medicine"}
    assert "Only a provider may: next step, slow down, suspend, stop." in said(page)


def test_a_nurse_is_refused_in_words(nurse: Portal) -> None:
    """What she sends all the same is refused, and nothing changes."""
    answer = nurse.act("suspend", reason="because", step="do")

    assert answer.status_code == 422
    assert "Suspend: you are staff, and only a provider may." in said(answer)
    assert nurse.state == "active"


def test_it_is_shown_before_it_is_done(provider: Portal) -> None:
    """What changes what is taken is first shown: the texts it sends, the days as they would be. Then it is done."""
    shown = provider.act("suspend", reason="surgery on Friday", step="look")
    before = provider.state
    done = provider.act("suspend", reason="surgery on Friday", step="do")

    assert shown.status_code == 200
    assert "The plan will be suspended" in said(shown)
    assert "Ana Silva will be texted: Harbor Clinic:" in said(shown)
    assert 'value="surgery on Friday"' in shown.text
    assert (before, done.status_code, done.headers["Location"], provider.state) == (
        "active",
        303,
        f"/patients/{provider.patient}",
        "suspended",
    )


def test_what_needs_nothing_is_shown_at_once(provider: Portal) -> None:
    """A stay asks for no more than a yes: its page shows what it does."""
    page = provider.client.get(f"{provider.at}/act?action=stay")
    done = provider.act("stay", step="do")

    assert "The plan will be staying" in said(page)
    assert (done.status_code, provider.state) == (303, "staying")


def test_it_changed_meanwhile(provider: Portal) -> None:
    """What was looked at before somebody else acted is looked at again."""
    page = provider.client.get(f"{provider.at}/act?action=mute").text
    provider.act("stay", step="do")
    answer = provider.client.post(f"{provider.at}/act", data={"action": "mute", "step": "do", "seen": hidden(page, "seen")})

    assert answer.status_code == 422
    assert "The plan has changed since you looked" in said(answer)
    assert provider.state == "staying"


def test_a_second_click_does_nothing_more(provider: Portal) -> None:
    """The same form sent twice: each step is a week longer, and not two."""
    form = {"action": "slow_down", "days": "7", "reason": "sleepy"}
    shown = provider.client.post(f"{provider.at}/act", data={**form, "step": "look"}).text
    answers = [provider.client.post(f"{provider.at}/act", data={**form, "step": "do", "seen": hidden(shown, "seen")}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 422]
    assert [event["kind"] for event in provider.rows("plan_event")].count("slowed down") == 1


@pytest.mark.parametrize(
    ("action", "fields", "field", "words"),
    [
        ("suspend", {}, "reason", "Reason is needed"),
        ("slow_down", {"reason": "dizzy", "days": "0"}, "days", "is a whole number from 1 to 366"),
        ("slow_down", {"reason": "dizzy", "days": "²"}, "days", "is a whole number from 1 to 366"),
        ("slow_down", {"reason": "dizzy", "days": ""}, "days", "is a whole number from 1 to 366"),
        ("slow_down", {"reason": "dizzy", "days": "00019999"}, "days", "is a whole number from 1 to 366"),
        ("slow_down", {"reason": "dizzy", "days": "0001999999999"}, "days", "is a whole number from 1 to 366"),
        ("add_medicine", {"medicine": ""}, "medicine", "Medicine"),
        ("acknowledge", {"alert": "nothing"}, "alert", "The alert is not open any more"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(provider: Portal, action: str, fields: dict[str, str], field: str, words: str) -> None:
    """A form that is not filled in well comes back as it was typed, with what is wrong where it is; nothing is done."""
    answer = provider.act(action, **fields, step="do")

    assert answer.status_code == 422
    assert words in faults(answer.text)[field]
    assert all(f'value="{value}"' in answer.text for name, value in fields.items() if value and name != "alert")
    assert provider.state == "active"


def test_what_no_calendar_holds_is_refused_in_words(sqlite_engine: Engine) -> None:
    """A plan that would go on past the year 3000 when it goes slower: said on the page, before it is done and in the doing."""
    plan = an_entry(phases=[a_phase(3, "5"), a_phase(355_600, "10")])
    importing.import_file(sqlite_engine, an_import_file(a_patient(plans=[plan])), now=NOW)
    provider = portal_of(sqlite_engine, PROVIDER)
    mark = hidden(provider.act("slow_down", reason="dizzy", days="1", step="look").text, "seen")
    answers = [provider.act("slow_down", reason="dizzy", days="366", step=step, seen=mark) for step in ("look", "do")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("end before the year 3000" in said(answer) for answer in answers)
    assert provider.state == "active"


def test_a_restart_chooses_its_step(provider: Portal) -> None:
    """Without a step it is asked for; one that is not there is refused; then the plan begins there."""
    provider.act("suspend", reason="surgery", step="do")
    none, far = provider.act("restart", reason="healed", step="do"), provider.act("restart", reason="healed", phase="9", step="do")
    done = provider.act("restart", reason="healed", phase="1", step="do")

    assert "phase" in faults(none.text)
    assert "phase" in faults(far.text)
    assert (done.status_code, provider.state) == (303, "active")


def test_a_medicine_goes_on_the_list_and_off(provider: Portal) -> None:
    """It is added at once, named on the page, and taken off with a reason."""
    added = provider.act("add_medicine", medicine="aspirin 100 mg")
    other = provider.act("remove_medicine", medicine="ibuprofen", reason="stopped")
    removed = provider.act("remove_medicine", medicine="aspirin 100 mg", reason="stopped")
    page = said(provider.client.get(f"/patients/{provider.patient}"))

    assert (added.status_code, other.status_code, removed.status_code) == (303, 422, 303)
    assert "The medicine is not on the list." in other.text
    assert "medicine removed: aspirin 100 mg: stopped" in page


def test_alerts_are_taken_on(nurse: Portal) -> None:
    """Who takes them on stands beside them; the service's own refusals are shown in words."""
    done = nurse.act("acknowledge", alert="red_flag", reason="called")
    page = said(nurse.client.get(f"/patients/{nurse.patient}"))

    assert done.status_code == 303
    assert "Nurse Lee looks after it" in page


def test_a_refusal_of_the_service_is_shown(provider: Portal) -> None:
    """What only the service knows is shown as it says it: a date that is past."""
    answer = provider.act("acknowledge", labs_due="2020-01-01", reason="called")

    assert answer.status_code == 422
    assert "labs_due 2020-01-01 is past" in said(answer).replace("Labs_due", "labs_due")


@pytest.mark.parametrize("day", ["20260316", "2026-W12-1", "tomorrow"])
def test_a_day_is_read_in_one_way_only(provider: Portal, day: str) -> None:
    """What other pages refuse as a date is refused here, beside its field."""
    provider.act("add_medicine", medicine="furosemide 40 mg")
    answer = provider.act("acknowledge", labs_due=day, reason="called")

    assert (answer.status_code, "must be a date, like" in faults(answer.text)["labs_due"]) == (422, True)


@pytest.mark.parametrize("action", ["", "move_zone", "fly", "resume"])
def test_what_cannot_be_done(provider: Portal, action: str) -> None:
    """An act that is none, or is not for this plan, is refused, with what may be done."""
    look, answer = (
        provider.client.get(f"{provider.at}/act?action={action}"),
        provider.client.post(f"{provider.at}/act", data={"action": action}),
    )

    assert (look.status_code, answer.status_code) == (200, 422)
    assert "What may be done" in said(look)
    assert "That cannot be done to this plan as it stands now." in said(answer)


# One dose


def test_a_dose(provider: Portal) -> None:
    """Its times, what was learnt of it, and its texts."""
    words = said(provider.client.get(f"{provider.at}/dose?date=2026-03-02&slot=2"))

    assert "May be taken until Mon 2 Mar, 18:00" in words
    assert "fell due" in words


@pytest.mark.parametrize(
    "query",
    [
        "?date=2026-03-02",
        "?date=2026-03-02&slot=0",
        "?date=x&slot=2",
        "?date=2026-03-02&slot=9",
        "?date=2026-03-03&slot=2",
        "?slot=2&date=2026-03-02%00",
    ],
)
def test_no_dose(provider: Portal, query: str) -> None:
    """A dose that is not on record is not there."""
    assert provider.client.get(f"{provider.at}/dose{query}").status_code == 404


def test_which_dose(provider: Portal) -> None:
    """Without a date its page asks for one: a dose of long ago stands in no grid."""
    page = provider.client.get(f"{provider.at}/dose")

    assert page.status_code == 200
    assert "which dose of baclofen?" in said(page)


def test_setting_a_dose_right(nurse: Portal) -> None:
    """With a reason it is set right, by name; undoing it is another correction; all of it stands there."""
    answers = [
        nurse.client.post(f"{nurse.at}/dose", data={**DOSE, "state": state, "reason": why})
        for state, why in (("taken", "she called"), ("missed", "a slip"))
    ]
    page = said(nurse.client.get(answers[1].headers["Location"]))

    assert [answer.status_code for answer in answers] == [303, 303]
    assert [row["state"] for row in nurse.rows("dose") if row["plan_id"] == nurse.plan] == ["missed"]
    assert "set right to taken Nurse Lee she called" in page
    assert "set right to missed Nurse Lee a slip" in page
    assert "to undo that, set it back to taken" in page


def test_what_is_wrong_with_a_correction(nurse: Portal) -> None:
    """It needs a state and a reason; what was typed stays."""
    none = nurse.client.post(f"{nurse.at}/dose", data={**DOSE, "state": "flown", "reason": ""})
    kept = nurse.client.post(f"{nurse.at}/dose", data={**DOSE, "state": "taken", "reason": " "})

    assert (none.status_code, set(faults(none.text))) == (422, {"state", "reason"})
    assert (kept.status_code, set(faults(kept.text))) == (422, {"reason"})
    assert 'value="taken" required checked' in kept.text


# Around it


def test_adherence_as_a_file(nurse: Portal) -> None:
    """The counts and shares of each plan; its name says nothing of whose it is, and another clinic gets none."""
    nurse.client.post(f"{nurse.at}/dose", data={**DOSE, "state": "taken", "reason": "she called"})
    answer = nurse.client.get(f"/patients/{nurse.patient}/adherence.csv")
    head, *lines = answer.text.split("\r\n")
    theirs = portal_of(nurse.engine, THEIRS, clinic=HILL)

    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="adherence.csv"'
    assert lines[1:] == [""]
    found = dict(zip(head.split(","), lines[0].split(","), strict=True))
    assert (found["patient"], found["due"], found["taken"], found["lower_percent"]) == ("ana", "1", "1", "100")
    assert theirs.client.get(f"/patients/{nurse.patient}/adherence.csv").status_code == 404


def test_what_a_caregiver_may_see(nurse: Portal) -> None:
    """By default the least: what they were told of. A link is made from here."""
    page = nurse.client.get(f"/patients/{nurse.patient}")

    assert re.search(r"Rui Silva , caregiver .*? after 2 doses .*? what they were told of Make a link", said(page))
    assert len(re.findall(rf'action="/patients/{nurse.patient}/caregivers/\w+/link"', page.text)) == 1


@pytest.mark.parametrize(("who", "offered"), [(PROVIDER, True), (NURSE, False)])
def test_a_new_plan_is_a_providers(clinics: Engine, who: str, offered: bool) -> None:  # noqa: FBT001 - cells of a table
    """Who may not prescribe is led to no page that would refuse them; wherever a page leads, it is let in."""
    portal = portal_of(clinics, who)
    led = {
        address
        for address in addresses(portal.client.get(f"/patients/{portal.patient}").text)
        if address.startswith(("/patients", "/alerts"))
    }
    looked = {
        address: portal.client.get(address.partition("#")[0]).status_code
        for address in led
        if not address.endswith(("/link", "/act", "over"))
    }

    assert (f"/patients/{portal.patient}/plans/new" in led, f"{portal.at}/taper" in led) == (offered, offered)
    assert looked == dict.fromkeys(looked, 200)
    assert any(address.startswith("/alerts/") for address in looked)
