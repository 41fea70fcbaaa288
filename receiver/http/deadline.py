"""Ends bodies that take too long, however steadily they drip, and those that are slow while too many are.

gunicorn waits for the next byte as long as it takes, and a timeout on the socket starts anew with every byte. One
thread in each worker looks at the connections whose body is being read and closes their reading side when their time is
up; the body then ends early, and its sender can still be answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from socket import SHUT_RD, socket

from receiver.errors import TryAgainLater

LONGEST_BODY_S = 60.0
"""Time for a whole body: what WCF gives a whole call."""


SLOW_AFTER_S = 0.15
"""A body that takes a thread longer than this is a slow one."""


@dataclass(slots=True)
class _Reading:
    """One body that is being read; `is_crowded_out` once it was ended to make room."""

    connection: socket
    began_at: float
    is_crowded_out: bool = False


class BodyDeadline:
    """Watches the connections of one process; safe to share between threads.

    Of the worker's threads `slow_places` may read slow bodies. The newest slow bodies beyond that are ended, and
    whoever sent one is asked to send it again.
    """

    def __init__(self, seconds: float = LONGEST_BODY_S, *, slow_places: int = 4, look_every_s: float = 0.05) -> None:
        self._seconds = seconds
        self._slow_places = slow_places
        self._look_every_s = look_every_s
        self._watched: dict[int, _Reading] = {}
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    @contextmanager
    def over(self, connection: socket | None, *, is_slow: bool = False) -> Iterator[None]:
        """Watch a connection for the length of the block; there is none where the server hands out no socket.

        `is_slow` tells that the body is late already. Raises TryAgainLater in place of what reading raised when the
        body was crowded out.
        """
        if connection is None:
            yield
            return
        reading = _Reading(connection, time.monotonic() - (SLOW_AFTER_S if is_slow else 0))
        if is_slow and len(self._slow()) >= self._slow_places:
            raise _crowded()
        self._start()
        self._watched[id(reading)] = reading
        try:
            yield
        finally:
            del self._watched[id(reading)]
            if reading.is_crowded_out:
                raise _crowded()

    def _start(self) -> None:
        # With the first body and not before, because a thread does not survive the fork of a worker.
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="body-deadline", daemon=True)
                self._thread.start()

    def _slow(self) -> list[_Reading]:
        """The slow bodies, oldest first."""
        now = time.monotonic()
        slow = [each for each in list(self._watched.values()) if now - each.began_at >= SLOW_AFTER_S]
        return sorted(slow, key=lambda each: each.began_at)

    def _look(self) -> None:
        while True:
            time.sleep(self._look_every_s)
            slow = self._slow()
            for reading in slow[self._slow_places :]:
                reading.is_crowded_out = True
            now = time.monotonic()
            for reading in (each for each in slow if each.is_crowded_out or now - each.began_at > self._seconds):
                with suppress(OSError):
                    reading.connection.shutdown(SHUT_RD)


def _crowded() -> TryAgainLater:
    return TryAgainLater("too many slow requests at once")
