"""Where replicas run: one PostgreSQL, a stand-in for Twilio, and an address at which they listen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from socket import socket

import pytest
from sqlalchemy import Engine

from tests.fake_twilio.server import FakeTwilio
from tests.replicas.serving import Orders, address, start, url_of


@dataclass(frozen=True)
class Site:
    """What replicas share."""

    engine: Engine
    twilio: FakeTwilio
    listening: socket
    orders: Orders

    def start(self, orders: Orders | None = None) -> ForkServerProcess:
        """Start a replica at the shared address."""
        return start(orders or self.orders, self.listening)

    def has_accepted(self, messages: int) -> bool:
        """Whether the carrier has accepted so many messages."""
        return len(self.twilio.messages) >= messages


@pytest.fixture
def site(postgres_engine: Engine, tmp_path: Path) -> Iterator[Site]:
    """A place for replicas, whose log pytest keeps for a while."""
    url, log = postgres_engine.url.render_as_string(hide_password=False), str(tmp_path / "replicas.log")
    with FakeTwilio() as twilio, address() as listening:
        yield Site(postgres_engine, twilio, listening, Orders(url, twilio.url, url_of(listening), log=log))
