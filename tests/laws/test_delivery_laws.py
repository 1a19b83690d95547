"""Nothing lost, nothing doubled: what holds after every step, whatever people, carriers, clocks and dying processes do."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine

from db.engine import writing
from db.tables import metadata
from reminders.domain.dose_state import DoseState
from reminders.errors import NotAllowed
from reminders.milestones import Milestone
from reminders.services.delivering import resting
from reminders.services.records import ledger
from tests.builders import NEW_YORK
from tests.laws.carrier_by_hand import ENDINGS, TAKEN, Fate
from tests.laws.clinic_world import FINAL, PLANS, World
from tests.laws.delivery_model import Judge
from tests.laws.lives import OUTSIDE
from tests.stage import ANA, RUI, empty_ledger

ANSWERS = ("1", "2", "taken", "skipped it", "took it just now", "missed my dose", "3", "took two", "all of them", "what?")
SAYINGS = (*ANSWERS, "STOP", "START", "please stop texting me")
ACTS = ("stay", "resume", "step_back", "advance", "mute", "unmute", "suspend", "restart", "move_zone", "acknowledge")
ZONES = (NEW_YORK, "Europe/London", "America/Los_Angeles")
CHORES = ("deliver", "recover", "remind", "follow up", "escalate", "poll", "receipts")
PLACES = {
    "deliver": tuple(place for place in Milestone if place.value.startswith("send.")),
    "recover": tuple(place for place in Milestone if place.value.startswith("recover.")),
    "remind": tuple(place for place in Milestone if place.value.startswith("pass.")),
}
SENDING = tuple(place for place in PLACES["deliver"] if place in OUTSIDE)
INBOUND = (Milestone.INBOUND_BEFORE_COMMIT, Milestone.INBOUND_AFTER_COMMIT)
UNPROVED = (Fate.ANSWER_LOST, Fate.LOST)
MEANWHILE = ("STOP", "please stop texting me", "1", "2", "suspend", "mute", "move_zone", "nothing")
SETTLED = timedelta(seconds=170)
"""After so long a text in doubt has been found, or is sent again."""
fates = st.sampled_from((*Fate, *UNPROVED, *UNPROVED, Fate.MACHINE_SLEEPS))
endings = st.sampled_from(sorted(ENDINGS))
lags = st.sampled_from((0, 20, 50))
places = st.sampled_from([(chore, place) for chore, some in PLACES.items() for place in some])
moments = st.sampled_from((1, 10, 31, 76, 110, 150))
clocks = st.sampled_from((0, 0, 40, 120, -5, -30, -120))
"""How many minutes our clock lags behind the carrier's; below nought it is ahead."""


STARTS = ("03-02 07:20", "03-07 07:20", "11-01 00:50")
"""A day like any other; one whose night is an hour short; the night with an hour that comes twice."""


