"""One busy clinic, served by one process to one browser for the whole run; and for each test contexts of its own in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import Engine

from db.engine import make_engine
from tests.browser.chromium import a_browser
from tests.browser.clinic import Harbor, a_busy_afternoon
from tests.browser.serving import Served, served
from tests.browser.visiting import Sessions, Visits
from tests.databases import migrated

HERE = Path(__file__).parent
LONGEST_SECONDS = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of this folder come last: as long as Playwright runs, nothing else can run an event loop in this thread.

    Each may take longer than others: the first of them waits for the clinic's days, and a browser on a busy machine for its turn.
    """
    items.sort(key=lambda item: HERE in item.path.parents)
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(LONGEST_SECONDS))


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The ledger of the busy clinic, whose process changes it meanwhile."""
    engine = make_engine(migrated(f"sqlite:///{tmp_path_factory.mktemp('browser') / 'doseline.db'}"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def harbor(ledger: Engine) -> Harbor:
    """The busy clinic as it stood when its process began."""
    return a_busy_afternoon(ledger)


@pytest.fixture(scope="session")
def portal(ledger: Engine, harbor: Harbor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The process that serves it."""
    with served(str(ledger.url), at=harbor.at, log=str(tmp_path_factory.mktemp("log") / "portal.log")) as process:
        yield process


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """The browser."""
    request.getfixturevalue("harbor")  # its days are played by an event loop of their own, so before the browser's begins
    with a_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def sessions(chromium: Browser, portal: Served, harbor: Harbor) -> Sessions:
    """Who is signed in, once for the run."""
    return Sessions(chromium, portal, harbor.phones)


@pytest.fixture
def visits(chromium: Browser, portal: Served, sessions: Sessions, met_browser: None) -> Iterator[Visits]:  # noqa: ARG001 - it keeps
    """The visits of one test; at its end nothing may have gone amiss in any of their pages."""
    with Visits(chromium, portal, sessions) as visits:
        yield visits
        amiss = visits.amiss
    assert amiss == []
