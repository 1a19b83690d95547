"""Reliving: a gap in the ledger is gone through again on a clock moved by hand, with the carrier's lists for a carrier.

Production's services decide what fell due, in the order in which it did. What the carrier's lists have was sent, and was
said, at its own time; what they lack was not. Nothing is sent.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reminders.clock import Clock, HandClock
from reminders.errors import DoselineError, NotAllowed
from reminders.messaging.sandbox import SandboxTransport
from reminders.messaging.transport import ListUnavailable, ReceivedText, SentText, Transport
from reminders.services import delivering, escalating, following_up, quarantining, rehearsing, reminding, replying
from reminders.services.delivering.receipts import rise
from reminders.services.polling import GONE
from reminders.services.quarantining import Finder
from reminders.services.rehearsing import Work
from reminders.simulation.driver import MOST_PASSES, Stuck

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.services.quarantining import Quarantine

log = logging.getLogger(__name__)

MARGIN = timedelta(minutes=1)
"""A relived ledger this close to now is up to date: what falls due meanwhile is decided as ever."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What reliving a gap has brought.

    found        texts of the carrier's list that were ours; `heard` replies that we had not heard.
    unexplained  texts that the relived ledger still lacks, by the reference of the patient behind the phone; "" is nobody known.
    """

    found: int
    heard: int
    unexplained: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Lists:
    """What the carrier's two lists hold of a gap. `heard_until`: whatever reached us before then is on them."""

    sent: Sequence[SentText]
    received: Sequence[ReceivedText]
    heard_until: datetime


class Stopped(DoselineError):
    """The process was asked to stop before the gap was relived; the next one takes it up."""


async def reconcile(engine: Engine, transport: Transport, *, clock: Clock, settle: timedelta = delivering.PATIENCE.settle) -> Reconciled:
    """Relive the gap of the quarantine that stands, by both of the carrier's lists. Again is no harm.

    Raises ListUnavailable, and NotAllowed where none stands, another process is at it, or a text may still be on its way;
    then nothing has changed.
    """
    with _turn(engine, transport, clock, settle) as quarantine:
        return relive(engine, quarantine, await fetch(engine, transport, quarantine, now=clock.now()), clock=clock)


