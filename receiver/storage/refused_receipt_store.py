"""Refused receipts, one row per different body: Norce repeats a refused order for hours, and copies tell nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, case
from sqlalchemy.dialects import postgresql, sqlite

from receiver.ports import Receipt
from receiver.storage.packing import packing_of
from receiver.storage.tables import refused_receipts


class RefusedReceiptStore:
    """Implements `ports.RefusedReceipts` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, receipt: Receipt, *, kind: str, client_order_ref: str | None, reasons: Sequence[str]) -> None:
        """Insert the receipt, or count up and show the latest reasons where the same body was refused before."""
        latest = {
            "kind": kind,
            "client_order_ref": client_order_ref,
            "reasons": list(reasons),
            "received_from": receipt.received_from,
            "last_at": receipt.received_at,
        }
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(refused_receipts).values(
            **latest,
            first_at=receipt.received_at,
            times=1,
            media_type=receipt.media_type,
            digest=hashlib.sha256(receipt.body).hexdigest(),
            payload=packing_of(self._connection).pack(receipt.body),
        )
        # One that was erased comes whole again; any other stays as it is on disk.
        is_erased = refused_receipts.c.erased_at.is_not(None)
        payload = case((is_erased, statement.excluded.payload), else_=refused_receipts.c.payload)
        again = {**latest, "times": refused_receipts.c.times + 1, "payload": payload, "erased_at": None}
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=[refused_receipts.c.digest], set_=again)
        )
