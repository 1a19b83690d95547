"""The interleavings in which the killer found a text lost or doubled, each told step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from reminders.clock import HandClock
from reminders.messaging.sandbox import CarrierFault, SandboxTransport
from reminders.messaging.transport import SentText
from reminders.services import delivering, reminding
from tests.stage import ANA, Stage, at, empty_ledger

SETTLED, LATER = timedelta(seconds=106), timedelta(seconds=31)


class SlowList(SandboxTransport):
    """A carrier whose list, once, is so slow that others have done much before it comes."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.meanwhile: Callable[[], None] | None = None

    async def sent_to(self, phone: str, *, since: datetime) -> tuple[SentText, ...]:
        """Let the others do what they do, then list."""
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await asyncio.to_thread(meanwhile)
        return await super().sent_to(phone, since=since)


def test_who_looked_into_one_try_does_not_claim_the_next_ones_text() -> None:
    """Found on the list by one who asked about the try before, a text is still found by whoever asks about its own try.

    One process looks into try 1, and its list is slow. Another settles try 1 as not sent; try 2 is accepted, and its answer
    lost. The slow list now shows the text of try 2. If its id is noted for try 1, nobody may find it for try 2: it is sent again.
    """
    with Stage(empty_ledger()) as s:
        s.clock.advance_to(at("03-02 08:00"))
        reminding.remind_due(s.engine, now=s.now)
        carrier, watch = SlowList(s.clock), delivering.Watch()

        def send(fault: str) -> None:
            carrier.set_fault(ANA, CarrierFault(fault))
            asyncio.run(delivering.deliver(s.engine, carrier, clock=s.clock))

        def look(wait: timedelta) -> None:
            s.clock.advance(wait)
            asyncio.run(delivering.recover(s.engine, carrier, clock=s.clock, watch=watch))

        def another_goes_on() -> None:
            look(timedelta())
            send("unknown")

        send("lost")
        look(timedelta())
        look(SETTLED)
        carrier.meanwhile = another_goes_on
        look(LATER)
        look(SETTLED)
        look(LATER)
        send("delivered")

        assert [text.to for text in carrier.kept()] == [ANA]
