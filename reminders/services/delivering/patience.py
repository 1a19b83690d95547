"""How long the send protocol waits, and how often it tries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the protocol waits, and what ties its times together.

    lease    how long a claimed text is its sender's; a request begins in its first half.
    settle   longer than any request can live, or a text still on its way is taken for lost and sent twice.
    second_look  how long after the first look at the carrier's list the second comes.
    doubts   how many requests for one text may end without an answer: a list that shows nothing, for whatever reason, must
             not make a person receive the same text again and again [our default]. Deaths of a sender do not count: they
             come in runs of their own, and few of them come after the request.
    bodies_listed  False: the carrier's list shows no words (message redaction), so a text in doubt is proved by a receipt
             or not at all, and what is not proved is not sent again.
    """

    lease: timedelta = timedelta(seconds=30)
    settle: timedelta = timedelta(seconds=75)
    second_look: timedelta = timedelta(seconds=30)
    doubts: int = 3
    bodies_listed: bool = True


PATIENCE = Patience()
