"""Stores a new order on PostgreSQL with one statement: order, lines, payload, history and message in one round trip.

All inserts draw on the row that the first one returns, so when the key is taken nothing is inserted and no row comes
back. The lines travel as one JSON text: a parameter for every column of every line costs more than the whole order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert, psycopg2
from sqlalchemy.sql.selectable import CTE

from receiver.storage.rows import order_message
from receiver.storage.tables import order_history, order_lines, order_payloads, orders, outbox

Values = Mapping[str, object]


def insert_order(
    connection: Connection, order: Values, *, lines: Sequence[Values], payload: Values, entry: Values
) -> int | None:
    """Insert one order with its content and first history entry; returns its id, None when its key is taken.

    The values are those of the tables' columns, without `order_id`.
    """
    values = {
        **{f"order_{name}": value for name, value in order.items()},
        **{f"payload_{name}": value for name, value in payload.items()},
        **{f"entry_{name}": value for name, value in entry.items()},
        "entry_detail": json.dumps(entry["detail"]) if entry["detail"] else None,
        "revision": order["revision"],
        "lines": json.dumps(lines, default=str),
    }
    # As text: all values are of types that psycopg2 knows, so there is nothing for SQLAlchemy to convert.
    order_id: int | None = connection.exec_driver_sql(_sql(), values).scalar()
    return order_id


@cache
def _sql() -> str:
    dialect = psycopg2.dialect()  # type: ignore[no-untyped-call]
    return str(_statement().compile(dialect=dialect, compile_kwargs={"render_postcompile": True}))


def _statement() -> Select[Any]:
    new_order = (
        insert(orders)
        .values({c.name: bindparam(f"order_{c.name}", None, c.type) for c in orders.c if c.name != "id"})
        .on_conflict_do_nothing(index_elements=[orders.c.client_order_ref, orders.c.application_key])
        .returning(orders.c.id)
        .cte("new_order")
    )
    return select(new_order.c.id).add_cte(
        _new_lines(new_order),
        _new_row(order_payloads, new_order, prefix="payload"),
        _new_row(order_history, new_order, prefix="entry"),
        _new_message(new_order),
    )


def _new_lines(new_order: CTE) -> CTE:
    revision = bindparam("revision", None, type_=order_lines.c.revision.type)
    columns = [c for c in order_lines.c if c.name not in {"order_id", "revision"}]
    sent = func.json_to_recordset(cast(bindparam("lines", None, type_=Text), JSON))
    sent_lines = sent.table_valued(*[column(c.name, c.type) for c in columns]).render_derived(with_types=True)
    names = ["order_id", "revision", *[c.name for c in columns]]
    rows = select(new_order.c.id, revision, *sent_lines.c).select_from(new_order.join(sent_lines, true()))
    return insert(order_lines).from_select(names, rows).cte("new_lines")


def _new_row(table: Table, new_order: CTE, *, prefix: str) -> CTE:
    """One row for the new order; every column but the ids is a parameter named with the prefix."""
    others = [c for c in table.c if c.name not in {"id", "order_id"}]
    values = [bindparam(f"{prefix}_{c.name}", None, c.type) for c in others]
    names = ["order_id", *[c.name for c in others]]
    rows = select(new_order.c.id, *[cast(value, value.type) for value in values])
    return insert(table).from_select(names, rows).cte(f"new_{prefix}")


def _new_message(new_order: CTE) -> CTE:
    """The message that hands the new order over; it is due by the database's clock, which all relays share."""
    now = func.clock_timestamp()
    values = {**order_message(revision=1), "due_at": now, "created_at": now}
    rows = select(new_order.c.id, *[_literal(outbox.c[name], value) for name, value in values.items()])
    return insert(outbox).from_select(["order_id", *values], rows).cte("new_message")


def _literal(target: Column[Any], value: object) -> ColumnElement[Any]:
    """A value written into the statement itself, for it is the same for every order."""
    return value if isinstance(value, ColumnElement) else literal(value, target.type, literal_execute=True)
