from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, insert, update

from db.engine import writing
from db.tables import metadata
from reminders.services import measuring
from reminders.services.records import troubles
from reminders.services.records.troubles import Trouble
from reminders.services.reminding import record_pass
from tests.web.clinic import MORNING, a_morning, opened

MINUTE = timedelta(minutes=1)
NOUGHT = timedelta()


def test_an_empty_ledger_has_figures(engine: Engine) -> None:
    """Before anything happened every count is nought, and every state and trouble is named."""
    found = measuring.figures(engine, now=MORNING)

    assert (set(found.waiting.values()), set(found.lately.values()), found.doubt, found.overdue) == ({0}, {0}, NOUGHT, NOUGHT)
    assert (len(found.lately), set(found.troubles), set(found.troubles.values())) == (8, {kind.value for kind in Trouble}, {False})
    assert (found.resting, found.heard, found.passes) == ({}, {}, {})


def test_texts_are_counted_by_state(engine: Engine) -> None:
    """Those that are on their way, and all that were to go out in the last hour."""
    opened(engine)
    a_morning(engine)
    texts = metadata.tables["text_out"]
    with writing(engine) as c:
        c.execute(update(texts).where(texts.c.send_at > MORNING - 60 * MINUTE).values(state="unknown"))
    found = measuring.figures(engine, now=MORNING)

    assert found.waiting == {"queued": 0, "sending": 0, "unknown": 1}
    assert {state: number for state, number in found.lately.items() if number} == {"unknown": 1}


def test_the_oldest_doubt_has_an_age(engine: Engine) -> None:
    """From its claim on, a text without proof is in doubt."""
    opened(engine)
    a_morning(engine)
    with writing(engine) as c:
        c.execute(update(metadata.tables["text_out"]).values(state="unknown", claimed_at=MORNING - 5 * MINUTE))

    assert measuring.figures(engine, now=MORNING).doubt == 5 * MINUTE


def test_the_oldest_overdue_dose_has_an_age(engine: Engine) -> None:
    """A dose that waits to be decided is overdue from its instant on."""
    opened(engine)

    assert measuring.figures(engine, now=MORNING).overdue == MORNING - MORNING.replace(hour=8, minute=0)


def test_troubles_are_told_by_their_kind(engine: Engine) -> None:
    """Whose trouble it is does not matter to a figure, and what is over does not stand."""
    with writing(engine) as c:
        troubles.begin(c, Trouble.CLOCK, "a clock is off", now=MORNING, of="host-1")
        troubles.begin(c, Trouble.ACCOUNT, "no credit", now=MORNING)
        troubles.end(c, Trouble.ACCOUNT, now=MORNING)
    found = measuring.figures(engine, now=MORNING).troubles

    assert [kind for kind, stands in found.items() if stands] == ["clock"]


def test_senders_lists_and_passes_are_told(engine: Engine) -> None:
    """Who rests, how far the carrier's lists have been read, and when each part of the loop last passed."""
    record_pass(engine, "build", now=MORNING - MINUTE)
    with writing(engine) as c:
        c.execute(
            insert(metadata.tables["sender"]),
            [{"name": "twilio", "rests_until": MORNING + MINUTE}, {"name": "sandbox", "rests_until": MORNING}],
        )
        c.execute(insert(metadata.tables["watermark"]), [{"name": "inbound", "at": MORNING - 3 * MINUTE}, {"name": "outbound", "at": None}])
    found = measuring.figures(engine, now=MORNING)

    assert (found.resting, found.heard, found.passes) == (
        {"twilio": True, "sandbox": False},
        {"inbound": 3 * MINUTE, "outbound": None},
        {"build": MINUTE},
    )


def test_a_clock_that_is_ahead_makes_nothing_younger_than_now(engine: Engine) -> None:
    """An age is never less than nought."""
    record_pass(engine, "build", now=MORNING + MINUTE)

    assert measuring.figures(engine, now=MORNING).passes == {"build": NOUGHT}
