from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from reminders import drugs
from reminders.domain.plan import Amount, Course, Stay, Version
from reminders.domain.schedule import slots_between, slots_of_dates
from reminders.domain.supply import (
    PhaseNeed,
    StaySupply,
    Tally,
    TallyKind,
    enough_for_phase,
    in_words,
    needs_by_phase,
    on_hand,
    outlook,
    shortfall,
    stay_supply,
    stay_words,
    tablets_needed,
)
from tests.builders import a_course, a_phase, a_plan, a_taper, a_titration, utc

BACLOFEN = drugs.load("baclofen")
FIVE, TEN, TWENTY = (Amount(Decimal(value)) for value in (5, 10, 20))

# Taper A from 2 March: day 8 is the 9th, the last day at 30 mg; noon of the 10th in UTC lies between its last dose and day 9's first.
TAPER = a_taper("A")
AFTER_DAY_8 = utc("2026-03-10 12:00")
TWO_DAYS_MORE = Stay(2, date(2026, 3, 10), extra_days=2)


def left(**counts: int) -> dict[Amount, int]:
    """The tablets left, by strength."""
    sizes = {"five": FIVE, "ten": TEN, "twenty": TWENTY}
    return {sizes[name]: count for name, count in counts.items()}


def test_slots_take_the_fewest_tablets() -> None:
    """The label's first twelve days take 18 tablets of 5 mg, 18 of 10 mg and 9 of 20 mg."""
    plan = a_titration()
    slots = slots_of_dates(plan, plan.start, date(2026, 3, 14))

    assert tablets_needed(slots, BACLOFEN) == {TWENTY: 9, TEN: 18, FIVE: 18}


def test_a_stay_in_a_taper_takes_what_the_end_needs() -> None:
    """Two days more at 30 mg after day 8 of taper A take 12 tablets of 5 mg; 15 are left and all 15 are needed."""
    supply = stay_supply(a_course(TAPER), BACLOFEN, TWO_DAYS_MORE, now=AFTER_DAY_8, left=left(five=15))

    assert (supply.extra, supply.needed, supply.short) == ({FIVE: 12}, {FIVE: 27}, {FIVE: 12})


def test_enough_tablets_are_not_short() -> None:
    """With 27 tablets the same stay is covered."""
    supply = stay_supply(a_course(TAPER), BACLOFEN, TWO_DAYS_MORE, now=AFTER_DAY_8, left=left(five=27))

    assert supply.short == {}


def test_a_refill_ends_the_reckoning() -> None:
    """Tablets need only last to the refill: 2 days at 30 mg until the evening of the 11th."""
    supply = stay_supply(a_course(TAPER), BACLOFEN, TWO_DAYS_MORE, now=AFTER_DAY_8, left=left(five=15), refill_at=utc("2026-03-12 04:00"))

    assert (supply.needed, supply.short) == ({FIVE: 12}, {})


def test_without_an_end_or_a_refill_the_stay_itself_is_reckoned() -> None:
    """A titration goes on without end, so only the stay is counted where no refill is known."""
    course = a_course(a_titration())
    supply = stay_supply(course, BACLOFEN, Stay(1, date(2026, 3, 5), 3), now=utc("2026-03-05 12:00"), left=left(five=8))

    assert (supply.extra, supply.needed, supply.short) == ({FIVE: 9}, {FIVE: 9}, {FIVE: 1})


def test_a_stay_after_a_stay_counts_only_itself() -> None:
    """An earlier stay has moved the phase's end already; an open one is the one being asked about."""
    earlier = (Stay(2, date(2026, 3, 10), 1), Stay(2, date(2026, 3, 11)))
    course = Course((Version(TAPER, a_course(TAPER).current.effective_at, stays=earlier),))
    supply = stay_supply(course, BACLOFEN, Stay(2, date(2026, 3, 11), 2), now=utc("2026-03-11 12:00"), left=left(five=27))

    assert (supply.extra, supply.short) == ({FIVE: 12}, {})


def test_older_versions_still_count_for_their_days() -> None:
    """The stay is laid into the current version alone."""
    current = Version(TAPER, AFTER_DAY_8, no=2)
    course = Course((*a_course(a_plan(start="2026-03-02")).versions, current))
    supply = stay_supply(course, BACLOFEN, TWO_DAYS_MORE, now=utc("2026-03-09 12:00"), left=left(five=100))

    assert supply.needed == {FIVE: 3 + 27}


