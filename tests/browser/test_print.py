"""The patient page on paper."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from sqlalchemy import Engine

from tests.browser.clinic import Harbor
from tests.browser.pages import opened
from tests.browser.visiting import Visits

PATIENT = "/patients/{patient}"
SHEETS = 2
"""Of A4, for a patient with one plan, two phones and four alerts."""
BETWEEN_MARGINS = 702
"""CSS pixels: the 210 mm of A4 less 12 on each side."""


def test_a_patient_on_paper(visits: Visits, ledger: Engine, harbor: Harbor) -> None:
    """What is printed is what is known: two sheets, in colour, with nothing cut off and nothing to press."""
    page = opened(visits, PATIENT, ledger, harbor).page
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": BETWEEN_MARGINS, "height": 1000})
    axis = page.get_by_role("region", name="Doses of baclofen by day")

    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == SHEETS
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert [
        each.inner_text() for each in page.get_by_role("button").or_(page.get_by_role("link", name="Earlier")).all() if each.is_visible()
    ] == []
    assert [each.inner_text() for each in page.get_by_role("navigation", name="Pages").all() if each.is_visible()] == []
    for shown in (axis.locator("svg"), axis.locator("table")):
        expect(shown).to_be_visible()
        box = shown.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= BETWEEN_MARGINS
    assert axis.locator(".dose.taken").first.evaluate("each => getComputedStyle(each).printColorAdjust") == "exact"
