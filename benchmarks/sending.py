"""A herd of texts through Twilio's SDK: claimed, fenced, committed and recorded, against the bare SDK that keeps no ledger.

Both send the same texts to the same stand-in, in a process of its own, over the same number of connections, in one run.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).parents[1]))

from db.engine import make_engine, migrate
from reminders.clock import SystemClock
from reminders.messaging.transport import Accepted, Outgoing
from reminders.messaging.twilio import TwilioTransport
from reminders.services import delivering, reminding
from reminders.settings import Secret, TwilioSettings
from tests.databases import postgres_database, running_postgres
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN, FakeTwilio
from tests.scheduling.enrolled import count, due_at, enrol

TEXTS = 2_000
CLOCK = SystemClock()
ACCOUNT_OF_OURS = TwilioSettings(
    account_sid=ACCOUNT,
    auth_token=Secret(TOKEN),
    auth_token_previous=None,
    sender=OUR_NUMBER,
    messaging_service_sid=None,
    api_base_url=None,
)


def main() -> None:
    """Print what each takes, and the ratio."""
    with stand_in() as url, running_postgres() as server, postgres_database(server) as address, tempfile.TemporaryDirectory() as folder:
        account = replace(ACCOUNT_OF_OURS, api_base_url=url)
        bare = asyncio.run(bare_sdk(account))
        print(f"the bare SDK, no ledger: {TEXTS / bare:5,.0f} texts a second")
        for name, where in (("SQLite", f"sqlite:///{folder}/doseline.db"), ("PostgreSQL", address)):
            seconds = asyncio.run(ours(account, herd(where)))
            print(f"Doseline on {name:10}: {TEXTS / seconds:5,.0f} texts a second, {bare / seconds:.2f} times the bare SDK's pace")


async def bare_sdk(account: TwilioSettings) -> float:
    """Send as the SDK's guide has it, fifty at a time; return the seconds."""
    transport, room = TwilioTransport(account, public_url="http://127.0.0.1"), asyncio.Semaphore(50)

    async def one(number: int) -> None:
        async with room:
            to = f"+1202555{100 + number % 100:04}"
            assert isinstance(await transport.send(Outgoing(to, f"Wed 8:00 am: time for your dose. {number}", f"{number}", 3600)), Accepted)

    began = CLOCK.monotonic()
    await asyncio.gather(*map(one, range(TEXTS)))
    seconds = CLOCK.monotonic() - began
    await transport.aclose()
    return seconds


async def ours(account: TwilioSettings, engine: Engine) -> float:
    """Send what a herd is due, as the running service does; return the seconds."""
    transport = TwilioTransport(account, public_url="http://127.0.0.1")
    began = CLOCK.monotonic()
    while await delivering.deliver(engine, transport, clock=CLOCK, limit=100):
        pass
    seconds = CLOCK.monotonic() - began
    await transport.aclose()
    assert count(engine, "text_out", state="accepted") == TEXTS
    engine.dispose()
    return seconds


def herd(url: str) -> Engine:
    """Enrol patients with a dose due now, their texts written and not yet sent."""
    engine = make_engine(url)
    migrate(engine)
    now = CLOCK.now()
    due = (now - timedelta(minutes=1)).replace(second=0, microsecond=0)
    enrol(engine, due_at(due), now=due - timedelta(minutes=1), patients=TEXTS)
    while reminding.remind_due(engine, now=now):
        pass
    return engine


@contextmanager
def stand_in() -> Iterator[str]:
    """Run the stand-in for Twilio in a process of its own; yield its address."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    yield here.recv()
    here.send("enough")
    process.join()


def _serve(pipe: Connection) -> None:
    with FakeTwilio() as twilio:
        pipe.send(twilio.url)
        pipe.recv()


if __name__ == "__main__":
    main()
