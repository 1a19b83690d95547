"""Every finding of a check word for word: where it is, what it says, what was found, the limit, its source and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

import pytest

from reminders import drugs
from reminders.domain.checking import Ceiling, Finding, PatientFacts, check_plan
from reminders.domain.finding import Alcohol
from reminders.domain.plan import Amount, Kind, Phase, Plan, Unit
from reminders.domain.profile import Confidence, DrugProfile, Indication, PercentCut, Severity, Sourced
from tests.builders import a_phase, a_plan

T = TypeVar("T")
FIVE_TIMES = "06:00 10:00 14:00 18:00 22:00"


def label(value: T, on_breach: Severity = Severity.ERROR) -> Sourced[T]:
    """A rule made up for the test."""
    return Sourced(value, "a label", Confidence.SOURCED, on_breach)


def mg(value: str) -> Amount:
    """So many mg."""
    return Amount(Decimal(value))


BACLOFEN = replace(
    drugs.load("baclofen"),
    strengths=label((mg("5"), mg("10"), mg("20"))),
    scored=None,
    withdrawal_risk=label(True, Severity.WARNING),  # noqa: FBT003 - a value
    max_per_day=replace(label(mg("80")), disagrees=(("100 mg", "another label"), ("90 mg", "a paper"))),
    ceiling_per_day=label(mg("100")),
    step_min_days=label(3),
    step_max_per_dose=label(mg("5")),
    step_max_per_day=label(mg("15")),
    start_max_per_day=None,
    usual_per_day=None,
    review_within=None,
    indications=(),
    older_from=None,
)
STRICT = replace(
    BACLOFEN,
    max_in_24h=label(mg("50")),
    max_per_week=label(mg("300")),
    max_doses_in_24h=label(2),
    start_max_per_day=label(mg("50")),
    usual_per_day=label((mg("20"), mg("40"))),
    taper_min_days=label(30),
    cut_max_per_day=label(mg("10")),
    cut_min_days=label(8),
    first_cut_percent=label(Decimal(10)),
    cut_max_percent=label(PercentCut(Decimal(20), 14)),
    older_from=label(65),
    review_within=label(timedelta(days=42)),
    indications=(Indication(("stroke",), label("no trial showed that it helps")),),
)
NO_TABLETS = replace(BACLOFEN, strengths=None)


@dataclass(frozen=True)
class Case:
    """A plan and what it is checked against; and what is found, in full."""

    plan: Plan
    found: tuple[tuple[str, str, str], ...]
    profile: DrugProfile = BACLOFEN
    others: tuple[Plan, ...] = ()
    ceiling: str = ""
    facts: PatientFacts | None = None


def taper(*phases: Phase) -> Plan:
    """A taper."""
    return a_plan(*phases, kind=Kind.TAPER)


CASES: dict[str, Case] = {
    "a dose too large": Case(
        a_plan(a_phase("25/5/5")),
        (
            (
                "error: dose_too_large at phases[0].doses[0].amount",
                "above the largest single dose",
                "25 mg / 20 mg (US baclofen tablets label, sourced)",
            ),
        ),
    ),
    "a day too large": Case(
        a_plan(a_phase("20/20/20/20/10", at=FIVE_TIMES)),
        (
            (
                "error: day_too_large at phases[0]",
                "above the daily maximum; sources disagree: 100 mg (another label), 90 mg (a paper)",
                "90 mg a day / 80 mg (a label, sourced)",
            ),
        ),
    ),
    "a day too large for any source": Case(
        a_plan(a_phase("20/20/20/20/20/5", at="02:00 " + FIVE_TIMES)),
        (("error: day_too_large at phases[0]", "above what any source allows", "105 mg a day / 100 mg (a label, sourced)"),),
        ceiling="100",
    ),
    "a day too large for the clinic": Case(
        a_plan(a_phase("20/20/20/20/10", at=FIVE_TIMES)),
        (
            (
                "error: day_too_large at phases[0]",
                "above the clinic's own ceiling; sources disagree: 100 mg (another label), 90 mg (a paper)",
                "90 mg a day / 85 mg (a label, sourced)",
            ),
        ),
        ceiling="85",
    ),
    "a day within the clinic's ceiling": Case(
        a_plan(a_phase("20/20/20/20/10", at=FIVE_TIMES)),
        (
            (
                "warning, twice: day_over_label at phases[0]",
                "above the daily maximum of the label, within the ceiling approved by Dr. Ada Moss",
                "90 mg a day / 80 mg (a label, sourced)",
            ),
        ),
        ceiling="90",
    ),
    "too much running": Case(
        a_plan(a_phase("20/20/20")),
        (
            ("error: too_much_in_24h at phases[0]", "more than any 24 hours may hold", "60 mg in 24 hours / 50 mg (a label, sourced)"),
            ("error: week_too_large at phases[0]", "more than any 7 days may hold", "420 mg in 7 days / 300 mg (a label, sourced)"),
            (
                "error: too_many_doses at phases[0]",
                "more doses than any 24 hours may hold",
                "3 doses in 24 hours / 2 doses (a label, sourced)",
            ),
            ("error: start_too_high at phases[0]", "the first phase is above the usual start", "60 mg a day / 50 mg (a label, sourced)"),
        ),
        profile=STRICT,
    ),
    "not to be made": Case(
        a_plan(a_phase("7/5/5")),
        (
            (
                "error: not_makeable at phases[0].doses[0].amount",
                "cannot be made from these tablets",
                "7 mg / 5 mg, 10 mg, 20 mg (a label, sourced)",
            ),
        ),
    ),
    "not to be made of the patient's own": Case(
        replace(a_plan(a_phase("5/5/7")), strengths=(mg("5"), mg("10"))),
        (
            (
                "error: not_makeable at phases[0].doses[2].amount",
                "cannot be made from these tablets",
                "7 mg / 5 mg, 10 mg (Doseline, default)",
            ),
        ),
        profile=NO_TABLETS,
    ),
    "no strengths known": Case(
        a_plan(),
        (
            (
                "error: no_strengths at strengths",
                (
                    "no source gives the strengths of this drug: the provider writes the tablets that this patient has "
                    "into the plan (strengths), or the clinic its strengths into a profile of its own"
                ),
                "none / the tablets that this patient has (Doseline, default)",
            ),
        ),
        profile=NO_TABLETS,
    ),
    "no strengths needed": Case(
        a_plan(),
        (),
        profile=replace(NO_TABLETS, form="injection"),
    ),
    "no gap known": Case(
        a_plan(),
        (
            (
                "error: no_min_gap at missed_dose_rule",
                (
                    "no source gives the shortest time between two doses of this drug: the provider writes a missed-dose "
                    "rule with a time of its own into the plan, or the clinic a min_gap into a profile of its own"
                ),
                "none / required (Doseline, default)",
            ),
        ),
        profile=replace(BACLOFEN, min_gap=None, missed_dose_rule=None),
    ),
    "slots too close": Case(
        a_plan(a_phase("5/5", at="08:00 09:30")),
        (("error: too_close at phases[0].doses[1].at", "too close to the dose beside it", "1 h 30 min / 2 h (Doseline, default)"),),
    ),
    "too close to another plan": Case(
        a_plan(a_phase("5", at="08:00"), label="A"),
        (
            (
                "error: too_close at phases[0].doses[0].at",
                "too close to the dose of another plan of this drug beside it",
                "1 h / 2 h (Doseline, default)",
            ),
        ),
        others=(a_plan(a_phase("5", at="09:00"), label="B"),),
    ),
    "another unit": Case(
        a_plan(a_phase("1/1/1", unit=Unit.TABLET)),
        (("error: unit at phases", "amounts in tablet cannot be held against limits in mg", "tablet / mg (Doseline, default)"),),
    ),
    "only tapers known": Case(
        a_plan(),
        (
            (
                "error: only_tapers at kind",
                "of this drug only tapers are known: no start, no step and no maximum would be checked",
                "titration / taper (Doseline, default)",
            ),
        ),
        profile=replace(BACLOFEN, taper_only=True),
    ),
    "no label": Case(
        a_plan(),
        (
            (
                "error: label_missing at label",
                "a patient's second plan needs a label that the patient chose, a letter first",
                "none / a label (Doseline, default)",
            ),
        ),
        others=(a_plan(drug="other", label="A"),),
    ),
    "the same letter": Case(
        a_plan(label="a, white"),
        (
            (
                "error: label_repeated at label",
                "another plan's label begins with the same letter",
                "a, white / a letter of its own (Doseline, default)",
            ),
        ),
        others=(a_plan(drug="other", label="A, blue"),),
    ),
    "outside the usual": Case(
        a_plan(a_phase("5/5", at="08:00 20:00"), kind=Kind.MAINTENANCE),
        (("error: outside_usual at phases", "outside the usual range", "10 mg a day / 20 mg to 40 mg (a label, sourced)"),),
        profile=STRICT,
    ),
    "a step too soon and too large": Case(
        a_plan(a_phase("5/5/5", 1), a_phase("15/15/15")),
        (
            ("error: step_too_soon at phases[0].days", "a short phase on the way up", "1 days / 3 days (a label, sourced)"),
            ("error: step_too_large at phases[1]", "a dose rises by more than usual", "10 mg a dose / 5 mg (a label, sourced)"),
            ("error: step_too_large at phases[1]", "the day rises by more than usual", "30 mg a day / 15 mg (a label, sourced)"),
        ),
    ),
    "a slot more": Case(
        a_plan(a_phase("20/20/20", 7), a_phase("20/20/20/20", at="06:00 12:00 18:00 22:00")),
        (
            (
                "warning: slot_added at phases[1]",
                "a dose more a day; none grows",
                "4 doses a day, 60 mg to 80 mg / 20 mg four times a day, if ordered (US baclofen tablets label, sourced)",
            ),
        ),
    ),
    "a taper that rises": Case(
        taper(a_phase("5/5/5", 7), a_phase("5/5/10", 7), a_phase("5/5/5", 7)),
        (
            (
                "error: taper_rises at phases[1]",
                "a taper never goes back up without an order",
                "15 mg to 20 mg a day / never up (Doseline, default)",
            ),
            (
                "warning: stop_without_taper at phases[2]",
                "stopping suddenly can do harm",
                "15 mg a day, then nothing / a taper (a label, sourced)",
            ),
        ),
    ),
    "a dose that rises": Case(
        taper(a_phase("10/10/10", 7), a_phase("5/5/15", 7), a_phase("5/5/5", 7)),
        (
            (
                "warning: taper_dose_rises at phases[1].doses[2].amount",
                "a single dose of a taper grows while the day does not, be it because another dose was left out",
                "10 mg to 15 mg at 20:00 / never up (Doseline, default)",
            ),
            (
                "warning: stop_without_taper at phases[2]",
                "stopping suddenly can do harm",
                "15 mg a day, then nothing / a taper (a label, sourced)",
            ),
        ),
    ),
    "a sudden end": Case(
        a_plan(a_phase("5/5/5", 9)),
        (
            (
                "warning: stop_without_taper at phases[0]",
                "stopping suddenly can do harm",
                "15 mg a day, then nothing / a taper (a label, sourced)",
            ),
        ),
    ),
    "cuts too large, too soon, too fast": Case(
        taper(a_phase("20/20", 7, at="08:00 20:00"), a_phase("10/10", 9, at="08:00 20:00")),
        (
            ("error: taper_too_short at phases", "a short taper", "16 days / 30 days (a label, sourced)"),
            ("error: cut_too_large at phases[1]", "the day falls by more than usual", "20 mg a day / 10 mg (a label, sourced)"),
            ("error: cut_too_soon at phases[0].days", "a short phase on the way down", "7 days / 8 days (a label, sourced)"),
            ("error: cut_too_large at phases[1]", "the day falls by more than usual", "20 mg a day / 10 mg (a label, sourced)"),
            ("error: first_cut_too_large at phases[1]", "the first cut is larger than usual", "50 % / 10 % (a label, sourced)"),
            (
                "error: falls_too_fast at phases[1]",
                "the day falls faster than usual",
                "50 % in 14 days / 20 % in 14 days (a label, sourced)",
            ),
        ),
        profile=STRICT,
    ),
    "an older patient": Case(
        a_plan(a_phase("5", at="08:00")),
        (("error: older at age", "longer phases and a check-in in every phase are suggested", "65 years / 65 years (a label, sourced)"),),
        profile=STRICT,
        facts=PatientFacts(alcohol=Alcohol.NONE, age=65, indication="spasms", review_on=date(2026, 3, 30)),
    ),
    "weak kidneys": Case(
        a_plan(),
        (
            (
                "warning: kidney at kidney",
                "caution: the dose may need lowering; overdose signs can appear at low doses when kidneys are weak",
                "weak kidneys / none given (US baclofen tablets label; MIMS, sourced)",
            ),
            (
                "warning: kidney at kidney",
                "lower the mean dose by 2/3",
                "29.5 mL/min / 0 to under 30 mL/min (Vlavonou et al. 2014, sourced)",
            ),
            (
                "warning: kidney at kidney",
                "avoid (second-hand: confirm in the primary source)",
                "29.5 mL/min / 0 to under 30 mL/min (AJKD case algorithm, second-hand)",
            ),
        ),
        facts=PatientFacts(alcohol=Alcohol.NONE, kidney=Decimal("29.5"), kidney_flag=True),
    ),
    "another medicine": Case(
        a_plan(),
        (
            (
                "warning: interaction at medicines[0]",
                (
                    "CNS depressants: more sedation, slowed breathing; deep sedation, fainting and death with opioids; "
                    "avoid, or use with caution; monitor closely"
                ),
                "diazepam / high (Right Baclofen Dose for Managing Pain; US baclofen tablets label, sourced)",
            ),
        ),
        facts=PatientFacts(alcohol=Alcohol.NONE, medicines=("diazepam",)),
    ),
    "some alcohol": Case(
        a_plan(),
        (
            (
                "warning: alcohol at alcohol",
                (
                    "CNS depressants: more sedation, slowed breathing; deep sedation, fainting and death with opioids; "
                    "avoid, or use with caution; monitor closely"
                ),
                "some / high (Right Baclofen Dose for Managing Pain; US baclofen tablets label, sourced)",
            ),
        ),
        facts=PatientFacts(alcohol=Alcohol.SOME),
    ),
    "alcohol that nobody asked about": Case(
        a_plan(),
        (
            (
                "warning: alcohol_unknown at alcohol",
                (
                    "ask about alcohol. CNS depressants: more sedation, slowed breathing; deep sedation, fainting and death with opioids; "
                    "avoid, or use with caution; monitor closely"
                ),
                "unknown / none or some (Right Baclofen Dose for Managing Pain; US baclofen tablets label, sourced)",
            ),
        ),
        facts=PatientFacts(),
    ),
    "no indication and no review": Case(
        a_plan(a_phase("5", at="08:00")),
        (
            ("error: review_missing at review_on", "a review within 42 days of the top dose", "none / by 2026-04-13 (a label, sourced)"),
            ("warning: indication_missing at indication", "say what it is given for", "none / required (Doseline, default)"),
        ),
        profile=STRICT,
        facts=PatientFacts(alcohol=Alcohol.NONE),
    ),
    "a doubtful indication and a late review": Case(
        a_plan(a_phase("5", at="08:00")),
        (
            ("error: indication_doubtful at indication", "no trial showed that it helps", "a stroke / label (a label, sourced)"),
            (
                "error: review_missing at review_on",
                "a review within 42 days of the top dose",
                "2026-05-01 / by 2026-04-13 (a label, sourced)",
            ),
        ),
        profile=STRICT,
        facts=PatientFacts(alcohol=Alcohol.NONE, indication="a stroke", review_on=date(2026, 5, 1)),
    ),
}


def in_full(finding: Finding) -> tuple[str, str, str]:
    """Write a finding with all that it says: where it is, its words, its numbers."""
    level = f"{finding.level}, twice" if finding.second_confirmation else finding.level
    numbers = f"{finding.found} / {finding.limit} ({finding.source}, {finding.confidence})"
    return f"{level}: {finding.code} at {finding.path}", finding.message, numbers


@pytest.mark.parametrize("name", CASES)
def test_a_finding_in_full(name: str) -> None:
    """What a provider reads, word for word."""
    case = CASES[name]
    ceiling = Ceiling(mg(case.ceiling), "Dr. Ada Moss") if case.ceiling else None
    found = check_plan(case.plan, case.profile, others=case.others, ceiling=ceiling, facts=case.facts)

    assert tuple(map(in_full, found)) == case.found


def test_a_phase_that_stays_as_it_was_is_no_cut() -> None:
    """Only the phase before a fall is held against the shortest time before a cut."""
    plan = taper(a_phase("10", 7, at="08:00"), a_phase("10", 7, at="08:00"))

    assert [finding.path for finding in check_plan(plan, STRICT) if finding.code == "cut_too_soon"] == ["phases[1].days"]


def test_only_a_taper_has_a_first_cut() -> None:
    """A titration that falls again is no taper."""
    plan = a_plan(a_phase("20", 9, at="08:00"), a_phase("5", at="08:00"))

    assert "first_cut_too_large" not in {finding.code for finding in check_plan(plan, STRICT)}
