"""How long a text may be in flight when its sender dies: worked out exactly, with the default spans, on a clock moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

from reminders.chores import HEARTBEAT, OFTEN, Hands, Sender, chores
from reminders.messaging.sandbox import CarrierFault, SandboxTransport
from reminders.messaging.transport import Receipt
from reminders.milestones import Milestone
from reminders.services import reminding, replying
from reminders.services.delivering import PATIENCE
from tests.stage import ANA, Stage, at, empty_ledger

BOUND = PATIENCE.lease + PATIENCE.settle + PATIENCE.second_look + 2 * HEARTBEAT
DUE = at("03-02 08:00")
A_HAIR = timedelta(milliseconds=1)
FIRST_LOOK = (PATIENCE.lease + PATIENCE.settle) // HEARTBEAT
PHASES = (timedelta(), A_HAIR, timedelta(seconds=1), HEARTBEAT / 2, HEARTBEAT - A_HAIR)
"""How long after the claim the recovery comes round first. The worst: each time a hair too soon for it."""

SENDING = (Milestone.SEND_AFTER_CLAIM_COMMIT, Milestone.SEND_BEFORE_WRITE, Milestone.SEND_AFTER_WRITE, Milestone.SEND_BEFORE_RECORD)
RECOVERING = (Milestone.RECOVER_AFTER_LIST, Milestone.RECOVER_BEFORE_COMMIT)
DECIDING = (Milestone.BATCH_CLAIMED, Milestone.BATCH_BEFORE_COMMIT, Milestone.BATCH_AFTER_COMMIT)
HEARING = (Milestone.INBOUND_BEFORE_COMMIT, Milestone.INBOUND_AFTER_COMMIT)
IN_FLIGHT = {"sending", "unknown"}


class Killed(BaseException):
    """As kill -9: nothing of ours catches it, and what was not committed is gone."""


class Silent(SandboxTransport):
    """A carrier that sends no receipts: its list alone proves what it took."""

    def take_receipts(self) -> tuple[Receipt, ...]:
        """Tell of nothing."""
        return ()


class Ward:
    """Ana's reminder is due now, and whoever passes a milestone first dies there. What others do, they do on a clock moved by hand."""

    def __init__(self, milestone: Milestone, fault: str = "delivered") -> None:
        self._milestone, self.died = milestone, False
        self.stage = Stage(empty_ledger(), start=DUE)
        self.carrier = Silent(self.stage.clock)
        self.carrier.set_fault(ANA, CarrierFault(fault))
        self._sender = Sender()
        hands = Hands(engine=self.stage.engine, clock=self.stage.clock, transport=self.carrier, sender=self._sender, passing=self._pass)
        self._chores = {chore.name: chore.run for chore in chores(hands)}

    def close(self) -> None:
        """Let go of everything."""
        self._sender.stop()
        self.stage.__exit__(None, None, None)

    def remind(self) -> None:
        """What the job of a minute does."""
        with suppress(Killed):
            reminding.remind_due(self.stage.engine, now=self.stage.now, passing=self._pass)

    def does(self, chore: str) -> None:
        """One turn of a chore. Only the first request of all meets the carrier's fault."""
        with suppress(Killed):
            self._chores[chore]()
        if chore == "deliver":
            self.carrier.set_fault(ANA, CarrierFault())

    def hears(self, words: str) -> None:
        """Take in a text, as the carrier brings it: with the same id again if there was no answer."""
        with suppress(Killed):
            now = self.stage.now
            replying.receive(
                self.stage.engine, sid="SMa", from_phone=ANA, to_phone="", body=words, received_at=now, now=now, passing=self._pass
            )

    def goes_on(self, *, phase: timedelta, unsteady: timedelta = timedelta()) -> Iterator[None]:
        """Those who live go on: a recovery each heartbeat from `phase` after now, the one that looks first a little late; then a delivery.

        The deliveries between two recoveries, one a second, find nothing to do and are left out.
        """
        began = self.stage.now
        for number in range(20):
            self.stage.clock.advance_to(began + phase + number * HEARTBEAT + (number == FIRST_LOOK) * unsteady)
            self.remind()
            self.does("recover")
            yield
            self.stage.clock.advance(OFTEN)
            self.does("deliver")
            yield

    def states(self) -> list[str]:
        """Where each text stands."""
        return [row["state"] for row in self.stage.rows("text_out")]

    def sent(self) -> int:
        """How many texts the carrier took."""
        return len(self.carrier.kept())

    def _pass(self, milestone: Milestone) -> None:
        if milestone is self._milestone and not self.died:
            self.died = True
            raise Killed


