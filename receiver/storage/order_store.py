"""Orders by their natural key: inserted once, repeated or revised, never overwritten.

`add_once` inserts first and lets the unique index decide; looking first would let two copies in at once. PostgreSQL
does it in one statement, SQLite, which has no network to wait for, in four.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from uuid import UUID

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import sqlite

from receiver.ports import KeptPayload, KnownOrder, ReceivedOrder, StoredOrder
from receiver.storage import one_statement
from receiver.storage.outbox_store import append
from receiver.storage.packing import Packing, packing_of
from receiver.storage.rows import RECEIVED, line_values, order_message, order_values
from receiver.storage.tables import order_history, order_lines, order_payloads, orders

_KEY = [orders.c.client_order_ref, orders.c.application_key]


class OrderStore:
    """Implements `ports.Orders` within one transaction."""

    def __init__(self, connection: Connection, *, sender_zone: tzinfo) -> None:
        self._connection = connection
        self._sender_zone = sender_zone
        self._packing = packing_of(connection)
        self.has_appended = False

    def add_once(self, received: ReceivedOrder) -> StoredOrder | None:
        """Insert order, lines, payload and history; or return the order that holds the key, locked."""
        values = {
            "application_key": str(received.key.application_key),
            "client_order_ref": received.key.client_order_ref,
            "revision": 1,
            "state": RECEIVED,
            "erp_order_no": None,
            "erased_at": None,
            "received_at": received.receipt.received_at,
            **order_values(received.order, sender_zone=self._sender_zone),
        }
        insert_new = self._insert_at_once if self._connection.dialect.name == "postgresql" else self._insert_in_turn
        if not insert_new(received, values):
            return self._find(received)
        self.has_appended = True
        return None

    def payloads_of(self, stored: StoredOrder) -> Iterator[KeptPayload]:
        """Read the payloads of all revisions, the latest first, unpacking one at a time."""
        columns = order_payloads.c
        rows = self._connection.execute(
            select(columns.revision, columns.payload, columns.media_type)
            .where(columns.order_id == stored.order_id)
            .order_by(columns.revision.desc())
        )
        for row in rows:
            yield KeptPayload(row.revision, self._packing.unpack(row.payload), row.media_type)

    def known(
        self, *, client_order_ref: str | None, erp_order_no: str | None, application_key: UUID | None
    ) -> list[KnownOrder]:
        """Look an order up by Norce's reference, the ERP's number, or both."""
        query = select(orders.c.id, orders.c.client_order_ref, orders.c.application_key).order_by(orders.c.id).limit(2)
        if client_order_ref is not None:
            query = query.where(orders.c.client_order_ref == client_order_ref)
        if erp_order_no is not None:
            query = query.where(orders.c.erp_order_no == erp_order_no)
        if application_key is not None:
            query = query.where(orders.c.application_key == str(application_key))
        return [
            KnownOrder(row.id, row.client_order_ref, UUID(row.application_key))
            for row in self._connection.execute(query)
        ]

    def add_repeat(self, received: ReceivedOrder, stored: StoredOrder, *, revision: int) -> None:
        """Note the repeat in the order's history."""
        self._note("repeated", received, stored.order_id, revision=revision)

    def add_revision(self, received: ReceivedOrder, stored: StoredOrder) -> int:
        """Keep the content as the next revision and show it on the order's row."""
        self.has_appended = True
        revision = stored.revision + 1
        values = order_values(received.order, sender_zone=self._sender_zone)
        self._connection.execute(
            update(orders).where(orders.c.id == stored.order_id),
            {**values, "revision": revision, "state": RECEIVED},
        )
        self._add_content(received, stored.order_id, revision=revision)
        self._note("revised", received, stored.order_id, revision=revision)
        return revision

    def _insert_at_once(self, received: ReceivedOrder, values: dict[str, object]) -> bool:
        order_id = one_statement.insert_order(
            self._connection,
            values,
            lines=line_values(received.order),
            payload=_payload(received, self._packing, revision=1),
            entry=_entry("received", received, revision=1),
        )
        return order_id is not None

    def _insert_in_turn(self, received: ReceivedOrder, values: dict[str, object]) -> bool:
        statement = sqlite.insert(orders).on_conflict_do_nothing(index_elements=_KEY).returning(orders.c.id)
        order_id = self._connection.execute(statement, values).scalar_one_or_none()
        if order_id is None:
            return False
        self._add_content(received, order_id, revision=1)
        self._note("received", received, order_id, revision=1)
        return True

    def _find(self, received: ReceivedOrder) -> StoredOrder:
        row = self._connection.execute(
            select(orders.c.id, orders.c.revision, orders.c.erp_order_no, orders.c.erased_at)
            .where(orders.c.application_key == str(received.key.application_key))
            .where(orders.c.client_order_ref == received.key.client_order_ref)
            .with_for_update()
        ).one()
        same_as = self._connection.execute(
            select(order_payloads.c.revision)
            .where(order_payloads.c.order_id == row.id)
            .where(order_payloads.c.fingerprint == received.fingerprint)
        ).scalars()
        is_erased = row.erased_at is not None
        return StoredOrder(row.id, row.revision, row.erp_order_no, next(iter(same_as), None), is_erased=is_erased)

    def _add_content(self, received: ReceivedOrder, order_id: int, *, revision: int) -> None:
        of_order = {"order_id": order_id, "revision": revision}
        if lines := [of_order | line for line in line_values(received.order)]:
            self._connection.execute(insert(order_lines), lines)
        payload = _payload(received, self._packing, revision=revision)
        self._connection.execute(insert(order_payloads), {"order_id": order_id, **payload})
        append(self._connection, {"order_id": order_id, **order_message(revision=revision)})

    def _note(self, event: str, received: ReceivedOrder, order_id: int, *, revision: int) -> None:
        entry = _entry(event, received, revision=revision)
        self._connection.execute(insert(order_history), {"order_id": order_id, **entry})


def _payload(received: ReceivedOrder, packing: Packing, *, revision: int) -> dict[str, object]:
    receipt = received.receipt
    return {
        "revision": revision,
        "fingerprint": received.fingerprint,
        "media_type": receipt.media_type,
        "payload": packing.pack(receipt.body),
        "received_at": receipt.received_at,
    }


def _entry(event: str, received: ReceivedOrder, *, revision: int) -> dict[str, object]:
    return {
        "happened_at": received.receipt.received_at,
        "event": event,
        "revision": revision,
        "detail": received.notes or None,
    }
