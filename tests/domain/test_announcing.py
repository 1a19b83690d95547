"""What happens to every slot that falls due: at most one text, and a reason for each that has none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from reminders.domain.announcing import (
    Announced,
    Falling,
    LeftOut,
    NoText,
    PlanStanding,
    Verdict,
    Waits,
    current_slot,
    fall_due,
    moved_slots,
    next_to_take,
    situation_of,
)
from reminders.domain.contact import Refused, WhyNot
from reminders.domain.dose_state import DoseState
from reminders.domain.plan import DAY, Course, Version
from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import slots_between
from tests.builders import a_course, a_phase, a_plan
from tests.doses import GAP, MONDAY, clock, daily, dose, slot_at, standing

THREE = daily("08/14/20")
OUTAGE = NoText(DoseState.NOT_REMINDED, "outage")


def _verdicts(falling: Falling) -> list[Verdict]:
    return [fallen.verdict for fallen in falling.fallen]


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        ("08:00", Announced()),
        ("08:00:09", Announced()),
        ("08:01", Announced()),
        ("08:01:01", Announced(late=True)),
        ("08:59:59", Announced(late=True)),
        ("09:00", OUTAGE),
        ("13:59", OUTAGE),
    ],
)
def test_announced_until(now: str, verdict: Verdict) -> None:
    """A slot is announced within its hour, in the late wording after the first minute; past that it has no text."""
    assert _verdicts(fall_due(standing(THREE), clock(now))) == [verdict]


def test_fallen_carries_its_slot_and_times() -> None:
    """Each slot that fell due comes with its own four times."""
    (fallen,) = fall_due(standing(THREE), clock("08:00")).fallen

    assert (fallen.slot, fallen.times.take_until) == (slot_at(THREE, "08:00"), clock("12:00"))


@pytest.mark.parametrize("now", ["08:00", "09:00"], ids=["muted", "outage"])
def test_a_slot_without_a_text_carries_its_times(now: str) -> None:
    """A dose nobody is told of has its four times all the same: it can still be asked about and answered."""
    state = PlanState.MUTED if now == "08:00" else PlanState.ACTIVE
    (fallen,) = fall_due(replace(standing(THREE), state=state), clock(now)).fallen

    assert isinstance(fallen.verdict, NoText)
    assert fallen.times.take_until == clock("12:00")


def test_nothing_due_yet() -> None:
    """Before the next slot nothing falls due, and the cursor moves."""
    assert fall_due(standing(THREE), clock("07:59:30")) == Falling((), clock("07:59:30"), clock("08:00"))


def test_cursor_and_next_due() -> None:
    """The cursor stands at the instant of the pass, the next slot after it."""
    falling = fall_due(standing(THREE), clock("08:00"))

    assert (falling.decided_until, falling.next_due_at) == (clock("08:00"), clock("14:00"))


def test_no_slot_twice() -> None:
    """A slot due at the cursor itself has been decided."""
    assert fall_due(standing(THREE, decided="08:00"), clock("08:00:30")).fallen == ()


def test_a_clock_that_went_back() -> None:
    """A pass earlier than the cursor decides nothing and leaves the cursor."""
    assert fall_due(standing(THREE, decided="09:00"), clock("07:00")) == Falling((), clock("09:00"), clock("14:00"))


def test_last_slot_of_a_plan() -> None:
    """After the last slot nothing falls due any more."""
    course = daily("08/14/20", start=MONDAY, days=1)

    assert fall_due(standing(course, decided="19:00"), clock("20:00")).next_due_at is None


def _after_an_outage(now: str) -> list[Verdict]:
    paused = replace(standing(THREE), decided_until=clock("07:00", MONDAY - DAY))
    return _verdicts(fall_due(paused, clock(now)))


def test_outage() -> None:
    """After an outage over six slots one text goes out at most, about the current slot; the others were not reminded."""
    assert _after_an_outage("20:20") == [OUTAGE] * 5 + [Announced(late=True)]


def test_outage_past_the_current_slot() -> None:
    """Past the current slot's time to announce nothing goes out at all."""
    assert _after_an_outage("21:00") == [OUTAGE] * 6


