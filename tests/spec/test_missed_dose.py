"""What to do about a late dose, as the clinic's tables say it: every cell, by the clock of New York."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from reminders.domain.announcing import current_slot, situation_of
from reminders.domain.dose_state import DoseState
from reminders.domain.missed import (
    Advice,
    AlreadyTaken,
    Announce,
    Announcement,
    Ask,
    AskProvider,
    Beyond,
    Boundary,
    DoseRecord,
    Fraction,
    HoursBeforeNext,
    MaxLate,
    MissedDoseRule,
    NotBefore,
    Situation,
    Skip,
    SkipThis,
    TakeNow,
    TooSoon,
    advice_for,
    may_announce,
    take_until,
)
from reminders.domain.plan import DAY, HOUR, Course
from tests.builders import a_course, a_phase, a_plan, a_titration
from tests.doses import GAP, MONDAY, TZ, clock, daily, dose, drawn, mg, slot_and_next, slot_at, standing

LAST_MOMENT = drawn("""
    schedule    | day         | due   | gap  | 2 h before next | half interval | SPS fallback      | 6 h before next
    08/14/20    | 2026-06-01  | 08:00 | 6 h  | ≤ 12:00         | ≤ 11:00       | ≤ 10:00           | on time only
    08/14/20    | 2026-06-01  | 14:00 | 6 h  | ≤ 18:00         | ≤ 17:00       | ≤ 16:00           | on time only
    08/14/20    | 2026-06-01  | 20:00 | 12 h | ≤ 06:00+        | ≤ 02:00+      | ≤ 22:00           | < 02:00+
    07/15/23    | 2026-06-01  | 07:00 | 8 h  | ≤ 13:00         | ≤ 11:00       | ≤ 09:00           | < 09:00
    07/15/23    | 2026-06-01  | 23:00 | 8 h  | ≤ 05:00+        | ≤ 03:00+      | ≤ 01:00+          | < 01:00+
    06/12/18/22 | 2026-06-01  | 18:00 | 4 h  | ≤ 20:00         | ≤ 20:00       | ≤ 20:00           | on time only
    06/12/18/22 | 2026-06-01  | 22:00 | 8 h  | ≤ 04:00+        | ≤ 02:00+      | ≤ 00:00+          | < 00:00+
    08/20       | 2026-06-01  | 08:00 | 12 h | ≤ 18:00         | ≤ 14:00       | ≤ 10:00, then ask | < 14:00
    08          | 2026-06-01  | 08:00 | 24 h | ≤ 06:00+        | ≤ 20:00       | ≤ 10:00, then ask | < 02:00+
    08/14/20    | 2026-03-07  | 20:00 | 11 h | ≤ 06:00+ EDT    | ≤ 01:30+ EST  | ≤ 22:00           | < 01:00+ EST
    08/14/20    | 2026-10-31  | 20:00 | 13 h | ≤ 06:00+ EST    | ≤ 01:30+ EST  | ≤ 22:00           | < 02:00+ EST
""")
"""The last moment at which "take it now" is the answer, in New York: ≤ that moment included, < not included; + the next day.

Schedules are local hours; the rules are in the headings. A dose at its due time is always allowed. The last two rows are
the nights in which the clocks go forward and back.

