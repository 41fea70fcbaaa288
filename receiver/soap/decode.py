"""Turns the `request` element of CreateOrder into an Order, driven by tables made from the shipped WSDL.

Members are found by namespace and name in whatever order they come; prefixes never matter. Nothing raises: what does
not fit becomes a problem with its path, what the contract does not know is collected in canonical form.
A reader is made once per type at start-up and closes over its table, which is what keeps an order line cheap.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from typing import cast

from lxml import etree

from receiver.orders import model
from receiver.soap import values
from receiver.soap.contract import ComplexType, Contract, Member, load_contract
from receiver.soap.findings import HERE, Findings
from receiver.soap.names import CONTRACT, NIL, REQUEST, is_nil, local_name

_PROMOTION = "Enferno.Services.Contracts.StormConnect.Order"
_XS = "http://www.w3.org/2001/XMLSchema"

_MODEL: dict[str, type] = {
    f"{{{CONTRACT}}}OrderRequest": model.Order,
    f"{{{CONTRACT}}}OrderItem": model.OrderLine,
    f"{{{CONTRACT}}}ClientCustomer": model.Party,
    f"{{{CONTRACT}}}Company": model.Company,
    f"{{{CONTRACT}}}Customer": model.Person,
    f"{{{CONTRACT}}}Address": model.Address,
    f"{{{CONTRACT}}}CodeValue": model.Info,
    f"{{{CONTRACT}}}Payment": model.Payment,
    f"{{{CONTRACT}}}Discount": model.Discount,
    f"{{{CONTRACT}}}ShippingAdvice": model.ShippingAdvice,
    f"{{{CONTRACT}}}PickupStore": model.PickupStore,
    f"{{{CONTRACT}}}PriceListItem": model.PriceListEntry,
    f"{{{CONTRACT}}}Fee": model.Fee,
    f"{{{CONTRACT}}}Header": model.Header,
    f"{{{_PROMOTION}}}Promotion": model.Promotion,
}
_RENAMED = {f"{{{CONTRACT}}}Items": "lines"}
_PERSONAL = (
    model.Party,
    model.Company,
    model.Person,
    model.Address,
    model.Info,
    model.PickupStore,
    model.Payment,
)
"""Types whose values no problem may show."""

_SIMPLE: dict[str, values.Read] = {
    f"{{{_XS}}}int": values.read_integer,
    f"{{{_XS}}}decimal": values.read_decimal,
    f"{{{_XS}}}boolean": values.read_boolean,
    f"{{{_XS}}}dateTime": values.read_moment,
    "{http://schemas.microsoft.com/2003/10/Serialization/}guid": values.read_guid,
}
_STRING = f"{{{_XS}}}string"

Reader = Callable[[etree._Element, Findings], object]

_REMEMBERED, _SHORT = 1_024, 16
"""How many values of each member are remembered, and how long their text may be, which bounds the memory for them."""


class OrderDecoder:
    """Reads CreateOrder's `request`; safe to share between threads."""

    def __init__(self, contract: Contract | None = None) -> None:
        self._contract = contract or load_contract()
        self._readers: dict[str, Reader] = {}
        self._read_order = self._reader_of(f"{{{CONTRACT}}}OrderRequest")

    def decode(self, request: etree._Element) -> tuple[model.Order, Findings]:
        """The order, with None wherever a problem was found, and the findings."""
        findings = Findings()
        order = cast(model.Order, self._read_order(request, findings))
        findings.notes = [(REQUEST if path == HERE else path, what) for path, what in findings.notes]
        return order, findings

    def _reader_of(self, type_name: str) -> Reader:
        if type_name not in self._readers:
            complex_type = self._contract.complex_types[type_name]
            if item := complex_type.item:
                reader = _list_reader(item, self._item_reader(item))
            else:
                reader = self._struct_reader(_MODEL[type_name], complex_type)
            self._readers[type_name] = reader
        return self._readers[type_name]

    def _member_reader(self, member: Member, *, is_shown: bool) -> Reader:
        if member.type == _STRING:
            return _string_reader(member.name)
        if read := _SIMPLE.get(member.type):
            return _value_reader(member.name, read, is_shown=is_shown)
        if names := self._contract.enumerations.get(member.type):
            return _value_reader(member.name, values.name_reader(names), is_shown=is_shown)
        return _below(member.name, self._reader_of(member.type))

    def _item_reader(self, item: Member) -> Reader:
        return _string_reader(HERE) if item.type == _STRING else self._reader_of(item.type)

    def _struct_reader(self, cls: type, complex_type: ComplexType) -> Reader:
        is_shown = cls not in _PERSONAL
        table = {}
        for member in complex_type.members:
            name = _RENAMED.get(member.tag) or _snake_case(member.name)
            table[member.tag] = (name, self._member_reader(member, is_shown=is_shown))
        _check_model(cls, [name for name, _ in table.values()])
        return _struct_reader(cls, table)


