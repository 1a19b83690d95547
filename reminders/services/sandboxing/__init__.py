"""Sandboxing: what is kept of a sandbox that somebody plays with. Its clock, and what was done that the ledger's other rows do not tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from db.engine import reading, writing
from reminders.clock import SandboxClock
from reminders.errors import LedgerMoved
from reminders.formats.story_file import StoryEvent, write_event
from reminders.services.records import sandboxes
from reminders.services.records.sandboxes import Kept

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.clock import Clock

__all__ = ["Kept", "began_with", "clock_of", "keep", "keep_ahead", "kept", "refuse_if_moved"]


def clock_of(engine: Engine, clock: Clock) -> SandboxClock:
    """Give the clock that a ledger's doses go by: the given one, as far ahead of it as the sandbox's was moved."""
    with reading(engine) as c:
        return SandboxClock(clock, sandboxes.ahead(c))


def refuse_if_moved(engine: Engine) -> None:
    """Refuse a ledger whose times are the sandbox's own: nothing in it may reach a phone. Raises LedgerMoved."""
    with reading(engine) as c:
        if sandboxes.ahead(c) is not None:
            raise LedgerMoved


def keep_ahead(engine: Engine, span: timedelta, *, at: datetime) -> None:
    """Keep how far the sandbox's clock is ahead of the machine's, in whole seconds; `at` is the machine's time."""
    with writing(engine) as c:
        sandboxes.set_ahead(c, span, at=at)


def keep(engine: Engine, event: StoryEvent, *, clinic_id: str | None, sid: str | None = None) -> None:
    """Keep what was done at a clinic, or to all of them (None), for the story that is saved."""
    with writing(engine) as c:
        if clinic_id is None:
            sandboxes.keep_everywhere(c, write_event(event), at=event.at)
        else:
            sandboxes.keep(c, clinic_id, write_event(event), at=event.at, sid=sid)


def began_with(engine: Engine, clinic_id: str, story: Mapping[str, Any], *, until: datetime) -> None:
    """Keep the story file that a clinic began with, and until when it was told."""
    with writing(engine) as c:
        sandboxes.began_with(c, clinic_id, story, until=until)


def kept(engine: Engine) -> list[Kept]:
    """Give what was done at every clinic, in order."""
    with reading(engine) as c:
        return sandboxes.kept(c)
