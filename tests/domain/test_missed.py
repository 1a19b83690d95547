"""The missed-dose rule where the tables end: limits over all plans, drugs without a rule, and what is shown to staff."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from reminders.domain.announcing import situation_of
from reminders.domain.dose_state import DoseState
from reminders.domain.missed import (
    Announce,
    Ask,
    AskProvider,
    AskProviderRule,
    Beyond,
    Boundary,
    DoseRecord,
    Fraction,
    HoursBeforeNext,
    Limits,
    MaxLate,
    MissedDoseRule,
    NotBefore,
    Situation,
    Skip,
    SkipThis,
    SkipWhy,
    TakeNow,
    TooSoon,
    advice_for,
    in_words,
    may_announce,
    take_until,
)
from reminders.domain.plan import DAY, HOUR, Course, Unit
from tests.builders import a_course, a_phase, a_plan
from tests.doses import GAP, MONDAY, TWO_HOURS, clock, daily, dose, slot_and_next, slot_at, standing

THREE, FOUR = daily("08/14/20"), daily("06/12/18/22", "20")


def _asked(course: Course, due: str, *records: DoseRecord, limits: Limits = GAP, rule: MissedDoseRule = TWO_HOURS) -> Situation:
    return situation_of(standing(course, *records, limits=limits, rule=rule), slot_at(course, due))


def test_before_it_is_due() -> None:
    """A dose asked about before its time is too soon until then."""
    assert advice_for(_asked(THREE, "14:00"), clock("13:00")) == TooSoon(clock("14:00"), clock("18:00"))


def test_before_it_is_due_after_a_late_dose() -> None:
    """Asked about before its time after a late dose, it is too soon until the minimum gap has passed."""
    late = dose(slot_at(THREE, "08:00"), taken_at=clock("12:40"))

    assert advice_for(_asked(THREE, "14:00", late), clock("13:00")) == TooSoon(clock("14:40"), clock("18:00"))


def test_too_soon_for_its_whole_window() -> None:
    """Where a dose could only be taken too soon after another it is left out at once."""
    late = dose(slot_at(FOUR, "12:00"), taken_at=clock("18:10"))

    assert advice_for(_asked(FOUR, "18:00", late), clock("18:12")) == Skip(clock("22:00"))


def test_no_rule_before_it_is_due() -> None:
    """Without a rule a dose asked about before its time is still too soon, and nobody can say until when."""
    assert advice_for(_asked(THREE, "14:00", rule=AskProviderRule()), clock("13:00")) == TooSoon(clock("14:00"), None)


@pytest.mark.parametrize("asked_at", ["14:00", "14:20"])
def test_no_rule(asked_at: str) -> None:
    """Without a rule of the plan or the profile a person answers, once the dose is due."""
    expected = AskProvider("neither the plan nor the drug profile has a rule")

    assert advice_for(_asked(THREE, "14:00", rule=AskProviderRule()), clock(asked_at)) == expected


def test_reminder_without_a_rule() -> None:
    """A drug without a missed-dose rule is announced all the same."""
    assert may_announce(_asked(THREE, "14:00", rule=AskProviderRule()), clock("14:00")) == Announce()


def test_reminder_without_a_rule_after_a_late_dose() -> None:
    """After a late dose nobody can say how long the next may wait, and so the patient calls first."""
    late = dose(slot_at(THREE, "08:00"), taken_at=clock("12:40"))

    assert may_announce(_asked(THREE, "14:00", late, rule=AskProviderRule()), clock("14:00")) == Ask(in_words(AskProviderRule()))


def test_a_rule_that_leaves_less_than_the_minimum_gap() -> None:
    """Whatever its rule says, no dose is taken nearer to the next than the drug's minimum gap."""
    wide = replace(GAP, min_gap=4 * HOUR)

    assert advice_for(_asked(THREE, "08:00", limits=wide), clock("09:00")) == TakeNow(clock("10:00"))


def test_max_late_never_outlives_its_turn() -> None:
    """A rule of "9 hours late" ends where the next slot falls due."""
    slot, following = slot_and_next(THREE, "08:00")

    assert take_until(slot, following, MaxLate(9 * HOUR)).last == clock("14:00") - timedelta.resolution


def test_max_late_with_its_own_gap() -> None:
    """A rule's own distance to the next dose ends it where that is earlier."""
    slot, following = slot_and_next(THREE, "08:00")

    assert take_until(slot, following, MaxLate(4 * HOUR, min_gap=3 * HOUR)).last == clock("11:00")


