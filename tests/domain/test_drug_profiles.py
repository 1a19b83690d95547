from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from reminders import drugs
from reminders.domain.missed import AskProviderRule, Beyond, Boundary, Fraction, HoursBeforeNext, MaxLate, MissedDoseRule
from reminders.domain.plan import Amount
from reminders.domain.profile import Confidence, DrugProfile, Severity, Sourced, Template, TemplateKind, TemplatePhase
from reminders.drugs.profile_file import BadProfile, read_profile
from reminders.errors import NotFound

BACLOFEN = drugs.load("baclofen")


@pytest.mark.parametrize("name", ["baclofen-tablet", "baclofen", "BACLOFEN", "Lioresal", "lioresal", "baclofen tablets"])
def test_a_drug_is_found_by_any_of_its_names(name: str) -> None:
    """A key, a name, a brand, in any case: one profile."""
    assert drugs.load(name) is BACLOFEN


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("baclofin", "'baclofin'; nearest: baclofen-tablet; known: baclofen-tablet, benzodiazepine-taper, "),
        ("clonidine", "'clonidine'; name its form: clonidine-er or clonidine-tablet; known: "),
        ("Venlafaxine", "'Venlafaxine'; name its form: venlafaxine-xr; known: "),
        ("soap", "'soap'; known: baclofen-tablet, "),
    ],
)
def test_an_unknown_drug_is_refused_with_the_known_ones(name: str, words: str) -> None:
    """What is not known is not guessed: the answer says what comes near, which forms there are, and what is known."""
    with pytest.raises(drugs.UnknownDrug) as unknown:
        drugs.load(name)

    assert words in str(unknown.value)


def test_an_unknown_drug_is_a_thing_not_found() -> None:
    """The edges treat it like every other name that leads nowhere."""
    assert issubclass(drugs.UnknownDrug, NotFound)


def test_the_names_are_the_keys() -> None:
    """One file each, one key each, named as its file is; and no two go by one name."""
    files = sorted(path.stem for path in Path(drugs.__file__).parent.glob("*.toml"))
    called = [name.casefold() for key in files for name in {key, drugs.load(key).name, *drugs.load(key).aliases}]

    assert (list(drugs.names()), sorted(set(called))) == (files, sorted(called))


NUMBERS: list[tuple[Sourced[object] | None, object, Confidence, Severity]] = [
    (BACLOFEN.max_per_dose, Amount(Decimal(20)), Confidence.SOURCED, Severity.ERROR),
    (BACLOFEN.max_per_day, Amount(Decimal(80)), Confidence.SOURCED, Severity.ERROR),
    (BACLOFEN.ceiling_per_day, Amount(Decimal(100)), Confidence.SOURCED, Severity.ERROR),
    (BACLOFEN.max_in_24h, None, Confidence.SOURCED, Severity.ERROR),
    (BACLOFEN.start_max_per_day, Amount(Decimal(15)), Confidence.SOURCED, Severity.WARNING),
    (BACLOFEN.step_max_per_dose, Amount(Decimal(5)), Confidence.SOURCED, Severity.WARNING),
    (BACLOFEN.step_max_per_day, Amount(Decimal(15)), Confidence.SOURCED, Severity.WARNING),
    (BACLOFEN.step_min_days, 3, Confidence.SOURCED, Severity.WARNING),
    (BACLOFEN.taper_min_days, 7, Confidence.SOURCED, Severity.WARNING),
    (BACLOFEN.missed_dose_rule, HoursBeforeNext(timedelta(hours=2), Boundary.TAKE), Confidence.SOURCED, Severity.WARNING),
    (BACLOFEN.min_gap, timedelta(hours=2), Confidence.DEFAULT, Severity.WARNING),
    (BACLOFEN.max_gap, timedelta(hours=12), Confidence.DEFAULT, Severity.WARNING),
    (BACLOFEN.gap_warn, timedelta(hours=24), Confidence.DEFAULT, Severity.WARNING),
    (BACLOFEN.gap_suspend, timedelta(hours=48), Confidence.DEFAULT, Severity.WARNING),
    (BACLOFEN.older_from, 65, Confidence.DEFAULT, Severity.WARNING),
    (BACLOFEN.review_within, timedelta(days=42), Confidence.SOURCED, Severity.WARNING),
    (BACLOFEN.withdrawal_risk, True, Confidence.SOURCED, Severity.WARNING),
]


