"""`.env.example` lists every setting, in order, with its true default."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from dotenv import dotenv_values

from reminders.settings import VARIABLES, Settings, load_settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_every_setting_is_listed_with_its_default() -> None:
    """Names and defaults are those the program uses, neither more nor fewer."""
    assert dict(dotenv_values(EXAMPLE, interpolate=False)) == dict(VARIABLES)


def test_the_settings_are_in_alphabetical_order() -> None:
    """A name is found where one looks for it."""
    names = list(dotenv_values(EXAMPLE))

    assert names == sorted(names)


def test_every_setting_is_explained() -> None:
    """The line above each setting is a comment."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()

    assert [line for before, line in pairwise(lines) if line and line[0] != "#" and before[:2] != "# "] == []


def test_a_copy_of_the_example_changes_nothing() -> None:
    """Whoever copies the file unchanged has the defaults."""
    assert load_settings({}, env_file=EXAMPLE) == Settings.from_environ({})
