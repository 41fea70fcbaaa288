"""Decoding says what the sender said, however it is written. The judge is a renderer made from the member table."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, get_args, get_type_hints
from uuid import UUID
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from receiver.orders.identity import Content
from receiver.orders.model import Order, WrittenTime
from receiver.soap.contract import ComplexType, load_contract
from receiver.soap.decode import OrderDecoder
from receiver.soap.protocol import parse
from tests.cases import FOLDER
from tests.order_xml import INSTANCE
from tests.test_wsdl import CONTRACT, table_rows
from tests.wire import BLANK_LINE

DECODER = OrderDecoder()
RICH = (FOLDER / "valid" / "CreateOrder_rich_unspecified.http").read_bytes().partition(BLANK_LINE)[2]
NIL = f"{{{INSTANCE}}}nil"
AS_XML_CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff")
SIMPLE = {"string", "int", "decimal", "boolean", "dateTime", "guid", "OrderTypes"}
ORDER_TYPES = ["Order", "PurchaseOrder", "RecurringOrder", "RecurringOrderTemplate", "ExternalOrder"]


def content_of(request: etree._Element) -> Content:
    """What an order without problems says."""
    order, findings = DECODER.decode(request)
    assert findings.problems == []
    return findings.content_of(order)


def rich_request() -> etree._Element:
    (request,) = parse(RICH).iterfind(".//{*}request")
    return request


def moments() -> st.SearchStrategy[WrittenTime]:
    """Times with 0 to 7 fraction digits and any zone, but not the one that means unset."""

    def written(clock: datetime, tick: int, offset: int | None) -> WrittenTime:
        fraction = f".{clock.microsecond:06}{tick}".rstrip("0").rstrip(".")
        zone = "" if offset is None else "Z" if offset == 0 else f"{'-' if offset < 0 else '+'}{abs(offset):02}:30"
        minutes = 0 if not offset else (abs(offset) * 60 + 30) * (1 if offset > 0 else -1)
        text = clock.replace(microsecond=0).isoformat() + fraction + zone
        return WrittenTime(text, clock, None if offset is None else timedelta(minutes=minutes))

    first = datetime.fromisoformat("0001-01-01T00:00:01")
    clocks = st.datetimes(min_value=first).map(lambda clock: clock.replace(fold=0))
    return st.builds(written, clocks, st.integers(0, 9), st.none() | st.integers(-13, 13))


PLAIN: dict[type, st.SearchStrategy[Any]] = {
    str: st.text(AS_XML_CHARACTERS | st.sampled_from("\t\n\r&<>\"']]>"), max_size=12),
    int: st.integers(-(2**31), 2**31 - 1),
    bool: st.booleans(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20),
    UUID: st.uuids(),
    WrittenTime: moments(),
}


@cache
def some(cls: type) -> st.SearchStrategy[Any]:
    """Objects of a class of the model with any of their fields None."""
    hints = get_type_hints(cls)
    drawn = {each.name: st.none() | of_hint(hints[each.name]) for each in fields(cls)}
    if cls is Order:
        drawn["order_type"] = st.sampled_from([None, *ORDER_TYPES])
    return st.builds(cls, **drawn)


def of_hint(hint: Any) -> st.SearchStrategy[Any]:
    """Values of the part of a field's annotation that is not None."""
    (kind, *_) = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if parts := get_args(kind):
        return st.lists(of_hint(parts[0]), max_size=2).map(tuple)
    return PLAIN[kind] if kind in PLAIN else st.deferred(lambda: some(kind))


class Writer:
    """Writes an order as XML: names and types from the member table, the manner from dice."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._prefixes = {CONTRACT: self._dice.choice(["a:", "ns0:", "x-y.z:"]), "": "p:"}

    def request(self, order: Order) -> etree._Element:
        """The request element as the receiver's parser reads it."""
        root = self._element("request", CONTRACT, order, "OrderRequest")
        names = {CONTRACT: self._prefixes[CONTRACT], rows_of("Promotion")[0].namespace: "p:"}
        declared = "".join(f' xmlns:{prefix.rstrip(":")}="{name}"' for name, prefix in names.items())
        return parse(f'<e{declared} xmlns:i="{INSTANCE}">{root}</e>'.encode())[0]

    def _element(self, name: str, namespace: str, value: object, kind: str) -> str:
        tag = (self._prefixes[CONTRACT] if namespace == CONTRACT else "p:") + name
        if value is None:
            return f'<{tag} i:nil="{self._dice.choice(["true", "1"])}"/>'
        return f"<{tag}>{self._inside(value, kind)}</{tag}>"

    def _inside(self, value: Any, kind: str) -> str:
        rows = rows_of(kind)
        if isinstance(value, tuple):
            (item,) = rows
            return self._gap() + "".join(
                self._element(item.member, item.namespace, entry, item.member_type) + self._gap() for entry in value
            )
        if isinstance(value, str):
            return self._text(value) if kind == "string" else self._around(value)
        if type(value) in PLAIN:
            return self._around(plain_text(value))
        pairs = list(zip(rows, (getattr(value, each.name) for each in fields(value)), strict=True))
        self._dice.shuffle(pairs)
        shown = [pair for pair in pairs if pair[1] is not None or self._dice.random() < 0.5]
        members = [self._element(row.member, row.namespace, member, row.member_type) for row, member in shown]
        return self._gap() + "".join(member + self._gap() for member in members)

    def _text(self, text: str) -> str:
        """A carriage return is always written as a reference: a parser would make a line feed of a raw one."""
        written = escape(text).replace("\r", "&#xD;")
        return self._dice.choice([written, "".join(f"&#{ord(each)};" for each in text), f"<!-- -->{written}"])

    def _around(self, text: str) -> str:
        return self._dice.choice(["", " ", "\n\t"]) + text + self._dice.choice(["", " "])

    def _gap(self) -> str:
        return self._dice.choice(["", "\n  ", "<!-- gap -->", "\t"])


