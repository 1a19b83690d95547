"""Signed webhooks beside a herd: ours against a bare FastAPI route that checks the signature and inserts one row.

Both are asked over HTTP by one client process, on SQLite and on PostgreSQL, while the same loop of ours works off the same herd
in the serving process: 2,000 doses at one minute, each decided, sent and reported delivered. Ours reads each text, settles the
patient's dose and queues what follows; the peer keeps a row. A wait counts from the instant at which a request was to leave.
"""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread, local
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Request
from sqlalchemy import Column, Engine, MetaData, String, Table, create_engine, event, insert
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from twilio.request_validator import RequestValidator

sys.path.insert(0, str(Path(__file__).parents[1]))

from db.engine import make_engine, migrate
from reminders.bootstrap import assemble
from reminders.chores import Sender
from reminders.clock import SystemClock
from reminders.messaging.pacing import Pace
from reminders.messaging.sandbox import SandboxTransport
from reminders.services import measuring
from reminders.settings import Settings
from reminders.web.webhooks import NO_WORDS
from tests.databases import running_postgres
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN
from tests.fake_twilio.webhooks import FORM, inbound_form, signature_of
from tests.scheduling.enrolled import count, due_at, enrol

DUE = 2_000
ASKED, RATE, CONNECTIONS = 500, 50, 8  # requests, a second, at once
UNPACED = 1_000
PATH = "/sms/inbound"
MINUTE = timedelta(minutes=1)
CLOCK = SystemClock()
PEER = Table("peer_text", MetaData(), Column("sid", String, primary_key=True), Column("body", String))


@dataclass(frozen=True)
class Answers:
    """What a client saw: the waits in seconds, how many were refused, and the seconds that all took."""

    waits: list[float]
    refused: int
    seconds: float


@dataclass(frozen=True)
class Measured:
    """Waits in seconds beside the herd, requests a second without one, and how many were refused."""

    waits: list[float]
    rate: float
    refused: int

    def part(self, share: float) -> float:
        """The wait, in milliseconds, that a share of the requests did not exceed."""
        return sorted(self.waits)[int(len(self.waits) * share)] * 1000

    def __str__(self) -> str:
        refused = f"; {self.refused} refused" if self.refused else ""
        return f"p50 {self.part(0.5):6.1f} ms, p99 {self.part(0.99):7.1f} ms beside the herd; {self.rate:5.0f} a second without{refused}"


