"""The plan builder in a browser's words: what is typed, what is shown, what is signed, and what is stored of it."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import Engine, select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from db.engine import reading, writing
from db.tables import metadata
from reminders.cli import app
from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.formats.plan_file import read_draft, write_plan
from reminders.services import importing
from reminders.services.records import quarantines
from tests.files import a_patient, an_import_file
from tests.web.api.asking import a_key, a_program
from tests.web.serving import NOW
from tests.web.signed_in import HILL, NURSE, PROVIDER, THEIRS, a_browser, an_account, faults, signed_in, signing_in_as, two_clinics

TIMES = {"time1": "08:00", "time2": "14:00", "time3": "20:00"}
LABEL = {
    "drug": "baclofen-tablet",
    "way": "up_steps",
    "from": "5",
    "to": "20 mg",
    "step": "5",
    "every_days": "3",
    "basis": "per_dose",
    "start": "2026-03-03",
    "advance": "as_prescribed",
    **TIMES,
}
"""The label's titration (US baclofen tablets label): 5 mg three times a day, 5 mg more a dose every three days, to 20 mg."""
BUILT = "--drug baclofen-tablet --times 08:00,14:00,20:00 --start 2026-03-03 --zone America/New_York --advance as_prescribed --json"


@dataclass
class Clinic:
    """Harbor Clinic, with Ben, who has no plan yet, and a browser of Dr. Haddad's."""

    engine: Engine
    clock: HandClock
    browser: TestClient
    path: str

    def typed(self, **changes: str) -> Response:
        """Fill the builder's form in as for the label's titration, but for these; press the button."""
        return self.browser.post(f"{self.path}/new", data={**LABEL, **changes})

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table that is Ben's plans', or all."""
        with reading(self.engine) as c:
            return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]

    @property
    def stored(self) -> list[dict[str, Any]]:
        """Ben's plans."""
        return [row for row in self.rows("plan") if row["ref"].startswith("ben")]


@pytest.fixture
def clinic(sqlite_engine: Engine) -> Clinic:
    """Harbor Clinic and Hill Clinic."""
    two_clinics(sqlite_engine)
    return an_open_clinic(sqlite_engine)


def an_open_clinic(engine: Engine, **changes: object) -> Clinic:
    """Enrol Ben, and sign Dr. Haddad in."""
    ben = a_patient(ref="ben", name="Ben Okafor", phone="+12025550103", caregivers=[], plans=[], **{"medicines": [], **changes})
    importing.import_file(engine, an_import_file(ben), now=NOW.replace(day=1))
    clock = HandClock(NOW)
    with reading(engine) as c:
        table = metadata.tables["patient"]
        ben_id = c.execute(select(table.c.id).where(table.c.ref == "ben")).scalar_one()
    return Clinic(engine, clock, signed_in(engine, clock, PROVIDER), f"/patients/{ben_id}/plans")


def hidden(page: str, name: str) -> str:
    """What stands in a hidden field."""
    (found,) = re.findall(rf'<input type="hidden" name="{name}" value="(.*?)">', page, re.DOTALL)
    return html.unescape(found)


