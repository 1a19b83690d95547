"""The plan sheet on paper: one page of A4, and one of Letter, however many of its rows are said to fit."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest
from playwright.sync_api import Browser

from reminders import drugs
from reminders.domain.plan import Kind, Plan
from reminders.domain.plan_state import PlanState
from reminders.reports.plan_sheet import LARGE_ROWS, MIDDLE_ROWS, SMALL_ROWS, About, plan_sheet
from reminders.web.pages import environment
from tests.builders import a_phase, a_plan, a_titration

ABOUT = About("Maximiliana Fernández de la Vega", "Harbor Clinic for Movement Disorders", "202 555 0100", date(2026, 9, 1))
BACLOFEN = drugs.load("baclofen")


def a_long_taper(rows: int) -> Plan:
    """So many rows with its end, in as many words as amounts need: two strengths for each dose, in the longest month."""
    falls = ["15/15/15"] * (rows - 1)
    return a_plan(*(a_phase(day, 7) for day in falls), kind=Kind.TAPER, start="2026-09-02", label="A, the bottle with the blue cap")


def printed(chromium: Browser, plan: Plan, language: str, paper: str) -> int:
    """How many pages the sheet of a plan takes."""
    sheet = plan_sheet(ABOUT, plan, BACLOFEN, rule=BACLOFEN.missed_dose_rule.value, state=PlanState.ACTIVE, language=language)  # type: ignore[union-attr]
    html = environment().get_template("portal/sheet_itself.html").render(sheet=sheet)
    static = files("reminders.web") / "static"
    pico, *ours = ((static / name).read_text("utf-8") for name in ("vendor/pico.css", "portal.css", "sheet.css"))
    styles = f"@layer pico {{ {pico} }} {re.sub('@import[^;]*;', '', ' '.join(ours))}"
    page = chromium.new_page()
    try:
        page.set_content(f'<!doctype html><style>{styles}</style><body><main class="wide">{html}</main>')
        return len(re.findall(rb"/Type */Page\b", page.pdf(format=paper)))
    finally:
        page.close()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_it_is_one_page(chromium: Browser, language: str, paper: str) -> None:
    """The label's titration, and tapers of as many rows as each size of letters holds."""
    plans = [replace(a_titration(), start=date(2026, 9, 2)), *map(a_long_taper, (LARGE_ROWS, MIDDLE_ROWS, SMALL_ROWS))]

    assert [printed(chromium, plan, language, paper) for plan in plans] == [1, 1, 1, 1]


def test_what_does_not_fit_goes_on_overleaf(chromium: Browser) -> None:
    """A taper of half a year takes a second page, and is not cut off."""
    assert printed(chromium, a_long_taper(26), "en", "Letter") == 2
