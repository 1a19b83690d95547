"""The deployment files name settings and files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reminders.settings import VARIABLES

ROOT = Path(__file__).parents[2]
FILES = [
    "deploy/Dockerfile",
    "deploy/compose.yaml",
    "deploy/systemd/doseline.service",
    "deploy/README.md",
    "deploy/runbook.md",
    "Makefile",
    ".ci/run",
]


@pytest.mark.parametrize("name", FILES)
def test_every_setting_named_exists(name: str) -> None:
    """A renamed setting is renamed in what deploys it too."""
    named = re.findall(r"\b(?:DATABASE_URL|PUBLIC_URL|(?:DOSELINE|TWILIO)_[A-Z_]+)\b", (ROOT / name).read_text(encoding="utf-8"))

    assert {setting.removesuffix("_FILE") for setting in named} - set(VARIABLES) == set()


def test_the_image_gets_what_the_package_is_built_from() -> None:
    """Every file that the build reads is let through by .dockerignore."""
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}

    assert {"LICENSE", "README.md", "db", "pyproject.toml", "reminders", "requirements*.in", "requirements.txt"} == let_through
