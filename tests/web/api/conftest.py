"""Two clinics, and a program with every role at one of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.engine import make_engine
from tests.web.api.asking import Program, a_key, a_program, two_clinics


@pytest.fixture(scope="session")
def morning(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with two clinics, a morning into their plans, to be copied."""
    file = tmp_path_factory.mktemp("morning") / "doseline.db"
    shutil.copy(sqlite_template, file)
    engine = make_engine(f"sqlite:///{file}")
    two_clinics(engine)
    engine.dispose()
    return file


@pytest.fixture
def clinics(morning: Path, tmp_path: Path) -> Iterator[Engine]:
    """A ledger of this test's own with two clinics, a morning into their plans."""
    engine = make_engine(f"sqlite:///{shutil.copy(morning, tmp_path / 'doseline.db')}")
    yield engine
    engine.dispose()


@pytest.fixture
def program(clinics: Engine) -> Program:
    """A program that acts in the provider's name, with all their roles; it has asked before, which is noted."""
    asks = a_program(clinics, a_key(clinics))
    asks.get("/me")
    return asks
