"""The portal without a mouse."""

from __future__ import annotations

import pyotp
import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from reminders.services import conversing
from tests.browser.clinic import Harbor
from tests.browser.keyboard import tabbed_through
from tests.browser.pages import PAGES, opened
from tests.browser.serving import Served
from tests.browser.visiting import HEIGHT, NARROW, WIDE, Visits
from tests.web.signed_in import CLINIC, NURSE, PASSWORD

PLANTED = """() => {
  const main = document.querySelector('main');
  for (const [says, does] of [['last', each => each.tabIndex = 5], ['unseen', each => each.style.outline = 'none']]) {
    const each = document.createElement('button');
    each.textContent = says;
    each.style.setProperty('box-shadow', 'none', 'important');
    does(each);
    main.append(each);
  }
}"""


@pytest.mark.parametrize("path", sorted(PAGES))
def test_tab_goes_through_every_page(visits: Visits, ledger: Engine, harbor: Harbor, path: str) -> None:
    """Everything is reached, in the order of the page, once; it is seen where the keyboard is, and nothing lies upon it."""
    page = opened(visits, path, ledger, harbor).page
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        found = tabbed_through(page)

        assert [found.there[no] for no in found.reached] == found.there
        assert (found.unseen, found.covered) == ([], [])


def test_what_is_out_of_order_or_unseen_is_found(visits: Visits) -> None:
    """A button that jumps the queue, and one that does not show the keyboard, are named."""
    page = visits.visit().page
    page.goto("/sign-in")
    page.evaluate(PLANTED)
    found = tabbed_through(page)

    assert found.there[found.reached[0]].endswith(">last</button>")
    assert [line.endswith(">unseen</button>") for line in found.unseen] == [True]


def test_a_morning_without_a_mouse(visits: Visits, portal: Served, harbor: Harbor) -> None:
    """Past the head of the page by the skip link, signed in, to the account and out again: with Tab, Enter and the keys of letters."""
    page, phone = visits.visit().page, harbor.phones["clerk"]
    page.goto("/sign-in")
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_role("link", name="Go to the content")).to_be_focused()
    press("Enter")
    for label, typed in (("Name", phone.login), ("Password", PASSWORD), ("Code", None)):
        press("Tab")
        expect(page.get_by_label(label)).to_be_focused()
        page.keyboard.type(typed or pyotp.TOTP(phone.secret).at(portal.clock.now()))  # what the phone shows when its turn has come
    press("Enter")
    out = page.get_by_role("button", name="Sign out", exact=True)
    expect(out).to_be_visible()
    while not out.evaluate("each => each === document.activeElement"):
        press("Tab")
    press("Space")

    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_keyboard_stays_on_its_text_when_they_come_again(visits: Visits, ledger: Engine, harbor: Harbor) -> None:
    """A conversation asks for its texts every quarter of a minute: who is on a dose's link stays there, and a new text stands beside it."""
    visit = visits.visit("nurse")
    page = visit.page
    page.clock.install()
    path = PAGES["/patients/{patient}/conversation"]
    patient = path.fields(ledger, harbor)["patient"]
    page.goto(f"/patients/{patient}/conversation")
    link = page.locator("ol.said a").last
    link.focus()
    words = "Please call us about the tablets."
    conversing.write(ledger, CLINIC, patient, words, by=NURSE, key="k" * 24, takes_over=False, now=harbor.at)
    expect(link).to_be_focused()
    page.clock.fast_forward(15_000)

    expect(page.locator("ol.said")).to_contain_text(words)
    expect(link).to_be_focused()
