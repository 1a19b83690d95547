"""Where the parts meet: the only place that knows them all, and makes one running program of them."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import make_url

from reminders.clock import Clock, SystemClock
from reminders.errors import LedgerBusy
from reminders.messaging.sandbox import SandboxTransport
from reminders.messaging.transport import Transport
from reminders.messaging.twilio import SignatureCheck, TwilioTransport
from reminders.scheduling.loop import Chore, Loop
from reminders.scheduling.plan_jobs import PlanJobs
from reminders.services import delivering, escalating, following_up, reminding, replying
from reminders.services.delivering import Patience
from reminders.services.opening import open_ledger
from reminders.settings import Settings, TransportName
from reminders.web.app import create_app
from reminders.web.parts import Carrier, Parts

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy import Engine

T = TypeVar("T")
log = logging.getLogger(__name__)

OFTEN = timedelta(seconds=1)
HEARTBEAT = timedelta(seconds=15)
BATCH = 100
"""How many rows a chore takes at once: small enough that a waiting webhook soon has its turn to write."""


@dataclass(frozen=True)
class Running:
    """The parts of one running process."""

    engine: Engine
    clock: Clock
    loop: Loop
    jobs: PlanJobs[Engine]
    app: FastAPI


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


def transport_of(settings: Settings, clock: Clock) -> Transport:
    """The way texts leave, as the settings have it."""
    if settings.twilio is None:
        return SandboxTransport(clock)
    return TwilioTransport(settings.twilio, public_url=settings.public_url or "", seconds=settings.pace.http)


def patience_of(settings: Settings) -> Patience:
    """The times of the send protocol; their ties were checked with the settings."""
    pace = settings.pace
    return Patience(timedelta(seconds=pace.lease), timedelta(seconds=pace.settle), timedelta(seconds=pace.second_look))


def assemble(settings: Settings, engine: Engine, clock: Clock, transport: Transport, sender: Sender) -> Running:
    """Put one process together: the loop with its chores, and the web. Nothing runs yet."""
    loop = Loop(clock, record=lambda name: reminding.record_pass(engine, name, now=clock.now()))
    jobs = PlanJobs(loop, engine, reminding=reminding)
    patience = patience_of(settings)

    def deliver() -> int:
        done = sender.run(delivering.deliver(engine, transport, clock=clock, limit=BATCH, patience=patience))
        if isinstance(transport, SandboxTransport):
            take_receipts(engine, transport, clock)
        return done

    loop.repeat(Chore(name="deliver", every=OFTEN, run=deliver, full=1))
    loop.repeat(Chore(name="follow up", every=OFTEN, run=lambda: following_up.follow_up(engine, now=clock.now(), limit=BATCH), full=BATCH))
    loop.repeat(Chore(name="escalate", every=OFTEN, run=lambda: escalating.escalate(engine, now=clock.now(), limit=BATCH), full=BATCH))
    loop.repeat(
        Chore(
            name="recover",
            every=HEARTBEAT,
            run=lambda: sender.run(delivering.recover(engine, transport, now=clock.now(), patience=patience)),
        )
    )
    parts = Parts(
        engine=engine,
        clock=clock,
        transport=transport.name,
        carrier=carrier_of(settings),
        receive=replying.receive,
        receive_status=delivering.receive_status,
        heard=lambda: loop.soon("deliver"),
        lifespan=_lifespan(loop),
    )
    return Running(engine, clock, loop, jobs, create_app(parts))


def take_receipts(engine: Engine, transport: SandboxTransport, clock: Clock) -> None:
    """Let the sandbox's receipts come in, as a carrier's webhook would bring them."""
    for receipt in transport.take_receipts():
        delivering.receive_status(
            engine, sid=receipt.sid, status=receipt.status, tag=receipt.tag, error_code=receipt.error_code, now=clock.now()
        )


def carrier_of(settings: Settings) -> Carrier | None:
    """Whose webhooks are believed: the account's, by its signature. In the sandbox nobody's."""
    if settings.twilio is None or settings.transport is not TransportName.TWILIO:
        return None
    twilio = settings.twilio
    return Carrier(
        public_url=settings.public_url or "",
        account_sid=twilio.account_sid,
        sender=twilio.sender,
        messaging_service_sid=twilio.messaging_service_sid,
        is_signed=SignatureCheck(twilio),
    )


@contextmanager
def running(settings: Settings) -> Iterator[Running]:
    """Open the ledger, put the process together, and take it apart again at the end.

    Raises LedgerBusy if another process serves the same SQLite file.
    """
    with only_one(settings.database_url.reveal()):
        clock = SystemClock()
        engine = open_ledger(settings.database_url.reveal())
        sender = Sender()
        transport = transport_of(settings, clock)
        try:
            yield assemble(settings, engine, clock, transport, sender)
        finally:
            sender.run(transport.aclose())
            sender.stop()
            engine.dispose()


@contextmanager
def only_one(database_url: str) -> Iterator[None]:
    """Hold a SQLite file for one serving process: two would be safe for the doses, but send at twice the rate."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        yield
        return
    path = Path(f"{url.database}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LedgerBusy from None
        yield


def _lifespan(loop: Loop) -> Callable[[], Any]:
    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        loop.start()
        try:
            yield
        finally:
            await asyncio.to_thread(loop.stop)

    return around
