"""The driver: moves the clock to the next instant at which anything is due, and runs what is due there.

Stories, the demo and the sandbox's clock are this one driver. It never touches the scheduler: a story calls the services
that the scheduler's jobs call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from reminders.errors import DoselineError
from reminders.messaging.sandbox import CarrierFault
from reminders.messaging.transport import ReceivedText
from reminders.services import conversing, delivering, escalating, following_up, polling, prescribing, rehearsing, reminding, replying
from reminders.services.rehearsing import Work

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.domain.acting import StaffAct
    from reminders.formats.story_file import DeskAct
    from reminders.messaging.sandbox import SandboxTransport

MOST_PASSES = 10_000
POLLED_EVERY = timedelta(minutes=1)


class Stuck(DoselineError):
    """The story does not move on: something stays due for ever."""


class MovedClock(Protocol):
    """A clock that stands still but for the driver: a story's `HandClock`, the sandbox's while it is held."""

    def now(self) -> datetime:
        """Return the instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def advance_to(self, instant: datetime) -> None:
        """Let time pass until an aware instant; an instant already past changes nothing."""
        ...


class Driver:
    """Runs the services of one ledger on a clock moved by hand. `heard` is called after every pass, to see what it did.

    A text to us is taken in as it is written, so that everything has been heard at any time, and no list need be polled;
    but from when our webhook or the carrier's lists are switched off until a poll has gone well after their return.
    """

    def __init__(self, engine: Engine, clock: MovedClock, transport: SandboxTransport, heard: Callable[[datetime], None]) -> None:
        self._engine, self._clock, self._transport, self._heard = engine, clock, transport, heard
        self._loop: asyncio.AbstractEventLoop | None = None
        self._texts = 0
        self._next: datetime | None = None
        self._settled = False
        self._passes = 0
        self._webhook = self._lists = True
        self._polls_at: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what sends. Repeatable."""
        if self._loop is not None:
            self._loop.close()

    @property
    def now(self) -> datetime:
        """Where the clock stands."""
        return self._clock.now()

    def run_until(self, until: datetime) -> None:
        """Let time pass to an instant, with everything that falls due on the way, that instant included."""
        while self.step(until):
            pass

    def step(self, until: datetime) -> bool:
        """Run what is due now, and go on to the next instant at which anything is due, `until` at the latest; say whether one is left."""
        moment = self._run_due()
        is_left = moment is not None and moment <= until
        self._clock.advance_to(moment if moment is not None and is_left else until)
        return is_left

    def sleep_until(self, until: datetime) -> None:
        """Let time pass with nothing running: an outage of ours. What fell due is found when it ends."""
        self._clock.advance_to(until)
        self.settle()

    def settle(self) -> datetime | None:
        """Run what is due now, and what that brings about, until nothing is left; return when something is due next."""
        self._settled = False  # whoever asks may have written something of their own
        return self._run_due()

    def _run_due(self) -> datetime | None:
        if self._settled and (self._next is None or self._next > self.now):
            return self._next
        for _ in range(MOST_PASSES):
            now = self.now
            moments = rehearsing.next_moments(self._engine)
            if self._polls_at is not None:
                moments[Work.POLL] = self._polls_at
            due = {work for work, at in moments.items() if at <= now}
            if not due:
                self._next, self._settled = min(moments.values(), default=None), True
                return self._next
            self._pass(due)
        raise Stuck(f"nothing moves on at {self.now.isoformat()}")

    def says(self, phone: str, text: str) -> str:
        """Let somebody's phone text us; return the id that the text goes by."""
        self._texts += 1
        now, self._settled = self.now, False
        sid = f"story-{self._texts:06}-{now:%Y%m%d%H%M%S}"
        if self._webhook:
            replying.receive(self._engine, sid=sid, from_phone=phone, to_phone="", body=text, received_at=now, now=now)
        else:
            self._transport.leave(ReceivedText(sid, phone, "", text, now))
        self._heard_once()
        return sid

    def acts(self, action: StaffAct, *, clinic_id: str | None = None) -> None:
        """Let a person at the clinic act on a plan; `clinic_id` where two clinics may have one of the same reference."""
        self._settled = False
        prescribing.act(self._engine, action, now=self.now, clinic_id=clinic_id)
        self._heard_once()

    @property
    def polls_at(self) -> datetime | None:
        """When the carrier's lists are read next; None while everything is heard without them."""
        return self._polls_at

    @property
    def hearing(self) -> tuple[bool, bool]:
        """Whether our webhook works, and whether the carrier's lists do."""
        return self._webhook, self._lists

    def talks(self, act: DeskAct) -> None:
        """Let a person at the clinic write to a patient, take the conversation over, or hand it back."""
        self._settled = False
        clinic_id, patient_id = conversing.find(self._engine, act.patient)
        if act.text is not None:
            self._texts += 1
            key, over = f"story-{self._texts:06}-{self.now:%Y%m%d%H%M%S}", bool(act.takes_over)
            conversing.write(self._engine, clinic_id, patient_id, act.text, by=act.by, key=key, now=self.now, takes_over=over)
        elif act.takes_over:
            conversing.take_over(self._engine, clinic_id, patient_id, by=act.by, now=self.now)
        else:
            conversing.hand_back(self._engine, clinic_id, patient_id, by=act.by, now=self.now)
        self._heard_once()

    def carrier(self, phone: str, *, status: str, code: int | None) -> None:
        """Let the carrier treat a phone so from now on."""
        self._transport.set_fault(phone, CarrierFault(status, code))

    def hears(self, *, webhook: bool | None = None, lists: bool | None = None) -> None:
        """Switch off, or on again, what brings patients' texts to us: our webhook, and the carrier's lists. None: as it was."""
        if self._polls_at is None:
            self._poll(self.now)  # until now everything has been heard
        self._webhook = self._webhook if webhook is None else webhook
        self._lists = self._lists if lists is None else lists
        self._transport.break_lists(broken=not self._lists)
        self._polls_at, self._settled = self.now + POLLED_EVERY, False

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        """Do what is sent or asked of the carrier, in an event loop that is made when it is first needed."""
        self._loop = self._loop or asyncio.new_event_loop()
        self._loop.run_until_complete(work)

    def _poll(self, now: datetime) -> None:
        """Read the carrier's lists. Nothing more is lost once that went well with everything working."""
        self._run(polling.poll(self._engine, self._transport, receive=replying.receive, receive_status=delivering.receive_status, now=now))
        self._polls_at = None if self._webhook and self._lists else now + POLLED_EVERY

    @property
    def _heard_until(self) -> datetime | None:
        """Up to when everything has been heard; None: the ledger must know."""
        return self.now if self._polls_at is None else None

    def _heard_once(self) -> None:
        """Settle what was just brought about, and have it heard, though nothing fell due of it."""
        before = self._passes
        self.settle()
        if self._passes == before:
            self._heard(self.now)

    def _pass(self, due: set[Work]) -> None:
        """One round of what the scheduler's jobs do, of those that have anything to do, in the order in which one brings about the next."""
        now = self.now
        self._passes += 1
        if Work.POLL in due:
            self._poll(now)
        if Work.REMIND in due:
            reminding.remind_due(self._engine, now=now)  # who is left over is still due, and has the next round
        if Work.FOLLOW_UP in due:
            following_up.follow_up(self._engine, now=now, heard_until=self._heard_until)
        if Work.ESCALATE in due:
            escalating.escalate(self._engine, now=now, heard_until=self._heard_until)
        if Work.DELIVER in due:
            self._deliver(now)
        self._heard(now)

    def _deliver(self, now: datetime) -> None:
        self._run(delivering.deliver(self._engine, self._transport, clock=self._clock))
        receipts = self._transport.take_receipts()
        for receipt in receipts if self._webhook else ():  # what no webhook brings is in the carrier's list
            delivering.receive_status(
                self._engine, sid=receipt.sid, status=receipt.status, tag=receipt.tag, error_code=receipt.error_code, now=now
            )
