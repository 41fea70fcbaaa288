"""Ends what is asked of a database that no longer answers.

A driver waits for PostgreSQL as long as the connection stands, and the kernel keeps it standing while the other host
acknowledges packets, whether or not anybody there works on the query. One thread in each process looks at the
connections in use and shuts down those that are late; the driver then fails at once, in a COMMIT too, whose outcome
nobody knows then.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

LONGEST_CONNECT_S = 0.7
BYTES_A_SECOND = 1_000_000
"""An order this large gets a second more: slow is not hung, and it would be as slow at each repeat."""

_LOOK_EVERY_S = 0.05
_CONNECTORS = 4
_KEY = "receiver_hang_watch"


@dataclass(slots=True)
class _Use:
    """A connection's socket, and when its use is over at the latest; None while nobody uses it."""

    # A second descriptor of the same socket, so that it cannot become another file's number meanwhile.
    socket: socket.socket
    ends_at: float | None = None


class HangWatch:
    """Watches the connections of one engine; nothing of it runs before the first of them is opened."""

    def __init__(self, engine: Engine, longest_use_s: float) -> None:
        self._longest_use_s = longest_use_s
        self._watched: dict[int, _Use] = {}
        self._connectors = ThreadPoolExecutor(_CONNECTORS, "database-connect")
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "connect", self._begin)
        # Before the question that is put to idle connections, which is the first thing that may hang.
        event.listen(engine, "checkout", self._resume)
        event.listen(engine, "checkin", self._pause)
        event.listen(engine, "close", self._end)

    def _connect(self, _: object, __: object, positional: Any, named: Any) -> Any:
        """Connect in a thread that may be left behind; a bounded few of them can hang at a time."""
        future = self._connectors.submit(psycopg2.connect, *positional, **named)
        try:
            return future.result(LONGEST_CONNECT_S)
        except TimeoutError:
            if not future.cancel():
                future.add_done_callback(_close_late)
            raise psycopg2.OperationalError(f"no connection within {LONGEST_CONNECT_S} s") from None

    def _begin(self, connection: Any, record: ConnectionPoolEntry) -> None:
        use = _Use(socket.socket(fileno=os.dup(connection.fileno())), time.monotonic() + self._longest_use_s)
        record.info[_KEY] = use
        self._watched[id(use)] = use
        self._start()

    def _resume(self, _: object, record: ConnectionPoolEntry, __: object) -> None:
        record.info[_KEY].ends_at = time.monotonic() + self._longest_use_s

    def _pause(self, _: object, record: ConnectionPoolEntry) -> None:
        # One that was cut has been closed and has nothing here any more.
        if use := record.info.get(_KEY):
            use.ends_at = None

    def _end(self, _: object, record: ConnectionPoolEntry) -> None:
        if use := record.info.pop(_KEY, None):
            del self._watched[id(use)]
            use.socket.close()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="hang-watch", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_S)
            now = time.monotonic()
            late = [use for use in list(self._watched.values()) if use.ends_at is not None and now > use.ends_at]
            for use in late:
                with suppress(OSError):
                    use.socket.shutdown(socket.SHUT_RDWR)


def allow(connection: Connection, *, seconds: float) -> None:
    """Give the use of a connection so much more time, where it is watched at all."""
    use: _Use | None = connection.info.get(_KEY)
    if use is not None and use.ends_at is not None:
        use.ends_at += seconds


def _close_late(future: Future[Any]) -> None:
    if not future.exception():
        future.result().close()
