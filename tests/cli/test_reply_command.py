"""`doseline reply`: what the sandbox's phones are answered at a terminal."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from reminders.cli import app
from reminders.messaging.texts import ENGLISH, render


def test_a_number_that_nobody_knows_is_answered(sqlite_url: str) -> None:
    """What it hears in the same breath is shown, though it is no text of its own."""
    words = ["reply", "+12025550177", "who are you?", "--json"]
    env = {"DATABASE_URL": sqlite_url, "DOSELINE_TRANSPORT": "sandbox"}
    first = CliRunner().invoke(app, words, env=env)

    assert first.exit_code == 0, first.output
    assert [(said["ours"], said["body"]) for said in json.loads(first.stdout)] == [(True, render("unknown_number", ENGLISH))]
