"""Around every answer: the headers that keep a browser in check, and an end to errors that nobody expected."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reminders.web.problems import problem

log = logging.getLogger(__name__)

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
            "form-action 'self'; frame-ancestors 'none'"  # data: the ticks and arrows of Pico's form fields
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Referrer-Policy": "no-referrer",
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    },
)


class Guard:
    """The outermost layer. An unexpected error is logged by its kind and place, never by its words, which can hold patients' data."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and see to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                kept = headers.get("Cache-Control")
                headers.update(HEADERS)
                if kept is not None:  # a route says so of what is nobody's secret
                    headers["Cache-Control"] = kept
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except Exception as error:  # noqa: BLE001 - the last place where an error can be kept from a log that prints its words
            log.error("%s %s failed: %s at %s", scope["method"], _path(scope), type(error).__name__, place_of(error))  # noqa: TRY400
            if not begun:
                await problem(HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, guarded)


def _path(scope: Scope) -> str:
    """The path as it was declared: what stands in a field of it may be a one-time link."""
    return getattr(scope.get("route"), "path", "a path of nobody's")


def place_of(error: Exception) -> str:
    """Say where an error was raised, innermost call first, without any of its words."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return " < ".join(f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in frames)
