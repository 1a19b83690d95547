"""Probing: what only a real account can tell, measured with one text to a phone of the operator's own.

How soon the carrier's list shows a text, whether it shows its words, and how often the carrier calls again where it was refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.messaging.transport import Accepted, Ambiguous, ListUnavailable, NotSent, Outgoing, Refused, SentText, Transport, same_body
from reminders.services.records import probes

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.clock import Clock
    from reminders.services.records.ledger import Row

VALIDITY = 600
A_DAY = timedelta(days=1)
"""The list is searched from so long ago: neither clock is trusted, as this is where their difference is measured."""


@dataclass(frozen=True, slots=True)
class Waits:
    """For how long, in seconds: for the list, for the carrier's calls, and for one more of them; `every` so often it is looked."""

    listed: float = 120
    called: float = 90
    quiet: float = 20
    every: float = 1


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How it is waited. `tell` is called meanwhile: for what, and for how many seconds so far."""

    clock: Clock
    pause: Callable[[float], Awaitable[object]]
    tell: Callable[[str, float], object]
    waits: Waits = Waits()

    async def moments(self, what: str, longest: float) -> AsyncIterator[Callable[[], float]]:
        """Go from look to look, for so many seconds at most; each time, what says how many have passed."""
        began = self.clock.monotonic()

        def passed() -> float:
            return self.clock.monotonic() - began

        while passed() <= longest:
            self.tell(what, passed())
            yield passed
            await self.pause(self.waits.every)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured with a text that the carrier took.

    listed_after  seconds until its list showed the text; None: not within two minutes.
    words_listed  whether the list shows the words; None: it never showed the text.
    apart         how far the carrier's clock, told in whole seconds, was ahead of ours; None: it never showed the text.
    calls         how often it called about each turn of the text's way, all refused; more than once each: it calls again.
    """

    listed_after: float | None
    words_listed: bool | None
    apart: timedelta | None
    calls: tuple[int, ...]


Found = Measured | NotSent | Ambiguous | Refused


def words_of(tag: str) -> str:
    """What a probe says: what it is, to whoever reads it, and a mark of its own."""
    return f"Doseline: a test, sent by whoever runs it. It is about no medicine and needs no answer. ({tag[:6]})"


def note_call(engine: Engine, *, tag: str, status: str, token: str | None, now: datetime) -> bool:
    """Keep a call of the carrier's about a probe; say whether there is such a probe."""
    with writing(engine) as c:
        return probes.called(c, tag, status=status, token=token, now=now)


async def measure(engine: Engine, transport: Transport, phone: str, waiting: Waiting) -> Found:
    """Send one text and see what the carrier does; return what was measured, or why the carrier did not take it.

    The transport is one whose receipts go to the address that refuses them.
    """
    tag, asked_at = token_hex(16), waiting.clock.now()
    with writing(engine) as c:
        probes.begin(c, tag, now=asked_at)
    outcome = await transport.send(Outgoing(phone, words_of(tag), tag, VALIDITY))
    if not isinstance(outcome, Accepted):
        return outcome
    with writing(engine) as c:
        probes.sent(c, tag, outcome.sid)
    seen = Measured(None, None, None, ())
    async for passed in waiting.moments("for the list", waiting.waits.listed):
        listed = await _listed(transport, phone, outcome.sid, asked_at - A_DAY)
        if listed is not None:
            seen = Measured(passed(), same_body(words_of(tag), listed.body), listed.created_at - asked_at, ())
            break
    return replace(seen, calls=await _calls(engine, tag, waiting))


async def _listed(transport: Transport, phone: str, sid: str, since: datetime) -> SentText | None:
    try:
        return next((text for text in await transport.sent_to(phone, since=since) if text.sid == sid), None)
    except ListUnavailable:
        return None


async def _calls(engine: Engine, tag: str, waiting: Waiting) -> tuple[int, ...]:
    """Wait until no more calls come; count them, those of one call and its repeats together."""
    calls: list[Row] = []
    last = 0.0
    async for passed in waiting.moments("for the carrier's calls", waiting.waits.called):
        with reading(engine) as c:
            known = probes.calls(c, tag)
        if len(known) > len(calls):
            calls, last = known, passed()
        if calls and passed() - last > waiting.waits.quiet:
            break
    return tuple(Counter(call["token"] or call["status"] for call in calls).values())
