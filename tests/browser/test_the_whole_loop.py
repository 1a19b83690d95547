"""From an empty ledger to an export, in a browser alone: what a clinic does on its first days with Doseline."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import Engine

from db.engine import make_engine
from reminders.domain.acting import StaffAct, StaffAction
from reminders.formats.story_file import TextIn, read_story
from reminders.services import signing_in
from tests.browser.serving import Served, served
from tests.browser.signing import sign_in
from tests.browser.visiting import Visits
from tests.databases import migrated
from tests.web.signed_in import PASSWORD, Phone

MORNING = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
"""A Monday, 09:00 in New York."""
STEP = tuple(
    (f"{day} Mar, {at}", f"{day[:3]} {said} dose: 1 tablet of 5 mg")
    for day in ("Tue 3", "Wed 4", "Thu 5")
    for at, said in (("08:00", "8:00 am"), ("14:00", "2:00 pm"), ("20:00", "8:00 pm"))
)
"""The doses of the first step: when each is due, and what its reminder says."""
WHY = "called: the phone lay at her sister's"


@dataclass(frozen=True)
class FirstDay:
    """An installation that nobody has set up yet.

    link  the path of the one-time link that its first start printed.
    """

    engine: Engine
    portal: Served
    visits: Visits
    link: str


@pytest.fixture
def first_day(tmp_path: Path, chromium: Browser, met_browser: None) -> Iterator[FirstDay]:  # noqa: ARG001 - it keeps
    """A served ledger with nothing in it, and a browser; at the end nothing may have gone amiss in any page."""
    engine = make_engine(migrated(f"sqlite:///{tmp_path / 'doseline.db'}"))
    link = signing_in.first_link(engine, now=MORNING)
    with served(str(engine.url), at=MORNING, log=str(tmp_path / "portal.log")) as portal, Visits(chromium, portal) as visits:
        yield FirstDay(engine, portal, visits, f"/setup/{link}")
        amiss = visits.amiss
    engine.dispose()
    assert amiss == []


def test_the_whole_loop(first_day: FirstDay, tmp_path: Path) -> None:
    """A clinic is set up, a patient is stepped up, falls silent, is seen, goes on and goes back; and the whole can be taken away."""
    desk = first_day.visits.visit().page
    a_clinic_is_set_up(desk, first_day)
    phones = desk.context.new_page()
    a_patient_is_enrolled(desk, phones)
    a_titration_is_built_and_approved(desk)
    each_dose_of_the_first_step_is_answered(phones)
    an_alert_arrives_by_itself(desk, phones)
    the_plan_goes_on_and_steps_back(desk)
    it_is_taken_away_as_a_file(desk, tmp_path)


def a_clinic_is_set_up(desk: Page, day: FirstDay) -> None:
    """Behind the one-time link: a clinic, an account, a phone that shows codes; and in by password and code."""
    desk.goto(day.link)
    for label, typed in (("Name of the clinic", "Harbor Clinic"), ("Phone", "+12025550100"), ("Your name", "Dr. Noor Haddad")):
        desk.get_by_label(label, exact=True).fill(typed)
    desk.get_by_label("Time zone").select_option("America/New_York")
    desk.get_by_label("I prescribe").check()
    desk.get_by_label("Name to sign in with").fill("noor@harbor.example")
    desk.get_by_label("Password").fill(PASSWORD)
    phone = Phone(desk.locator("code.secret").inner_text(), "noor@harbor.example")
    desk.get_by_label("Code", exact=True).fill(pyotp.TOTP(phone.secret).at(day.portal.clock.now()))
    desk.get_by_role("button", name="Set it up").click()
    recovery = desk.get_by_role("main").get_by_role("listitem")
    expect(recovery).to_have_count(10)
    sign_in(desk, phone, day.portal.clock, code=recovery.first.inner_text())  # the code of this half minute is used up


def a_patient_is_enrolled(desk: Page, phones: Page) -> None:
    """Ana, of whom nobody has asked about alcohol; what her phone was texted, she reads out."""
    desk.goto("/patients/new")
    for label, typed in (("Name", "Ana Silva"), ("Reference", "ana"), ("Mobile number", "202 555 0101"), ("Time zone", "America/New_York")):
        desk.get_by_label(label, exact=True).fill(typed)
    for label in ("On paper, signed", "How many tablets of which strength", "Nobody has asked"):
        desk.get_by_label(label).check()
    for label, typed in (("When", "2026-03-02T08:30"), ("To which wording", "consent-en-1")):
        desk.get_by_label(label, exact=True).fill(typed)
    desk.get_by_role("button", name="Enrol, and text the code").click()
    expect(desk.get_by_text("not verified: only the code is texted")).to_be_visible()

    phones.goto("/sandbox")
    text = phones.get_by_role("log", name="Texts on the phone of Ana Silva").get_by_text("your code is")
    code = re.search(r"code is (\d+)", text.inner_text())
    assert code is not None
    desk.get_by_label("The code that Ana Silva reads out").fill(code[1])
    desk.get_by_role("button", name="Verify the number").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Ana Silva")


def a_titration_is_built_and_approved(desk: Page) -> None:
    """The label's steps, drawn up while they are chosen; a warning, a reason to go on, and a name under the table."""
    desk.get_by_role("link", name="Build a new plan").click()
    desk.get_by_label("Drug", exact=True).select_option("baclofen, tablet")
    desk.get_by_label("How the plan goes").select_option("Step up, by a ready layout")
    desk.get_by_label("Layout").select_option(label="label: 5, 10, 15, then 20 mg three times a day, three days each; the last goes on")
    expect(desk.get_by_text("Still needed: the times of day")).to_be_visible()
    for number, at in enumerate(("08:00", "14:00", "20:00"), 1):
        desk.get_by_label(f"Dose {number}").fill(at)
    desk.get_by_label("A step happens if its conditions are met").check()
    table = desk.get_by_role("region", name="The dated table")
    expect(table.get_by_role("row")).to_have_count(5)
    expect(table.get_by_role("row", name="Mon 9 – Wed 11 Mar")).to_contain_text("45 mg")
    expect(desk.get_by_text("Warning:")).to_be_visible()

    desk.get_by_role("button", name="Go on to sign it").click()
    desk.get_by_label("Your reason to go on").fill("asked on the phone: none")
    desk.get_by_role("button", name="Approve this plan").click()
    expect(plan_of(desk)).to_contain_text("1 of 4: 5 mg × 3 a day")


