"""A run in CI skips nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPS_ITSELF = 'import pytest\n\n\ndef test_away():\n    pytest.skip("no database")\n'
SKIPS_WHOLE_FILE = 'import pytest\n\npytest.skip("no database", allow_module_level=True)\n'


def run(file: Path, *, ci: str) -> int:
    """Run one file under this suite's own hooks, in an environment of its own; return pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir", str(file.parent), str(file)]
    return subprocess.run(command, cwd=ROOT, env={"CI": ci, "PYTHONPATH": "."}, capture_output=True, check=False).returncode


@pytest.mark.parametrize("code", [SKIPS_ITSELF, SKIPS_WHOLE_FILE], ids=["a test", "a file"])
def test_a_skip_fails_the_build(code: str, tmp_path: Path) -> None:
    """Under CI=true a test or a file that skips itself makes pytest end in failure."""
    file = tmp_path / "test_away.py"
    file.write_text(code, encoding="utf-8")

    assert run(file, ci="true") in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED}


def test_a_developer_may_skip(tmp_path: Path) -> None:
    """Outside CI a skipped test is a skipped test."""
    file = tmp_path / "test_away.py"
    file.write_text(SKIPS_ITSELF, encoding="utf-8")

    assert run(file, ci="") == pytest.ExitCode.OK
