"""An order as JSON, the form in which ERPs receive it: docs/order-json.md, docs/order.schema.json.

Keys are the model's names. What the sender left out or sent as nil is left out; decimals are texts with their scale,
because a JSON number would be read as a float on the other side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import Any, get_args, get_type_hints
from uuid import UUID

from receiver.orders.model import Order, WrittenTime

FORMAT = "norce-order/1"
"""Names this form; a reader refuses a name that it does not know.

Fields may be added under the same name; it changes when a reader of the old form would misunderstand the new.
"""

Write = Callable[[Any], Any]


def order_as_json(order: Order) -> dict[str, Any]:
    """The order as plain JSON values, in the order of the contract."""
    written: dict[str, Any] = _WRITE_ORDER(order)
    return written


def _without_exponent(number: Decimal) -> str:
    """`0E-10`, which str() would write, as `0.0000000000`; the scale is kept."""
    return f"{number:f}"


# None for what JSON has as it is, which most values are.
_SIMPLE: dict[type, Write | None] = {
    str: None,
    int: None,
    bool: None,
    Decimal: _without_exponent,
    UUID: str,
    WrittenTime: attrgetter("text"),
}


@cache
def _object_writer(cls: type) -> Write:
    """Made once per class from its annotations, so that no value has to be asked what it is."""
    hints = get_type_hints(cls)
    table = [(each.name, attrgetter(each.name), _writer_of(hints[each.name])) for each in fields(cls)]

    def write_object(value: Any) -> dict[str, Any]:
        written = {}
        for name, get, write in table:
            if (inner := get(value)) is not None:
                written[name] = inner if write is None else write(inner)
        return written

    return write_object


def _writer_of(hint: Any) -> Write | None:
    """For the part of an annotation that is not None."""
    kind = get_args(hint)[0] if isinstance(hint, UnionType) else hint
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if items := get_args(kind):
        return _list_writer(_writer_of(items[0]))
    return _object_writer(kind)


def _list_writer(write: Write | None) -> Write:
    return list if write is None else lambda items: [write(item) for item in items]


_WRITE_ORDER = _object_writer(Order)