def phones() -> list[str]:
    """As many numbers as there are patients; each of them is set aside for fiction."""
    return [f"+1{area}55501{end:02}" for area in range(301, 301 + DUE // 100) for end in range(100)]


def peer_app(url: str, public_url: str) -> FastAPI:
    """Make the peer: a route that checks the signature and inserts a row, on an engine of its own with the same promises to the disk."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def prepare(connection: object, _: object) -> None:
            connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000")  # type: ignore[attr-defined]  # sqlite3's

    app, validator = FastAPI(), RequestValidator(TOKEN)

    def keep(sid: str, body: str) -> None:
        with engine.begin() as connection:
            connection.execute(insert(PEER).values(sid=sid, body=body))

    @app.post(PATH)
    async def inbound(request: Request) -> Response:
        form = await request.form()
        if not validator.validate(public_url + PATH, form, request.headers.get("X-Twilio-Signature", "")):
            return Response(status_code=403)
        await run_in_threadpool(keep, str(form["MessageSid"]), str(form["Body"]))
        return Response(NO_WORDS, media_type="text/xml")

    return app


@contextmanager
def served(app: FastAPI, listening: socket.socket) -> Iterator[None]:
    """Serve an app on a socket, in a thread of this process."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def client(url: str, number: int, rate: int, first: int) -> Answers:
    """Post signed texts, each from another patient, at a rate a second (0: as fast as they are answered)."""
    address = url.removeprefix("http://")
    kept = local()
    began = CLOCK.monotonic()

    def ask(index: int) -> tuple[float, int]:
        form = inbound_form(account_sid=ACCOUNT, sid=f"SM{first + index}", from_phone=phones()[index % DUE], to_phone=OUR_NUMBER, body="1")
        headers = {"Content-Type": FORM, "X-Twilio-Signature": signature_of(TOKEN, url + PATH, form)}
        body = urlencode(form)
        planned = began + index / rate if rate else CLOCK.monotonic()
        Event().wait(max(0.0, planned - CLOCK.monotonic()))
        kept.connection = getattr(kept, "connection", None) or HTTPConnection(address, timeout=60)
        try:
            kept.connection.request("POST", PATH, body, headers)
            answer = kept.connection.getresponse()
            answer.read()
        except (HTTPException, OSError):
            kept.connection = None
            return CLOCK.monotonic() - planned, 0
        return CLOCK.monotonic() - planned, answer.status

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = list(pool.map(ask, range(number)))
    return Answers([wait for wait, _ in answers], sum(status != HTTPStatus.OK for _, status in answers), CLOCK.monotonic() - began)


def asked(url: str, number: int, rate: int, first: int) -> Answers:
    """Let a process of its own ask."""
    command = [sys.executable, __file__, "client", url, str(number), str(rate), str(first)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    return Answers(**json.loads(done.stdout))


def measure(database_url: str, *, peer: bool) -> Measured:
    """Measure one of the two on a fresh ledger: beside a herd first, and then alone."""
    engine, now = make_engine(database_url), CLOCK.now().replace(second=0, microsecond=0)
    migrate(engine)
    PEER.create(engine)
    enrol(engine, due_at(now), now=now - MINUTE, patients=DUE, phones=phones())
    with socket.socket() as listening, ExitStack() as stack:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        sender = Sender()
        stack.callback(sender.stop)
        ours = assemble(settings(database_url, url), engine, CLOCK, SandboxTransport(CLOCK), sender, pace=Pace(100_000))
        if peer:
            ours.loop.start()
            stack.callback(ours.loop.stop)
        stack.enter_context(served(peer_app(database_url, url) if peer else ours.app, listening))
        beside = asked(url, ASKED, RATE, 0)
        wait_for(lambda: is_worked_off(engine))
        alone = asked(url, UNPACED, 0, ASKED)
    engine.dispose()
    return Measured(beside.waits, UNPACED / alone.seconds, beside.refused + alone.refused)


def is_worked_off(engine: Engine) -> bool:
    """Whether every dose is on record and no text waits to leave. Who answers before the reminder left needs none."""
    waiting = measuring.figures(engine, now=CLOCK.now()).waiting
    return count(engine, "dose") >= DUE and not sum(waiting.values())


def settings(database_url: str, public_url: str) -> Settings:
    """Read the settings of a process that believes the stand-in's account."""
    return Settings.from_environ(
        {
            "DATABASE_URL": database_url,
            "DOSELINE_TRANSPORT": "twilio",
            "PUBLIC_URL": public_url,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": OUR_NUMBER,
            "TWILIO_API_BASE_URL": "http://127.0.0.1:1",
        }
    )


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is so, for two minutes at most."""
    ends = CLOCK.monotonic() + 120
    while not true():
        assert CLOCK.monotonic() < ends, "the herd was not worked off"
        Event().wait(0.1)


def compare(name: str, urls: Iterator[str]) -> None:
    """Print both figures and their ratio, on one kind of database."""
    ours, peer = measure(next(urls), peer=False), measure(next(urls), peer=True)
    print(f"{name:10}  ours  {ours}")
    print(f"{'':10}  peer  {peer}")
    print(f"{'':10}  ratio {ours.part(0.99) / peer.part(0.99):.2f} of the peer's p99, {ours.part(0.5) / peer.part(0.5):.2f} of its p50")


if __name__ == "__main__":
    if sys.argv[1:2] == ["client"]:
        print(json.dumps(asdict(client(sys.argv[2], *map(int, sys.argv[3:])))))
        sys.exit()
    logging.disable(logging.ERROR)  # lines about jobs that start late are no part of the figures
    print(f"{ASKED} signed texts at {RATE} a second beside {DUE:,} doses that fall due at one minute; target p99 <= 200 ms")
    with tempfile.TemporaryDirectory() as folder:
        compare("SQLite", iter([f"sqlite:///{folder}/ours.db", f"sqlite:///{folder}/peer.db"]))
    with running_postgres() as one, running_postgres() as other:
        compare("PostgreSQL", iter([one, other]))
