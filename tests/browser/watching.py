"""What goes wrong in a page without anybody asking: each line that a developer would find red in the browser's own tools."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

REFUSED = 400
LEFT = "net::ERR_ABORTED"
"""How a request ends whose page was left before its answer came: nothing failed."""
_NOT_LOADED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


@dataclass
class Watch:
    """Everything amiss in the pages of one context.

    The console's errors and warnings (a breach of the content policy is one), errors of scripts, requests that failed, answers that
    refuse, and requests to anybody but us.

    expected  statuses that a test asks for on purpose.
    """

    context: BrowserContext
    home: str
    expected: set[int] = field(default_factory=set)
    amiss: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen from the first request on."""
        self.context.on("console", self._said)
        self.context.on("weberror", self._raised)
        self.context.on("request", self._asked)
        self.context.on("requestfailed", self._failed)
        self.context.on("response", self._answered)

    def expects(self, *statuses: int) -> None:
        """Let answers of these statuses pass: what is refused on purpose."""
        self.expected |= set(statuses)

    def _said(self, message: ConsoleMessage) -> None:
        status = _NOT_LOADED.match(message.text)
        if message.type in {"error", "warning"} and not (status and int(status[1]) in self.expected):
            self.amiss.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _raised(self, error: WebError) -> None:
        self.amiss.append(f"script: {error.error.message}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.home}/", "data:", "blob:")):
            self.amiss.append(f"elsewhere: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT:
            self.amiss.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= REFUSED and response.status not in self.expected:
            self.amiss.append(f"{response.status}: {response.request.method} {response.url}")
