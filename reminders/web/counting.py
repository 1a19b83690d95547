"""Counting: what became of each webhook. Paths and outcomes only: nothing of what a webhook holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from threading import Lock
from types import MappingProxyType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS: Mapping[str, str] = MappingProxyType({"/sms/inbound": "inbound", "/sms/status": "status"})
OUTCOME = "reminders.outcome"
"""Where a request keeps what became of it, if its status does not say it all."""


class Outcome(StrEnum):
    """What became of a webhook: taken in (the first three), refused, or to be brought again."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    UNKNOWN = "unknown"
    MALFORMED = "malformed"
    NO_CARRIER = "no_carrier"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    UNSIGNED = "unsigned"
    WRONG_METHOD = "wrong_method"
    WRONG_TYPE = "wrong_type"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


BY_STATUS: Mapping[int, Outcome] = MappingProxyType(
    {
        HTTPStatus.OK: Outcome.ACCEPTED,
        HTTPStatus.NO_CONTENT: Outcome.ACCEPTED,
        HTTPStatus.BAD_REQUEST: Outcome.MALFORMED,
        HTTPStatus.FORBIDDEN: Outcome.UNSIGNED,
        HTTPStatus.NOT_FOUND: Outcome.NO_CARRIER,
        HTTPStatus.METHOD_NOT_ALLOWED: Outcome.WRONG_METHOD,
        HTTPStatus.REQUEST_TIMEOUT: Outcome.TOO_SLOW,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Outcome.TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Outcome.WRONG_TYPE,
        HTTPStatus.SERVICE_UNAVAILABLE: Outcome.UNAVAILABLE,
    }
)


class Counts:
    """What one process has counted since it began."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._webhooks = Counter[tuple[str, Outcome]]()
        self._answered = 0

    def add(self, path: str, outcome: Outcome) -> None:
        """Count a webhook."""
        with self._lock:
            self._webhooks[path, outcome] += 1

    def answer(self) -> None:
        """Count a stranger who was answered."""
        with self._lock:
            self._answered += 1

    def webhooks(self) -> dict[tuple[str, Outcome], int]:
        """Return how many there were, by path and outcome."""
        with self._lock:
            return dict(self._webhooks)

    def answered(self) -> int:
        """Return how many strangers were answered."""
        with self._lock:
            return self._answered


class Counted:
    """A layer that counts every webhook once, when it has been answered or has failed."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count what became of it."""
        path = PATHS.get(scope.get("path", ""))
        if scope["type"] != "http" or path is None:
            await self._app(scope, receive, send)
            return
        outcome = Outcome.FAILED

        async def counted(message: Message) -> None:
            nonlocal outcome
            if message["type"] == "http.response.start":
                outcome = scope.get(OUTCOME) or BY_STATUS.get(message["status"], Outcome.FAILED)
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            self._counts.add(path, outcome)
