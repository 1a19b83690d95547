"""The fault menu: what can go wrong with one request to create a message, and a mix of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Answers:
    """An HTTP answer that is not the usual one. `payload` replaces Twilio's usual words for an error."""

    http: int
    code: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    payload: dict[str, Any] | str | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """The usual answer."""


@dataclass(frozen=True, slots=True)
class Hangs:
    """No answer, until whoever asked goes away or the fake is closed."""


@dataclass(frozen=True, slots=True)
class CutsJson:
    """An answer whose JSON ends in the middle, though the lengths agree."""


@dataclass(frozen=True, slots=True)
class CutsBody:
    """An answer that promises more bytes than come before the connection ends, with a reset or without."""

    resets: bool = False


@dataclass(frozen=True, slots=True)
class Resets:
    """The connection is reset before an answer; `unread`: before the request's body was read, too."""

    unread: bool = False


Answer = Answers | Created | Hangs | CutsJson | CutsBody | Resets


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of a request: whether the message is accepted all the same, and what is answered.

    before  seconds until it is accepted or not, and `after` from then to the answer; both of the machine's own time.
    """

    answer: Answer
    accepts: bool = False
    before: float = 0
    after: float = 0


def refused(http: int, code: int | None = None) -> Fault:
    """Not accepted, and said so."""
    return Fault(Answers(http, code))


def refused_with(code: int) -> Fault:
    """Not accepted for a reason that has a code, with the HTTP status that Twilio gives with it."""
    return Fault(Answers(HTTP_OF.get(code, 400), code))


def too_many(retry_after: str | None = None, code: int = 20429) -> Fault:
    """Not accepted: too many requests."""
    return Fault(Answers(429, code, (("Retry-After", retry_after),) if retry_after else ()))


def accepted_then(http: int) -> Fault:
    """Accepted, and an error answered: what makes a blind retry a second text."""
    return Fault(Answers(http, 20500), accepts=True)


def hangs(*, accepts: bool = False) -> Fault:
    """No answer, whether accepted or not."""
    return Fault(Hangs(), accepts=accepts)


def accepted_late(seconds: float) -> Fault:
    """No answer, and accepted only after so many seconds, when whoever asked has given up or been killed."""
    return Fault(Hangs(), accepts=True, before=seconds)


def slow(seconds: float) -> Fault:
    """Accepted at once, and answered late."""
    return Fault(Created(), accepts=True, after=seconds)


CUT_JSON = Fault(CutsJson(), accepts=True)
CUT_BODY = Fault(CutsBody(), accepts=True)
RESET_IN_BODY = Fault(CutsBody(resets=True), accepts=True)
RESET = Fault(Resets())
RESET_UNREAD = Fault(Resets(unread=True))
ACCEPTED_THEN_RESET = Fault(Resets(), accepts=True)

# All others come with 400.
HTTP_OF: Mapping[int, int] = {14107: 429, 20003: 401, 20404: 404, 20429: 429, 21408: 403, 30002: 403, 30022: 429, 63018: 429, 63038: 429}


class Mix:
    """Faults by chance: each with its share of all requests, drawn from a seed in the order the requests come."""

    def __init__(self, seed: int, shares: Mapping[Fault, float]) -> None:
        if sum(shares.values()) > 1:
            raise ValueError(f"shares of more than all: {sum(shares.values())}")
        self.seed, self._shares, self._random = seed, tuple(shares.items()), Random(seed)  # noqa: S311 - to be drawn again from its seed

    def draw(self) -> Fault | None:
        """Draw what the next request meets: mostly nothing."""
        drawn = self._random.random()
        for fault, share in self._shares:
            if drawn < share:
                return fault
            drawn -= share
        return None
