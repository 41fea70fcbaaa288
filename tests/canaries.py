"""Orders whose every text is marked, and the search for the mark in whatever was written."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from lxml import etree

from receiver.soap.contract import Contract, Member, load_contract
from receiver.soap.names import CONTRACT
from tests.order_xml import create_order

MARK = "kanarie"
"""Part of every text, and of nothing else."""

TEXT = f"Åsa {MARK} 19800101-1234, {MARK}@exempel.se, 070-123 45 67"
"""A name, a personal number, an address and a telephone number; its ASCII part survives every way to write it."""

_XS = "{http://www.w3.org/2001/XMLSchema}"
_VALUES = {f"{_XS}int": "7", f"{_XS}decimal": "1.50", f"{_XS}boolean": "true", f"{_XS}dateTime": "2026-11-23T10:11:12"}
_GUID = "8c2cd2f6-9c1b-4b4e-9d2f-0c5a6a4f3a10"
_IN_BASE64 = [
    base64.b64encode(b"." * shift + MARK.encode())[2:-4].decode() for shift in range(3)
]  # without the signs at either end, which depend on what stands beside it


def marked_order(ref: str, *, values: dict[str, str] | None = None) -> bytes:
    """An order with every member of the contract; `values` replaces those of a member wherever it stands."""
    contract = load_contract()
    order = etree.Element(f"{{{CONTRACT}}}request", nsmap={"o": CONTRACT})
    _fill(order, f"{{{CONTRACT}}}OrderRequest", contract, {"ClientOrderRef": ref, **(values or {})})
    return create_order("".join(etree.tostring(member, encoding="unicode") for member in order))


def assert_unmarked(written: dict[str, str | bytes]) -> None:
    """None of these texts, each under the name of where it stands, holds the mark in any writing."""
    found = [
        (place, text)
        for place, content in written.items()
        for text in [content if isinstance(content, str) else content.decode("utf-8", "replace")]
        if MARK in text.lower() or any(coded in text for coded in _IN_BASE64)
    ]
    assert not found, found


def count_of_texts() -> int:
    """How many texts a marked order has."""
    return marked_order("1").decode().count(TEXT)


def _fill(element: etree._Element, type_name: str, contract: Contract, values: dict[str, str]) -> None:
    for member in contract.complex_types[type_name].members:
        _add(etree.SubElement(element, member.tag), member, contract, values)


def _add(child: etree._Element, member: Member, contract: Contract, values: dict[str, str]) -> None:
    if member.type in contract.complex_types:
        _fill(child, member.type, contract, values)
    elif member.name in values:
        child.text = values[member.name]
    elif names := contract.enumerations.get(member.type):
        child.text = next(iter(names.values()))
    elif member.type.endswith("}guid"):
        child.text = _GUID
    else:
        child.text = _VALUES.get(member.type, TEXT)


def members_of_type(name: str) -> list[str]:
    """The names of all members of a simple type, such as `int`, anywhere in an order."""
    members = _members_below(f"{{{CONTRACT}}}OrderRequest", load_contract())
    return sorted({member.name for member in members if member.type.endswith(f"}}{name}")})


def _members_below(type_name: str, contract: Contract) -> Iterator[Member]:
    for member in contract.complex_types[type_name].members:
        yield member
        if member.type in contract.complex_types:
            yield from _members_below(member.type, contract)
