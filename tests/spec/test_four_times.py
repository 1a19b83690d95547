"""The four times of a dose: until when it is announced, taken, waited for and answered."""

from __future__ import annotations

from datetime import time

import pytest

from reminders.domain.contact import QuietHours
from reminders.domain.missed import AskProviderRule, Boundary, FourTimes, HoursBeforeNext, MaxLate, times_of
from reminders.domain.plan import DAY, HOUR, Course
from tests.builders import a_course, a_phase, a_plan
from tests.doses import MONDAY, TWO_HOURS, TZ, clock, daily, drawn, slot_and_next

FOUR_TIMES = drawn("""
    slot of Monday             | announce_until | take_until | silent_at | answer_until
    08:00 of 08/14/20          | 09:00          | 12:00      | 12:00     | 14:00
    14:00 of 08/14/20          | 15:00          | 18:00      | 18:00     | 20:00
    20:00 of 08/14/20          | 21:00          | 06:00+     | 06:00+    | 08:00+
    22:00 of 06/12/18/22       | 22:15          | 04:00+     | 04:00+    | 06:00+
    06:00 of 06/12/18/22       | 06:15          | 10:00      | 10:00     | 12:00
    20:30 of 08:30/14:30/20:30 | 21:00          | 06:30+     | 06:30+    | 08:30+
    20:50 of 08:50/14:50/20:50 | 21:05          | 06:50+     | 06:50+    | 08:50+
    21:00 of 09/21             | 21:15          | 07:00+     | 07:00+    | 09:00+
    08:00 of 08                | 09:00          | 06:00+     | 06:00+    | 08:00+
    12:00 of 08/12/15/18       | 12:45          | 13:00      | 13:00     | 15:00
""")
"""The four times of a dose due on a Monday: less than 2 hours to the next, leave it out; quiet hours 21:00 to 08:00; + the next day.

Until *announce until* it may still be announced; until *take until* the rule allows taking it late; from *silent at* on
silence counts; until *answer until* an answer is awaited.

Source: take until, NHS (sourced); the other three are Doseline's default.
"""


def _times(course: Course, due: str, rule: HoursBeforeNext | MaxLate | AskProviderRule = TWO_HOURS) -> FourTimes:
    return times_of(*slot_and_next(course, due), rule, QuietHours(), TZ)


@pytest.mark.parametrize(("slot", "hours"), [pytest.param(slot, hours, id=slot) for slot, *hours in FOUR_TIMES[1:]])
def test_four_times(slot: str, hours: list[str]) -> None:
    """Each of the four times of a dose, by the clock on the patient's wall."""
    due, schedule = slot.split(" of ")

    assert _times(daily(schedule), due) == FourTimes(*(clock(hour) for hour in hours))


def test_weekly() -> None:
    """A weekly dose counts as silent after a day, and can be taken for five."""
    course = a_course(a_plan(a_phase("0.5", at=("08:00",), every=7)))
    at = clock("08:00")

    assert _times(course, "08:00", MaxLate(5 * DAY)) == FourTimes(clock("09:00"), at + 5 * DAY, at + DAY, at + 7 * DAY)


def test_last_before_a_stop() -> None:
    """The last dose of a plan has no next: it can be taken for 2 hours, and answered for a day."""
    course = daily("08/14/20", start=MONDAY, days=1)

    assert _times(course, "20:00") == FourTimes(clock("21:00"), clock("22:00"), clock("22:00"), clock("20:00+"))


def test_last_before_a_stop_of_a_weekly_drug() -> None:
    """With no next slot a dose is answered for as long as it can be taken, where that is more than a day."""
    course = a_course(a_plan(a_phase("0.5", 7, at=("08:00",), every=7), start=str(MONDAY)))
    at = clock("08:00")

    assert _times(course, "08:00", MaxLate(5 * DAY, min_gap=48 * HOUR)) == FourTimes(clock("09:00"), at + 5 * DAY, at + DAY, at + 5 * DAY)


