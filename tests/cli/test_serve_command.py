"""What `doseline serve` says to a newcomer."""

from __future__ import annotations

from reminders.commands.serve_command import what_next
from reminders.settings import Settings

SANDBOX = Settings.from_environ({"DOSELINE_TRANSPORT": "sandbox"})


def test_it_leads_to_the_sandboxs_page() -> None:
    """Where texts are kept, the first thing to open is where they can be seen."""
    said = what_next(SANDBOX, None, has_page=True)

    assert (said[0], "  http://127.0.0.1:8000/sandbox" in said) == ("Doseline serves on http://127.0.0.1:8000 (stop with Ctrl-C).", True)


def test_where_there_is_no_page_it_says_why() -> None:
    """On PostgreSQL, or for a ledger that sent: nobody looks for what is not there."""
    said = "\n".join(what_next(SANDBOX, None, has_page=False))

    assert ("/sandbox" in said, "on SQLite alone" in said, "doseline reply" in said) == (False, True, True)


def test_the_first_link_is_shown() -> None:
    """Until somebody can sign in, how they begin."""
    assert "  http://127.0.0.1:8000/setup/abc" in what_next(SANDBOX, "abc", has_page=True)
