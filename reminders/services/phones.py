"""Phones: the conversation as it stands, for a terminal that plays the sandbox's phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.engine import reading
from reminders.services.records import history
from reminders.services.records.history import Said

if TYPE_CHECKING:
    from sqlalchemy import Engine


def conversation(engine: Engine, *, phone: str | None = None, limit: int = 50) -> tuple[Said, ...]:
    """The newest texts in both directions, oldest first; with one phone, or with all."""
    with reading(engine) as c:
        return tuple(history.conversation(c, phone=phone, limit=limit))
