from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from reminders.domain.plan import Course, Stay, Version
from reminders.domain.schedule import (
    NaiveTime,
    PhaseSpan,
    Slot,
    jumped_slots,
    next_slot,
    phase_spans,
    previous_slot,
    slots_between,
    slots_of_dates,
    totals_by_date,
)
from tests.builders import a_course, a_phase, a_plan, a_taper, a_titration, utc

WEEK = (utc("2026-03-02 00:00"), utc("2026-03-09 00:00"))


def drawn(slots: tuple[Slot, ...]) -> list[str]:
    """Write slots as "day#number instant amount"."""
    return [f"{slot.local_date:%d}#{slot.number} {slot.due_at:%d %H:%M} {slot.amount}" for slot in slots]


def test_a_day_has_its_slots_in_local_time() -> None:
    """A slot's wall time is the patient's; its instant is UTC."""
    slots = slots_between(a_course(a_plan()), utc("2026-03-02 00:00"), utc("2026-03-03 05:00"))

    assert drawn(slots) == ["02#1 02 13:00 5 mg", "02#2 02 19:00 5 mg", "02#3 03 01:00 5 mg"]


def test_the_clocks_go_forward_between_two_days() -> None:
    """08:00 stays 08:00 on the wall when the clocks change, an hour earlier in UTC."""
    slots = slots_between(a_course(a_plan(a_phase("5", at="08:00"))), utc("2026-03-07 00:00"), utc("2026-03-09 00:00"))

    assert drawn(slots) == ["07#1 07 13:00 5 mg", "08#1 08 12:00 5 mg"]


def test_a_window_is_half_open() -> None:
    """A slot due at the window's start is in it, one due at its end is not."""
    course = a_course(a_plan(a_phase("5", at="08:00")))

    assert drawn(slots_between(course, utc("2026-03-02 13:00"), utc("2026-03-03 13:00"))) == ["02#1 02 13:00 5 mg"]


def test_slots_at_one_instant_come_by_their_number() -> None:
    """02:30 does not exist on the spring night and falls together with 03:30; the earlier slot comes first."""
    plan = a_plan(a_phase("5/10", at="02:30 03:30"), start="2026-03-08")

    assert drawn(slots_between(a_course(plan), *WEEK)) == ["08#1 08 07:30 5 mg", "08#2 08 07:30 10 mg"]


def test_a_slot_in_the_gap_may_come_after_a_later_slot() -> None:
    """02:45 is read as 03:45 on the spring night, after the slot of 03:30: slots come by instant."""
    plan = a_plan(a_phase("5/10", at="02:45 03:30"), start="2026-03-08")

    assert drawn(slots_between(a_course(plan), *WEEK)) == ["08#2 08 07:30 10 mg", "08#1 08 07:45 5 mg"]


def test_a_day_that_never_was_falls_together_with_the_next() -> None:
    """Apia had no 30 December 2011: the slots of that date are due with those of the 31st, and next_slot sees the right one."""
    plan = a_plan(a_phase("5/5", at="02:00 22:00"), zone="Pacific/Apia", start="2011-12-29")
    course = a_course(plan)
    slots = slots_between(course, utc("2011-12-29 00:00"), utc("2012-01-01 00:00"))

    assert drawn(slots) == [
        "29#1 29 12:00 5 mg",
        "29#2 30 08:00 5 mg",
        "30#1 30 12:00 5 mg",
        "31#1 30 12:00 5 mg",
        "30#2 31 08:00 5 mg",
        "31#2 31 08:00 5 mg",
        "01#1 31 12:00 5 mg",
    ]
    assert next_slot(course, utc("2011-12-30 12:00")) == slots[4]
    assert previous_slot(course, utc("2011-12-31 08:00")) == slots[3]


def test_phases_follow_each_other_without_a_gap() -> None:
    """Phases are runs of local dates, half-open, the last one open."""
    assert phase_spans(a_titration(start="2026-03-02")) == (
        PhaseSpan(1, date(2026, 3, 2), date(2026, 3, 5)),
        PhaseSpan(2, date(2026, 3, 5), date(2026, 3, 8)),
        PhaseSpan(3, date(2026, 3, 8), date(2026, 3, 11)),
        PhaseSpan(4, date(2026, 3, 11), None),
    )


