"""Measuring: the figures by which an installation is watched. Counts and ages only: no figure and no name of one is about a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading
from db.queries import watching as queries
from reminders.services.records import troubles
from reminders.services.records.troubles import Trouble

if TYPE_CHECKING:
    from sqlalchemy import Engine

LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """How an installation stands. Ages are from now; a mark or a pass yet to come, by a clock that is ahead, is 0 old.

    waiting   texts by each state that is not their last.
    lately    texts that were to go out in the last hour, by state, every state.
    doubt     since when the oldest text is on its way without proof; nought if none is.
    overdue   since when the oldest dose waits to be decided; nought if none does.
    troubles  for each kind whether it stands.
    resting   for each way texts leave whether it rests.
    heard     for each of the carrier's lists how old the last gapless reading is; None if it never was read.
    passes    for each part of the loop, in whichever process, how old its last pass is.
    """

    waiting: Mapping[str, int]
    lately: Mapping[str, int]
    doubt: timedelta
    overdue: timedelta
    troubles: Mapping[str, bool]
    resting: Mapping[str, bool]
    heard: Mapping[str, timedelta | None]
    passes: Mapping[str, timedelta]


def figures(engine: Engine, *, now: datetime) -> Figures:
    """Take the figures at one moment of the ledger, each by an index or from a table that does not grow."""
    with reading(engine) as c:
        stand = {str(row["name"]).partition(" ")[0] for row in troubles.standing(c)}
        return Figures(
            waiting=queries.texts_on_their_way(c),
            lately=queries.texts_between(c, now - LATELY, now),
            doubt=_age(queries.oldest_doubt(c), now),
            overdue=_age(queries.oldest_due(c), now),
            troubles={kind.value: kind.value in stand for kind in Trouble},
            resting={row["name"]: row["rests_until"] is not None and row["rests_until"] > now for row in queries.senders(c)},
            heard={row["name"]: _age(row["at"], now) if row["at"] else None for row in queries.watermarks(c)},
            passes={row["name"]: _age(row["at"], now) for row in queries.passes(c)},
        )


def _age(at: datetime | None, now: datetime) -> timedelta:
    return max(now - at, timedelta()) if at is not None else timedelta()
