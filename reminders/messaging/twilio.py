"""Twilio, and the only module that knows its SDK: one try at a send, a look into its list, and the proof of a webhook's sender.

It keeps no ledger and never tries twice. Twilio has no idempotency key, so whatever is not certain is `Ambiguous`, and the
ledger settles it.
"""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, ConnectionTimeoutError, TCPConnector
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.base.page import Page
from twilio.base.values import unset
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator, get_signature_algorithm
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from reminders.messaging.failure_codes import class_of
from reminders.messaging.transport import (
    Accepted,
    Ambiguous,
    FailureClass,
    ListUnavailable,
    NotSent,
    Outcome,
    Outgoing,
    ReceivedText,
    Refused,
    SentText,
)
from reminders.settings import TwilioSettings

POOL: Final = 70  # connections at once: fifty sends, ten lists of recovery, and the polls beside them
PAGE: Final = 200
PAGES: Final = 20  # of one phone's list
WHOLE_PAGE: Final = 1_000  # the most that Twilio gives at once
WHOLE_PAGES: Final = 500  # of the account's list: half a million texts
LIST_ORDER: Final = timedelta(days=1)  # how far out of order the list may be: newest first, by a date that comes with the sending
LIST_LAG: Final = timedelta(seconds=60)  # until it is measured on a real account
TRIAL_PREFIX: Final = "Sent from your Twilio trial account - "
CONNECTING: Final = 0.5  # of a request's time: who has no connection by then has written nothing

# What a list that is no list can raise on its way through the SDK.
_UNREADABLE = (TwilioException, ClientError, OSError, ValueError, LookupError, TypeError, AttributeError)

_ASKED: Final = "outbound-api"

# At INFO the SDK logs addresses and query parameters, and a list call's hold the patient's number.
logging.getLogger("twilio").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the SDK's errors do not carry: the true HTTP status, and the rest that was asked for, in seconds."""

    status: int
    retry_after: float | None


# Of the call in this context, never of the client, which many calls share.
_answer: ContextVar[_Answer] = ContextVar("_answer")


