"""The shipped WSDL as tables: which members each type of CreateOrder has, in which namespace, of which type.

The WSDL is the only description of the contract in the program; nothing here is spelled out a second time, and the
model is held against these tables at start-up (`decode.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from connect_client.contract import wsdl_bytes
from receiver.soap.names import SERVICE

_XS = "{http://www.w3.org/2001/XMLSchema}"
_NUMBER = "{http://schemas.microsoft.com/2003/10/Serialization/}EnumerationValue"


@dataclass(frozen=True, slots=True)
class Member:
    """One element of a type: `tag` and `type` are {namespace}name."""

    tag: str
    type: str
    is_repeated: bool

    @property
    def name(self) -> str:
        """The member's name without its namespace, as problems show it."""
        return etree.QName(self.tag).localname


@dataclass(frozen=True, slots=True)
class ComplexType:
    """A type of the contract with its members in wire order; a list has one repeated member."""

    members: tuple[Member, ...]

    @property
    def item(self) -> Member | None:
        """The repeated member of a list; None for any other type."""
        return self.members[0] if len(self.members) == 1 and self.members[0].is_repeated else None


@dataclass(frozen=True, slots=True)
class Contract:
    """All types by {namespace}name; an enumeration maps its numbers, as text, to its names in order."""

    complex_types: dict[str, ComplexType]
    enumerations: dict[str, dict[str, str]]


def load_contract() -> Contract:
    """Read the tables from the shipped WSDL of the order receiver."""
    root = etree.fromstring(wsdl_bytes(SERVICE))
    complex_types = {}
    enumerations = {}
    for schema in root.iter(f"{_XS}schema"):
        namespace = schema.get("targetNamespace", "")
        for element in schema.iterchildren(f"{_XS}complexType"):
            members = tuple(_members_of(element, namespace))
            complex_types[f"{{{namespace}}}{element.get('name')}"] = ComplexType(members)
        for element in schema.iterchildren(f"{_XS}simpleType"):
            if names := _names_of(element):
                enumerations[f"{{{namespace}}}{element.get('name')}"] = names
    return Contract(complex_types, enumerations)


def _members_of(complex_type: etree._Element, namespace: str) -> Iterator[Member]:
    for element in complex_type.iter(f"{_XS}element"):
        prefix, _, name = (element.get("type") or "").rpartition(":")
        yield Member(
            tag=f"{{{namespace}}}{element.get('name')}",
            type=f"{{{element.nsmap[prefix or None]}}}{name}",
            is_repeated=element.get("maxOccurs") == "unbounded",
        )


def _names_of(simple_type: etree._Element) -> dict[str, str]:
    names = {}
    for position, enumeration in enumerate(simple_type.iter(f"{_XS}enumeration")):
        number = next(enumeration.iter(_NUMBER), None)
        key = str(position) if number is None else (number.text or "").strip()
        names[key] = enumeration.get("value", "")
    return names
