"""The JSON Schema of an order as JSON, made from the contract and the model: `python -m receiver.soap.json_schema`.

`docs/order.schema.json` is its output. The WSDL says which types members have, the model what they are called: its
fields follow the contract member by member, so the two are walked side by side.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from types import UnionType
from typing import Any, get_args, get_type_hints

from lxml import etree

from receiver.orders.as_json import FORMAT
from receiver.orders.model import Order
from receiver.soap.contract import Contract, Member, load_contract
from receiver.soap.names import CONTRACT

_XS = "{http://www.w3.org/2001/XMLSchema}"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DESCRIPTION = """\
An order as the receiver hands it to an ERP. No member is required, because Norce promises none: what Norce leaves out \
or sends as nil is absent, and null is never written. An empty text or list was sent as such. Money is excluding VAT \
unless a description says otherwise, in the order's currency; rates are percent (25, not 1.25). The schema is exact \
for one release; later ones may add members under the same format name, so pass over unknown ones in production."""

Schema = dict[str, Any]

_PLAIN: dict[str, Schema] = {f"{_XS}string": {"type": "string"}, f"{_XS}boolean": {"type": "boolean"}}
_NAMED: dict[str, tuple[str, Schema]] = {
    f"{_XS}int": (
        "Integer",
        {"description": "A whole number of 32 bits.", "type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    ),
    f"{_XS}decimal": (
        "Decimal",
        {
            "description": "A decimal number as text, with the digits the sender wrote after the point and without "
            "exponent. Read it with a decimal type, never as a float.",
            "type": "string",
            "pattern": r"^-?(0|[1-9][0-9]{0,28})(\.[0-9]{1,28})?$",
        },
    ),
    f"{_XS}dateTime": (
        "Moment",
        {
            "description": "A moment exactly as the sender wrote it: a date, mostly with a time of 0 to 8 fraction "
            "digits. Without Z or offset it is in the sender's zone.",
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,8})?)?"
            r"(Z|[+-][0-9]{2}:[0-9]{2})?$",
        },
    ),
    "{http://schemas.microsoft.com/2003/10/Serialization/}guid": (
        "Guid",
        {
            "description": "A GUID in lower case, with dashes.",
            "type": "string",
            "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        },
    ),
}
"""Simple types that have a definition of their own; the text of each is made by `orders/as_json.py`."""


def order_schema(contract: Contract | None = None) -> Schema:
    """The schema as plain JSON values, types in the order in which the contract first names them.

    Raises ValueError where the model has more or fewer members than the contract; that their names agree is checked
    whenever an `OrderDecoder` is made.
    """
    walk = _Walk(contract or load_contract())
    order = walk.of_type(f"{{{CONTRACT}}}OrderRequest", Order)
    return {"$schema": _DIALECT, "title": FORMAT, "description": _DESCRIPTION, **order, "$defs": walk.definitions}


def schema_text() -> str:
    """The content of docs/order.schema.json."""
    return json.dumps(order_schema(), indent=2) + "\n"


class _Walk:
    """Collects the definition of every type it comes by."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.definitions: dict[str, Schema] = {}

    def of_type(self, type_name: str, hint: Any) -> Schema:
        """A type of the contract beside the annotation of the field that holds it."""
        if plain := _PLAIN.get(type_name):
            return plain
        if named := _NAMED.get(type_name):
            return self._defined(*named)
        if names := self._contract.enumerations.get(type_name):
            return self._defined(etree.QName(type_name).localname, {"type": "string", "enum": list(names.values())})
        kind = get_args(hint)[0] if isinstance(hint, UnionType) else hint
        complex_type = self._contract.complex_types[type_name]
        if item := complex_type.item:
            return {"type": "array", "items": self.of_type(item.type, *get_args(kind)[:1])}
        if kind.__name__ not in self.definitions:
            # Takes its place before the types of its members do.
            self.definitions[kind.__name__] = {}
            self.definitions[kind.__name__] = self._object(kind, complex_type.members)
        return _reference(kind.__name__)

    def _object(self, cls: type, members: tuple[Member, ...]) -> Schema:
        hints = get_type_hints(cls)
        pairs = zip(fields(cls), members, strict=True)
        return {
            "description": " ".join((cls.__doc__ or "").split()),
            "type": "object",
            "properties": {field.name: self.of_type(member.type, hints[field.name]) for field, member in pairs},
            "additionalProperties": False,
        }

    def _defined(self, name: str, schema: Schema) -> Schema:
        self.definitions.setdefault(name, schema)
        return _reference(name)


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


if __name__ == "__main__":
    sys.stdout.write(schema_text())
