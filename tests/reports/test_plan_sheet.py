"""The sheet a patient takes home: its rows, its rule for a missed dose in plain words, and the same sentences in each language."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from string import Formatter
from typing import Any

import pytest

from reminders import drugs
from reminders.domain.missed import AskProviderRule, Beyond, Boundary, Fraction, HoursBeforeNext, MaxLate, MissedDoseRule
from reminders.domain.plan import Amount, Plan
from reminders.domain.plan_state import PlanState
from reminders.reports.plan_sheet import LANGUAGES, About, PlanSheet, plan_sheet, words_of
from tests.builders import a_phase, a_plan, a_taper, a_titration

BACLOFEN = drugs.load("baclofen")
TWO_HOURS = HoursBeforeNext(timedelta(hours=2))


def a_sheet(
    plan: Plan,
    *,
    rule: MissedDoseRule = TWO_HOURS,
    state: PlanState = PlanState.ACTIVE,
    language: str = "en",
    today: date = date(2026, 3, 1),
) -> PlanSheet:
    """The sheet of a plan of Ana's."""
    about = About("Ana Silva", "Harbor Clinic", "202 555 0100", today)
    return plan_sheet(about, plan, BACLOFEN, rule=rule, state=state, language=language)


def spoken(said: str) -> str:
    """Words as they are read out: with plain spaces."""
    return said.replace("\N{NO-BREAK SPACE}", " ")


def test_a_number_keeps_its_unit_beside_it() -> None:
    """No line ends between 10 and mg."""
    dose = a_sheet(a_plan(a_phase("10/10/10"))).rows[0].doses[0]

    assert dose is not None
    assert (dose.tablets, dose.amount) == ("1 tablet of 10\N{NO-BREAK SPACE}mg", "10\N{NO-BREAK SPACE}mg")


def rows(sheet: PlanSheet) -> list[tuple[str, ...]]:
    """Each row: its dates, and its doses or what it says."""
    return [
        (row.dates, *(spoken(f"{dose.tablets} = {dose.amount}") if dose else "-" for dose in row.doses), *filter(None, [row.says]))
        for row in sheet.rows
    ]


def test_the_labels_titration() -> None:
    """Dated steps with times and tablets; the last goes on until we tell."""
    sheet = a_sheet(a_titration())

    assert sheet.times == ("8:00 am", "2:00 pm", "8:00 pm")
    assert rows(sheet)[1:3] == [
        ("Thu 5 March to Sat 7 March", *["1 tablet of 10 mg = 10 mg"] * 3),
        ("Sun 8 March to Tue 10 March", *["1 of 10 mg and 1 of 5 mg = 15 mg"] * 3),
    ]
    assert rows(sheet)[3][0] == "from Wed 11 March, until we tell you otherwise"


def test_it_is_in_spanish_too() -> None:
    """The same rows, with the accents that paper has room for."""
    sheet = a_sheet(a_titration(), language="es")

    assert (sheet.language, rows(sheet)[2]) == ("es", ("del dom. 8 de marzo al mar. 10 de marzo", *["1 de 10 mg y 1 de 5 mg = 15 mg"] * 3))


def test_a_language_without_words_is_english() -> None:
    """Better read by somebody else than not at all."""
    assert a_sheet(a_titration(), language="pt").language == "en"


def test_what_is_over_is_not_printed() -> None:
    """On the eighth, two phases are behind."""
    assert [row[0][:11] for row in rows(a_sheet(a_titration(), today=date(2026, 3, 8)))] == ["Sun 8 March", "from Wed 11"]


def test_a_taper_says_where_it_ends() -> None:
    """No row goes on without end, and none leaves the day after open."""
    assert rows(a_sheet(a_taper("B")))[-1] == ("from Mon 23 March", "No more of this medicine: your plan ends here.")


def test_what_ends_and_is_no_taper() -> None:
    """That is no end of the medicine."""
    assert rows(a_sheet(a_plan(a_phase("5/5/5", 7))))[-1][1].startswith("This plan has no more doses from here. Ask us")


def test_a_dose_that_a_phase_does_not_have() -> None:
    """It is said, and no cell is left to be guessed at."""
    assert rows(a_sheet(a_plan(a_phase("5/–/5", 7), a_phase("5/5/5"))))[0][2] == "-"