Source: 2 hours before the next, NHS and HSE; 6 hours before, a topiramate patient text; up to 2 hours late, the NHS Specialist
Pharmacy Service (SPS); all sourced. Half the interval is second-hand.
"""


def _rules(schedule: str) -> tuple[MissedDoseRule, ...]:
    often = schedule.count("/") >= 2  # past its 2 hours the SPS leaves a dose out if there are more than two a day, else it asks
    return (
        HoursBeforeNext(2 * HOUR),
        Fraction(Decimal("0.5")),
        MaxLate(2 * HOUR, beyond=Beyond.SKIP if often else Beyond.ASK),
        HoursBeforeNext(6 * HOUR, at_limit=Boundary.SKIP),
    )


CELLS = [
    pytest.param(schedule, date.fromisoformat(day), due, rule, cell, id=f"{schedule} {day} {due} {column}")
    for schedule, day, due, _, *cells in LAST_MOMENT[1:]
    for column, rule, cell in zip(("before next", "half", "SPS", "6 h before next"), _rules(schedule), cells, strict=True)
]


def _asked_about(schedule: str, day: date, due: str, rule: MissedDoseRule) -> Situation:
    course = daily(schedule)
    return situation_of(standing(course, rule=rule), slot_at(course, due, day))


@pytest.mark.parametrize(("schedule", "day", "due", "gap"), [row[:4] for row in LAST_MOMENT[1:]])
def test_gap(schedule: str, day: str, due: str, gap: str) -> None:
    """The gap to the next dose is elapsed time: 11 hours when the clocks go forward at night, 13 when they go back."""
    slot, following = slot_and_next(daily(schedule), due, date.fromisoformat(day))
    assert following is not None

    assert f"{(following.due_at - slot.due_at) / HOUR:g} h" == gap


@pytest.mark.parametrize(("schedule", "day", "due", "rule", "cell"), CELLS)
def test_last_moment(schedule: str, day: date, due: str, rule: MissedDoseRule, cell: str) -> None:
    """Each rule ends at its own moment, and says itself whether that very instant still counts."""
    slot, following = slot_and_next(daily(schedule), due, day)
    limit = take_until(slot, following, rule)
    sign = {Boundary.TAKE: "≤", Boundary.SKIP: "<"}[limit.at_limit]
    expected = ("≤", slot.due_at) if cell == "on time only" else (cell[0], clock(cell[2:].removesuffix(", then ask"), day))

    assert (sign, limit.at) == expected


@pytest.mark.parametrize(("schedule", "day", "due", "rule", "cell"), CELLS)
def test_advice_at_the_last_moment(schedule: str, day: date, due: str, rule: MissedDoseRule, cell: str) -> None:
    """At the last moment itself the answer is still "take it now", until that moment."""
    situation = _asked_about(schedule, day, due, rule)
    last = take_until(situation.slot, situation.next_slot, rule).last
    assert last is not None

    assert advice_for(situation, last) == TakeNow(last), cell


@pytest.mark.parametrize(("schedule", "day", "due", "rule", "cell"), CELLS)
def test_advice_past_the_last_moment(schedule: str, day: date, due: str, rule: MissedDoseRule, cell: str) -> None:
    """One moment later it is left out and the next is due at its usual time; where the rule has no number left, a person is asked."""
    situation = _asked_about(schedule, day, due, rule)
    last = take_until(situation.slot, situation.next_slot, rule).last
    assert last is not None
    assert situation.next_slot is not None
    expected = AskProvider if cell.endswith("then ask") else Skip

    assert type(advice_for(situation, last + timedelta.resolution)) is expected


ASKED_AT = drawn("""
    asked at | known                            | answer
    08:00:00 | 08:00 open                       | take now, until 12:00
    12:00:00 | 08:00 open                       | take now, until 12:00
    12:00:01 | 08:00 open                       | skip, next 14:00
    15:00:00 | 08:00 missed, 14:00 open         | take now, until 18:00
    15:00:00 | 08:00 not_reminded, 14:00 open   | take now, until 18:00
    19:00:00 | 08:00 missed, 14:00 open         | skip, next 20:00
    09:00:00 | 08:00 taken 08:05                | already taken 08:05
    09:00:00 | 08:00 taken by 09:00             | already taken
    14:05:00 | 08:00 taken 14:03, 14:00 open    | too soon until 16:03, then until 18:00
    16:03:00 | 08:00 taken 14:03, 14:00 open    | take now, until 18:00
    14:05:00 | 08:00 taken by 13:50, 14:00 open | too soon until 15:50, then until 18:00
    19:35:00 | 08:00 missed, 14:00 taken 17:00  | already taken 17:00
    03:00:00 | –                                | take now, until 06:00
    20:10:00 | 14:00 taken 19:50, 20:00 open    | too soon until 21:50, then until 06:00+
    14:05:00 | 08:00 odd, 14:00 open            | ask
    14:05:00 | 14:00 odd                        | ask
    14:05:00 | 14:00 not_due                    | ask
    14:30:00 | 08:00 skipped, 14:00 skipped     | take now, until 18:00
""")
"""Baclofen, 5 mg at 08:00, 14:00 and 20:00, less than 2 hours to the next: leave it out. Asked about the dose whose turn it is.