def test_muted() -> None:
    """A muted plan's slots are recorded, with no text, and it goes on."""
    falling = fall_due(replace(standing(THREE), state=PlanState.MUTED), clock("08:00"))

    assert (_verdicts(falling), falling.next_due_at) == ([NoText(DoseState.NOT_REMINDED, "muted")], clock("14:00"))


def test_staying() -> None:
    """A staying plan's doses are announced like an active one's."""
    assert _verdicts(fall_due(replace(standing(THREE), state=PlanState.STAYING), clock("08:00"))) == [Announced()]


@pytest.mark.parametrize(
    "state", [PlanState.SUSPENDED, PlanState.DRAFT, PlanState.APPROVED, PlanState.COMPLETED, PlanState.STOPPED], ids=str
)
def test_nothing_is_due(state: PlanState) -> None:
    """Suspended, not yet active or ended: no slot falls due, time passes, and none is waited for."""
    assert fall_due(replace(standing(THREE), state=state), clock("14:30")) == Falling((), clock("14:30"), None)


@pytest.mark.parametrize("why", list(WhyNot), ids=str)
def test_refused(why: WhyNot) -> None:
    """A number that may not be texted gets none; the dose is not reminded, and says why."""
    refused = replace(standing(THREE), contact=Refused(why))

    assert _verdicts(fall_due(refused, clock("08:00"))) == [NoText(DoseState.NOT_REMINDED, why)]


def test_taken_early() -> None:
    """A dose taken before its time stands as told, and has no text."""
    record = dose(slot_at(THREE, "14:00"), taken_at=clock("13:40"))

    assert _verdicts(fall_due(standing(THREE, record, decided="13:59"), clock("14:00"))) == [NoText(DoseState.TAKEN, "taken_early")]


def test_taken_early_during_an_outage() -> None:
    """What the patient told us stands, whatever became of our texts."""
    record = dose(slot_at(THREE, "08:00"), taken_at=clock("07:50"))

    assert _verdicts(fall_due(standing(THREE, record), clock("14:00"))) == [NoText(DoseState.TAKEN, "taken_early"), Announced()]


def test_answered_before_it_was_due() -> None:
    """A dose the patient has said they will not take has no reminder."""
    record = dose(slot_at(THREE, "14:00"), DoseState.SKIPPED)

    assert _verdicts(fall_due(standing(THREE, record, decided="13:59"), clock("14:00"))) == [NoText(DoseState.SKIPPED, "answered")]


def test_not_before() -> None:
    """After a late dose the reminder names the moment before which the next is too soon."""
    record = dose(slot_at(THREE, "14:00"), taken_at=clock("19:30"))
    verdicts = _verdicts(fall_due(standing(THREE, record, decided="19:59"), clock("20:00")))

    assert verdicts == [Announced(not_before=clock("21:30"))]


def test_not_before_in_the_late_wording() -> None:
    """A reminder that must wait and is late itself says both."""
    record = dose(slot_at(THREE, "14:00"), taken_at=clock("19:30"))
    verdicts = _verdicts(fall_due(standing(THREE, record, decided="19:59"), clock("20:02")))

    assert verdicts == [Announced(not_before=clock("21:30"), late=True)]


def test_not_before_names_a_whole_minute() -> None:
    """A dose taken at 19:30:20 leaves its 2 hours at 21:31 by the clock, not at 21:30."""
    record = dose(slot_at(THREE, "14:00"), taken_at=clock("19:30:20"))
    verdicts = _verdicts(fall_due(standing(THREE, record, decided="19:59"), clock("20:00")))

    assert verdicts == [Announced(not_before=clock("21:31"))]


