"""A form that was filled in wrong: it says so, beside the field that is to blame; what was typed is still there; and axe finds nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from tests.browser.axe import violations
from tests.browser.clinic import Harbor
from tests.browser.pages import opened
from tests.browser.visiting import HEIGHT, NARROW, WIDE, Visits


@dataclass(frozen=True)
class Amiss:
    """A form, and what is typed into it.

    typed   by label, in order.
    sends   the words on the button.
    faulty  the label of the field beside which a fault stands, if one alone is to blame.
    kept    the labels of what need not be typed again.
    """

    path: str
    typed: Mapping[str, str]
    sends: str
    status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    faulty: str | None = None
    kept: tuple[str, ...] = ()


FORMS = {
    "signing in": Amiss(
        "/sign-in", {"Name": "nobody", "Password": "wrong", "Code": "000000"}, "Sign in", HTTPStatus.FORBIDDEN, kept=("Name",)
    ),
    "an account": Amiss(
        "/setup/{token}",
        {"Name to sign in with": "lee@harbor.example", "Password": "gravel otter lantern", "Code": "000000"},
        "Set it up",
        faulty="Code",
        kept=("Name to sign in with",),
    ),
    "a key for ever": Amiss(
        "/keys", {"What for": "hospital system", "Good for how many days": "999"}, "Make it", kept=("What for", "Good for how many days")
    ),
    "a new patient": Amiss(
        "/patients/new",
        {"Name": "Berta Lund", "Reference": "B-17", "Mobile number": "555", "To which wording": "consent-en-1"},
        "Enrol, and text the code",
        kept=("Name", "Reference", "Mobile number", "To which wording"),
    ),
    "details": Amiss(
        "/patients/{patient}/details",
        {"Kidney function, mL/min": "low", "Why it changes": "a new report"},
        "Keep it",
        faulty="Kidney function, mL/min",
        kept=("Kidney function, mL/min", "Why it changes"),
    ),
    "a caregiver": Amiss(
        "/patients/{patient}/people/add",
        {"Name": "Otto Berg", "Relationship to the patient": "neighbour", "Mobile number": "12", "To which wording": "consent-en-1"},
        "Add, and text the code",
        kept=("Name", "Relationship to the patient", "Mobile number"),
    ),
    "another number": Amiss(
        "/patients/{patient}/people/{role}/number",
        {"New mobile number": "12", "To which wording": "consent-en-1"},
        "Change it, and text the code",
        kept=("New mobile number", "To which wording"),
    ),
    "a zone": Amiss("/patients/{patient}/zone", {"Time zone": "Boston"}, "Show what will happen", faulty="Time zone", kept=("Time zone",)),
    "a medicine": Amiss(
        "/patients/{patient}/medicines", {"Medicine": " ", "Why": "her doctor"}, "Put it on the list", faulty="Medicine", kept=("Why",)
    ),
    "somebody without a role": Amiss("/people", {"Name": "Pat New"}, "Keep it", kept=("Name",)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_form_says_what_is_amiss(visits: Visits, ledger: Engine, harbor: Harbor, form: Amiss) -> None:
    """What stands in the way is said where a reader of screens hears it, and nobody types the rest again."""
    visit = opened(visits, form.path, ledger, harbor)
    visit.watch.expects(form.status)
    page = visit.page
    for label, text in form.typed.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name=form.sends, exact=True).click()

    expect(page.get_by_role("alert")).to_be_visible()
    assert {label: page.get_by_label(label, exact=True).input_value() for label in form.kept} == {
        label: form.typed[label] for label in form.kept
    }
    if form.faulty is not None:
        field = page.get_by_label(form.faulty, exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(re.escape(page.locator(".fault").inner_text())))
    found = {}
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found[width, scheme] = violations(page)
    assert found == {(width, scheme): [] for width in (WIDE, NARROW) for scheme in ("light", "dark")}


def test_what_is_refused_as_no_form_leaves_the_page_as_it_is(visits: Visits, ledger: Engine, harbor: Harbor) -> None:
    """A row that no page laid out is refused while somebody types: the grid stays, with what was typed in it."""
    visit = opened(visits, "/patients/{patient}/plans/{plan}/edit", ledger, harbor)
    visit.watch.expects(HTTPStatus.BAD_REQUEST)
    page = visit.page
    page.evaluate(
        "() => document.querySelector('#editor form').insertAdjacentHTML('beforeend', '<input type=hidden name=days_99 value=1>')"
    )
    days = page.get_by_label("Days of row 1", exact=True)
    days.fill("9")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        days.blur()
    answered.value.finished()
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    expect(days).to_have_value("9")
    assert (answered.value.status, page.locator("#editor").inner_text().count("about:blank")) == (HTTPStatus.BAD_REQUEST, 0)