def test_last_before_a_stop_with_no_rule() -> None:
    """With neither a rule nor a next slot a dose is answered for a day."""
    course = daily("08/14/20", start=MONDAY, days=1)

    assert _times(course, "20:00", AskProviderRule()) == FourTimes(clock("21:00"), None, clock("20:00+"), clock("20:00+"))


def test_no_rule() -> None:
    """Without a rule nobody knows a last moment; the dose counts as silent after a day."""
    expected = FourTimes(clock("09:00"), None, clock("08:00+"), clock("14:00"))

    assert _times(daily("08/14/20"), "08:00", AskProviderRule()) == expected


def test_announced_no_longer_than_it_may_be_taken() -> None:
    """A dose that its rule allows on time only is announced within its minute, or not at all: a reminder is advice too."""
    rule = HoursBeforeNext(6 * HOUR, at_limit=Boundary.SKIP)

    assert _times(daily("08/14/20"), "08:00", rule) == FourTimes(clock("08:01"), clock("08:00"), clock("08:00"), clock("14:00"))


ROOM = (("less than 2 hours to the next: leave it out", TWO_HOURS, "08:30"), ("no rule: ask", AskProviderRule(), None))
"""Until when the 08:00 dose may be taken, where another plan of the ingredient has a dose at 10:30.

Source: the minimum gap of 2 hours is Doseline's default, the missed-dose rule's own number.
"""


@pytest.mark.parametrize(("rule", "take_until"), [row[1:] for row in ROOM], ids=[row[0] for row in ROOM])
def test_room_for_another_plan(rule: HoursBeforeNext | AskProviderRule, take_until: str | None) -> None:
    """Where another plan of the ingredient has a dose at 10:30, this one is neither announced nor taken after 08:30."""
    slot, following = slot_and_next(daily("08/14/20"), "08:00")
    times = times_of(slot, following, rule, QuietHours(), TZ, not_after=clock("08:30"))

    assert (times.announce_until, times.take_until) == (clock("08:30"), None if take_until is None else clock(take_until))


def test_quiet_hours_by_day() -> None:
    """Quiet hours within one day, a night nurse's sleep, are kept like those over midnight."""
    times = times_of(*slot_and_next(daily("08/14/20"), "14:00"), TWO_HOURS, QuietHours(time(9), time(17)), TZ)

    assert times.announce_until == clock("14:15")


@pytest.mark.parametrize("day", ["2026-03-07", "2026-10-31"])
def test_the_eve_of_a_clock_change(day: str) -> None:
    """Before a night of 11 or 13 hours the evening dose is announced for an hour as ever: a quarter of the gap is more."""
    on = MONDAY.fromisoformat(day)
    times = times_of(*slot_and_next(daily("08/14/20"), "20:00", on), TWO_HOURS, QuietHours(), TZ)

    assert times.announce_until == clock("21:00", on)


OFFERED = (
    ("less than 2 hours to the next: leave it out", TWO_HOURS, "12:00"),
    ("6 hours or less to the next: leave it out", HoursBeforeNext(6 * HOUR, at_limit=Boundary.SKIP), "08:01"),
    ("no rule: ask", AskProviderRule(), "09:00"),
)
"""By when whoever follows the reminder of 08:00 takes the dose, three doses a day.

Source: the rules, NHS and a topiramate patient text (sourced); where there is none, Doseline's default.
"""


@pytest.mark.parametrize(("rule", "offered_until"), [row[1:] for row in OFFERED], ids=[row[0] for row in OFFERED])
def test_offered_until(rule: HoursBeforeNext | AskProviderRule, offered_until: str) -> None:
    """Whoever follows a reminder takes the dose by its last moment, or by the reminder's own where that is later."""
    assert _times(daily("08/14/20"), "08:00", rule).offered_until == clock(offered_until)