def test_guard() -> None:
    """Where "taken" was said and the hour is not known, the reminder guards itself."""
    record = dose(slot_at(THREE, "08:00"), taken_by=clock("13:50"))
    verdicts = _verdicts(fall_due(standing(THREE, record, decided="13:59"), clock("14:00")))

    assert verdicts == [Announced(guard_after=clock("12:00"))]


def test_too_soon_for_its_whole_window() -> None:
    """A dose that could only be taken too soon is left out by a text that names the next."""
    course = daily("06/12/18/22")
    record = dose(slot_at(course, "12:00"), taken_at=clock("18:50"))  # 18:00 may be taken to 20:00, and not before 20:50
    verdicts = _verdicts(fall_due(standing(course, record, decided="17:59"), clock("18:55")))

    assert verdicts == [LeftOut(clock("22:00"))]


def test_the_last_dose_too_soon() -> None:
    """The last dose before a stop, left out, names no next."""
    course = daily("08/14/20", start=MONDAY, days=1)
    record = dose(slot_at(course, "14:00"), taken_at=clock("20:10"))
    verdicts = _verdicts(fall_due(standing(course, record, decided="19:59"), clock("20:20")))

    assert verdicts == [LeftOut(None)]


def test_waits_for_a_person() -> None:
    """After "took two" the next reminder waits for a person, and so does one about that dose itself."""
    record = dose(slot_at(THREE, "08:00"), taken_at=clock("08:05"), odd=True)
    verdicts = _verdicts(fall_due(standing(THREE, record, decided="13:59"), clock("14:00")))

    assert verdicts == [Waits("a dose was taken twice, taken in part or thrown up, and nobody has looked at it yet")]


def test_odd_before_it_was_due() -> None:
    """Half of a dose taken early does not count as taken: its own reminder waits for a person."""
    record = dose(slot_at(THREE, "14:00"), taken_at=clock("13:40"), odd=True)
    (verdict,) = _verdicts(fall_due(standing(THREE, record, decided="13:59"), clock("14:00")))

    assert isinstance(verdict, Waits)


def test_unanswered_advice_of_an_older_layout() -> None:
    """A dose that may still be taken until 12:00, unanswered, keeps a new version's 11:00 at its distance: not before 14:00."""
    edited = _edited(at="10:00", times="11/17/23")
    record = dose(slot_at(THREE, "08:00"), until=clock("12:00"))
    verdicts = _verdicts(fall_due(standing(edited, record, decided="10:59"), clock("11:00")))

    assert verdicts == [Announced(not_before=clock("14:00"))]


def _edited(at: str, times: str) -> Course:
    plan = a_plan(a_phase("5/5/5" if times.count("/") == 2 else "5/5", at=tuple(f"{hour}:00" for hour in times.split("/"))))
    return Course((*THREE.versions, Version(plan, clock(at), no=2, used=((MONDAY, 3),))))


def test_two_versions() -> None:
    """An outage over a change of the plan: the old version's slot was not reminded, the new one's is announced."""
    edited = _edited(at="15:00", times="09/21")
    falling = fall_due(standing(edited, decided="13:59"), clock("21:00"))

    assert [(fallen.slot.due_at, fallen.verdict) for fallen in falling.fallen] == [(clock("14:00"), OUTAGE), (clock("21:00"), Announced())]


def test_times_across_versions() -> None:
    """The last dose of the old version is answered until the new version's first slot, and taken until 2 hours before it."""
    edited = _edited(at="15:00", times="09/21")
    (fallen,) = fall_due(standing(edited, decided="13:59"), clock("14:00")).fallen

    assert (fallen.times.answer_until, fallen.times.take_until) == (clock("21:00"), clock("19:00"))


def test_slots_of_two_versions_are_no_pair() -> None:
    """Only one layout's slots can be pushed together by the clock: between versions the seam has kept the distance."""
    edited = _edited(at="13:30", times="15/21")  # the 14:00 slot was the old version's and never came
    old, new = slot_at(THREE, "14:00"), slot_at(edited, "15:00")
    both = Course((*THREE.versions, replace(edited.versions[1], effective_at=clock("14:30"))))

    assert moved_slots(both, (old, new), GAP.min_gap) == frozenset()


