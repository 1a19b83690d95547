"""Starting workers by fork from a process that has served before: a start costs milliseconds, and nothing is loaded twice."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import select
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle

import uvicorn
from sqlalchemy import Engine

from db.engine import make_engine
from reminders.clock import SystemClock
from reminders.milestones import unmarked
from tests.killing.worker import Doom, Doomed, Orders, hurried, serve
from tests.scheduling.wall import until

log = logging.getLogger(__name__)

BORN, MET = b"b", b"m"
"""What a worker says of itself: that it is put together, and that it meets its doom."""
ENOUGH = "enough"


class Worker:
    """One life of a worker, as those see it who started it. What it holds open for as long as it lives says when it is over.

    met  whether it came to the place of its doom.
    """

    def __init__(self, pid: int, lifeline: int) -> None:
        self.pid, self._lifeline = pid, lifeline
        self._clock = SystemClock()
        self._said = select.poll()
        self._said.register(lifeline, select.POLLIN | select.POLLHUP)
        self._over = self.met = False

    def is_over(self, *, within: float = 0) -> bool:
        """Whether it has ended, of its own accord or by a signal, within so many seconds."""
        latest = self._clock.monotonic() + within
        while not self._over and self._hears(latest):
            pass
        return self._over

    def meets(self, *, within: float) -> bool:
        """Whether it comes to the place of its doom within so many seconds."""
        latest = self._clock.monotonic() + within
        while not (self.met or self._over) and self._hears(latest):
            pass
        return self.met

    def _hears(self, latest: float) -> bool:
        """Whether it says something before that second, or is heard to have ended."""
        if not self._said.poll(max(0, latest - self._clock.monotonic()) * 1_000):
            return False
        said = os.read(self._lifeline, 1)
        self.met = self.met or said == MET
        self._over = not said
        return True

    def send(self, number: int) -> None:
        """Send it a signal. Its number is nobody else's until it is buried."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, whatever it does, and wait until it is gone."""
        self.send(signal.SIGKILL)
        while not self.is_over(within=1):
            pass
        os.close(self._lifeline)


class Nursery:
    """Where workers come from. Any thread may ask."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._asking = threading.Lock()

    def begin(self) -> None:
        """End the mother's own life as a worker. Those that follow are born with what she has loaded, and with nothing she was doing."""
        self._line.send(ENOUGH)
        self._line.recv()

    def bear(self, doom: Doom | None = None) -> Worker:
        """Start a worker, with its doom if it has one; return when it begins to serve."""
        with self._asking:
            self._line.send(doom)
            pid: int = self._line.recv()
            lifeline = recv_handle(self._line)
        assert os.read(lifeline, 1) == BORN, "a worker died before it began"
        return Worker(pid, lifeline)

    def bury(self, worker: Worker) -> None:
        """End a worker if it lives yet, and let the system forget it."""
        worker.kill()
        with self._asking:
            self._line.send(worker.pid)


@contextmanager
def nursery(orders: Orders, listening: socket.socket) -> Iterator[Nursery]:
    """Keep a process from which workers are forked. It serves itself at first, until it is told to `begin`.

    Workers serve on a socket that they share: whoever is alive answers. None of them outlives the block.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.killing.nursery"])
    ours, theirs = context.Pipe()
    mother = context.Process(target=_mother, args=(orders, listening, theirs), daemon=True)
    mother.start()
    theirs.close()
    try:
        yield Nursery(ours)
    finally:
        ours.close()
        mother.join()


@contextmanager
def address() -> Iterator[tuple[socket.socket, str]]:
    """Hold an address of this machine at which workers listen, all at one; who calls while none of them lives is kept waiting."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(512)
        yield listening, f"http://127.0.0.1:{listening.getsockname()[1]}"


def _mother(orders: Orders, listening: socket.socket, line: Connection) -> None:
    """Live, then bear and bury, until nobody asks any more."""
    with hurried(orders):
        engine = make_engine(orders.database_url)
        _live_until_told(orders, engine, listening, line)
        until(lambda: threading.active_count() == 1)  # a fork takes one thread along, and no lock that another held
        gc.freeze()  # what is there before the fork is shared, as long as nobody counts it
        line.send(ENOUGH)
        living: set[int] = set()
        try:
            while True:
                asked = line.recv()
                if isinstance(asked, int):
                    os.waitpid(asked, 0)
                    living.discard(asked)
                else:
                    living.add(_fork(orders, engine, listening, line, asked))
        except EOFError:
            for pid in living:
                os.kill(pid, signal.SIGKILL)


def _live_until_told(orders: Orders, engine: Engine, listening: socket.socket, line: Connection) -> None:
    def born(server: uvicorn.Server) -> None:
        def be_told() -> None:
            with suppress(EOFError):
                line.recv()
            server.should_exit = True

        threading.Thread(target=be_told, daemon=True).start()

    serve(orders, engine, listening, born=born)


def _fork(orders: Orders, engine: Engine, listening: socket.socket, line: Connection, doom: Doom | None) -> int:
    """Start a worker; say which it is, and hand over the end of a pipe that it alone holds open."""
    lifeline, held = os.pipe()
    pid = os.fork()
    if pid:
        os.close(held)
        line.send(pid)
        send_handle(line, lifeline, None)
        os.close(lifeline)
        return pid
    try:
        line.close()
        os.close(lifeline)
        passing = Doomed(doom, lambda: os.write(held, MET)) if doom else unmarked
        serve(orders, engine, listening, passing=passing, born=lambda _: os.write(held, BORN))
    except BaseException:
        log.exception("a worker died of this")
    finally:
        os._exit(1)  # by a signal, or not at all: nothing of the mother's is to be done twice
