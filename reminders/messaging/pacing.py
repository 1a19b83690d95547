"""How fast texts may leave: a leaky bucket in segments a second, a part of which is kept free for what cannot wait.

Pure: the bucket is two instants, kept where every process can see them, and `now` is an argument.

Source: GCRA, the virtual scheduling algorithm of ITU-T I.371; one contract's figures in Twilio's rate limits and message queues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SAFE_SHARE = 0.9
"""Of what the contract lets through: beyond it the carrier queues, or refuses [our default]."""
ORDINARY_SHARE = 0.9
"""Of that, what texts that are not urgent may use: the rest is free for alerts, however long the queue [our default]."""
BURST = timedelta(seconds=1)
"""How far ahead of its pace a sender may be: it wakes once a second."""
MOST_SEGMENTS = 11
"""Of one text: a carrier takes 1,600 characters."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """When all that was sent so far will have been let through (`all_until`), and the same of what was not urgent. UTC."""

    all_until: datetime | None = None
    ordinary_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """What a contract lets through, in segments a second. Raises ValueError unless that is more than nothing."""

    segments_per_second: float

    def __post_init__(self) -> None:
        if not 0 < self.segments_per_second < float("inf"):
            raise ValueError(f"segments a second: {self.segments_per_second}")

    def take(self, bucket: Bucket, segments: int, now: datetime, *, urgent: bool) -> Bucket | None:
        """Let a text of so many segments leave now: return the bucket after it, or None if it must wait.

        A text larger than a second's worth leaves as soon as nothing is owed, and is paid for afterwards.
        """
        everything = _paid(bucket.all_until, segments, now, self.segments_per_second * SAFE_SHARE)
        if urgent:
            return Bucket(everything, bucket.ordinary_until) if everything else None
        ordinary = _paid(bucket.ordinary_until, segments, now, self.segments_per_second * SAFE_SHARE * ORDINARY_SHARE)
        return Bucket(everything, ordinary) if everything and ordinary else None

    def fit(self, bucket: Bucket, segments: Sequence[int], now: datetime, *, urgent: bool) -> tuple[int, Bucket]:
        """Of texts in line, how many may leave now, and the bucket after them. None passes the one before it."""
        for count, each in enumerate(segments):
            after = self.take(bucket, each, now, urgent=urgent)
            if after is None:
                return count, bucket
            bucket = after
        return len(segments), bucket


def _paid(until: datetime | None, segments: int, now: datetime, rate: float) -> datetime | None:
    """When a sender that owes until `until` will have paid for one more text; None if it owes too much already."""
    owed = max((until or now) - now, timedelta())
    if owed > BURST + timedelta(seconds=MOST_SEGMENTS / rate):
        owed = timedelta()  # more than any text can owe: the clock was set back, and nobody waits hours for that
    return None if owed >= BURST else now + owed + timedelta(seconds=segments / rate)
