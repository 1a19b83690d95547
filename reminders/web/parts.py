"""What the web needs of the rest, handed to it by `bootstrap.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine

from reminders.clock import Clock
from reminders.services.watching import Readiness
from reminders.simulation.sandbox import Sandbox


class IsSigned(Protocol):
    """The proof of a webhook's sender: `reminders.messaging.twilio.SignatureCheck`."""

    def __call__(self, url: str, body: Sequence[tuple[str, str]] | str, *, signature: str, signature_settings: str = "") -> bool:
        """Check a signature over the public address and the body. Never raises."""
        ...


class Receive(Protocol):
    """What takes in a text from somebody, once for ever: `services.replying.receive`."""

    def __call__(
        self,
        engine: Engine,
        /,
        *,
        sid: str,
        from_phone: str,
        to_phone: str,
        body: str,
        received_at: datetime,
        now: datetime,
        token: str | None,
        carriers_word: str,
        repeated: Callable[[], object],
    ) -> str | None:
        """Take it in and commit; call `repeated` if it was here before. Returns words for a stranger, who is answered at once."""
        ...


class ReceiveStatus(Protocol):
    """What takes in a carrier's receipt: `services.delivering.receive_status`."""

    def __call__(
        self, engine: Engine, /, *, sid: str, status: str, tag: str | None, error_code: int | None, now: datetime, token: str | None
    ) -> str | None:
        """Take it in and commit. Returns what became of it: `accepted`, `repeated`, or `unknown`, which is kept all the same."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """The account whose webhooks are believed; at least one of `sender` and `messaging_service_sid` is there.

    `public_url` is the address that the carrier signs, without a last slash.
    """

    public_url: str
    account_sid: str
    sender: str | None
    messaging_service_sid: str | None
    is_signed: IsSigned


def _nothing() -> None:
    """Nobody waits to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The web's parts.

    transport  how texts leave, for the page: `sandbox`, `twilio`.
    carrier    None in the sandbox: then no webhook is accepted at all.
    heard      called after a webhook's transaction has committed, so that an answer leaves soon.
    lifespan   runs around the whole life of the app, inside its event loop.
    address    where a browser reaches us, without a last slash; https, or this machine alone.
    trusted_proxies  addresses and networks whose word (X-Forwarded-For) is taken for who asks.
    calls_a_minute  how often one key may ask the API, by each process [our default].
    readiness  looks whether this process is fit to serve; None: as far as the ledger shows.
    sandbox    what the sandbox's page plays with; None: there is no such page.
    own_clock  the machine's, where `clock` is another: the sandbox's.
    """

    engine: Engine
    clock: Clock
    transport: str
    carrier: Carrier | None
    receive: Receive
    receive_status: ReceiveStatus
    heard: Callable[[], None] = _nothing
    lifespan: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    address: str = "http://127.0.0.1:8000"
    trusted_proxies: tuple[str, ...] = ()
    readiness: Callable[[], Readiness] | None = None
    sandbox: Sandbox | None = None
    own_clock: Clock | None = None
    calls_a_minute: int = 600

    @property
    def security_clock(self) -> Clock:
        """What sign-ins, sessions, codes, keys and links go by: the machine's clock. Doses go by `clock`, which the sandbox may move."""
        return self.own_clock or self.clock

    @property
    def is_https(self) -> bool:
        """Whether a browser reaches us by https."""
        return self.address.startswith("https:")
