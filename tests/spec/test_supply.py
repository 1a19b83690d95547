"""How many tablets are there, how long they last, and who must know: the rules of supply, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from reminders import drugs
from reminders.domain.plan import Amount, Course, Plan, Stay
from reminders.domain.supply import Tally, TallyKind, Use, Want, enough_for_phase, not_a_strength, on_hand, outlook, wants
from tests.builders import a_course, a_phase, a_plan, a_taper, a_titration, utc

BACLOFEN = drugs.load("baclofen")
FIVE, TEN = (Amount(Decimal(value)) for value in (5, 10))
START = utc("2026-03-02 05:00")
"""Midnight in New York, when every plan here begins."""

EVENTS = {"c": TallyKind.COUNTED, "a": TallyKind.ADDED}


def events(said: str) -> tuple[list[Tally], list[Use]]:
    """Read "c5:20 u10 a10:6": 20 tablets of 5 mg counted, 10 mg used, 6 tablets of 10 mg added; an hour apart each."""
    tallies, uses = [], []
    for hours, word in enumerate(said.split()):
        at = START + timedelta(hours=hours)
        if word[0] == "u":
            uses.append(Use(at, Amount(Decimal(word[1:]))))
        else:
            strength, _, count = word[1:].partition(":")
            tallies.append(Tally(at, EVENTS[word[0]], Amount(Decimal(strength)), int(count)))
    return tallies, uses


ON_HAND = (
    ("counted", "c5:20", {FIVE: 20}),
    ("what was taken before it was counted is not in the count", "u5 u5 c5:20", {FIVE: 20}),
    ("what was taken since is gone", "c5:20 u5 u10", {FIVE: 17}),
    ("what came is added", "c5:20 u5 a5:60", {FIVE: 79}),
    ("what came begins the count, where nobody had counted", "u5 a5:60 u5", {FIVE: 59}),
    ("a later count is what counts", "c5:20 u5 c5:12 u5", {FIVE: 11}),
    ("who took more than was counted had more: never less than none", "c5:1 u10 a5:30", {FIVE: 30}),
    ("a dose takes the fewest tablets of those spoken of", "c5:20 c10:9 u15", {TEN: 8, FIVE: 19}),
    ("half a tablet leaves the other half", "c10:10 u5", {TEN: 9}),
    ("and two halves are one tablet", "c10:10 u5 u5", {TEN: 9}),
)
"""What is on hand after what was counted (c), what came (a) and what was taken (u), in order of time.

Source: default
"""


@pytest.mark.parametrize(("rule", "said", "left"), ON_HAND, ids=[row[0] for row in ON_HAND])
def test_what_is_on_hand(rule: str, said: str, left: dict[Amount, int]) -> None:
    """The count, with what came since, less what was perhaps taken since."""
    tallies, uses = events(said)
    assert on_hand(tallies, uses, BACLOFEN) == left, rule


def test_the_tablets_of_the_plan_are_those_that_are_taken() -> None:
    """Where the plan names its tablets, a dose takes those its text names: 10 mg is two of 5 mg, and the one of 10 mg stays."""
    tallies, uses = events("c5:20 c10:1 u10")
    assert on_hand(tallies, uses, BACLOFEN, (FIVE,)) == {TEN: 1, FIVE: 18}


def taper_a(**changes: object) -> Plan:
    """Taper A of 5 mg tablets: 75 in all, 14 days."""
    return replace(a_taper("A"), strengths=(FIVE,), **changes)  # type: ignore[arg-type]


LASTS = (
    ("a taper with all its 75 tablets", taper_a(), 75, None, 0),
    ("a taper with one too few: its last dose is not there", taper_a(), 74, date(2026, 3, 15), 1),
    ("a taper with none", taper_a(), 0, date(2026, 3, 2), 75),
    ("5 mg three times a day: 12 tablets are four days", replace(a_plan(), strengths=(FIVE,)), 12, date(2026, 3, 6), 0),
    ("the label's rise: 9 and 18 tablets, then 9 of a day at 15 mg", replace(a_titration(), strengths=(FIVE,)), 36, date(2026, 3, 9), 0),
    ("120 days and more are as good as for ever", replace(a_plan(), strengths=(FIVE,)), 363, None, 0),
)
"""How long tablets of 5 mg last from 2 March, the first day: the date of the first dose that is not there, and what a taper lacks.

Source: arithmetic over taper A, the two-week layout of baclofen; default
"""


@pytest.mark.parametrize(("case", "plan", "tablets", "runs_out", "missing"), LASTS, ids=[row[0] for row in LASTS])
def test_how_long_they_last(case: str, plan: Plan, tablets: int, runs_out: date | None, missing: int) -> None:
    """Slot by slot, in order of time."""
    seen = outlook(a_course(plan), BACLOFEN, {FIVE: tablets}, since=START, now=START)
    assert (seen.runs_out.local_date if seen.runs_out else None, seen.missing.get(FIVE, 0)) == (runs_out, missing), case


STAYED = ((1, 81), (2, 87))
"""A taper that stays must still reach its end: each day more at 30 mg, six tablets of 5 mg, comes on top of the 75 of taper A.

