"""Somebody who hears webhooks: what the stand-in posts, as it comes over the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qsl

from reminders.messaging.twilio import SignatureCheck
from tests.messaging.wire import account


@dataclass(frozen=True, slots=True)
class Heard:
    """One webhook: where it was posted to, its form, whether the account signed it, and its idempotency token."""

    target: str
    form: dict[str, str]
    is_signed: bool
    token: str

    @property
    def status(self) -> tuple[str, str | None]:
        """The status it tells of, and the error code."""
        return self.form["MessageStatus"], self.form.get("ErrorCode")


@dataclass
class Ear:
    """What was heard so far; `answers` are HTTP statuses for the next requests, 0 for none at all; then it is 204."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    on_hearing: Callable[[], object] = lambda: None
    lock: Lock = field(default_factory=Lock)

    def statuses(self) -> list[tuple[str, str | None]]:
        """Return the statuses heard, in turn."""
        return [heard.status for heard in self.heard]


@contextmanager
def an_ear(public_url: str = "") -> Iterator[Ear]:
    """Listen on loopback; signatures are held against a public address, if there is one."""
    ear, check = Ear(), SignatureCheck(account(""))

    class Hearing(BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Hear, and answer as told."""
            form = parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
            signed = check((public_url or ear.url) + self.path, form, signature=self.headers["X-Twilio-Signature"])
            with ear.lock:
                ear.heard.append(Heard(self.path, dict(form), signed, self.headers["I-Twilio-Idempotency-Token"]))
                answer = ear.answers.pop(0) if ear.answers else 204
            ear.on_hearing()
            self.close_connection = not answer
            if answer:
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep still."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hearing) as server:
        server.daemon_threads = True
        ear.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield ear
        server.shutdown()
