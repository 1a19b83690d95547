"""Quarantine: nothing is sent while the ledger may not know what was."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, update

from db.engine import reading, writing
from db.tables import metadata
from reminders.errors import NotAllowed
from reminders.messaging.transport import Outgoing
from reminders.services import quarantining, reminding
from reminders.services.records import quarantines, troubles
from reminders.services.records.audit import first_broken_link
from tests.stage import ANA, Stage, at

NOON = at("03-02 12:00")
SINCE = at("03-01 12:00")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TEXT_OUT, TEXT_ATTEMPT = metadata.tables["text_out"], metadata.tables["text_attempt"]


def stands(engine: Engine) -> tuple[bool, bool]:
    """Whether a quarantine stands, and whether its gap is still to be relived."""
    with reading(engine) as c:
        return quarantines.stands(c), quarantining.is_held(engine)


def told(engine: Engine) -> list[str]:
    """The troubles that whoever runs this is told of."""
    with reading(engine) as c:
        return [row["name"] for row in troubles.standing(c)]


@pytest.fixture
def lived(engine: Engine) -> Iterator[Stage]:
    """Ana's first morning, on each database; the ledger was worked on until noon."""
    with Stage(engine) as clinic:
        clinic.run_until(NOON)
        reminding.record_pass(engine, "build", now=NOON)
        yield clinic


def test_a_quarantine_stands_from_its_beginning_to_its_end(engine: Engine) -> None:
    """Nothing stands on a new ledger; what begins stands until a person ends it, and is a trouble for so long."""
    before = stands(engine)
    quarantining.begin(engine, "A backup was restored.", since=SINCE, now=NOON)
    begun, trouble = stands(engine), told(engine)
    quarantining.end(engine, by="Noor Haddad", now=NOON + HOUR, despite="this is a test")

    assert (before, begun, trouble) == ((False, False), (True, True), ["quarantine"])
    assert (stands(engine), told(engine)) == ((False, False), [])
    with pytest.raises(NotAllowed, match="no quarantine stands"):
        quarantining.end(engine, by="Noor Haddad", now=NOON + HOUR)


def test_one_quarantine_stands_at_a_time(engine: Engine) -> None:
    """A second reason does not begin a second one: the gap of the first grows, and is to be relived again."""
    first = quarantining.begin(engine, "A backup was restored.", since=SINCE, now=NOON)
    quarantining.conclude(engine, first, [], found=2, heard=1, now=NOON)
    second = quarantining.begin(engine, "Another was.", since=SINCE - HOUR, now=NOON + HOUR)

    assert (first.id == second.id, second.since, stands(engine)) == (True, SINCE - HOUR, (True, True))


def test_replicas_that_find_the_same_begin_one_quarantine(engine: Engine) -> None:
    """They start together, and look at the same list."""
    together = Barrier(4)

    def find(_: int) -> str:
        together.wait()
        return quarantining.begin(engine, "The carrier's list has strange texts.", since=SINCE, now=NOON).id

    with ThreadPoolExecutor(4) as replicas:
        assert len(set(replicas.map(find, range(4)))) == 1


def test_an_unreconciled_quarantine_is_ended_only_with_a_reason(lived: Stage) -> None:
    """The reason is kept, and each clinic's chain of events says who it was."""
    quarantining.begin(lived.engine, "A backup was restored.", since=SINCE, now=NOON)
    with pytest.raises(NotAllowed, match="the gap is not reconciled: run `doseline quarantine reconcile` first"):
        quarantining.end(lived.engine, by="Noor Haddad", now=NOON)
    still = stands(lived.engine)
    quarantining.end(lived.engine, by="Noor Haddad", now=NOON, despite="nobody is enrolled yet")

    row = lived.rows("quarantine")[0]
    events = [(event["actor"], event["action"]) for event in lived.rows("audit") if event["subject"] == row["id"]]
    assert (still, row["ended_by"], row["ended_why"]) == ((True, True), "Noor Haddad", "nobody is enrolled yet")
    assert events == [("doseline", "quarantine began"), ("Noor Haddad", "quarantine ended")]
    with reading(lived.engine) as c:
        assert first_broken_link(c, lived.rows("clinic")[0]["id"]) is None


def look(lived: Stage, check: quarantining.StartCheck | None = None, *, now: datetime = NOON + HOUR) -> tuple[bool, bool]:
    """Start anew some time later: whether the look was had, and whether a quarantine stands."""
    check = check or quarantining.StartCheck(lived.engine)
    had = asyncio.run(check.look(lived.transport, now=now))
    return had, stands(lived.engine)[0]


def sent_otherwise(lived: Stage, body: str = "Harbor Clinic: something else.") -> None:
    """Have the carrier send a text that this ledger did not ask for."""
    asyncio.run(lived.transport.send(Outgoing(ANA, body, f"tag of {body}", 60)))


