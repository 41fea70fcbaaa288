"""The outbox as people look at it: what waits and for how long, what died and why, and all about one message.

Reads only, and never takes SQLite's write lock. Messages that are done are counted on request only: they are never
deleted, and counting millions of them is work for the database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from receiver.outbox.dead_letter import Choice, MessageSummary
from receiver.outbox.message import Destination, Kind, State
from receiver.storage.dead_letter_store import ids_of, narrowed_to, slices, summaries_of, summary
from receiver.storage.engine import READ_ONLY
from receiver.storage.tables import orders, outbox, outbox_attempts
from receiver.storage.unit_of_work import reading

_NEEDS_SOMETHING = (State.PENDING, State.LEASED, State.DEAD)
_DONE = (State.DELIVERED, State.DISCARDED)


@dataclass(frozen=True, slots=True)
class CountOfMessages:
    """How many messages to one destination are in one state, and since when the oldest of them is in the outbox."""

    destination: Destination
    state: State
    messages: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class LeasedMessage:
    """A message that a relay holds, at most until `leased_until`."""

    message_id: int
    destination: Destination
    kind: Kind
    client_order_ref: str
    leased_until: datetime


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How the outbox stands; without counts of what is done unless those were asked for."""

    counts: tuple[CountOfMessages, ...]
    leased: tuple[LeasedMessage, ...]


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt to deliver a message, or what a person decided about it; then `detail` is the reason."""

    happened_at: datetime
    outcome: str
    detail: str | None
    milliseconds: int | None


class OutboxQueries:
    """Questions about messages; each raises TryAgainLater when the database cannot answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**READ_ONLY)

    def status(self, *, is_whole: bool = False) -> OutboxStatus:
        """How the outbox stands; with `is_whole` delivered and discarded messages are counted too."""
        states = (*_NEEDS_SOMETHING, *_DONE) if is_whole else _NEEDS_SOMETHING
        with reading(self._engine) as connection:
            counts = [count for state in states for count in _counts(connection, state)]
            return OutboxStatus(tuple(sorted(counts, key=lambda each: each.destination)), _leased(connection))

    def dead(self, choice: Choice) -> tuple[list[MessageSummary], int]:
        """The chosen messages, the oldest first, and how many there would be without the choice's limit."""
        everything = ids_of(replace(choice, limit=None)).order_by(None).subquery()
        with reading(self._engine) as connection:
            total = connection.execute(select(func.count()).select_from(everything)).scalar_one()
            ids = connection.execute(ids_of(choice)).scalars().all()
            parts = (connection.execute(summaries_of(part)) for part in slices(ids))
            return [summary(row) for rows in parts for row in rows], total

    def find(self, message_id: int) -> MessageSummary | None:
        """The message in whatever state, or None where there is none with this number."""
        with reading(self._engine) as connection:
            row = connection.execute(summaries_of((message_id,))).one_or_none()
        return None if row is None else summary(row)

    def payload(self, message_id: int) -> dict[str, Any] | None:
        """A report's JSON; None for an order, whose content the order keeps."""
        with reading(self._engine) as connection:
            found: dict[str, Any] | None = connection.execute(
                select(outbox.c.payload).where(outbox.c.id == message_id)
            ).scalar_one_or_none()
        return found

    def attempts(self, message_id: int) -> list[AttemptRow]:
        """Everything that was tried and decided, the first first."""
        columns = (outbox_attempts.c[name] for name in ("happened_at", "outcome", "detail", "milliseconds"))
        query = select(*columns).where(outbox_attempts.c.message_id == message_id).order_by(outbox_attempts.c.id)
        with reading(self._engine) as connection:
            return [AttemptRow(**row._mapping) for row in connection.execute(query)]


def _counts(connection: Connection, state: State) -> list[CountOfMessages]:
    query = select(outbox.c.destination, func.count().label("messages"), func.min(outbox.c.created_at).label("oldest"))
    rows = connection.execute(narrowed_to(query, state).group_by(outbox.c.destination))
    return [CountOfMessages(Destination(row.destination), state, row.messages, row.oldest) for row in rows]


def _leased(connection: Connection) -> tuple[LeasedMessage, ...]:
    query = (
        select(outbox.c.id, outbox.c.destination, outbox.c.kind, outbox.c.leased_until, orders.c.client_order_ref)
        .join(orders, orders.c.id == outbox.c.order_id)
        .order_by(outbox.c.leased_until, outbox.c.id)
    )
    return tuple(
        LeasedMessage(row.id, Destination(row.destination), Kind(row.kind), row.client_order_ref, row.leased_until)
        for row in connection.execute(narrowed_to(query, State.LEASED))
    )
