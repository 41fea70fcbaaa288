"""Erases personal data from orders and refused receipts. Rows, keys, fingerprints, amounts and the history stay.

The fingerprint is what a late repeat is recognised by; the reference is what the night call is about.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Select, insert, literal, select, update

from receiver.outbox.message import State
from receiver.storage.outbox_moves import NO_LEASE, attempt, now_of
from receiver.storage.packing import ERASED
from receiver.storage.tables import (
    order_history,
    order_lines,
    order_payloads,
    orders,
    outbox,
    outbox_attempts,
    refused_receipts,
)

_WAITING = (State.PENDING.value, State.DEAD.value)
_NOTHING_SAID: dict[str, object] = {}


class ErasureStore:
    """Implements `ports.Erasures` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def erase_orders(self, order_ids: Sequence[int], *, even_waiting: bool) -> set[int]:
        """Lock the orders, so that no message is added, then see what is unfinished, and lock what of it waits.

        A relay may move a message between the two looks. It is then either locked here or counts as on its way.
        """
        kept = orders.c.id.in_(order_ids), orders.c.erased_at.is_(None)
        in_turn = select(orders.c.id).where(*kept).order_by(orders.c.id).with_for_update()
        found = set(self._connection.execute(in_turn).scalars())
        unfinished = self._connection.execute(_messages(found, *_WAITING, State.LEASED.value)).all()
        waiting = self._connection.execute(_messages(found, *_WAITING).with_for_update()).all()
        held = {row.id for row in waiting}
        under_way = {row.order_id for row in unfinished if row.id not in held}
        left = under_way | (set() if even_waiting else {row.order_id for row in waiting})
        chosen = found - left
        self._discard([row.id for row in waiting if row.order_id in chosen])
        self._clear(chosen)
        return chosen

    def erase_receipts(self, receipt_ids: Sequence[int]) -> None:
        """The digest stays, so that the same body again is still the same receipt."""
        values = {"payload": ERASED, "received_from": None, "erased_at": now_of(self._connection)}
        self._connection.execute(update(refused_receipts).where(refused_receipts.c.id.in_(receipt_ids)).values(values))

    def _discard(self, message_ids: list[int]) -> None:
        if not message_ids:
            return
        now = now_of(self._connection)
        values = {"state": State.DISCARDED.value, "finished_at": now, **NO_LEASE}
        self._connection.execute(update(outbox).where(outbox.c.id.in_(message_ids)).values(values))
        rows = [attempt(each, now, State.DISCARDED.value, "the order was erased") for each in message_ids]
        self._connection.execute(insert(outbox_attempts), rows)

    def _clear(self, chosen: set[int]) -> None:
        if not chosen:
            return
        now = now_of(self._connection)
        cleared = (
            (update(order_payloads), order_payloads.c.order_id, {"payload": ERASED}),
            # Engravings and greetings.
            (update(order_lines), order_lines.c.order_id, {"description": None, "comment": None}),
            (update(outbox).where(outbox.c.payload.is_not(None)), outbox.c.order_id, {"payload": _NOTHING_SAID}),
            (update(orders), orders.c.id, {"buyer_code": None, "customer_order_ref": None, "erased_at": now}),
        )
        for statement, column, values in cleared:
            self._connection.execute(statement.where(column.in_(chosen)).values(values))
        happened_at = literal(now, order_history.c.happened_at.type)
        entries = select(orders.c.id, happened_at, literal("erased"), orders.c.revision).where(orders.c.id.in_(chosen))
        columns = ["order_id", "happened_at", "event", "revision"]
        self._connection.execute(insert(order_history).from_select(columns, entries))


def _messages(order_ids: set[int], *states: str) -> Select[tuple[int, int]]:
    messages = select(outbox.c.id, outbox.c.order_id).order_by(outbox.c.id)
    return messages.where(outbox.c.order_id.in_(order_ids), outbox.c.state.in_(states))