@pytest.mark.parametrize(("asked_at", "answer"), [("10:01", AskProvider), ("06:00+", AskProvider), ("06:00:01+", Skip)])
def test_asks_only_while_there_is_room(asked_at: str, answer: type) -> None:
    """A rule that asks past its limit leaves out at once what is too near the next dose: nobody need be asked."""
    rule = MaxLate(2 * HOUR, beyond=Beyond.ASK)

    assert type(advice_for(_asked(daily("08"), "08:00", rule=rule), clock(asked_at))) is answer


def test_asks_about_a_last_dose() -> None:
    """The last dose before a stop has no next that it could be too near to."""
    course = daily("08", start=MONDAY, days=1)
    answer = advice_for(_asked(course, "08:00", rule=MaxLate(2 * HOUR, beyond=Beyond.ASK)), clock("11:00"))

    assert answer == AskProvider("past the limit of its rule")


# Gabapentin for seizures: no more than 12 hours between doses (US label).
SEIZURES = replace(GAP, longest_gap=12 * HOUR)


def test_a_gap_that_the_drug_bears() -> None:
    """08:00 taken, 14:00 left out: 12 hours to 20:00 are not more than 12."""
    taken = dose(slot_at(THREE, "08:00"), taken_at=clock("08:00"))

    assert advice_for(_asked(THREE, "14:00", taken, limits=SEIZURES), clock("19:00")) == Skip(clock("20:00"))


@pytest.mark.parametrize("hour", ["07:50", "07:59"])
def test_a_gap_that_the_drug_does_not_bear(hour: str) -> None:
    """Taken ten minutes earlier, leaving out the next would make the gap too long: a person is asked."""
    taken = dose(slot_at(THREE, "08:00"), taken_at=clock(hour))
    answer = advice_for(_asked(THREE, "14:00", taken, limits=SEIZURES), clock("19:00"))

    assert answer == AskProvider("without this dose there would be more than 12 h between two doses")


def test_a_long_gap_past_doses_not_taken() -> None:
    """A dose told as not taken does not shorten the gap: it is counted from the last one that was."""
    evening = dose(slot_at(THREE, "20:00", MONDAY - DAY), taken_at=clock("20:00", MONDAY - DAY))
    missed = dose(slot_at(THREE, "08:00"), DoseState.MISSED)
    answer = advice_for(_asked(THREE, "14:00", evening, missed, limits=replace(GAP, longest_gap=13 * HOUR)), clock("19:00"))

    assert isinstance(answer, AskProvider)


def test_a_long_gap_of_doses_not_taken() -> None:
    """With nothing known to be taken the gap is counted from the first dose we know of, at least."""
    missed = dose(slot_at(THREE, "08:00"), DoseState.MISSED)
    answer = advice_for(_asked(THREE, "14:00", missed, limits=replace(GAP, longest_gap=11 * HOUR)), clock("19:00"))

    assert isinstance(answer, AskProvider)


def test_a_long_gap_before_a_stop() -> None:
    """The last dose before a stop has no next, and so no gap."""
    course = daily("08/14/20", start=MONDAY, days=1)

    assert advice_for(_asked(course, "20:00", limits=SEIZURES), clock("23:00")) == Skip(None)


def test_daily_maximum() -> None:
    """A dose that would make its slot date pass the daily maximum is nobody's to take without a person's word."""
    others = [dose(slot_at(FOUR, hour), taken_at=clock(hour)) for hour in ("06:00", "12:00", "18:00")]
    answer = advice_for(_asked(FOUR, "22:00", *others, limits=replace(GAP, max_per_day=Decimal(60))), clock("22:10"))

    assert answer == AskProvider("with this dose the day would pass its maximum of 60")


def test_a_late_night_dose_belongs_to_its_evening() -> None:
    """Taken at 04:00 the 22:00 dose counts for its own date: 80 mg on each, though 100 mg by the clock's day."""
    others = [dose(slot_at(FOUR, hour), taken_at=clock(hour)) for hour in ("06:00", "12:00", "18:00")]
    answer = advice_for(_asked(FOUR, "22:00", *others, limits=replace(GAP, max_per_day=Decimal(80))), clock("04:00+"))

    assert answer == TakeNow(clock("04:00+"))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (DoseState.OPEN, Ask),
        (DoseState.UNCONFIRMED, Ask),
        (DoseState.PENDING, Ask),
        (DoseState.SKIPPED, Announce),
        (DoseState.MISSED, Announce),
        (DoseState.NOT_REMINDED, Announce),
        (DoseState.NOT_DUE, Announce),
    ],
)
def test_daily_maximum_over_silence(state: DoseState, expected: type) -> None:
    """A dose that was offered and not answered counts as taken; one told as not taken, or never offered, does not."""
    other = dose(slot_at(daily("08", "70"), "08:00"), state, plan="other")
    situation = _asked(daily("08/14/20", "20"), "14:00", other, limits=replace(GAP, max_per_day=Decimal(80)))

    assert type(may_announce(situation, clock("14:00"))) is expected


