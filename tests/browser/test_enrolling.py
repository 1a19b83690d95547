"""Enrolling in a browser: the form, the code that comes back, and a move that is looked at before it is stored."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from tests.browser.axe import violations
from tests.browser.clinic import Harbor
from tests.browser.pages import opened
from tests.browser.visiting import HEIGHT, NARROW, WIDE, Visits


def code_in(ledger: Engine) -> str:
    """The digits of the newest code."""
    text = metadata.tables["text_out"]
    with reading(ledger) as c:
        body = c.execute(select(text.c.body).where(text.c.purpose == "verification").order_by(text.c.created_at.desc())).scalars().first()
    return str(re.findall(r"\d{6}", body or "")[0])


def is_usable(page: Page) -> None:
    """Nothing for axe to find, wide and narrow, and nothing to scroll sideways for."""
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        assert violations(page) == []
        assert page.evaluate("() => document.documentElement.scrollWidth") == width
    page.set_viewport_size({"width": WIDE, "height": HEIGHT})


def test_a_patient_is_enrolled(visits: Visits, ledger: Engine, harbor: Harbor) -> None:
    """A number typed as people type it, a consent by voice, the code as it is read out; then the patient's page."""
    page = opened(visits, "/patients/new", ledger, harbor).page
    for label, typed in (
        ("Name", "Zoe Lund"),
        ("Reference", "Z-1"),
        ("Mobile number", "(202) 555-0188"),
        ("To which wording", "consent-en-1"),
    ):
        page.get_by_label(label, exact=True).fill(typed)
    page.get_by_label("By voice, here or on the phone").check()
    page.get_by_role("button", name="Enrol, and text the code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Phones and people of Zoe Lund")
    expect(page.get_by_text("not verified: only the code is texted")).to_be_visible()
    is_usable(page)
    page.get_by_label("The code that Zoe Lund reads out").fill(code_in(ledger))
    page.get_by_role("button", name="Verify the number").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Zoe Lund")


def test_a_move_is_looked_at(visits: Visits, ledger: Engine, harbor: Harbor) -> None:
    """The doses by both clocks stand there before anybody says yes."""
    page = opened(visits, "/patients/{patient}/zone", ledger, harbor).page
    page.get_by_label("Time zone", exact=True).fill("Europe/London")
    page.get_by_role("button", name="Show what will happen").click()

    expect(page.get_by_text("Nothing is stored yet")).to_be_visible()
    expect(page.get_by_role("columnheader", name="By the new")).to_be_visible()
    is_usable(page)
