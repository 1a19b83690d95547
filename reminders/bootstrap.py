"""Where the parts meet: the only place that knows them all, and makes one running program of them."""

from __future__ import annotations

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from reminders import drugs
from reminders.chores import Hands, Sender, chores
from reminders.clock import Clock, SandboxClock, SystemClock
from reminders.errors import LedgerBusy, LedgerHeld
from reminders.messaging.pacing import Pace
from reminders.messaging.sandbox import SandboxTransport
from reminders.messaging.transport import Transport
from reminders.messaging.twilio import SignatureCheck, TwilioTransport
from reminders.milestones import Passing, unmarked
from reminders.scheduling.loop import Loop
from reminders.scheduling.plan_jobs import PlanJobs
from reminders.scheduling.refereed import Refereed
from reminders.services import delivering, quarantining, reminding, replying, sandboxing, watching
from reminders.services.delivering import Patience
from reminders.services.opening import open_ledger
from reminders.services.quarantining import Caution, StartCheck
from reminders.services.refereeing import Referee
from reminders.settings import Settings, TransportName
from reminders.simulation.sandbox import Sandbox
from reminders.web.app import create_app
from reminders.web.parts import Carrier, Parts

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy import Engine

log = logging.getLogger(__name__)


class _Cautious:
    """Reminding that does nothing before it may, nor while the sandbox carries the ledger; with its milestones told."""

    def __init__(self, caution: Caution, passing: Passing, sandbox: Sandbox | None) -> None:
        self._caution, self._passing, self._sandbox = caution, passing, sandbox

    def due_minutes(self, ledger: Engine, /, *, now: datetime, until: datetime) -> Iterable[datetime]:
        """Return the minutes at which a dose is due, once the look at the start was tried: what follows is a sign of life."""
        self._caution.look()
        if self._sandbox is not None and self._sandbox.is_moved:
            return ()
        return reminding.due_minutes(ledger, now=now, until=until)

    def remind_due(self, ledger: Engine, /, *, now: datetime, limit: int) -> int:
        """Record what fell due for the next patients in line."""
        return self._permitted(lambda: reminding.remind_due(ledger, now=now, limit=limit, passing=self._passing))

    def remind_singly(self, ledger: Engine, /, *, now: datetime, limit: int) -> int:
        """The same, one transaction a patient."""
        return self._permitted(lambda: reminding.remind_singly(ledger, now=now, limit=limit))

    def _permitted(self, work: Callable[[], int]) -> int:
        guarded = self._caution.guarding(work)
        return guarded() if self._sandbox is None else self._sandbox.unless_moved(guarded)()


@dataclass(frozen=True)
class Running:
    """The parts of one running process."""

    engine: Engine
    clock: Clock
    loop: Loop
    jobs: PlanJobs[Engine]
    app: FastAPI
    sandbox: Sandbox | None = None


def transport_of(settings: Settings, clock: Clock) -> Transport:
    """The way texts leave, as the settings have it."""
    if settings.twilio is None:
        return SandboxTransport(clock)
    return TwilioTransport(settings.twilio, public_url=settings.public_url or "", seconds=settings.pace.http)


def patience_of(settings: Settings) -> Patience:
    """The times of the send protocol; their ties were checked with the settings."""
    pace = settings.pace
    spans = (timedelta(seconds=pace.lease), timedelta(seconds=pace.settle), timedelta(seconds=pace.second_look))
    return Patience(*spans, bodies_listed=settings.twilio is None or not settings.twilio.redacts)


def pace_of(settings: Settings) -> Pace | None:
    """How fast the sender's contract lets texts through; the sandbox has none."""
    return None if settings.twilio is None else Pace(settings.twilio.segments_per_second)