def test_a_phase_can_run_every_few_days() -> None:
    """A phase every three days doses on its first day and each third day from there, and the next phase starts on time."""
    plan = a_plan(a_phase("5", 7, at="08:00", every=3), a_phase("10", 2, at="08:00"))

    assert drawn(slots_of_dates(plan, plan.start, date(2027, 1, 1))) == [
        "02#1 02 13:00 5 mg",
        "05#1 05 13:00 5 mg",
        "08#1 08 12:00 5 mg",
        "09#1 09 12:00 10 mg",
        "10#1 10 12:00 10 mg",
    ]


def test_a_weekly_drug_is_due_weekly() -> None:
    """The next slot of a weekly plan is a week away, whenever one asks."""
    course = a_course(a_plan(a_phase("5", at="08:00", every=7)))
    first = next_slot(course, utc("2026-03-01 00:00"))
    assert first is not None

    assert drawn(tuple(filter(None, [next_slot(course, first.due_at), previous_slot(course, first.due_at)]))) == ["09#1 09 12:00 5 mg"]


def test_a_taper_has_an_end() -> None:
    """After the last dose of a taper there is no next slot, and asked later the last one is still the previous."""
    course = a_course(a_taper("A"))
    last = previous_slot(course, utc("2027-01-01 00:00"))
    assert last is not None

    assert drawn((last,)) == ["15#1 16 00:00 5 mg"]
    assert next_slot(course, last.due_at) is None


def test_before_the_first_slot_there_is_none() -> None:
    """A plan has no previous slot before its first."""
    assert previous_slot(a_course(a_plan()), utc("2026-03-02 13:00")) is None


def test_a_stopped_course_has_no_more_slots() -> None:
    """From the instant of the stop on nothing is due; what was due before stays."""
    course = replace(a_course(a_plan()), ended_at=utc("2026-03-02 19:00"))

    assert drawn(slots_between(course, *WEEK)) == ["02#1 02 13:00 5 mg"]
    assert next_slot(course, utc("2026-03-02 13:00")) is None
    assert previous_slot(course, WEEK[1]) == slots_between(course, *WEEK)[0]


def test_a_stop_ends_a_version_that_is_yet_to_come() -> None:
    """A stop holds for every version, also one that would have begun later."""
    plan = a_plan(a_phase("5", at="08:00"))
    later = Version(plan, utc("2026-03-05 00:00"), no=2)
    course = Course((*a_course(plan).versions, later), ended_at=utc("2026-03-04 00:00"))

    assert [slot.local_date.day for slot in slots_between(course, *WEEK)] == [2, 3]


def test_versions_govern_by_the_instant_a_slot_is_due() -> None:
    """A slot belongs to the version in force when it is due, to the minute; next and previous cross the border."""
    old, new = a_plan(a_phase("5", at="08:00")), a_plan(a_phase("10", at="08:00"))
    course = Course((*a_course(old).versions, Version(new, utc("2026-03-03 13:00"), no=2)))

    assert drawn(slots_between(course, WEEK[0], utc("2026-03-04 00:00"))) == ["02#1 02 13:00 5 mg", "03#1 03 13:00 10 mg"]
    assert drawn(tuple(filter(None, [next_slot(course, utc("2026-03-02 13:00"))]))) == ["03#1 03 13:00 10 mg"]
    assert drawn(tuple(filter(None, [previous_slot(course, utc("2026-03-03 13:00"))]))) == ["02#1 02 13:00 5 mg"]


def test_an_older_version_is_done_with() -> None:
    """Asked while a newer version governs, the older has no say."""
    course = Course(
        (*a_course(a_plan(a_phase("5", at="08:00"))).versions, Version(a_plan(a_phase("10", at="08:00")), utc("2026-03-03 12:00"), no=2))
    )

    assert drawn(tuple(filter(None, [next_slot(course, utc("2026-03-03 12:00"))]))) == ["03#1 03 13:00 10 mg"]


def test_slots_before_a_versions_first_are_jumped_over() -> None:
    """Slots between a version's beginning and its first are no slots of the course, but can be listed as jumped."""
    version = Version(a_plan(), utc("2026-03-02 14:00"), no=2, first_at=utc("2026-03-03 13:00"))
    course = Course((version,))

    assert drawn(slots_between(course, WEEK[0], utc("2026-03-03 14:00"))) == ["03#1 03 13:00 5 mg"]
    assert drawn(jumped_slots(version)) == ["02#2 02 19:00 5 mg", "02#3 03 01:00 5 mg"]
    assert previous_slot(course, utc("2026-03-03 13:00")) is None


