"""Check-ins, as tables: on which days a patient is asked, and what the answers call for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from reminders import drugs
from reminders.domain.check_in import Report, SignalKind, Watch, asked_on, next_check_in, raised, signals
from reminders.domain.plan import CheckInItem, CheckIns, InvalidPlan, Plan
from tests.builders import a_phase, a_plan, utc

S, R, P = CheckInItem.SYMPTOMS, CheckInItem.STIFFNESS, CheckInItem.BLOOD_PRESSURE
M, W, H = CheckInItem.SPASMS, CheckInItem.IN_THE_WAY, CheckInItem.BENEFIT
DAY = timedelta(days=1)
BEGAN = utc("2026-03-02 05:00")


def asking(*phases: int | None, items: tuple[CheckInItem, ...] = (S, R), closely: bool = False) -> Plan:
    """A plan whose phases last so many days, from 2 March on."""
    return replace(a_plan(*(a_phase("5/5/5", days) for days in phases)), check_ins=CheckIns(items, closely))


def march(plan: Plan, until: int = 31) -> list[int]:
    """The days of March on which a plan asks anything."""
    return [day for day in range(1, until + 1) if asked_on(plan, date(2026, 3, day))]


DAYS = [
    ("second and last day of each phase", asking(3, 3), [3, 4, 6, 7]),
    ("a phase of one day", asking(1, 1, 2), [2, 3, 5]),
    ("a phase of two days: once", asking(2), [3]),
    ("a phase of a week", asking(7), [3, 8]),
    ("without an end: the second day, then weekly", asking(None), [3, 9, 16, 23, 30]),
    ("the last phase without an end", asking(3, None), [3, 4, 6, 12, 19, 26]),
    ("closely: three days after each change, too", asking(5, 5, closely=True), [2, 3, 4, 6, 7, 8, 9, 11]),
    ("closely, without an end", asking(None, closely=True), [2, 3, 4, 9, 16, 23, 30]),
    ("blood pressure: the second day and weekly", asking(10, 3, items=(P,)), [3, 9, 13]),
    ("spasms: once in each week of the plan", asking(3, 3, 3, None, items=(M,)), [3, 9, 18, 25]),
    ("spasms, without an end", asking(None, items=(M,)), [3, 9, 16, 23, 30]),
    ("in the way, and benefit: at each check-in", asking(3, 3, items=(W, H)), [3, 4, 6, 7]),
    ("no check-ins", a_plan(), []),
]
"""On which days a plan asks how it goes, counted from its first.

It asks on the second and the last day of each phase, and weekly where a phase has no end. *Closely* is asked for by name: for
older patients, weak kidneys, or beside medicines that make drowsy.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("plan", "days"), [row[1:] for row in DAYS], ids=[row[0] for row in DAYS])
def test_the_days(plan: Plan, days: list[int]) -> None:
    """A plan asks on exactly these days, and each is the next one from the day before it."""
    assert march(plan) == days
    after = date(2026, 2, 1)
    for day in days:
        found = next_check_in(plan, after)
        assert found == date(2026, 3, day)
        after = found


