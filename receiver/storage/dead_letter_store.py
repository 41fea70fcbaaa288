"""Dead letters as a person moves them: chosen, locked, and sent on with the reason.

Also the one query behind everything that shows messages to people, so that what is listed is what is moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, exists, func, insert, literal_column, select, update

from receiver.outbox.dead_letter import Choice, MessageSummary
from receiver.outbox.message import Destination, Kind, State
from receiver.storage.outbox_moves import NO_LEASE, attempt, now_of
from receiver.storage.tables import orders, outbox, outbox_attempts

REQUEUED = "requeued"
DISCARDED = "discarded"

_AT_ONCE = 500
"""Numbers in one statement; databases limit its parameters."""

_last = outbox_attempts.alias("last_attempt")
_later = outbox.alias("later")
_IS_OVERTAKEN = (
    exists()
    .where(_later.c.order_id == outbox.c.order_id, _later.c.kind == Kind.ORDER.value)
    .where(_later.c.revision > outbox.c.revision, _later.c.state == State.DELIVERED.value)
    .label("is_overtaken")
)


class DeadLetterStore:
    """Implements `ports.DeadLetters` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.has_requeued = False

    def lock(self, choice: Choice) -> list[MessageSummary]:
        """Lock first and read then: while the lock was waited for, another may have moved the messages."""
        locking = (ids_of(part).with_for_update(of=outbox) for part in _parts(choice))
        ids = [row.id for query in locking for row in self._connection.execute(query)]
        return [summary(row) for part in slices(ids) for row in self._connection.execute(summaries_of(part))]

    def move(self, message_ids: Sequence[int], to: State, *, reason: str) -> None:
        """Requeue what becomes pending, with all its attempts before it; finish what becomes discarded."""
        now = now_of(self._connection)
        is_requeued = to is State.PENDING
        again = {"attempts": 0, "due_at": now, "finished_at": None}
        values = {"state": to.value, **NO_LEASE, **(again if is_requeued else {"finished_at": now})}
        outcome = REQUEUED if is_requeued else DISCARDED
        for part in slices(message_ids):
            self._connection.execute(update(outbox).where(outbox.c.id.in_(part)).values(values))
            rows = [attempt(message_id, now, outcome, reason) for message_id in part]
            self._connection.execute(insert(outbox_attempts), rows)
        self.has_requeued |= is_requeued


def ids_of(choice: Choice) -> Select[Any]:
    """The numbers of the chosen messages, the oldest first."""
    return _narrowed(select(outbox.c.id).select_from(_with_order_and_last_attempt()), choice).order_by(outbox.c.id)


def summaries_of(message_ids: Sequence[int]) -> Select[Any]:
    """What `summary` takes, of the messages with these numbers, the oldest first."""
    own = [column for column in outbox.c if column.name in MessageSummary.__dataclass_fields__]
    return (
        select(
            *(
                outbox.c.id.label("message_id"),
                *own,
                _IS_OVERTAKEN,
                orders.c.client_order_ref,
                orders.c.application_key,
            ),
            *(_last.c.happened_at.label("last_at"), _last.c.outcome.label("last_outcome")),
            _last.c.detail.label("last_detail"),
        )
        .select_from(_with_order_and_last_attempt())
        .where(outbox.c.id.in_(message_ids))
        .order_by(outbox.c.id)
    )


def summary(row: Row[Any]) -> MessageSummary:
    """The message in a row of `summaries_of`."""
    values = dict(row._mapping)
    read = {
        "destination": Destination(row.destination),
        "kind": Kind(row.kind),
        "state": State(row.state),
        "application_key": UUID(row.application_key),
        "is_overtaken": bool(row.is_overtaken),
    }
    return MessageSummary(**values | read)


def narrowed_to(query: Select[Any], state: State) -> Select[Any]:
    """The query for messages in one state."""
    # Written into the statement, for SQLite uses a partial index only where it sees the value.
    return query.where(outbox.c.state == literal_column(f"'{state.value}'"))


def _with_order_and_last_attempt() -> Any:
    latest = select(func.max(outbox_attempts.c.id)).where(outbox_attempts.c.message_id == outbox.c.id).scalar_subquery()
    return outbox.join(orders, orders.c.id == outbox.c.order_id).outerjoin(_last, _last.c.id == latest)


def _narrowed(query: Select[Any], choice: Choice) -> Select[Any]:
    if choice.message_ids:
        return query.where(outbox.c.id.in_(choice.message_ids))
    query = narrowed_to(query, State.DEAD).limit(choice.limit)
    if choice.destination is not None:
        query = query.where(outbox.c.destination == choice.destination.value)
    if choice.kind is not None:
        query = query.where(outbox.c.kind == choice.kind.value)
    if choice.died_before is not None:
        query = query.where(outbox.c.finished_at < choice.died_before)
    if choice.error is not None:
        query = query.where(_last.c.detail.icontains(choice.error, autoescape=True))
    if choice.client_order_ref is not None:
        query = query.where(orders.c.client_order_ref == choice.client_order_ref)
    return query


def _parts(choice: Choice) -> Iterable[Choice]:
    if not choice.message_ids:
        return (choice,)
    # In one order for everybody: two operators with the same messages then wait instead of blocking each other.
    return (replace(choice, message_ids=part) for part in slices(sorted(set(choice.message_ids))))


def slices(message_ids: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The numbers in parts that fit into a statement."""
    for start in range(0, len(message_ids), _AT_ONCE):
        yield tuple(message_ids[start : start + _AT_ONCE])
