"""One whole `doseline serve` in a process of its own: web, scheduler and sender on a real database, at a quicker pace.

The spans of the send protocol are all shorter than production's, and their ties are kept. Everything else is as it is there.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import pytest
import uvicorn
import uvicorn.lifespan.on
import uvicorn.loops.auto
import uvicorn.protocols.http.auto  # here and above: loaded before the fork, not after each
from sqlalchemy import Engine

import reminders.scheduling.loop
import reminders.scheduling.plan_jobs
from reminders import bootstrap, chores
from reminders.clock import SystemClock
from reminders.messaging import twilio
from reminders.messaging.pacing import Pace
from reminders.messaging.twilio import TwilioTransport
from reminders.milestones import Milestone, Passing, unmarked
from reminders.services.delivering import Patience
from reminders.services.quarantining import starting
from reminders.settings import Settings
from reminders.web.app import UVICORN
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN
from tests.scheduling.enrolled import shelve_another_medicine

A_MOMENT = timedelta(seconds=1)
FAST = Pace(1_000)
"""A contract that lets through whatever is left to send."""


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans of the protocol in seconds, and how long a process may sleep between two looks."""

    http: float = 1.0
    lease: float = 2.0
    settle: float = 4.0
    second_look: float = 1.0
    heartbeat: float = 0.5
    often: float = 0.1

    @property
    def patience(self) -> Patience:
        """As the sender takes them. How many requests may end without an answer is as it is in production."""
        return Patience(timedelta(seconds=self.lease), timedelta(seconds=self.settle), timedelta(seconds=self.second_look))

    @property
    def bound(self) -> float:
        """Within how many seconds of its claim a text in flight at a kill is settled: in production 165."""
        return self.lease + self.settle + self.second_look + 2 * self.heartbeat


SPANS = Spans()


@dataclass(frozen=True, slots=True)
class Doom:
    """Where a process gets a signal: at a milestone, the n-th time it passes it."""

    milestone: Milestone
    nth: int = 1
    number: int = signal.SIGKILL


@dataclass(frozen=True)
class Orders:
    """What all workers of an ordeal must know."""

    database_url: str
    twilio_url: str
    public_url: str
    log: Path
    spans: Spans = SPANS

    @cached_property
    def settings(self) -> Settings:
        """The settings of a process that sends by a stand-in for Twilio."""
        given = {
            "DATABASE_URL": self.database_url,
            "DOSELINE_TRANSPORT": "twilio",
            "PUBLIC_URL": self.public_url,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_API_BASE_URL": self.twilio_url,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": OUR_NUMBER,
        }
        return Settings.from_environ(given)


class Doomed:
    """Counts the milestones that a process passes, and sends it the signal of its doom; `meets` is called just before."""

    def __init__(self, doom: Doom, meets: Callable[[], object]) -> None:
        self._doom, self._meets = doom, meets
        self._passed: Counter[Milestone] = Counter()

    def __call__(self, milestone: Milestone) -> None:
        """Pass a milestone, or die there."""
        self._passed[milestone] += 1
        if (self._doom.milestone, self._doom.nth) == (milestone, self._passed[milestone]):
            self._meets()
            os.kill(os.getpid(), self._doom.number)


@contextmanager
def hurried(orders: Orders) -> Iterator[None]:
    """Let time pass more quickly than the settings allow, and complaints go to the ordeal's log, inside the block."""
    logging.basicConfig(filename=orders.log, level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    heartbeat = timedelta(seconds=orders.spans.heartbeat)
    with pytest.MonkeyPatch.context() as patches:
        shelve_another_medicine(patches)
        for module in (chores, reminders.scheduling.loop, reminders.scheduling.plan_jobs):
            patches.setattr(module, "HEARTBEAT", heartbeat)
        patches.setattr(chores, "OFTEN", timedelta(seconds=orders.spans.often))
        # Who starts looks through the carrier's list, back to when the ledger was last worked on. Here all clocks agree, and the
        # list is in order: without this each of thousands of starts would read all that was ever sent.
        patches.setattr(starting, "CLOCKS_DIFFER", A_MOMENT)
        patches.setattr(twilio, "LIST_ORDER", A_MOMENT)
        yield


def serve(
    orders: Orders,
    engine: Engine,
    listening: socket.socket,
    *,
    passing: Passing = unmarked,
    born: Callable[[uvicorn.Server], object] = bool,
) -> None:
    """Serve until a signal ends it. `born` is called when the process is put together, just before it begins."""
    spans, settings = orders.spans, orders.settings
    assert settings.twilio is not None
    sender = chores.Sender()
    transport = TwilioTransport(settings.twilio, public_url=orders.public_url, seconds=spans.http)
    running = bootstrap.assemble(settings, engine, SystemClock(), transport, sender, patience=spans.patience, pace=FAST, passing=passing)
    server = uvicorn.Server(uvicorn.Config(running.app, **UVICORN))
    born(server)
    server.run(sockets=[listening.dup()])  # it closes what it is given
    sender.run(transport.aclose())
    sender.stop()
    engine.dispose()
