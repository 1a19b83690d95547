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
    """No violation of WCAG 2.2 AA, wide and narrow, light and dark."""
    page = opened(visits, path, ledger, harbor).page
    found = {}
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            found[width, scheme] = violations(page)

    assert found == {(width, scheme): [] for width in (WIDE, NARROW) for scheme in SCHEMES}


@every_page
def test_it_reflows(visits: Visits, ledger: Engine, harbor: Harbor, path: str) -> None:
    """At 200 % zoom, and at 320 pixels, nobody scrolls sideways: what is wider scrolls in a box of its own."""
    page = opened(visits, path, ledger, harbor).page
    found = {}
    for width in (HALF, SMALLEST):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        found[width] = page.evaluate("() => document.documentElement.scrollWidth")

    assert found == {width: width for width in (HALF, SMALLEST)}


@every_page
def test_one_heading_says_where_one_is(visits: Visits, ledger: Engine, harbor: Harbor, path: str) -> None:
    """A page has a title, a language and one first heading."""
    page = opened(visits, path, ledger, harbor).page

    assert page.get_by_role("heading", level=1).count() == 1
    assert page.title().startswith("Doseline: ")
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_dark_is_dark(visits: Visits, ledger: Engine, harbor: Harbor, scheme: Scheme, is_dark: bool) -> None:  # noqa: FBT001
    """Who asks for a dark screen gets one on every page, and nobody else does."""
    found = {}
    for path in PAGES:
        page = opened(visits, path, ledger, harbor).page
        page.emulate_media(color_scheme=scheme)
        found[path] = page.evaluate(GROUND) < 128
        page.context.close()

    assert found == dict.fromkeys(PAGES, is_dark)
