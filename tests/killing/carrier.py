"""The carrier of an ordeal: what it accepts it often does not say, and what it says it says late, twice or never."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from tests.fake_twilio.callbacks import SILENT, Weather
from tests.fake_twilio.faults import Mix, accepted_late, accepted_then, hangs
from tests.fake_twilio.server import FakeTwilio
from tests.killing.worker import Spans

LIST_LAG = timedelta(seconds=0.5)
LATER = 0.3
"""How long after its client has given up a request may be accepted: sooner than any doubt is settled."""


@contextmanager
def a_faulty_carrier(seed: int, spans: Spans) -> Iterator[FakeTwilio]:
    """Serve a carrier that accepts and answers with an error, or not at all, or accepts when nobody waits any longer."""
    faults = {accepted_then(500): 0.05, hangs(accepts=True): 0.01, accepted_late(spans.http + LATER): 0.01}
    weather = Weather(seed, reordered=0.2, repeated=0.2, delayed=0.3, dropped=0.05, early=0.1, delay=2)
    with FakeTwilio() as twilio, twilio.failing(Mix(seed, faults)):
        twilio.account.visible_after = LIST_LAG
        twilio.call_back(weather)
        yield twilio


def tell_nothing_of(twilio: FakeTwilio, phone: str) -> None:
    """Send no receipts for a phone's texts: only the list can prove them."""
    twilio.fates[phone] = SILENT