def reminder(lived: Stage, **values: Any) -> str:  # noqa: ANN401 - whatever its columns hold
    """Change the row of Ana's reminder of eight o'clock; return its words."""
    with writing(lived.engine) as c:
        c.execute(update(TEXT_OUT).where(TEXT_OUT.c.kind == "reminder").values(send_at=NOON, expires_at=NOON + HOUR, **values))
        c.execute(update(TEXT_ATTEMPT).values(sid=None))
    return str(next(row["body"] for row in lived.rows("text_out") if row["kind"] == "reminder"))


def test_a_start_at_which_every_text_is_known(lived: Stage) -> None:
    """Nothing stands in the way of sending."""
    assert look(lived) == (True, False)


def test_a_start_at_which_the_carrier_knows_more_than_the_ledger(lived: Stage) -> None:
    """Somebody sent what no row explains, so this is an old ledger: it begins a quarantine of itself."""
    sent_otherwise(lived)

    assert (look(lived), told(lived.engine)) == ((True, True), ["quarantine"])
    row = lived.rows("quarantine")[0]
    assert (row["why"], row["since"]) == ("The carrier's list has texts that this ledger does not know.", NOON - 2 * MINUTE)


def test_what_was_sent_before_the_ledger_was_last_worked_on_is_not_looked_at(lived: Stage) -> None:
    """That is the nightly audit's affair."""
    sent_otherwise(lived)
    reminding.record_pass(lived.engine, "build", now=NOON + 5 * MINUTE)

    assert look(lived) == (True, False)


def test_a_ledger_nobody_ever_worked_on_has_sent_nothing(engine: Engine) -> None:
    """There is nothing to look for: a new clinic may begin at once, whatever its number was used for."""
    with Stage(engine) as clinic:
        sent_otherwise(clinic)
        assert look(clinic) == (True, False)


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_text_that_was_on_its_way_explains_one_of_the_carriers(lived: Stage, state: str) -> None:
    """A process that died while it sent is no old ledger."""
    body = reminder(lived, state=state, sid=None, claimed_at=NOON)
    sent_otherwise(lived, body)

    assert look(lived) == (True, False)


def test_a_text_that_was_sent_twice_is_not_explained(lived: Stage) -> None:
    """One row explains one of the carrier's texts, not two."""
    body = reminder(lived, state="unknown", sid=None, claimed_at=NOON)
    sent_otherwise(lived, body)
    asyncio.run(lived.transport.send(Outgoing(ANA, body, "another tag", 60)))

    assert look(lived) == (True, True)


def test_until_the_carriers_list_can_be_read_nothing_is_sent(lived: Stage) -> None:
    """It fails closed, and opens by itself when the look was had and all is well."""
    lived.transport.break_lists()
    check = quarantining.StartCheck(lived.engine)
    before = look(lived, check), told(lived.engine)
    again = look(lived, check, now=NOON + HOUR + MINUTE)
    lived.transport.break_lists(broken=False)
    after = look(lived, check, now=NOON + HOUR + 2 * MINUTE), told(lived.engine)

    assert (before, again, after) == (((False, True), ["quarantine"]), (False, True), ((True, False), []))
    assert lived.rows("quarantine")[0]["ended_by"] == "doseline"


def test_the_look_that_could_not_be_had_is_had_by_the_next_process(lived: Stage) -> None:
    """Since the same moment, though the ledger was worked on meanwhile; what is found then is not let go."""
    sent_otherwise(lived)
    lived.transport.break_lists()
    first = look(lived)
    reminding.record_pass(lived.engine, "build", now=NOON + 2 * HOUR)
    lived.transport.break_lists(broken=False)
    second = look(lived, now=NOON + 2 * HOUR)

    row = lived.rows("quarantine")[0]
    assert (first, second, row["since"]) == ((False, True), (True, True), NOON - 2 * MINUTE)
    assert row["why"] == "The carrier's list has texts that this ledger does not know."


def test_a_ledger_that_others_are_serving_is_not_stopped_for_a_look(lived: Stage) -> None:
    """A replica that starts while the carrier's list is down looks later; the others go on sending."""
    sent_otherwise(lived)
    lived.transport.break_lists()
    check = quarantining.StartCheck(lived.engine)
    first = look(lived, check, now=NOON + timedelta(seconds=45))
    reminding.record_pass(lived.engine, "build", now=NOON + HOUR)
    lived.transport.break_lists(broken=False)

    assert (first, look(lived, check)) == ((False, False), (True, True))


def test_a_restored_ledger_knows_already_that_it_is_one(lived: Stage) -> None:
    """Its own quarantine stands, and no look ends it."""
    quarantining.begin(lived.engine, "A backup was restored.", now=NOON + HOUR)

    assert (look(lived), lived.rows("quarantine")[0]["why"]) == ((True, True), "A backup was restored.")