*Taken by* is told at that hour, and not when it was. *Odd* is "took two", "half" or "threw up": then a person decides. + is
the next day, – that nothing is known.

Source: NHS (sourced); 2 hours between two doses is Doseline's default, the rule's own number.
"""


def _known(course: Course, text: str) -> tuple[DoseRecord, ...]:
    return tuple(_record(course, part) for part in text.split(", ") if part != "–")


def _record(course: Course, text: str) -> DoseRecord:
    due, state, *hour = text.split()
    slot = slot_at(course, due)
    if state == "odd":
        return dose(slot, DoseState.TAKEN, taken_at=slot.due_at, odd=True)
    if not hour:
        return dose(slot, DoseState(state), until=slot.due_at + 4 * HOUR)
    return dose(slot, taken_by=clock(hour[1])) if hour[0] == "by" else dose(slot, taken_at=clock(hour[0]))


def _hour(at: datetime) -> str:
    local = at.astimezone(TZ)
    return f"{local:%H:%M}{'+' * (local.date() - MONDAY).days}"


def _said(advice: Advice) -> str:
    match advice:
        case TakeNow(until):
            return f"take now, until {_hour(until)}"
        case Skip(next_at):
            return "skip, no next" if next_at is None else f"skip, next {_hour(next_at)}"
        case AlreadyTaken(taken_at):
            return "already taken" if taken_at is None else f"already taken {_hour(taken_at)}"
        case TooSoon(until, then_until):
            assert then_until is not None
            return f"too soon until {_hour(until)}, then until {_hour(then_until)}"
        case AskProvider():
            return "ask"


@pytest.mark.parametrize(("asked_at", "known", "answer"), ASKED_AT[1:])
def test_asked_at(asked_at: str, known: str, answer: str) -> None:
    """One dose at most, the current slot's; too soon after a late one it waits; what was taken is not taken again."""
    course = daily("08/14/20")
    current = current_slot(course, GAP.min_gap, clock(asked_at))
    assert current is not None

    assert _said(advice_for(situation_of(standing(course, *_known(course, known)), current), clock(asked_at))) == answer


def test_an_earlier_slot_is_left_out() -> None:
    """With two slots missed the first is left out, however the patient asks: the turn has passed to the second."""
    course = daily("08/14/20")
    situation = situation_of(standing(course), slot_at(course, "08:00"))

    assert _said(advice_for(situation, clock("15:00"))) == "skip, next 14:00"


ACROSS_A_STEP = drawn("""
    asked at | answer
    06:00+   | take now, until 06:00+
    06:30+   | skip, next 08:00+
    08:01+   | take now, until 12:00+
""")
"""The night before a step at 08:00, with the 20:00 dose of the old phase not taken; + is the day of the step.

The late dose is the 5 mg of its own time, the next one is 10 mg.

Source: NHS (sourced); that a late dose keeps its amount is Doseline's default.
"""


@pytest.mark.parametrize(("asked_at", "answer"), ACROSS_A_STEP[1:])
def test_across_a_step(asked_at: str, answer: str) -> None:
    """Before a step the late dose is taken by the old phase's clock, until the first slot of the new phase falls due."""
    course = a_course(a_titration(start="2026-05-30"))  # day 3 is the Monday, phase 2 starts on Tuesday at 08:00
    current = current_slot(course, GAP.min_gap, clock(asked_at))
    assert current is not None

    assert _said(advice_for(situation_of(standing(course), current), clock(asked_at))) == answer


def test_a_late_dose_keeps_its_own_amount() -> None:
    """At 06:00 of the day that steps up to 10 mg the late dose is still the 5 mg of its own slot."""
    course = a_course(a_titration(start="2026-05-30"))
    current = current_slot(course, GAP.min_gap, clock("06:00+"))
    assert current is not None

    assert current.amount == mg("5")


def test_after_the_step_the_next_dose_is_the_new_amount() -> None:
    """The slot named as next, once the late dose is left out, is of 10 mg."""
    course = a_course(a_titration(start="2026-05-30"))
    _, following = slot_and_next(course, "20:00")
    assert following is not None

    assert following.amount == mg("10")


