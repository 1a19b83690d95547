"""Nothing of the machine or the network it was written on is in the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Written in pieces, so that this file is not its own finding.
MACHINE = re.compile(
    "|".join(["/" + "work/", "/" + "home/[a-z]", "/" + "root/", "/" + "Users/", "/" + "opt/(?!doseline)", r"[A-Z]:\\" + "Users"])
)
REGISTRY = re.compile(
    "|".join(["files." + "pythonhosted", "pypi." + "org", "--(extra-)?index" + "-url", "PIP_INDEX" + "_URL", "file:" + "//"])
)
LOCKS_WITH_ADDRESSES = {"uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock", "package-lock.json", "yarn.lock"}


def tracked() -> list[Path]:
    """Return the files git keeps; without git, as in an unpacked archive, all that are not made by a tool."""
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [
            file
            for file in ROOT.rglob("*")
            if file.is_file() and not any(part.startswith((".venv", "__pycache__", "var")) for part in file.parts)
        ]
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def findings(pattern: re.Pattern[str]) -> list[str]:
    """Return file, line number and line for each line of text that matches."""
    return [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for file in tracked()
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("pattern", [MACHINE, REGISTRY], ids=["a path of a machine", "a registry's address"])
def test_no_file_holds(pattern: re.Pattern[str]) -> None:
    """A clone works anywhere, and tells nothing about where it comes from."""
    assert findings(pattern) == []


def test_no_lock_records_download_addresses() -> None:
    """Pins are versions and hashes; the address is whoever installs's own choice."""
    assert [file.name for file in tracked() if file.name in LOCKS_WITH_ADDRESSES or file.name.startswith("pylock")] == []


def test_phone_numbers_are_fictional() -> None:
    """Every US number that could ring is set aside for fiction, +1 202 555 01xx, or is Twilio's own published example."""
    could_ring = re.compile(r"\+1[ -]?[2-9][0-9]{2}[ -]?[2-9][0-9]{2}[ -]?[0-9]{4}(?![0-9])")
    allowed = re.compile(r"\+1[ -]?202[ -]?555[ -]?01[0-9]{2}|" + r"\+1(415867(5309|5310)|8005551212)")

    assert [line for line in findings(could_ring) if not all(map(allowed.fullmatch, could_ring.findall(line)))] == []