def _struct_reader(cls: type, table: dict[str, tuple[str, Reader]]) -> Reader:
    find = table.get
    all_tags = list(table)
    all_readers = [read for _, read in table.values()]

    def read_struct(element: etree._Element, findings: Findings) -> object:
        children = list(element)
        if not children and is_nil(element.get(NIL)):
            return None
        if (text := element.text) and not text.isspace():
            findings.add_problem(HERE, "has text where members are expected")
        # WCF writes every member, in the contract's order; then there is nothing to look up.
        if [child.tag for child in children] == all_tags:
            return cls(*[read(child, findings) for read, child in zip(all_readers, children, strict=True)])
        found: dict[str, object] = {}
        for child in children:
            known = find(child.tag)
            if known is None:
                findings.add_unknown(child)
                continue
            name, read = known
            if name in found:
                findings.add_problem(local_name(child.tag), "is there twice")
            else:
                found[name] = read(child, findings)
        return cls(**found)

    return read_struct


def _list_reader(item: Member, read: Reader) -> Reader:
    def read_list(element: etree._Element, findings: Findings) -> tuple[object, ...] | None:
        children = list(element)
        if not children and is_nil(element.get(NIL)):
            return None
        if (text := element.text) and not text.isspace():
            findings.add_problem(HERE, f"has text where {item.name} is expected")
        entries: list[object] = []
        position = 0
        for child in children:
            if child.tag != item.tag:
                findings.add_unknown(child)
                continue
            position += 1
            before = len(findings.notes)
            entry = read(child, findings)
            if entry is not None:
                entries.append(entry)
            elif len(findings.notes) == before:
                findings.add_problem(HERE, "is nil; a list holds no empty entries")
            if len(findings.notes) != before:
                findings.move_below(f"{item.name}[{position}]", before)
        return tuple(entries)

    return read_list


def _below(step: str, read: Reader) -> Reader:
    """Reads a member that has members of its own; only these need their problems moved below a name."""

    def read_below(element: etree._Element, findings: Findings) -> object:
        before = len(findings.notes)
        value = read(element, findings)
        if len(findings.notes) != before:
            findings.move_below(step, before)
        return value

    return read_below


def _string_reader(name: str) -> Reader:
    def read_string(element: etree._Element, findings: Findings) -> str | None:
        """Verbatim, white space included; an empty element is an empty string, a nil one None."""
        if len(element):
            findings.add_problem(name, "has members where text is expected")
            return None
        text = element.text
        if text:
            return text
        return None if is_nil(element.get(NIL)) else ""

    return read_string


def _value_reader(name: str, read: values.Read, *, is_shown: bool) -> Reader:
    # The same prices, rates and flags come over and over.
    read_short = lru_cache(_REMEMBERED)(read)

    def read_value(element: etree._Element, findings: Findings) -> object:
        text = element.text
        if text is None:
            if is_nil(element.get(NIL)):
                return None
            text = ""
        try:
            if len(element):
                raise values.Misfit("has members where text is expected")
            return read_short(text) if len(text) <= _SHORT else read(text)
        except values.Misfit as misfit:
            shown = _shown(text) if is_shown else None
            findings.add_problem(name, f"{shown or _described(text)} {misfit}")
            return None

    return read_value


_HARMLESS = re.compile(r"[A-Za-z0-9_+\-.,:]{1,12}")
_MOST_DIGITS = 5


def _shown(text: str) -> str | None:
    """The text in quotes where it is too short and too plain to be a person's number, address or name with a space."""
    if _HARMLESS.fullmatch(text) and sum(map(str.isdigit, text)) <= _MOST_DIGITS:
        return f"'{text}'"
    return None


def _described(text: str) -> str:
    return f"the value ({len(text)} characters)" if text else "an empty value"


def _snake_case(name: str) -> str:
    """`ErpOrderNo` -> erp_order_no, `DoSMSNotify` -> do_sms_notify, `Code2` -> code2."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _check_model(cls: type, names: list[str]) -> None:
    held = [f.name for f in fields(cls)]
    if held != names:
        raise TypeError(f"{cls.__name__} must have the members of the WSDL in its order: {names}, and has {held}")
