"""The portal in a browser that runs no script: slower, and nothing is out of reach."""

from __future__ import annotations

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
