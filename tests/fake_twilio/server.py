"""Twilio on loopback: creates and lists messages in Twilio's paths and shapes, signs its callbacks, and fails where told to.

Its log is the truth about what was accepted. `with FakeTwilio() as twilio:` starts it in threads of this process.
"""

from __future__ import annotations

import base64
import json
import select
import socket
import struct
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from reminders.clock import Clock, SystemClock
from tests.fake_twilio.account import Account, Message, Refusal, segments_of
from tests.fake_twilio.callbacks import DELIVERED, OUT_OF_TIME, Callback, Fate, Sky, Weather
from tests.fake_twilio.courier import Courier
from tests.fake_twilio.faults import Answer, Answers, Created, CutsBody, CutsJson, Fault, Hangs, Mix, Resets, refused_with
from tests.fake_twilio.webhooks import Pairs, Posted, Poster, inbound_form, messages_in, status_form

__all__ = ["ACCOUNT", "OUR_NUMBER", "SERVICE", "TOKEN", "Asked", "FakeTwilio", "Message"]

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "fedcba9876543210" * 2
OUR_NUMBER = "+12025550100"
SERVICE = "MG" + "00112233445566778899aabbccddeeff"
KEPT = 100_000
GLANCE = 0.05  # seconds between two looks at whether who asked is still there


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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024  # several processes open their whole pools at once

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that was killed or gave up; of all else, what is usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed's own names for them are private


