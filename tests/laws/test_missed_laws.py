"""The four laws of the missed-dose rule, for a patient who follows every text of ours at any moment it allows, told or untold.

Two plans of one ingredient run side by side for two days while passes come late, questions are asked, doses are taken against
advice, and one plan is edited. A text about a dose takes the place of an earlier text about the same dose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.announcing import (
    Announced,
    Fallen,
    LeftOut,
    NoText,
    PlanStanding,
    Verdict,
    Waits,
    current_slot,
    fall_due,
    moved_slots,
    situation_of,
)
from reminders.domain.contact import Contactable, QuietHours
from reminders.domain.dose_state import DoseState
from reminders.domain.missed import (
    AlreadyTaken,
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
    Skip,
    TakeNow,
    TooSoon,
    advice_for,
)
from reminders.domain.plan import DAY, HOUR, Course
from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import Slot, slots_between
from reminders.domain.seam import join
from tests.builders import a_phase, a_plan
from tests.doses import clock, daily

GAP = 2 * HOUR
SPAN = 2 * DAY
DAYS = (date(2026, 6, 1), date(2026, 3, 7), date(2026, 10, 31))  # an ordinary one, and the eves of both clock changes in New York
SCHEDULES = ("08/14/20", "06/12/18/22", "07/15/23", "09/21", "08", "11/17/23", "01:30/03:30/13", "08:30/10:30/20")
RULES: tuple[MissedDoseRule, ...] = (
    HoursBeforeNext(2 * HOUR),
    HoursBeforeNext(6 * HOUR, at_limit=Boundary.SKIP),
    Fraction(Decimal("0.5")),
    Fraction(Decimal("0.9"), at_limit=Boundary.SKIP),
    MaxLate(2 * HOUR, beyond=Beyond.ASK),
    MaxLate(9 * HOUR),
    AskProviderRule(),
)
Key = tuple[str, date, int]


@dataclass(frozen=True)
class Text:
    """Our last word about a slot's dose: it may be taken from one moment to another, but not soon after another one."""

    said_at: datetime
    start: datetime
    until: datetime
    guard_after: datetime | None = None


@dataclass(frozen=True)
class Intake:
    """A dose as it was really taken: by which text (None: against advice), and when it was told, if it was."""

    at: datetime
    slot: Slot
    text: Text | None
    told_at: datetime | None


