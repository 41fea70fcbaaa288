"""The contract as tables: for each message, its elements in wire order, drawn from the WSDL that zeep has read.

A message that lacks a member of its type, or has a field the type does not know, fails here, when the contract is
loaded, and not at Norce, where unknown and misplaced elements are dropped in silence.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass
from typing import Any

from connect_client.messages.statuses import OrderStatus
from connect_client.wire_names import WIRE_TYPES, wire_name


@dataclass(frozen=True, slots=True)
class Simple:
    """One value as text; `type` is the local name of its XSD type.

    `is_numbered` marks an order status that travels by its number, as in delivery notes.
    """

    type: str
    is_numbered: bool = False


@dataclass(frozen=True, slots=True)
class Nested:
    """A message inside a message."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class Listed:
    """A tuple: the member holds one element named `item` for each."""

    item: str
    content: Simple | Nested


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping: the member holds one element named `item` for each pair, with an element for key and value."""

    item: str
    key: str
    value: str


Content = Simple | Nested | Listed | Mapped


@dataclass(frozen=True, slots=True)
class Part:
    """One field and its element; `tag`, like every name here, is {namespace}name."""

    field: str
    tag: str
    content: Content


@dataclass(frozen=True, slots=True)
class Shape:
    """A message class and its elements in wire order."""

    message: type
    parts: tuple[Part, ...]


class ContractMismatch(RuntimeError):
    """The messages and the shipped WSDL differ; this package is broken, nothing was sent."""


def shape_of(message: type, wire_type: Any) -> Shape:
    """The shape of a message class against zeep's reading of its type; raises ContractMismatch where they differ."""
    expected = WIRE_TYPES[message]
    if wire_type.qname.localname != expected.name:
        raise ContractMismatch(f"{message.__name__} is {expected.name}, the WSDL has {wire_type.qname.localname}")
    fields = {wire_name(message, field.name): field.name for field in dataclasses.fields(message)}
    members = {element.qname.localname: element for _, element in wire_type.elements}
    if fields.keys() != members.keys():
        differing = ", ".join(sorted(fields.keys() ^ members.keys()))
        raise ContractMismatch(f"{message.__name__} and {expected.name} differ in {differing}")
    hints = typing.get_type_hints(message)
    return Shape(
        message,
        tuple(
            Part(fields[name], str(element.qname), _content(hints[fields[name]], element.type))
            for name, element in members.items()
        ),
    )


def _content(hint: Any, wire_type: Any) -> Content:
    python_type = _without_none(hint)
    origin = typing.get_origin(python_type)
    if origin is tuple:
        ((_, item),) = wire_type.elements
        return Listed(str(item.qname), _plain(typing.get_args(python_type)[0], item.type))
    if origin is dict:
        ((_, item),) = wire_type.elements
        (_, key), (_, value) = item.type.elements
        return Mapped(str(item.qname), str(key.qname), str(value.qname))
    return _plain(python_type, wire_type)


def _plain(python_type: Any, wire_type: Any) -> Simple | Nested:
    if python_type in WIRE_TYPES:
        return Nested(shape_of(python_type, wire_type))
    name = wire_type.qname.localname
    return Simple(name, is_numbered=python_type is OrderStatus and name == "int")


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return hint
    kept = [argument for argument in typing.get_args(hint) if argument is not types.NoneType]
    return kept[0] if len(kept) == 1 else hint