@pytest.mark.parametrize("stay", [Stay(4, date(2026, 3, 12), 2), Stay(1, date(2026, 3, 4))])
def test_a_stay_without_an_end_cannot_be_counted(stay: Stay) -> None:
    """A stay of unknown length, or in the phase that never ends, has no number of tablets."""
    with pytest.raises(ValueError, match="has no end"):
        stay_supply(a_course(a_titration()), BACLOFEN, stay, now=utc("2026-03-04 00:00"), left={})


@pytest.mark.parametrize(
    ("tablets", "missing"),
    [
        (left(twenty=3), {}),
        (left(twenty=1), {TWENTY: 2}),
        (left(ten=5), {TEN: 1}),
        (left(), {TWENTY: 3}),
        (left(twenty=2, ten=10), {TWENTY: 1}),
    ],
)
def test_what_is_missing_is_said_by_strength(tablets: dict[Amount, int], missing: dict[Amount, int]) -> None:
    """A day of 20/20/20 is short of the tablets its text will name, though others could make it up."""
    course = a_course(a_plan(a_phase("20/20/20")))
    day: tuple[datetime, datetime] = (utc("2026-03-02 00:00"), utc("2026-03-03 04:00"))

    assert shortfall(slots_between(course, *day), BACLOFEN, tablets) == missing


def test_one_tablet_missing_is_missing() -> None:
    """A single dose with no tablet left is short of one."""
    slots = slots_between(a_course(a_plan(a_phase("20", at="08:00"))), utc("2026-03-02 00:00"), utc("2026-03-03 00:00"))

    assert shortfall(slots, BACLOFEN, {}) == {TWENTY: 1}


START = utc("2026-03-02 05:00")
OLDER = (
    Version(a_plan(start="2026-02-02"), utc("2026-02-02 05:00")),
    Version(a_plan(a_phase("10/10/10"), start="2026-02-20"), utc("2026-02-20 05:00"), no=2),
)


def after_others(course: Course) -> Course:
    """The course with two older versions before it, the later of 10 mg three times a day."""
    return Course((*OLDER, *(replace(version, no=3) for version in course.versions)))


def test_what_is_on_hand_is_said_largest_first() -> None:
    """Whatever was counted first."""
    tallies = [Tally(START, TallyKind.COUNTED, size, 1) for size in (FIVE, TWENTY, TEN)]

    assert list(on_hand(tallies, [], BACLOFEN)) == [TWENTY, TEN, FIVE]


def test_what_each_phase_takes() -> None:
    """By phase, with its first and last date and its tablets; what is due at the very start is not among them."""
    needs = needs_by_phase(a_course(a_titration()), BACLOFEN, {}, since=utc("2026-03-03 19:00"), until=utc("2026-03-09 13:00"))

    assert needs == (
        PhaseNeed(1, date(2026, 3, 3), date(2026, 3, 4), {FIVE: 4}),
        PhaseNeed(2, date(2026, 3, 5), date(2026, 3, 7), {TEN: 9}),
        PhaseNeed(3, date(2026, 3, 8), date(2026, 3, 9), {TEN: 4, FIVE: 4}),
    )


@pytest.mark.parametrize(
    ("strengths", "tablets", "taken"),
    [((FIVE,), {}, {FIVE: 6}), ((), {FIVE: 1}, {FIVE: 6}), ((), {}, {TEN: 3}), ((TEN,), {FIVE: 1}, {TEN: 3})],
    ids=["the plan's tablets", "those that are there", "the drug's", "the plan's before those that are there"],
)
def test_of_which_tablets_a_phase_takes(strengths: tuple[Amount, ...], tablets: dict[Amount, int], taken: dict[Amount, int]) -> None:
    """A day of 10/10/10."""
    course = a_course(replace(a_plan(a_phase("10/10/10")), strengths=strengths))
    (need,) = needs_by_phase(course, BACLOFEN, tablets, since=START, until=START + timedelta(days=1))

    assert need.tablets == taken


@pytest.mark.parametrize(("strengths", "out", "missing"), [((FIVE,), True, {FIVE: 75}), ((), False, {})])
def test_of_which_tablets_an_outlook_reckons(strengths: tuple[Amount, ...], out: bool, missing: dict[Amount, int]) -> None:  # noqa: FBT001
    """Taper A with tablets of 10 and 5 mg at home: where the plan says 5 mg alone, those of 10 mg are of no use."""
    course = a_course(replace(TAPER, strengths=strengths))
    seen = outlook(course, BACLOFEN, {TEN: 40, FIVE: 0} if strengths else {TEN: 40, FIVE: 40}, since=START, now=START)

    assert (seen.runs_out is not None, seen.missing) == (out, missing)
    assert enough_for_phase(course, BACLOFEN, seen.left, 2, since=START) is not out


