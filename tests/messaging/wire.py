"""A transport on the wire: the stand-in's account, and one event loop for each use."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from reminders.messaging.transport import Outcome, Outgoing
from reminders.messaging.twilio import TwilioTransport
from reminders.settings import Secret, TwilioSettings
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN

R = TypeVar("R")

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ANA, BEN = "+12025550111", "+12025550112"
BODY = "Wed 12:00 pm: time for 1 tablet. Reply 1 taken, 2 not."
TEXT = Outgoing(ANA, BODY, "tag-1", 3600, "text-1")


def account(base_url: str, *, token: str = TOKEN, sender: str | None = OUR_NUMBER, service: str | None = None) -> TwilioSettings:
    """Return the settings of the stand-in's account."""
    return TwilioSettings(
        account_sid=ACCOUNT,
        auth_token=Secret(token),
        auth_token_previous=None,
        sender=sender,
        messaging_service_sid=service,
        api_base_url=base_url,
    )


def through(
    settings: TwilioSettings,
    use: Callable[[TwilioTransport], Coroutine[Any, Any, R]],
    *,
    seconds: float = 5,
    pool: int = 10,
    public_url: str = "https://doseline.example/base/",
) -> R:
    """Use a transport in an event loop of its own, and close it there."""

    async def used() -> R:
        transport = TwilioTransport(settings, public_url=public_url, seconds=seconds, pool=pool)
        try:
            return await use(transport)
        finally:
            await transport.aclose()

    return asyncio.run(used())


def sent(settings: TwilioSettings, outgoing: Outgoing = TEXT, *, seconds: float = 5) -> Outcome:
    """Send one text."""
    return through(settings, lambda transport: transport.send(outgoing), seconds=seconds)


def closed_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])
