"""Doseline served to a browser by a process of its own, with the sandbox for its carrier, at an hour that a test chooses."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context

import pytest
import uvicorn

from db.engine import make_engine
from reminders import bootstrap, chores
from reminders.clock import SystemClock
from reminders.services import sandboxing
from reminders.settings import Settings
from reminders.web.app import UVICORN
from tests.replicas.serving import address, stop, url_of
from tests.scheduling.wall import Wall, on_the_wall


@dataclass(frozen=True)
class Served:
    """A process that serves.

    url    where a browser asks it.
    clock  a clock that shows what the process's does.
    """

    url: str
    clock: Wall


@contextmanager
def served(database_url: str, *, at: datetime, log: str = os.devnull) -> Iterator[Served]:
    """Serve a ledger as `doseline serve` does, on a clock that begins at an instant and runs as the machine's does."""
    ahead = at - SystemClock().now()
    with address() as listening:
        process = get_context("forkserver").Process(target=_serve, args=(database_url, ahead, listening, log), daemon=True)
        process.start()
        try:
            yield Served(url_of(listening), Wall(SystemClock().now() + ahead))
        finally:
            stop(process)


def _serve(database_url: str, ahead: timedelta, listening: socket.socket, log: str) -> None:
    logging.basicConfig(filename=log, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    environ = {"DATABASE_URL": database_url, "DOSELINE_TRANSPORT": "sandbox", "DOSELINE_PORT": str(listening.getsockname()[1])}
    settings = Settings.from_environ(environ)
    with pytest.MonkeyPatch.context() as patches:
        clock = on_the_wall(Wall(SystemClock().now() + ahead), patches)
        engine, sender = make_engine(database_url), chores.Sender()
        moved = sandboxing.clock_of(engine, clock)
        transport = bootstrap.transport_of(settings, moved)
        running = bootstrap.assemble(settings, engine, clock, transport, sender, moved=moved)
        uvicorn.Server(uvicorn.Config(running.app, **UVICORN)).run(sockets=[listening])
        sender.run(transport.aclose())
        sender.stop()
        engine.dispose()
