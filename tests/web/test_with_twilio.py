from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import pytest
import uvicorn
from sqlalchemy import Engine, text

from db.engine import reading
from reminders.clock import HandClock
from reminders.messaging.texts import render
from reminders.messaging.transport import SentText
from reminders.messaging.twilio import TwilioTransport
from reminders.services.delivering import deliver, receive_status
from reminders.services.records import evidence
from reminders.services.reminding import remind_due
from reminders.services.replying import receive
from reminders.settings import Secret, TwilioSettings
from reminders.web.app import create_app
from reminders.web.parts import Parts
from reminders.web.webhooks import NO_WORDS
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN, FakeTwilio
from tests.web.clinic import MORNING, opened
from tests.web.serving import ANA, a_carrier, some_parts

STRANGER = "+12025550188"


@contextmanager
def served(parts: Parts, listening: socket.socket) -> Iterator[None]:
    """Serve the app on a socket, in a thread."""
    server = uvicorn.Server(uvicorn.Config(create_app(parts), log_level="critical", lifespan="off"))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def public() -> Iterator[tuple[str, socket.socket]]:
    """An address of this machine, and the socket that listens there: who asks before the app serves is kept waiting."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", listening


def test_a_text_goes_out_and_its_receipt_and_reply_come_in(sqlite_engine: Engine, public: tuple[str, socket.socket]) -> None:
    """Over real sockets, with the real SDK: a reminder is sent, reported delivered and answered, and the dose is taken."""
    address, listening = public
    opened(sqlite_engine)
    clock = HandClock(MORNING)
    remind_due(sqlite_engine, now=MORNING)
    parts = some_parts(carrier=a_carrier(public_url=address), engine=sqlite_engine, clock=clock)

    with FakeTwilio(clock) as twilio, served(replace(parts, receive=receive, receive_status=receive_status), listening):
        sent_through(twilio, sqlite_engine, clock, address)
        [message] = [one for one in twilio.messages if one.to == ANA]
        reported = twilio.report(message.sid, "delivered")
        answered = twilio.say(f"{address}/sms/inbound", from_phone=ANA, body="1", sid="SM9")

    assert (reported, answered, ledger_of(sqlite_engine, message.sid)) == (
        204,
        (200, NO_WORDS.encode()),
        ("accepted", "delivered", "taken"),
    )


def test_a_stranger_is_answered_once_and_nothing_we_sent_is_amiss(sqlite_engine: Engine, public: tuple[str, socket.socket]) -> None:
    """Over real sockets: an unknown number writes twice and hears one neutral sentence, which no list of what we sent holds."""
    address, listening = public
    opened(sqlite_engine)
    clock = HandClock(MORNING)
    parts = some_parts(carrier=a_carrier(public_url=address), engine=sqlite_engine, clock=clock)

    with FakeTwilio(clock) as twilio, served(replace(parts, receive=receive, receive_status=receive_status), listening):
        answers = [twilio.say(f"{address}/sms/inbound", from_phone=STRANGER, body=body)[0] for body in ("who is this?", "hello?")]
        listed = asyncio.run(listed_by(twilio, address))

    assert (answers, [(reply.to, reply.body) for reply in twilio.account.replies]) == (
        [200, 200],
        [(STRANGER, render("unknown_number", "en"))],
    )
    with reading(sqlite_engine) as c:
        assert evidence.unexplained(c, listed) == []


async def listed_by(twilio: FakeTwilio, address: str) -> tuple[SentText, ...]:
    """Ask the carrier what we sent this morning."""
    transport = TwilioTransport(settings_of(twilio), public_url=address)
    try:
        return await transport.sent(since=MORNING)
    finally:
        await transport.aclose()


def settings_of(twilio: FakeTwilio) -> TwilioSettings:
    """The account's settings, at the stand-in."""
    return TwilioSettings(
        account_sid=ACCOUNT,
        auth_token=Secret(TOKEN),
        auth_token_previous=None,
        sender=OUR_NUMBER,
        messaging_service_sid=None,
        api_base_url=twilio.url,
    )


def sent_through(twilio: FakeTwilio, engine: Engine, clock: HandClock, address: str) -> None:
    """Send what is due."""

    async def sending() -> None:
        transport = TwilioTransport(settings_of(twilio), public_url=address)
        await deliver(engine, transport, clock=clock)
        await transport.aclose()

    asyncio.run(sending())


def ledger_of(engine: Engine, sid: str) -> tuple[str, str, str]:
    """Return what the ledger holds of a text, and of the dose it announced: state, status, the dose's state."""
    query = """
        SELECT text_out.state, text_out.status, dose.state AS dose_state FROM text_out
        JOIN text_item ON text_item.text_id = text_out.id JOIN dose ON dose.id = text_item.dose_id WHERE text_out.sid = :sid
    """
    with reading(engine) as c:
        row = c.execute(text(query), {"sid": sid}).one()
        return row.state, row.status, row.dose_state
