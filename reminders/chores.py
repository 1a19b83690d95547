"""What is done again and again, and how often: each chore is one call of one service."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from reminders.clock import Clock
from reminders.messaging.pacing import Pace
from reminders.messaging.sandbox import SandboxTransport
from reminders.messaging.transport import Transport
from reminders.milestones import Passing, unmarked
from reminders.scheduling.loop import Chore
from reminders.services import auditing, delivering, escalating, following_up, forgetting, polling, replying
from reminders.services.delivering import PATIENCE, Patience, Watch
from reminders.services.quarantining import Caution
from reminders.simulation import reliving
from reminders.simulation.sandbox import Sandbox

if TYPE_CHECKING:
    from sqlalchemy import Engine

T = TypeVar("T")

OFTEN = timedelta(seconds=1)
HEARTBEAT = timedelta(seconds=15)
EACH_MINUTE = timedelta(minutes=1)
JUST_NOW = timedelta(seconds=30)
"""Whoever polls so soon after another process reads nothing: the carrier's lists are the same for all."""
HOURLY = timedelta(hours=1)
BATCH = 100
"""How many rows a chore takes at once: small enough that a waiting webhook soon has its turn to write."""


class Sender:
    """A thread with an event loop of its own, in which texts are sent: the carrier's client lives inside one loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sender", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work in the loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(frozen=True, kw_only=True)
class Hands:
    """What the chores are done with.

    pace      what the sender's contract lets through; None: as much as there is.
    pages     where our pages are reached, by https; None: no link to one is texted.
    passing   told of each milestone on the way; guarding  wraps what claims, and lets it do nothing while it may not.
    stopping  whether the process was asked to stop: then no request begins any more.
    watch     what this process has seen in doubt, and since when.
    caution   lets nothing be decided before the carrier's list has said that the ledger knows what was sent.
    sandbox   carries the ledger itself, once its clock was taken over: then nearly all else rests.
    own       what sign-ins go by: the machine's clock, which nobody moves; None: there is no other than `clock`.
    """

    engine: Engine
    clock: Clock
    transport: Transport
    sender: Sender
    patience: Patience = PATIENCE
    pace: Pace | None = None
    pages: str | None = None
    passing: Passing = unmarked
    guarding: Callable[[Callable[[], int]], Callable[[], int]] = lambda work: work
    stopping: Callable[[], bool] = lambda: False
    watch: Watch = field(default_factory=Watch)
    caution: Caution | None = None
    sandbox: Sandbox | None = None
    own: Clock | None = None


def chores(hands: Hands) -> Iterator[Chore]:
    """Lay out the chores of one process. Every one may run in many processes at once: the rows decide."""
    engine, now, sandbox = hands.engine, hands.clock.now, hands.sandbox
    resting = between = _as_it_is
    if sandbox is not None:
        resting, between = sandbox.unless_moved, sandbox.between
        yield Chore(name="drive", every=OFTEN, run=sandbox.tick)

    def claiming(name: str, every: timedelta, work: Callable[[], int], *, full: int | None = None) -> Chore:
        return Chore(name=name, every=every, run=resting(hands.guarding(work)), full=full)

    yield claiming("deliver", OFTEN, lambda: _deliver(hands), full=1)
    yield claiming("follow up", OFTEN, lambda: following_up.follow_up(engine, now=now(), limit=BATCH), full=BATCH)
    yield claiming("escalate", OFTEN, lambda: escalating.escalate(engine, now=now(), limit=BATCH), full=BATCH)
    yield Chore(name="recover", every=HEARTBEAT, run=between(hands.guarding(lambda: _recover(hands))))
    yield claiming("poll", EACH_MINUTE, lambda: _poll(hands))
    yield Chore(name="relive", every=HEARTBEAT, run=between(lambda: _relive(hands)))
    yield claiming("audit", HOURLY, lambda: hands.sender.run(auditing.audit_to_yesterday(engine, hands.transport, now=now())))
    forget = hands.guarding(lambda: forgetting.forget(engine, now=(hands.own or hands.clock).now(), limit=BATCH))
    yield Chore(name="forget", every=HOURLY, run=forget, full=BATCH)


def _as_it_is(work: Callable[[], int]) -> Callable[[], int]:
    return work


def _deliver(hands: Hands) -> int:
    work = delivering.deliver(
        hands.engine,
        hands.transport,
        clock=hands.clock,
        limit=BATCH,
        patience=hands.patience,
        pace=hands.pace,
        passing=hands.passing,
        stopping=hands.stopping,
    )
    done = hands.sender.run(work)
    if isinstance(hands.transport, SandboxTransport):
        _take_receipts(hands.engine, hands.transport, hands.clock)
    return done


def _recover(hands: Hands) -> int:
    work = delivering.recover(
        hands.engine,
        hands.transport,
        clock=hands.clock,
        watch=hands.watch,
        patience=hands.patience,
        passing=hands.passing,
        stopping=hands.stopping,
    )
    return hands.sender.run(work)


def _relive(hands: Hands) -> int:
    """Look again whether this ledger knows what was sent, if that could not be seen yet; and relive a gap that waits for it."""
    if hands.caution is not None:
        hands.caution.look(again=True)
    return reliving.take_up(
        hands.engine, hands.transport, hands.sender.run, clock=hands.clock, settle=hands.patience.settle, stopping=hands.stopping
    )


def _poll(hands: Hands) -> int:
    work = polling.poll(
        hands.engine,
        hands.transport,
        receive=partial(replying.receive, pages=hands.pages),
        receive_status=delivering.receive_status,
        now=hands.clock.now(),
        spacing=JUST_NOW,
        stopping=hands.stopping,
    )
    return hands.sender.run(work)


def _take_receipts(engine: Engine, transport: SandboxTransport, clock: Clock) -> None:
    """Let the sandbox's receipts come in, as a carrier's webhook would bring them."""
    for receipt in transport.take_receipts():
        delivering.receive_status(
            engine, sid=receipt.sid, status=receipt.status, tag=receipt.tag, error_code=receipt.error_code, now=clock.now()
        )
