"""Finds what still holds personal data. Reads in parts, so nothing is locked and little is in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Row, Select, exists, or_, select, tuple_

from receiver.outbox.message import State
from receiver.ports import KnownOrder, StoredRequest
from receiver.storage.engine import READ_ONLY
from receiver.storage.packing import packing_of
from receiver.storage.tables import order_payloads, orders, outbox, refused_receipts
from receiver.storage.unit_of_work import reading

_AT_ONCE = 200
_FINISHED = (State.DELIVERED.value, State.DISCARDED.value)
_KNOWN = (orders.c.id, orders.c.client_order_ref, orders.c.application_key)


class KeptDataQueries:
    """Implements `ports.KeptData`; raises TryAgainLater when the database cannot answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**READ_ONLY)
        self._packing = packing_of(engine)

    def requests(self) -> Iterator[StoredRequest]:
        """Every request that was not erased, those of orders first."""
        payloads = order_payloads.c
        place = tuple_(payloads.order_id, payloads.revision)
        of_orders = (
            select(*_KNOWN, payloads.revision, payloads.payload, payloads.media_type)
            .join(orders, orders.c.id == payloads.order_id)
            .where(orders.c.erased_at.is_(None))
            .order_by(payloads.order_id, payloads.revision)
        )
        for row in self._parts(of_orders, lambda last: of_orders.where(place > (last.id, last.revision))):
            yield StoredRequest(_known(row), None, self._body(row), row.media_type)
        receipts = refused_receipts.c
        refused = (
            select(receipts.id, receipts.payload, receipts.media_type)
            .where(receipts.erased_at.is_(None))
            .order_by(receipts.id)
        )
        for row in self._parts(refused, lambda last: refused.where(receipts.id > last.id)):
            yield StoredRequest(None, row.id, self._body(row), row.media_type or "")

    def orders_untouched_since(self, instant: datetime) -> Iterator[KnownOrder]:
        """Those whose revisions all came before, and whose messages were made and, where they are, finished before.

        Orders with messages that are not finished are among them: whether to erase those is decided later.
        """
        revised = exists().where(order_payloads.c.order_id == orders.c.id, order_payloads.c.received_at >= instant)
        finished_since = outbox.c.state.in_(_FINISHED) & (outbox.c.finished_at >= instant)
        worked_on = exists().where(
            outbox.c.order_id == orders.c.id, or_(outbox.c.created_at >= instant, finished_since)
        )
        query = (
            select(*_KNOWN)
            .where(orders.c.erased_at.is_(None), orders.c.received_at < instant, ~revised, ~worked_on)
            .order_by(orders.c.id)
        )
        return map(_known, self._parts(query, lambda last: query.where(orders.c.id > last.id)))

    def receipts_untouched_since(self, instant: datetime) -> Iterator[int]:
        """By the last time that the same body came."""
        receipts = refused_receipts.c
        query = (
            select(receipts.id).where(receipts.erased_at.is_(None), receipts.last_at < instant).order_by(receipts.id)
        )
        return (row.id for row in self._parts(query, lambda last: query.where(receipts.id > last.id)))

    def _parts(self, query: Select[Any], behind: Callable[[Row[Any]], Select[Any]]) -> Iterator[Row[Any]]:
        part = query
        while True:
            with reading(self._engine) as connection:
                rows = connection.execute(part.limit(_AT_ONCE)).all()
            yield from rows
            if len(rows) < _AT_ONCE:
                return
            part = behind(rows[-1])

    def _body(self, row: Row[Any]) -> Callable[[], bytes]:
        return partial(self._packing.unpack, row.payload)


def _known(row: Row[Any]) -> KnownOrder:
    return KnownOrder(row.id, row.client_order_ref, UUID(row.application_key))
