from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from reminders import drugs
from reminders.domain.gaps import max_gap_of
from reminders.domain.plan import Course, Plan, Version
from reminders.domain.schedule import instant_of, jumped_slots, next_slot, slots_between, totals_by_date
from reminders.domain.seam import Seam, SeamProblem, join, too_close
from tests.builders import FOUR, THREE, a_course, a_phase, a_plan, a_taper, times, utc
from tests.seams import JUNE_10, MAX_GAP, MIN_GAP, Taken, drawn, taken_until, three_a_day

NEW_YORK, LONDON, TOKYO = "America/New_York", "Europe/London", "Asia/Tokyo"
PROVIDER = "too_long, too_short"


def test_an_edit_in_the_afternoon_starts_in_the_evening() -> None:
    """Changed at 15:00 from three times a day to 09:00 and 21:00, the next dose is at 21:00, 7 h after the last."""
    plan = three_a_day(NEW_YORK)
    seam = taken_until(plan, "14:00").joined(
        replace(plan, phases=(a_phase("5/5", at="09:00 21:00"),)), at=instant_of(JUNE_10, times("15:00")[0], plan.tz)
    )

    assert drawn(seam) == ("10 21:00", "7 h", "", "")


def test_without_a_daily_maximum_the_same_slot_stands() -> None:
    """Where no source sets a maximum only the gaps decide."""
    old = a_plan(a_phase("20/20/20/20", at=FOUR), zone=LONDON, start="2026-06-01")

    assert drawn(taken_until(old, "06:00").joined(replace(old, zone=NEW_YORK))) == ("10 06:00", "5 h", "", "")


def test_too_long_alone_is_a_problem_of_its_own() -> None:
    """A new plan that begins tomorrow, with nothing before to jump over, is too long but not too short."""
    plan = three_a_day(NEW_YORK)
    seam = taken_until(plan, "20:00").joined(replace(plan, phases=(a_phase("5", at="20:00"),)))

    assert drawn(seam) == ("11 20:00", "24 h", "", "too_long")


def test_without_a_last_dose_nothing_is_too_near() -> None:
    """A patient who has taken nothing yet starts with the next slot, with no gap to measure."""
    plan = three_a_day(NEW_YORK)
    seam = join(
        a_course(plan), plan, at=utc("2026-06-10 11:00"), last=None, min_gap=MIN_GAP, max_gap=MAX_GAP, used={}, planned_by_date={},
        max_per_day=None,
    )  # fmt: skip

    assert drawn(seam) == ("10 08:00", "", "", "")


def test_a_slot_due_at_the_seam_itself_is_the_new_plans() -> None:
    """A slot of the new plan that is due in the very minute of the seam is its first, and nothing was jumped over."""
    plan = three_a_day(NEW_YORK)
    seam = taken_until(plan, "08:00").joined(plan, at=instant_of(JUNE_10, times("14:00")[0], plan.tz))

    assert (drawn(seam), seam.version.first_at) == (("10 14:00", "6 h", "", ""), None)


def test_without_a_maximum_gap_no_seam_is_too_long() -> None:
    """Where no longest gap is known, none is held against the seam."""
    plan = three_a_day(NEW_YORK)
    late = taken_until(plan, "14:00")
    seam = join(
        late.course, replace(plan, zone=LONDON), at=late.last, last=late.last, min_gap=MIN_GAP, max_gap=None, used={}, planned_by_date={},
        max_per_day=None,
    )  # fmt: skip

    assert drawn(seam) == ("11 08:00", "13 h", "10 20:00", "")


def test_a_gap_of_exactly_two_hours_is_allowed() -> None:
    """The minimum gap itself is far enough."""
    plan = three_a_day(NEW_YORK)
    seam = taken_until(plan, "18:00").joined(plan)

    assert drawn(seam) == ("10 20:00", "2 h", "", "")


def test_a_gap_of_exactly_the_maximum_is_allowed() -> None:
    """The longest gap itself is not too long."""
    plan = three_a_day(NEW_YORK)
    seam = taken_until(plan, "20:00").joined(plan)

    assert drawn(seam) == ("11 08:00", "12 h", "", "")


