"""Visits to the portal: each a browser context of its own, watched from its first request on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Literal, Self

from playwright.sync_api import Browser, Page, StorageState

from tests.browser.chromium import PATIENCE
from tests.browser.serving import Served
from tests.browser.signing import sign_in
from tests.browser.watching import Watch
from tests.web.signed_in import Phone

WIDE, NARROW = 1280, 390
HEIGHT = 900
Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Visit:
    """A page, and what goes amiss in it."""

    page: Page
    watch: Watch


@dataclass
class Sessions:
    """The cookies of who is signed in. Each signs in once, for a code is good once; and anew when nobody used them for too long."""

    browser: Browser
    portal: Served
    phones: Mapping[str, Phone]
    known: dict[str, StorageState] = field(default_factory=dict)

    def of(self, who: str | None) -> StorageState | None:
        """The cookies of somebody; None for nobody."""
        if who is None:
            return None
        if who not in self.known or not self._opens(self.known[who]):
            with Visits(self.browser, self.portal) as visits:
                page = visits.visit().page
                sign_in(page, self.phones[who], self.portal.clock)
                self.known[who] = page.context.storage_state()
        return self.known[who]

    def _opens(self, cookies: StorageState) -> bool:
        """Whether the cookies still open the door: who is in is sent on from it, who belongs to no clinic too."""
        context = self.browser.new_context(base_url=self.portal.url, storage_state=cookies)
        try:
            return context.request.get("/sign-in", max_redirects=0, timeout=PATIENCE).status == HTTPStatus.SEE_OTHER
        finally:
            context.close()


class Visits:
    """Visits that are over at the same time."""

    def __init__(self, browser: Browser, portal: Served, sessions: Sessions | None = None) -> None:
        self._browser, self._portal, self._sessions = browser, portal, sessions
        self._open, self._watches = ExitStack(), list[Watch]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def visit(self, who: str | None = None, *, width: int = WIDE, scheme: Scheme = "light", script: bool = True) -> Visit:
        """Open a page as somebody who is signed in, or as nobody."""
        context = self._browser.new_context(
            base_url=self._portal.url,
            storage_state=self._sessions.of(who) if self._sessions else None,
            viewport={"width": width, "height": HEIGHT},
            color_scheme=scheme,
            java_script_enabled=script,
            reduced_motion="reduce",  # a colour half way to another is nobody's choice
        )
        self._open.callback(context.close)
        context.set_default_timeout(PATIENCE)
        watch = Watch(context, self._portal.url)
        self._watches.append(watch)
        return Visit(context.new_page(), watch)

    @property
    def amiss(self) -> list[str]:
        """What went amiss in all of them."""
        return [line for watch in self._watches for line in watch.amiss]
