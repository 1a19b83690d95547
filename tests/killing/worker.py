"""One whole `doseline serve` in a process of its own: web, scheduler and sender on a real database, at a quicker pace.

The spans of the send protocol are all shorter than production's, and their ties are kept. Everything else is as it is there.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
import uvicorn.lifespan.on
import uvicorn.loops.auto
import uvicorn.protocols.http.auto

import reminders.scheduling.loop
import reminders.scheduling.plan_jobs
from db.engine import make_engine
from reminders import bootstrap, chores
from reminders.clock import SystemClock
from reminders.messaging.pacing import Pace
from reminders.messaging.twilio import TwilioTransport
from reminders.milestones import Milestone
from reminders.services.delivering import Patience
from reminders.settings import Settings
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN
from tests.scheduling.enrolled import shelve_another_medicine

# uvicorn loads these when it first serves: they are here to be loaded before the fork, not after each.
_LOADED = (uvicorn.lifespan.on, uvicorn.loops.auto, uvicorn.protocols.http.auto)

FAST = Pace(1_000)
"""A contract that lets through whatever is left to send."""


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans of the protocol in seconds, and how long a process may sleep between two looks.

    doubts  how many tries of one text may end in doubt. In an ordeal that is of no account: a text's sender is killed far more
            often than any program crashes, and a text given up because of that is a text lost.
    """

    http: float = 1.0
    lease: float = 2.0
    settle: float = 5.0
    second_look: float = 1.0
    heartbeat: float = 0.5
    often: float = 0.1
    doubts: int = 1_000

    @property
    def patience(self) -> Patience:
        """As the sender takes it."""
        spans = (timedelta(seconds=self.lease), timedelta(seconds=self.settle), timedelta(seconds=self.second_look))
        return Patience(*spans, doubts=self.doubts)

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


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker must know."""

    database_url: str
    twilio_url: str
    public_url: str
    log: Path
    spans: Spans = SPANS
    doom: Doom | None = None


class Passing:
    """Counts the milestones that a process passes, and sends it the signal of its doom."""

    def __init__(self, doom: Doom | None) -> None:
        self._doom = doom
        self._passed: Counter[Milestone] = Counter()

    def __call__(self, milestone: Milestone) -> None:
        """Pass a milestone, or die there."""
        self._passed[milestone] += 1
        if self._doom is not None and (self._doom.milestone, self._doom.nth) == (milestone, self._passed[milestone]):
            os.kill(os.getpid(), self._doom.number)


def serve(orders: Orders, listening: socket.socket) -> None:
    """Serve until a signal ends it."""
    logging.basicConfig(filename=orders.log, level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    with pytest.MonkeyPatch.context() as patches:
        shelve_another_medicine(patches)
        _hurry(patches, orders.spans)
        clock, engine, sender = SystemClock(), make_engine(orders.database_url), chores.Sender()
        settings = _settings(orders)
        assert settings.twilio is not None
        transport = TwilioTransport(settings.twilio, public_url=orders.public_url, seconds=orders.spans.http)
        running = bootstrap.assemble(
            settings, engine, clock, transport, sender, patience=orders.spans.patience, pace=FAST, passing=Passing(orders.doom)
        )
        uvicorn.Server(uvicorn.Config(running.app, log_config=None, server_header=False, proxy_headers=False)).run(sockets=[listening])
        sender.run(transport.aclose())
        sender.stop()
        engine.dispose()


def _hurry(patches: pytest.MonkeyPatch, spans: Spans) -> None:
    """Let time pass more quickly than the settings allow."""
    heartbeat = timedelta(seconds=spans.heartbeat)
    for module in (chores, reminders.scheduling.loop, reminders.scheduling.plan_jobs):
        patches.setattr(module, "HEARTBEAT", heartbeat)
    patches.setattr(chores, "OFTEN", timedelta(seconds=spans.often))


def _settings(orders: Orders) -> Settings:
    given = {
        "DATABASE_URL": orders.database_url,
        "DOSELINE_TRANSPORT": "twilio",
        "PUBLIC_URL": orders.public_url,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_API_BASE_URL": orders.twilio_url,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": OUR_NUMBER,
    }
    return Settings.from_environ(given)
