"""How a process that runs until it is told to stop learns that it is told.

Not a threading.Event: setting one from a signal handler takes a lock, which the interrupted wait may be holding.
"""

from __future__ import annotations

import os
import select
import signal
import time
from types import FrameType

_LOOK_AT_PARENT_EVERY_S = 0.5


class StopRequest:
    """Set by SIGTERM and SIGINT, and by the end of the parent process if one is named; made by the main thread.

    The number of the parent is given rather than asked for, because the parent may be gone before anybody asks.
    """

    def __init__(self, *, parent: int | None = None) -> None:
        self._parent = parent
        self._is_told = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._tell)

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._is_told or (self._parent is not None and os.getppid() != self._parent)

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep so many seconds or until it is time to stop; returns whether it is."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = _LOOK_AT_PARENT_EVERY_S if until is None else until - time.monotonic()
            if left <= 0:
                return False
            select.select([self._reader], [], [], min(left, _LOOK_AT_PARENT_EVERY_S))
        return True

    def _tell(self, _number: int, _frame: FrameType | None) -> None:
        if not self._is_told:
            self._is_told = True
            os.write(self._writer, b".")
