"""The nightly audit: the carrier's list of a day against the ledger, id by id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, update

from db.engine import reading, writing
from db.tables import metadata
from reminders.messaging.transport import ListUnavailable, Outgoing
from reminders.services import auditing, quarantining
from reminders.services.auditing import CarrierDay
from reminders.services.records import troubles
from tests.stage import ANA, Stage, at

MONDAY = date(2026, 3, 2)
LATER = at("03-03 06:00")
TEXT_OUT, TEXT_ATTEMPT = metadata.tables["text_out"], metadata.tables["text_attempt"]


@pytest.fixture
def lived(engine: Engine) -> Iterator[Stage]:
    """Ana's first day, on each database: three reminders and two nudges."""
    with Stage(engine) as clinic:
        clinic.run_until("03-02 18:30")
        yield clinic


def audited(lived: Stage, day: date = MONDAY) -> CarrierDay:
    """Audit a day."""
    return asyncio.run(auditing.audit_day(lived.engine, lived.transport, day=day, now=LATER))


def doubled(lived: Stage) -> list[str]:
    """What whoever runs this is told of texts sent twice."""
    with reading(lived.engine) as c:
        return [row["words"] for row in troubles.standing(c) if row["name"] == "doubled"]


def sent_too(lived: Stage, body: str) -> None:
    """Have the carrier send a text once more than the ledger knows."""
    asyncio.run(lived.transport.send(Outgoing(ANA, body, f"tag of {body}", 60)))


def test_a_clean_day(lived: Stage) -> None:
    """Each of the carrier's texts is one of ours; of the days beside it there is nothing."""
    assert (audited(lived), doubled(lived)) == (CarrierDay(MONDAY, listed=5, doubled=0, unknown=0), [])
    assert audited(lived, MONDAY + timedelta(days=1)).listed == 0


def test_a_text_that_was_sent_twice_is_counted_and_told(lived: Stage) -> None:
    """A second text with the words of the first, which no row explains; a clean day ends the trouble."""
    sent_too(lived, lived.transport.kept()[0].body)

    assert audited(lived) == CarrierDay(MONDAY, listed=6, doubled=1, unknown=0)
    words = "On 2026-03-02 the carrier sent 1 of our texts twice, and 0 that the ledger lacks, of 6. "
    assert doubled(lived) == [words + "See `doseline audit carrier --day 2026-03-02`."]
    audited(lived, MONDAY + timedelta(days=1))
    assert doubled(lived) == []


def test_a_row_with_two_of_the_carriers_ids_was_sent_twice(lived: Stage) -> None:
    """Both are known, each to an attempt of its own: that is the proof."""
    body = lived.transport.kept()[0].body
    sent_too(lived, body)
    row = next(row for row in lived.rows("text_out") if row["body"] == body)
    again = {"clinic_id": row["clinic_id"], "text_id": row["id"], "attempt": 2, "tag": "another", "claimed_at": at("03-02 08:02")}
    with writing(lived.engine) as c:
        c.execute(TEXT_ATTEMPT.insert().values(**again, sid=lived.transport.kept()[-1].sid, outcome="accepted"))

    assert audited(lived) == CarrierDay(MONDAY, listed=6, doubled=1, unknown=0)


def test_a_text_that_the_ledger_lacks_is_counted_and_told(lived: Stage) -> None:
    """Its words are none of ours: somebody else sends by our number, or this is an old ledger."""
    sent_too(lived, "Harbor Clinic: something else.")

    assert (audited(lived), len(doubled(lived))) == (CarrierDay(MONDAY, listed=6, doubled=0, unknown=1), 1)


def test_a_text_in_doubt_is_no_double(lived: Stage) -> None:
    """Its row says that it may have been sent; the list says that it was, once."""
    with writing(lived.engine) as c:
        c.execute(update(TEXT_OUT).where(TEXT_OUT.c.kind == "reminder").values(state="unknown", sid=None))
        c.execute(update(TEXT_ATTEMPT).values(sid=None))

    assert audited(lived) == CarrierDay(MONDAY, listed=5, doubled=0, unknown=0)


def nightly(lived: Stage, when: str) -> int:
    """What the loop asks each hour."""
    return asyncio.run(auditing.audit_to_yesterday(lived.engine, lived.transport, now=at(when)))


def test_each_day_is_audited_once_when_it_is_over(lived: Stage) -> None:
    """An hour after midnight, in UTC; after days of silence those between as well, and a week at most."""
    times = ["03-02 19:59", "03-02 20:00", "03-02 21:00", "03-03 20:00", "03-07 09:00", "03-27 12:00"]
    assert [nightly(lived, when) for when in times] == [1, 1, 0, 1, 3, 7]


def test_a_day_whose_list_cannot_be_read_is_audited_later(lived: Stage) -> None:
    """Nothing is taken for clean that was not looked at."""
    lived.transport.break_lists()
    deaf = nightly(lived, "03-02 21:00")
    with pytest.raises(ListUnavailable):
        audited(lived)
    lived.transport.break_lists(broken=False)

    assert (deaf, nightly(lived, "03-02 22:00")) == (0, 1)


def test_a_ledger_whose_gap_is_not_relived_is_not_audited(lived: Stage) -> None:
    """Everything in the gap would be taken for doubled or unknown."""
    quarantining.begin(lived.engine, "A backup was restored.", now=lived.now)

    assert nightly(lived, "03-02 21:00") == 0
