"""What Twilio posts to us, and how it signs it: written from its documentation, without its SDK, so that neither proves itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import xml.etree.ElementTree as ET
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, RemoteDisconnected
from itertools import count, cycle
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

Pairs = list[tuple[str, str]]

KEPT = 100_000
WAIT = 15  # seconds; Twilio gives up then

FORM = "application/x-www-form-urlencoded; charset=UTF-8"


def inbound_form(
    *,
    account_sid: str,
    sid: str,
    from_phone: str,
    to_phone: str,
    body: str,
    service_sid: str | None = None,
    opt_out_type: str | None = None,
) -> Pairs:
    """Return the form of a text that somebody sent to us; `opt_out_type` where a keyword set up at Twilio has matched it."""
    pairs = [
        ("ToCountry", "US"),
        ("ToState", ""),
        ("SmsMessageSid", sid),
        ("NumMedia", "0"),
        ("ToCity", ""),
        ("FromZip", ""),
        ("SmsSid", sid),
        ("FromState", "DC"),
        ("SmsStatus", "received"),
        ("FromCity", ""),
        ("Body", body),
        ("FromCountry", "US"),
        ("To", to_phone),
        ("ToZip", ""),
        ("NumSegments", "1"),
        ("MessageSid", sid),
        ("AccountSid", account_sid),
        ("From", from_phone),
        ("ApiVersion", "2010-04-01"),
    ]
    more = {"MessagingServiceSid": service_sid, "OptOutType": opt_out_type}
    return [*pairs, *((name, value) for name, value in more.items() if value)]


def status_form(*, account_sid: str, sid: str, from_phone: str, to_phone: str, status: str, error_code: int | None = None) -> Pairs:
    """Return the form of a receipt."""
    pairs = [
        ("SmsSid", sid),
        ("SmsStatus", status),
        ("MessageStatus", status),
        ("To", to_phone),
        ("MessageSid", sid),
        ("AccountSid", account_sid),
        ("From", from_phone),
        ("ApiVersion", "2010-04-01"),
    ]
    return pairs if error_code is None else [*pairs, ("ErrorCode", str(error_code))]


def signature_of(token: str, url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Sign an address and a form: HMAC-SHA1 over the address and every distinct (name, value) in order, in base64."""
    signed = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def json_signature_of(token: str, url: str) -> str:
    """Sign an address whose query holds the hash of a JSON body."""
    return signature_of(token, url, [])


@dataclass(frozen=True, slots=True)
class Posted:
    """One try at one webhook. `answer` is its HTTP status; 0 if nobody could be reached, -1 if nobody answered."""

    url: str
    pairs: Pairs
    token: str
    answer: int
    body: bytes = b""


class Poster:
    """Posts signed webhooks to this machine, and tries again as Twilio does. Any thread may use it.

    behind  where a public address is truly served, in turn: what a proxy in front of several servers does.
    """

    def __init__(self, token: str, *, retries: int = 1) -> None:
        self.token, self.retries = token, retries
        self.posted: deque[Posted] = deque(maxlen=KEPT)
        self.behind: dict[str, Iterator[str]] = {}
        self._numbers = count(1)
        self._kept: dict[str, list[HTTPConnection]] = defaultdict(list)

    def serve(self, public_url: str, *addresses: str) -> None:
        """Let a public address be served at these, in turn."""
        self.behind[public_url] = cycle(addresses)

    def post(self, url: str, pairs: Pairs) -> Posted:
        """Post a form; every try carries the same idempotency token."""
        url, _, settings = url.partition("#")
        wanted = dict(parse_qsl(settings))
        token = f"{next(self._numbers):032x}"
        last = self._try(url, pairs, token)
        for _ in range(int(wanted.get("rc", self.retries))):
            if not _is_to_repeat(last.answer, wanted.get("rp", "ct")):
                break
            last = self._try(url, pairs, token)
        return last

    def close(self) -> None:
        """Let go of the connections that were kept."""
        while self._kept:
            for connection in self._kept.popitem()[1]:
                connection.close()

    def _try(self, url: str, pairs: Pairs, token: str) -> Posted:
        answer, body = self._asked(self._where(url), _headers(self.token, url, pairs, token), urlencode(pairs))
        posted = Posted(url, pairs, token, answer, body)
        self.posted.append(posted)
        return posted

    def _where(self, url: str) -> SplitResult:
        """Say where an address is served; never outside this machine."""
        for public, addresses in self.behind.items():
            if url.startswith(public):
                url = next(addresses) + url.removeprefix(public)
                break
        where = urlsplit(url)
        if where.scheme != "http" or where.hostname not in {"127.0.0.1", "localhost"}:
            raise ValueError(f"not on this machine: {where.scheme}://{where.netloc}")
        return where

    def _asked(self, where: SplitResult, headers: dict[str, str], body: str) -> tuple[int, bytes]:
        target = f"{where.path}?{where.query}" if where.query else where.path
        try:
            with suppress(RemoteDisconnected, ConnectionError, IndexError):  # none kept, or closed meanwhile by the other side
                return self._answered(self._kept[where.netloc].pop(), target, headers, body, where.netloc)
        except (TimeoutError, HTTPException):  # or killed in the middle of its answer
            return -1, b""
        connection = HTTPConnection(where.hostname or "", where.port, timeout=WAIT)
        try:
            connection.connect()
        except OSError:
            return 0, b""
        try:
            return self._answered(connection, target, headers, body, where.netloc)
        except (OSError, HTTPException):
            return -1, b""

    def _answered(self, connection: HTTPConnection, target: str, headers: dict[str, str], body: str, server: str) -> tuple[int, bytes]:
        try:
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            read = answer.status, answer.read()
        except BaseException:
            connection.close()
            raise
        self._kept[server].append(connection)
        return read


def _headers(token: str, url: str, pairs: Pairs, idempotency_token: str) -> dict[str, str]:
    return {
        "Content-Type": FORM,
        "X-Twilio-Signature": signature_of(token, url, pairs),
        "I-Twilio-Idempotency-Token": idempotency_token,
        "User-Agent": "TwilioProxy/1.1",
    }


def _is_to_repeat(answer: int, policy: str) -> bool:
    """Whether an answer is one that a policy repeats: `ct` no connection, `rt` no answer, `4xx`, `5xx`, `all`."""
    kind = {0: "ct", -1: "rt", 4: "4xx", 5: "5xx"}.get(answer if answer <= 0 else answer // 100)
    return kind is not None and ("all" in policy or kind in policy.split(","))


def messages_in(answer: bytes) -> list[str]:
    """Return the texts that the answer to a webhook asks to be sent, in TwiML; none if it is no TwiML."""
    try:
        said = ET.fromstring(answer.decode())  # noqa: S314 - an answer of our own
    except (ET.ParseError, ValueError):
        return []
    return [message.text or "" for message in said.findall("Message")]