class TwilioTransport:
    """Sends through one Twilio account. Its connections belong to the event loop that first uses it, until `aclose`."""

    name: Final = "twilio"
    list_lag: Final = LIST_LAG

    def __init__(
        self, settings: TwilioSettings, *, public_url: str, seconds: float = 10, pool: int = POOL, receipts: str = "/sms/status"
    ) -> None:
        """Take the account, the address that receipts come back to, how long one request may take, and how many may run at once."""
        self._settings = settings
        self._callback = f"{public_url.rstrip('/')}{receipts}"
        self._seconds = seconds
        self._pool = pool
        self._http: _HttpClient | None = None

    async def send(self, outgoing: Outgoing) -> Outcome:
        """POST once, and say what is known of it. A cancelled call proves nothing: the request may be on its way."""
        client = self._opened()
        try:
            # The SDK's own timeout is ignored by its async client, and its retries would repeat a POST.
            async with asyncio.timeout(self._seconds):
                message = await self._create(client, outgoing)
        except (TwilioRestException, TwilioServiceException) as error:
            return outcome_of(_answer.get().status, _whole(error.code), _answer.get().retry_after)
        except (ClientConnectorError, ConnectionTimeoutError):
            return NotSent()  # no connection: nothing was written
        except Exception as error:  # noqa: BLE001 - whatever else goes wrong, the text may have left
            return Ambiguous(type(error).__name__)
        return Accepted(message.sid, str(message.status or "queued")) if message.sid else Ambiguous("an answer without an id")

    async def sent_to(self, phone: str, *, since: datetime) -> tuple[SentText, ...]:
        """List what Twilio accepted for a phone since an instant, oldest first. Raises ListUnavailable."""
        return tuple(_sent_text(message) for message in await self._listed(since, page_size=PAGE, pages=PAGES, to=phone))

    async def sent(self, *, since: datetime) -> tuple[SentText, ...]:
        """List what our sender sent since an instant, oldest first. Raises ListUnavailable."""
        listed = await self._listed(since, from_=self._settings.sender or unset)
        return tuple(_sent_text(message) for message in listed if self._is_from_us(message))

    async def received(self, *, since: datetime) -> tuple[ReceivedText, ...]:
        """List the texts that reached us since an instant, oldest first. Raises ListUnavailable."""
        only_number = self._settings.sender if not self._settings.messaging_service_sid else None
        listed = await self._listed(since, to=only_number or unset)
        return tuple(_received_text(message) for message in listed if self._is_to_us(message))

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones, in its own event loop."""
        http, self._http = self._http, None
        if http is not None:
            await http.session.close()

    def _opened(self) -> Client:
        """Return a client of this event loop: the SDK's async client cannot be made outside one, nor used in another."""
        loop = asyncio.get_running_loop()
        if self._http is None:
            self._http = _HttpClient(self._pool, connect_seconds=self._seconds * CONNECTING)
        if self._http.loop is not loop:
            raise RuntimeError("this transport belongs to another event loop: close it there first")
        return _client(self._settings, self._http)

    async def _create(self, client: Client, outgoing: Outgoing) -> MessageInstance:
        return await client.messages.create_async(
            to=outgoing.to,
            body=outgoing.body,
            from_=self._settings.sender or unset,
            messaging_service_sid=self._settings.messaging_service_sid or unset,
            status_callback=f"{self._callback}?tag={outgoing.tag}",
            validity_period=outgoing.validity,
        )

    async def _listed(
        self, since: datetime, *, page_size: int = WHOLE_PAGE, pages: int = WHOLE_PAGES, **only: object
    ) -> list[MessageInstance]:
        """Return each message of a list that was made since an instant, oldest first. Raises ListUnavailable.

        The list filters by day of sending only, and a queued text may have none yet: it is asked by number, and compared here.
        """
        client, found = self._opened(), dict[str, MessageInstance]()
        try:
            async for message in self._read(client, since - LIST_ORDER, page_size=page_size, pages=pages, only=only):
                found[str(message.sid)] = message  # a page may repeat the end of the one before
        except _UNREADABLE as error:
            raise ListUnavailable(f"Twilio's list could not be read: {type(error).__name__}") from None  # its words hold numbers
        whole_second = since.replace(microsecond=0)  # the list gives no part of one, and newest first within it
        return sorted((message for message in reversed(found.values()) if _made_at(message) >= whole_second), key=_made_at)

    async def _read(
        self, client: Client, oldest: datetime, *, page_size: int, pages: int, only: Mapping[str, object]
    ) -> AsyncIterator[MessageInstance]:
        """Read a list from its newest message back to its end, or to one page that is all older than the instant."""
        async with asyncio.timeout(self._seconds):
            page: Page = await client.messages.page_async(page_size=page_size, **only)
        for _ in range(pages):
            messages: list[MessageInstance] = list(page)
            newest = max((_made_at(message) for message in messages), default=oldest)
            for message in messages:
                yield message
            if newest < oldest:
                return
            async with asyncio.timeout(self._seconds):
                following = await page.next_page_async()
            if following is None:
                return
            page = following
        raise ValueError(f"more than {pages} pages")

    def _is_from_us(self, message: MessageInstance) -> bool:
        by_number = self._settings.sender is not None  # then the list was asked by it
        ours = by_number or message.messaging_service_sid == self._settings.messaging_service_sid
        return ours and str(message.direction) == _ASKED  # an answer in TwiML, or Twilio's own to STOP and HELP, was no request

    def _is_to_us(self, message: MessageInstance) -> bool:
        """Whether a text came to our number or our service, as the webhook asks; one of no service may be of ours."""
        to_number = self._settings.sender is not None and message.to == self._settings.sender
        service = self._settings.messaging_service_sid
        to_service = service is not None and message.messaging_service_sid in {service, None, ""}
        return _is_inbound(message) and (to_number or to_service)


def outcome_of(status: int, code: int | None, retry_after: float | None = None) -> Outcome:
    """Say what an HTTP answer that is not a success means: its status first, then its code."""
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return Ambiguous(f"HTTP {status}")  # Twilio calls a 5xx safe to retry; for a create it is not
    kind = class_of(code)
    if kind is FailureClass.NOT_SENT or (status == HTTPStatus.TOO_MANY_REQUESTS and kind is not FailureClass.ACCOUNT):
        return NotSent(code, retry_after)
    if kind is FailureClass.UNKNOWN and status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        kind = FailureClass.ACCOUNT
    return Refused(code, kind, retry_after)


