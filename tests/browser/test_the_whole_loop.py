"""From an empty ledger to an export, in a browser alone: what a clinic does on its first days with Doseline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page

from db.engine import make_engine
from reminders.services import signing_in
from tests.browser.serving import Served, served
from tests.browser.signing import sign_in
from tests.browser.visiting import Visits
from tests.databases import migrated
from tests.web.signed_in import PASSWORD, Phone

MORNING = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
"""A Monday, 09:00 in New York."""


@pytest.fixture
def first_day(
    tmp_path: Path, chromium: Browser, ran_in_browser: set[str], request: pytest.FixtureRequest
) -> Iterator[tuple[Visits, Served, str]]:
    """An installation that nobody has set up yet, a browser, and the one-time link that its first start printed."""
    ran_in_browser.add(request.node.nodeid)
    engine = make_engine(migrated(f"sqlite:///{tmp_path / 'doseline.db'}"))
    link = signing_in.first_link(engine, now=MORNING)
    assert link is not None
    with served(str(engine.url), at=MORNING, log=str(tmp_path / "portal.log")) as portal, Visits(chromium, portal) as visits:
        yield visits, portal, f"/setup/{link}"
        amiss = visits.amiss
    engine.dispose()
    assert amiss == []


@pytest.mark.timeout(300)
def test_the_whole_loop(first_day: tuple[Visits, Served, str]) -> None:
    """A clinic is set up, a patient is stepped up, falls silent, is seen, goes on, goes back; and it is all in the export."""
    visits, portal, link = first_day
    desk = visits.visit().page
    a_clinic_is_set_up(desk, portal, link)


def a_clinic_is_set_up(desk: Page, portal: Served, link: str) -> None:
    """Behind the one-time link: a clinic, an account, a phone that shows codes; and in by password and code."""
    desk.goto(link)
    for label, typed in (("Name of the clinic", "Harbor Clinic"), ("Phone", "+12025550100"), ("Your name", "Dr. Noor Haddad")):
        desk.get_by_label(label, exact=True).fill(typed)
    desk.get_by_label("Time zone").select_option("America/New_York")
    desk.get_by_label("I prescribe").check()
    desk.get_by_label("Name to sign in with").fill("noor@harbor.example")
    desk.get_by_label("Password").fill(PASSWORD)
    phone = Phone(desk.locator("code.secret").inner_text(), "noor@harbor.example")
    desk.get_by_label("Code", exact=True).fill(pyotp.TOTP(phone.secret).at(portal.clock.now()))
    desk.get_by_role("button", name="Set it up").click()
    recovery = desk.get_by_role("listitem").all_inner_texts()
    assert len(recovery) == 10
    sign_in(desk, phone, portal.clock, code=recovery[0])  # the code of this half minute is used up
