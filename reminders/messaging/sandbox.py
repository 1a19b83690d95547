"""A transport without a carrier: it keeps what was sent, and fails where it is told to.

It is what runs by default. Nothing leaves the machine; a phone's side of the talk is read from the ledger. It holds no rule of
the carrier's: a number that opted out is refused here only if `set_fault` says so.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from reminders.clock import Clock
from reminders.messaging.failure_codes import class_of
from reminders.messaging.transport import (
    Accepted,
    Ambiguous,
    FailureClass,
    ListUnavailable,
    NotSent,
    Outcome,
    Outgoing,
    Receipt,
    ReceivedText,
    Refused,
    SentText,
)

KEPT: Final = 10_000
DELIVERED: Final = "delivered"


@dataclass(frozen=True, slots=True)
class CarrierFault:
    """What a carrier does with the texts of one phone.

    status  `delivered` (no fault) · `undelivered` or `failed` (accepted, then reported with `code`) · `sent` or `queued`
            (accepted, and never heard of again) · `refused` (not accepted, with `code`) · `unknown` (accepted, but the answer is
            lost) · `lost` (not accepted, and the answer is lost).
    code    the carrier's error code, which decides what `refused` calls for.
    """

    status: str = DELIVERED
    code: int | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"no such carrier status: {self.status!r}; one of {', '.join(STATUSES)}")


STATUSES: Final = (DELIVERED, "undelivered", "failed", "sent", "queued", "refused", "unknown", "lost")
_NEVER_TAKEN: Final = frozenset({"refused", "lost"})
_NO_RECEIPT: Final = frozenset({"queued", "unknown"})


class SandboxTransport:
    """Keeps the last 10,000 texts it accepted. Ids follow from tags, so the same story gives the same ids. Any thread may use it."""

    name: Final = "sandbox"
    list_lag: Final = timedelta()

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: deque[SentText] = deque(maxlen=KEPT)
        self._receipts: deque[Receipt] = deque(maxlen=KEPT)
        self._left: deque[ReceivedText] = deque(maxlen=KEPT)
        self._lists_broken = False
        self._faults: dict[str, CarrierFault] = {}
        self._lock = Lock()

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Accept a text and have its receipts ready, or do what the phone's fault says."""
        with self._lock:
            fault = self._faults.get(outgoing.to, CarrierFault())
            sid = sid_of(outgoing.tag)
            if fault.status not in _NEVER_TAKEN:
                self._take(outgoing, sid, fault)
        return _outcome(fault, sid)

    async def sent_to(self, phone: str, *, since: datetime) -> tuple[SentText, ...]:
        """List what was accepted for a phone since an instant, oldest first, of the texts still kept."""
        return tuple(text for text in await self.sent(since=since) if text.to == phone)

    async def sent(self, *, since: datetime) -> tuple[SentText, ...]:
        """List what was accepted since an instant, oldest first, of the texts still kept."""
        self._check_list()
        return tuple(text for text in self.kept() if text.created_at >= since)

    async def received(self, *, since: datetime) -> tuple[ReceivedText, ...]:
        """List what phones sent since an instant, oldest first: what was left here (`leave`), for want of a webhook."""
        self._check_list()
        with self._lock:
            return tuple(text for text in self._left if text.received_at >= since)

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def set_fault(self, phone: str, fault: CarrierFault) -> None:
        """Have a carrier treat a phone so from the next text on, until told otherwise; `CarrierFault()` mends it."""
        with self._lock:
            self._faults[phone] = fault

    def fault_of(self, phone: str) -> CarrierFault:
        """Return how a carrier treats a phone."""
        with self._lock:
            return self._faults.get(phone, CarrierFault())

    def leave(self, text: ReceivedText) -> None:
        """Keep a text that no webhook brings us; `received` will list it."""
        with self._lock:
            self._left.append(text)

    def break_lists(self, *, broken: bool = True) -> None:
        """Have the carrier's lists fail from now on, or work again."""
        self._lists_broken = broken

    def kept(self) -> tuple[SentText, ...]:
        """Return what was accepted and is still kept, oldest first."""
        with self._lock:
            return tuple(self._sent)

    def take_receipts(self) -> tuple[Receipt, ...]:
        """Hand over, once, the receipts of everything accepted since the last call, in the order a carrier would send them."""
        with self._lock:
            taken = tuple(self._receipts)
            self._receipts.clear()
            return taken

    def _check_list(self) -> None:
        if self._lists_broken:
            raise ListUnavailable

    def _take(self, outgoing: Outgoing, sid: str, fault: CarrierFault) -> None:
        status = "queued" if fault.status in _NO_RECEIPT else fault.status
        self._sent.append(SentText(sid, outgoing.to, outgoing.body, status, self._clock.now(), fault.code))
        self._receipts.extend(_receipts(sid, outgoing.tag, fault))


def sid_of(tag: str) -> str:
    """Return the id that the sandbox gives to the attempt with this tag, in the shape of a carrier's."""
    return "SM" + hashlib.sha256(tag.encode()).hexdigest()[:32]


def _outcome(fault: CarrierFault, sid: str) -> Outcome:
    if fault.status in {"unknown", "lost"}:
        return Ambiguous(f"sandbox: {fault.status}")
    if fault.status != "refused":
        return Accepted(sid)
    kind = class_of(fault.code)
    return NotSent(fault.code) if kind is FailureClass.NOT_SENT else Refused(fault.code, kind)


def _receipts(sid: str, tag: str, fault: CarrierFault) -> Iterable[Receipt]:
    if fault.status in _NO_RECEIPT:
        return
    yield Receipt(sid, fault.status, tag, fault.code)
