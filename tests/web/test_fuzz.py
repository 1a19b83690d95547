"""Twenty thousand requests nobody should send: none is a fault of ours, and none without a true signature changes a row."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import replace

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.services.delivering import receive_status
from reminders.services.replying import receive
from reminders.web.app import create_app
from tests.stage import empty_ledger
from tests.web.clinic import MORNING, a_morning, opened
from tests.web.fuzzing import INBOUND, Fuzzer, Request, ask, signed
from tests.web.serving import a_carrier, a_text, some_parts

SEED = 20260302
AT_ONCE = 500  # requests between two looks at the ledger


def digest(engine: Engine) -> str:
    """Return a mark of every row of every table."""
    found = hashlib.sha256()
    with reading(engine) as c:
        for table in metadata.sorted_tables:
            for row in c.execute(select(table).order_by(*table.primary_key.columns)):
                found.update(repr((table.name, tuple(row))).encode())
    return found.hexdigest()


def the_app(engine: Engine) -> FastAPI:
    """The app in front of a clinic in mid-morning, with the services that are in use."""
    opened(engine)
    a_morning(engine)
    parts = some_parts(carrier=a_carrier(), engine=engine, clock=HandClock(MORNING))
    return create_app(replace(parts, receive=receive, receive_status=receive_status))


@pytest.mark.timeout(400)  # half a minute, but for a machine that is busy with other things
@pytest.mark.parametrize(("kind", "number", "seed"), [("sqlite", 17_000, SEED), ("postgresql", 3_000, SEED + 1)])
def test_no_request_is_a_fault_of_ours(kind: str, number: int, seed: int, request: pytest.FixtureRequest) -> None:
    """No answer is a 5xx; what is not signed is a 4xx, and leaves every row as it was."""
    engine = empty_ledger() if kind == "sqlite" else request.getfixturevalue("postgres_engine")
    app, fuzzer = the_app(engine), Fuzzer(seed)
    true: list[Request] = []
    unsigned: list[Request] = []
    for each in (fuzzer.next() for _ in range(number)):
        (true if each.is_signed else unsigned).append(each)
    answers = Counter[tuple[str, int]]()

    async def put(some: list[Request]) -> None:
        for each in some:
            status = await ask(app, each)
            answers[each.kind, status] += 1
            assert status < 500, f"seed {seed}: {status} for {each}"

    async def put_all() -> None:
        before = digest(engine)
        for at in range(0, len(unsigned), AT_ONCE):
            await put(unsigned[at : at + AT_ONCE])
            assert digest(engine) == before, f"seed {seed}: one of the requests {at} to {at + AT_ONCE} without a signature changed a row"
        assert {status // 100 for (_, status), _ in answers.items()} == {4}
        await put(true)

    asyncio.run(put_all())
    counted = sum(app.state.counts.webhooks().values())

    assert (sum(answers.values()), counted > 0.9 * number) == (number, True)
    assert {status for kind, status in answers if kind == "signed garbage"} >= {200, 204, 400}
    assert len(true) > number // 25


def test_the_ledgers_mark_shows_a_text_that_was_taken_in() -> None:
    """What proves that nothing changed does see it when something does."""
    engine = empty_ledger()
    app = the_app(engine)
    before = digest(engine)
    status = asyncio.run(ask(app, signed("true", INBOUND, a_text())))

    assert (status, digest(engine) == before) == (200, False)


def test_the_same_seed_makes_the_same_requests() -> None:
    """What was found once can be found again."""
    one, other = Fuzzer(SEED), Fuzzer(SEED)

    assert [one.next() for _ in range(100)] == [other.next() for _ in range(100)]
