"""Orders by their natural key: inserted once, repeated or revised, never overwritten.

`add_once` inserts first and lets the unique index decide; looking first would let two copies in at once.
"""

from __future__ import annotations

from datetime import tzinfo

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from receiver.ports import ReceivedOrder, StoredOrder
from receiver.storage.rows import RECEIVED, line_values, order_values, pack
from receiver.storage.tables import order_history, order_lines, order_payloads, orders

_KEY = [orders.c.application_key, orders.c.client_order_ref]


class OrderStore:
    """Implements `ports.Orders` within one transaction."""

    def __init__(self, connection: Connection, *, sender_zone: tzinfo) -> None:
        self._connection = connection
        self._sender_zone = sender_zone

    def add_once(self, received: ReceivedOrder) -> StoredOrder | None:
        """Insert order, lines, payload and history; or return the order that holds the key, locked."""
        values = {
            "application_key": str(received.key.application_key),
            "client_order_ref": received.key.client_order_ref,
            "revision": 1,
            "state": RECEIVED,
            "received_at": received.receipt.received_at,
            **order_values(received.order, sender_zone=self._sender_zone),
        }
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(orders).on_conflict_do_nothing(index_elements=_KEY).returning(orders.c.id)
        order_id = self._connection.execute(statement, values).scalar_one_or_none()
        if order_id is None:
            return self._find(received)
        self._add_content(received, order_id, revision=1)
        self._note("received", received, order_id, revision=1)
        return None

    def add_repeat(self, received: ReceivedOrder, stored: StoredOrder) -> None:
        """Note the repeat in the order's history."""
        self._note("repeated", received, stored.order_id, revision=stored.same_as_revision or stored.revision)

    def add_revision(self, received: ReceivedOrder, stored: StoredOrder) -> int:
        """Keep the content as the next revision and show it on the order's row."""
        revision = stored.revision + 1
        values = order_values(received.order, sender_zone=self._sender_zone)
        self._connection.execute(update(orders).where(orders.c.id == stored.order_id), {**values, "revision": revision})
        self._add_content(received, stored.order_id, revision=revision)
        self._note("revised", received, stored.order_id, revision=revision)
        return revision

    def _find(self, received: ReceivedOrder) -> StoredOrder:
        row = self._connection.execute(
            select(orders.c.id, orders.c.revision, orders.c.erp_order_no)
            .where(orders.c.application_key == str(received.key.application_key))
            .where(orders.c.client_order_ref == received.key.client_order_ref)
            .with_for_update()
        ).one()
        # A retry may come late, after the content has changed: it repeats the revision it says, not the latest.
        same_as = self._connection.execute(
            select(order_payloads.c.revision)
            .where(order_payloads.c.order_id == row.id)
            .where(order_payloads.c.fingerprint == received.fingerprint)
        ).scalars()
        return StoredOrder(row.id, row.revision, row.erp_order_no, next(iter(same_as), None))

    def _add_content(self, received: ReceivedOrder, order_id: int, *, revision: int) -> None:
        of_order = {"order_id": order_id, "revision": revision}
        if lines := [of_order | line for line in line_values(received.order)]:
            self._connection.execute(insert(order_lines), lines)
        receipt = received.receipt
        self._connection.execute(
            insert(order_payloads),
            {
                **of_order,
                "fingerprint": received.fingerprint,
                "media_type": receipt.media_type,
                "payload": pack(receipt),
                "received_at": receipt.received_at,
            },
        )

    def _note(self, event: str, received: ReceivedOrder, order_id: int, *, revision: int) -> None:
        self._connection.execute(
            insert(order_history),
            {
                "order_id": order_id,
                "happened_at": received.receipt.received_at,
                "event": event,
                "revision": revision,
                "detail": received.notes or None,
            },
        )
