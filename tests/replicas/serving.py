"""Whole replicas in processes of their own, with the clocks and the databases a test wishes them: web, scheduler and sender."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from multiprocessing.context import ForkServerProcess
from typing import Any

import pytest
import uvicorn
import uvicorn.lifespan.on
import uvicorn.loops.auto
import uvicorn.protocols.http.auto  # here and above: loaded before the fork, not after each

import reminders.scheduling.loop
import reminders.scheduling.plan_jobs
from db.engine import make_engine
from reminders import bootstrap, chores
from reminders.clock import SystemClock
from reminders.messaging.pacing import Pace
from reminders.messaging.twilio import TwilioTransport
from reminders.services.delivering import Patience
from reminders.settings import Settings
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN
from tests.scheduling.wall import Wall, on_the_wall


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans of the send protocol, in seconds. A text in flight at an outage is settled within their sum and two heartbeats."""

    http: float = 10
    lease: float = 30
    settle: float = 75
    second_look: float = 30
    heartbeat: float = 15

    @property
    def bound(self) -> float:
        """Within how many seconds of its claim a text in flight is settled: as they are, 165."""
        return self.lease + self.settle + self.second_look + 2 * self.heartbeat


PRODUCTION = Spans()
QUICK = Spans(http=1, lease=2, settle=4, second_look=1, heartbeat=0.5)


@dataclass(frozen=True, slots=True)
class Orders:
    """What a replica must know.

    ahead  how far its clock is ahead of the machine's, in seconds.
    pace   the segments that the contract lets through in a second, for all replicas together.
    log    a file for what they have to say.
    """

    database_url: str
    twilio_url: str
    public_url: str
    ahead: float = 0.0
    pace: float = 5_000
    spans: Spans = PRODUCTION
    log: str = os.devnull


def serve(orders: Orders, listening: socket.socket) -> None:
    """Serve until a signal ends it."""
    logging.basicConfig(filename=orders.log, level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    spans = orders.spans
    with pytest.MonkeyPatch.context() as patches:
        for module in (chores, reminders.scheduling.loop, reminders.scheduling.plan_jobs):
            patches.setattr(module, "HEARTBEAT", timedelta(seconds=spans.heartbeat))
        clock = on_the_wall(Wall(SystemClock().now() + timedelta(seconds=orders.ahead)), patches)
        engine, sender, settings = make_engine(orders.database_url), chores.Sender(), settings_of(orders)
        assert settings.twilio is not None
        transport = TwilioTransport(settings.twilio, public_url=orders.public_url, seconds=spans.http)
        running = bootstrap.assemble(settings, engine, clock, transport, sender, patience=patience_of(spans), pace=Pace(orders.pace))
        uvicorn.Server(uvicorn.Config(running.app, log_config=None, server_header=False, proxy_headers=False)).run(sockets=[listening])
        sender.run(transport.aclose())
        sender.stop()
        engine.dispose()


def patience_of(spans: Spans) -> Patience:
    """The spans as the sender takes them."""
    lease, settle, second_look = (timedelta(seconds=span) for span in (spans.lease, spans.settle, spans.second_look))
    return Patience(lease, settle, second_look)


def settings_of(orders: Orders) -> Settings:
    """The settings of a replica that sends by a stand-in for Twilio."""
    return Settings.from_environ(
        {
            "DATABASE_URL": orders.database_url,
            "DOSELINE_TRANSPORT": "twilio",
            "PUBLIC_URL": orders.public_url,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_API_BASE_URL": orders.twilio_url,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": OUR_NUMBER,
        }
    )


@contextmanager
def address() -> Iterator[socket.socket]:
    """Hold an address of this machine at which replicas listen; who calls while none of them lives is kept waiting."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(512)
        yield listening


def url_of(listening: socket.socket) -> str:
    """How an address is reached."""
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def start(orders: Orders, listening: socket.socket) -> ForkServerProcess:
    """Start a replica by fork from a process that has loaded everything: a start costs milliseconds, not seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.replicas.serving"])
    process = context.Process(target=serve, args=(orders, listening), daemon=True)
    process.start()
    return process


def stop(process: ForkServerProcess, *, within: float = 30) -> None:
    """Ask a replica to end, and wait until it has, of its own accord."""
    process.terminate()
    process.join(within)

    # uvicorn, once it has shut down, passes on the signal that it was sent
    assert process.exitcode == -signal.SIGTERM, f"{process.pid} ended with {process.exitcode}"


def asked(listening: socket.socket, path: str, *, within: float = 10) -> tuple[int, Any]:
    """Ask a replica; return the HTTP status and the body."""
    connection = HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=within)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
