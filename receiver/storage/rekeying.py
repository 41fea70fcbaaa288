"""Stores requests anew under the first key, a few in each commit, while the receiver goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, Table, select, tuple_, update

from receiver.errors import PayloadUnreadable
from receiver.storage.packing import packing_of
from receiver.storage.tables import order_payloads, orders, refused_receipts
from receiver.storage.unit_of_work import database_trouble

_AT_ONCE = 100
_REFERENCE = orders.c.client_order_ref.label("reference")


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """How many requests were stored anew, and those that were left because no key opens them."""

    count: int
    unreadable: tuple[str, ...]


class Rekeying:
    """One run that rewrites what is not stored as it would be today."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._packing = packing_of(engine)
        self._count = 0
        self._unreadable: list[str] = []

    def run(self) -> Rekeyed:
        """Rewrite all that is not current; one request that cannot be read keeps no other from it."""
        payloads = order_payloads.c
        of_orders = select(payloads.order_id, payloads.revision, payloads.payload, _REFERENCE)
        self._rewrite(order_payloads, of_orders.join(orders, orders.c.id == payloads.order_id))
        self._rewrite(refused_receipts, select(refused_receipts.c.id, refused_receipts.c.payload))
        return Rekeyed(self._count, tuple(self._unreadable))

    def _rewrite(self, table: Table, requests: Select[Any]) -> None:
        key = table.primary_key.columns
        # Locked, so that what is erased meanwhile is not written back.
        query = requests.order_by(*key).limit(_AT_ONCE).with_for_update(of=table)
        part = query
        while True:
            with database_trouble(), self._engine.begin() as connection:
                rows = connection.execute(part).all()
                self._rewrite_rows(table, rows, connection)
            if len(rows) < _AT_ONCE:
                return
            part = query.where(tuple_(*key) > _place(table, rows[-1]))

    def _rewrite_rows(self, table: Table, rows: Sequence[Row[Any]], connection: Connection) -> None:
        for row in rows:
            if self._packing.is_current(row.payload):
                continue
            try:
                anew = self._packing.pack(self._packing.unpack(row.payload))
            except PayloadUnreadable:
                self._unreadable.append(_name(row))
                continue
            here = tuple_(*table.primary_key.columns) == _place(table, row)
            connection.execute(update(table).where(here).values(payload=anew))
            self._count += 1


def _place(table: Table, row: Row[Any]) -> tuple[object, ...]:
    return tuple(row._mapping[column] for column in table.primary_key.columns)


def _name(row: Row[Any]) -> str:
    if "reference" in row._fields:
        return f"order {row.reference}, revision {row.revision}"
    return f"refused request {row.id}"