@pytest.mark.parametrize(("rule", "value", "confidence", "on_breach"), NUMBERS)
def test_the_numbers_of_baclofen(rule: Sourced[object] | None, value: object, confidence: Confidence, on_breach: Severity) -> None:
    """Each number is what its source says, as sure as it is; a maximum in 24 hours is not set, for it would forbid every late dose."""
    assert (rule and (rule.value, rule.confidence, rule.on_breach)) == (None if value is None else (value, confidence, on_breach))


def test_where_sources_disagree_the_cautious_number_is_active() -> None:
    """80 mg a day is held, the 100 mg of others are shown."""
    assert BACLOFEN.max_per_day is not None
    assert ("100 mg", "Therapeutic Guidelines") in BACLOFEN.max_per_day.disagrees


def test_kidney_bands_of_both_sources_are_kept() -> None:
    """Below 30 mL/min two sources disagree: both are held, neither is computed."""
    advice = [band.advice.value for band in BACLOFEN.kidney if band.holds(Decimal(25))]

    assert advice == ["lower the mean dose by 2/3", "avoid"]


SMALL = """
key = "small"
name = "small"
ingredient = "small"
form = "tablet"
unit = "mg"
[sources]
"a label" = "made up for the test"
[strengths]
value = ["5 mg"]
source = ["a label"]
confidence = "sourced"
[withdrawal_risk]
value = false
source = ["a label"]
confidence = "sourced"
[min_gap]
value = "90 min"
source = ["a label"]
confidence = "sourced"
"""


def small(more: str = "", **changes: str) -> DrugProfile:
    """Read the smallest profile there is, with some lines replaced or added."""
    text = SMALL
    for old, new in changes.items():
        text = text.replace(OLD[old], new)
    return read_profile(text + more, "small.toml")


def monitored(value: str) -> Callable[[], DrugProfile]:
    """A reader of a profile with one interaction, and what is asked because of it."""
    head = 'group = "x"\nnames = ["x"]\nadvice = "x"\nseverity = "low"\n'
    asked = f'monitoring = {{ value = {value}, source = ["a label"], confidence = "default" }}\n'
    return lambda: small(f'[[interactions]]\n{head}effect = {{ value = "x", source = ["a label"], confidence = "sourced" }}\n{asked}')


OLD = {
    "key": 'key = "small"',
    "unit": 'unit = "mg"',
    "sources": '"a label" = "made up for the test"',
    "whole_sources": '[sources]\n"a label" = "made up for the test"',
    "strengths": 'value = ["5 mg"]',
    "risk": "value = false",
    "gap": 'value = "90 min"',
    "gap_section": "[min_gap]",
}

SOURCE = 'source = ["a label"]\nconfidence = "sourced"\n'


def test_the_smallest_profile_knows_little() -> None:
    """What a file leaves out has no source, and stays empty."""
    profile = small()

    assert (profile.aliases, profile.max_per_day, profile.interactions, profile.kidney, profile.notes) == ((), None, (), (), ())
    assert profile.min_gap is not None
    assert profile.min_gap.value == timedelta(minutes=90)


def test_without_strengths_and_gap_a_profile_is_one_all_the_same() -> None:
    """No number is better than an invented one; who needs it refuses."""
    text = SMALL[: SMALL.index("[strengths]")] + SMALL[SMALL.index("[withdrawal_risk]") : SMALL.index("[min_gap]")]
    profile = read_profile(text, "small.toml")

    assert (profile.strengths, profile.tablets, profile.min_gap) == (None, (), None)


