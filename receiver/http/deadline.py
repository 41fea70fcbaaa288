"""Ends bodies that take too long, however steadily they drip.

gunicorn waits for the next byte as long as it takes, and a timeout on the socket starts anew with every byte. One
thread in each worker looks once a second at the connections whose body is being read and closes their reading side when
their time is up; the body then ends early, and its sender can still be answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RD, socket

LONGEST_BODY_S = 60.0
"""Time for a whole body: what WCF gives a whole call."""


class BodyDeadline:
    """Watches the connections of one process; safe to share between threads."""

    def __init__(self, seconds: float = LONGEST_BODY_S, *, look_every_s: float = 1.0) -> None:
        self._seconds = seconds
        self._look_every_s = look_every_s
        self._watched: dict[int, tuple[float, socket]] = {}
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    @contextmanager
    def over(self, connection: socket | None) -> Iterator[None]:
        """Watch a connection for the length of the block; there is none where the server hands out no socket."""
        if connection is None:
            yield
            return
        self._start()
        key = id(connection)
        self._watched[key] = (time.monotonic() + self._seconds, connection)
        try:
            yield
        finally:
            del self._watched[key]

    def _start(self) -> None:
        # With the first body and not before, because a thread does not survive the fork of a worker.
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="body-deadline", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        while True:
            time.sleep(self._look_every_s)
            now = time.monotonic()
            late = [connection for deadline, connection in list(self._watched.values()) if now > deadline]
            for connection in late:
                with suppress(OSError):
                    connection.shutdown(SHUT_RD)
