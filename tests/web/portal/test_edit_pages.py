"""Changing a plan that goes on, in a browser's words: the grid, the seam, the signature; and a taper from where it stands."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from db.engine import reading, writing
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.plan import Phase
from reminders.services import importing, reminding
from reminders.services.records import quarantines
from reminders.web.portal.edit_form import MOST_ROWS, MOST_TIMES, Grid, GridRow, changed, grid_of, read_grid, typed_grid
from tests.builders import a_phase, a_plan, a_titration
from tests.files import a_dose, a_patient, an_entry, an_import_file
from tests.web.portal.test_plan_pages import cells, hidden, text_of
from tests.web.serving import NOW
from tests.web.signed_in import HILL, NURSE, PROVIDER, THEIRS, faults, signed_in, two_clinics

AFTERNOON = timedelta(hours=6)


@dataclass
class Clinic:
    """Harbor Clinic five minutes after Ana's dose of 14:00 fell due, and a browser of Dr. Haddad's."""

    engine: Engine
    clock: HandClock
    browser: TestClient
    path: str

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table."""
        with reading(self.engine) as c:
            return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]

    def typed(self, *, then: str = "preview", **changes: str) -> Response:
        """Send the grid as it stands, but for these fields."""
        return self.browser.post(f"{self.path}/edit", data={**fields(self.browser.get(f"{self.path}/edit").text), **changes, "then": then})

    def signed(self, page: str, **changes: str) -> Response:
        """Sign what a page shows."""
        form = {"draft": hidden(page, "draft"), "seal": hidden(page, "seal"), "reason": "too sleepy at noon", **changes}
        return self.browser.post(f"{self.path}/sign", data=form)


@pytest.fixture
def clinic(sqlite_engine: Engine) -> Clinic:
    """Two clinics."""
    two_clinics(sqlite_engine)
    reminding.remind_due(sqlite_engine, now=NOW + AFTERNOON)
    return a_clinic(sqlite_engine, HandClock(NOW + AFTERNOON))


def a_clinic(engine: Engine, clock: HandClock) -> Clinic:
    """Dr. Haddad's browser, and the one plan of a ledger."""
    with reading(engine) as c:
        table = metadata.tables["plan"]
        plan = c.execute(select(table.c.id, table.c.patient_id)).one()
    return Clinic(engine, clock, signed_in(engine, clock, PROVIDER), f"/patients/{plan.patient_id}/plans/{plan.id}")


def fields(page: str) -> dict[str, str]:
    """What stands in the grid's fields."""
    found = re.findall(r'<input[^>]* name="((?:time|days|every|amount)_[0-9_]+)" value="(.*?)"', page.replace('type="time" ', ""))
    return {name: html.unescape(value) for name, value in found}


def row(form: dict[str, str], number: int) -> list[str]:
    """A row of the grid."""
    return [value for name, value in sorted(form.items()) if re.match(rf"(days|amount)_{number}\b|amount_{number}_", name)]


def test_a_grid_left_open_past_the_last_day(clinic: Clinic) -> None:
    """Of a plan that is behind nothing is changed: neither shown nor stored from its first day on."""
    version = metadata.tables["plan_version"]
    form = fields(clinic.browser.get(f"{clinic.path}/edit").text)
    with writing(clinic.engine) as c:
        document = json.loads(c.execute(select(version.c.document)).scalar_one())
        document["start"], document["phases"][-1]["days"] = "2026-01-05", 3
        c.execute(version.update().values(document=json.dumps(document)))
    page = clinic.browser.post(f"{clinic.path}/edit", data={**form, "then": "preview"})

    assert (page.status_code, 'name="draft"' in page.text) == (422, False)
    assert '<p class="fault">nothing is coming of this plan any more.</p>' in page.text


def test_the_grid_is_what_is_coming(clinic: Clinic) -> None:
    """A row for each phase, a column for each time."""
    form = fields(clinic.browser.get(f"{clinic.path}/edit").text)

    assert [form[f"time_{number}"] for number in range(3)] == ["08:00", "14:00", "20:00"]
    assert [row(form, number) for number in range(4)] == [
        ["5", "5", "5", "3"],
        ["10", "10", "10", "3"],
        ["15", "15", "15", "3"],
        ["20", "20", "20", ""],
    ]