def each_dose_of_the_first_step_is_answered(phones: Page) -> None:
    """The clock goes from event to event, and "1" is the answer to each dose, until the second step has come."""
    hers, said = phones.get_by_role("log", name="Texts on the phone of Ana Silva"), phones.get_by_text("Ana Silva: 1", exact=True)
    for answered, (at, words) in enumerate(STEP, 1):
        while face(phones).inner_text() != at:
            moved(phones, "Next event")
        expect(hers).to_contain_text(words)
        phones.get_by_role("button", name="1 taken").click()
        expect(said).to_have_count(answered)


def an_alert_arrives_by_itself(desk: Page, phones: Page) -> None:
    """Three doses of the second step pass without a word; who looks at the list of what is to do sees why, and has pressed nothing."""
    desk.goto("/queues")
    expect(desk.get_by_text("Nothing waits for anybody.")).to_be_visible()
    desk.evaluate("() => { window.untouched = true }")
    for _ in range(3):
        moved(phones, "No reply")
    expect(desk.get_by_role("heading", name="Runs of misses 1")).to_be_visible()
    expect(desk.get_by_role("navigation", name="Pages").get_by_text("1 open alerts")).to_be_visible()
    assert desk.evaluate("() => window.untouched")

    desk.get_by_role("main").get_by_role("link", name="Runs of misses").click()
    card = desk.get_by_role("listitem").filter(has_text="3 doses running not taken, 3 of them unconfirmed. The plan stays on phase 2.")
    card.get_by_role("button", name="Take on").click()
    expect(card).to_contain_text("Dr. Noor Haddad looks after it")
    card.get_by_role("link", name="Ana Silva", exact=True).click()


def the_plan_goes_on_and_steps_back(desk: Page) -> None:
    """The provider sees what each act will do before it is done."""
    desk.get_by_role("link", name="Go on", exact=True).click()
    will_happen(desk, "Mon 9 Mar", "08:00 15 mg, 14:00 15 mg, 20:00 15 mg")
    desk.get_by_role("button", name="Go on", exact=True).click()
    expect(plan_of(desk)).to_contain_text("2 of 4: 10 mg × 3 a day")

    desk.get_by_role("link", name="Step back", exact=True).click()
    desk.get_by_label("Reason").fill(WHY)
    desk.get_by_role("button", name="Show what will happen").click()
    will_happen(desk, "Sat 7 Mar", "14:00 5 mg, 20:00 5 mg")
    desk.get_by_role("button", name="Step back", exact=True).click()
    expect(plan_of(desk)).to_contain_text("1 of 4: 5 mg × 3 a day")


def it_is_taken_away_as_a_file(desk: Page, folder: Path) -> None:
    """How much was taken is a table for other programs; all that was done is a story file: nine answers, and two acts of a provider."""
    with desk.expect_download() as saved:
        desk.get_by_role("link", name="Adherence as a file").click()
    saved.value.save_as(folder / saved.value.suggested_filename)
    [line] = csv.DictReader((folder / "adherence.csv").read_text(encoding="utf-8").splitlines())
    assert (line["patient"], line["taken"], line["unconfirmed"]) == ("ana", "9", "3")

    desk.goto("/sandbox/story")
    desk.get_by_role("button", name="Play it again").click()
    expect(desk.get_by_text("It plays the same:")).to_be_visible()
    with desk.expect_download() as saved:
        desk.get_by_role("link", name="Save the story file").click()
    file = folder / saved.value.suggested_filename
    saved.value.save_as(file)
    story = read_story(json.loads(file.read_text(encoding="utf-8")))

    assert [event.text for event in story.events if isinstance(event, TextIn)] == ["1"] * len(STEP)
    assert [(event.action, event.reason) for event in story.events if isinstance(event, StaffAct)] == [
        (StaffAction.RESUME, ""),
        (StaffAction.STEP_BACK, WHY),
    ]


def plan_of(desk: Page) -> Locator:
    """The plan on a patient's page."""
    return desk.get_by_role("region", name="Baclofen", exact=False).first


def face(phones: Page) -> Locator:
    """What the sandbox's clock shows."""
    return phones.get_by_role("region", name="The clock").locator("time")


def moved(phones: Page, way: str) -> None:
    """Move the sandbox's clock, and wait until it stands there."""
    before = face(phones).inner_text()
    phones.get_by_role("button", name=way, exact=True).click()
    expect(face(phones)).not_to_have_text(before)
    expect(phones.get_by_role("button", name=way, exact=True)).to_be_visible()


def will_happen(desk: Page, day: str, doses: str) -> None:
    """What an act would make of a day is shown before it is done."""
    expect(desk.get_by_role("region", name="What will happen").get_by_role("row", name=day)).to_contain_text(doses)