def test_daily_maximum_counts_what_was_advised() -> None:
    """A dose with no reminder that the patient was advised to take, and did not answer, counts as taken."""
    other = dose(slot_at(daily("08", "70"), "08:00"), DoseState.NOT_REMINDED, plan="other", until=clock("09:00"))
    situation = _asked(daily("08/14/20", "20"), "14:00", other, limits=replace(GAP, max_per_day=Decimal(80)))

    assert isinstance(may_announce(situation, clock("14:00")), Ask)


def test_daily_maximum_in_another_unit() -> None:
    """Amounts in two units cannot be added up by a rule, and a person looks."""
    course = a_course(a_plan(a_phase("5", at=("08:00",), unit=Unit.ML)))
    other = dose(slot_at(course, "08:00"), taken_at=clock("08:00"), plan="other")
    situation = _asked(THREE, "14:00", other, limits=replace(GAP, max_per_day=Decimal(80)))

    assert isinstance(may_announce(situation, clock("14:00")), Ask)


def test_daily_maximum_of_another_date() -> None:
    """Yesterday's doses do not count for today."""
    other = dose(slot_at(daily("08", "70"), "08:00", MONDAY - DAY), taken_at=clock("08:00", MONDAY - DAY), plan="other")
    situation = _asked(daily("08/14/20", "20"), "14:00", other, limits=replace(GAP, max_per_day=Decimal(80)))

    assert may_announce(situation, clock("14:00")) == Announce()


def _in_24h(maximum: int) -> Limits:
    return replace(GAP, max_in_24h=Decimal(maximum))


@pytest.mark.parametrize(
    ("maximum", "asked_at", "answer"),
    [
        (80, "12:00", TakeNow(clock("12:00"))),
        (80, "12:01", Skip(clock("18:00"))),
        (100, "12:01", TakeNow(clock("16:00"))),
        (90, "16:00", Skip(clock("18:00"))),
    ],
)
def test_maximum_in_24_hours(maximum: int, asked_at: str, answer: TakeNow | Skip) -> None:
    """With 20 mg four times a day and a maximum of 80 in 24 hours there is no late dose: 12:00 at 12:01 makes five of them."""
    assert advice_for(_asked(FOUR, "12:00", limits=_in_24h(maximum)), clock(asked_at)) == answer


def test_maximum_in_24_hours_ends_the_advice() -> None:
    """Where the amounts differ the advice ends as soon as a later, larger slot would come too near."""
    course = a_course(a_plan(a_phase("20/5/20", at=("08:00", "11:00", "20:00"))))
    answer = advice_for(_asked(course, "20:00", limits=_in_24h(45)), clock("21:00"))

    assert answer == Skip(clock("08:00+"))


def test_advice_shortened_by_24_hours() -> None:
    """A dose more tomorrow at 09:00 ends today's advice at 09:00: a moment later would put four into 24 hours."""
    day = a_plan(a_phase("20/20", 1, at=("08:00", "20:00")), a_phase("20/30", at=("08:00", "09:00")), start=str(MONDAY))
    asked = _asked(a_course(day), "08:00", limits=replace(_in_24h(60), min_gap=HOUR))

    assert advice_for(asked, clock("08:00")) == TakeNow(clock("09:00"))


def test_24_hours_never_lengthen_the_advice() -> None:
    """A slot that comes within 24 hours only after the rule's last moment changes nothing."""
    course = a_course(a_plan(a_phase("20/20", 1, at=("08:00", "20:00")), a_phase("20/20", at=("08:00", "19:00")), start=str(MONDAY)))

    assert advice_for(_asked(course, "08:00", limits=_in_24h(60)), clock("09:00")) == TakeNow(clock("18:00"))


def test_24_hours_look_back() -> None:
    """A dose taken late yesterday counts with today's; told as not taken it does not."""
    limits, yesterday = _in_24h(20), slot_at(daily("09", "20"), "09:00", MONDAY - DAY)
    late = dose(yesterday, taken_at=clock("09:30", MONDAY - DAY))
    missed = dose(yesterday, DoseState.MISSED)
    asked = [_asked(daily("08", "20"), "08:00", record, limits=limits) for record in (late, missed)]

    assert [advice_for(each, clock("08:00")) for each in asked] == [Skip(clock("08:00+")), TakeNow(clock("08:00"))]


