"""The carrier of an ordeal: what it accepts it often does not say, and what it says it says late, twice or never."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

from tests.fake_twilio.callbacks import SILENT, Weather
from tests.fake_twilio.faults import Mix, accepted_late, accepted_then, hangs
from tests.fake_twilio.server import FakeTwilio, Message
from tests.killing.worker import Spans

LIST_LAG = timedelta(seconds=0.5)
LATENCY = 0.01
PAGE = 50
"""Messages on a page of its lists: who starts looks through the last ones, and there are thousands."""
LATER = 0.3
"""How long after its client has given up a request may be accepted: sooner than any doubt is settled."""


class Carrier(FakeTwilio):
    """A carrier that knows what it accepted since it was last asked."""

    def __init__(self) -> None:
        super().__init__(page_size=PAGE)
        self.latency = LATENCY
        self.account.visible_after = LIST_LAG
        self._fresh: deque[Message] = deque()

    def create(self, form: dict[str, str]) -> Message:
        """Accept a message."""
        message = super().create(form)
        self._fresh.append(message)
        return message

    def fresh(self) -> Iterator[Message]:
        """What was accepted since the last call, each once."""
        while self._fresh:
            yield self._fresh.popleft()

    def tell_nothing_of(self, phone: str) -> None:
        """Send no receipts for a phone's texts: only the list can prove them."""
        self.fates[phone] = SILENT

    def at_fault(self, seed: int, spans: Spans) -> AbstractContextManager[None]:
        """Inside the block accept and answer with an error in 5 %, and hang in 2 %: having accepted, or not, or to accept too late."""
        faults = {accepted_then(500): 0.05, hangs(accepts=True): 0.01, hangs(): 0.005, accepted_late(spans.http + LATER): 0.005}
        return self.failing(Mix(seed, faults))


@contextmanager
def a_carrier(seed: int) -> Iterator[Carrier]:
    """Serve a carrier whose receipts come in any order, late, twice, too early or never."""
    with Carrier() as carrier:
        carrier.call_back(Weather(seed, reordered=0.2, repeated=0.2, delayed=0.3, dropped=0.05, early=0.1, delay=2))
        yield carrier