def take_up(
    engine: Engine,
    transport: Transport,
    run: Callable[[Coroutine[Any, Any, Lists]], Lists],
    *,
    clock: Clock,
    settle: timedelta = delivering.PATIENCE.settle,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Relive the gap of a quarantine that waits for it; return how many texts and replies were found. `run` waits for the lists.

    Whoever serves a ledger does this by itself: no text leaves for it, but what patients wrote must not wait for a person.
    """
    standing = quarantining.standing(engine, now=clock.now())
    if standing is None or standing.reconciled_at is not None or standing.why == quarantining.UNCHECKED:
        return 0
    try:
        with _turn(engine, transport, clock, settle) as quarantine:
            lists = run(fetch(engine, transport, quarantine, now=clock.now()))
            done = relive(engine, quarantine, lists, clock=clock, stopping=stopping)
    except (NotAllowed, ListUnavailable, Stopped) as error:
        log.warning("the gap waits to be relived: %s", error)
        return 0
    log.warning("relived the gap: %d texts found, %d heard, %d unexplained", done.found, done.heard, sum(done.unexplained.values()))
    return done.found + done.heard


@contextmanager
def _turn(engine: Engine, transport: Transport, clock: Clock, settle: timedelta) -> Iterator[Quarantine]:
    """Have the turn at the gap of the quarantine that stands. Raises NotAllowed."""
    quarantine = quarantining.standing(engine, now=clock.now())
    if quarantine is None:
        raise NotAllowed("no quarantine stands: there is nothing to reconcile")
    others = quarantining.carriers(engine) - {transport.name}
    if transport.name == SandboxTransport.name and others:
        raise NotAllowed(f"texts of this ledger left by {', '.join(sorted(others))}, whose lists the sandbox lacks: set DOSELINE_TRANSPORT")
    ready_at = quarantining.settled_at(engine, quarantine, settle=settle, lag=transport.list_lag)
    if clock.now() < ready_at:
        seconds = int((ready_at - clock.now()).total_seconds()) + 1
        raise NotAllowed(f"a text may still be on its way, or not listed yet: reconcile again in {seconds} s")
    quarantining.take_turn(engine, quarantine, now=clock.now())
    try:
        yield quarantine
    finally:
        quarantining.give_up_turn(engine, quarantine)


async def fetch(engine: Engine, transport: Transport, quarantine: Quarantine, *, now: datetime) -> Lists:
    """Read both of the carrier's lists over a gap. Raises ListUnavailable."""
    sent = await transport.sent(since=quarantine.since)
    received = await transport.received(since=quarantining.listen_since(engine, quarantine))
    return Lists(sent, received, now - transport.list_lag)


def relive(
    engine: Engine, quarantine: Quarantine, lists: Lists, *, clock: Clock, stopping: Callable[[], bool] = lambda: False
) -> Reconciled:
    """Go through a gap again, with what the carrier's lists had; note it as relived. Raises Stopped when `stopping`."""
    started = clock.monotonic()

    def goes_on() -> None:
        nonlocal started
        if stopping():
            raise Stopped
        if clock.monotonic() - started > MARGIN.total_seconds() / 2:
            quarantining.take_turn(engine, quarantine, now=clock.now(), again=True)
            started = clock.monotonic()

    gap = _Gap(engine, lists, HandClock(quarantine.since), goes_on)
    gap.begin()
    while clock.now() - gap.now > MARGIN:
        gap.live_until(clock.now())
    left = gap.end(since=quarantine.since)
    unexplained = quarantining.conclude(
        engine, quarantine, left, found=gap.found, heard=gap.heard, heard_until=gap.heard_until, now=clock.now()
    )
    return Reconciled(gap.found, gap.heard, unexplained)


class _Gap:
    """One gap, gone through from its start."""

    def __init__(self, engine: Engine, lists: Lists, clock: HandClock, heartbeat: Callable[[], None]) -> None:
        self._engine, self._lists, self._clock, self._heartbeat = engine, lists, clock, heartbeat
        self._finder = Finder(engine, lists.sent, rise)
        self._replies = deque(quarantining.unheard(engine, lists.received))
        self._unreadable = False
        self.heard = 0

    @property
    def now(self) -> datetime:
        """Where the clock stands."""
        return self._clock.now()

    @property
    def found(self) -> int:
        """How many texts of the list were found to be ours."""
        return self._finder.found

    @property
    def heard_until(self) -> datetime | None:
        """Up to when every text to us has been taken in; None if one could not be: the next poll tries it again."""
        return None if self._unreadable else self._lists.heard_until

    def begin(self) -> None:
        """Settle what was on its way when the ledger was last written."""
        self._finder.settle()
        quarantining.wake(self._engine, now=self.now)
        self._run_due(since=self.now)

    def live_until(self, until: datetime) -> None:
        """Let time pass to an instant, with everything that falls due or was said on the way, that instant included."""
        while (moment := self._next_moment()) is not None and moment <= until:
            before = self.now
            self._clock.advance_to(moment)
            self._run_due(since=before)
            while self._replies and self._replies[0].received_at <= self.now:
                self._hear(self._replies.popleft())
            self._heartbeat()
        self._clock.advance_to(until)

    def end(self, *, since: datetime) -> list[SentText]:
        """Look among what was given up too; return the carrier's texts that are no text of ours."""
        self._finder.look_among_ended(since=since)
        return list(self._finder.listed)

    def _next_moment(self) -> datetime | None:
        moments = [at for work, at in rehearsing.next_moments(self._engine).items() if work is not Work.DELIVER]
        moments += [self._replies[0].received_at] if self._replies else []
        changes = self._finder.moment(after=self.now)
        return min([*moments, changes] if changes else moments, default=None)

    def _hear(self, text: ReceivedText) -> None:
        try:
            replying.receive(
                self._engine,
                sid=text.sid,
                from_phone=text.from_phone,
                to_phone=text.to_phone,
                body=text.body,
                received_at=min(text.received_at, self.now),
                now=self.now,
                polled=True,
            )
        except GONE:
            raise
        except Exception:
            log.exception("could not take in text %s", text.sid)
            self._unreadable = True
            return
        self.heard += 1
        self._run_due(since=self.now)

    def _run_due(self, *, since: datetime) -> None:
        """Do what is due, and what that brings about, until nothing is left."""
        for _ in range(MOST_PASSES):
            now = self.now
            due: set[Work] = {work for work, at in rehearsing.next_moments(self._engine).items() if at <= now and work is not Work.DELIVER}
            self._pass(due, now)
            if not self._finder.look(since=since, now=now) and not due:
                return
        raise Stuck(f"nothing moves on at {self.now.isoformat()}")

    def _pass(self, due: set[Work], now: datetime) -> None:
        """One round of what the scheduler's jobs do, in the order in which one brings about the next."""
        if Work.REMIND in due:
            self._remind(now)
        heard_until = min(now, self._lists.heard_until)
        if Work.FOLLOW_UP in due:
            following_up.follow_up(self._engine, now=now, heard_until=heard_until)
        if Work.ESCALATE in due:
            escalating.escalate(self._engine, now=now, heard_until=heard_until)

    def _remind(self, now: datetime) -> None:
        try:
            reminding.remind_due(self._engine, now=now)
        except GONE:
            raise
        except Exception:
            log.exception("a batch failed; each patient alone")
            reminding.remind_singly(self._engine, now=now)
