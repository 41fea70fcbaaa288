"""Orders as people look at them: found by reference, listed newest first, with lines, history and payload.

Reads only, and never takes SQLite's write lock, so looking at orders does not hold up receiving them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Row, Select, and_, func, or_, select

from receiver.storage.engine import READ_ONLY
from receiver.storage.packing import packing_of
from receiver.storage.tables import order_history, order_lines, order_payloads, orders
from receiver.storage.unit_of_work import reading


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """An order as its latest revision shows it; `lines_total` excludes VAT, `paid_total` includes it."""

    order_id: int
    application_key: UUID
    client_order_ref: str
    revision: int
    state: str
    erp_order_no: str | None
    suggested_erp_order_no: str | None
    customer_order_ref: str | None
    order_type: str | None
    source: str | None
    buyer_code: str | None
    currency_code: str | None
    lines: int
    lines_total: Decimal
    vat_total: Decimal
    paid_total: Decimal
    submitted_at: datetime | None
    submitted_text: str | None
    received_at: datetime
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderLineRow:
    """One line of one revision; `quantity` is the one that counts, prices are for one item and exclude VAT."""

    position: int
    line_no: int | None
    parent_line_no: int | None
    type: str | None
    type_group: str | None
    part_no: str | None
    erp_part_no: str | None
    manufacturer_code: str | None
    description: str | None
    quantity: Decimal | None
    unit_of_measure: str | None
    unit_price: Decimal | None
    unit_price_original: Decimal | None
    discount: Decimal | None
    unit_vat: Decimal | None
    vat_rate: Decimal | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What happened to an order: received, repeated or revised."""

    happened_at: datetime
    event: str
    revision: int
    detail: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class OrderFilters:
    """Which orders are wanted; None leaves a column alone.

    `since` is the first instant of receipt that counts, `until` the first that does not, so days fit together.
    """

    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    application_key: UUID | None = None
    erp_order_no: str | None = None
    customer_order_ref: str | None = None


@dataclass(frozen=True, slots=True)
class PageEnd:
    """The last order of a page. An order keeps its place, so those that come in meanwhile move nothing."""

    received_at: datetime
    order_id: int


class OrderQueries:
    """Questions about stored orders; each raises TryAgainLater when the database cannot answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**READ_ONLY)

    def newest(
        self,
        *,
        limit: int,
        state: str | None = None,
        since: datetime | None = None,
        application_key: UUID | None = None,
    ) -> list[OrderSummary]:
        """At most `limit` orders, the last received first; `since` is the first instant that counts."""
        wanted = OrderFilters(state=state, since=since, application_key=application_key)
        return self.page(wanted, limit=limit)

    def page(self, wanted: OrderFilters, *, limit: int, after: PageEnd | None = None) -> list[OrderSummary]:
        """At most `limit` of the wanted orders, the last received first, beginning behind the page that ended there."""
        conditions = [*_conditions(wanted), *([] if after is None else [_behind(after)])]
        newest_first = orders.c.received_at.desc(), orders.c.id.desc()
        query = _summaries().where(*conditions).order_by(*newest_first).limit(limit)
        with reading(self._engine) as connection:
            return [_summary(row) for row in connection.execute(query)]

    def find(self, client_order_ref: str, *, application_key: UUID | None = None) -> list[OrderSummary]:
        """The orders with this reference: several where several applications use it, none where nobody does."""
        query = _summaries().where(orders.c.client_order_ref == client_order_ref).order_by(orders.c.id)
        if application_key is not None:
            query = query.where(orders.c.application_key == str(application_key))
        with reading(self._engine) as connection:
            return [_summary(row) for row in connection.execute(query)]

    def lines(self, order_id: int, *, revision: int) -> list[OrderLineRow]:
        """The lines of one revision, in the order of the document."""
        query = (
            select(*(column for column in order_lines.c if column.name not in {"order_id", "revision"}))
            .where(order_lines.c.order_id == order_id)
            .where(order_lines.c.revision == revision)
            .order_by(order_lines.c.position)
        )
        with reading(self._engine) as connection:
            return [OrderLineRow(**row._mapping) for row in connection.execute(query)]

    def history(self, order_id: int) -> list[HistoryEntry]:
        """What happened to the order, the first event first."""
        columns = (order_history.c[name] for name in ("happened_at", "event", "revision", "detail"))
        query = select(*columns).where(order_history.c.order_id == order_id).order_by(order_history.c.id)
        with reading(self._engine) as connection:
            return [HistoryEntry(**row._mapping) for row in connection.execute(query)]

    def payload(self, order_id: int, *, revision: int) -> bytes | None:
        """The request body of one revision, byte for byte as received; None when there is no such revision."""
        query = (
            select(order_payloads.c.payload)
            .where(order_payloads.c.order_id == order_id)
            .where(order_payloads.c.revision == revision)
        )
        with reading(self._engine) as connection:
            packed = connection.execute(query).scalar_one_or_none()
        return None if packed is None else packing_of(self._engine).unpack(packed)


def _conditions(wanted: OrderFilters) -> Iterator[ColumnElement[bool]]:
    texts = {
        "state": wanted.state,
        "application_key": None if wanted.application_key is None else str(wanted.application_key),
        "erp_order_no": wanted.erp_order_no,
        "customer_order_ref": wanted.customer_order_ref,
    }
    yield from (orders.c[name] == text for name, text in texts.items() if text is not None)
    if wanted.since is not None:
        yield orders.c.received_at >= wanted.since
    if wanted.until is not None:
        yield orders.c.received_at < wanted.until


def _behind(end: PageEnd) -> ColumnElement[bool]:
    # The first half alone can use the index; as one alternative of two it could not.
    at = orders.c.received_at
    return and_(at <= end.received_at, or_(at < end.received_at, orders.c.id < end.order_id))


def _summaries() -> Select[tuple[object, ...]]:
    count = (
        select(func.count())
        .where(order_lines.c.order_id == orders.c.id)
        .where(order_lines.c.revision == orders.c.revision)
        .scalar_subquery()
    )
    return select(
        orders.c.id.label("order_id"), *(column for column in orders.c if column.name != "id"), count.label("lines")
    )


def _summary(row: Row[tuple[object, ...]]) -> OrderSummary:
    values = dict(row._mapping)
    return OrderSummary(**values | {"application_key": UUID(row.application_key)})