def test_a_weekly_dose() -> None:
    """How often stands in its row."""
    assert a_sheet(a_plan(a_phase("5", 14, at="08:00", every=7))).rows[0].rhythm == "every 7 days, beginning with the first day"


def test_halves_are_in_words() -> None:
    """Two and a half, and half a tablet alone, in both languages."""
    plan = replace(a_plan(a_phase("5/25/10")), strengths=(Amount(Decimal(10)),))
    of = {language: [spoken(dose.tablets) for dose in a_sheet(plan, language=language).rows[0].doses if dose] for language in LANGUAGES}

    assert of == {
        "en": ["half a tablet of 10 mg", "2 and a half tablets of 10 mg", "1 tablet of 10 mg"],
        "es": ["media tableta de 10 mg", "2 tabletas y media de 10 mg", "1 tableta de 10 mg"],
    }


@pytest.mark.parametrize(
    ("state", "says", "has_rows"),
    [
        (PlanState.STAYING, "You stay on this dose for now.", True),
        (PlanState.SUSPENDED, "Take no dose of this medicine for now.", False),
        (PlanState.MUTED, "while you are cared for elsewhere", False),
    ],
)
def test_a_plan_that_does_not_simply_go_on(state: PlanState, says: str, has_rows: bool) -> None:  # noqa: FBT001
    """A sheet never shows doses that are not to be taken by it."""
    sheet = a_sheet(a_titration(), state=state)

    assert (says in sheet.says, bool(sheet.rows)) == (True, has_rows)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (TWO_HOURS, "Take it when you remember, unless less than 2 hours remain until your next dose. Then leave it out."),
        (HoursBeforeNext(timedelta(hours=6), Boundary.SKIP), "unless 6 hours or less remain"),
        (HoursBeforeNext(timedelta(minutes=90)), "unless less than 90 minutes remain"),
        (
            MaxLate(timedelta(days=5), timedelta(hours=48)),
            "up to 5 days late. There must be at least 48 hours until your next dose. After that, leave it out.",
        ),
        (MaxLate(timedelta(hours=1), None, Boundary.SKIP, Beyond.ASK), "less than 1 hour late. After that, call us before you take it."),
        (Fraction(Decimal("0.5")), "until half of the time to your next dose has passed"),
        (Fraction(Decimal("0.25")), "until 25 percent of the time"),
        (AskProviderRule(), "Call us or your pharmacist before you take it."),
    ],
)
def test_the_rule_for_a_missed_dose(rule: MissedDoseRule, says: str) -> None:
    """Each rule in plain words, and after each that the next dose comes as usual."""
    missed = a_sheet(a_titration(), rule=rule).missed

    assert says in " ".join(missed)
    assert missed[-1] == "Take your next dose at its usual time."


def test_never_suddenly_where_the_profile_says_so() -> None:
    """For baclofen; and never double, for whatever it is."""
    calm = drugs.load("metformin-ir")
    about = About("Ana Silva", "Harbor Clinic", "202 555 0100", date(2026, 3, 1))
    of_metformin = plan_sheet(about, a_titration(), calm, rule=TWO_HOURS, state=PlanState.ACTIVE, language="en").never

    assert ["suddenly" in " ".join(never) for never in (a_sheet(a_titration()).never, of_metformin)] == [True, False]
    assert "Never take two doses together" in of_metformin[0]


def _flat(words: Any, path: str = "") -> dict[str, object]:  # noqa: ANN401 - what a TOML file holds
    """Every wording of a file by its path."""
    if isinstance(words, dict):
        return {key: said for name, inner in words.items() for key, said in _flat(inner, f"{path}.{name}").items()}
    if isinstance(words, list):
        return {key: said for number, inner in enumerate(words) for key, said in _flat(inner, f"{path}[{number}]").items()}
    return {path: {name for _, name, _, _ in Formatter().parse(words) if name}}


def test_each_language_says_all_of_it() -> None:
    """The same sentences, with the same numbers in them."""
    english, spanish = (_flat(words_of(language)) for language in LANGUAGES)

    assert spanish == english
