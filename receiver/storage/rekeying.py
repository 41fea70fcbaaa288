"""Stores requests anew under the first key, a few in each commit, while the receiver goes on."""

from __future__ import annotations

from sqlalchemy import Engine, Table, select, tuple_, update

from receiver.storage.packing import packing_of
from receiver.storage.tables import order_payloads, refused_receipts
from receiver.storage.unit_of_work import database_trouble

_AT_ONCE = 100


class Rekeying:
    """Rewrites what is not stored as it would be today."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._packing = packing_of(engine)

    def run(self) -> int:
        """Rewrite all that is not current and return how many requests that were.

        Raises PayloadUnreadable for a request that no key opens; what was rewritten before stays so.
        """
        return sum(self._rewritten(table) for table in (order_payloads, refused_receipts))

    def _rewritten(self, table: Table) -> int:
        place = tuple_(*table.primary_key.columns)
        part = select(*table.primary_key.columns, table.c.payload).order_by(*table.primary_key.columns).limit(_AT_ONCE)
        last: tuple[object, ...] | None = None
        count = 0
        while True:
            with database_trouble(), self._engine.begin() as connection:
                # Locked, so that what is erased meanwhile is not written back.
                query = (part if last is None else part.where(place > last)).with_for_update()
                rows = connection.execute(query).all()
                outdated = [row for row in rows if not self._packing.is_current(row.payload)]
                for row in outdated:
                    anew = self._packing.pack(self._packing.unpack(row.payload))
                    connection.execute(update(table).where(place == tuple(row[:-1])).values(payload=anew))
            count += len(outdated)
            if len(rows) < _AT_ONCE:
                return count
            last = tuple(rows[-1][:-1])
