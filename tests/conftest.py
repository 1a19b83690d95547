"""What every test may ask for, and the two promises of a run: no setting of ours leaks in, and CI skips nothing."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from sqlalchemy import Engine

from db.engine import make_engine
from reminders.settings import VARIABLES
from tests.databases import database_of, migrated, postgres_database, running_postgres

MET, POSTGRES, BROWSER = "met", "postgresql", "browser"
"""Under the first each test keeps which real parts it met."""

_TEST_DATABASE_URL = os.environ.get("TEST_DATABASE_URL", "")
_IN_CI = os.environ.get("CI", "").lower() == "true"

# Before any test module is imported: a developer's own settings must not decide what a test sees.
for _name in VARIABLES:
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)

# A busy machine is not a fault of the code; the long run is `make test-night`.
settings.register_profile("day", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("night", max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For `make test-api`: of each operation 200, a fifth.
settings.register_profile("api", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For `make test-mutation`: the same examples each time, so that a verdict does not change by chance, and no search for a smaller one.
settings.register_profile(
    "mutation",
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)
settings.load_profile("day")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skips in CI: what did not run has shown nothing."""
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a file that skips itself in CI."""
    return _refuse_skip((yield))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests met a real PostgreSQL, and a real browser: whichever process ran them, their reports come here."""
    reports = [one for some in terminalreporter.stats.values() for one in some if isinstance(one, pytest.TestReport)]
    met = Counter(part for part, _ in {(value, one.nodeid) for one in reports for name, value in one.user_properties if name == MET})
    terminalreporter.write_line(f"PostgreSQL: {met[POSTGRES]} tests ran on it")
    terminalreporter.write_line(f"Browser: {met[BROWSER]} tests ran in it")


R = TypeVar("R", pytest.TestReport, pytest.CollectReport)


def _refuse_skip(report: R) -> R:
    if _IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.longrepr = f"skipped, which CI refuses: {report.longreprtext}"
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server on which databases can be made: TEST_DATABASE_URL, else one of our own."""
    if _TEST_DATABASE_URL:
        yield _TEST_DATABASE_URL.replace("+psycopg", "", 1)
        return
    with running_postgres() as address:
        yield address


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest migration, to be copied."""
    file = tmp_path_factory.mktemp("template") / "doseline.db"
    migrated(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """The name of a PostgreSQL database at the newest migration, to be copied."""
    with postgres_database(postgres_url) as address:
        yield database_of(migrated(address))


@pytest.fixture
def met_browser(record_property: Callable[[str, object], None]) -> None:
    """Keep that this test met a real browser."""
    record_property(MET, BROWSER)


@pytest.fixture
def met_postgres(record_property: Callable[[str, object], None]) -> None:
    """Keep that this test met a real PostgreSQL."""
    record_property(MET, POSTGRES)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a SQLite database of this test's own, at the newest migration."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'doseline.db')}"


@pytest.fixture
def postgres_database_url(postgres_url: str, postgres_template: str, met_postgres: None) -> Iterator[str]:  # noqa: ARG001 - it keeps
    """The address of a PostgreSQL database of this test's own, at the newest migration."""
    with postgres_database(postgres_url, template=postgres_template) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of this test's own with nothing in it, on each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres_url")
    request.getfixturevalue("met_postgres")
    with postgres_database(server) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a database of this test's own at the newest migration, on each kind in turn."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database_url"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a database of this test's own, on each kind in turn."""
    yield from _engine_on(database_url)


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """An engine on a SQLite database of this test's own, for what does not differ between the two."""
    yield from _engine_on(sqlite_url)


@pytest.fixture
def postgres_engine(postgres_database_url: str) -> Iterator[Engine]:
    """An engine on a PostgreSQL database of this test's own, for row locks and several processes."""
    yield from _engine_on(postgres_database_url)


def _engine_on(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    yield engine
    engine.dispose()