@dataclass
class World:
    """A patient, their two plans of one ingredient, what we know, and what is true."""

    random: Random
    now: datetime
    standings: dict[str, PlanStanding]
    records: dict[Key, DoseRecord] = field(default_factory=dict)
    texts: dict[Key, tuple[Slot, Text, datetime]] = field(default_factory=dict)
    intakes: dict[Key, Intake] = field(default_factory=dict)
    announced: list[Key] = field(default_factory=list)
    said: list[tuple[Key, Text]] = field(default_factory=list)

    def standing(self, plan: str) -> PlanStanding:
        """The plan as the service would gather it: with all of the ingredient's doses, and the other plan's slots to come."""
        known = {(p, record.slot_date, record.number) for (p, *_), record in self.records.items()}
        other = [slot for p in self.standings if p != plan for slot in self.ahead(p) if (p, *slot.key) not in known]
        return replace(self.standings[plan], records=tuple(self.records.values()), upcoming_other=tuple(other))

    def ahead(self, plan: str) -> tuple[Slot, ...]:
        """The slots of a plan after its cursor, for three days."""
        start = self.standings[plan].decided_until
        return slots_between(self.standings[plan].course, start + timedelta.resolution, start + 3 * DAY)

    def moment(self, start: datetime, until: datetime) -> datetime:
        """Any moment of a window, its ends above all."""
        seconds = max(0, int((until - start).total_seconds()))
        return start + timedelta(seconds=self.random.choice((0, seconds, self.random.randint(0, seconds))))

    def happen(self, happening: str) -> None:
        """Let one thing happen; a question about a plan that is not there is none."""
        match happening.split():
            case ["ask", plan] if plan in self.standings:
                self.advise(plan)
            case ["against", _]:
                self.take_against_advice()
            case ["tell"]:
                self.tell()
            case ["edit"]:
                self.edit()
            case _:
                pass

    # --- what the service does

    def pass_over(self) -> None:
        """Decide every slot that fell due, plan by plan, and let the patient read the texts."""
        for plan in self.standings:
            falling = fall_due(self.standing(plan), self.now)
            self.standings[plan] = replace(self.standings[plan], decided_until=falling.decided_until)
            for fallen in falling.fallen:
                self._record(plan, fallen)

    def _record(self, plan: str, fallen: Fallen) -> None:
        key, slot, verdict = (plan, *fallen.slot.key), fallen.slot, fallen.verdict
        self.records.setdefault(key, DoseRecord(plan, *slot.key, slot.due_at, slot.amount, _state(verdict)))
        if isinstance(verdict, Announced):
            self.announced.append(key)
            self.records[key] = replace(self.records[key], announced_at=self.now)
            start = max(self.now, verdict.not_before or self.now)
            self._allow(key, slot, Text(self.now, start, fallen.times.offered_until, verdict.guard_after))

    def advise(self, plan: str) -> None:
        """The patient asks about the current dose of a plan, and reads the answer."""
        current = current_slot(self.standings[plan].course, GAP, self.now)
        if current is None or (key := (plan, *current.key)) not in self.records:
            return
        match advice_for(situation_of(self.standing(plan), current), self.now):
            case TakeNow(until):
                self._allow(key, current, Text(self.now, self.now, until))
            case TooSoon(start, until) if until is not None:
                self._allow(key, current, Text(self.now, start, until))
            case Skip() | AskProvider() | AlreadyTaken() | TooSoon():
                self.texts.pop(key, None)

    def _allow(self, key: Key, slot: Slot, text: Text) -> None:
        told = self.records[key].may_take_until
        self.records[key] = replace(self.records[key], may_take_until=max(text.until, told or text.until))
        self.texts[key] = (slot, text, self.moment(text.start, text.until))
        self.said.append((key, text))

    # --- what the patient does

    def live_until(self, end: datetime) -> None:
        """The patient takes what they mean to take before `end`, in order of time, and tells us or not."""
        while due := [(at, key) for key, (_, _, at) in self.texts.items() if at < end]:
            at, key = min(due)
            slot, text, _ = self.texts.pop(key)
            recent = text.guard_after is not None and any(i.at > text.guard_after for i in self.intakes.values())
            if key not in self.intakes and not recent:
                self.now = max(self.now, at)
                self.take(key, slot, text, at)

    def take(self, key: Key, slot: Slot, text: Text | None, at: datetime) -> None:
        """Take a dose, and say "just now", that it was taken, or (of a dose that was due by our word) nothing."""
        told = self.random.choice(("just now", "taken", "nothing") if text else ("just now", "taken"))
        self.intakes[key] = Intake(at, slot, text, None if told == "nothing" else at)
        if told == "just now":
            self.records[key] = replace(self.records[key], state=DoseState.TAKEN, taken_at=at)
        elif told == "taken":
            self.records[key] = replace(self.records[key], state=DoseState.TAKEN, taken_by=at)

    def tell(self) -> None:
        """The patient says of a dose taken in silence that it was taken, and not when."""
        silent = [key for key, intake in self.intakes.items() if intake.told_at is None]
        if silent:
            key = self.random.choice(silent)
            self.intakes[key] = replace(self.intakes[key], told_at=self.now)
            self.records[key] = replace(self.records[key], state=DoseState.TAKEN, taken_by=self.now)

    def take_against_advice(self) -> None:
        """The patient takes some dose that they have not taken, early or late, whatever we said; everything is decided anew."""
        plan = self.random.choice(list(self.standings))
        slots = slots_between(self.standings[plan].course, self.now - DAY, self.now + 4 * HOUR)
        slots = tuple(slot for slot in slots if (plan, *slot.key) not in self.intakes)
        if not slots:
            return
        slot = self.random.choice(slots)
        key = (plan, *slot.key)
        self.records.setdefault(key, DoseRecord(*key, slot.due_at, slot.amount, DoseState.PENDING))
        self.texts.pop(key, None)
        self.take(key, slot, None, self.now)
        for each in self.standings:
            self.advise(each)

    def edit(self) -> None:
        """A provider changes the first plan's times, joined at a seam."""
        standing = self.standings["a"]
        mine = [record for key, record in self.records.items() if key[0] == "a"]
        offered = [record.taken_at or record.announced_at for record in mine]
        at = tuple(f"{hour}:00" for hour in self.random.choice(("09", "07/15", "10/16/22")).split("/"))
        amount = str(standing.course.current.plan.phases[0].doses[0].amount.value)
        plan = a_plan(a_phase("/".join([amount] * len(at)), at=at))
        last = max((moment for moment in offered if moment is not None), default=None)
        seam = join(
            standing.course,
            plan,
            at=self.now + timedelta(seconds=1),
            last=last,
            min_gap=GAP,
            max_gap=None,
            used={},
            planned_by_date={},
            max_per_day=None,
        )
        self.standings["a"] = replace(standing, course=Course((*standing.course.versions, seam.version)))


def _state(verdict: Verdict) -> DoseState:
    match verdict:
        case NoText(state):
            return state
        case LeftOut():
            return DoseState.SKIPPED
        case Announced() | Waits():
            return DoseState.OPEN


def _plan(name: str, random: Random, start: datetime, limits: Limits) -> PlanStanding:
    amount = random.choice(("5", "10", "20"))
    return PlanStanding(
        plan_id=name,
        course=daily(random.choice(SCHEDULES), amount),
        state=PlanState.ACTIVE,
        decided_until=start,
        rule=random.choice(RULES),
        limits=limits,
        quiet=QuietHours(),
        contact=Contactable(),
    )