def test_an_edit_shows_its_seam_before_it_is_stored(clinic: Clinic) -> None:
    """The afternoon an hour later: the dose at 15:00 is too near the one of 14:00, and is not due. Signed, the next version is that."""
    page = clinic.typed(time_1="15:00", days_1="5", amount_1_0="10 mg")
    words = text_of(page.text)

    assert "The first dose by the new plan: Mon 2 Mar, 20:00, 5 mg , 6 h after the last one. Not due: Mon 2 Mar, 15:00." in words
    assert [line[1] for line in cells(page.text)][1] == "Thu 5 – Mon 9 Mar 5 days"
    assert len(clinic.rows("plan_version")) == 1
    answer = clinic.signed(page.text)
    _, version = sorted(clinic.rows("plan_version"), key=lambda row: row["no"])
    assert (answer.status_code, version["approved_by"], '"days":5' in version["document"]) == (303, PROVIDER, True)
    assert [event["reason"] for event in clinic.rows("plan_event") if event["kind"] == "edited"] == ["too sleepy at noon"]


@pytest.mark.parametrize(
    ("then", "rows", "times"), [("after_1", 5, 3), ("without_1", 3, 3), ("time", 4, 4), ("after_99", 4, 3), ("nonsense", 4, 3)]
)
def test_a_row_or_a_time_more_or_less(clinic: Clinic, then: str, rows: int, times: int) -> None:
    """Each is a button that sends the form: no script is needed."""
    form = fields(clinic.typed(then=then).text)

    assert (sum(name.startswith("days_") for name in form), sum(name.startswith("time_") for name in form)) == (rows, times)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"amount_1_2": "a lot"}, "Row 2. An amount must be an exact decimal, like 5 or 2.5"),
        ({"days_0": "none"}, "Row 1. The days must be a whole number"),
        ({"days_1": ""}, "Row 2. The days only the last phase may be open-ended"),
        ({"every_1": "0"}, "Row 2. The rhythm must be 1 or more"),
        ({"amount_2_0": "", "amount_2_1": "", "amount_2_2": ""}, "Row 3. The days must have at least 1 entry"),
        ({"time_0": ""}, "A time is missing: amounts stand below it"),
        ({"time_1": "08:00"}, "times must rise through the day"),
    ],
)
def test_what_is_wrong_stands_in_its_row(clinic: Clinic, changes: dict[str, str], says: str) -> None:
    """What was typed is kept, and nothing can be signed."""
    page = clinic.typed(**changes)

    assert (page.status_code, says in text_of(page.text), 'name="seal"' in page.text) == (422, True, False)
    assert changes.items() <= fields(page.text).items()


def test_an_error_blocks(clinic: Clinic) -> None:
    """30 mg a dose: what stands against it, and nothing to sign."""
    page = clinic.typed(amount_1_0="30")

    assert ("Phase 2, dose 1, amount: above the largest single dose" in text_of(page.text), 'name="seal"' in page.text) == (True, False)


def test_a_step_up_of_today_is_flagged_like_any_other(clinic: Clinic) -> None:
    """Tomorrow somebody makes it 20 mg at once: the plan that is signed says 5 mg until today, and the check sees the step."""
    clinic.clock.advance(timedelta(minutes=5))
    page = clinic.typed(amount_0_0="5", amount_1_0="20", amount_1_1="20", amount_1_2="20")

    assert "a dose rises by more than usual" in text_of(page.text)


def test_no_reason_no_change(clinic: Clinic) -> None:
    """It is asked for beside its field, and what was shown is shown again."""
    refused = clinic.signed(clinic.typed(days_1="5").text, reason=" ")

    assert (refused.status_code, faults(refused.text)) == (
        422,
        {"reason": "A reason is needed: it stands in the record beside the change."},
    )
    assert len(clinic.rows("plan_version")) == 1
    assert clinic.signed(refused.text).status_code == 303


@pytest.mark.parametrize(
    ("reason", "says"), [("x" * 301, "must have 1 to 300 characters"), ("too\u200bsleepy", "must be one line of plain text")]
)
def test_a_reason_that_cannot_be_kept_says_why(clinic: Clinic, reason: str, says: str) -> None:
    """One was given: the page says what is wrong with it."""
    refused = clinic.signed(clinic.typed(days_1="5").text, reason=reason)

    assert (refused.status_code, says in faults(refused.text)["reason"], len(clinic.rows("plan_version"))) == (422, True, 1)


def test_in_quarantine_the_reason_is_kept(clinic: Clinic) -> None:
    """Nothing is stored while nobody knows what was sent: the page says so, and what was typed is still there."""
    shown = clinic.typed(days_1="5").text
    with writing(clinic.engine) as c:
        quarantines.begin(c, why="A backup was restored.", since=NOW, now=NOW)
    refused = clinic.signed(shown)

    assert (refused.status_code, "The ledger is in quarantine" in text_of(refused.text)) == (422, True)
    assert ('name="reason" value="too sleepy at noon"' in refused.text, len(clinic.rows("plan_version"))) == (True, 1)


