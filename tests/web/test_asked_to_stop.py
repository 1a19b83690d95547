from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

from reminders.web.app import ANSWERING_SECONDS
from reminders.web.bodies import READING_SECONDS
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN, FakeTwilio
from tests.scheduling.wall import until

DOSELINE = Path(sys.executable).with_name("doseline")
STARTING_SECONDS = 90
WINDING_UP = 3
"""Seconds for all that is not answering, on a machine that may have much else to do."""


@contextmanager
def serving(database_url: str, twilio: FakeTwilio, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run `doseline serve` as an operator does; return the process and its port once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "DATABASE_URL": database_url,
        "DOSELINE_PORT": str(port),
        "DOSELINE_TRANSPORT": "twilio",
        "PUBLIC_URL": "https://doseline.example",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_API_BASE_URL": twilio.url,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": OUR_NUMBER,
    }
    process = subprocess.Popen([DOSELINE, "serve"], cwd=folder, env=settings, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(port), within=STARTING_SECONDS)
        yield process, port
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    """Whether somebody answers there."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def a_slow_caller(port: int) -> Iterator[None]:
    """Begin to bring a text, and be in the middle of it for the length of the block."""
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(
            b"POST /sms/inbound HTTP/1.1\r\nHost: doseline.example\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"
        )
        assert caller.recv(1_000).startswith(b"HTTP/1.1 100")  # somebody waits for the rest
        yield


def test_a_slow_caller_keeps_nobody_from_stopping(sqlite_url: str, tmp_path: Path) -> None:
    """A process that is asked to stop while somebody brings it half a text has stopped within seconds, sooner than it gives up reading."""
    with FakeTwilio() as twilio, serving(sqlite_url, twilio, tmp_path) as (process, port), a_slow_caller(port):
        process.send_signal(signal.SIGTERM)
        took = until(lambda: process.poll() is not None, within=2 * READING_SECONDS)

    assert (process.returncode, took < ANSWERING_SECONDS + WINDING_UP < READING_SECONDS) == (-signal.SIGTERM, True), took
