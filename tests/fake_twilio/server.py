"""Twilio on loopback: creates and lists messages in Twilio's paths and shapes, signs its callbacks, and fails where told to.

Its log is the truth about what was accepted. `with FakeTwilio() as twilio:` starts it in a thread of this process.
"""

from __future__ import annotations

import base64
import json
import socket
import struct
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from reminders.clock import Clock, SystemClock
from tests.fake_twilio.faults import Answers, CutsBody, CutsJson, Fault, Hangs, Resets
from tests.fake_twilio.webhooks import Pairs, inbound_form, post_signed, status_form

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "fedcba9876543210" * 2
OUR_NUMBER = "+12025550100"
SERVICE = "MG" + "00112233445566778899aabbccddeeff"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came over the wire."""

    method: str
    path: str
    query: Pairs
    body: bytes
    headers: dict[str, str]

    @property
    def form(self) -> Pairs:
        """The fields of its body, blanks and repeats kept."""
        return parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was accepted."""

    sid: str
    to: str
    from_phone: str
    service_sid: str | None
    body: str
    status: str
    status_callback: str | None
    validity: int
    created_at: datetime
    error_code: int | None = None


class FakeTwilio:
    """One account of Twilio's, with one number."""

    def __init__(self, clock: Clock | None = None, *, account_sid: str = ACCOUNT, token: str = TOKEN, page_size: int = 50) -> None:
        self.account_sid, self.token, self.page_size = account_sid, token, page_size
        self._clock = clock or SystemClock()
        self._lock = Lock()
        self._asked: list[Asked] = []
        self._messages: dict[str, Message] = {}
        self._next: deque[Fault] = deque()
        self._always: Fault | None = None
        self.list_answer: Answers | None = None
        self.hanging, self.released = Event(), Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Its address, for `TWILIO_API_BASE_URL`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Every request so far, oldest first."""
        with self._lock:
            return tuple(self._asked)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every message accepted so far, oldest first."""
        with self._lock:
            return tuple(self._messages.values())

    def fail_next(self, *faults: Fault) -> None:
        """Fail the next requests to create a message, one fault each."""
        with self._lock:
            self._next.extend(faults)

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Fail every request to create a message inside the block."""
        self._always = fault
        try:
            yield
        finally:
            self._always = None

    def report(self, sid: str, status: str, error_code: int | None = None) -> int:
        """Post a signed receipt to the message's callback address; return the HTTP status of the answer."""
        with self._lock:
            message = replace(self._messages[sid], status=status, error_code=error_code)
            self._messages[sid] = message
        pairs = status_form(
            account_sid=self.account_sid, sid=sid, from_phone=message.from_phone, to_phone=message.to, status=status, error_code=error_code
        )
        return post_signed(message.status_callback or "", pairs, token=self.token)[0]

    def say(self, webhook: str, *, from_phone: str, body: str, sid: str, to_phone: str = OUR_NUMBER) -> tuple[int, bytes]:
        """Post a text that somebody sent to the account's number; return the answer's HTTP status and body."""
        pairs = inbound_form(account_sid=self.account_sid, sid=sid, from_phone=from_phone, to_phone=to_phone, body=body)
        return post_signed(webhook, pairs, token=self.token)

    def remember(self, asked: Asked) -> None:
        """Write a request into the log."""
        with self._lock:
            self._asked.append(asked)

    def next_fault(self) -> Fault | None:
        """Take the fault that the next request to create a message meets."""
        with self._lock:
            return self._next.popleft() if self._next else self._always

    def create(self, form: dict[str, str]) -> Message:
        """Accept a message. Raises Refusal, with Twilio's code, for one that Twilio would not take."""
        if not form.get("To"):
            raise Refusal(21604)
        if not form.get("From") and not form.get("MessagingServiceSid"):
            raise Refusal(21603)
        if not form.get("Body"):
            raise Refusal(21602)
        validity = int(form.get("ValidityPeriod", "36000"))
        if not 1 <= validity <= 36_000:
            raise Refusal(20001)
        with self._lock:
            message = Message(
                sid=f"SM{len(self._messages) + 1:032x}",
                to=form["To"],
                from_phone=form.get("From", OUR_NUMBER),
                service_sid=form.get("MessagingServiceSid"),
                body=form["Body"],
                status="accepted" if "MessagingServiceSid" in form else "queued",
                status_callback=form.get("StatusCallback"),
                validity=validity,
                created_at=self._clock.now(),
            )
            self._messages[message.sid] = message
        return message

    def listed(self, query: dict[str, str]) -> tuple[list[Message], str | None]:
        """Return a page of messages, newest first, and the query of the next page, if there is one."""
        number, size = int(query.get("Page", "0")), min(int(query.get("PageSize", "50")), self.page_size)
        found = [message for message in reversed(self.messages) if query.get("To") in {None, message.to}]
        following = f"To={query.get('To', '')}&PageSize={size}&Page={number + 1}".replace("+", "%2B")
        return found[number * size : (number + 1) * size], following if len(found) > (number + 1) * size else None


