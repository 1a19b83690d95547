"""Every page there is, as it looks in a browser: nothing amiss in its tools, and usable by everybody."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.browser.axe import violations
from tests.browser.clinic import Harbor
from tests.browser.pages import NO_PAGES, PAGES, declared, opened
from tests.browser.visiting import HEIGHT, NARROW, WIDE, Scheme, Visits

SCHEMES: tuple[Scheme, ...] = ("light", "dark")
HALF, SMALLEST = 640, 320
"""CSS pixels across: a window of 1280 at 200 % zoom; and what WCAG asks a page to reflow to (1.4.10)."""

GROUND = """() => {
  const ground = each => getComputedStyle(each).backgroundColor.match(/[\\d.]+/g).map(Number);
  const grounds = [document.body, document.documentElement].map(ground);
  const [red, green, blue] = grounds.find(([, , , opaque = 1]) => opaque > 0) ?? [255, 255, 255];
  return (red + green + blue) / 3;
}"""
"""How bright the ground of a page is, of 255."""

every_page = pytest.mark.parametrize("path", sorted(PAGES))


def test_every_page_is_in_the_list() -> None:
    """A page that nobody put into the list fails here: nothing below would look at it."""
    assert declared() - NO_PAGES == set(PAGES)


@every_page
def test_axe_finds_nothing(visits: Visits, ledger: Engine, harbor: Harbor, path: str) -> None:
    """No violation of WCAG 2.2 AA, wide and narrow, light and dark; and dark is dark."""
    page = opened(visits, path, ledger, harbor).page
    found, is_dark = {}, {}
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        is_dark[scheme] = page.evaluate(GROUND) < 128
        for width in (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": HEIGHT})
            found[width, scheme] = violations(page, of_looks=scheme == "dark")  # its words and its order are the same

    assert found == {(width, scheme): [] for width in (WIDE, NARROW) for scheme in SCHEMES}
    assert is_dark == {"light": False, "dark": True}


@every_page
def test_it_reflows_under_one_heading(visits: Visits, ledger: Engine, harbor: Harbor, path: str) -> None:
    """At 200 % zoom, and at 320 pixels, nobody scrolls sideways, but in a box of what is wider. One heading says where one is."""
    page = opened(visits, path, ledger, harbor).page
    found = {}
    for width in (HALF, SMALLEST):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        found[width] = page.evaluate("() => document.documentElement.scrollWidth")

    assert found == {width: width for width in (HALF, SMALLEST)}
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.title().startswith("Doseline: ")
    assert page.locator("html").get_attribute("lang") == "en"
