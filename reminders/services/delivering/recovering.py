"""Recovering: a text whose sender died, or never heard an answer, is looked for before anything is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.messaging.transport import ListUnavailable, Receipt, SentText, Transport, same_body
from reminders.milestones import Milestone, Passing, unmarked
from reminders.services.delivering.patience import PATIENCE, Patience
from reminders.services.delivering.receipts import rise
from reminders.services.records import outbox, people
from reminders.services.records.outbox import Doubt

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.clock import Clock
    from reminders.services.records.ledger import Row

CLOCKS_DIFFER = timedelta(days=1)
"""How far before it was written a text is looked for: our clock may be ahead of the carrier's, and what it does not show counts as
not sent. It costs nothing to look so far back: what is another text's is known by its id [our default]."""
UNREADABLE = timedelta(minutes=10)
"""How long a text in doubt is left alone where the carrier's list shows no words: receipts are the only proof then."""
LOOKS = 2
LISTS_AT_ONCE = 10
TRIAL = "Sent from your Twilio trial account -"


class Watch:
    """Since when this process has seen each text in doubt, by a clock that nobody sets.

    By the other clock a text in doubt could be old at once: an operator or a time server sets it, and the request is still on its way.
    """

    def __init__(self) -> None:
        self._since: dict[Doubt, float] = {}

    def keep(self, standing: Iterable[Doubt], *, at: float) -> None:
        """Note what stands in doubt now, at this monotonic second; what does not is forgotten."""
        self._since = {doubt: self._since.get(doubt, at) for doubt in standing}

    def has_seen(self, doubt: Doubt, *, wait: timedelta, at: float) -> bool:
        """Whether a doubt has stood before our eyes for so long."""
        return at - self._since.get(doubt, at) >= wait.total_seconds()


async def recover(
    engine: Engine,
    transport: Transport,
    *,
    clock: Clock,
    watch: Watch,
    patience: Patience = PATIENCE,
    limit: int = 50,
    passing: Passing = unmarked,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Settle texts in doubt by the carrier's own list: found, it was sent; not found twice, it was not. Return how many were looked at.

    `watch` is this process's own, and the same at every call: a text is looked for once it has been in doubt for long enough by
    both clocks. Once the process is `stopping`, no further list is asked for: the others' turn comes with the next pass, here or elsewhere.
    """
    now = clock.now()
    wait = patience.settle if patience.bodies_listed else max(patience.settle, UNREADABLE)
    with writing(engine) as c:
        outbox.doubt(c, now=now)
        watch.keep(outbox.standing_doubts(c), at=clock.monotonic())
        settled = outbox.in_doubt(c, now=now, settle=wait, limit=limit)
    doubtful = [
        text
        for text in settled
        if watch.has_seen(outbox.doubt_of(text), wait=patience.second_look if text["looked"] else wait, at=clock.monotonic())
    ]
    if not patience.bodies_listed:
        return _give_up(engine, doubtful, now=now)
    room = asyncio.Semaphore(LISTS_AT_ONCE)

    async def look_into(text: Row) -> None:
        async with room:
            if stopping():
                return
            listed = await _listed(transport, text)
        passing(Milestone.RECOVER_AFTER_LIST)
        if listed is not None:
            with writing(engine) as c:
                settle(c, text, listed, now=now, patience=patience)
                passing(Milestone.RECOVER_BEFORE_COMMIT)

    await asyncio.gather(*map(look_into, doubtful))
    if doubtful:
        with reading(engine) as c:
            watch.keep(outbox.standing_doubts(c), at=clock.monotonic())  # the second look's wait begins with the first
    return len(doubtful)


def in_flight(engine: Engine) -> bool:
    """Whether any text is still being sent or in doubt."""
    with reading(engine) as c:
        return outbox.any_in_flight(c)


async def _listed(transport: Transport, text: Row) -> tuple[SentText, ...] | None:
    """What the carrier was given for this phone since the text was written, by any of its tries; None proves nothing."""
    try:
        return await transport.sent_to(text["phone"], since=text["created_at"] - CLOCKS_DIFFER)
    except ListUnavailable:
        return None


def _give_up(engine: Engine, doubtful: list[Row], *, now: datetime) -> int:
    """End texts that no receipt has proved: they may have been sent, so they are not sent again."""
    for text in doubtful:
        with writing(engine) as c:
            people.lock(c, [text["patient_id"]] if text["patient_id"] else [])
            outbox.end(c, [text], "not_sent", why="unproven", now=now)
    return len(doubtful)


def settle(c: Connection, text: Row, listed: tuple[SentText, ...], *, now: datetime, patience: Patience) -> None:
    """Decide what became of a text in doubt. Every write is fenced: another worker may be settling it too."""
    people.lock(c, [text["patient_id"]] if text["patient_id"] else [])
    same = [sent for sent in listed if _same_words(sent.body, text["body"])]
    taken = outbox.owned(c, [sent.sid for sent in same])
    mine = max((sent for sent in same if sent.sid not in taken), key=lambda sent: sent.created_at, default=None)
    if mine is not None:
        if outbox.found(c, text, sid=mine.sid, now=now):
            outbox.note_attempt(c, text, outcome="found", sid=mine.sid)
            rise(c, text, Receipt(mine.sid, mine.status, None, mine.error_code), now=now)
    elif text["looked"] + 1 < LOOKS:
        again_at = now + patience.second_look - patience.settle
        outbox.fenced(c, text, {"looked": text["looked"] + 1, "lease_until": again_at}, states=("unknown",))
    elif now < text["expires_at"] and text["doubts"] < patience.doubts:
        outbox.fenced(c, text, {"state": "queued"}, states=("unknown",))
    else:
        outbox.end(c, [text], "not_sent", why="not sent", now=now)


def _same_words(listed: str, ours: str) -> bool:
    """Compare bodies as the carrier may have changed them: smart quotes, space, and a trial account's words in front."""
    return same_body(ours, listed) or same_body(ours, listed.partition(TRIAL)[2])