def test_a_slot_jumped_over_at_the_minimum_gap_was_not_too_short() -> None:
    """Of a slot two hours after the last dose only the daily maximum is in the way: what remains is too long, and no more."""
    plan = a_plan(a_phase("10/10", at="08:00 10:00"), zone=NEW_YORK, start="2026-06-01")
    seam = taken_until(plan, "08:00").joined(plan, max_per_day=Decimal(10))

    assert drawn(seam)[2:] == ("10 10:00", "too_long")


def test_a_plan_with_nothing_left_goes_to_the_provider() -> None:
    """If the last dose of a taper is too near, it is jumped over, nothing follows, and a person must look."""
    taper = a_taper("A", start="2026-06-01")
    seam = taken_until(taper, "19:00", taper.start + timedelta(days=13)).joined(taper)

    assert drawn(seam) == ("none", "", "14 20:00", "nothing_left")


def test_a_plan_that_is_over_has_nothing_to_jump_over() -> None:
    """Joined to a plan whose days are past, no slot is left and none was jumped over."""
    taper = a_taper("A", start="2026-06-01")
    seam = taken_until(taper, "20:00", taper.start + timedelta(days=20)).joined(taper)

    assert (drawn(seam), seam.version.first_at) == (("none", "", "", "nothing_left"), None)


def test_what_is_jumped_over_never_falls_due() -> None:
    """After the join the course goes from the last old slot to the first new one."""
    moved = taken_until(three_a_day(NEW_YORK), "08:00")
    seam = moved.joined(three_a_day(LONDON))
    course = Course((*moved.course.versions, seam.version))

    assert next_slot(course, moved.last) == seam.first
    assert jumped_slots(seam.version) == seam.jumped


def test_the_new_version_is_the_next_number_and_begins_at_the_seam() -> None:
    """A join makes the following version of the plan, in force from its instant on."""
    moved = taken_until(three_a_day(NEW_YORK), "08:00")
    version = moved.joined(three_a_day(LONDON)).version

    assert (version.no, version.effective_at, version.plan.zone) == (2, moved.last + timedelta(minutes=1), LONDON)


def test_numbers_on_record_are_never_used_again() -> None:
    """Numbers go on after those on record and those laid out, whichever is higher; old dates are left out."""
    plan = three_a_day(NEW_YORK)
    moved = taken_until(plan, "14:00")
    on_record = {JUNE_10: 5, date(2026, 6, 1): 3}
    seam = join(
        moved.course, plan, at=moved.last + timedelta(minutes=1), last=moved.last, min_gap=MIN_GAP, max_gap=MAX_GAP, used=on_record,
        planned_by_date={}, max_per_day=None,
    )  # fmt: skip

    assert dict(seam.version.used) == {date(2026, 6, 8): 3, date(2026, 6, 9): 3, JUNE_10: 5}
    assert seam.first is not None
    assert (seam.first.number, seam.first.phase_no) == (6, 1)


def test_two_seams_on_one_day_keep_every_number_apart() -> None:
    """Moved twice within hours, slots taken, jumped and to come all have names of their own."""
    first = taken_until(three_a_day(NEW_YORK), "08:00")
    over = first.joined(three_a_day(LONDON))
    course = Course((*first.course.versions, over.version))
    back = Taken(course, first.last, {}).joined(three_a_day(NEW_YORK), at=first.last + timedelta(hours=3))
    both = Course((*course.versions, back.version))
    slots = slots_between(both, first.last - timedelta(days=2), first.last + timedelta(days=2))
    keys = [slot.key for slot in (*slots, *over.jumped, *back.jumped)]

    assert len(keys) == len(set(keys))