def seconds_in_flight(ward: Ward, *, phase: timedelta, unsteady: timedelta = timedelta()) -> float:
    """Send, and let those who live go on to the end; return for how long the text was in flight after its first claim."""
    began, longest = ward.stage.now, timedelta()
    ward.remind()
    ward.does("deliver")
    for _ in ward.goes_on(phase=phase, unsteady=unsteady):
        if ward.states() == ["accepted"]:
            break
        if not longest and not IN_FLIGHT & set(ward.states()):
            longest = ward.stage.now - began
    return (longest or ward.stage.now - began).total_seconds()


@pytest.fixture
def wards() -> Iterator[list[Ward]]:
    """Those that a test opened, closed at its end."""
    opened: list[Ward] = []
    yield opened
    for ward in opened:
        ward.close()


def test_the_bound() -> None:
    """A lease, the settle time, the second look, and two wake-ups: 165 seconds."""
    assert timedelta(seconds=165) == BOUND


@pytest.mark.parametrize("milestone", SENDING)
def test_killed_in_mid_send(wards: list[Ward], milestone: Milestone) -> None:
    """Whenever the recovery comes round, and though its steps are uneven, a dead sender's text is settled in 165 s, and sent once.

    A first look a hair late puts off the second by a whole heartbeat: that is the second of the bound's two wake-ups.
    """
    took = []
    for phase in PHASES:
        for unsteady in (timedelta(), A_HAIR):
            wards.append(Ward(milestone))
            took.append(seconds_in_flight(wards[-1], phase=phase, unsteady=unsteady))

    assert [(ward.died, ward.states(), ward.sent()) for ward in wards] == [(True, ["accepted"], 1)] * len(wards)
    assert max(took) <= BOUND.total_seconds()


@pytest.mark.parametrize("milestone", RECOVERING)
@pytest.mark.parametrize("fault", ["unknown", "lost"])
def test_killed_in_mid_recovery(wards: list[Ward], milestone: Milestone, fault: str) -> None:
    """Whoever looks into a doubt may die of it too: the next one settles it, still within 165 s, and it is sent once."""
    took = []
    for phase in PHASES:
        wards.append(Ward(milestone, fault))
        took.append(seconds_in_flight(wards[-1], phase=phase))

    assert [(ward.died, ward.states(), ward.sent()) for ward in wards] == [(True, ["accepted"], 1)] * len(wards)
    assert max(took) <= BOUND.total_seconds()


@pytest.mark.parametrize("milestone", DECIDING)
def test_killed_before_there_is_a_text_to_send(wards: list[Ward], milestone: Milestone) -> None:
    """Who dies while deciding leaves all or nothing: a heartbeat later at the latest the reminder goes out, once."""
    for phase in PHASES:
        wards.append(Ward(milestone))
        wards[-1].remind()
        for _ in zip(range(2), wards[-1].goes_on(phase=phase), strict=False):
            pass

    assert [(ward.died, ward.states(), ward.sent()) for ward in wards] == [(True, ["accepted"], 1)] * len(wards)


def test_killed_before_a_claim_is_committed(wards: list[Ward]) -> None:
    """A claim that was not committed is none: the text is still in line, and the next turn sends it."""
    wards.append(Ward(Milestone.SEND_BEFORE_CLAIM_COMMIT))
    wards[0].remind()
    wards[0].does("deliver")
    left = wards[0].states()
    wards[0].does("deliver")

    assert (wards[0].died, left, wards[0].states(), wards[0].sent()) == (True, ["queued"], ["accepted"], 1)


@pytest.mark.parametrize("milestone", HEARING)
def test_killed_while_it_hears(wards: list[Ward], milestone: Milestone) -> None:
    """A text to us whose taker dies is brought again, and answered once."""
    wards.append(Ward(milestone))
    for _ in range(2):
        wards[0].hears("HELP")
    wards[0].does("deliver")

    assert (wards[0].died, wards[0].states(), wards[0].sent()) == (True, ["accepted"], 1)


def test_every_milestone_is_tried() -> None:
    """Nothing is left out."""
    assert {*SENDING, *RECOVERING, *DECIDING, *HEARING, Milestone.SEND_BEFORE_CLAIM_COMMIT} == set(Milestone)