LAST_OF_ALL = drawn("""
    asked at | answer
    22:00    | take now, until 22:00
    22:00:01 | skip, no next
    22:01    | skip, no next
""")
"""The last dose of a plan, due at 20:00: there is no next one to count back from.

Source: 2 hours, NHS Specialist Pharmacy Service (sourced); that it holds here is Doseline's default.
"""


@pytest.mark.parametrize(("asked_at", "answer"), LAST_OF_ALL[1:])
def test_last_dose_before_a_stop(asked_at: str, answer: str) -> None:
    """The last dose of a plan has no next to count back from: 2 hours late at most, and no next dose is named."""
    course = daily("08/14/20", start=MONDAY, days=1)
    situation = situation_of(standing(course), slot_at(course, "20:00"))

    assert _said(advice_for(situation, clock(asked_at))) == answer


OZEMPIC = MaxLate(5 * DAY, min_gap=48 * HOUR)


ONCE_A_WEEK = (
    ("at its time", timedelta(0), TakeNow),
    ("5 days late", 5 * DAY, TakeNow),
    ("5 days and a second late", 5 * DAY + timedelta(seconds=1), Skip),
)
"""A weekly dose is taken up to 5 days late, which leaves 48 hours to the next.

Source: Ozempic label (sourced).
"""


@pytest.mark.parametrize(("late", "answer"), [row[1:] for row in ONCE_A_WEEK], ids=[row[0] for row in ONCE_A_WEEK])
def test_weekly(late: timedelta, answer: type) -> None:
    """A weekly dose is taken up to 5 days late, and left out from then on."""
    situation = _asked_about_weekly()

    assert type(advice_for(situation, situation.slot.due_at + late)) is answer


def _asked_about_weekly() -> Situation:
    course = a_course(a_plan(a_phase("0.5", at=("08:00",), every=7)))
    return situation_of(standing(course, rule=OZEMPIC), slot_at(course, "08:00"))


REMINDER_OF = drawn("""
    reminder of | known                            | the reminder
    14:00       | 08:00 taken 12:00                | announce
    14:00       | 08:00 taken 12:40                | not before 14:40
    20:00       | 14:00 taken 19:30                | not before 21:30
    14:00       | 14:00 taken 13:40                | skip this: taken_early
    14:00       | 08:00 odd                        | ask
    14:00       | 08:00 taken by 13:50             | announce, guard after 12:00
    14:00       | 08:00 taken by 12:00             | announce
    14:00       | 08:00 open                       | announce
    14:00       | 08:00 missed, 14:00 skipped      | skip this: answered
    14:00       | 08:00 taken 08:02, 14:00 pending | announce
""")
"""The same plan: may the reminder of this dose go out at its due time? A reminder is advice too.

*Not before* is a reminder that says so; *guard after* one that says "if you took one after that, leave this one out".

Source: Doseline's default, by the 2 hours of the missed-dose rule.
"""


def _shown(announcement: Announcement) -> str:
    match announcement:
        case Announce(None):
            return "announce"
        case Announce(guard_after):
            assert guard_after is not None
            return f"announce, guard after {_hour(guard_after)}"
        case NotBefore(until):
            return f"not before {_hour(until)}"
        case SkipThis(why):
            return f"skip this: {why}"
        case Ask():
            return "ask"


@pytest.mark.parametrize(("due", "known", "expected"), REMINDER_OF[1:])
def test_reminder_of(due: str, known: str, expected: str) -> None:
    """A reminder is advice too: it keeps its distance from a late dose, and what was taken early has none."""
    course = daily("08/14/20")
    situation = situation_of(standing(course, *_known(course, known)), slot_at(course, due))

    assert _shown(may_announce(situation, clock(due))) == expected


LATER_START = drawn("""
    known             | reminder of | taken until
    08:00 taken 12:40 | 14:00       | 18:00
    14:00 taken 19:30 | 20:00       | 06:00+
""")
"""What "not before" leaves: it moves the start of the window only.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("late_dose", "reminder_of", "last"), LATER_START[1:])
def test_not_before_leaves_the_window(late_dose: str, reminder_of: str, last: str) -> None:
    """A reminder that says "not before" moves the start of the window only: the dose may be taken to its usual last moment."""
    course = daily("08/14/20")
    situation = situation_of(standing(course, *_known(course, late_dose)), slot_at(course, reminder_of))

    assert situation.last_moment == clock(last)
