"""Dependencies point one way, and the door to each outside thing is one."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DOORS = ["clock", "errors", "milestones", "settings"]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import contracts of this repository on the packages in a folder."""
    (folder / "contracts.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", "contracts.toml", "--no-cache", "--no-logo"]
    environ = {"PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the two packages, in which a breach can be planted."""
    for package in ("reminders", "db"):
        for file in (ROOT / package).rglob("*.py"):
            copy = tmp_path / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    return tmp_path


def test_the_import_contracts_hold(copied: Path) -> None:
    """Layers, forbidden and protected modules are as drawn in pyproject.toml."""
    result = lint(copied)

    assert (result.returncode, "0 broken" in result.stdout) == (0, True), result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("reminders/domain/missed.py", "import sqlalchemy", "The rules know nothing of the world"),
        ("reminders/domain/missed.py", "import reminders.messaging.segments", "Dependencies point one way"),
        ("db/engine.py", "import reminders.clock", "The ledger knows nothing of the application"),
        ("reminders/web/__init__.py", "import twilio", "Only its transport speaks Twilio"),
        ("reminders/services/reminding.py", "import apscheduler", "Only scheduling speaks APScheduler"),
        ("reminders/web/__init__.py", "import db.tables", "Rows become values in one package"),
        ("reminders/web/__init__.py", "import db.queries", "Only services ask the ledger"),
        ("reminders/scheduling/loop.py", "import reminders.domain.missed", "Scheduling asks services and nothing else of ours"),
        ("reminders/services/reminding.py", "import reminders.services.planted", "No service calls a service"),
    ],
)
def test_a_planted_breach_is_named(copied: Path, module: str, line: str, contract: str) -> None:
    """Each contract can fail, and says which one was broken."""
    (copied / "reminders/services/planted.py").touch()
    file = copied / module
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")

    assert f"{contract} BROKEN" in lint(copied).stdout


def test_every_room_has_a_place_in_the_layers() -> None:
    """A new package cannot stand outside the drawing."""
    layers = next(contract for contract in PROJECT["tool"]["importlinter"]["contracts"] if contract["type"] == "layers")["layers"]
    drawn = {room.strip("() ") for layer in layers for room in layer.split("|")}
    standing = {
        f"reminders.{path.stem}" for path in (ROOT / "reminders").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert standing - {f"reminders.{name}" for name in (*DOORS, "__init__")} - drawn == set()


def test_the_data_files_of_the_packages_are_shipped() -> None:
    """Every file that is not Python has an ending the build knows, so an installed copy lacks nothing."""
    shipped = {pattern.removeprefix("*") for pattern in PROJECT["tool"]["setuptools"]["package-data"]["*"]}
    files = [
        file
        for package in ("reminders", "db")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    ]

    assert sorted(file.name for file in files if file.suffix != ".py" and not any(file.name.endswith(end) for end in shipped)) == []