def text_of(page: str) -> str:
    """A page's words."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def cells(page: str) -> list[list[str]]:
    """The dated table, row by row."""
    body = re.search(r'<table class="plan dated">\s*<caption.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert body is not None
    return [[text_of(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in body[1].split("</tr>")[:-1]]


def looked(clinic: Clinic, draft: str) -> str:
    """The page on which a draft is signed."""
    answer = clinic.browser.post(f"{clinic.path}/look", data={"draft": draft})
    assert answer.status_code == 200
    return answer.text


def sign(clinic: Clinic, page: str, reason: str = "as agreed", **changes: str) -> Response:
    """Fill in each reason that a page to sign asks for, and approve."""
    asked = dict.fromkeys(re.findall(r'name="((?:reason|beside)_\w+)"', page), reason)
    asked |= dict.fromkeys(re.findall(r'name="(labs_\w+)"', page), "2026-03-20")
    return clinic.browser.post(clinic.path, data={"draft": hidden(page, "draft"), "seal": hidden(page, "seal"), **asked, **changes})


def test_an_empty_form_asks_for_the_drug(clinic: Clinic) -> None:
    """Nothing is chosen at first, and nothing is wrong yet."""
    page = clinic.browser.get(f"{clinic.path}/new")

    assert (page.status_code, faults(page.text), "Still needed: the drug, how the plan goes." in text_of(page.text)) == (200, {}, True)
    assert "A new plan for Ben Okafor" in page.text


def test_the_labels_titration_is_one_document(clinic: Clinic) -> None:
    """Typed here or on the command line, or asked for by a program, the label's titration is one document, and this is its table."""
    page = clinic.typed().text
    built = CliRunner().invoke(
        app, ["plan", "build", *BUILT.split(), "--titrate", "5:20", "--step", "5", "--every", "3", "--basis", "per-dose"]
    )

    head = {"drug": "baclofen-tablet", "kind": "titration", "zone": "America/New_York", "start": "2026-03-03", "advance": "as_prescribed"}
    formula = {"steps": {"from": "5", "to": "20", "step": "5", "every_days": 3, "basis": "per_dose"}}
    program = a_program(clinic.engine, a_key(clinic.engine, roles=frozenset({StaffRole.PROVIDER})), clock=clinic.clock)
    answer = program.post("/plans/build", {**head, "times": ["08:00", "14:00", "20:00"], "formula": formula}).json()

    assert write_plan(read_draft(hidden(page, "draft")).plan) == json.loads(built.stdout) == answer["document"]
    assert cells(page) == [
        ["1", "Tue 3 – Thu 5 Mar 3 days", *["5 mg 1 tablet of 5 mg"] * 3, "15 mg"],
        ["2", "Fri 6 – Sun 8 Mar 3 days", *["10 mg 1 tablet of 10 mg"] * 3, "30 mg"],
        ["3", "Mon 9 – Wed 11 Mar 3 days", *["15 mg 1 of 10 mg and 1 of 5 mg"] * 3, "45 mg"],
        ["4", "Thu 12 Mar on no end", *["20 mg 1 tablet of 20 mg"] * 3, "60 mg"],
    ]


def test_the_labels_layout_is_the_same_plan(clinic: Clinic) -> None:
    """Picked as a ready layout, it is that document too."""
    by_steps, by_layout = (hidden(clinic.typed(**more).text, "draft") for more in ({}, {"way": "up_template", "template": "label"}))

    assert by_layout == by_steps


def test_a_step_has_no_usual_basis(clinic: Clinic) -> None:
    """Left open, both readings stand side by side, and nothing can be signed."""
    page = clinic.typed(basis="")

    assert (page.status_code, faults(page.text)) == (200, {"basis": "A step changes: is missing."})
    assert "10–12 20 / 20 / 20 60 10 / 10 / 10 30" in text_of(page.text)
    assert 'name="draft"' not in page.text