ITEMS = (
    ("the day before the plan", 1, ()),
    ("the second day", 3, (S, R, P)),
    ("the third day", 4, ()),
    ("the last day of the phase", 8, (S, R)),
    ("the first day of the next phase", 9, ()),
    ("its second day", 10, (S, R, P)),
    ("weeks after the plan", 30, ()),
)
"""What is asked on which day, by a plan of 7 and 3 days that asks for all three.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("day", "items"), [row[1:] for row in ITEMS], ids=[row[0] for row in ITEMS])
def test_what_is_asked(day: int, items: tuple[CheckInItem, ...]) -> None:
    """Blood pressure has days of its own."""
    assert asked_on(asking(7, 3, items=(S, R, P)), date(2026, 3, day)) == items


@pytest.mark.parametrize("after", [date(2026, 3, 7), date(2026, 6, 1)])
def test_a_plan_that_is_over_asks_no_more(after: date) -> None:
    """After the last day of the last phase nothing is asked."""
    assert next_check_in(asking(3, 3), after) is None


def test_without_an_end_there_is_always_a_next() -> None:
    """A year into a phase without an end the patient is asked within the week."""
    found = next_check_in(asking(None), date(2027, 3, 1))
    assert found is not None
    assert date(2027, 3, 1) < found <= date(2027, 3, 8)


BESIDE = [
    ("CNS depressants: three days from each change", "diazepam", (5, 5), 0, [2, 3, 4, 7, 8, 9]),
    ("CNS depressants, added on the fourth day", "oxycodone", (9,), 3, [5, 6, 7]),
    ("CNS depressants, added on the day before a change", "alcohol", (5, 5), 4, [6, 7, 8, 9]),
    ("antihypertensives: day 2 of each phase, and weekly", "lisinopril", (3, 3, 5), 0, [3, 6, 9]),
    ("antihypertensives, without an end", "lisinopril", (None,), 0, [3, 9, 16, 23, 30]),
    ("antihypertensives, added on the fourth day", "lisinopril", (None,), 3, [6, 12, 19, 26]),
    ("muscle relaxants: day 2 of each phase", "tizanidine", (5, 5), 0, [3, 8]),
    ("muscle relaxants, added on the fourth day", "tizanidine", (None,), 3, [6]),
    ("tricyclics: as muscle relaxants", "amitriptyline", (5, 5), 0, [3, 8]),
    ("diuretics: weekly", "furosemide", (3, 3, None), 0, [9, 16, 23, 30]),
    ("diuretics, added on the fourth day", "furosemide", (None,), 3, [12, 19, 26]),
    ("lithium: a note, and no question", "lithium", (5, 5), 0, []),
    ("no interaction", "vitamin D", (5, 5), 0, []),
]
"""On which days a patient on baclofen is asked because of another medicine, counted from the plan's first.

The plan itself asks nothing. CNS depressants: sleepiness and breathing; antihypertensives: blood pressure; muscle relaxants and
tricyclics: the five symptoms; diuretics: fluids. That a medicine is added counts as a change.

Source: the interactions are the article's and MIMS' (sourced); questions and days are Doseline's default.
"""


def beside(medicine: str, since: date) -> list[Watch]:
    """What the baclofen profile has asked because of another medicine."""
    groups = [group for group in drugs.load("baclofen").interactions if group.knows(medicine)]
    return [Watch(group.monitoring.value, since) for group in groups if group.monitoring]


@pytest.mark.parametrize(("medicine", "phases", "added", "days"), [row[1:] for row in BESIDE], ids=[row[0] for row in BESIDE])
def test_the_days_because_of_another_medicine(medicine: str, phases: tuple[int | None, ...], added: int, days: list[int]) -> None:
    """Beside another medicine a plan asks on exactly these days, and each is the next one from the day before it."""
    plan = replace(asking(*phases), check_ins=None)
    watches = beside(medicine, date(2026, 3, 2) + added * DAY)
    assert [day for day in range(1, 32) if asked_on(plan, date(2026, 3, day), watches)] == days
    after = date(2026, 2, 1)
    for day in days:
        after = next_check_in(plan, after, watches) or after
        assert after == date(2026, 3, day)


ASKED_BESIDE = [
    ("diazepam", CheckInItem.SLEEPINESS),
    ("lisinopril", CheckInItem.BLOOD_PRESSURE),
    ("tizanidine", CheckInItem.SYMPTOMS),
    ("amitriptyline", CheckInItem.SYMPTOMS),
    ("furosemide", CheckInItem.FLUIDS),
]
"""What is asked because of another medicine.