def plain_text(value: object) -> str:
    """A value as .NET writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.text if isinstance(value, WrittenTime) else str(value)


@cache
def rows_of(kind: str) -> list[Any]:
    return [row for row in table_rows() if row.type == kind and row.member and row.member_type != "enum"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=some(Order), first=st.integers(0, 2**32), second=st.integers(0, 2**32))
def test_an_order_decodes_to_what_was_written_in_whatever_manner(order: Order, first: int, second: int) -> None:
    one, other = (content_of(Writer(seed).request(order)) for seed in (first, second))
    assert one == other == Content(order)
    assert repr(one) == repr(Content(order)), "scales and time texts are kept too"


def test_every_change_of_any_value_is_other_content() -> None:
    original = content_of(rich_request())
    leaves = [number for number, element in enumerate(rich_request().iter()) if len(element) == 0]
    assert len(leaves) > 200
    unnoticed = []
    for number in leaves:
        request = rich_request()
        leaf = list(request.iter())[number]
        change(leaf)
        order, findings = DECODER.decode(request)
        if findings.problems or findings.content_of(order) == original:
            unnoticed.append((etree.QName(leaf).localname, leaf.text, findings.problems))
    assert unnoticed == []


def change(leaf: etree._Element) -> None:
    """Give an element without members another value of its type; a list or an object becomes nil, or no longer is."""
    was_nil = leaf.get(NIL) is not None
    leaf.attrib.clear()
    name, text = etree.QName(leaf).localname, leaf.text or ""
    others = {"true": "false", "false": "true", "RecurringOrderTemplate": "Order"}
    if all(row.member_type not in SIMPLE for row in table_rows() if row.member == name):
        leaf.attrib.update({} if was_nil else {NIL: "true"})
    elif name in {"ApplicationKey", "SubmitDate"}:
        leaf.text = text.replace("4", "5")
    else:
        leaf.text = others.get(text, text + "1")


def test_lines_in_another_order_are_other_content() -> None:
    request = rich_request()
    (items,) = request.iterfind(f"{{{CONTRACT}}}Items")
    items.append(items[0])
    assert content_of(request) != content_of(rich_request())


def test_unknown_members_are_part_of_the_content() -> None:
    def with_unknown(text: str) -> Content:
        request = rich_request()
        etree.SubElement(request, "{urn:x}Later").text = text
        return content_of(request)

    assert with_unknown("1") == with_unknown("1")
    assert len({repr(with_unknown("1")), repr(with_unknown("2")), repr(content_of(rich_request()))}) == 3


def test_an_unknown_member_on_another_line_is_other_content() -> None:
    contents = []
    for line in (0, 1):
        request = rich_request()
        (items,) = request.iterfind(f"{{{CONTRACT}}}Items")
        etree.SubElement(items[line], f"{{{CONTRACT}}}Later").text = "1"
        contents.append(content_of(request))
    assert contents[0] != contents[1]


def test_a_model_that_differs_from_the_wsdl_stops_the_start() -> None:
    contract = load_contract()
    name = f"{{{CONTRACT}}}Fee"
    fewer = ComplexType(contract.complex_types[name].members[:-1])
    with pytest.raises(TypeError, match="Fee"):
        OrderDecoder(replace(contract, complex_types=contract.complex_types | {name: fewer}))


def test_paths_name_every_level_and_count_from_one() -> None:
    members = "<Items><OrderItem/><OrderItem><PriceLists><Pricelist/><Pricelist><QtyBreak>x</QtyBreak></Pricelist>"
    xml = f'<request xmlns="{CONTRACT}">{members}</PriceLists></OrderItem></Items></request>'
    _, findings = DECODER.decode(parse(xml.encode()))
    assert [problem.path for problem in findings.problems] == ["Items/OrderItem[2]/PriceLists/Pricelist[2]/QtyBreak"]
