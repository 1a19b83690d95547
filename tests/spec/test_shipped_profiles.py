from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

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

LIMITS = drawn("""
    profile                  | start a day | a dose  | a day      | usual a day    | rise a day | rise after | cut a day | cut after | taper
    baclofen-tablet          | 15 mg w     | 20 mg e | 80 mg e≠   | 40–80 mg w     | 15 mg w    | 3 w        | –         | –         | 7 w≠
    benzodiazepine-taper     | –           | –       | –          | –              | –          | –          | –         | –         | –
    clonidine-er             | 0.1 mg w    | –       | 0.4 mg e   | –              | 0.1 mg w   | 7 w        | 0.1 mg w  | 3 w       | –
    clonidine-tablet         | 0.2 mg w    | –       | 2.4 mg e   | 0.2–0.6 mg w   | 0.1 mg w   | 7 w        | –         | –         | 2 w
    gabapentin-ir            | 300 mg w    | –       | 3600 mg w  | 1800–3600 mg w | –          | –          | –         | –         | 7 w
    metformin-ir             | 500 mg w    | –       | 2000 mg e≠ | –              | 500 mg w   | 7 w        | –         | –         | –
    prednisolone-polymyalgia | 15 mg w     | –       | –          | –              | –          | –          | –         | 28 w      | –
    pregabalin               | 150 mg w    | –       | 600 mg e   | 150–600 mg w   | –          | 7 w≠       | –         | –         | 7 w
    semaglutide-ozempic      | 0.25 mg w   | 2 mg e  | –          | 0.5–2 mg w     | –          | 28 w       | –         | –         | –
    tizanidine               | 2 mg w≠     | 16 mg e | 36 mg e≠   | –              | 2 mg w≠    | 3 w≠       | 4 mg w    | –         | –
    venlafaxine-xr           | 75 mg w     | –       | 225 mg w   | 75–225 mg w    | 75 mg w    | 4 w        | 75 mg w   | 7 w       | 14 w≠
""")
"""What the shipped profiles hold a plan against. All of these numbers are sourced; days where there is no unit.

e: an error, which blocks. w: a warning, which needs a typed reason. ≠: sources disagree; the cautious one stands here, the
others are shown beside it. –: no source gives it, and nothing is checked.

The top of a range that no source calls a maximum warns (gabapentin, venlafaxine). Of Ozempic no week holds more than 2 mg.
Tizanidine is taken at most three times in 24 hours. A benzodiazepine falls by 10 % at its first
cut and by 25 % in two weeks at most, and nothing else is known of it.
"""

CLOCK = drawn("""
    profile                  | missed dose                      | two doses apart | seam | gap: warn, suspend when reported
    baclofen-tablet          | 2 h before the next s            | 2 h d           | 12 h | 1 d, 2 d
    benzodiazepine-taper     | –                                | –               | –    | 1 d, 3 d
    clonidine-er             | –                                | –               | –    | 1 d, 2 d
    clonidine-tablet         | –                                | –               | –    | 1 d, 2 d
    gabapentin-ir            | 2 h before the next s            | 2 h d           | 12 h | 1 d, 2 d
    metformin-ir             | –                                | –               | –    | –
    prednisolone-polymyalgia | –                                | –               | –    | 1 d, never
    pregabalin               | 2 h before the next s            | 2 h d           | 12 h | 1 d, 2 d
    semaglutide-ozempic      | 5 d late, 48 h before the next s | 48 h s          | –    | 7 d, 14 d
    tizanidine               | –                                | –               | 12 h | 1 d, 2 d
    venlafaxine-xr           | –                                | –               | –    | 2 d, 5 d
""")
"""How the shipped profiles reckon time. s: sourced; d: our default. The seam and the gaps are defaults throughout.

Where a drug has no missed-dose rule the patient is told to call, unless the plan has a rule of its own; without a time
between two doses, the drug's or that rule's, a plan is refused. Where to stop is the only hazard (a steroid) nothing is
suspended.
"""

PROFILES = {key: drugs.load(key) for key in drugs.names()}


def _limit(rule: Sourced[Amount] | Sourced[int] | Sourced[tuple[Amount, ...]] | None) -> str:
    if rule is None:
        return "–"
    assert rule.confidence is Confidence.SOURCED
    value = rule.value
    said = f"{plain(value[0].value)}–{value[1]}" if isinstance(value, tuple) else str(value)
    return f"{said} {rule.on_breach.value[0]}{'≠' if rule.disagrees else ''}"


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
    return f"{said} before the next {of.missed_dose_rule.confidence.value[0]}"


