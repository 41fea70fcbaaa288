"""Opens the database so that a commit is durable and nothing waits for ever.

Make the engine after gunicorn has forked: connections must not be shared between processes.
"""

from __future__ import annotations

import math
import sqlite3
import time
from typing import Any

import psycopg2
from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from receiver.errors import SettingsInvalid
from receiver.storage.hang_watch import HangWatch
from receiver.storage.packing import Packing, use_packing

__all__ = ["READ_ONLY", "Engine", "new_engine"]

READ_ONLY = {"is_read_only": True}
"""Execution option: on SQLite a unit takes the write lock at once, a reader must not."""

_SUPPORTED = {"sqlite", "postgresql+psycopg2"}
_SQLITE_WAIT_S = 2.0
_IDLE_S = 2.0
_USED_AT = "receiver_used_at"
_PG_OPTIONS = "-c timezone=UTC -c synchronous_commit=on -c statement_timeout=5000 -c lock_timeout=900"
# A database that went away without a word is noticed in seconds; the kernel alone would wait for hours.
_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
}


def new_engine(
    url: str,
    *,
    connections: int = 5,
    wait_s: float = 2.0,
    longest_use_s: float | None = None,
    packing: Packing | None = None,
) -> Engine:
    """An engine with at most `connections` open, for which a thread waits at most `wait_s` seconds.

    With `longest_use_s` a use of a connection that takes longer fails, however it hangs; see `hang_watch.allow`.
    `packing` says how requests are stored; without it they are compressed and not encrypted.

    Takes `sqlite:///…` and `postgresql+psycopg2://…`; anything else is SettingsInvalid. Errors never show parameters,
    for those are the order.
    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        # Not the URL itself, which may hold a password.
        raise SettingsInvalid(["RECEIVER_DATABASE_URL: is not a database address"]) from None
    if parsed.drivername not in _SUPPORTED:
        raise SettingsInvalid([f"RECEIVER_DATABASE_URL: {parsed.drivername}:// is not one of {sorted(_SUPPORTED)}"])
    arguments: dict[str, Any] = {
        "hide_parameters": True,
        "pool_size": connections,
        "max_overflow": 0,
        "pool_timeout": wait_s,
    }
    on_sqlite = parsed.drivername == "sqlite"
    engine = _sqlite(parsed, longest_use_s, arguments) if on_sqlite else _postgresql(parsed, longest_use_s, arguments)
    if packing is not None:
        use_packing(engine, packing)
    return engine


def _sqlite(url: URL, longest_use_s: float | None, arguments: dict[str, Any]) -> Engine:
    engine = create_engine(
        url, connect_args={"timeout": longest_use_s or _SQLITE_WAIT_S, "isolation_level": None}, **arguments
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql(url: URL, longest_use_s: float | None, arguments: dict[str, Any]) -> Engine:
    engine = create_engine(
        url,
        connect_args={
            "connect_timeout": 3,
            **_KEEPALIVE,
            "options": _PG_OPTIONS,
            "application_name": "norce-order-receiver",
        },
        pool_recycle=1800,
        **arguments,
    )
    if longest_use_s is not None:
        HangWatch(engine, longest_use_s)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ask_if_idle)
    return engine


def _note_use(_: object, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _ask_if_idle(connection: Any, record: ConnectionPoolEntry, _: object) -> None:
    """Replace a connection that a restart of PostgreSQL cut while nobody used it.

    Without this the next order would be answered with a fault, and its sender may wait ten minutes before it repeats.
    Asking before every order would cost each a round trip.
    """
    if time.monotonic() - record.info.get(_USED_AT, math.inf) < _IDLE_S:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.rollback()
    except psycopg2.Error as error:
        raise exc.DisconnectionError from error


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # WAL lets readers work while an order is written; FULL syncs the log at every commit, which an acknowledged
    # order needs (NORMAL may lose the last commits in a power cut). What is erased is overwritten in the file.
    _switch_to_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for a lock here as it does elsewhere, and two may open a new file at once.
    deadline = time.monotonic() + _SQLITE_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: two writers that both begin as readers would otherwise deadlock and one would fail.
    is_read_only = connection.get_execution_options().get("is_read_only", False)
    connection.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")
