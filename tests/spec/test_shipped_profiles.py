from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import TypeVar

import pytest

from reminders import drugs
from reminders.domain.checking import check_plan
from reminders.domain.escalation import Ladder
from reminders.domain.finding import PatientFacts
from reminders.domain.missed import HoursBeforeNext, MaxLate
from reminders.domain.plan import HOUR, Amount, Kind, Phase, plain
from reminders.domain.profile import Confidence, DrugProfile, Severity, Sourced, Template, TemplatePhase
from tests.builders import a_layout, a_phase, a_plan
from tests.doses import drawn

T = TypeVar("T")

LIMITS = drawn("""
    profile                  | start a day | a dose | a day      | usual a day  | rise a day | rise after | cut a day | cut after | taper
    baclofen-tablet          | 15 mg       | 20 mg! | 80 mg! ≠   | 40–80 mg     | 15 mg      | 3 d        | –         | –         | 7 d ≠
    benzodiazepine-taper     | –           | –      | –          | –            | –          | –          | –         | –         | –
    clonidine-er             | 0.1 mg      | –      | 0.4 mg!    | –            | 0.1 mg     | 7 d        | 0.1 mg    | 3 d       | –
    clonidine-tablet         | 0.2 mg      | –      | 2.4 mg!    | 0.2–0.6 mg   | 0.1 mg     | 7 d        | –         | –         | 2 d
    gabapentin-ir            | 300 mg      | –      | 3600 mg    | 1800–3600 mg | –          | –          | –         | –         | 7 d
    metformin-ir             | 500 mg      | –      | 2000 mg! ≠ | –            | 500 mg     | 7 d        | –         | –         | –
    prednisolone-polymyalgia | 15 mg       | –      | –          | –            | –          | –          | –         | 28 d      | –
    pregabalin               | 150 mg      | –      | 600 mg!    | 150–600 mg   | –          | 7 d ≠      | –         | –         | 7 d
    semaglutide-ozempic      | 0.25 mg     | 2 mg!  | –          | 0.5–2 mg     | –          | 28 d       | –         | –         | –
    tizanidine               | 2 mg ≠      | 16 mg! | 36 mg! ≠   | –            | 2 mg ≠     | 3 d ≠      | 4 mg      | –         | –
    venlafaxine-xr           | 75 mg       | –      | 225 mg     | 75–225 mg    | 75 mg      | 4 d        | 75 mg     | 7 d       | 14 d ≠
""")
"""What the shipped profiles hold a plan against; d are days.

A plan past a number with ! is an error, which blocks; past any other it is a warning, which needs a typed reason. ≠: sources
disagree; the cautious one stands here, and the finding shows the others. –: no source gives it, and nothing is checked.

The top of a range that no source calls a maximum warns (gabapentin, venlafaxine). Of Ozempic no week holds more than 2 mg.
Tizanidine is taken at most three times in 24 hours. A benzodiazepine falls by 10 % at its first
cut and by 25 % in two weeks at most, and nothing else is known of it.

Source: each number's own, which `doseline drugs show` prints; all sourced.
"""

CLOCK = drawn("""
    profile                  | missed dose                    | two doses apart | seam | gap: warn, suspend when reported
    baclofen-tablet          | 2 h before the next            | 2 h °           | 12 h | 1 d, 2 d
    benzodiazepine-taper     | –                              | –               | –    | 1 d, 3 d
    clonidine-er             | –                              | –               | –    | 1 d, 2 d
    clonidine-tablet         | –                              | –               | –    | 1 d, 2 d
    gabapentin-ir            | 2 h before the next            | 2 h °           | 12 h | 1 d, 2 d
    metformin-ir             | –                              | –               | –    | –
    prednisolone-polymyalgia | –                              | –               | –    | 1 d, never
    pregabalin               | 2 h before the next            | 2 h °           | 12 h | 1 d, 2 d
    semaglutide-ozempic      | 5 d late, 48 h before the next | 48 h            | –    | 7 d, 14 d
    tizanidine               | –                              | –               | 12 h | 1 d, 2 d
    venlafaxine-xr           | –                              | –               | –    | 2 d, 5 d
""")
"""How the shipped profiles reckon time; h are hours, d days. °: Doseline's default, as are all seams and gaps.

The seam is the longest time without a dose when a plan is changed. A gap warns, and suspends the plan when it is reported.

Where a drug has no missed-dose rule the patient is told to call, unless the plan has a rule of its own; without a time
between two doses, the drug's or that rule's, a plan is refused. Where to stop is the only hazard (a steroid) nothing is
suspended.

Source: the missed-dose rules, and the time between two doses of Ozempic, are those of NHS, HSE and the Ozempic label (sourced).
"""

