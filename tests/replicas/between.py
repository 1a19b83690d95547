"""A wire between a process and its PostgreSQL that can be cut, or that can fall still with everything in it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Self

from sqlalchemy import make_url

PIECE = 65_536


class Wire:
    """Listens on loopback, and passes on what is said there to a PostgreSQL and back."""

    def __init__(self, database_url: str) -> None:
        self._url = make_url(database_url)
        self._flowing, self._whole = Event(), Event()
        self._flowing.set()
        self._whole.set()
        self._ends: set[socket.socket] = set()
        self._lock = Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)

    def __enter__(self) -> Self:
        Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._flowing.set()
        self._listening.close()
        self._drop_all()

    @property
    def url(self) -> str:
        """The address of the same database, by this wire."""
        port: int = self._listening.getsockname()[1]
        return self._url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Drop every connection, and every new one at once, until the end of the block."""
        self._whole.clear()
        self._drop_all()
        try:
            yield
        finally:
            self._whole.set()

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Let nothing through until the end of the block; then everything that waited, in order."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def _listen(self) -> None:
        with suppress(OSError):  # closed: it is over
            while True:
                near, _ = self._listening.accept()
                if not self._whole.is_set():
                    near.close()
                    continue
                far = self._far_end()
                for source, sink in ((near, far), (far, near)):
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _far_end(self) -> socket.socket:
        folder = self._url.query.get("host")
        if isinstance(folder, str):
            far = socket.socket(socket.AF_UNIX)
            far.connect(f"{folder}/.s.PGSQL.{self._url.port or 5432}")
            return far
        return socket.create_connection((self._url.host or "127.0.0.1", self._url.port or 5432))

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with self._lock:
            self._ends |= {source, sink}
        with suppress(OSError):
            while self._whole.is_set() and (piece := source.recv(PIECE)):
                self._flowing.wait()
                sink.sendall(piece)
        self._drop(source, sink)

    def _drop_all(self) -> None:
        with self._lock:
            ends = list(self._ends)
        self._drop(*ends)

    def _drop(self, *ends: socket.socket) -> None:
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        with self._lock:
            self._ends -= set(ends)
