"""From a message to the envelope's bytes, by the tables of `shapes`, in the byte shape of a WCF client.

What is None or empty is left out: WCF reads an absent element as null, and refuses nil where a value type stands
(wire format, 5.3). zeep reads the contract; it does not write the envelopes, because that takes it eight times as long
as posting them (docs/decisions/0007). A test holds both writings against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from connect_client.messages.statuses import OrderStatus
from connect_client.shapes import Content, Listed, Mapped, Nested, Part, Shape, Simple

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"

Write = Callable[[Any], str]
_SPECIAL = re.compile("[&<>\r]").search
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})


def encoder(shape: Shape, *, operation: str, parameter: str) -> Callable[[Any], bytes]:
    """A function from a message of this shape to the envelope of a call; both names are {namespace}name."""
    namespace, wrapper = _split(operation)
    inner = _split(parameter)[1]
    prefixes = _Prefixes(namespace)
    write = _shape_writer(shape, prefixes)
    opening = f'<s:Envelope xmlns:s="{SOAP}"><s:Body><{wrapper} xmlns="{namespace}"{prefixes.declarations()}><{inner}>'
    closing = f"</{inner}></{wrapper}></s:Body></s:Envelope>"
    return lambda message: f"{opening}{write(message)}{closing}".encode()


class _Prefixes:
    """Names on the wire: the contract's own namespace needs no prefix, each other one gets the next letter."""

    def __init__(self, default: str) -> None:
        self._letters = {default: ""}

    def name(self, tag: str) -> str:
        namespace, local = _split(tag)
        letter = self._letters.setdefault(namespace, chr(ord("a") + len(self._letters) - 1))
        return f"{letter}:{local}" if letter else local

    def declarations(self) -> str:
        return "".join(f' xmlns:{letter}="{namespace}"' for namespace, letter in self._letters.items() if letter)


def _split(tag: str) -> tuple[str, str]:
    namespace, _, local = tag.removeprefix("{").partition("}")
    return namespace, local


def _shape_writer(shape: Shape, prefixes: _Prefixes) -> Write:
    parts = [
        (part.field, *_tags(part, prefixes), _writer(part.content, prefixes), isinstance(part.content, Listed | Mapped))
        for part in shape.parts
    ]

    def write(message: Any) -> str:
        elements = []
        for field, opening, closing, write_value, may_be_empty in parts:
            value = getattr(message, field)
            if value is not None and (value or not may_be_empty):
                elements.append(f"{opening}{write_value(value)}{closing}")
        return "".join(elements)

    return write


def _tags(part: Part, prefixes: _Prefixes) -> tuple[str, str]:
    name = prefixes.name(part.tag)
    return f"<{name}>", f"</{name}>"


def _writer(content: Content, prefixes: _Prefixes) -> Write:
    match content:
        case Simple(is_numbered=True):
            return _write_number_of
        case Simple(type_name):
            return _SIMPLE.get(type_name, _write_other)
        case Nested(shape):
            return _shape_writer(shape, prefixes)
        case Listed(item, inner):
            name, write_item = prefixes.name(item), _writer(inner, prefixes)
            return lambda values: "".join(f"<{name}>{write_item(value)}</{name}>" for value in values)
        case Mapped(item, key, value):
            return _pair_writer(prefixes.name(item), prefixes.name(key), prefixes.name(value))


def _pair_writer(item: str, key: str, value: str) -> Write:
    def write(pairs: dict[Any, Any]) -> str:
        return "".join(
            f"<{item}><{key}>{_write_text(str(name))}</{key}>"
            + (f"<{value}>{_write_text(str(text))}</{value}>" if text is not None else "")
            + f"</{item}>"
            for name, text in pairs.items()
        )

    return write


def _write_text(value: str) -> str:
    # Almost no text needs it, and looking is cheaper than translating.
    return value.translate(_ESCAPES) if _SPECIAL(value) else value


def _write_other(value: object) -> str:
    return _write_text(str(value.value if isinstance(value, Enum) else value))


def _write_number_of(status: OrderStatus) -> str:
    return str(status.number)


def _write_integer(value: int) -> str:
    return str(int(value))


def _write_decimal(value: Decimal) -> str:
    text = str(value)
    return format(value, "f") if "E" in text else text


def _write_boolean(value: bool) -> str:
    return "true" if value else "false"


def _write_moment(value: datetime) -> str:
    """As .NET writes it: no zeros at the fraction's end, Z for UTC, the offset otherwise."""
    fraction = f".{value.microsecond:06}".rstrip("0").rstrip(".")
    zone = "Z" if value.tzinfo is UTC else value.isoformat()[-6:]
    return f"{value:%Y-%m-%dT%H:%M:%S}{fraction}{zone}"


_SIMPLE: dict[str, Write] = {
    "string": _write_text,
    "int": _write_integer,
    "decimal": _write_decimal,
    "boolean": _write_boolean,
    "dateTime": _write_moment,
}
