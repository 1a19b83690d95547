"""The runbook names commands, settings, checks and troubles that exist, and leaves none of the last two out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main
from sqlalchemy import Engine

from reminders.cli import app
from reminders.clock import SystemClock
from reminders.services.records.troubles import Trouble
from reminders.services.watching import readiness

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "deploy/runbook.md").read_text(encoding="utf-8")
PAGES = ["deploy/runbook.md", "deploy/README.md"]


def commands(page: str) -> list[str]:
    """Every command of ours that a page shows as code."""
    shown = re.findall(r"`([^`\n]+)`", page) + re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    return [words.strip() for code in shown for words in re.findall(r"(?<!-u )(?<!lib/)\bdoseline ((?!doseline )[a-z][^`'\n|]*)", code)]


def unknown(words: str) -> list[str]:
    """The words of a command that the program does not know."""
    command = typer.main.get_command(app)
    missing = []
    for word in words.split():
        known = getattr(command, "commands", {})
        if word.startswith("--"):
            missing += [] if any(word in option.opts for option in command.params) else [word]
        elif known and word not in known:
            return [word]
        else:
            command = known.get(word, command)
    return missing


@pytest.mark.parametrize("name", PAGES)
def test_every_command_shown_exists(name: str) -> None:
    """A command or option that was renamed is renamed where somebody in a hurry will read it."""
    shown = commands((ROOT / name).read_text(encoding="utf-8"))

    assert {words: unknown(words) for words in shown if unknown(words)} == {}


def test_the_runbook_shows_the_commands_of_a_bad_day() -> None:
    """What is looked for in it is there."""
    shown = {words.partition(" --")[0] for words in commands(RUNBOOK)}

    assert shown >= {"doctor", "migrate", "texts", "backup FILE", "restore FILE", "quarantine reconcile", "quarantine end"}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    """A page that was moved is found."""
    page = ROOT / name
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_is_explained(trouble: Trouble) -> None:
    """Whoever is told of it by name finds the name."""
    assert f"\n### `{trouble.value}`\n" in RUNBOOK


def test_every_check_is_explained(sqlite_engine: Engine) -> None:
    """Each line of /readyz has its row."""
    checks = readiness(sqlite_engine, now=SystemClock().now()).checks

    assert [name for name in checks if f"\n| `{name}` |" not in RUNBOOK] == []
