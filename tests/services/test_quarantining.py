"""Quarantine: nothing is sent while the ledger may not know what was."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from db.engine import reading, writing
from reminders.services.records import quarantines, troubles
from tests.stage import at

NOW = at("03-02 12:00")
SINCE = at("03-01 12:00")
HOUR = timedelta(hours=1)


def stands(engine: Engine) -> tuple[bool, bool]:
    """Whether a quarantine stands, and whether its gap is still to be relived."""
    with reading(engine) as c:
        return quarantines.stands(c), quarantines.is_unreconciled(c)


def test_a_quarantine_stands_from_its_beginning_to_its_end(engine: Engine) -> None:
    """Nothing stands on a new ledger; what begins stands until a person ends it, and is a trouble for so long."""
    before = stands(engine)
    with writing(engine) as c:
        mine = quarantines.begin(c, why="A backup was restored.", since=SINCE, now=NOW)
    begun = stands(engine)
    with reading(engine) as c:
        told = [row["name"] for row in troubles.standing(c)]
    with writing(engine) as c:
        ended = quarantines.end(c, mine, by="Noor Haddad", now=NOW + HOUR)
        again = quarantines.end(c, mine, by="somebody else", now=NOW + HOUR)
    with reading(engine) as c:
        still_told = troubles.standing(c)

    assert (before, begun, told) == ((False, False), (True, True), ["quarantine"])
    assert (ended, again, stands(engine), still_told) == (True, False, (False, False), [])


def test_one_quarantine_stands_at_a_time(engine: Engine) -> None:
    """A second reason does not begin a second one: the gap of the first grows, and is to be relived again."""
    with writing(engine) as c:
        first = quarantines.begin(c, why="A backup was restored.", since=SINCE, now=NOW)
        second = quarantines.begin(c, why="Another was.", since=SINCE - HOUR, now=NOW + HOUR)
        row = quarantines.standing(c)

    assert (first == second, row and row["since"]) == (True, SINCE - HOUR)
