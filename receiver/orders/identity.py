"""When two requests carry the same order: its natural key, and a fingerprint of what it says.

The fingerprint is taken of the decoded order, so prefixes, white space between elements and the order of members do
not matter. Fields that are None leave no trace, so a member the contract gains later does not change the fingerprint
of the orders that came before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING
from uuid import UUID

from receiver.orders.model import Order, WrittenTime

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


@cache
def _fields_of(cls: type[DataclassInstance]) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    names = tuple(field.name for field in fields(cls))
    if len(names) == 1:
        return names, lambda value: (getattr(value, names[0]),)
    return names, attrgetter(*names)


_PLAIN = (str, int, bool, Decimal)


def _said(value: object) -> object:
    """A value as nested tuples of plain ones, None left out."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, tuple):
        return tuple([_said(item) for item in value])
    if isinstance(value, WrittenTime):
        return value.text
    if is_dataclass(value) and not isinstance(value, type):
        names, values = _fields_of(type(value))
        return tuple(
            [
                (name, field if type(field) in _PLAIN else _said(field))
                for name, field in zip(names, values(value), strict=True)
                if field is not None
            ]
        )
    return str(value)