@pytest.mark.parametrize("row", CLOCK[1:], ids=lambda row: row[0])
def test_how_a_profile_reckons_time(row: tuple[str, ...]) -> None:
    """The missed-dose rule and the gaps of each drug, and no other drug's."""
    of = PROFILES[row[0]]
    apart = "–" if of.min_gap is None else f"{_gap(of.min_gap, hours=True)} {of.min_gap.confidence.value[0]}"
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
"""The ready layouts of the other drugs, each the source's own: amounts of a day's slots in mg, and for how many days.

Which slot of the day comes first is the source's for clonidine (the larger share at bedtime) and metformin (breakfast), and
Doseline's for gabapentin. Prednisolone: 9 mg starts in week 13; the last 1 mg is taken at the end of week 48 or of week 84.
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


@pytest.mark.parametrize(("name", "week_of_nine", "last_week"), [("4 weeks a step", 13, 48), ("8 weeks a step", 13, 84)])
def test_the_length_of_the_prednisolone_taper(name: str, week_of_nine: int, last_week: int) -> None:
    """9 mg starts in week 13, and the last dose of 1 mg ends week 48 or 84."""
    phases = next(template for template in PROFILES["prednisolone-polymyalgia"].templates if template.name == name).phases
    days = [phase.days or 0 for phase in phases]

    assert (sum(days[:3]) // 7 + 1, sum(days) // 7) == (week_of_nine, last_week)


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
OZEMPIC = "US label; ozempic.com"
UK = "NHS; NHS Highland"


@pytest.mark.parametrize(
    ("of", "phase", "strengths", "error"),
    [
        ("tizanidine", a_phase("2/2/2/2", at=FOUR_TIMES), "2", ("too_many_doses", "4 doses in 24 hours", "3 doses", "US label text")),
        ("tizanidine", a_phase("18/2", at="08:00 20:00"), "2", ("dose_too_large", "18 mg", "16 mg", "US label text")),
        ("tizanidine", a_phase("16/16/16", at="06:00 12:00 18:00"), "2", ("day_too_large", "48 mg a day", "36 mg", "US label text")),
        ("semaglutide-ozempic", a_phase("2", at="08:00", every=6), "", ("week_too_large", "4 mg in 7 days", "2 mg", OZEMPIC)),
        ("semaglutide-ozempic", a_phase("2.5", at="08:00", every=7), "", ("dose_too_large", "2.5 mg", "2 mg", OZEMPIC)),
        ("metformin-ir", a_phase("1000/1000/500", at=THREE_TIMES), "500", ("day_too_large", "2500 mg a day", "2000 mg", UK)),
        ("clonidine-er", a_phase("0.2/0.3", at="08:00 20:00"), "0.1", ("day_too_large", "0.5 mg a day", "0.4 mg", "US label")),
    ],
)  # fmt: skip
def test_a_plan_past_a_maximum_is_refused(of: str, phase: Phase, strengths: str, error: tuple[str, str, str, str]) -> None:
    """With the number found, the limit and its source."""
    assert error in _errors(of, phase, strengths=strengths)


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
    10 ×14, 10 ×1, 7.5 ×14         | 25 % is the most that it may
""")
"""How fast a benzodiazepine falls: each amount is held against the highest of the two weeks before it."""


@pytest.mark.parametrize(("days", "found"), BENZODIAZEPINES[1:])
def test_how_fast_a_benzodiazepine_falls(days: str, found: str) -> None:
    """First cuts of 5 to 10 %, and not more than 25 % in two weeks: more than that needs a typed reason."""
    of = PROFILES["benzodiazepine-taper"]
    phases = [a_phase(amount, int(length), at="08:00") for amount, length in (part.split(" ×") for part in days.split(", "))]
    plan = replace(a_plan(*phases, drug=of.key, kind=Kind.TAPER), missed_dose_rule=HoursBeforeNext(2 * HOUR))
    seen = check_plan(plan, of, strengths=(Amount(Decimal("0.5")),))
    said = {"first_cut_too_large": "first cut {}", "falls_too_fast": "{}"}
    cuts = [said[finding.code].format(finding.found) for finding in seen if finding.code in said]

    assert cuts == ([found] if "first" in found or "in 14" in found else [])


CUTS = drawn("""
    profile        | of        | mg a day, and its days           | found
    clonidine-er   | taper     | 0.3 ×3, 0.2 ×3, 0.1 ×3           |
    clonidine-er   | taper     | 0.3 ×3, 0.2 ×2, 0.1 ×2           | too soon at 1: 2 days for 3; too soon at 2: 2 days for 3
    clonidine-er   | taper     | 0.4 ×7, 0.2 ×7, 0.1 ×7           | too large at 1: 0.2 mg a day for 0.1 mg
    clonidine-er   | taper     | 0.3 ×7, 0.2 ×7                   | too large at 1: 0.2 mg a day for 0.1 mg
    venlafaxine-xr | taper     | 150 ×7, 75 ×7                    |
    venlafaxine-xr | taper     | 225 ×7, 75 ×7                    | too large at 1: 150 mg a day for 75 mg
    venlafaxine-xr | titration | 75 ×4, 150 ×4, 75 on             | too soon at 1: 4 days for 7
    tizanidine     | taper     | 12 ×1, 8 ×1, 4 ×1                |
    tizanidine     | taper     | 12 ×1, 6 ×1, 2 ×1                | too large at 1: 6 mg a day for 4 mg
""")
"""How far and how soon a day may fall. A taper's last step, to nothing, is a cut too; a plan that only goes back a step makes one."""


@pytest.mark.parametrize("row", CUTS[1:], ids=lambda row: f"{row[0]} {row[2]}")
def test_how_far_and_how_soon_a_day_falls(row: tuple[str, ...]) -> None:
    """More than the source has it, or sooner, needs a typed reason; the finding names the phase."""
    key, kind, days, found = row
    parts = [part.replace(" on", " ×").split(" ×") for part in days.split(", ")]
    phases = [a_phase(amount, int(length) if length else None, at="08:00") for amount, length in parts]
    plan = replace(a_plan(*phases, drug=key, kind=Kind(kind)), missed_dose_rule=HoursBeforeNext(2 * HOUR))
    said = {"cut_too_large": "too large", "cut_too_soon": "too soon"}
    seen = [finding for finding in check_plan(plan, PROFILES[key], strengths=(Amount(Decimal("0.1")),)) if finding.code in said]
    cuts = [
        f"{said[one.code]} at {one.path.split('[')[1].split(']')[0]}: {one.found} for {one.limit.removesuffix(' days')}" for one in seen
    ]

    assert "; ".join(cuts) == found
    assert {one.level for one in seen} <= {Severity.WARNING}


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
"""What becomes of the gaps in doses, with each drug as it is usually taken: not taken running. All of it is our default."""


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
