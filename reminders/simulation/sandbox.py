"""The sandbox that is served: one driver carries its ledger from when its clock is first taken over, and the loop's work rests.

A move of the clock lives through what falls due on the way, as a story does; between moves a chore does the same every second.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Condition, Event, Lock, Thread
from typing import TYPE_CHECKING

from reminders.domain.acting import StaffAct
from reminders.errors import BadFile, DoselineError, NotAllowed
from reminders.formats.story_file import CarrierChange, CarrierStatus, HearingChange, TextIn, read_story
from reminders.messaging.transport import ReceivedText
from reminders.services import importing, rehearsing, sandboxing
from reminders.services.opening import in_memory
from reminders.services.rehearsing import Line, Narrator
from reminders.services.sandboxing import retelling
from reminders.services.sandboxing.retelling import Compared, Retold
from reminders.simulation.driver import Driver
from reminders.simulation.story import play

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.clock import Clock, SandboxClock
    from reminders.messaging.sandbox import SandboxTransport

log = logging.getLogger(__name__)

FARTHEST = timedelta(days=400)
"""How far the clock goes in one move: both clock changes of a year lie within it [our default]."""
PATIENT_FOR = 10.0  # seconds that a reply waits for the driver's turn

Seen = Callable[[Line], bool]


@dataclass(frozen=True, slots=True)
class Move:
    """A move of the clock that is going on, or the last one: from where, to where, how far it is, and whether something failed."""

    since: datetime
    to: datetime
    at: datetime
    done: bool = False
    failed: bool = False

    @property
    def percent(self) -> int:
        """How much of the way lies behind it."""
        return int(100 * ((self.at - self.since) / (self.to - self.since))) if self.to > self.since else 100


@dataclass(frozen=True, slots=True)
class Replay:
    """A story that is being played again, or was: what came of it, or why it could not be."""

    done: bool = False
    compared: Compared | None = None
    refused: str = ""


class Rest:
    """Work that is done until the driver takes over, and then rests."""

    def __init__(self) -> None:
        self._there = Condition()
        self._resting = False
        self._at_work = 0

    def unless_resting(self, work: Callable[[], int]) -> Callable[[], int]:
        """Return the same work, done only while it does not rest: nought while it does."""

        def run() -> int:
            with self._there:
                if self._resting:
                    return 0
                self._at_work += 1
            try:
                return work()
            finally:
                with self._there:
                    self._at_work -= 1
                    self._there.notify_all()

        return run

    def begin(self) -> None:
        """Rest from now on; returns when what is at work has ended."""
        with self._there:
            self._resting = True
            self._there.wait_for(lambda: not self._at_work)


class Sandbox:
    """What the sandbox's page plays with. Any thread may use it; one at a time drives.

    clock    what its doses go by, over `own`, the machine's; permits  whether anything may be decided: not before a gap was relived.
    """

    def __init__(
        self, engine: Engine, clock: SandboxClock, own: Clock, transport: SandboxTransport, *, permits: Callable[[], bool] = lambda: True
    ) -> None:
        self._engine, self._clock, self._own, self._transport, self._permits = engine, clock, own, transport, permits
        self._driver = Driver(engine, clock, transport, self._heard)
        self._turn, self._playing, self._stop = Lock(), Lock(), Event()
        self._rest = Rest()
        self._narrator: Narrator | None = None
        self._fresh: list[Line] = []
        self._carried: datetime | None = None
        self._restored = self._closed = False
        self._move: Move | None = None
        self._thread: Thread | None = None
        self._replays: dict[str, Replay] = {}
        self._replaying: dict[str, Thread] = {}
        self.unless_moved = self._rest.unless_resting
        if self.is_moved:
            self._rest.begin()

    @property
    def is_moved(self) -> bool:
        """Whether the driver carries the ledger: for ever, once the clock was taken over."""
        return self._clock.ahead is not None

    @property
    def ahead(self) -> timedelta:
        """How far the clock is ahead of the machine's."""
        return self._clock.now() - self._own.now() if self.is_moved else timedelta()

    @property
    def now(self) -> datetime:
        """Where the clock stands."""
        return self._clock.now()

    @property
    def move_on(self) -> Move | None:
        """The move that is going on, or the last; None if there was none."""
        return self._move

    @property
    def hearing(self) -> tuple[bool, bool]:
        """Whether our webhook works, and whether the carrier's lists do."""
        return self._driver.hearing

    def fault_of(self, phone: str) -> str:
        """How the carrier treats a phone: a status, and the error code if there is one."""
        fault = self._transport.fault_of(phone)
        return fault.status if fault.code is None else f"{fault.status} {fault.code}"

    def story(self, clinic_id: str) -> Retold:
        """Tell what was played at a clinic, up to now, as a story file that can be played; or why that cannot be done."""
        told = retelling.retell(self._engine, clinic_id, now=self._clock.now())
        if told.story is None:
            return told
        try:
            read_story(told.story)
            importing.check_import(told.story["import"], within="import")
        except BadFile as bad:
            return Retold(None, (*told.lacking, *map(str, bad.faults)))
        return told

    def replay_of(self, clinic_id: str) -> Replay | None:
        """How the last replay of a clinic's story stands; None if there was none."""
        return self._replays.get(clinic_id)

    def begin_replay(self, clinic_id: str) -> None:
        """Begin to play a clinic's story again; returns at once. One at a time: while it goes on, this changes nothing."""
        with self._playing:
            running = self._replays.get(clinic_id)
            if running is not None and not running.done:
                return
            self._replays[clinic_id] = Replay()
            self._replaying[clinic_id] = Thread(target=self._play_again, args=(clinic_id,), name="replay", daemon=True)
            self._replaying[clinic_id].start()

    def wait_for_replay(self, clinic_id: str, seconds: float | None = None) -> None:
        """Wait for a replay that goes on."""
        if clinic_id in self._replaying:
            self._replaying[clinic_id].join(seconds)

    def _play_again(self, clinic_id: str) -> None:
        found = Replay(done=True, refused="something failed; the log of the server says what")
        try:
            found = Replay(done=True, compared=self.replay(clinic_id))
        except DoselineError as refused:
            found = Replay(done=True, refused=str(refused))
        except Exception:
            log.exception("a story of the sandbox could not be played again")
        finally:
            self._replays[clinic_id] = found

    def replay(self, clinic_id: str) -> Compared:
        """Play a clinic's story again, in memory, and hold what comes of it against what came of it here. Raises NotAllowed."""
        told = self.story(clinic_id)
        if told.story is None:
            raise NotAllowed(f"there is no story to play: {'; '.join(told.lacking)}")
        story, engine = read_story(told.story), in_memory()
        try:
            for _ in play(story, engine=engine, clinic_id=clinic_id):
                if self._closed:
                    raise NotAllowed("the server is stopping")
            return retelling.compare(self._engine, engine, clinic_id, since=story.start, until=story.until)
        finally:
            engine.dispose()

    def move(self, to: datetime, *, until: Seen | None = None) -> None:
        """Begin to move the clock, to an instant, or until something of which `until` is true has happened on the way.

        Returns at once; `wait` for it. Raises NotAllowed while another move goes on, while nothing may be decided, and for what is
        not ahead or too far.
        """
        if not self._permits():
            raise NotAllowed("nothing may be decided yet: the ledger waits for its gap to be relived")
        with self._my_turn():
            if self._move is not None and not self._move.done:
                raise NotAllowed("the clock is still on its way")
            now, to = self._clock.now(), to.replace(microsecond=0)
            if not now < to <= now + FARTHEST:
                raise NotAllowed(f"the clock goes forward only, and {FARTHEST.days} days at most")
            self._stop.clear()
            self._move = Move(now, to, now)
            self._thread = Thread(target=self._go, args=(to, until), name="sandbox", daemon=True)
            self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the move that goes on; say whether it is over."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._move is None or self._move.done

    def stop(self) -> None:
        """Let a move end where it is."""
        self._stop.set()

    def close(self) -> None:
        """Let a move end where it is, and nothing be driven any more. Repeatable."""
        self.stop()
        self.wait()
        if not self._closed:
            self._closed = True
            for clinic_id in self._replaying:
                self.wait_for_replay(clinic_id)
            self._turn.acquire()  # for good
            self._driver.close()

    def tick(self) -> int:
        """Carry the ledger up to now, once the clock was taken over; return how many things were due. Nothing while a move goes on."""
        if not self.is_moved or not self._turn.acquire(blocking=False):
            return 0
        try:
            return self._catch_up() if self._permits() else 0
        finally:
            self._turn.release()

    def between(self, work: Callable[[], int]) -> Callable[[], int]:
        """Return the same work, done only while nothing is driven."""

        def run() -> int:
            if not self._turn.acquire(blocking=False):
                return 0
            try:
                return work()
            finally:
                self._turn.release()

        return run

    def says(self, clinic_id: str, phone: str, text: str) -> None:
        """Let a phone text us, now."""
        with self._acting() as now:
            sid = self._driver.says(phone, text)
            if not self._driver.hearing[0]:
                sandboxing.keep(self._engine, TextIn(now, phone, text), clinic_id=clinic_id, sid=sid)

    def acts(self, action: StaffAct, *, clinic_id: str) -> None:
        """Let a person at the clinic act on a plan, now. Raises NotAllowed and UnknownPlan."""
        with self._acting():
            self._driver.acts(action, clinic_id=clinic_id)

    def treats(self, clinic_id: str, phone: str, *, status: CarrierStatus, code: int | None) -> None:
        """Let the carrier treat a phone so from now on."""
        with self._acting() as now:
            self._driver.carrier(phone, status=status, code=code)
            sandboxing.keep(self._engine, CarrierChange(now, phone, status, code), clinic_id=clinic_id)

    def hears(self, *, webhook: bool, lists: bool) -> None:
        """Switch off, or on again, what brings texts to us."""
        with self._acting() as now:
            self._driver.hears(webhook=webhook, lists=lists)
            sandboxing.keep(self._engine, HearingChange(now, webhook, lists), clinic_id=None)

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=PATIENT_FOR):
            raise NotAllowed("the clock is still on its way")
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _acting(self) -> Iterator[datetime]:
        """Take the clock over, if nobody has, live through what is due, and stand still while something is done."""
        if not self._permits():
            raise NotAllowed("nothing may be decided yet: the ledger waits for its gap to be relived")
        with self._my_turn():
            self._take_over()
            self._catch_up()
            self._clock.hold(self._clock.now())
            try:
                yield self._clock.now()
                self._driver.settle()
            finally:
                self._carried = self._clock.now()
                self._clock.let_go()

    def _go(self, to: datetime, until: Seen | None) -> None:
        failed = False
        try:
            with self._turn:
                self._take_over()
                self._catch_up()
                self._clock.hold(self._clock.now())
                try:
                    self._keep_ahead(self._clock.to_reach(to))
                    self._run(to, until)
                finally:
                    self._carried = self._clock.now()
                    self._keep_ahead(self._carried - self._own.now())
                    self._clock.let_go()
        except Exception:
            log.exception("the sandbox's clock came to a stop on its way")
            failed = True
        finally:
            self._tell(done=True, failed=failed)

    def _run(self, to: datetime, until: Seen | None) -> None:
        """Go from instant to instant."""
        self._narrator = None if until is None else Narrator(self._engine)
        if self._narrator is not None:
            self._narrator.since(self._clock.now())
        self._fresh.clear()
        self._driver.settle()
        while not self._stop.is_set() and self._driver.step(to):
            self._tell()
            if until is not None:
                self._driver.settle()
                if any(map(until, self._fresh)):
                    break
                self._fresh.clear()
        self._narrator = None

    def _tell(self, *, done: bool = False, failed: bool = False) -> None:
        if self._move is not None:
            self._move = Move(self._move.since, self._move.to, self._clock.now(), done, failed)

    def _heard(self, moment: datetime) -> None:
        if self._narrator is not None:
            self._fresh.extend(self._narrator.since(moment))

    def _take_over(self) -> None:
        """Let the loop's work rest, and the clock be the sandbox's own."""
        if not self.is_moved:
            self._rest.begin()
            self._keep_ahead(timedelta(seconds=1))  # in whole seconds it must not fall behind what was written
        if not self._restored:
            self._restore()

    def _restore(self) -> None:
        """Bring back how carrier and phones stood when the process before this one ended."""
        self._restored = True
        webhook = lists = True
        for kept in sandboxing.kept(self._engine):
            event = kept.event
            if "carrier" in event:
                self._driver.carrier(event["carrier"]["to"], status=event["carrier"]["status"], code=event["carrier"].get("code"))
            elif "hearing" in event:
                webhook, lists = event["hearing"].get("webhook", webhook), event["hearing"].get("lists", lists)
            elif kept.sid is not None:
                self._transport.leave(ReceivedText(kept.sid, event["from"], "", event["text"], kept.at))
        if not (webhook and lists):
            self._driver.hears(webhook=webhook, lists=lists)

    def _catch_up(self) -> int:
        """Live through what fell due up to now, each at its own instant."""
        if not self._restored:
            self._restore()
        now = self._clock.now()
        due = [at for at in (*rehearsing.next_moments(self._engine).values(), self._driver.polls_at) if at is not None and at <= now]
        if due:
            self._clock.hold(max(min(due), self._carried or min(due)))
            try:
                self._driver.settle()
                self._driver.run_until(now)
            finally:
                self._clock.let_go()
        self._carried = now
        return len(due)

    def _keep_ahead(self, span: timedelta) -> None:
        whole = timedelta(seconds=math.ceil(span.total_seconds()))
        sandboxing.keep_ahead(self._engine, whole, at=self._own.now())
        self._clock.set_ahead(whole)