@pytest.mark.parametrize(
    ("now", "expected"), [("12:00:09", Announce()), ("12:01", Announce()), ("12:01:01", SkipThis(SkipWhy.OVER_MAXIMUM))]
)
def test_late_reminder_over_24_hours(now: str, expected: Announce | SkipThis) -> None:
    """A late reminder is late advice, left out where the dose, taken now, would break the maximum; the pass's own minute is not late."""
    assert may_announce(_asked(FOUR, "12:00", limits=_in_24h(80)), clock(now)) == expected


def test_not_before_over_24_hours() -> None:
    """A reminder that would have to wait is left out where the wait itself breaks the maximum."""
    late = dose(slot_at(FOUR, "06:00"), taken_at=clock("10:30"))

    assert may_announce(_asked(FOUR, "12:00", late, limits=_in_24h(80)), clock("12:00")) == SkipThis(SkipWhy.OVER_MAXIMUM)


def test_not_before_within_24_hours() -> None:
    """With room under the maximum the reminder waits as ever."""
    late = dose(slot_at(FOUR, "06:00"), taken_at=clock("10:30"))

    assert may_announce(_asked(FOUR, "12:00", late, limits=_in_24h(200)), clock("12:00")) == NotBefore(clock("12:30"))


@pytest.mark.parametrize(("now", "expected"), [("18:00", Announce()), ("18:00:01", SkipThis(SkipWhy.TOO_LATE))])
def test_too_late_to_announce(now: str, expected: Announce | SkipThis) -> None:
    """A reminder claimed for sending after the dose's last moment does not go out."""
    assert may_announce(_asked(THREE, "14:00"), clock(now)) == expected


@pytest.mark.parametrize(("now", "expected"), [("08:01", Announce()), ("08:01:01", SkipThis(SkipWhy.TOO_LATE))])
def test_a_dose_that_may_not_be_late_is_announced_in_its_minute(now: str, expected: Announce | SkipThis) -> None:
    """With the next dose two hours on there is no late: the reminder has the minute of the pass to leave, and no more."""
    assert may_announce(_asked(daily("08/10"), "08:00"), clock(now)) == expected


@pytest.mark.parametrize(("late", "expected"), [("16:00", NotBefore(clock("18:00"))), ("16:01", SkipThis(SkipWhy.TOO_SOON))])
def test_wait_to_the_last_moment(late: str, expected: NotBefore | SkipThis) -> None:
    """A reminder waits as far as the dose's last moment, that moment included; past it the dose is left out."""
    record = dose(slot_at(THREE, "08:00"), taken_at=clock(late))

    assert may_announce(_asked(THREE, "14:00", record), clock("14:00")) == expected


def test_told_as_not_taken_leaves_no_gap() -> None:
    """A dose that could have been taken until 13:00, and is told as not taken, keeps nothing at a distance."""
    record = dose(slot_at(THREE, "08:00"), DoseState.SKIPPED, until=clock("13:00"))

    assert may_announce(_asked(THREE, "14:00", record), clock("14:00")) == Announce()


@pytest.mark.parametrize("hour", ["14:00", "14:10"])
def test_answered_before_its_text_left(hour: str) -> None:
    """A dose answered as taken before its text was claimed for sending has none."""
    taken = dose(slot_at(THREE, "14:00"), taken_at=clock(hour))

    assert may_announce(_asked(THREE, "14:00", taken), clock("14:10")) == SkipThis(SkipWhy.ANSWERED)


def test_guard_and_wait() -> None:
    """With one dose late and another's hour unknown the reminder waits for both."""
    late = dose(slot_at(THREE, "08:00"), taken_at=clock("12:40"))
    told = dose(slot_at(daily("09"), "09:00"), taken_by=clock("13:30"), plan="other")

    assert may_announce(_asked(THREE, "14:00", late, told), clock("14:00")) == NotBefore(clock("15:30"))


def test_taken_at_an_unknown_hour() -> None:
    """A dose told as taken with no hour at all counts as taken when it was due."""
    other = dose(slot_at(daily("13"), "13:00"), DoseState.TAKEN, plan="other")

    assert advice_for(_asked(THREE, "14:00", other), clock("14:00")) == TooSoon(clock("15:00"), clock("18:00"))