class Delivery(RuleBasedStateMachine):
    """Two clinics with patients on their phones, a carrier that may do anything, and processes that may die anywhere."""

    def __init__(self, ledger: Engine) -> None:
        super().__init__()
        self.ledger = ledger

    @initialize(kind=st.sampled_from(sorted(PLANS)), start=st.sampled_from(STARTS), redacted=st.sampled_from((False, False, False, True)))
    def begins(self, kind: str, start: str, redacted: bool) -> None:  # noqa: FBT001 - Hypothesis gives it by name
        """Enrol everybody, shortly before the first dose."""
        self.world = World(self.ledger, kind, start, redacted=redacted)
        self.judge = Judge(self.world)
        self.overtook = False
        self.refs = [entry["ref"] for entry in PLANS[kind]]
        note(f"{kind} from {start}{', its lists redacted' if redacted else ''}")

    # --- time ---------------------------------------------------------------------------------------------------------

    @rule(span=moments | st.integers(1, 400).map(lambda minutes: 60 * minutes))
    def time_passes(self, span: int) -> None:
        """Some seconds or hours go by, with all that is due in them."""
        self.world.run(self.world.now + timedelta(seconds=span))

    @rule(minutes=st.integers(1, 120) | st.sampled_from((60, 180, 420)), asleep=st.booleans())
    def nothing_of_ours_runs(self, minutes: int, asleep: bool) -> None:  # noqa: FBT001 - Hypothesis gives it by name
        """All our processes are down, or the machine is asleep: on waking its clock is right at once."""
        span = timedelta(minutes=minutes)
        if asleep:
            self.world.doze(span)
        else:
            self.world.sleep(self.world.now + span)

    @rule(minutes=clocks)
    def our_clock_is_set(self, minutes: int) -> None:
        """Our clock is set so much behind the carrier's, or ahead of it, or right again."""
        self.world.set_clock(timedelta(minutes=minutes))

    @rule(minutes=st.integers(5, 200))
    def all_is_well_again(self, minutes: int) -> None:
        """Everything works again, and a while goes by."""
        self.world.mend()
        self.world.run(self.world.now + timedelta(minutes=minutes))

    # --- what is hard on the protocol: each needs several things to go wrong together, so that chance alone would rarely try it ---

    @rule(minutes=st.sampled_from((0, 14, 59, 61)), chore=st.sampled_from((None, "remind")))
    def the_next_dose_waits(self, minutes: int, chore: str | None) -> None:
        """The next dose falls due, and for a while nothing, or nothing more than its text, comes of it."""
        world = self._at_the_next_dose()
        if chore is not None:
            world.do(chore)
        world.sleep(world.now + timedelta(minutes=minutes))
        world.settle()

    @rule(fates=st.lists(fates, min_size=1, max_size=3), late=moments, ending=endings)
    def its_text_goes_wrong(self, fates: list[Fate], late: int, ending: str) -> None:
        """The next dose's text, and what follows it, have these fates."""
        world = self._at_the_next_dose(ending=ending)
        world.carrier.fates.extend(fates)
        world.run(world.now + timedelta(seconds=late))
        world.carrier.ending = "delivered"

    @rule(place=st.sampled_from(PLACES["deliver"]), nth=st.integers(1, 2), fate=fates)
    def its_sender_dies(self, place: Milestone, nth: int, fate: Fate) -> None:
        """The next dose's sender dies on the way; others do its work."""
        world = self._at_the_next_dose(ending="silent")
        world.do("remind")
        world.carrier.fates.append(fate)
        world.do("deliver", world.life(ends_at=place, nth=nth))
        world.run(world.now + SETTLED)
        world.carrier.ending = "delivered"

    @rule(place=st.sampled_from(SENDING), fate=fates, meanwhile=st.sampled_from(MEANWHILE), stands=st.sampled_from((0, 44, 150)))
    def its_sender_stands_still(self, place: Milestone, fate: Fate, meanwhile: str, stands: int) -> None:
        """The next dose's sender stands still on the way; meanwhile somebody acts, and others do its work."""
        world = self._at_the_next_dose()
        world.do("remind")
        world.carrier.fates.append(fate)
        world.do("deliver", world.life(holds_at=place))
        self._does(meanwhile)
        world.run(world.now + timedelta(seconds=stands))
        world.go_on_all(dead=False)
        world.run(world.now + SETTLED)

    @rule(fate=st.sampled_from(sorted(TAKEN)), stands=st.sampled_from((12, 44)), lag=lags)
    def its_request_is_slow(self, fate: Fate, stands: int, lag: int) -> None:
        """The next dose's request lives for long, the list lags, and no receipt says anything."""
        world = self._at_the_next_dose(lag=lag, ending="silent")
        world.do("remind")
        world.carrier.fates.append(fate)
        world.do("deliver", world.life(holds_at=Milestone.SEND_BEFORE_WRITE))
        world.run(world.now + timedelta(seconds=stands))
        world.go_on_all(dead=False)
        world.run(world.now + SETTLED)
        world.carrier.ending = "delivered"

    @rule(before=clocks, after=clocks, lag=lags)
    def its_text_is_in_doubt_by_a_wrong_clock(self, before: int, after: int, lag: int) -> None:
        """Nobody hears what became of the next dose's text; our clock was wrong when it left, or is set while it is in doubt."""
        world = self._at_the_next_dose(lag=lag, ending="silent", behind=before)
        world.do("remind")
        world.carrier.fates.append(Fate.ANSWER_LOST)
        world.do("deliver")
        world.do("recover")
        world.set_clock(timedelta(minutes=after))
        world.run(world.now + SETTLED)
        world.carrier.ending = "delivered"

    @rule(second=st.sampled_from((*UNPROVED, Fate.ACCEPTED)), lag=lags)
    def two_look_into_one_doubt(self, second: Fate, lag: int) -> None:
        """Two look into what became of the next dose's text; one stands still, and the other sends it again, into doubt again."""
        world = self._at_the_next_dose(lag=lag, ending="silent")
        world.carrier.fates.append(Fate.LOST)
        for chore in ("remind", "deliver"):
            world.do(chore)
        world.run(world.now + timedelta(seconds=134))
        world.clock.advance(timedelta(seconds=1))
        world.do("recover", world.life(holds_at=Milestone.RECOVER_AFTER_LIST))
        world.carrier.fates.append(second)
        for chore in ("recover", "deliver"):
            world.do(chore)
        world.go_on_all(dead=False)
        world.run(world.now + SETTLED)
        world.carrier.ending = "delivered"

    @rule(ending=endings, order=st.permutations(range(4)), then=st.lists(st.integers(0, 3), max_size=2))
    def its_receipts_come_anyhow(self, ending: str, order: list[int], then: list[int]) -> None:
        """The receipts of the next dose's text come in any order, and again."""
        world = self._at_the_next_dose(ending=ending)
        world.receipts_prompt = False
        world.run(world.now + timedelta(seconds=1))
        receipts = [*world.carrier.waiting]
        for number in (*order, *then):
            if number < len(receipts):
                world.bring(receipts[number])
        world.receipts_prompt, world.carrier.ending = True, "delivered"

    @precondition(lambda self: self.world.kind in {"ending", "two"} and not self.overtook)
    @rule(action=st.sampled_from(("advance", "step_back", "move_zone", "suspend")))
    def a_step_is_overtaken(self, action: str) -> None:
        """The clinic changes the plan while the notice of its next step is about to leave."""
        world = self._at_the_next_dose()
        world.overtaking = lambda: self._acts(action, zone="Europe/London")
        for _ in range(24):
            if world.overtaking is not None:
                world.run(world.now + timedelta(hours=1))
        world.overtaking, self.overtook = None, True

    def _at_the_next_dose(self, *, lag: int = 0, ending: str = "delivered", behind: int = 0) -> World:
        """Let everything work and everybody be reached, and come to the instant at which the next dose is due."""
        world = self.world
        world.mend()
        world.set_lists(broken=False, lag=timedelta(seconds=lag))
        world.bring_all()
        world.reach_everybody()
        world.set_clock(timedelta(minutes=behind))
        world.come_to_next_dose()
        self.the_laws_hold()  # before anything else happens: the model judges by how things stand
        world.carrier.ending = ending
        return world

    # --- processes ------------------------------------------------------------------------------------------------------

    @rule(chores=st.lists(st.sampled_from(CHORES), min_size=1, max_size=4))
    def some_chores(self, chores: list[str]) -> None:
        """Some chores are done alone, in any order, by whichever process."""
        for chore in chores:
            self.world.do(chore)

    @rule(where=places, nth=st.integers(1, 2), dies=st.booleans())
    def one_stops(self, where: tuple[str, Milestone], nth: int, dies: bool) -> None:  # noqa: FBT001 - as above
        """A process dies in the middle of a chore, or, where it would hold nobody up, stands still; the others go on."""
        chore, place = where
        if dies:
            self.world.do(chore, self.world.life(ends_at=place, nth=nth))
        elif place in OUTSIDE and len(self.world.held) < 2:
            self.world.do(chore, self.world.life(holds_at=place, nth=nth))

    @precondition(lambda self: self.world.held)
    @rule(which=st.integers(0, 1), dead=st.booleans())
    def it_goes_on(self, which: int, dead: bool) -> None:  # noqa: FBT001 - as above
        """A process that stood still goes on, or is ended."""
        self.world.go_on(self.world.held[which % len(self.world.held)], dead=dead)

    # --- the carrier ------------------------------------------------------------------------------------------------------

    @rule(fates=st.lists(fates, max_size=3), ending=endings, prompt=st.booleans())
    def the_carrier_will(self, fates: list[Fate], ending: str, prompt: bool) -> None:  # noqa: FBT001 - as above
        """What becomes of the next requests, how texts end from now on, and whether we are told at once."""
        carrier = self.world.carrier
        carrier.fates.clear()
        carrier.fates.extend(fates)
        carrier.ending, self.world.receipts_prompt = ending, prompt
        self.world.disturb()

    @precondition(lambda self: self.world.carrier.waiting or self.world.carrier.brought)
    @rule(which=st.lists(st.integers(0, 200), min_size=1, max_size=4))
    def receipts_come(self, which: list[int]) -> None:
        """Receipts come in any order, for the first time or again."""
        for number in which:
            receipts = [*self.world.carrier.waiting, *self.world.carrier.brought[-4:]]
            self.world.bring(receipts[number % len(receipts)])
        self.world.disturb()

    @rule(broken=st.booleans(), lag=lags, up=st.booleans())
    def we_hear(self, broken: bool, lag: int, up: bool) -> None:  # noqa: FBT001 - as above
        """The carrier's lists fail, or work with so much lag; texts to us are brought, or only listed."""
        self.world.set_lists(broken=broken, lag=timedelta(seconds=lag))
        self.world.webhook_up = up

    # --- people -----------------------------------------------------------------------------------------------------------

    @rule(phone=st.sampled_from((ANA, ANA, RUI)), text=st.sampled_from(SAYINGS))
    def somebody_writes(self, phone: str, text: str) -> None:
        """Ana or her brother says something."""
        self.world.says(phone, text)

    @rule(text=st.sampled_from(("1", "2", "STOP")), where=st.sampled_from(INBOUND))
    def she_writes_to_one_who_dies(self, text: str, where: Milestone) -> None:
        """The process that takes Ana's text in dies of it."""
        self.world.says(ANA, text, self.world.life(ends_at=where))

    @precondition(lambda self: self.world.said)
    @rule(which=st.integers(0, 200))
    def a_webhook_is_repeated(self, which: int) -> None:
        """A text is brought once more."""
        said = list(self.world.said.values())
        self.world.hear(said[which % len(said)]["text"])

    @rule(
        actions=st.lists(st.sampled_from(ACTS), min_size=1, max_size=3),
        which=st.integers(0, 1),
        zone=st.sampled_from(ZONES),
        chosen=st.integers(1, 3),
    )
    def the_clinic(self, actions: list[str], which: int, zone: str, chosen: int) -> None:
        """The clinic acts, where the plan's state permits it."""
        for action in actions:
            self._acts(action, which=which, zone=zone, chosen=chosen)

    @precondition(lambda self: self.world.kind == "two")
    @rule(which=st.integers(0, 200), state=st.sampled_from([DoseState(name) for name in sorted(FINAL)]))
    def the_clinic_corrects(self, which: int, state: DoseState) -> None:
        """The clinic has called, and corrects what is down of a dose."""
        self.world.correct("ana-second", which, state)

    def _acts(self, action: str, *, which: int = 0, zone: str = NEW_YORK, chosen: int = 1) -> None:
        try:
            self.world.act(action, self.refs[which % len(self.refs)], phase=chosen, zone=zone)
        except NotAllowed:
            return

    def _does(self, meanwhile: str) -> None:
        if meanwhile in ACTS:
            self._acts(meanwhile)
        elif meanwhile != "nothing":
            self.world.says(ANA, meanwhile)

    @invariant()
    def the_laws_hold(self) -> None:
        """Nothing is broken that the model knows of."""
        if hasattr(self, "judge"):
            for line in self.world.news():
                note(line)
            broken = self.judge.broken()
            assert not broken, broken

    def teardown(self) -> None:
        """End what is held."""
        if hasattr(self, "world"):
            self.world.close()


