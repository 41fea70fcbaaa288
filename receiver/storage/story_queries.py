"""An order's story: what came in, what went out, and what became of each attempt, in the order of time.

Reads only, as `OrderQueries` does. The history is timed by the receiver that took the order, messages and attempts by
the database, so entries that are closer than the clocks agree may change places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from receiver.outbox.message import Destination
from receiver.storage.engine import READ_ONLY
from receiver.storage.tables import order_history, outbox, outbox_attempts
from receiver.storage.unit_of_work import reading

APPENDED = "appended"
"""The event of a message that was put into the outbox."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened to an order.

    `event` is received, repeated or revised, with the history's counts in `notes`; or appended, for a message that was
    put into the outbox; or what became of an attempt to deliver that message (an `Outcome`, lease_lost, requeued,
    discarded), with the reason in `detail`. `revision` is None for reports; `key` is None for all but reports.
    """

    happened_at: datetime
    event: str
    revision: int | None
    notes: dict[str, int] | None = None
    message_id: int | None = None
    destination: str | None = None
    kind: str | None = None
    key: str | None = None
    detail: str | None = None
    milliseconds: int | None = None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What the ERP reported about an order: the message as JSON, and where it stands on its way to Norce."""

    message_id: int
    kind: str
    key: str
    state: str
    attempts: int
    payload: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None


class StoryQueries:
    """Questions about an order's life; each raises TryAgainLater when the database cannot answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**READ_ONLY)

    def timeline(self, order_id: int) -> list[TimelineEntry]:
        """Everything that happened, the first first; of what happened at one instant, the cause before the effect."""
        with reading(self._engine) as connection:
            parts = (_history, _messages, _attempts)
            entries = [entry for part in parts for entry in part(connection, order_id)]
        # Sorting keeps the order of what is equal.
        return sorted(entries, key=lambda entry: entry.happened_at)

    def reports(self, order_id: int) -> list[ReportRow]:
        """What was reported about the order, in the order in which it goes to Norce."""
        names = ("kind", "key", "state", "attempts", "payload", "created_at", "finished_at")
        query = (
            select(outbox.c.id.label("message_id"), *(outbox.c[name] for name in names))
            .where(outbox.c.order_id == order_id, outbox.c.destination == Destination.NORCE.value)
            .order_by(outbox.c.id)
        )
        with reading(self._engine) as connection:
            return [ReportRow(**row._mapping) for row in connection.execute(query)]


def _history(connection: Connection, order_id: int) -> Iterator[TimelineEntry]:
    columns = order_history.c
    query = (
        select(columns.happened_at, columns.event, columns.revision, columns.detail.label("notes"))
        .where(columns.order_id == order_id)
        .order_by(columns.id)
    )
    return (TimelineEntry(**row._mapping) for row in connection.execute(query))


def _messages(connection: Connection, order_id: int) -> Iterator[TimelineEntry]:
    columns = outbox.c
    query = (
        select(columns.created_at, columns.revision, columns.id, columns.destination, columns.kind, columns.key)
        .where(columns.order_id == order_id)
        .order_by(columns.id)
    )
    return (
        TimelineEntry(
            row.created_at,
            APPENDED,
            row.revision,
            message_id=row.id,
            destination=row.destination,
            kind=row.kind,
            key=row.key,
        )
        for row in connection.execute(query)
    )


def _attempts(connection: Connection, order_id: int) -> Iterator[TimelineEntry]:
    columns = outbox_attempts.c
    query = (
        select(
            *(columns.happened_at, columns.outcome.label("event"), columns.message_id, columns.detail),
            *(columns.milliseconds, outbox.c.revision, outbox.c.destination, outbox.c.kind, outbox.c.key),
        )
        .join(outbox, outbox.c.id == columns.message_id)
        .where(outbox.c.order_id == order_id)
        .order_by(columns.id)
    )
    return (TimelineEntry(**row._mapping) for row in connection.execute(query))
