"""The decoder against the table of members: any order the contract allows, in any writing, decodes to its values."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from receiver.orders.model import Order, WrittenTime
from receiver.soap.decode import OrderDecoder

MEMBERS = Path(__file__).parent / "contract" / "members.tsv"
CONTRACT = "Enferno.Services.StormConnect.Contracts.Order"
PROMOTION = "Enferno.Services.Contracts.StormConnect.Order"
PREFIXES = {CONTRACT: "o", PROMOTION: "p"}
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

DECODER = OrderDecoder()
Rows = dict[str, list[dict[str, str]]]
Written = tuple[str, Any]
"""What stands between the tags of a member, and the value it must decode to."""


def members_by_type() -> Rows:
    rows: Rows = defaultdict(list)
    with MEMBERS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["member"]:
                rows[row["type"]].append(row)
    return rows


TYPES = members_by_type()
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=8
)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
AFTER_UNSET = datetime(2, 1, 1)  # noqa: DTZ001 - Hypothesis adds no zone
SIMPLE: dict[str, st.SearchStrategy[Written]] = {
    "string": TEXT.map(lambda text: (escape(text), text)),
    "int": st.integers(-(2**31), 2**31 - 1).map(lambda number: (f" {number}\n", number)),
    "decimal": DECIMALS.map(lambda number: (f"{number:f}", number)),
    "boolean": st.sampled_from([("true", True), ("1", True), ("false", False), ("0", False)]),
    "guid": st.uuids().map(lambda key: (str(key).upper(), key)),
    "dateTime": st.datetimes(min_value=AFTER_UNSET).map(
        lambda moment: (f"{moment.isoformat()}Z", f"{moment.isoformat()}Z")
    ),
    "OrderTypes": st.sampled_from([("RecurringOrder", "RecurringOrder"), ("3", "RecurringOrder")]),
}


@st.composite
def member(draw: st.DrawFn, row: dict[str, str]) -> tuple[str, Any]:
    """One member as an element, and its value."""
    tag = f"{PREFIXES[row['namespace']]}:{row['member']}"
    if row["nillable_or_enum_value"] == "nillable" and not row["occurs"] and draw(st.booleans()):
        return f'<{tag} xsi:nil="{draw(st.sampled_from(["true", "1"]))}"/>', None
    text, value = draw(SIMPLE[row["member_type"]] if row["member_type"] in SIMPLE else content(row["member_type"]))
    return f"<{tag}>{text}</{tag}>", value


@st.composite
def content(draw: st.DrawFn, type_name: str) -> Written:
    """The inside of a type: some of its members in any order, or the entries of a list."""
    rows = TYPES[type_name]
    if rows[0]["occurs"] == "unbounded":
        entries = draw(st.lists(member(rows[0]), max_size=2))
        return "".join(text for text, _ in entries), [value for _, value in entries]
    chosen = draw(st.permutations(rows) if draw(st.booleans()) else st.just(rows))
    written, values = [], {}
    for row in chosen:
        if draw(st.integers(0, 9)) > 0:
            text, values[row["member"]] = draw(member(row))
            written.append(text)
    return "\n ".join(["", *written, ""]), values


def members_of(value: object, type_name: str) -> Any:
    """A decoded value under the names of the contract, without what is None: fields stand in the order of members."""
    rows = TYPES.get(type_name, [])
    if isinstance(value, tuple):
        return [members_of(entry, rows[0]["member_type"]) for entry in value]
    if isinstance(value, WrittenTime):
        return value.text
    if not rows or isinstance(value, (str, int, Decimal, UUID)):
        return value
    names = [field.name for field in fields(value)]  # type: ignore[arg-type]
    values = ((row, getattr(value, name)) for row, name in zip(rows, names, strict=True))
    return {row["member"]: members_of(held, row["member_type"]) for row, held in values if held is not None}


def without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_none(held) for name, held in value.items() if held is not None}
    return [without_none(entry) for entry in value] if isinstance(value, list) else value


def request(inside: str) -> etree._Element:
    namespaces = "".join(f' xmlns:{prefix}="{namespace}"' for namespace, prefix in PREFIXES.items())
    return etree.fromstring(f'<o:request{namespaces} xmlns:xsi="{INSTANCE}">{inside}</o:request>')


@settings(max_examples=60, deadline=None)
@given(content("OrderRequest"))
def test_whatever_the_contract_allows_is_decoded_to_its_values(written: Written) -> None:
    text, values = written
    order, findings = DECODER.decode(request(text))
    assert (findings.problems, findings.unknown) == ([], [])
    assert members_of(order, "OrderRequest") == without_none(values)


def problems(inside: str) -> list[str]:
    _, findings = DECODER.decode(request(inside))
    return [str(problem) for problem in findings.problems]


def test_members_in_and_out_of_order_make_equal_orders() -> None:
    members = [f"<o:{row['member']}/>" for row in TYPES["OrderRequest"] if row["member_type"] == "string"]
    numeric = {"int", "boolean", "OrderTypes"}
    every = [
        f"<o:{row['member']}>{'1' if row['member_type'] in numeric else ''}</o:{row['member']}>"
        for row in TYPES["OrderRequest"]
        if row["member_type"] != "dateTime"
    ]
    for elements in (members, every):
        forward, _ = DECODER.decode(request("".join(elements)))
        backward, _ = DECODER.decode(request("".join(reversed(elements))))
        assert forward == backward


def test_nil_is_none_and_empty_is_empty() -> None:
    order, _ = DECODER.decode(request('<o:Source/><o:DiscountCode xsi:nil="1"/><o:Fees/><o:Payments xsi:nil="true"/>'))
    assert (order.source, order.discount_code, order.fees, order.payments) == ("", None, (), None)


def test_a_promotion_in_the_contracts_own_namespace_is_unknown() -> None:
    promotion = "<o:Promotion><o:Id>17</o:Id><p:Name>Sale</p:Name></o:Promotion>"
    items = f"<o:Items><o:OrderItem><o:Promotions>{promotion}</o:Promotions></o:OrderItem></o:Items>"
    order, findings = DECODER.decode(request(items))
    (line,) = order.lines or ()
    (decoded,) = line.promotions or ()
    assert (decoded.id, decoded.name, len(findings.unknown)) == (None, "Sale", 1)


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<o:DoHold>True</o:DoHold>", "DoHold: 'True' is not true or false"),
        ("<o:ReferId>2147483648</o:ReferId>", "ReferId: the value (10 characters) is outside -2147483648..2147483647"),
        ("<o:ReferId>1<o:b/></o:ReferId>", "ReferId: '1' has members where text is expected"),
        ("<o:Source>a<o:b/>c</o:Source>", "Source: has members where text is expected"),
        ("<o:Source>a</o:Source><o:Source>b</o:Source>", "Source: is there twice"),
        ("<o:Fees>5</o:Fees>", "Fees: has text where Fee is expected"),
        ("<o:Header>x</o:Header>", "Header: has text where members are expected"),
        ("<o:Fees><o:Fee xsi:nil='true'/></o:Fees>", "Fees/Fee[1]: is nil; a list holds no empty entries"),
        (
            "<o:SellTo><o:Company><o:IsActive>Åsa</o:IsActive></o:Company></o:SellTo>",
            "SellTo/Company/IsActive: the value (3 characters) is not true or false",
        ),
    ],
)
def test_a_problem_names_its_place_and_hides_what_is_personal(inside: str, expected: str) -> None:
    assert problems(inside) == [expected]


def test_a_model_that_differs_from_the_contract_is_found_when_the_decoder_is_made() -> None:
    contract = OrderDecoder()._contract
    order_type = contract.complex_types[f"{{{CONTRACT}}}OrderRequest"]
    contract.complex_types[f"{{{CONTRACT}}}OrderRequest"] = type(order_type)(order_type.members[:-1])
    with pytest.raises(TypeError, match=Order.__name__):
        OrderDecoder(contract)