def test_a_slot_due_as_its_version_begins_is_no_pair_with_an_older_one() -> None:
    """A slot at the very instant of its version is the new layout's: the seam has kept its distance, not the clock."""
    edited = _edited(at="15:00", times="15/21")

    assert moved_slots(edited, (slot_at(THREE, "14:00"), slot_at(edited, "15:00")), GAP.min_gap) == frozenset()


SPRING = date(2026, 3, 8)


def _spring_pair(*times: str) -> PlanStanding:
    course = a_course(a_plan(a_phase("/".join(["5"] * len(times)), at=times)))
    return replace(standing(course), decided_until=clock("00:30", SPRING))


def _on(day: date, falling: Falling) -> list[tuple[str, Verdict]]:
    return [(f"{fallen.slot.local_time:%H:%M}", fallen.verdict) for fallen in falling.fallen if fallen.slot.local_date == day]


@pytest.mark.parametrize("first", ["02:30", "02:00", "02:15"])
def test_spring_gap(first: str) -> None:
    """Two slots that fall together where the clocks go forward are one dose; the later is not due."""
    falling = fall_due(_spring_pair(first, "03:30", "12:00"), clock("03:35", SPRING))
    later = ("03:30", NoText(DoseState.NOT_DUE, "moved"))

    assert (_on(SPRING, falling)[0][0], _on(SPRING, falling)[1]) == (first, later)


def test_spring_gap_announces_one() -> None:
    """Of such a pair, 02:30 and 03:30 both at 07:30 UTC, the first is announced."""
    falling = fall_due(_spring_pair("02:30", "03:30", "12:00"), clock("03:30", SPRING))

    assert _on(SPRING, falling) == [("02:30", Announced()), ("03:30", NoText(DoseState.NOT_DUE, "moved"))]


def test_spring_gap_in_two_passes() -> None:
    """The later slot of a pair is not due in a pass of its own too: what came shortly before is looked at."""
    alone = replace(_spring_pair("02:15", "03:30", "12:00"), decided_until=clock("03:20", SPRING))

    assert _on(SPRING, fall_due(alone, clock("03:30", SPRING))) == [("03:30", NoText(DoseState.NOT_DUE, "moved"))]


def test_spring_gap_as_a_version_begins() -> None:
    """A pair whose first slot is due at the very instant of its version is of one layout, and one dose."""
    course = _spring_pair("02:15", "03:30", "12:00").course
    first, later = slots_between(course, clock("01:00", SPRING), clock("03:31", SPRING))
    begun = Course((replace(course.versions[0], effective_at=first.due_at),))

    assert moved_slots(begun, (first, later), GAP.min_gap) == {later}


def test_spring_gap_leaves_the_window() -> None:
    """The first of a pair is taken until 2 hours before the next slot that is due, not before its twin."""
    falling = fall_due(_spring_pair("02:15", "03:30", "12:00"), clock("03:15", SPRING))

    assert [fallen.times.take_until for fallen in falling.fallen] == [clock("10:00", SPRING)]


@pytest.mark.parametrize(("now", "due"), [("03:31", "02:15"), ("12:00", "12:00"), ("03:15", "02:15")])
def test_current_slot_of_a_spring_gap(now: str, due: str) -> None:
    """The turn is the first one's of a pair, until the next slot that is due."""
    course = _spring_pair("02:15", "03:30", "12:00").course
    current = current_slot(course, GAP.min_gap, clock(now, SPRING))
    assert current is not None

    assert f"{current.local_time:%H:%M}" == due


def test_current_slot_before_the_first() -> None:
    """Before a plan's first slot it is nobody's turn."""
    assert current_slot(THREE, GAP.min_gap, clock("07:00", date(2026, 3, 2))) is None