PROFILES = {key: drugs.load(key) for key in drugs.names()}


def _limit(rule: Sourced[Amount] | Sourced[int] | Sourced[tuple[Amount, ...]] | None) -> str:
    if rule is None:
        return "–"
    assert rule.confidence is Confidence.SOURCED
    value = rule.value
    said = f"{plain(value[0].value)}–{value[1]}" if isinstance(value, tuple) else f"{value} d" if isinstance(value, int) else str(value)
    return f"{said}{'!' if rule.on_breach is Severity.ERROR else ''}{' ≠' if rule.disagrees else ''}"


@pytest.mark.parametrize("row", LIMITS[1:], ids=lambda row: row[0])
def test_what_a_plan_is_held_against(row: tuple[str, ...]) -> None:
    """Each number is its source's, and blocks or warns as the table says."""
    of = PROFILES[row[0]]
    rules = (
        of.start_max_per_day, of.max_per_dose, of.max_per_day, of.usual_per_day, of.step_max_per_day, of.step_min_days,
        of.cut_max_per_day, of.cut_min_days, of.taper_min_days,
    )  # fmt: skip

    assert (of.key, *map(_limit, rules)) == row


def _span(span: timedelta) -> str:
    return f"{span // timedelta(days=1)} d" if span % timedelta(days=1) == timedelta(0) else f"{span // HOUR} h"


def _gap(rule: Sourced[timedelta] | None, *, hours: bool = False) -> str:
    if rule is None:
        return "–"
    return f"{rule.value // HOUR} h" if hours else _span(rule.value)


def _rule(of: DrugProfile) -> str:
    if of.missed_dose_rule is None:
        return "–"
    late, said = of.missed_dose_rule.value, "another"
    if isinstance(late, HoursBeforeNext):
        said = _span(late.gap)
    elif isinstance(late, MaxLate) and late.min_gap is not None:
        said = f"{_span(late.late)} late, {late.min_gap // HOUR} h"
    return f"{said} before the next{_sure(of.missed_dose_rule)}"


def _sure(rule: Sourced[T]) -> str:
    return {Confidence.SOURCED: "", Confidence.DEFAULT: " °"}[rule.confidence]


@pytest.mark.parametrize("row", CLOCK[1:], ids=lambda row: row[0])
def test_how_a_profile_reckons_time(row: tuple[str, ...]) -> None:
    """The missed-dose rule and the gaps of each drug, and no other drug's."""
    of = PROFILES[row[0]]
    apart = "–" if of.min_gap is None else f"{_gap(of.min_gap, hours=True)}{_sure(of.min_gap)}"
    gaps = "–" if of.gap_warn is None else f"{_gap(of.gap_warn)}, {_gap(of.gap_suspend) if of.gap_suspend else 'never'}"

    assert (of.key, _rule(of), apart, _gap(of.max_gap, hours=True), gaps) == row


def test_every_shipped_profile_stands_in_both_tables() -> None:
    """A new file needs its rows."""
    assert [[row[0] for row in table[1:]] for table in (LIMITS, CLOCK)] == [sorted(PROFILES), sorted(PROFILES)]


LAYOUTS = drawn("""
    profile                  | layout         | of        | a day, and its days
    clonidine-er             | label          | titration | –/0.1 0.1/0.1 0.1/0.2 ×7, 0.2/0.2 on
    gabapentin-ir            | label          | titration | –/–/300 300/–/300 ×1, 300/300/300 on
    metformin-ir             | NHS            | titration | 500/–/– 500/–/500 ×7, 500/500/500 on
    prednisolone-polymyalgia | 4 weeks a step | taper     | 15 12.5 10 9 8 7 6 5 4 3 2 1 ×28
    prednisolone-polymyalgia | 8 weeks a step | taper     | 15 12.5 10 ×28, 9 8 7 6 5 4 3 2 1 ×56
    pregabalin               | hospital plan  | titration | 75/75 150/150 ×7, 300/300 on
    semaglutide-ozempic      | label          | titration | 0.25 0.5 1 ×28 every 7, 2 on every 7
    venlafaxine-xr           | low start      | titration | 37.5 ×7, 75 on
    venlafaxine-xr           | trials         | taper     | 150 75 ×7
""")
"""The ready layouts of the other drugs, each the source's own: amounts of a day's doses in mg, and for how many days.

×7 is seven days for each of the amounts before it, *on* without an end, *every 7* a dose each seventh day, – no dose then.
Which slot of the day comes first is the source's for clonidine (the larger share at bedtime) and metformin (breakfast), and
Doseline's for gabapentin.

Source: the label or hospital plan of each, which `doseline drugs show` prints (sourced).
"""


