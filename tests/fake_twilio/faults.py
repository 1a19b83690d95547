"""The fault menu: what can go wrong with one request to create a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answers:
    """An HTTP answer that is not the usual one. `payload` replaces Twilio's usual words for an error."""

    http: int
    code: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    payload: dict[str, Any] | str | None = None


@dataclass(frozen=True, slots=True)
class Hangs:
    """No answer, until the fake is released or closed."""


@dataclass(frozen=True, slots=True)
class CutsJson:
    """A 201 whose JSON ends in the middle, though the lengths agree."""


@dataclass(frozen=True, slots=True)
class CutsBody:
    """A 201 that promises more bytes than come before the connection ends."""


@dataclass(frozen=True, slots=True)
class Resets:
    """The connection is reset after the request was read."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of a request: whether the message is accepted all the same, and what is answered."""

    answer: Answers | Hangs | CutsJson | CutsBody | Resets
    accepts: bool = False


def refused(http: int, code: int | None = None) -> Fault:
    """Not accepted, and said so."""
    return Fault(Answers(http, code))


def too_many(retry_after: str | None = None, code: int = 20429) -> Fault:
    """Not accepted: too many requests."""
    return Fault(Answers(429, code, (("Retry-After", retry_after),) if retry_after else ()))


def accepted_then(http: int) -> Fault:
    """Accepted, and an error answered: what makes a blind retry a second text."""
    return Fault(Answers(http, 20500), accepts=True)


def hangs(*, accepts: bool = False) -> Fault:
    """No answer, whether accepted or not."""
    return Fault(Hangs(), accepts=accepts)


CUT_JSON = Fault(CutsJson(), accepts=True)
CUT_BODY = Fault(CutsBody(), accepts=True)
RESET = Fault(Resets())