def test_next_to_take_of_the_last() -> None:
    """The last slot before a stop has none after it."""
    course = daily("08/14/20", start=MONDAY, days=1)

    assert next_to_take(course, slot_at(course, "20:00"), GAP.min_gap) is None


def test_no_slots_are_moved_of_none() -> None:
    """With no slots given none has moved."""
    assert moved_slots(THREE, (), GAP.min_gap) == frozenset()


def test_another_plan_of_the_ingredient() -> None:
    """Where the patient's other plan of the ingredient has a dose at 11:00, this one's is taken until 09:00."""
    other = slot_at(daily("11/17/23"), "11:00")
    (fallen,) = fall_due(replace(standing(THREE), upcoming_other=(other,)), clock("08:00")).fallen

    assert fallen.times.take_until == clock("09:00")


def _upcoming(*records: datetime) -> list[str]:
    course = daily("06/12/18/22", "20")
    taken = [dose(slot_at(course, "18:00"), taken_at=at) for at in records]
    asked = standing(course, *taken, limits=replace(GAP, max_in_24h=Decimal(80)))
    return [f"{slot.local_time:%H:%M}" for slot in situation_of(asked, slot_at(course, "12:00")).upcoming]


def test_upcoming_for_a_maximum_in_24_hours() -> None:
    """Where a drug has a maximum in 24 hours, the slots of a day past the next one are looked at."""
    assert _upcoming() == ["18:00", "22:00", "06:00", "12:00"]


def test_upcoming_without_what_is_a_dose_already() -> None:
    """A slot that has a dose already, taken early, is counted once."""
    assert _upcoming(clock("17:50")) == ["22:00", "06:00", "12:00"]


def test_upcoming_with_a_dose_of_another_plan() -> None:
    """Another plan's dose of the same date and number takes no slot of this plan's away."""
    course = daily("06/12/18/22", "20")
    other = dose(slot_at(course, "18:00"), plan="other")
    asked = standing(course, other, limits=replace(GAP, max_in_24h=Decimal(80)))

    assert len(situation_of(asked, slot_at(course, "12:00")).upcoming) == 4


def test_upcoming_without_what_the_clock_moved() -> None:
    """A slot pushed onto the one before it in a spring gap is not counted; a day of 23 hours brings the next morning's into the 24."""
    limits = replace(GAP, max_in_24h=Decimal(80))
    asked = replace(_spring_pair("02:15", "03:30", "12:00"), limits=limits)
    slot = slot_at(asked.course, "12:00", SPRING - DAY)

    assert [f"{later.local_time:%H:%M}" for later in situation_of(asked, slot).upcoming] == ["02:15", "12:00", "02:15"]


def test_upcoming_where_nothing_limits_24_hours() -> None:
    """Without a maximum in 24 hours the plan's own slots to come are not laid out: the next one is enough."""
    assert situation_of(standing(THREE), slot_at(THREE, "08:00")).upcoming == ()


def test_upcoming_of_a_last_slot() -> None:
    """After the last slot before a stop none is yet to come."""
    course = daily("08/14/20", start=MONDAY, days=1)
    asked = standing(course, limits=replace(GAP, max_in_24h=Decimal(60)))

    assert situation_of(asked, slot_at(course, "20:00")).upcoming == ()


def test_windows_add_up() -> None:
    """Two passes decide the same slots as one over both windows."""
    first = fall_due(standing(THREE), clock("14:30"))
    second = fall_due(replace(standing(THREE), decided_until=first.decided_until), clock("20:30"))
    both = fall_due(standing(THREE), clock("20:30"))

    assert [f.slot for f in (*first.fallen, *second.fallen)] == [f.slot for f in both.fallen]


def test_everything_due_is_decided() -> None:
    """Every slot of the window is decided, in order of due instant."""
    start = clock("07:00", MONDAY - timedelta(days=40))
    falling = fall_due(replace(standing(THREE), decided_until=start), clock("20:30"))

    assert tuple(f.slot for f in falling.fallen) == slots_between(THREE, start, clock("20:31"))