def _said(template: Template) -> str:
    runs = groupby(template.phases, key=lambda phase: (phase.days, phase.every_n_days))
    return ", ".join(
        " ".join(_day(phase) for phase in phases) + (" on" if days is None else f" ×{days}") + ("" if every == 1 else f" every {every}")
        for (days, every), phases in runs
    )


def _day(phase: TemplatePhase) -> str:
    return "/".join("–" if amount is None else plain(amount.value) for amount in phase.amounts)


def test_the_layouts_of_the_other_drugs() -> None:
    """Each is its source's own, and sourced."""
    others = [(of, template) for of in PROFILES.values() if of.key != "baclofen-tablet" for template in of.templates]

    assert [(of.key, template.name, template.kind.value, _said(template)) for of, template in others] == list(LAYOUTS[1:])
    assert {template.basis.confidence for _, template in others} == {Confidence.SOURCED}


PREDNISOLONE = drawn("""
    layout         | 9 mg starts in week | the last 1 mg is in week
    4 weeks a step | 13                  | 48
    8 weeks a step | 13                  | 84
""")
"""How long the two tapers of prednisolone for polymyalgia take.

Source: Therapeutic Guidelines, Australia (sourced).
"""


@pytest.mark.parametrize(("name", "week_of_nine", "last_week"), PREDNISOLONE[1:])
def test_the_length_of_the_prednisolone_taper(name: str, week_of_nine: str, last_week: str) -> None:
    """9 mg starts, and the last dose of 1 mg is taken, in the table's weeks."""
    phases = next(template for template in PROFILES["prednisolone-polymyalgia"].templates if template.name == name).phases
    days = [phase.days or 0 for phase in phases]

    assert (sum(days[:3]) // 7 + 1, sum(days) // 7) == (int(week_of_nine), int(last_week))


EVERY_LAYOUT = [(of, template) for of in PROFILES.values() for template in of.templates]


@pytest.mark.parametrize(("of", "template"), EVERY_LAYOUT, ids=lambda it: it.key if isinstance(it, DrugProfile) else it.name)
def test_no_layout_breaks_the_limits_of_its_own_profile(of: DrugProfile, template: Template) -> None:
    """Checked as any plan is, each layout comes through without a finding.

    What no source gives is filled in as a provider would: the tablets of exactly these amounts, and a rule with 2 hours.
    """
    plan = a_layout(template, of.key, at=("06:00", "12:00", "18:00")[: len(template.phases[0].amounts)])
    if of.missed_dose_rule is None:
        plan = replace(plan, missed_dose_rule=HoursBeforeNext(2 * HOUR))
    sizes = None if of.tablets else tuple({amount for phase in template.phases for amount in phase.amounts if amount is not None})

    assert check_plan(plan, of, strengths=sizes) == ()


@pytest.mark.parametrize("of", PROFILES.values(), ids=lambda of: of.key)
def test_what_no_source_gives_must_be_filled_in(of: DrugProfile) -> None:
    """A plan that says neither is refused, with what is missing and who fills it in; an injection needs no tablets."""
    found = {finding.code: finding.message for finding in check_plan(a_plan(a_phase("1", at="08:00"), drug=of.key), of)}
    wanted = {"no_min_gap"} if of.min_gap is None else set()
    wanted |= {"no_strengths"} if not of.tablets and of.form != "injection" else set()

    assert {code for code in found if code.startswith("no_")} == wanted
    assert all("no source gives" in found[code] and "profile of its own" in found[code] for code in wanted)


def _errors(of: str, *phases: Phase, strengths: str = "") -> list[tuple[str, str, str, str]]:
    plan = replace(a_plan(*phases, drug=of), missed_dose_rule=HoursBeforeNext(2 * HOUR))
    sizes = tuple(Amount(Decimal(size)) for size in strengths.split()) or None
    found = check_plan(plan, PROFILES[of], strengths=sizes)
    return [(finding.code, finding.found, finding.limit, finding.source) for finding in found if finding.level is Severity.ERROR]


FOUR_TIMES = "06:00 12:00 18:00 23:00"
THREE_TIMES = "06:00 12:00 18:00"
TWICE = "08:00 20:00"
US = "US label text"
OZEMPIC = "US label; ozempic.com"
UK = "NHS; NHS Highland"


MAXIMA = (
    ("tizanidine", "2/2/2/2", a_phase("2/2/2/2", at=FOUR_TIMES), "2", ("too_many_doses", "4 doses in 24 hours", "3 doses", US)),
    ("tizanidine", "18/2", a_phase("18/2", at=TWICE), "2", ("dose_too_large", "18 mg", "16 mg", US)),
    ("tizanidine", "16/16/16", a_phase("16/16/16", at=THREE_TIMES), "2", ("day_too_large", "48 mg a day", "36 mg", US)),
    ("semaglutide-ozempic", "2 every 6 days", a_phase("2", at="08:00", every=6), "", ("week_too_large", "4 mg in 7 days", "2 mg", OZEMPIC)),
    ("semaglutide-ozempic", "2.5 a week", a_phase("2.5", at="08:00", every=7), "", ("dose_too_large", "2.5 mg", "2 mg", OZEMPIC)),
    ("metformin-ir", "1000/1000/500", a_phase("1000/1000/500", at=THREE_TIMES), "500", ("day_too_large", "2500 mg a day", "2000 mg", UK)),
    ("clonidine-er", "0.2/0.3", a_phase("0.2/0.3", at=TWICE), "0.1", ("day_too_large", "0.5 mg a day", "0.4 mg", "US label")),
)
"""Plans past a maximum: each is an error, which blocks.

Source: in the last column, as the finding quotes it (sourced).
"""


@pytest.mark.parametrize(("of", "words", "phase", "strengths", "error"), MAXIMA)
def test_a_plan_past_a_maximum_is_refused(of: str, words: str, phase: Phase, strengths: str, error: tuple[str, str, str, str]) -> None:
    """With the number found, the limit and its source."""
    assert error in _errors(of, phase, strengths=strengths), words


def test_doses_exactly_a_day_or_a_week_apart_are_not_in_one() -> None:
    """The fourth dose of tizanidine comes 24 hours after the first, and the next of Ozempic seven days after the last."""
    assert _errors("tizanidine", a_phase("2/2/2", at=THREE_TIMES), strengths="2") == []
    assert _errors("semaglutide-ozempic", a_phase("2", at="08:00", every=7)) == []


def test_a_benzodiazepine_is_only_tapered() -> None:
    """Nothing is known that a start could be held against."""
    assert ("only_tapers", "titration", "taper", "Doseline") in _errors("benzodiazepine-taper", a_phase("1", at="08:00"), strengths="1")


BENZODIAZEPINES = drawn("""
    mg a day, and its days         | found
    10 ×14, 9 ×14, 8 ×14           |
    10 ×14, 8 ×14, 6 ×14           | first cut 20 %
    10 ×7, 9 ×7, 7 ×7              | 30 % in 14 days
    10 ×14, 9 ×14, 6 ×14           | 33.3 % in 14 days
    10 ×14, 9 ×3, 8 ×3, 7 ×3       | 30 % in 14 days
    10 ×14, 10 ×1, 7.5 ×14         |
""")
"""How fast a benzodiazepine falls: each amount is held against the highest of the two weeks before it. 25 % is still allowed.

Source: joint guideline (ASAM) 2025 pocket guide (sourced).
"""


@pytest.mark.parametrize(("days", "found"), BENZODIAZEPINES[1:])
def test_how_fast_a_benzodiazepine_falls(days: str, found: str) -> None:
    """First cuts of 5 to 10 %, and not more than 25 % in two weeks: more than that needs a typed reason."""
    of = PROFILES["benzodiazepine-taper"]
    phases = [a_phase(amount, int(length), at="08:00") for amount, length in (part.split(" ×") for part in days.split(", "))]
    plan = replace(a_plan(*phases, drug=of.key, kind=Kind.TAPER), missed_dose_rule=HoursBeforeNext(2 * HOUR))
    seen = check_plan(plan, of, strengths=(Amount(Decimal("0.5")),))
    said = {"first_cut_too_large": "first cut {}", "falls_too_fast": "{}"}
    cuts = [said[finding.code].format(finding.found) for finding in seen if finding.code in said]

    assert cuts == ([found] if found else [])


CUTS = drawn("""
    profile        | of        | mg a day, and its days           | found
    clonidine-er   | taper     | 0.3 ×3, 0.2 ×3, 0.1 ×3           |
    clonidine-er   | taper     | 0.3 ×3, 0.2 ×2, 0.1 ×2           | too soon in phase 2: 2 days for 3; too soon in phase 3: 2 days for 3
    clonidine-er   | taper     | 0.4 ×7, 0.2 ×7, 0.1 ×7           | too large in phase 2: 0.2 mg a day for 0.1 mg
    clonidine-er   | taper     | 0.3 ×7, 0.2 ×7                   | too large in phase 2: 0.2 mg a day for 0.1 mg
    venlafaxine-xr | taper     | 150 ×7, 75 ×7                    |
    venlafaxine-xr | taper     | 225 ×7, 75 ×7                    | too large in phase 2: 150 mg a day for 75 mg
    venlafaxine-xr | titration | 75 ×4, 150 ×4, 75 on             | too soon in phase 2: 4 days for 7
    tizanidine     | taper     | 12 ×1, 8 ×1, 4 ×1                |
    tizanidine     | taper     | 12 ×1, 6 ×1, 2 ×1                | too large in phase 2: 6 mg a day for 4 mg
""")
"""How far and how soon a day may fall: all warnings. A taper's last step, to nothing, is a cut too; so is a step back.

Source: US labels, NHS Scotland and the drugs' dosage pages (sourced).
"""


@pytest.mark.parametrize("row", CUTS[1:], ids=lambda row: f"{row[0]} {row[2]}")
def test_how_far_and_how_soon_a_day_falls(row: tuple[str, ...]) -> None:
    """More than the source has it, or sooner, needs a typed reason; the finding names the phase."""
    key, kind, days, found = row
    parts = [part.replace(" on", " ×").split(" ×") for part in days.split(", ")]
    phases = [a_phase(amount, int(length) if length else None, at="08:00") for amount, length in parts]
    plan = replace(a_plan(*phases, drug=key, kind=Kind(kind)), missed_dose_rule=HoursBeforeNext(2 * HOUR))
    said = {"cut_too_large": "too large", "cut_too_soon": "too soon"}
    seen = [finding for finding in check_plan(plan, PROFILES[key], strengths=(Amount(Decimal("0.1")),)) if finding.code in said]
    cuts = [f"{said[one.code]} in phase {_phase_no(one.path)}: {one.found} for {one.limit.removesuffix(' days')}" for one in seen]

    assert "; ".join(cuts) == found
    assert {one.level for one in seen} <= {Severity.WARNING}


def _phase_no(path: str) -> int:
    return int(path.removeprefix("phases[").partition("]")[0]) + 1


LADDERS = drawn("""
    profile                  | doses a day | alert at | urgent at | suspended at, when reported
    baclofen-tablet          | 3           | 3        | 6         | 6
    benzodiazepine-taper     | 1           | 1        | 3         | 3
    clonidine-er             | 2           | 2        | 4         | 4
    clonidine-tablet         | 2           | 2        | 4         | 4
    gabapentin-ir            | 3           | 3        | 6         | 6
    metformin-ir             | 2           | 3        | –         | –
    prednisolone-polymyalgia | 1           | 1        | 6         | –
    pregabalin               | 2           | 2        | 4         | 4
    semaglutide-ozempic      | 1/7         | 2        | –         | 2
    tizanidine               | 3           | 3        | 6         | 6
    venlafaxine-xr           | 1           | 2        | 5         | 5
""")
"""What becomes of the gaps in doses, with each drug as it is usually taken: not taken running.

Source: Doseline's default.
"""


@pytest.mark.parametrize("row", LADDERS[1:], ids=lambda row: row[0])
def test_what_becomes_of_the_gaps_in_doses(row: tuple[str, ...]) -> None:
    """Silence never suspends; of what is reported, so many doses do."""
    ladder = Ladder.for_(PROFILES[row[0]], Fraction(row[1]))
    counts = (ladder.alert_after, ladder.urgent_after, ladder.gap_suspend_doses)

    assert (*row[:2], *("–" if count is None else str(count) for count in counts)) == row


@pytest.mark.parametrize("medicine", ["fluvoxamine 50 mg", "Ciprofloxacin"])
def test_what_is_contraindicated_blocks(medicine: str) -> None:
    """Tizanidine is not given beside these."""
    found = check_plan(a_plan(drug="tizanidine"), PROFILES["tizanidine"], facts=PatientFacts(medicines=(medicine,)))

    assert [finding.level for finding in found if finding.code == "interaction"] == [Severity.ERROR]