@pytest.mark.parametrize(("state", "last"), [(DoseState.OPEN, "09:00"), (DoseState.NOT_DUE, "12:00")])
def test_room_for_a_dose_of_another_plan(state: DoseState, last: str) -> None:
    """A later dose of another plan limits an earlier one, also when it has fallen due; one that is not due does not."""
    other = dose(slot_at(daily("11"), "11:00"), state, plan="other")

    assert _asked(THREE, "08:00", other).last_moment == clock(last)


def test_a_dose_of_another_plan_at_the_same_minute_leaves_all_the_room() -> None:
    """Two plans of the ingredient may have a dose at one time, which is one dose in two parts: it is not the next one."""
    other = dose(slot_at(daily("08"), "08:00"), plan="other")

    assert _asked(THREE, "08:00", other).last_moment == clock("12:00")


def test_a_dose_that_is_not_due_is_asked_about() -> None:
    """Where the plan says no dose, no rule gives one."""
    own = dose(slot_at(THREE, "14:00"), DoseState.NOT_DUE)

    assert advice_for(_asked(THREE, "14:00", own), clock("14:00")) == AskProvider("the plan says no dose here")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (HoursBeforeNext(2 * HOUR), "leave it out if less than 2 h remains to the next dose"),
        (HoursBeforeNext(6 * HOUR, at_limit=Boundary.SKIP), "leave it out if no more than 6 h remains to the next dose"),
        (MaxLate(5 * DAY, min_gap=48 * HOUR), "take it if at most 5 d late, and 48 h or more before the next dose"),
        (MaxLate(3 * DAY), "take it if at most 3 d late"),
        (MaxLate(2 * DAY), "take it if at most 48 h late"),
        (MaxLate(132 * HOUR), "take it if at most 132 h late"),
        (MaxLate(90 * timedelta(minutes=1), at_limit=Boundary.SKIP), "take it if less than 90 min late"),
        (Fraction(Decimal("0.50")), "take it if at most 0.5 of the time to the next dose has passed"),
        (AskProviderRule(), "neither the plan nor the drug profile has a rule"),
    ],
)
def test_in_words(rule: MissedDoseRule, words: str) -> None:
    """Every rule says its number and what holds at its limit."""
    assert in_words(rule) == words


NHS, ASKS = in_words(TWO_HOURS), MaxLate(2 * HOUR, beyond=Beyond.ASK)
DISTANCE = "not before its time, and 2 h between two doses"
BY_RULE: dict[str, tuple[str, str, MissedDoseRule, Limits, str]] = {
    "take it now": ("08:00", "11:00", TWO_HOURS, GAP, NHS),
    "leave it out": ("08:00", "12:00:01", TWO_HOURS, GAP, NHS),
    "too soon": ("14:00", "13:00", TWO_HOURS, GAP, DISTANCE),
    "too soon, by no rule": ("14:00", "13:00", AskProviderRule(), GAP, DISTANCE),
    "ask, past the rule": ("20:00", "22:01", ASKS, GAP, "take it if at most 2 h late"),
    "ask, the gap is too long": ("14:00", "19:00", TWO_HOURS, replace(GAP, longest_gap=5 * HOUR), NHS),
    "ask, over the day's maximum": ("14:00", "14:10", TWO_HOURS, replace(GAP, max_per_day=Decimal(4)), NHS),
    "leave it out, over 24 hours": ("14:00", "14:10", TWO_HOURS, _in_24h(15), "no more than 15 in any 24 h"),
}


@pytest.mark.parametrize("answer", BY_RULE)
def test_advice_says_its_rule(answer: str) -> None:
    """Staff can read beside each answer which rule gave it."""
    due, asked_at, rule, limits, words = BY_RULE[answer]

    assert advice_for(_asked(THREE, due, rule=rule, limits=limits), clock(asked_at)).rule == words


def test_a_taken_dose_says_its_rule() -> None:
    """What was taken is answered by the first law, not by the rule about a late dose."""
    taken = dose(slot_at(THREE, "08:00"), taken_at=clock("08:05"))

    assert advice_for(_asked(THREE, "08:00", taken), clock("09:00")).rule == "one dose for each slot"


def test_fraction_is_exact() -> None:
    """A third of an interval is reckoned exactly, to the microsecond and never more."""
    slot, following = slot_and_next(THREE, "08:00")
    third = take_until(slot, following, Fraction(Decimal(1) / Decimal(3))).last
    assert third is not None

    assert third == clock("10:00") - timedelta.resolution
