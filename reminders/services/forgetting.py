"""Forgetting: what strangers wrote, and their numbers, thirty days after; sessions, one-time links and tries to sign in once they are over.

After a day also what programs were answered, which is kept so that nothing is carried out twice.
That a text was here is kept for ever, under its sid alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import writing
from reminders.services.records import accounts, api_keys, care, strangers

if TYPE_CHECKING:
    from sqlalchemy import Engine

KEPT = timedelta(days=30)
ANSWERS_KEPT = timedelta(days=1)
"""For so long a request that its caller has marked is known, and its answer given again [our default]."""


def forget(engine: Engine, *, now: datetime, limit: int = 500) -> int:
    """Forget strangers' texts and numbers whose time is over, `limit` of each at most; return how many. Again is no harm."""
    with writing(engine) as c:
        accounts.forget_ended(c, now=now)
        api_keys.forget_answers(c, before=now - ANSWERS_KEPT)
        care.forget_ended(c, now=now)
        texts = strangers.forget_texts(c, before=now - KEPT, limit=limit)
        return texts + strangers.forget_answers(c, before=now - KEPT, limit=limit)