class SignatureCheck:
    """Whether a webhook was signed with this account's token, or with the one before while tokens are rotated."""

    def __init__(self, settings: TwilioSettings) -> None:
        tokens = (settings.auth_token, settings.auth_token_previous)
        self._validators = tuple(RequestValidator(token.reveal()) for token in tokens if token is not None)

    def __call__(self, url: str, body: Sequence[tuple[str, str]] | str, *, signature: str, signature_settings: str = "") -> bool:
        """Check a signature over the address that was asked for and the body. Never raises.

        url                 the configured public address + path + query; never from a Host or forwarding header.
        body                a form, as all its pairs with repeats and blanks; any other body as text, which then must be
                            covered by `bodySHA256` in the query (without it, the address alone would be checked).
        signature_settings  the header that names the algorithm, if there is one.
        """
        algorithm = get_signature_algorithm(signature_settings).upper()
        if algorithm not in {HMAC_SHA1, HMAC_SHA256}:
            return False
        try:
            if isinstance(body, str) and "bodySHA256" not in parse_qs(urlsplit(url).query):
                return False
            form = body if isinstance(body, str) else _Form(body)
            return any(validator.validate(url, form, signature, algorithm) for validator in self._validators)
        except (ValueError, TypeError, LookupError):
            return False


class _Form(dict[str, list[str]]):
    """A form as the validator wants it: iterable by name, with every value of a name."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        """Return every value of a name."""
        return self[name]


class _HttpClient(AsyncHttpClient):
    """The SDK's way out. Unlike its own, it logs nothing, keeps nothing of a request, and hands on what errors leave out."""

    def __init__(self, pool: int, *, connect_seconds: float) -> None:
        super().__init__(logging.getLogger("twilio.async_http_client"), is_async=True)
        self.loop = asyncio.get_running_loop()
        self.session = ClientSession(
            connector=TCPConnector(limit=pool),
            timeout=ClientTimeout(total=None, connect=connect_seconds),
        )

    async def request(  # type: ignore[override]  # the SDK's own parent is not async
        self,
        method: str,
        uri: str,
        *,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_: object,
    ) -> Response:
        """Ask once, and follow no redirection."""
        async with self.session.request(
            method,
            uri,
            params=params,
            data={name: str(value) for name, value in data.items()} if data else None,
            headers={**(headers or {}), **_login(auth)},
            allow_redirects=False,
        ) as response:
            _answer.set(_Answer(response.status, _rest(response.headers)))
            return Response(response.status, await response.text(), response.headers)


def _login(auth: tuple[str, str] | None) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(":".join(auth).encode()).decode()} if auth else {}


def _client(settings: TwilioSettings, http: _HttpClient) -> Client:
    # With no environment given it would read the process's own, and could turn to another host by TWILIO_EDGE.
    nowhere = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}
    client = Client(settings.account_sid, settings.auth_token.reveal(), http_client=http, environment=nowhere)
    client.api.base_url = settings.api_base_url or client.api.base_url
    return client


def _is_inbound(message: MessageInstance) -> bool:
    return str(message.direction) == "inbound"


def _made_at(message: MessageInstance) -> datetime:
    """Return when Twilio made a message of a request, or of a text that came in: the one time that every message has."""
    if message.date_created is None:
        raise ValueError("a message without a date")
    return message.date_created


def _sent_text(message: MessageInstance) -> SentText:
    return SentText(
        sid=str(message.sid),
        to=str(message.to),
        body=str(message.body or "").removeprefix(TRIAL_PREFIX),
        status=str(message.status),
        created_at=_made_at(message),
        error_code=_whole(message.error_code),
    )


def _received_text(message: MessageInstance) -> ReceivedText:
    """Read a text that came in, without what no ledger can hold: NUL, and half a character."""
    body = str(message.body or "").replace("\x00", "")
    return ReceivedText(
        sid=str(message.sid),
        from_phone=str(message.from_),
        to_phone=str(message.to),
        body=body.encode(errors="replace").decode(),
        received_at=_made_at(message),
    )


def _whole(code: object) -> int | None:
    return code if isinstance(code, int) else None


def _rest(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After: seconds, or a date, which is held against the answer's own date and no clock of ours."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(wait.total_seconds(), 0.0)