Source: arithmetic; default
"""


@pytest.mark.parametrize(("stayed", "tablets"), STAYED)
def test_a_taper_that_stays_must_still_reach_its_end(stayed: int, tablets: int) -> None:
    """Each day more at 30 mg (days 5 to 8) takes six tablets on top of the 75; one less does not reach the end."""
    since = date(2026, 3, 10)
    version = replace(a_course(taper_a()).current, stays=(Stay(2, since),))
    course = Course((version,))
    now = utc(f"2026-03-{9 + stayed:02} 12:00")
    ends = [outlook(course, BACLOFEN, {FIVE: count}, since=START, now=now).runs_out for count in (tablets, tablets - 1)]

    assert (ends[0], ends[1] is not None) == (None, True)


H, D = timedelta(hours=1), timedelta(days=1)
WANTS: tuple[tuple[str, timedelta | None, bool, set[Want]], ...] = (
    ("lasts", None, False, set()),
    ("more than a week left", 7 * D + H, False, set()),
    ("a week left", 7 * D, False, {Want.ASK_FOR_MORE}),
    ("more than three days left", 3 * D + H, False, {Want.ASK_FOR_MORE}),
    ("three days left", 3 * D, False, {Want.ASK_FOR_MORE, Want.NEARLY_OUT}),
    ("none left", -H, False, {Want.ASK_FOR_MORE, Want.NEARLY_OUT}),
    ("a taper that runs out in a month", 30 * D, True, {Want.SHORT_OF_TAPER}),
    ("a taper that runs out in a week", 7 * D, True, {Want.SHORT_OF_TAPER, Want.ASK_FOR_MORE}),
    ("a taper that is covered", None, True, set()),
)
"""What is done about tablets that last so long. A taper that does not reach its end is told at once.

Source: default; that running out before a taper's end is urgent at once rests on what a sudden stop does (US baclofen labels, sourced)
"""


@pytest.mark.parametrize(("case", "remaining", "tapering", "wanted"), WANTS, ids=[row[0] for row in WANTS])
def test_what_the_outlook_calls_for(case: str, remaining: timedelta | None, tapering: bool, wanted: set[Want]) -> None:  # noqa: FBT001
    """A reminder to the patient, a word to the clinic, a safety alert."""
    plan = taper_a() if tapering else replace(a_plan(), strengths=(FIVE,))
    seen = outlook(a_course(plan), BACLOFEN, {FIVE: 0}, since=START, now=START)
    assert seen.runs_out is not None
    if remaining is None:
        seen, remaining = replace(seen, runs_out=None), D
    due_at = START if seen.runs_out is None else seen.runs_out.due_at

    assert wants(seen, now=due_at - remaining) == wanted, case


ENOUGH = (
    ("phase 2", 2, 27, True),
    ("phase 2", 2, 26, False),
    ("phase 4, without an end", 4, 138, True),
    ("phase 4, without an end", 4, 137, False),
)
"""Whether tablets of 5 mg, counted on the first day of the label's rise, are enough for a phase to come (without an end: its first week).

Source: default
"""


@pytest.mark.parametrize(("name", "phase_no", "tablets", "enough"), ENOUGH)
def test_enough_for_a_phase_to_come(name: str, phase_no: int, tablets: int, enough: bool) -> None:  # noqa: FBT001
    """Enough for what runs and the whole phase to come: 9 and 18 tablets of 5 mg; of one without an end, its first week."""
    course = a_course(replace(a_titration(), strengths=(FIVE,)))
    assert enough_for_phase(course, BACLOFEN, {FIVE: tablets}, phase_no, since=START) is enough, name


COUNTABLE = (
    ("a strength of the plan's", replace(a_plan(), strengths=(FIVE,)), "baclofen", FIVE, ""),
    (
        "one of the drug's, but not the plan's",
        replace(a_plan(), strengths=(FIVE,)),
        "baclofen",
        TEN,
        "no tablet of this plan has 10 mg: it is given in 5 mg",
    ),
    ("one of the drug's, where the plan names none", a_plan(), "baclofen", TEN, ""),
    (
        "one that does not exist",
        a_plan(),
        "baclofen",
        Amount(Decimal(7)),
        "no tablet of this plan has 7 mg: it is given in 5 mg, 10 mg, 20 mg",
    ),
    ("what is no tablet", a_plan(), "semaglutide-ozempic", FIVE, "Ozempic is not made of tablets: none are counted"),
)
"""Which tablets can be counted for a plan.

Source: default
"""


@pytest.mark.parametrize(("name", "plan", "drug", "strength", "why"), COUNTABLE)
def test_what_cannot_be_counted(name: str, plan: Plan, drug: str, strength: Amount, why: str) -> None:
    """Only tablets that the plan's doses can be made of; and nothing of what is no tablet."""
    assert not_a_strength(strength, plan, drugs.load(drug)) == why, name


def test_a_phase_that_has_doses_takes_them() -> None:
    """A plan of 10 mg twice a day takes 20 tablets of 10 mg in ten days; the eleventh day has none."""
    course = a_course(replace(a_plan(a_phase("10/-/10")), strengths=(TEN,)))
    seen = outlook(course, BACLOFEN, {TEN: 20}, since=START, now=START)

    assert seen.runs_out is not None
    assert seen.runs_out.local_date == date(2026, 3, 12)
