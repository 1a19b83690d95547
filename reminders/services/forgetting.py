"""Forgetting: what strangers wrote, and their numbers, thirty days after; sessions, one-time links and tries to sign in once they are over.

That a text was here is kept for ever, under its sid alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import writing
from reminders.services.records import accounts, strangers

if TYPE_CHECKING:
    from sqlalchemy import Engine

KEPT = timedelta(days=30)


def forget(engine: Engine, *, now: datetime, limit: int = 500) -> int:
    """Forget strangers' texts and numbers whose time is over, `limit` of each at most; return how many. Again is no harm."""
    with writing(engine) as c:
        accounts.forget_ended(c, now=now)
        texts = strangers.forget_texts(c, before=now - KEPT, limit=limit)
        return texts + strangers.forget_answers(c, before=now - KEPT, limit=limit)