Source: the interactions are the article's and MIMS' (sourced); the questions are Doseline's default.
"""


@pytest.mark.parametrize(("medicine", "item"), ASKED_BESIDE)
def test_what_is_asked_because_of_another_medicine(medicine: str, item: CheckInItem) -> None:
    """Each class of medicines has its own question; what the plan asks anyway is asked once."""
    day = date(2026, 3, 9 if medicine == "furosemide" else 3)
    plan = asking(None, items=(R, S))
    assert asked_on(plan, day, beside(medicine, plan.start)) == tuple(dict.fromkeys((R, S, item)))


def test_what_is_asked_before_a_medicine_is_on_the_list() -> None:
    """Nothing is asked because of a medicine before the day on which it is added."""
    plan = replace(asking(None), check_ins=None)
    assert not any(asked_on(plan, date(2026, 3, day), beside("diazepam", date(2026, 3, 20))) for day in range(1, 20))


HIGHER = [
    ("dizzy at grade 2, nothing beside it", "vitamin D", "B2", []),
    ("dizzy at grade 1, beside an antihypertensive", "lisinopril", "B1", []),
    ("dizzy at grade 2, beside an antihypertensive", "lisinopril", "B2", [SignalKind.SEVERE]),
    ("not dizzy, beside an antihypertensive", "lisinopril", "B0", []),
    ("headache at grade 2, beside an antihypertensive", "lisinopril", "D2", []),
]
"""Dizziness counts one grade higher beside a medicine that lowers the blood pressure.

Source: that the pressure may fall further is the article's (sourced); the grade is Doseline's default.
"""


@pytest.mark.parametrize(("medicine", "text", "kinds"), [row[1:] for row in HIGHER], ids=[row[0] for row in HIGHER])
def test_dizziness_beside_an_antihypertensive(medicine: str, text: str, kinds: list[SignalKind]) -> None:
    """The newest report calls for exactly this."""
    watches = beside(medicine, date(2026, 3, 2))
    found = signals([told(text, 2)], began=BEGAN, tapering=False, raised=raised(watches))
    assert [signal.kind for signal in found] == kinds


@pytest.mark.parametrize("items", [(), (S, S)])
def test_what_is_asked_is_named_once(items: tuple[CheckInItem, ...]) -> None:
    """Check-ins that ask nothing, or the same twice, cannot exist."""
    with pytest.raises(InvalidPlan, match="items"):
        CheckIns(items)


def told(text: str, day: float) -> Report:
    """A report from "A2 S4 W+ F-" on a day of the plan, from 1; "N" is no symptom."""
    grades = {token[0]: int(token[1]) for token in text.split() if token[0] in "ABCDE"}
    rated = [int(token[1:]) for token in text.split() if token[0] == "S"]
    ticks = {token[0]: token[1] == "+" for token in text.split() if token[0] in "WFHL"}
    return Report(BEGAN + (day - 1) * DAY, grades if grades or "N" in text else None, rated[0] if rated else None, ticks)


def found(*reports: tuple[float, str], tapering: bool = False) -> list[SignalKind]:
    """What the last of some reports calls for."""
    return [signal.kind for signal in signals([told(text, day) for day, text in reports], began=BEGAN, tapering=tapering)]


K = SignalKind
CALLS = [
    ("nothing told", (), []),
    ("no symptom", ((2, "N"),), []),
    ("mild", ((2, "A1 E1"),), []),
    ("grade 2 of what makes no dose too high", ((2, "B2 D2 E2"),), []),
    ("grade 3", ((2, "D3"),), [K.SEVERE]),
    ("grade 3 that has passed", ((2, "D3"), (3, "N")), []),
    ("drowsy at grade 2", ((2, "A2"),), [K.TOO_HIGH]),
    ("drowsy at grade 3", ((2, "A3"),), [K.SEVERE, K.TOO_HIGH]),
    ("weak at grade 2", ((2, "C2"),), [K.TOO_HIGH]),
    ("weak at grade 1", ((2, "C1"),), []),
    ("in the way, without weakness", ((2, "A1 W+"),), []),
    ("weak at grade 1, not in the way", ((2, "C1 W-"),), []),
    ("weak at grade 1, and in the way", ((2, "C1 W+"),), [K.TOO_HIGH]),
    ("weak; in another text of the day, in the way", ((2, "C1"), (2.5, "W+")), [K.TOO_HIGH]),
    ("in the way; in another text of the day, weak", ((2, "W+"), (3, "C1")), [K.TOO_HIGH]),
    ("weak; more than a day later, in the way", ((2, "C1"), (3.1, "W+")), []),
    ("weak, and no more so when it is in the way", ((2, "C1"), (2.2, "N"), (2.5, "W+")), []),
    ("weak and in the way, then something else", ((2, "C1 W+"), (2.5, "S3")), []),
    ("weak at grade 2, and in the way", ((2, "C2 W+"),), [K.TOO_HIGH]),
    ("hard to concentrate", ((2, "F+"),), [K.TOO_HIGH]),
    ("loses fluids", ((2, "L+"),), [K.FLUIDS]),
    ("loses none", ((2, "L-"),), []),
    ("not hard to concentrate", ((2, "F-"),), []),
    ("it does not help", ((8, "H-"), (9, "H-")), []),
    ("stiff twice, and hard to concentrate", ((8, "S6"), (9, "S6 F+")), [K.TOO_HIGH]),
    ("three check-ins running", ((2, "E1"), (3, "E1"), (5, "E2")), [K.PERSISTENT]),
    ("two running", ((2, "E1"), (3, "E1")), []),
    ("three, but not running", ((2, "E1"), (3, "N"), (5, "E1"), (6, "E1")), []),
    ("two, eight days apart", ((2, "E1"), (10, "E1")), [K.PERSISTENT]),
    ("two, seven days apart", ((2, "E1"), (9, "E1")), []),
    ("ratings between do not break a run", ((2, "E1"), (3, "S2"), (4, "E1"), (5, "E1")), [K.PERSISTENT]),
    ("stiff at 4 twice, a week into the plan", ((8, "S4"), (9, "S4")), [K.TOO_LOW]),
    ("stiff twice, too early to say", ((6, "S9"), (7, "S9")), []),
    ("one of the two too early", ((7, "S9"), (8, "S9")), []),
    ("stiff at 4 and 3", ((8, "S4"), (9, "S3")), []),
    ("stiff, better, stiff", ((8, "S8"), (9, "S3"), (10, "S8")), []),
    ("stiff twice, and drowsy", ((8, "S6"), (9, "A2 S6")), [K.TOO_HIGH]),
    ("stiff twice; symptoms alone told since", ((8, "S6"), (9, "S6"), (10, "N")), []),
]
"""What the answers of a patient on a rising plan call for: a person looks, and no dose changes.