def test_what_was_not_shown_is_not_stored(clinic: Clinic) -> None:
    """Another document under the seal."""
    shown, other = clinic.typed(days_1="5").text, clinic.typed(days_1="6").text
    refused = clinic.signed(shown, draft=hidden(other, "draft"))

    assert (refused.status_code, "This is not what was shown" in text_of(refused.text), len(clinic.rows("plan_version"))) == (422, True, 1)


def test_a_draft_that_no_page_wrote(clinic: Clinic) -> None:
    """It is refused, and no error of ours."""
    assert [clinic.browser.post(f"{clinic.path}/sign", data={"draft": draft}).status_code for draft in ("", "{}", "[")] == [400] * 3


def test_a_taper_begins_with_what_is_taken_now(clinic: Clinic) -> None:
    """The doses and times of today, the day after for its first; and no word on how to go on."""
    page = clinic.browser.post(f"{clinic.path}/taper", data={"way": "down_amount"}).text

    found = dict(re.findall(r'name="(from|time3|start)"[^>]* value="(.*?)"', page))

    assert found == {"from": "5/5/5", "time3": "20:00", "start": "2026-03-03"}
    assert ("Stopping baclofen suddenly can do harm" in clinic.browser.get(f"{clinic.path}/taper").text, 'name="seal"' in page) == (
        True,
        False,
    )


def test_a_taper_is_the_plans_next_version(clinic: Clinic) -> None:
    """5 mg a day less each week: today goes on, tomorrow falls; one plan, of which the patient has no second."""
    typed = {"way": "down_amount", "from": "5/5/5", "cut": "5", "every_days": "7", "start": "2026-03-03", "advance": "ask_provider"}
    page = clinic.browser.post(f"{clinic.path}/taper", data={**typed, "time1": "08:00", "time2": "14:00", "time3": "20:00"})

    assert [line[-1] for line in cells(page.text)] == ["15 mg", "10 mg", "5 mg"]
    assert clinic.signed(page.text).status_code == 303
    assert (len(clinic.rows("plan")), '"kind":"taper"' in clinic.rows("plan_version")[-1]["document"]) == (1, True)


def test_a_taper_without_its_policy_is_not_signed(clinic: Clinic) -> None:
    """It is shown, and what is missing too."""
    typed = {
        "way": "down_amount",
        "from": "5",
        "cut": "5",
        "every_days": "7",
        "start": "2026-03-03",
        "time1": "08:00",
        "time2": "14:00",
        "time3": "20:00",
    }
    page = clinic.browser.post(f"{clinic.path}/taper", data=typed).text

    assert (len(cells(page)), "Still needed: what happens at a step." in text_of(page), 'name="seal"' in page) == (3, True, False)


def test_a_taper_does_not_begin_in_the_past(clinic: Clinic) -> None:
    """Said beside its field."""
    typed = {"way": "down_amount", "from": "5", "cut": "5", "every_days": "7", "start": "2026-03-01", "advance": "ask_provider"}
    page = clinic.browser.post(f"{clinic.path}/taper", data={**typed, "time1": "08:00", "time2": "14:00", "time3": "20:00"})

    assert (page.status_code, "at the earliest" in faults(page.text)["start"]) == (422, True)


@pytest.mark.parametrize("who", [NURSE, THEIRS])
def test_who_may_not_changes_nothing(clinic: Clinic, who: str) -> None:
    """A nurse is refused; for another clinic's provider there is no such plan."""
    shown = clinic.typed(days_1="5").text
    browser = signed_in(clinic.engine, clinic.clock, who, **({"clinic": HILL} if who == THEIRS else {}))
    form = {"draft": hidden(shown, "draft"), "seal": hidden(shown, "seal"), "reason": "mine"}
    answers = [browser.get(f"{clinic.path}/edit"), browser.get(f"{clinic.path}/taper"), browser.post(f"{clinic.path}/sign", data=form)]

    assert ({answer.status_code for answer in answers}, len(clinic.rows("plan_version"))) == ({403 if who == NURSE else 404}, 1)


def a_long_plan(engine: Engine, rows: int, times: int) -> Clinic:
    """Harbor Clinic, with a plan that goes on every other day with one dose the less, at so many times in all."""
    at = [f"{4 + 2 * number:02}:00" for number in range(times)]
    phases = [{"days": 2, "doses": [a_dose(each, "5") for each in at[: times - row % 2]]} for row in range(rows)]
    plan = an_entry(kind="maintenance", advance="as_prescribed", start=f"{NOW:%Y-%m-%d}", phases=phases)
    importing.import_file(engine, an_import_file(a_patient(plans=[plan])), now=NOW)
    return a_clinic(engine, HandClock(NOW))