class FakeTwilio:
    """One account of Twilio's, with one number.

    account      what it holds: messages, opt-outs, the lag of its lists, the queue of its sender.
    poster       how it calls us: tries, and what was posted.
    fates        what a carrier does with one phone's messages; `fate` with all others'.
    latency      seconds before each request is looked at.
    list_answer  what a list answers instead of itself; `later_pages_answer`: from its second page on.
    """

    def __init__(self, clock: Clock | None = None, *, account_sid: str = ACCOUNT, token: str = TOKEN, page_size: int = 1_000) -> None:
        self.account_sid, self.token = account_sid, token
        self.login = "Basic " + base64.b64encode(f"{account_sid}:{token}".encode()).decode()
        clock = clock or SystemClock()
        self.account = Account(clock, number=OUR_NUMBER, page_size=page_size)
        self.poster = Poster(token)
        self.fates: dict[str, Fate] = {}
        self.fate = DELIVERED
        self.latency = 0.0
        self.list_answer: Answer | None = None
        self.later_pages_answer: Answer | None = None
        self.hanging, self.released = Event(), Event()
        self._courier = Courier(clock)
        self._sky: Sky | None = None
        self._lock = Lock()
        self._asked: deque[Asked] = deque(maxlen=KEPT)
        self._next: deque[Fault] = deque()
        self._always: Fault | Mix | None = None
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._courier.close()
        self._server.shutdown()
        self._server.server_close()
        self.poster.close()

    @property
    def url(self) -> str:
        """Its address, for `TWILIO_API_BASE_URL`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The last 100,000 requests, oldest first."""
        with self._lock:
            return tuple(self._asked)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every message accepted so far, oldest first."""
        return self.account.messages

    def fail_next(self, *faults: Fault) -> None:
        """Fail the next requests to create a message, one fault each."""
        with self._lock:
            self._next.extend(faults)

    @contextmanager
    def failing(self, fault: Fault | Mix) -> Iterator[None]:
        """Fail every request to create a message inside the block, or those that a mix picks."""
        self._always = fault
        try:
            yield
        finally:
            self._always = None

    def call_back(self, weather: Weather | None = None) -> None:
        """From now on post what becomes of each accepted message to its callback address, in a weather; fair without one."""
        self._sky = Sky(weather or Weather())

    def rest(self, *, within: float = 10) -> None:
        """Return when no callback is under way and none due by the clock. Raises TimeoutError after so many seconds."""
        self._courier.rest(within=within)

    @property
    def pending(self) -> int:
        """How many chains of callbacks are not at their end, due or not."""
        return self._courier.pending

    def report(self, sid: str, status: str, error_code: int | None = None) -> int:
        """Post a signed receipt to the message's callback address; return the HTTP status of the answer."""
        return self._tell(sid, Callback(status, error_code)).answer

    def say(
        self,
        webhook: str | None,
        *,
        from_phone: str,
        body: str,
        sid: str | None = None,
        to_phone: str = OUR_NUMBER,
        service_sid: str | None = None,
    ) -> tuple[int, bytes]:
        """Take in a text that somebody sent to the account's number, which its list shows from then on, and post it.

        What the webhook's answer says is sent back to them. Returns the answer's HTTP status and body; (0, b"") where nobody could
        be reached, and where there is no webhook.
        """
        message = self.account.take_in(from_phone=from_phone, to_phone=to_phone, body=body, sid=sid, service_sid=service_sid)
        if webhook is None:
            return 0, b""
        pairs = inbound_form(
            account_sid=self.account_sid, sid=message.sid, from_phone=from_phone, to_phone=to_phone, body=body, service_sid=service_sid
        )
        posted = self.poster.post(webhook, pairs)
        for words in messages_in(posted.body):
            self.account.reply(from_phone, words, from_phone=to_phone, service_sid=service_sid)
        return posted.answer, posted.body

    def remember(self, asked: Asked) -> None:
        """Write a request into the log."""
        with self._lock:
            self._asked.append(asked)

    def next_fault(self) -> Fault | None:
        """Take the fault that the next request to create a message meets."""
        with self._lock:
            if self._next:
                return self._next.popleft()
            return self._always.draw() if isinstance(self._always, Mix) else self._always

    def create(self, form: dict[str, str]) -> Message:
        """Accept a message, and set out on its callbacks. Raises Refusal, with Twilio's code, for one that Twilio would not take."""
        message = self.account.accept(form)
        if self._sky is not None and message.status_callback:
            self._follow(message, self._sky)
        return message

    def _follow(self, message: Message, sky: Sky) -> None:
        waits = self.account.queued_for(message)
        fate = self.fates.get(message.to, self.fate)
        with self._lock:
            told = sky.told(OUT_OF_TIME, waits=message.validity) if waits is None else sky.told(fate, waits=waits)
        chains = [[(one.after, partial(self._tell, message.sid, one)) for one in chain] for chain in told.chains]
        if told.early and chains[0]:
            chains[0].pop(0)[1]()
        for chain in chains:
            self._courier.send(chain)

    def _tell(self, sid: str, callback: Callback) -> Posted:
        """Let a message come to a status, and tell of it at its callback address, unless the callback is dropped."""
        message = self.account.move(sid, callback.status, callback.error_code)
        pairs = status_form(
            account_sid=self.account_sid,
            sid=sid,
            from_phone=message.from_phone,
            to_phone=message.to,
            status=callback.status,
            error_code=callback.error_code,
        )
        address = message.status_callback or ""
        return Posted(address, pairs, "", 0) if callback.dropped else self.poster.post(address, pairs)


def _handler_of(twilio: FakeTwilio) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        fake = twilio

    return Handler