def test_tablets_that_the_plan_does_not_name_are_of_no_use() -> None:
    """Ten milligrams are two tablets of 5 mg where the plan says so: a box of 10 mg does not help."""
    course = a_course(replace(a_plan(a_phase("10/10/10", 3), a_phase("10/10/10")), strengths=(FIVE,)))
    seen = outlook(course, BACLOFEN, {TEN: 999, FIVE: 0}, since=START, now=START)

    assert (seen.runs_out is not None, enough_for_phase(course, BACLOFEN, seen.left, 2, since=START)) == (True, False)


def test_no_tablets_in_words() -> None:
    """None is said to be none."""
    assert in_words({}) == "none"


def test_an_outlook_says_what_it_was_reckoned_from() -> None:
    """What is left, and a taper's last day; of a plan that is no taper, no end, and nothing missing."""
    tapering = outlook(a_course(TAPER), BACLOFEN, {FIVE: 75}, since=START, now=START)
    rising = outlook(a_course(a_plan(a_phase("5/5/5", 3))), BACLOFEN, {FIVE: 1}, since=START, now=START)

    assert (tapering.left, tapering.ends) == ({FIVE: 75}, date(2026, 3, 15))
    assert (rising.ends, rising.missing) == (None, {})


def test_a_long_taper_is_reckoned_to_its_end() -> None:
    """Half a year of 5 mg three times a day: 546 tablets, not those of the next 120 days."""
    course = a_course(replace(a_taper(), phases=(a_phase("5/5/5", 182),)))

    assert outlook(course, BACLOFEN, {FIVE: 545}, since=START, now=START).missing == {FIVE: 1}


def test_a_plan_that_stays_is_no_taper_that_stays() -> None:
    """Of a plan that rises and stays, the doses of the phase it stays on go on and on."""
    version = replace(a_course(a_titration()).current, stays=(Stay(1, date(2026, 3, 5)),))
    seen = outlook(Course((version,)), BACLOFEN, {FIVE: 12}, since=START, now=START)

    assert seen.runs_out is not None
    assert (seen.runs_out.local_date, seen.runs_out.phase_no) == (date(2026, 3, 6), 1)


def test_a_stay_that_is_over_is_laid_in_as_it_was() -> None:
    """A taper that stayed two days, and stays again: the first stay keeps its days."""
    stays = (Stay(1, date(2026, 3, 6), 2), Stay(2, date(2026, 3, 12)))
    course = Course((replace(a_course(TAPER).current, stays=stays),))
    needed = 75 + 2 * 9 + 6  # two days more at 45 mg, and one at 30 mg

    for tablets, out in ((needed, False), (needed - 1, True)):
        seen = outlook(course, BACLOFEN, {FIVE: tablets}, since=START, now=utc("2026-03-12 12:00"))
        assert (seen.runs_out is not None) is out


def test_an_older_version_is_behind_a_taper_that_stays() -> None:
    """What the older version laid out before is counted where it still is to come."""
    version = replace(a_course(TAPER).current, stays=(Stay(2, date(2026, 3, 10)),))
    course = after_others(Course((version,)))
    since = utc("2026-03-01 05:00")  # a day of the plan before: six tablets
    lasts = [outlook(course, BACLOFEN, {FIVE: count}, since=since, now=utc("2026-03-10 12:00")).runs_out for count in (87, 86)]

    assert (lasts[0], lasts[1] is not None) == (None, True)


def test_an_older_version_is_behind_a_stay() -> None:
    """A third version's stay leaves the doses of the ones before it as they are."""
    course = after_others(a_course(TAPER))
    supply = stay_supply(course, BACLOFEN, TWO_DAYS_MORE, now=utc("2026-03-01 05:00"), left=left(five=100))

    assert supply.needed == {FIVE: 6 + 75 + 12}


@pytest.mark.parametrize(
    ("short", "words"),
    [
        ({}, "3 days more take 9 of 5 mg on top of what follows."),
        ({FIVE: 2}, "3 days more take 9 of 5 mg on top of what follows; missing: 2 of 5 mg."),
    ],
)
def test_a_stay_in_words(short: dict[Amount, int], words: str) -> None:
    """What it takes, and what of that is not there."""
    assert stay_words(StaySupply({FIVE: 9}, {FIVE: 9}, short)) == words
