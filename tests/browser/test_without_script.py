"""The portal in a browser that runs no script: slower, and nothing is out of reach."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from tests.browser.clinic import Harbor
from tests.browser.pages import PAGES, opened
from tests.browser.serving import Served
from tests.browser.signing import sign_in
from tests.browser.visiting import Visits


def offered(page: Page) -> set[tuple[str, str]]:
    """What a page says and offers: its headings, links, buttons and fields."""
    roles: tuple[Literal["button", "heading", "link", "textbox"], ...] = ("button", "heading", "link", "textbox")
    return {(role, each.strip()) for role in roles for each in page.locator("main").get_by_role(role).all_inner_texts()}


@pytest.mark.parametrize("path", sorted(PAGES))
def test_every_page_offers_as_much(visits: Visits, ledger: Engine, harbor: Harbor, path: str) -> None:
    """What a page says and offers to who runs scripts, it offers to who runs none."""
    with_script, without = (offered(opened(visits, path, ledger, harbor, script=script).page) for script in (True, False))

    assert with_script - without == set()
    assert "heading" in {role for role, _ in without}


def test_signing_in(visits: Visits, portal: Served, harbor: Harbor) -> None:
    """The door opens by a form alone."""
    page = visits.visit(script=False).page
    sign_in(page, harbor.phones["temp"], portal.clock)
    page.get_by_role("link", name="Jo Temp").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Jo Temp")


def test_an_alert_is_taken_on(visits: Visits) -> None:
    """From the list of what is to do to a name beside an alert."""
    page = visits.visit("nurse", script=False).page
    page.goto("/queues")
    page.get_by_role("main").get_by_role("link", name="Replies to read").click()
    card = page.get_by_role("listitem").filter(has_text="Odd Nilsen")
    card.get_by_role("button", name="Take on").first.click()

    expect(card.filter(has_text="Nurse Lee looks after it")).to_be_visible()


def test_a_patient_is_found_and_muted(visits: Visits) -> None:
    """The search is a form, and an act shows what it will do before it is done."""
    page = visits.visit("nurse", script=False).page
    page.goto("/patients")
    page.get_by_label("Name or phone").fill("ada")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name="Ada Away").click()
    page.get_by_role("link", name="Mute", exact=True).click()
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    page.get_by_label("Reason").fill("away for a week")
    page.get_by_role("button", name="Mute", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Away")
    expect(page.get_by_role("link", name="Mute", exact=True)).to_have_count(0)


def test_a_plan_is_drawn_up(visits: Visits, ledger: Engine, harbor: Harbor) -> None:
    """The button "Preview" does what the typing does elsewhere; what is missing is said beside each field, and nothing typed is lost."""
    visit = opened(visits, "/patients/{patient}/plans/new", ledger, harbor, script=False)
    visit.watch.expects(HTTPStatus.UNPROCESSABLE_ENTITY)
    page, preview = visit.page, visit.page.get_by_role("button", name="Preview")
    page.get_by_label("Drug", exact=True).select_option("baclofen, tablet")
    page.get_by_label("How the plan goes").select_option("Keep the same doses")
    preview.click()
    page.get_by_label("Doses").fill("5")
    preview.click()
    expect(page.get_by_text("Still needed: the times of day")).to_be_visible()
    page.get_by_label("Dose 1").fill("09:00")
    page.get_by_label("Steps happen on their day").check()
    preview.click()

    expect(page.get_by_role("region", name="The dated table")).to_contain_text("5 mg")
    expect(page.get_by_label("Drug", exact=True)).to_have_value("baclofen-tablet")