@pytest.mark.parametrize(("rows", "times"), [(61, 3), (60, 7), (4, 9)])
def test_what_is_too_long_for_the_grid_is_not_cut_off(sqlite_engine: Engine, rows: int, times: int) -> None:
    """More phases, more times or more fields than a form may have: the page says so, and holds nothing that could be sent."""
    long = a_long_plan(sqlite_engine, rows, times)
    page = long.browser.get(f"{long.path}/edit")

    assert (page.status_code, fields(page.text), f'hx-post="{long.path}/edit"' in page.text) == (200, {}, False)
    assert "What is coming is too long to be changed here" in text_of(page.text)


def test_what_fills_the_grid_is_changed_whole(sqlite_engine: Engine) -> None:
    """Sixty phases: the last of them comes back, and one more is not laid beside them."""
    long = a_long_plan(sqlite_engine, 60, 3)
    page = long.typed(then="after_1", days_0="4")

    assert (page.status_code, sum(name.startswith("days_") for name in fields(page.text)), fields(page.text)["days_59"]) == (200, 60, "2")


@pytest.mark.parametrize("field", ["days_60", "time_8", "days_00"])
def test_a_grid_that_no_page_wrote(clinic: Clinic, field: str) -> None:
    """A row or a time that would be left out makes it no grid at all."""
    assert clinic.typed(**{field: "08:00"}).status_code == 400


def test_what_ends_too_late_only_with_what_is_behind(sqlite_engine: Engine) -> None:
    """The coming phases alone would end in time: the fault is said, and what was typed is kept."""
    two_clinics(sqlite_engine)
    tomorrow = a_clinic(sqlite_engine, HandClock(NOW + timedelta(days=1)))
    days = str((date(2999, 12, 31) - date(2026, 3, 2)).days - 8)
    page = tomorrow.typed(days_3=days)

    assert (page.status_code, "end before the year 3000" in text_of(page.text), fields(page.text)["days_3"]) == (422, True, days)


def test_a_straight_stop_offers_the_taper_first(clinic: Clinic) -> None:
    """Where a sudden stop does harm, the way down stands before the reason for a straight one."""
    page = clinic.browser.get(f"{clinic.path}/act?action=stop").text

    assert 0 < page.index(f'href="{clinic.path}/taper"') < page.index('name="reason"')


def test_the_patients_page_leads_here(clinic: Clinic) -> None:
    """A provider finds each page from the patient's; a nurse, the sheet."""
    patient = clinic.path.partition("/plans")[0]
    ways = (f"{patient}/plans/new", f"{clinic.path}/edit", f"{clinic.path}/taper", f"{clinic.path}/sheet")
    pages = [browser.get(patient).text for browser in (clinic.browser, signed_in(clinic.engine, clinic.clock, NURSE))]

    assert [[f'href="{way}"' in page for way in ways] for page in pages] == [[True] * 4, [False, False, False, True]]


# The grid by itself

plans = st.lists(
    st.tuples(st.sampled_from(["5/5/5", "10/–/2.5", "–/5/5", "5/5/10"]), st.integers(1, 99), st.integers(1, 7)), min_size=1, max_size=6
).map(lambda rows: tuple(a_phase(amounts, days, every=every) for amounts, days, every in rows))


@given(plans)
def test_what_stands_in_the_grid_is_the_plan(phases: tuple[Phase, ...]) -> None:
    """Written into the fields and read again, phases are what they were."""
    grid = grid_of(phases)
    form = {f"time_{number}": at for number, at in enumerate(grid.times)}
    for number, line in enumerate(grid.rows):
        form |= {f"days_{number}": line.days, f"every_{number}": line.every}
        form |= {f"amount_{number}_{column}": amount for column, amount in enumerate(line.amounts)}

    assert (typed_grid(form), read_grid(typed_grid(form), a_plan()).phases) == (grid, phases)


def test_the_last_row_is_not_removed() -> None:
    """A plan has a phase."""
    grid = grid_of(a_plan().phases)

    assert changed(grid, "without_0") == grid


def test_no_more_times_than_a_form_holds() -> None:
    """Eight, and no ninth."""
    grid = grid_of(a_titration().phases)
    for _ in range(9):
        grid = changed(grid, "time")

    assert len(grid.times) == 8


def test_no_more_fields_than_a_form_holds() -> None:
    """At eight times there are fewer rows than sixty: one more would make a form that is not read."""
    grid = Grid(("08:00",) * MOST_TIMES, (GridRow("1", "", ("5",) * MOST_TIMES),))
    for _ in range(MOST_ROWS):
        grid = changed(grid, "after_0")

    assert (len(grid.rows), len(changed(Grid(("08:00",), (GridRow("1", "", ("5",)),) * MOST_ROWS), "time").times)) == (49, 2)
