"""Lets few requests at a time into the part that works, while many threads read bodies.

Two orders that are decoded at once in one process only take the interpreter from each other; measured, that costs a
fifth of the throughput. The turnstile also bounds how many database connections a worker needs, and is where an
overloaded receiver says so.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from receiver.errors import TryAgainLater

PATIENCE_S = 0.5
"""How long a request waits, for a thread and then for its turn, before its sender is told to come again."""


class Turnstile:
    """Admits `places` requests at a time."""

    def __init__(self, places: int) -> None:
        self._free = threading.BoundedSemaphore(places)

    @contextmanager
    def turn(self, *, waited_s: float = 0.0) -> Iterator[None]:
        """Hold a place for the length of the block; raises TryAgainLater when none gets free in time.

        `waited_s` is what the request has waited already.
        """
        if waited_s >= PATIENCE_S or not self._free.acquire(timeout=PATIENCE_S - waited_s):
            raise TryAgainLater("the receiver is overloaded")
        try:
            yield
        finally:
            self._free.release()
