"""A carrier moved by hand: what it accepted, when, and what it was asked, is the truth by which the ledger is judged."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from reminders.messaging.failure_codes import class_of
from reminders.messaging.transport import (
    Accepted,
    Ambiguous,
    ListUnavailable,
    NotSent,
    Outcome,
    Outgoing,
    ReceivedText,
    Refused,
    SentText,
)

Facts = dict[str, Any]

LIST_LAG: Final = timedelta(seconds=60)
"""How long the program is told that the list may lag: the carrier's own lag is never longer."""
OPTED_OUT, NO_ACCOUNT, NO_MOBILE = 21610, 20003, 21614


class Fate(StrEnum):
    """What becomes of one request.

    answer_lost  accepted, and the answer never arrives; lost  it never arrives itself, and nobody is told; answer_late  accepted,
    nine seconds later; receipt_first  accepted, and its receipt is quicker than the answer; blows_up  accepted, and the
    client raises; machine_sleeps  accepted, and our machine sleeps while the answer is on its way.
    """

    ACCEPTED = "accepted"
    ANSWER_LOST = "answer_lost"
    LOST = "lost"
    ANSWER_LATE = "answer_late"
    RECEIPT_FIRST = "receipt_first"
    BLOWS_UP = "blows_up"
    MACHINE_SLEEPS = "machine_sleeps"
    BUSY = "busy"
    BUSY_FOR_A_WHILE = "busy_for_a_while"
    NO_ACCOUNT = "no_account"
    NO_MOBILE = "no_mobile"


TAKEN: Final = frozenset({Fate.ACCEPTED, Fate.ANSWER_LOST, Fate.ANSWER_LATE, Fate.RECEIPT_FIRST, Fate.BLOWS_UP, Fate.MACHINE_SLEEPS})

Ending = tuple[tuple[str, int | None], ...]
"""The receipts of a text, in the order in which they came about: (status, code)."""

ENDINGS: Final[dict[str, Ending]] = {
    "delivered": (("sent", None), ("delivered", None)),
    "sent": (("sent", None),),
    "silent": (),
    "unreachable": (("sent", None), ("undelivered", 30003)),
    "filtered": (("undelivered", 30007),),
    "ran out": (("failed", 30036),),
    "nobody": (("undelivered", 30005),),
    "arrived after all": (("undelivered", 30003), ("delivered", None)),
}


@dataclass
class CarrierByHand:
    """Takes requests by the fates laid out for it, keeps two lists, and has receipts ready to be brought.

    now      the carrier's own clock, which nobody sets.
    requests one for each request: at (the sender's clock), sid (None if refused), to, body, tag, text_id, fate, and
             what the sender's machine knew (`looked`) and the ledger said (`row`, `items`) when it was made.
    waiting  receipts that nobody has brought yet; brought  those that somebody has.
    redacted its lists show no words.
    blocked  the phones from which it heard STOP: it takes nothing for them.
    """

    now: Callable[[], datetime]
    lag: timedelta = timedelta()
    lists_broken: bool = False
    redacted: bool = False
    fates: deque[Fate] = field(default_factory=deque)
    ending: str = "delivered"
    requests: list[Facts] = field(default_factory=list)
    accepted: list[Facts] = field(default_factory=list)
    received: list[ReceivedText] = field(default_factory=list)
    waiting: list[Facts] = field(default_factory=list)
    brought: list[Facts] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)

    def take(self, outgoing: Outgoing, known: Facts) -> tuple[Fate, Facts]:
        """Take or refuse a request; return its fate and what is kept of it."""
        fate = self.fates.popleft() if self.fates else Fate.ACCEPTED
        if fate in TAKEN and outgoing.to in self.blocked:
            fate = Fate.ACCEPTED
        taken = fate in TAKEN and outgoing.to not in self.blocked
        sid = f"SM{len(self.requests) + 1:05}" if taken else None
        asked = {
            "to": outgoing.to,
            "body": outgoing.body,
            "tag": outgoing.tag,
            "text_id": outgoing.text_id,
            "fate": fate,
            "sid": sid,
            **known,
        }
        self.requests.append(asked)
        if taken:
            ending = ENDINGS[self.ending]
            status, code = ending[-1] if ending else ("queued", None)
            self.accepted.append({**asked, "created_at": self.now(), "status": status, "code": code})
            self.waiting += [{"sid": sid, "status": status, "code": code, "tag": outgoing.tag} for status, code in ending]
        return fate, asked

    def answer(self, fate: Fate, asked: Facts) -> Outcome:
        """What the sender is told."""
        if fate in TAKEN and asked["sid"] is None:
            return Refused(OPTED_OUT, class_of(OPTED_OUT))
        match fate:
            case Fate.ANSWER_LOST | Fate.LOST:
                return Ambiguous("timeout")
            case Fate.BLOWS_UP:
                raise ConnectionResetError("gone")
            case Fate.BUSY:
                return NotSent(20429)
            case Fate.BUSY_FOR_A_WHILE:
                return NotSent(20429, retry_after=40)
            case Fate.NO_ACCOUNT:
                return Refused(NO_ACCOUNT, class_of(NO_ACCOUNT))
            case Fate.NO_MOBILE:
                return Refused(NO_MOBILE, class_of(NO_MOBILE))
            case _:
                return Accepted(asked["sid"])

    def sent(self, since: datetime) -> tuple[SentText, ...]:
        """List what was accepted, as far as the list shows it."""
        self._check_lists()
        seen = [text for text in self.accepted if since <= text["created_at"] <= self.now() - self.lag]
        return tuple(
            SentText(text["sid"], text["to"], "" if self.redacted else text["body"], text["status"], text["created_at"], text["code"])
            for text in seen
        )

    def heard(self, since: datetime) -> tuple[ReceivedText, ...]:
        """List what people wrote, as far as the list shows it."""
        self._check_lists()
        return tuple(text for text in self.received if since <= text.received_at <= self.now() - self.lag)

    def hears(self, text: ReceivedText) -> None:
        """Take a text from somebody; the exact word STOP ends, and START begins again, what it carries to them."""
        self.received.append(text)
        if text.body == "STOP":
            self.blocked.add(text.from_phone)
        elif text.body == "START":
            self.blocked.discard(text.from_phone)

    def _check_lists(self) -> None:
        if self.lists_broken:
            raise ListUnavailable


class Wire:
    """The carrier as one process of ours sees it."""

    name: Final = "by hand"
    list_lag: Final = LIST_LAG

    def __init__(self, carrier: CarrierByHand, *, looks: Callable[[Outgoing], Facts], meanwhile: Callable[[Fate, Facts], None]) -> None:
        """`looks` says what is known as a request is made; `meanwhile` lets happen what happens while it is on its way."""
        self._carrier, self._looks, self._meanwhile = carrier, looks, meanwhile

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Make one request."""
        fate, asked = self._carrier.take(outgoing, self._looks(outgoing))
        self._meanwhile(fate, asked)
        return self._carrier.answer(fate, asked)

    async def sent_to(self, phone: str, *, since: datetime) -> tuple[SentText, ...]:
        """List what was accepted for a phone."""
        return tuple(text for text in self._carrier.sent(since) if text.to == phone)

    async def sent(self, *, since: datetime) -> tuple[SentText, ...]:
        """List what was accepted."""
        return self._carrier.sent(since)

    async def received(self, *, since: datetime) -> tuple[ReceivedText, ...]:
        """List what people wrote."""
        return self._carrier.heard(since)

    async def aclose(self) -> None:
        """Nothing to let go of."""
