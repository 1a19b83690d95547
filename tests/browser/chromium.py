"""Debian's Chromium, driven by Playwright: started once for a run, with an empty profile, and asking nothing of the network by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
AWAY = f"NO BROWSER: install Debian's chromium ({CHROMIUM}); no test of a page in a browser did run"
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # it would need rights that a container's root has not
)
PATIENCE = 30_000
"""Milliseconds that anything in a page may take on a machine that has much else to do."""


@contextmanager
def a_browser(chromium: Path = CHROMIUM) -> Iterator[Browser]:
    """Start Chromium, and end it. Skips where there is none; `.ci/run` installs it, and refuses the skip."""
    if not chromium.exists():
        pytest.skip(AWAY)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield browser
        browser.close()