A drowsy, B dizzy, C weak, D headache, E sick, each from 1 mild to 3 severe; N none; S is stiffness from 0 to 10.
W side effects get in the way, F hard to concentrate, H it helps, L loses fluids: + yes, - no. Day 2.5 is half a day after day 2. *Too
high* and *too low* are signs that the dose may be so; full effect takes days to weeks, so *too low* waits a week.

Source: the items and signs are the article's (sourced); grades, days and limits are Doseline's default.
"""


@pytest.mark.parametrize(("reports", "kinds"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_what_calls_for_a_look(reports: tuple[tuple[float, str], ...], kinds: list[SignalKind]) -> None:
    """The newest report calls for exactly this, on a plan that rises."""
    assert found(*reports) == kinds


TAPERING: tuple[tuple[str, list[SignalKind]], ...] = (("S6", []), ("S7", [K.STIFF_ON_TAPER]), ("S10", [K.STIFF_ON_TAPER]), ("N", []))
"""What one answer calls for on a taper: severe stiffness goes to a person at once.

Source: 7 of 10 and more is severe (Ther Adv Neurol Disord 2023, sourced); what it calls for is Doseline's default.
"""


@pytest.mark.parametrize(("rating", "kinds"), TAPERING)
def test_stiffness_on_a_taper(rating: str, kinds: list[SignalKind]) -> None:
    """From 7 of 10 on, stiffness on a taper goes to a person at once."""
    assert found((2, rating), tapering=True) == kinds


def test_the_words_have_the_numbers() -> None:
    """Each signal says in words what was found."""
    reports = [told("S5", 8), told("A3 C2 S6", 9)]
    words = [signal.words for signal in signals(reports, began=BEGAN, tapering=False)]
    low = [signal.words for signal in signals([told("S5", 8), told("S6", 9)], began=BEGAN, tapering=False)]
    assert words == ["drowsiness at grade 3 of 3", "drowsiness at grade 3 and weakness at grade 2"]
    both = [signal.words for signal in signals([told("C1 W+ F+", 2)], began=BEGAN, tapering=False)]
    assert both == ["weakness that gets in the way of the day and hard to concentrate"]
    assert low == ["stiffness 5 and then 6 of 10, at two check-ins running"]