def _happenings(random: Random, world: World) -> Iterator[tuple[datetime, str]]:
    """Passes near every due instant, and in between whatever people do."""
    for plan in world.standings:
        for slot in world.ahead(plan):
            late = random.choice((0, 0, 3, 45, 600, 1800, 7200, 40000))
            yield slot.due_at + timedelta(seconds=late), "pass"
    for _ in range(random.randint(0, 14)):
        happening = random.choice(("ask a", "ask a", "ask b", "ask b", "against advice", "tell", "edit", "pass"))
        yield world.now + timedelta(seconds=random.randint(0, int(SPAN.total_seconds()))), happening


def lived(random: Random) -> World:
    """Two days of one patient."""
    start = clock("00:00", random.choice(DAYS))
    limits = Limits(GAP, max_per_day=random.choice((None, Decimal(40), Decimal(60), Decimal(80))))
    world = World(random, start, {name: _plan(name, random, start, limits) for name in ("a", "b")[: random.randint(1, 2)]})
    for at, happening in sorted(_happenings(random, world)):
        world.live_until(at)
        world.now = max(world.now, at)
        world.pass_over()
        world.happen(happening)
    world.live_until(start + 2 * SPAN)
    return world


LIVES = st.randoms(use_true_random=False, note_method_calls=False)


@given(LIVES)
def test_a_one_amount_for_a_slot(random: Random) -> None:
    """No slot is announced twice, and none that was told as taken is ever offered again."""
    world = lived(random)
    again = [
        key for key, text in world.said if key in world.intakes and (told := world.intakes[key].told_at) is not None and told < text.said_at
    ]

    assert (len(world.announced), again) == (len(set(world.announced)), [])


@given(LIVES)
def test_b_minimum_gap(random: Random) -> None:
    """Nobody who follows us, at whatever moment and telling us or not, takes two doses closer than the minimum gap."""
    followed = [intake for intake in lived(random).intakes.values() if intake.text is not None]

    assert [(one, other) for one, other in combinations(followed, 2) if abs(one.at - other.at) < GAP] == []


@given(LIVES)
def test_b_minimum_gap_after_a_dose_against_advice(random: Random) -> None:
    """What we say after a dose taken against advice, and told, keeps its distance from that dose too."""
    world = lived(random)
    against = [intake for intake in world.intakes.values() if intake.text is None]

    assert [
        (early, intake)
        for early in against
        for intake in world.intakes.values()
        if intake.text is not None and early.at < intake.text.said_at and intake.at - early.at < GAP
    ] == []


@given(LIVES)
def test_c_daily_maximum(random: Random) -> None:
    """What is taken by our word never brings the sum of a slot date over the daily maximum."""
    world = lived(random)
    most = world.standings["a"].limits.max_per_day or Decimal("Infinity")

    assert [intake for intake in world.intakes.values() if intake.text is not None and _sum_with(world, intake) > most] == []


def _sum_with(world: World, intake: Intake) -> Decimal:
    """The sum of a followed dose's slot date, with what we had been told, or had said, before that dose was offered."""
    assert intake.text is not None
    others = [
        other
        for other in world.intakes.values()
        if other.slot.local_date == intake.slot.local_date and other is not intake and _offered_before(other, intake.text.said_at)
    ]
    return intake.slot.amount.value + sum((other.slot.amount.value for other in others), Decimal(0))


def _offered_before(other: Intake, moment: datetime) -> bool:
    return (other.at if other.text is None else other.text.said_at) <= moment


@given(LIVES, st.integers(min_value=0, max_value=12 * 60), st.integers(min_value=20, max_value=120))
def test_d_maximum_in_24_hours(random: Random, minutes_late: int, maximum: int) -> None:
    """Whoever takes a late dose within its advice, and all others on time, has no 24 hours over the maximum that hold it."""
    start = clock("00:00", random.choice(DAYS))
    standing = _plan("a", random, start, Limits(GAP, max_in_24h=Decimal(maximum)))
    slot = random.choice(slots_between(standing.course, start, start + DAY))
    advice = advice_for(situation_of(standing, slot), slot.due_at + timedelta(minutes=minutes_late))
    moments = [] if not isinstance(advice, TakeNow) else [slot.due_at + timedelta(minutes=minutes_late), advice.until]

    assert [at for at in moments if _most_in_24h(standing.course, slot, at) > maximum] == []


def _most_in_24h(course: Course, late: Slot, at: datetime) -> Decimal:
    """The largest sum of 24 hours that hold the late dose, minute by minute."""
    planned = slots_between(course, late.due_at + timedelta.resolution, at + 2 * DAY)
    later = set(planned) - moved_slots(course, planned, GAP)
    starts = [at - timedelta(minutes=back) for back in range(0, 24 * 60, 5)]
    return max(
        late.amount.value + sum((slot.amount.value for slot in later if start <= slot.due_at < start + DAY), Decimal(0)) for start in starts
    )
