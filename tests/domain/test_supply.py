from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from reminders import drugs
from reminders.domain.plan import Amount, Course, Stay, Version
from reminders.domain.schedule import slots_between, slots_of_dates
from reminders.domain.supply import shortfall, stay_supply, tablets_needed
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
