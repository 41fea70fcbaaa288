"""Wakes relays as soon as a message was appended: LISTEN and NOTIFY on PostgreSQL, nothing but patience on SQLite.

A bell may be missed, and relays look by themselves every second, so ringing is never worth an order. It is not part of
the order's commit: PostgreSQL lets transactions that notify commit one at a time only, the wait for the disk included.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, exc

CHANNEL = "receiver_outbox"
_RING_AT_MOST_EVERY_S = 0.2


class Bell:
    """Rings after commits; shared by the threads of a process, which together ring a few times a second at most."""

    def __init__(self) -> None:
        self._rung_at = float("-inf")

    def ring(self, connection: Connection) -> None:
        """Notify the relays in a transaction of its own; failing is of no consequence."""
        now = time.monotonic()
        if connection.dialect.name != "postgresql" or now - self._rung_at < _RING_AT_MOST_EVERY_S:
            return
        self._rung_at = now
        with suppress(exc.DBAPIError):
            connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
            connection.commit()


class Ear:
    """Waits for the bell; used by one thread. `sleep` is how to wait where there is nothing to listen to."""

    def __init__(self, engine: Engine, sleep: Callable[[float], object]) -> None:
        self._engine = engine
        self._sleep = sleep
        self._listening: Any = None

    def wait(self, seconds: float) -> None:
        """Return when the bell rings, and at the latest after so many seconds."""
        if self._engine.dialect.name != "postgresql":
            self._sleep(seconds)
            return
        try:
            self._hear(seconds)
        except (exc.DBAPIError, exc.TimeoutError, self._error()):
            self.close()
            self._sleep(seconds)

    def close(self) -> None:
        """Let go of the connection; waiting opens another."""
        if self._listening is not None:
            with suppress(self._error()):
                self._listening.close()
            self._listening = None

    def _hear(self, seconds: float) -> None:
        if self._listening is None:
            self._listening = self._opened()
        ready, _, _ = select.select([self._listening], [], [], seconds)
        if ready:
            self._listening.poll()
            self._listening.notifies.clear()

    def _opened(self) -> Any:
        # Outside the pool, which is for units and would wait in vain for this one to come back.
        raw = self._engine.raw_connection()
        connection: Any = raw.driver_connection
        raw.detach()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        return connection

    def _error(self) -> type[Exception]:
        error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        return error