OFFSETS = [f"Etc/GMT{hours:+d}" for hours in range(-11, 13)]
PATTERNS = {
    "three a day": ("5/5/5", THREE),
    "four a day": ("20/20/20/20", FOUR),
    "two a day": ("10/10", ("08:00", "20:00")),
    "at night": ("5", ("22:00",)),
}


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("old", OFFSETS)
def test_every_move_between_two_offsets_is_lawful(old: str, pattern: str) -> None:
    """From one offset to each other, after any slot: the earliest slot that is far enough and not too much, or a provider."""
    amounts, at = PATTERNS[pattern]
    plan = a_plan(a_phase(amounts, at=at), zone=old, start="2026-06-01")
    most = plan.phases[0].per_day
    for new in OFFSETS:
        moved = replace(plan, zone=new)
        for after in at:
            taken = taken_until(plan, after)
            seam = taken.joined(moved, max_per_day=most)

            assert seam.first is not None
            assert seam.gap is not None
            assert seam.first.due_at == _first_lawful(taken, moved, most)
            assert (seam.gap >= MIN_GAP, seam.gap > MAX_GAP) == (True, SeamProblem.TOO_LONG in seam.problems)
            assert _busiest(taken, seam) <= most
            assert _keys_are_apart(taken, seam)


def _first_lawful(taken: Taken, plan: Plan, most: Decimal) -> datetime | None:
    """The first lawful slot found the slow way: try each in turn, and add up every date of the following days."""
    course = Course((Version(plan, taken.last + timedelta(minutes=1)),))
    slots = slots_between(course, taken.last, taken.last + timedelta(days=4))
    for index, slot in enumerate(slots):
        totals = totals_by_date(slots[index:])
        full = any(taken.planned.get(day, Decimal(0)) + total > most for day, total in totals.items())
        if slot.due_at >= taken.last + MIN_GAP and not full:
            return slot.due_at
    return None


def _busiest(taken: Taken, seam: Seam) -> Decimal:
    """The largest sum of a slot date over the seam, old and new together."""
    course = Course((*taken.course.versions, seam.version))
    return max(totals_by_date(slots_between(course, taken.last - timedelta(days=2), taken.last + timedelta(days=5))).values())


def _keys_are_apart(taken: Taken, seam: Seam) -> bool:
    course = Course((*taken.course.versions, seam.version))
    slots = (*slots_between(course, taken.last - timedelta(days=2), taken.last + timedelta(days=5)), *seam.jumped)
    return len({slot.key for slot in slots}) == len(slots)


def test_two_slots_that_fall_together_in_spring_are_too_close() -> None:
    """02:30 and 03:30 are both 07:30 UTC on the spring night in New York: one dose, the later slot is not due."""
    plan = a_plan(a_phase("5/5", at="02:30 03:30"), start="2026-03-08")
    first, second = slots_between(a_course(plan), utc("2026-03-08 00:00"), utc("2026-03-09 00:00"))

    assert (first.number, second.number, too_close(first, second, MIN_GAP)) == (1, 2, True)


def test_slots_two_hours_apart_are_not_too_close() -> None:
    """Exactly the minimum gap is far enough; in the spring night the same two slots are an hour apart, and are not."""
    plan = a_plan(a_phase("5/5", at="02:00 04:00"), start="2026-03-07")
    slots = slots_between(a_course(plan), utc("2026-03-07 00:00"), utc("2026-03-09 00:00"))

    assert [too_close(slots[0], slots[1], MIN_GAP), too_close(slots[2], slots[3], MIN_GAP)] == [False, True]


def test_the_longest_gap_is_known_for_three_doses_a_day_and_more() -> None:
    """The profile's 12 h are meant for three or four doses a day; for fewer, or not every day, they say nothing."""
    profile = drugs.load("baclofen")
    plans = [three_a_day(NEW_YORK), a_plan(a_phase("5/5", at="08:00 20:00")), a_plan(a_phase("5/5/5", every=2))]

    assert [max_gap_of(plan, profile) for plan in plans] == [MAX_GAP, None, None]


def test_a_drug_without_a_longest_gap_has_none() -> None:
    """Where the profile has no number there is none."""
    assert max_gap_of(three_a_day(NEW_YORK), replace(drugs.load("baclofen"), max_gap=None)) is None
