"""Ends what a library waits for without an end of its own: a second thread hangs up its socket.

Timeouts on the socket would not do: they begin anew with each piece that arrives, and TLS does not heed them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_AGAIN_S = 0.2


class TimeLimit:
    """A context that calls `hang_up` when so many seconds have passed, and again until it is left."""

    def __init__(self, seconds: float, hang_up: Callable[[], None]) -> None:
        self.has_passed = False
        self._seconds = seconds
        self._hang_up = hang_up
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="time-limit", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        seconds = self._seconds
        while not self._is_over.wait(seconds):
            self.has_passed = True
            self._hang_up()
            # A socket that was still connecting has no one to hang up on.
            seconds = _AGAIN_S
