"""When two requests carry the same order: its natural key, and a fingerprint of what it says.

The fingerprint is taken of the decoded order, so prefixes, white space between elements and the order of members do
not matter. Fields that are None at the end of a type leave no trace: the contract gains members at the end only, so one
that is added later does not change the fingerprint of the orders that came before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, get_type_hints
from uuid import UUID

from receiver.orders.model import Order

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_SCHEME = "1"
"""Goes into every fingerprint: raise it when the rule below changes, and say in the changelog what repeats will see."""


@dataclass(frozen=True, slots=True)
class OrderKey:
    """The natural key of an order: Norce's reference within one application."""

    application_key: UUID
    client_order_ref: str


def key_of(order: Order) -> OrderKey:
    """The natural key of an order that has met the rules; the reference loses white space around it."""
    return OrderKey(order.application_key, (order.client_order_ref or "").strip())


def fingerprint(order: Order, *, unknown: Sequence[str] = ()) -> str:
    """SHA-256, in hex, of everything the order says, and of the members that the contract does not know.

    `unknown` holds those members in canonical form; without them a repeat that differs only there would be taken for
    the same order, and what it says would be lost.
    """
    said = (_SCHEME, _said(order), *unknown)
    # ascii() is stable between Python versions, unlike repr(), which follows the Unicode tables.
    return hashlib.sha256(ascii(said).encode("ascii")).hexdigest()


def _said(value: object) -> object:
    """A value as nested lists of plain ones."""
    if isinstance(value, tuple):
        return [_said(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        values_of, composed = _plan_of(type(value))
        values = list(values_of(value))
        for index in composed:
            if values[index] is not None:
                values[index] = _said(values[index])
        while values and values[-1] is None:
            values.pop()
        return values
    return value if isinstance(value, str) else str(value)


@cache
def _plan_of(cls: type[DataclassInstance]) -> tuple[Callable[[object], tuple[object, ...]], tuple[int, ...]]:
    """How to get all fields of a class at once, and which of them are not plain values."""
    names = [field.name for field in fields(cls)]
    plain = {name for name, hint in get_type_hints(cls).items() if hint in _PLAIN}
    composed = tuple(index for index, name in enumerate(names) if name not in plain)
    getter = attrgetter(*names)
    return (getter if len(names) > 1 else lambda value: (getter(value),)), composed


_PLAIN = (str | None, int | None, bool | None, Decimal | None)