FIELDS = {
    "strengths": '["5 mg"]', "scored": '["5 mg"]', "withdrawal_risk": "true", "max_per_dose": '"5 mg"', "max_per_day": '"5 mg"',
    "max_in_24h": '"5 mg"', "start_max_per_day": '"5 mg"', "step_max_per_dose": '"5 mg"', "step_max_per_day": '"5 mg"',
    "step_min_days": "3", "taper_min_days": "3", "min_gap": '"2 h"', "max_gap": '"2 h"', "missed_dose_rule": '{ rule = "ask_provider" }',
    "gap_warn": '"2 h"', "gap_suspend": '"2 h"', "red_flags": '["fit"]', "ceiling_per_day": '"5 mg"', "usual_per_day": '["5 mg", "9 mg"]',
    "slot_added": '"one"', "older_from": "65", "kidney_caution": '"care"', "review_within": '"42 d"', "max_per_week": '"5 mg"',
    "max_doses_in_24h": "3", "longest_gap": '"12 h"', "cut_max_per_day": '"5 mg"', "cut_min_days": "3",
    "cut_max_percent": '{ percent = "25", days = 14 }', "first_cut_percent": '"10"',
}  # fmt: skip
"""Every field of a profile that holds a value with a source, and a value for it."""


def test_no_field_with_a_source_is_forgotten() -> None:
    """A field added to the profile comes into the test below."""
    sourced = {field.name for field in fields(DrugProfile) if str(field.type).startswith("Sourced[")}

    assert set(FIELDS) == sourced


@pytest.mark.parametrize("name", FIELDS)
def test_no_number_stands_without_its_source(name: str) -> None:
    """Each field is read with a source that the file lists, and refused without one, or with one that it does not list."""
    alone = SMALL
    for given in ("strengths", "withdrawal_risk", "min_gap"):
        if given == name:
            begins = alone.index(f"[{given}]")
            ends = alone.find("[", alone.index("confidence", begins))
            alone = alone[:begins] + (alone[ends:] if ends >= 0 else "")
    section = f"[{name}]\nvalue = {FIELDS[name]}\n"
    faults = []
    for said in ('confidence = "sourced"\n', SOURCE.replace("a label", "hearsay")):
        with pytest.raises(BadProfile) as refused:
            read_profile(alone + section + said, "small.toml")
        faults.append((refused.value.path, refused.value.message))

    assert getattr(read_profile(alone + section + SOURCE, "small.toml"), name).source == "a label"
    assert faults == [
        (f"small.toml: {name}.source", "is missing"),
        (f"small.toml: {name}.source", "'hearsay' is not among the file's [sources]"),
    ]


RULES: list[tuple[str, MissedDoseRule]] = [
    ('rule = "hours_before_next", gap = "6 h", at_limit = "skip"', HoursBeforeNext(timedelta(hours=6), Boundary.SKIP)),
    ('rule = "max_late", late = "5 d", min_gap = "48 h"', MaxLate(timedelta(days=5), timedelta(hours=48))),
    ('rule = "max_late", late = "2 h", beyond = "ask"', MaxLate(timedelta(hours=2), beyond=Beyond.ASK)),
    ('rule = "fraction", of_gap = "0.5"', Fraction(Decimal("0.5"))),
    ('rule = "ask_provider"', AskProviderRule()),
]


@pytest.mark.parametrize(("written", "rule"), RULES)
def test_every_missed_dose_rule_can_be_written(written: str, rule: MissedDoseRule) -> None:
    """The rules of the table, each as its data."""
    profile = small(f"[missed_dose_rule]\nvalue = {{ {written} }}\n{SOURCE}")

    assert profile.missed_dose_rule is not None
    assert profile.missed_dose_rule.value == rule


BASIS = 'basis = { value = "said so", source = ["a label"], confidence = "sourced" }'
WEEKLY = f"""
[[templates]]
name = "weekly"
kind = "titration"
times = ["08:00", "20:00"]
phases = [
  {{ amounts = ["-", "5 mg"], days = 28, every_n_days = 7 }},
  {{ amounts = ["5 mg", "5 mg"] }},
]
{BASIS}
"""