def test_who_prescribes_says_what_happens_at_a_step(clinic: Clinic) -> None:
    """Without it the table is shown, and nothing can be signed."""
    page = clinic.typed(advance="")

    assert (len(cells(page.text)), faults(page.text), 'name="draft"' in page.text) == (4, {"advance": "At each step: is missing."}, False)


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"step": "a lot"}, "step", "must be an exact decimal, like 5 or 2.5, not &#34;a lot&#34;"),
        ({"step": "5 mcg"}, "step", "must be an exact decimal"),
        ({"step": "7"}, "step", "15 is not a whole number of 7"),
        ({"to": "5"}, "to", "does not"),
        ({"every_days": "0"}, "every_days", "must be 1 or more"),
        ({"every_days": ""}, "every_days", "is missing"),
        ({"start": "2026-02-30"}, "start", "no such date"),
        ({"time2": "07:00"}, "times", "must rise through the day"),
        ({"time1": "", "time2": "", "time3": ""}, "times", "is missing"),
        ({"advance": "whenever"}, "advance", "must be one of"),
        ({"label": "x" * 41}, "label", "40 characters at most"),
        ({"nth_day": "2"}, "way", "not a whole number of 2"),
        ({"rule": "hours", "rule_hours": "soon"}, "missed_dose_rule", "must be"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(clinic: Clinic, changes: dict[str, str], field: str, says: str) -> None:
    """Whatever is typed is kept, and what is wrong with it stands beside it."""
    page = clinic.typed(**changes)
    found = faults(page.text) | dict.fromkeys(["missed_dose_rule"], *re.findall(r'<p class="fault">The hours: (.*?)</p>', page.text))

    assert page.status_code == 422 or says == "is missing"
    assert says in found[field]
    assert all(html.escape(typed) in page.text for typed in changes.values())


def test_while_somebody_types_nothing_is_called_missing(clinic: Clinic) -> None:
    """A part that the page asks for itself says what is needed in one line, and is no whole page."""
    part = clinic.browser.post(f"{clinic.path}/new", data={"drug": "baclofen", "way": "keep"}, headers={"HX-Request": "true"})

    assert (part.status_code, faults(part.text), "<html" in part.text) == (200, {}, False)
    assert "Still needed: the doses of the day, the times of day, what happens at a step." in text_of(part.text)


def test_a_taper_from_sixty(clinic: Clinic) -> None:
    """Each way down, from 20 mg three times a day: what each comes to, and that it never waits by itself."""
    taper = {"from": "20", "start": "2026-03-03", "advance": "as_prescribed", **TIMES, "drug": "baclofen-tablet"}
    ways = {
        "down_template": {"template": "B"},
        "down_amount": {"cut": "15", "every_days": "7"},
        "down_percent": {
            "percent": "25 %",
            "of": "original",
            "basis": "per_dose",
            "every_days": "7",
            "round_to": "5",
            "direction": "up",
            "floor": "5",
        },
        "down_steps": {"to": "0", "step": "5", "basis": "per_dose", "every_days": "7"},
    }
    pages = {way: clinic.browser.post(f"{clinic.path}/new", data={**taper, **more, "way": way}).text for way, more in ways.items()}
    totals = {way: [row[-1] for row in cells(page)] for way, page in pages.items()}

    assert totals == {way: ["45 mg", "30 mg", "15 mg"] for way in ways}
    assert not any("else the plan stays" in page for page in pages.values())


def test_the_same_doses_each_day(clinic: Clinic) -> None:
    """5, 5 and 10 mg until somebody says otherwise."""
    page = clinic.typed(way="keep", amounts="5/5/10 mg").text

    assert [row[1:] for row in cells(page)] == [
        ["Tue 3 Mar on no end", "5 mg 1 tablet of 5 mg", "5 mg 1 tablet of 5 mg", "10 mg 1 tablet of 10 mg", "20 mg"]
    ]


def test_label_tablets_check_ins_and_rule_go_into_the_document(clinic: Clinic) -> None:
    """What is in the fold is signed too."""
    more = {"label": "A, blue cap", "strength_5": "yes", "check_symptoms": "yes", "closely": "yes", "rule": "hours", "rule_hours": "3"}
    plan = write_plan(read_draft(hidden(clinic.typed(**more).text, "draft")).plan)

    assert (plan["label"], plan["strengths"], plan["check_ins"], plan["missed_dose_rule"]) == (
        "A, blue cap",
        ["5"],
        {"items": ["symptoms"], "closely": True},
        {"hours_before_next": "3"},
    )


def test_an_error_blocks(clinic: Clinic) -> None:
    """30 mg a dose: the number, the limit and the source, and no way on."""
    page = clinic.typed(way="keep", amounts="30").text

    assert "above the largest single dose. Found 30 mg; limit 20 mg; at phase 1, dose 1, amount. US baclofen tablets label" in text_of(page)
    assert 'name="draft"' not in page


def test_what_was_signed_is_what_is_stored(clinic: Clinic) -> None:
    """The page shows the hash; the stored document has it, and the signed-in provider's name."""
    page = looked(clinic, hidden(clinic.typed().text, "draft"))
    answer = sign(clinic, page)
    (plan,) = clinic.stored
    (version,) = [row for row in clinic.rows("plan_version") if row["plan_id"] == plan["id"]]

    assert (answer.status_code, answer.headers["Location"]) == (303, clinic.path.removesuffix("/plans"))
    assert version["document_hash"] in page
    assert version["document"] in html.unescape(page)
    assert (version["approved_by"], plan["state"]) == (PROVIDER, "active")


def test_in_quarantine_nothing_is_stored(clinic: Clinic) -> None:
    """While nobody knows what was sent: the page says so, with what was looked at still on it."""
    page = looked(clinic, hidden(clinic.typed().text, "draft"))
    with writing(clinic.engine) as c:
        quarantines.begin(c, why="A backup was restored.", since=NOW, now=NOW)
    refused = sign(clinic, page)

    assert (refused.status_code, "ledger is in quarantine" in text_of(refused.text), clinic.stored) == (422, True, [])
    assert hidden(refused.text, "draft") == hidden(page, "draft")


def test_each_warning_needs_its_reason(clinic: Clinic) -> None:
    """A first phase above the usual start: refused without a reason, which is asked for beside it; what was typed is kept."""
    page = looked(clinic, hidden(clinic.typed(**{"from": "10"}).text, "draft"))
    refused = sign(clinic, page, reason=" ")

    assert (refused.status_code, clinic.stored) == (422, [])
    assert "Your reason is missing: say why you go on." in text_of(refused.text)
    assert sign(clinic, page, reason="has taken it before").status_code == 303
    assert [row["reason"].partition(" (")[0] for row in clinic.rows("plan_event") if row["kind"] == "warning accepted"] == [
        "has taken it before"
    ]


def test_an_interacting_medicine_and_its_laboratory_check(sqlite_engine: Engine) -> None:
    """A diuretic: its reason and a day are asked for, and a day that is none stands beside its field."""
    clinic = an_open_clinic(sqlite_engine, medicines=["furosemide"])
    page = looked(clinic, hidden(clinic.typed().text, "draft"))
    (labs,) = re.findall(r'name="(labs_\w+)"', page)
    for day, says in (("", "The day is missing"), ("2026-02-30", "The day no such date"), ("2026-01-01", "The day is past")):
        refused = sign(clinic, page, **{labs: day})
        assert (refused.status_code, says in text_of(refused.text), clinic.stored) == (422, True, [])

    assert sign(clinic, page).status_code == 303


def test_another_document_under_the_seal_is_refused(clinic: Clinic) -> None:
    """What would be stored is not what was shown: nothing is, and the page shows what would be."""
    page = looked(clinic, hidden(clinic.typed().text, "draft"))
    other = hidden(clinic.typed(to="15").text, "draft")
    refused = sign(clinic, page, draft=other)

    assert (refused.status_code, "This is not what was shown" in text_of(refused.text), clinic.stored) == (422, True, [])
    assert len(cells(refused.text)) == 3


@pytest.mark.parametrize("draft", ["", "{}", "[1]", '{"plan": {"drug": "x"}}', "x" * 70_000])
def test_a_draft_that_no_page_wrote(clinic: Clinic, draft: str) -> None:
    """It is refused, and no error of ours."""
    answers = [clinic.browser.post(path, data={"draft": draft, "seal": ""}) for path in (clinic.path, f"{clinic.path}/look")]

    assert ({answer.status_code for answer in answers} <= {400, 413}, clinic.stored) == (True, [])


def test_a_nurse_builds_and_approves_nothing(clinic: Clinic) -> None:
    """Neither by the page, nor past it."""
    nurse = signed_in(clinic.engine, clinic.clock, NURSE)
    draft = hidden(clinic.typed().text, "draft")

    assert [nurse.get(f"{clinic.path}/new").status_code, nurse.post(clinic.path, data={"draft": draft, "seal": ""}).status_code] == [
        403,
        403,
    ]


def test_another_clinics_provider_sees_nobody(clinic: Clinic) -> None:
    """Ben is nobody there."""
    draft = hidden(clinic.typed().text, "draft")
    theirs = a_browser(clinic.engine, clinic.clock)
    signing_in_as(theirs, an_account(clinic.engine, clinic.clock, THEIRS, clinic=HILL), clinic.clock)
    answers = [theirs.get(f"{clinic.path}/new"), theirs.post(f"{clinic.path}/new", data=LABEL)]
    answers += [theirs.post(f"{clinic.path}/look", data={"draft": draft}), theirs.post(clinic.path, data={"draft": draft, "seal": ""})]

    assert ([answer.status_code for answer in answers], clinic.stored) == ([404] * 4, [])
