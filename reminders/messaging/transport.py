"""How a text leaves: what a transport is given, and everything that can come of one try.

A transport tries once and says what it knows. It keeps no ledger, repeats nothing and decides nothing about doses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from reminders.errors import DoselineError

SHORTEST_VALIDITY = 60
LONGEST_VALIDITY = 36_000


class FailureClass(StrEnum):
    """What a failure calls for; the rest of the program never sees a carrier's code without it."""

    NOT_SENT = "not_sent"
    AMBIGUOUS = "ambiguous"
    RECIPIENT_PERMANENT = "recipient_permanent"
    OPTED_OUT = "opted_out"
    RECIPIENT_TRANSIENT = "recipient_transient"
    CONTENT = "content"
    EXPIRED = "expired"
    OVERFLOW = "overflow"
    ACCOUNT = "account"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One try at one text.

    to        the phone, E.164.
    tag       random, of this attempt alone; it comes back with every receipt.
    validity  seconds the carrier may keep the text in its queue (`validity_of`).
    text_id   the row the text is; never leaves the machine.
    """

    to: str
    body: str
    tag: str
    validity: int
    text_id: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier took the text under this id. `status` is its first state, for which no receipt is ever sent."""

    sid: str
    status: str = "queued"


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request was not processed, for certain: safe to try again, after `retry_after` seconds if the carrier said so."""

    code: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may have been sent: never try again before it was looked for. `why` names no phone and no text."""

    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier said no. Sending the same again does not help, or (kind `account`) not before a person has acted.

    `retry_after`: the seconds the carrier asks the sender to rest, where it said so.
    """

    code: int | None
    kind: FailureClass
    retry_after: float | None = None


Outcome = Accepted | NotSent | Ambiguous | Refused


@dataclass(frozen=True, slots=True)
class SentText:
    """A text as the carrier's own list shows it; `created_at` is UTC. The list knows neither tag nor callback address."""

    sid: str
    to: str
    body: str
    status: str
    created_at: datetime
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class ReceivedText:
    """A text somebody sent to us, as the carrier's own list shows it; `received_at` (UTC) is when it reached the carrier."""

    sid: str
    from_phone: str
    to_phone: str
    body: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the carrier reports later about a text it accepted. It has no time of its own, and receipts come in any order."""

    sid: str
    status: str
    tag: str | None = None
    error_code: int | None = None


class ListUnavailable(DoselineError):
    """The carrier's list could not be read, which proves nothing about any text."""


class Transport(Protocol):
    """A way for texts to leave."""

    @property
    def name(self) -> str:
        """What it is called in settings and reports: `sandbox`, `twilio`."""
        ...

    @property
    def list_lag(self) -> timedelta:
        """How long a text may be missing from the carrier's lists after the carrier had it."""
        ...

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Try once, and say what is known. Never raises, but for its own cancellation."""
        ...

    async def sent_to(self, phone: str, *, since: datetime) -> tuple[SentText, ...]:
        """List what the carrier accepted for a phone at or after an aware instant, oldest first.

        Raises ListUnavailable if the list could not be read to its end.
        """
        ...

    async def sent(self, *, since: datetime) -> tuple[SentText, ...]:
        """List everything our sender has sent at or after an aware instant, oldest first, whoever asked the carrier to.

        Raises ListUnavailable if the list could not be read to its end.
        """
        ...

    async def received(self, *, since: datetime) -> tuple[ReceivedText, ...]:
        """List the texts that reached us at or after an aware instant, oldest first.

        Raises ListUnavailable if the list could not be read to its end.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections; nothing can be sent afterwards."""
        ...


RANKS: Mapping[str, int] = MappingProxyType(
    {
        "queued": 0,
        "accepted": 0,
        "scheduled": 0,
        "sending": 1,
        "sent": 2,
        "undelivered": 3,
        "failed": 3,
        "canceled": 3,
        "delivered": 4,
    },
)


def rank_of(status: str) -> int:
    """Say how far a text has come by one receipt; the highest rank seen is its state. -1 for a status not known to us."""
    return RANKS.get(status, -1)


def validity_of(now: datetime, expires_at: datetime) -> int:
    """Return how many whole seconds the carrier may keep a text that is of use until `expires_at`: 60 to 36,000."""
    left = int((expires_at - now).total_seconds())
    return min(LONGEST_VALIDITY, max(SHORTEST_VALIDITY, left))


# What a carrier's "smart encoding" writes instead; compatibility forms (ligatures, full-width letters, …) fall to NFKC.
_SMART = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})


SECRET = "*" * 43
"""What stands in our record of a text in place of a link's secret, which is made when it is sent: it takes as much room."""

_SECRET = re.compile(r"(?<=/care/)[A-Za-z0-9_*-]{43}")


def same_body(ours: str, theirs: str) -> bool:
    """Whether two bodies are one text, but for what carriers do on the way: smart quotes and dashes, runs of white space.

    And but for the secret of a link, of which we keep no more than its hash.
    """
    return _normal(ours) == _normal(theirs)


def _normal(body: str) -> str:
    return _SECRET.sub("", " ".join(unicodedata.normalize("NFKC", body.translate(_SMART)).split()))