def _on_paper() -> Delivery:
    return DeliveryOnPaper(empty_ledger())


class DeliveryOnPaper(Delivery):
    """On a ledger in memory, new for each story."""

    def teardown(self) -> None:
        """Let go of the ledger."""
        super().teardown()
        self.ledger.dispose()


def _emptied(engine: Engine) -> Delivery:
    with writing(engine) as c:
        c.exec_driver_sql(f"TRUNCATE {', '.join(table.name for table in metadata.sorted_tables)}")
    return Delivery(engine)


BY_DAY = settings(max_examples=20, stateful_step_count=20, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
BY_NIGHT = settings(max_examples=500, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _same_dice_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw ids and rests from the dice that Hypothesis casts again for each story: a story told twice must go the same way."""
    monkeypatch.setattr(ledger, "uuid4", lambda: UUID(int=random.getrandbits(128), version=4))
    monkeypatch.setattr(resting, "_dice", random)


@pytest.mark.timeout(600)
def test_on_sqlite() -> None:
    """A few stories on SQLite."""
    run_state_machine_as_test(cast("type[Delivery]", _on_paper), settings=BY_DAY)


@pytest.mark.timeout(600)
def test_on_postgresql(postgres_engine: Engine) -> None:
    """A few stories on PostgreSQL."""
    run_state_machine_as_test(cast("type[Delivery]", lambda: _emptied(postgres_engine)), settings=settings(BY_DAY, max_examples=6))


@pytest.mark.night
@pytest.mark.timeout(0)
def test_all_night(engine: Engine) -> None:
    """Hundreds of longer stories, on each database."""
    factory = _on_paper if engine.dialect.name == "sqlite" else lambda: _emptied(engine)
    run_state_machine_as_test(cast("type[Delivery]", factory), settings=BY_NIGHT)