def assemble(
    settings: Settings,
    engine: Engine,
    clock: Clock,
    transport: Transport,
    sender: Sender,
    *,
    patience: Patience | None = None,
    pace: Pace | None = None,
    passing: Passing = unmarked,
    referee: Referee | None = None,
    moved: SandboxClock | None = None,
) -> Running:
    """Put one process together: the loop with its chores, and the web. Nothing runs yet.

    `patience` and `pace` are the settings' unless given; `passing` is told of each milestone. Everything but APScheduler, the
    transport and who is signed in goes by the referee's clock, the database's unless given: a replica whose own differs claims
    nothing. With `moved`, the sandbox's clock over `clock`, there is a sandbox to play with, and doses go by that.
    """
    referee = referee or Referee(engine, moved or clock)
    caution = _caution(engine, transport, sender, referee)
    sandbox = _sandbox(engine, moved, clock, transport, caution)
    loop = Loop(clock, record=lambda name: reminding.record_pass(engine, name, now=referee.now()))
    cautious = _Cautious(caution, passing, sandbox)
    jobs = PlanJobs(loop, engine, reminding=Refereed(cautious, referee, pause=loop.stopping.wait))
    hands = Hands(
        engine=engine,
        clock=referee,
        transport=transport,
        sender=sender,
        patience=patience or patience_of(settings),
        pace=pace or pace_of(settings),
        pages=settings.pages,
        passing=passing,
        guarding=lambda work: referee.guarding(caution.guarding(work)),
        stopping=loop.stopping.is_set,
        caution=caution,
        sandbox=sandbox,
        own=None if moved is None else clock,
    )
    for chore in chores(hands):
        loop.repeat(chore)
    parts = Parts(
        engine=engine,
        clock=referee,
        transport=transport.name,
        carrier=carrier_of(settings),
        receive=_unless_held(partial(replying.receive, passing=passing, pages=settings.pages)),
        receive_status=delivering.receive_status,
        heard=lambda: _at_once(loop),
        lifespan=_lifespan(loop, sandbox),
        address=settings.address,
        trusted_proxies=settings.trusted_proxies,
        readiness=lambda: watching.readiness(engine, now=referee.now(), apart=referee.apart, silent_for=loop.silent_for),
        sandbox=sandbox,
        own_clock=None if moved is None else clock,
    )
    return Running(engine, clock, loop, jobs, create_app(parts), sandbox)


def _sandbox(engine: Engine, moved: SandboxClock | None, own: Clock, transport: Transport, caution: Caution) -> Sandbox | None:
    """What the sandbox's page plays with, where there is a clock to move."""
    if moved is None or not isinstance(transport, SandboxTransport):
        return None
    return Sandbox(engine, moved, own, transport, permits=caution.permits)


def _at_once(loop: Loop) -> None:
    """Have what was just written carried out soon, by whoever does it."""
    loop.soon("deliver")
    loop.soon("drive")


def _caution(engine: Engine, transport: Transport, sender: Sender, clock: Clock) -> Caution:
    """What a process asks before it decides anything: whether its ledger knows what was sent."""
    check = StartCheck(engine)
    return Caution(engine, lambda: sender.run(check.look(transport, now=clock.now())))


def _unless_held(receive: Callable[..., str | None]) -> Callable[..., str | None]:
    """Take in no text while a gap waits to be relived: it would be read by what was asked long ago. The carrier's list keeps it for us."""

    def receive_unless_held(engine: Engine, **said: Any) -> str | None:  # noqa: ANN401 - whatever a text brings
        if quarantining.is_held(engine):
            raise LedgerHeld
        return receive(engine, **said)

    return receive_unless_held


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

    Raises LedgerBusy if another process serves the same SQLite file, LedgerMoved if its times are the sandbox's and texts would
    leave, and BadProfile if a clinic's own drug profile cannot be trusted.
    """
    drugs.stock(settings.drugs)
    drugs.all_profiles()  # before anything is told to a patient, not with the first dose
    with only_one(settings.database_url.reveal()):
        clock = SystemClock()
        engine = open_ledger(settings.database_url.reveal())
        moved = _movable(settings, engine, clock)
        sender = Sender()
        transport = transport_of(settings, moved or clock)
        process = assemble(settings, engine, clock, transport, sender, moved=moved)
        try:
            yield process
        finally:
            if process.sandbox is not None:
                process.sandbox.close()
            sender.run(transport.aclose())
            sender.stop()
            engine.dispose()


def _movable(settings: Settings, engine: Engine, clock: Clock) -> SandboxClock | None:
    """The sandbox's clock, where there may be one; None elsewhere. Raises LedgerMoved.

    One process alone serves it (SQLite), and no carrier ever had a text of this ledger: patients' own is not played with.
    """
    try:
        if settings.twilio is not None:
            sandboxing.refuse_if_moved(engine)
            return None
        is_ours_alone = engine.dialect.name == "sqlite" and quarantining.carriers(engine) <= {SandboxTransport.name}
        return sandboxing.clock_of(engine, clock) if is_ours_alone else None
    except BaseException:
        engine.dispose()
        raise


@contextmanager
def only_one(database_url: str) -> Iterator[None]:
    """Hold a SQLite file for one serving process. Two would be safe, for the rows decide; a second is somebody's mistake all the same."""
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


def _lifespan(loop: Loop, sandbox: Sandbox | None) -> Callable[[], Any]:
    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        loop.start()
        try:
            yield
        finally:
            if sandbox is not None:
                await asyncio.to_thread(sandbox.close)
            await asyncio.to_thread(loop.stop)

    return around
