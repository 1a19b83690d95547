"""Starting workers by fork from a process that has loaded everything: a start costs milliseconds, not seconds."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess

from tests.killing.worker import Orders, serve


def start(orders: Orders, listening: socket.socket) -> ForkServerProcess:
    """Start a worker that serves on a socket, which it may share with others: whoever is alive answers."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.killing.worker"])
    process = context.Process(target=serve, args=(orders, listening), daemon=True)
    process.start()
    return process


@contextmanager
def address() -> Iterator[tuple[socket.socket, str]]:
    """Hold an address of this machine at which workers listen, all at one; who calls while none of them lives is kept waiting."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(512)
        yield listening, f"http://127.0.0.1:{listening.getsockname()[1]}"