class Refusal(Exception):
    """Twilio says no, with a code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


def _handler_of(twilio: FakeTwilio) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        fake = twilio

    return Handler


class _Handler(BaseHTTPRequestHandler):
    """One connection from a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits 40 ms for an acknowledgement
    fake: FakeTwilio

    def do_POST(self) -> None:
        """Create a message, or fail as told."""
        asked = self._read()
        if not self._ours(asked):
            return
        fault = self.fake.next_fault()
        if fault is not None and not fault.accepts:
            self._fail(fault, None)
            return
        try:
            message = self.fake.create(dict(asked.form))
        except Refusal as refusal:
            self._error(Answers(400, refusal.code))
            return
        if fault is not None:
            self._fail(fault, message)
        else:
            self._send(201, json.dumps(self._shape(message)))

    def do_GET(self) -> None:
        """List messages."""
        asked = self._read()
        if not self._ours(asked):
            return
        if self.fake.list_answer is not None:
            self._error(self.fake.list_answer)
            return
        query = dict(asked.query)
        messages, following = self.fake.listed(query)
        page = {
            "messages": [self._shape(message) for message in messages],
            "page": int(query.get("Page", "0")),
            "page_size": int(query.get("PageSize", "50")),
            "start": 0,
            "end": len(messages),
            "first_page_uri": f"{asked.path}?Page=0",
            "next_page_uri": f"{asked.path}?{following}" if following else None,
            "previous_page_uri": None,
            "uri": asked.path,
        }
        self._send(200, json.dumps(page))

    def log_message(self, *_: object) -> None:
        """Keep still: the fake's own log is `asked`."""

    def _read(self) -> Asked:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, url.path, parse_qsl(url.query, keep_blank_values=True), body, dict(self.headers.items()))
        self.fake.remember(asked)
        return asked

    def _ours(self, asked: Asked) -> bool:
        login = base64.b64encode(f"{self.fake.account_sid}:{self.fake.token}".encode()).decode()
        if asked.headers.get("Authorization") != f"Basic {login}":
            self._error(Answers(401, 20003))
            return False
        if asked.path != f"/2010-04-01/Accounts/{self.fake.account_sid}/Messages.json":
            self._error(Answers(404, 20404))
            return False
        return True

    def _fail(self, fault: Fault, message: Message | None) -> None:
        text = json.dumps(self._shape(message)) if message else "{}"
        match fault.answer:
            case Answers():
                self._error(fault.answer)
            case Hangs():
                self.fake.hanging.set()
                self.fake.released.wait()
                self.close_connection = True
            case CutsJson():
                self._send(201, text[: len(text) // 2])
            case CutsBody():
                self._send(201, text[: len(text) // 2], length=len(text))
                self.close_connection = True
            case Resets():
                # Lingering for no time at all makes the system send a reset; the server's own way of closing would say goodbye first.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                socket.close(self.connection.detach())
                self.close_connection = True

    def _error(self, answer: Answers) -> None:
        usual = {
            "code": answer.code,
            "message": "The 'To' number is not in order",
            "more_info": f"https://www.twilio.com/docs/errors/{answer.code}",
            "status": answer.http,
        }
        payload = usual if answer.payload is None else answer.payload
        self._send(answer.http, payload if isinstance(payload, str) else json.dumps(payload), headers=answer.headers)

    def _send(self, http: int, text: str, *, length: int | None = None, headers: tuple[tuple[str, str], ...] = ()) -> None:
        body = text.encode()
        with suppress(ConnectionError):  # a client that gave up waiting is not the fake's fault
            self.send_response(http)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) if length is None else length))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def _shape(self, message: Message) -> dict[str, Any]:
        path = f"/2010-04-01/Accounts/{self.fake.account_sid}/Messages/{message.sid}"
        known = asdict(message)
        created = format_datetime(message.created_at)
        return {name: known[name] for name in ("sid", "to", "body", "status", "error_code")} | {
            "account_sid": self.fake.account_sid,
            "api_version": "2010-04-01",
            "date_created": created,
            "date_sent": None,
            "date_updated": created,
            "direction": "outbound-api",
            "error_message": None,
            "from": message.from_phone,
            "messaging_service_sid": message.service_sid,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "subresource_uris": {"media": f"{path}/Media.json"},
            "uri": f"{path}.json",
        }
