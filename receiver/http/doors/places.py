"""Keeps room for orders: few requests may be inside the doors at once, and one of them works with the database.

A worker's threads and connections belong to the SOAP path first, whose sender may wait ten minutes before it repeats;
whoever finds the doors full is told so at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from receiver.errors import TryAgainLater
from receiver.http.turnstile import Turnstile

WORKED_AT_ONCE = 1
"""Requests of the doors that work with the database; the engine has a connection for each."""

_MOST_INSIDE = 4


class Places:
    """Room for the requests of both doors in one worker; safe to share between threads."""

    def __init__(self, *, threads: int) -> None:
        """Half of the worker's threads, at most, may be inside."""
        self._inside = threading.BoundedSemaphore(max(1, min(_MOST_INSIDE, threads // 2)))
        self._work = Turnstile(WORKED_AT_ONCE)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Be inside for the length of the block; raises TryAgainLater at once when the doors are full."""
        if not self._inside.acquire(blocking=False):
            raise TryAgainLater("too many reports and questions at once")
        try:
            yield
        finally:
            self._inside.release()

    def work(self) -> AbstractContextManager[None]:
        """Work with the database for the length of the block; raises TryAgainLater when others take too long."""
        return self._work.turn()