class _Handler(BaseHTTPRequestHandler):
    """One connection from a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits 40 ms for an acknowledgement
    wbufsize = -1  # an answer is one write
    fake: FakeTwilio

    def do_POST(self) -> None:
        """Create a message, or fail as told."""
        fault = self.fake.next_fault() if self._is_create() else None
        if fault is not None and fault.answer == Resets(unread=True):
            self._reset()
            return
        asked = self._read()
        if not self._ours(asked) or self._is_over(self.fake.latency + (fault.before if fault else 0)):
            return
        if fault is not None and not fault.accepts:
            self._answer(fault.answer, "{}")
            return
        try:
            message = self.fake.create(dict(asked.form))
        except Refusal as refusal:
            self._answer(refused_with(refusal.code).answer, "{}")
            return
        self._is_over(fault.after if fault else 0)
        self._answer(fault.answer if fault else Created(), json.dumps(self._shape(message)))

    def do_GET(self) -> None:
        """List messages, or show one."""
        asked = self._read()
        if not self._ours(asked) or self._is_over(self.fake.latency):
            return
        if asked.path != self._path():
            message = self.fake.account.find(asked.path.rpartition("/")[2].removesuffix(".json"))
            self._answer(Answers(200, payload=self._shape(message)) if message else Answers(404, 20404), "{}")
            return
        query = dict(asked.query)
        messages, following = self.fake.account.listed(query)
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
        wrong = self.fake.list_answer or (self.fake.later_pages_answer if "Page" in query else None)
        self._answer(wrong or Created(), json.dumps(page), http=200)

    def log_message(self, *_: object) -> None:
        """Keep still: the fake's own log is `asked`."""

    def _read(self) -> Asked:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError  # killed in the middle of a request, which is then none
        asked = Asked(self.command, url.path, parse_qsl(url.query, keep_blank_values=True), body, dict(self.headers.items()))
        self.fake.remember(asked)
        return asked

    def _path(self, sid: str = "") -> str:
        return f"/2010-04-01/Accounts/{self.fake.account_sid}/Messages{sid and '/'}{sid}.json"

    def _is_create(self) -> bool:
        return self.path == self._path() and self._is_authorised()

    def _is_authorised(self) -> bool:
        return self.headers.get("Authorization") == self.fake.login

    def _ours(self, asked: Asked) -> bool:
        if not self._is_authorised():
            self._error(Answers(401, 20003))
            return False
        one = asked.path.startswith(self._path().replace(".json", "/")) and asked.method == "GET"
        if asked.path != self._path() and not one:
            self._error(Answers(404, 20404))
            return False
        return True

    def _answer(self, answer: Answer, text: str, *, http: int = 201) -> None:
        match answer:
            case Answers():
                self._error(answer)
            case Created():
                self._send(http, text)
            case Hangs():
                self.fake.hanging.set()
                self._hang()
            case CutsJson():
                self._send(http, text[: len(text) // 2])
            case CutsBody(resets):
                self._send(http, text[: len(text) // 2], length=len(text))
                self.close_connection = True
                if resets:
                    self._reset()
            case Resets():
                self._reset()

    def _is_over(self, seconds: float) -> bool:
        """Wait, and say whether the fake was closed meanwhile."""
        over = bool(seconds) and self.fake.released.wait(seconds)
        self.close_connection = self.close_connection or over
        return over

    def _hang(self) -> None:
        """Keep still until whoever asked has gone, or the fake is released."""
        self.close_connection = True
        gone = select.poll()
        gone.register(self.connection, select.POLLIN | select.POLLHUP)
        while not self.fake.released.is_set() and not gone.poll(GLANCE * 1000):
            pass

    def _reset(self) -> None:
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
            self.wfile.flush()

    def _shape(self, message: Message) -> dict[str, Any]:
        created = format_datetime(message.created_at)
        return {
            "account_sid": self.fake.account_sid,
            "api_version": "2010-04-01",
            "body": message.body,
            "date_created": created,
            "date_sent": format_datetime(message.sent_at) if message.sent_at else None,
            "date_updated": created,
            "direction": message.direction,
            "error_code": message.error_code,
            "error_message": None,
            "from": message.from_phone,
            "messaging_service_sid": message.service_sid,
            "num_media": "0",
            "num_segments": str(segments_of(message.body)),
            "price": None,
            "price_unit": "USD",
            "sid": message.sid,
            "status": message.status,
            "subresource_uris": {"media": self._path(message.sid).replace(".json", "/Media.json")},
            "to": message.to,
            "uri": self._path(message.sid),
        }