def test_a_ready_layout_can_have_empty_slots_and_rest_days() -> None:
    """A slot that does not exist in a phase is none, and a phase may run every n days."""
    five = Amount(Decimal(5))
    phases = TemplatePhase((None, five), 28, every_n_days=7), TemplatePhase((five, five), None)
    basis = Sourced("said so", "a label", Confidence.SOURCED)

    assert small(WEEKLY).templates == (Template("weekly", TemplateKind.TITRATION, (time(8), time(20)), phases, None, basis),)


def weekly(old: str, new: str) -> Callable[[], object]:
    """Read the smallest profile with a weekly layout, a part of which is replaced."""
    return lambda: small(WEEKLY.replace(old, new))


REFUSED: dict[str, tuple[Callable[[], object], str, str]] = {
    "not TOML": (lambda: read_profile("key = ", "small.toml"), "small.toml", "not TOML"),
    "no sources": (lambda: small(whole_sources=""), "small.toml: sources", "must be a table"),
    "a source of nothing": (lambda: small(sources='"a label" = ""'), "small.toml: sources.a label", "a text"),
    "no key": (lambda: small(key=""), "small.toml: key", "is missing"),
    "a misspelt field": (lambda: small("[max_per_dya]\n"), "small.toml: max_per_dya", "misspelt"),
    "a misspelt part": (lambda: small(f'[max_per_day]\nvalue = "80 mg"\nvalu = 1\n{SOURCE}'), "small.toml: max_per_day.valu", "misspelt"),
    "no table": (lambda: small(key='key = "small"\nmax_per_day = "80 mg"'), "small.toml: max_per_day", "must be a table"),
    "unsourced": (
        lambda: small('[max_per_day]\nvalue = "80 mg"\nconfidence = "sourced"\n'), "small.toml: max_per_day.source", "is missing",
    ),
    "an empty source": (
        lambda: small('[max_per_day]\nvalue = "80 mg"\nsource = []\nconfidence = "sourced"\n'), "small.toml: max_per_day.source", "a list",
    ),
    "no confidence": (
        lambda: small('[max_per_day]\nvalue = "80 mg"\nsource = ["a label"]\n'), "small.toml: max_per_day.confidence", "is missing",
    ),
    "a confidence of its own": (
        lambda: small('[max_per_day]\nvalue = "80 mg"\nsource = ["a label"]\nconfidence = "sure"\n'),
        "small.toml: max_per_day.confidence", "not one of sourced, second-hand, default",
    ),
    "a source nobody listed": (
        lambda: small('[max_per_day]\nvalue = "80 mg"\nsource = ["hearsay"]\nconfidence = "sourced"\n'),
        "small.toml: max_per_day.source", "'hearsay' is not among",
    ),
    "a dissenting source nobody listed": (
        lambda: small(f'[max_per_day]\nvalue = "80 mg"\ndisagrees = [["90 mg", "hearsay"]]\n{SOURCE}'),
        "small.toml: max_per_day.source", "'hearsay' is not among",
    ),
    "a dissent without a source": (
        lambda: small(f'[max_per_day]\nvalue = "80 mg"\ndisagrees = [["90 mg"]]\n{SOURCE}'), "small.toml: max_per_day.disagrees", "pairs",
    ),
    "an error on hearsay": (
        lambda: small('[max_per_day]\nvalue = "80 mg"\nsource = ["a label"]\nconfidence = "second-hand"\non_breach = "error"\n'),
        "small.toml: max_per_day.on_breach", "rests on a sourced number",
    ),
    "an error on a default": (
        lambda: small('[max_per_day]\nvalue = "80 mg"\nsource = ["a label"]\nconfidence = "default"\non_breach = "error"\n'),
        "small.toml: max_per_day.on_breach", "rests on a sourced number",
    ),
    "a strength without a unit": (lambda: small(strengths='value = ["5"]'), "small.toml: strengths.value[0]", "not an amount"),
    "a strength of no number": (lambda: small(strengths='value = ["five mg"]'), "small.toml: strengths.value[0]", "not a decimal"),
    "a strength of nothing": (lambda: small(strengths='value = ["0 mg"]'), "small.toml: strengths.value[0]", "above zero"),
    "a strength below nothing": (lambda: small(strengths='value = ["-5 mg"]'), "small.toml: strengths.value[0]", "zero or more"),
    "a strength without end": (lambda: small(strengths='value = ["Infinity mg"]'), "small.toml: strengths.value[0]", "zero or more"),
    "a float": (lambda: small(strengths="value = [5.0]"), "small.toml: strengths.value[0]", "a text"),
    "no list": (lambda: small(strengths='value = "5 mg"'), "small.toml: strengths.value", "a list"),
    "neither true nor false": (lambda: small(risk='value = "no"'), "small.toml: withdrawal_risk.value", "true or false"),
    "a gap without a unit": (lambda: small(gap='value = "90"'), "small.toml: min_gap.value", "a span of time"),
    "a gap of no number": (lambda: small(gap='value = "two h"'), "small.toml: min_gap.value", "a span of time"),
    "a gap of nothing": (lambda: small(gap='value = "0 h"'), "small.toml: min_gap.value", "a span of time"),
    "a limit in another unit": (
        lambda: small(f'[max_per_day]\nvalue = "80 mcg"\n{SOURCE}'), "small.toml: unit", "is mg, but the file also says 80 mcg",
    ),
    "half a day": (lambda: small(f"[step_min_days]\nvalue = 2.5\n{SOURCE}"), "small.toml: step_min_days.value", "whole number"),
    "a day of truth": (lambda: small(f"[step_min_days]\nvalue = true\n{SOURCE}"), "small.toml: step_min_days.value", "whole number"),
    "no days": (lambda: small(f"[step_min_days]\nvalue = 0\n{SOURCE}"), "small.toml: step_min_days.value", "whole number"),
    "an unknown rule": (
        lambda: small(f'[missed_dose_rule]\nvalue = {{ rule = "double" }}\n{SOURCE}'),
        "small.toml: missed_dose_rule.value.rule", "'double' is not hours_before_next",
    ),
    "a rule with a part too many": (
        lambda: small(f'[missed_dose_rule]\nvalue = {{ rule = "ask_provider", gap = "2 h" }}\n{SOURCE}'),
        "small.toml: missed_dose_rule.value.gap", "misspelt",
    ),
    "an interaction without an effect": (
        lambda: small('[[interactions]]\ngroup = "x"\nnames = ["x"]\nadvice = "x"\nseverity = "low"\n'),
        "small.toml: interactions[0].effect", "is missing",
    ),
    "what is forbidden and only a note": (
        lambda: small(
            '[[interactions]]\ngroup = "x"\nnames = ["x"]\nadvice = "x"\nseverity = "low"\n'
            'effect = { value = "x", source = ["a label"], confidence = "sourced", on_breach = "error" }\n'
        ),
        "small.toml: interactions[0].severity", "is of severity high, this is low",
    ),
    "laboratory checks that nobody dates": (
        lambda: small(
            '[[interactions]]\ngroup = "x"\nnames = ["x"]\nadvice = "x"\nseverity = "low"\n'
            'effect = { value = "x", source = ["a label"], confidence = "sourced" }\n'
            'labs = { value = ["x"], source = ["a label"], confidence = "sourced" }\n'
        ),
        "small.toml: interactions[0].labs", "dated where it is acknowledged",
    ),
    "monitoring of nothing known": (
        monitored('{ asks = ["pulse"], days = [1] }'), "small.toml: interactions[0].monitoring.value.asks[0]", "not one of symptoms",
    ),
    "monitoring at no time": (monitored('{ asks = ["fluids"] }'), "small.toml: interactions[0].monitoring.value.days", "when it is asked"),
    "monitoring on day nought": (
        monitored('{ asks = ["fluids"], days = [0] }'), "small.toml: interactions[0].monitoring.value.days[0]", "whole number",
    ),
    "monitoring of no symptom": (
        monitored('{ asks = ["fluids"], weekly = true, raises = ["Z"] }'),
        "small.toml: interactions[0].monitoring.value.raises", "no symptom's letter",
    ),
    "a layout of no source": (weekly(BASIS, ""), "small.toml: templates[0].basis", "is missing"),
    "a layout on hearsay": (weekly("a label", "hearsay"), "small.toml: templates[0].basis.source", "'hearsay' is not among"),
    "a layout of no kind": (weekly("titration", "rise"), "small.toml: templates[0].kind", "not one of titration, taper"),
    "two layouts of one name": (lambda: small(WEEKLY + WEEKLY), "small.toml: templates[1].name", "another template's name"),
    "a layout of no phases": (weekly("phases", "days"), "small.toml: templates[0].phases", "is missing"),
    "a phase of no dose": (weekly('"-", "5 mg"', '"-", "-"'), "small.toml: templates[0].phases[0].amounts", "at least one dose"),
    "a phase of no days": (weekly("days = 28", "days = 0"), "small.toml: templates[0].phases[0].days", "whole number"),
    "a phase of too few slots": (weekly('"-", "5 mg"', '"5 mg"'), "small.toml: templates[0].phases[0].amounts", "must have 2 slots"),
    "an open phase in the middle": (weekly("days = 28, ", ""), "small.toml: templates[0].phases[0].days", "only the last phase"),
    "a taper without end": (weekly("titration", "taper"), "small.toml: templates[0].phases[1].days", "only the last phase of a titration"),
    "a time of no clock": (weekly("08:00", "8:00"), "small.toml: templates[0].times[0]", "not a local time"),
    "a time past midnight": (weekly("20:00", "24:60"), "small.toml: templates[0].times[1]", "not a local time"),
    "times out of order": (weekly("08:00", "21:00"), "small.toml: templates[0].times", "must rise"),
    "a unit nobody knows": (lambda: small(unit='unit = "spoon"'), "small.toml: unit", "not one of mg"),
    "no unit": (lambda: small(unit=""), "small.toml: unit", "is missing"),
    "a cut of everything": (
        lambda: small(f'[first_cut_percent]\nvalue = "100"\n{SOURCE}'), "small.toml: first_cut_percent.value", "between 0 and 100",
    ),
    "a cut within no days": (
        lambda: small(f'[cut_max_percent]\nvalue = {{ percent = "25" }}\n{SOURCE}'), "small.toml: cut_max_percent.value.days", "is missing",
    ),
    "a date in quotes": (
        lambda: small('[approved]\nby = "Dr. Ada Sample"\non = "2026-03-01"\n'), "small.toml: approved.on", "a date, like 2026-03-01",
    ),
    "an hour for a date": (
        lambda: small('[approved]\nby = "Dr. Ada"\non = 2026-03-01T08:00:00\n'), "small.toml: approved.on", "a date, like 2026-03-01",
    ),
    "approved by nobody": (lambda: small("[approved]\non = 2026-03-01\n"), "small.toml: approved.by", "is missing"),
    "a replacement nobody approved": (lambda: small(key='key = "small"\nreplaces = true'), "small.toml: approved", "names who approved it"),
    "interactions in no list": (lambda: small(key='key = "small"\ninteractions = "none"'), "small.toml: interactions", "a list"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_profile_that_cannot_be_trusted_is_refused(name: str) -> None:
    """A number without a source, an unknown field, an error on hearsay: refused, with the path of the fault."""
    read, path, words = REFUSED[name]

    with pytest.raises(BadProfile) as refused:
        read()

    assert refused.value.path == path
    assert words in refused.value.message
