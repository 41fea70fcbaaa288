"""One transaction over orders, outbox and refused receipts, and the one door through which database errors leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo

from sqlalchemy import Connection, Engine, exc

from receiver import logs
from receiver.errors import SettingsInvalid, TryAgainLater
from receiver.storage.bell import Bell
from receiver.storage.dead_letter_store import DeadLetterStore
from receiver.storage.erasure_store import ErasureStore
from receiver.storage.hang_watch import BYTES_A_SECOND, allow
from receiver.storage.order_store import OrderStore
from receiver.storage.outbox_store import OutboxStore
from receiver.storage.refused_receipt_store import RefusedReceiptStore

_TROUBLE = (exc.OperationalError, exc.InterfaceError, exc.InternalError)
_SEARCH_S = 5.0
"""Nobody who posts an order waits for a search, and PostgreSQL itself ends those that take longer."""

_NO_RIGHT = "42501"
"""PostgreSQL's insufficient_privilege."""


class SqlUnit:
    """Implements `ports.Unit` on one connection."""

    def __init__(self, connection: Connection, *, sender_zone: tzinfo, bell: Bell) -> None:
        self._connection = connection
        self._bell = bell
        self.orders = OrderStore(connection, sender_zone=sender_zone)
        self.outbox = OutboxStore(connection)
        self.dead_letters = DeadLetterStore(connection)
        self.refused_receipts = RefusedReceiptStore(connection)
        self.erasures = ErasureStore(connection)

    def commit(self) -> None:
        """Commit; on return the data is on disk, as far as the database promises it, and relays are awake."""
        self._connection.commit()
        if self.orders.has_appended or self.outbox.has_appended or self.dead_letters.has_requeued:
            self._bell.ring(self._connection)


class SqlUnits:
    """Implements `ports.Units` on an engine; safe to share between threads.

    `sender_zone` is where a submission time without offset is read.
    """

    def __init__(self, engine: Engine, *, sender_zone: tzinfo) -> None:
        self._engine = engine
        self._sender_zone = sender_zone
        self._bell = Bell()

    @contextmanager
    def begin(self, *, size: int = 0) -> Iterator[SqlUnit]:
        """A unit that rolls back unless it commits; raises TryAgainLater for trouble that is not the order's fault."""
        with database_trouble(), self._engine.connect() as connection:
            allow(connection, seconds=size / BYTES_A_SECOND)
            yield SqlUnit(connection, sender_zone=self._sender_zone, bell=self._bell)

    def close(self) -> None:
        """Close the pool's idle connections."""
        self._engine.dispose()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for queries that change nothing; raises TryAgainLater as a unit does."""
    with database_trouble(), engine.connect() as connection:
        allow(connection, seconds=_SEARCH_S)
        yield connection


@contextmanager
def database_trouble() -> Iterator[None]:
    """Turn the database being away, overloaded or full into TryAgainLater; programming errors pass through.

    What the driver says of a statement is noted by its class and code only, for PostgreSQL quotes whole rows. What it
    says of a failed connection holds no order, and is what the operator needs.
    """
    try:
        yield
    except exc.TimeoutError as error:
        logs.note(logs.DATABASE_FAILED, cause="no free connection")
        raise TryAgainLater("the order database is overloaded") from error
    except exc.DBAPIError as error:
        cause = error.orig
        code = getattr(cause, "pgcode", None) or getattr(cause, "sqlite_errorname", None)
        if code == _NO_RIGHT:
            raise SettingsInvalid(
                ["RECEIVER_DATABASE_URL: this user lacks a right on the database or its schema"]
            ) from error
        if not isinstance(error, _TROUBLE) and type(error) is not exc.DatabaseError:
            raise
        detail = str(cause).strip() if error.statement is None else None
        logs.note(logs.DATABASE_FAILED, cause=type(cause).__name__, code=code, detail=detail)
        raise TryAgainLater("the order database cannot be reached or is overloaded") from error
