"""Envelopes say what a WCF client would say, and what zeep itself would write, element by element."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import zeep
from lxml import etree

from connect_client import Invoice, Operation, OrderStatus, OrderStatusUpdate
from connect_client.calls import Call, load_calls
from connect_client.contract import wsdl_bytes
from connect_client.messages.as_json import message_as_json, read_message
from connect_client.shapes import ContractMismatch, Listed, Mapped, Nested, Shape, shape_of
from connect_client.testing.schema import xml_schema
from connect_client.wire_names import WIRE_TYPES
from tests.connect_messages import CAPTURED, EVERY_FIELD, NOON, SUMMER, billed_line

WIRE = Path(__file__).parent / "contract" / "wire"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
CONTRACT = "{Enferno.Services.StormConnect.Contracts.Order}"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
every_operation = pytest.mark.parametrize("operation", list(Operation), ids=lambda each: each.wire_name)


def wrapper_in(envelope: bytes) -> etree._Element:
    root = etree.fromstring(envelope)
    (body,) = root
    assert (root.tag, body.tag) == (f"{SOAP}Envelope", f"{SOAP}Body")
    (wrapper,) = body
    return wrapper


def captured(name: str) -> tuple[bytes, etree._Element]:
    head, _, body = (WIRE / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    return head, wrapper_in(body)


def without_nil(element: etree._Element) -> etree._Element:
    """What is nil is left out by us; a part of which nothing remains, or that names no key, we cannot say at all."""
    for each in list(element.iter()):
        parent = each.getparent()
        if each.get(NIL) == "true" and parent is not None:
            parent.remove(each)
    for each in [*element.iter(f"{CONTRACT}OrderInfo"), *element.iter(f"{CONTRACT}OrderItemStatus")]:
        if len(each) < 2:
            each.getparent().remove(each)  # type: ignore[union-attr]
    for each in list(element.iter(f"{CONTRACT}OrderItem")):
        if each.find(f"{CONTRACT}PartNo") is None:
            each.getparent().remove(each)  # type: ignore[union-attr]
    return element


def as_pairs(element: etree._Element) -> Iterator[tuple[str, str]]:
    """Every element in document order: its path and its text."""
    tree = element.getroottree()
    for each in element.iter():
        yield tree.getelementpath(each), (each.text or "") if len(each) == 0 else ""


@pytest.mark.parametrize("name", CAPTURED)
def test_the_body_equals_what_a_wcf_client_sent(name: str) -> None:
    operation, message = CAPTURED[name]
    call = load_calls()[operation]
    head, expected = captured(name)
    written = wrapper_in(call.encode(message))
    assert list(as_pairs(written)) == list(as_pairs(without_nil(expected)))
    assert f'SOAPAction: "{call.action}"'.encode() in head


def test_an_invoice_writes_every_value_type_that_a_wcf_client_always_writes() -> None:
    _, expected = captured("CreateInvoice_minimal")
    names = [each.tag for each in without_nil(expected)[0]]
    smallest = Invoice(
        client_order_ref=1,
        erp_order_no="SO-1",
        currency_code="SEK",
        invoice_date=NOON,
        delivery_date=NOON,
        invoice_due_date=NOON,
        vat=Decimal(0),
        is_last_for_order=True,
        lines=(),
        suppress_psp_call=True,
    )
    ours = {f"{CONTRACT}{name}" for name in ("ErpOrderNo", "CurrencyCode", "IsLastInvoiceForOrder")}
    written = wrapper_in(load_calls()[Operation.CREATE_INVOICE].encode(smallest))[0]
    assert [each.tag for each in written if each.tag not in ours] == names
    assert [each.text for each in written if each.tag == f"{CONTRACT}TotalAmount"] == ["0"]


@every_operation
def test_a_message_with_every_field_is_valid_and_has_every_member_of_the_contract(operation: Operation) -> None:
    call = load_calls()[operation]
    wrapper = wrapper_in(call.encode(EVERY_FIELD[operation]))
    schema = xml_schema("OrderService")
    assert schema.validate(wrapper), schema.error_log
    assert set(tags_of(call.shape)) == {each.tag for each in wrapper.iter()} - {call.wrapper, call.parameter}


def tags_of(shape: Shape) -> Iterator[str]:
    for part in shape.parts:
        yield part.tag
        match part.content:
            case Nested(inner):
                yield from tags_of(inner)
            case Listed(item, content):
                yield item
                yield from tags_of(content.shape) if isinstance(content, Nested) else ()
            case Mapped(item, key, value):
                yield from (item, key, value)


@every_operation
def test_zeep_writes_the_same_from_the_same_values(operation: Operation) -> None:
    call = load_calls()[operation]
    client: Any = zeep.Client(io.BytesIO(wsdl_bytes("OrderService")))  # type: ignore[no-untyped-call]
    parameter = etree.QName(call.parameter).localname
    values = {parameter: zeep_values(EVERY_FIELD[operation], call.shape)}
    service = client.create_service(f"{CONTRACT}BasicHttpBinding_OrderService", "http://localhost/")
    theirs = etree.tostring(client.create_message(service, operation.wire_name, **values))
    ours = call.encode(EVERY_FIELD[operation])
    assert list(as_pairs(wrapper_in(ours))) == list(as_pairs(wrapper_in(theirs)))


def zeep_values(message: Any, shape: Shape) -> dict[str, Any]:
    """The message as zeep wants it: wire names, and a level for the items of each list."""
    values = {}
    for part in shape.parts:
        value = getattr(message, part.field)
        name = etree.QName(part.tag).localname
        match part.content:
            case Nested(inner):
                values[name] = None if value is None else zeep_values(value, inner)
            case Listed(item, content) if value:
                items = [zeep_values(each, content.shape) if isinstance(content, Nested) else each for each in value]
                values[name] = {etree.QName(item).localname: items}
            case Mapped(item, key, text) if value:
                names = [etree.QName(tag).localname for tag in (key, text)]
                pairs = [{names[0]: str(one), names[1]: other} for one, other in value.items()]
                values[name] = {etree.QName(item).localname: pairs}
            case simple:
                number = getattr(simple, "is_numbered", False)
                values[name] = value.number if number else zeep_value(value)
    return values


def zeep_value(value: Any) -> Any:
    """Six digits of a fraction are what zeep writes, .NET and we cut the zeros; and it takes text as it is."""
    if isinstance(value, datetime):
        return value.isoformat().replace(".120000", ".12").replace("+00:00", "Z")
    return str(value.value) if isinstance(value, OrderStatus) else value


@every_operation
def test_a_message_survives_its_json(operation: Operation) -> None:
    message = EVERY_FIELD[operation]
    assert read_message(operation.message, message_as_json(message)) == message


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2024, 7, 1, 12, 34, 56, 123456, UTC), "2024-07-01T12:34:56.123456Z"),
        (datetime(2024, 7, 1, tzinfo=UTC), "2024-07-01T00:00:00Z"),
        (SUMMER, "2024-07-01T12:34:56.12+02:00"),
        (SUMMER.astimezone(UTC), "2024-07-01T10:34:56.12Z"),
    ],
)
def test_moments_are_written_as_dotnet_writes_them(moment: datetime, written: str) -> None:
    note = replace(EVERY_FIELD[Operation.CREATE_DELIVERY_NOTE], delivery_date=moment)
    wrapper = wrapper_in(load_calls()[Operation.CREATE_DELIVERY_NOTE].encode(note))
    assert wrapper.findtext(f".//{CONTRACT}DeliveryDate") == written


def test_decimals_are_written_without_exponent_and_with_their_scale() -> None:
    lines = tuple(
        replace(billed_line(1), unit_price=price)
        for price in (Decimal("1E+3"), Decimal("0.0000"), Decimal("1E-10"), Decimal("-10.25"))
    )
    invoice = replace(EVERY_FIELD[Operation.CREATE_INVOICE], lines=lines)
    wrapper = wrapper_in(load_calls()[Operation.CREATE_INVOICE].encode(invoice))
    prices = [each.text for each in wrapper.iter(f"{CONTRACT}UnitPrice")]
    assert prices == ["1000", "0.0000", "0.0000000001", "-10.25"]


def test_markup_and_carriage_returns_in_texts_arrive_as_they_were() -> None:
    text = '<a> & ]]> "quoted" \r\n\tend '
    update = OrderStatusUpdate(client_order_ref=1, status=OrderStatus.ON_HOLD, infos={"Note": text})
    wrapper = wrapper_in(load_calls()[Operation.SEND_ORDER_STATUS].encode(update))
    assert wrapper.findtext(f".//{CONTRACT}Value") == text


def test_the_envelope_has_no_header_and_no_declaration() -> None:
    envelope = load_calls()[Operation.SEND_ORDER_STATUS].encode(EVERY_FIELD[Operation.SEND_ORDER_STATUS])
    assert envelope.startswith(
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><SendOrderStatus '
    )


def test_a_message_that_does_not_fit_its_type_fails_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    call: Call = load_calls()[Operation.SEND_ORDER_STATUS]
    wire: Any = zeep.Client(io.BytesIO(wsdl_bytes("OrderService")))  # type: ignore[no-untyped-call]
    with pytest.raises(ContractMismatch, match="OrderStatusUpdate is SendOrderStatusRequest"):
        shape_of(OrderStatusUpdate, wire.get_type(f"{CONTRACT}Invoice"))
    monkeypatch.setitem(WIRE_TYPES, OrderStatusUpdate, WIRE_TYPES[OrderStatusUpdate]._replace(renamed={}))
    with pytest.raises(ContractMismatch, match="differ in ItemStatuses, LineStatuses, OrderStatus, Status"):
        shape_of(call.operation.message, wire.get_type(f"{CONTRACT}SendOrderStatusRequest"))


def test_a_member_of_an_enumeration_goes_out_as_its_value() -> None:
    class Carrier(str, Enum):  # noqa: UP042 - whose members Python formats by their names
        POSTNORD = "PostNord"

    update = OrderStatusUpdate(
        status=OrderStatus.DELIVERED, erp_order_no=Carrier.POSTNORD, infos={"Carrier": Carrier.POSTNORD}
    )
    envelope = load_calls()[Operation.SEND_ORDER_STATUS].encode(update)
    assert envelope.count(b">PostNord<") == 2
    assert b"POSTNORD" not in envelope