def test_a_version_that_jumps_over_nothing_lists_nothing() -> None:
    """Without a seam no slot was jumped over."""
    assert jumped_slots(a_course(a_plan()).current) == ()


def test_numbers_go_on_after_the_last_used() -> None:
    """On a date shared with an older version numbers continue, jumped slots taking theirs; other dates count from 1."""
    version = Version(
        a_plan(), utc("2026-03-02 14:00"), no=2, first_at=utc("2026-03-03 01:00"), used=((date(2026, 3, 2), 4), (date(2026, 3, 4), 1))
    )
    course = Course((version,))

    assert [slot.number for slot in jumped_slots(version)] == [5]
    assert [slot.key for slot in slots_between(course, WEEK[0], utc("2026-03-04 14:00"))] == [
        (date(2026, 3, 2), 6),
        (date(2026, 3, 3), 1),
        (date(2026, 3, 3), 2),
        (date(2026, 3, 3), 3),
        (date(2026, 3, 4), 2),
    ]


def test_a_finished_stay_shifts_all_that_follows() -> None:
    """Two days of staying lengthen the phase; the next begins two days later; nothing is skipped to catch up."""
    plan = a_titration(start="2026-03-02")
    version = Version(plan, utc("2026-03-01 00:00"), stays=(Stay(1, date(2026, 3, 4), extra_days=2),))

    assert [span.starts.day for span in phase_spans(version.followed)] == [2, 7, 10, 13]


def test_an_open_stay_has_no_end() -> None:
    """While a plan stays its phase goes on and on, also in a taper, which would otherwise need an end."""
    version = Version(a_taper("B"), utc("2026-03-01 00:00"), stays=(Stay(2, date(2026, 3, 15)),))
    slot = next_slot(Course((version,)), utc("2026-12-01 00:00"))
    assert slot is not None

    assert (slot.phase_no, str(slot.amount)) == (2, "10 mg")


def test_totals_go_by_slot_date() -> None:
    """A night dose belongs to its evening, though it is due after midnight in UTC."""
    slots = slots_between(a_course(a_plan(a_phase("5/10/15"))), utc("2026-03-02 00:00"), utc("2026-03-03 14:00"))

    assert totals_by_date(slots) == {date(2026, 3, 2): Decimal(30), date(2026, 3, 3): Decimal(5)}


def test_an_empty_window_is_empty() -> None:
    """A window that ends where it starts, or before, holds nothing."""
    assert slots_between(a_course(a_plan()), WEEK[1], WEEK[0]) == ()


def naive(text: str) -> datetime:
    """Read an instant that says no zone."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("ends", [("2026-03-02 00:00", "2026-03-03 00:00+00:00"), ("2026-03-02 00:00+00:00", "2026-03-03 00:00")])
def test_a_window_without_a_zone_is_refused(ends: tuple[str, str]) -> None:
    """An instant without a zone could be any of two dozen moments, so none is guessed."""
    with pytest.raises(NaiveTime, match="has no zone"):
        slots_between(a_course(a_plan()), naive(ends[0]), naive(ends[1]))


@pytest.mark.parametrize("ask", [next_slot, previous_slot])
def test_an_instant_without_a_zone_is_refused(ask: Callable[[Course, datetime], Slot | None]) -> None:
    """Asking for a neighbour of an instant without a zone is refused too."""
    with pytest.raises(NaiveTime, match="2026-03-02T00:00:00"):
        ask(a_course(a_plan()), naive("2026-03-02 00:00"))


def test_instants_of_any_zone_are_understood() -> None:
    """An aware instant need not be in UTC to name its moment."""
    plan = a_plan()
    local = datetime(2026, 3, 2, 8, tzinfo=plan.tz)

    assert drawn(slots_between(a_course(plan), local, local + timedelta(minutes=1))) == ["02#1 02 13:00 5 mg"]


def test_a_slot_due_as_its_version_begins_is_a_previous_one() -> None:
    """The first slot of a version may be due at its very instant, and is found from behind like any other."""
    first = next_slot(a_course(a_plan()), utc("2026-03-01 00:00"))
    assert first is not None
    course = Course((Version(a_plan(), first.due_at),))

    assert previous_slot(course, first.due_at + timedelta(minutes=1)) == first
