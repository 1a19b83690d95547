"""An app to be asked, and who asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db.engine import make_engine
from reminders.clock import Clock, HandClock
from reminders.messaging.twilio import SignatureCheck
from reminders.settings import Secret, TwilioSettings
from reminders.simulation.sandbox import Sandbox
from reminders.web.app import create_app
from reminders.web.parts import Carrier, Parts
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN
from tests.fake_twilio.webhooks import FORM, Pairs, inbound_form, signature_of

NOW = datetime(2026, 3, 2, 13, 5, tzinfo=UTC)
PUBLIC = "https://doseline.example/base"
ANA = "+12025550101"
OLD_TOKEN = "0" * 32


@dataclass
class Heard:
    """Takes in what the webhooks hand on, and keeps it in order; `fails` is raised instead, if there is one.

    answer  what a text is answered with; again  whether all texts were here before; became  what became of a receipt.
    """

    texts: list[dict[str, Any]] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    told: int = 0
    fails: Exception | None = None
    answer: str | None = None
    again: bool = False
    became: str | None = None

    def receive(self, _: Engine, *, repeated: Callable[[], object], **text: object) -> str | None:
        """Take in a text."""
        self._keep(self.texts, text)
        if self.again:
            repeated()
        return self.answer

    def receive_status(self, _: Engine, **receipt: object) -> str | None:
        """Take in a receipt."""
        self._keep(self.receipts, receipt)
        return self.became

    def tell(self) -> None:
        """Count that something was committed."""
        self.told += 1

    def _keep(self, kept: list[dict[str, Any]], what: dict[str, Any]) -> None:
        if self.fails is not None:
            raise self.fails
        kept.append(what)


def a_carrier(*, public_url: str = PUBLIC, sender: str | None = OUR_NUMBER, service: str | None = None, old_token: bool = False) -> Carrier:
    """Believe the stand-in's account."""
    settings = TwilioSettings(
        account_sid=ACCOUNT,
        auth_token=Secret(TOKEN),
        auth_token_previous=Secret(OLD_TOKEN) if old_token else None,
        sender=sender,
        messaging_service_sid=service,
        api_base_url=None,
    )
    return Carrier(
        public_url=public_url, account_sid=ACCOUNT, sender=sender, messaging_service_sid=service, is_signed=SignatureCheck(settings)
    )


def some_parts(
    heard: Heard | None = None,
    *,
    carrier: Carrier | None = None,
    engine: Engine | None = None,
    clock: Clock | None = None,
    lifespan: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    sandbox: Sandbox | None = None,
    own_clock: Clock | None = None,
) -> Parts:
    """Put an app's parts together; without an engine it has an empty ledger in memory that nothing has asked yet."""
    heard = heard or Heard()
    return Parts(
        engine=engine or make_engine("sqlite://"),
        clock=clock or HandClock(NOW),
        transport="sandbox" if carrier is None else "twilio",
        carrier=carrier,
        receive=heard.receive,
        receive_status=heard.receive_status,
        heard=heard.tell,
        lifespan=lifespan,
        sandbox=sandbox,
        own_clock=own_clock,
    )


def asking(parts: Parts, *, host: str = "127.0.0.1:8000", peer: str = "127.0.0.1") -> TestClient:
    """Return a client on this machine, or on another `peer`, that asks the app by a host name."""
    return TestClient(create_app(parts), base_url=f"http://{host}", client=(peer, 50_000), follow_redirects=False)


def a_text(
    body: str = "1",
    *,
    sid: str = "SM1",
    account_sid: str = ACCOUNT,
    from_phone: str = ANA,
    to_phone: str = OUR_NUMBER,
    service_sid: str | None = None,
    opt_out_type: str | None = None,
) -> Pairs:
    """Return the form of a text from Ana."""
    more = {"service_sid": service_sid, "opt_out_type": opt_out_type}
    return inbound_form(account_sid=account_sid, sid=sid, from_phone=from_phone, to_phone=to_phone, body=body, **more)


def post(
    client: TestClient, target: str, pairs: Iterable[tuple[str, str]], *, token: str = TOKEN, signed_as: str | None = None, **headers: str
) -> Response:
    """Post a form, signed over the public address (or `signed_as`), to a path and query."""
    pairs = list(pairs)
    signature = signature_of(token, signed_as or PUBLIC + target, pairs)
    given = {"Content-Type": FORM, "X-Twilio-Signature": signature} | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(target, content=urlencode(pairs), headers=given)
