"""Messages are whole or they are not made: every problem at once, each with its path and without the value."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect_client import (
    Address,
    Cancellation,
    Credit,
    DeliveredLine,
    DeliveryNote,
    InvalidMessage,
    Invoice,
    InvoiceLine,
    OrderStatus,
    OrderStatusUpdate,
    Parcel,
    Payment,
    Shipment,
    read_message,
)
from tests.connect_messages import NOON, bill, billed_line


def problems(make: Any, *args: Any, **values: Any) -> dict[str, str]:
    """Path and text of everything that is wrong."""
    with pytest.raises(InvalidMessage) as caught:
        make(*args, **values)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return {problem.path: problem.text for problem in caught.value.problems}


def test_all_problems_are_told_at_once_with_their_paths_and_without_the_values() -> None:
    found = problems(
        Invoice,
        erp_order_no="S" * 51,
        currency_code="kr",
        invoice_date=NOON.replace(tzinfo=None),
        delivery_date=date(2024, 7, 1),
        lines=[{"part_no": "", "quantity": 1.5, "unit_price": 9.99, "line_no": "1", "unit_vat": Decimal("NaN")}],
        vat=Decimal(1).scaleb(40),
        is_last_for_order="no",
        colour="blue",
    )
    assert found.keys() == {
        "", "erp_order_no", "currency_code", "invoice_date", "delivery_date", "invoice_due_date", "vat", "colour",
        "is_last_for_order", "lines[0].part_no", "lines[0].quantity", "lines[0].unit_price", "lines[0].line_no",
        "lines[0].unit_vat", "lines[0].vat_rate",
    }  # fmt: skip
    assert found[""] == "needs invoice_no or client_order_ref"
    assert found["lines[0].unit_price"] == "must be a Decimal; a float is not exact"
    assert not any(value in text for text in found.values() for value in ("SSS", "9.99", "blue", "kr"))


@pytest.mark.parametrize("given_as", [123456, "123456", " 123456 "])
def test_the_reference_is_taken_as_a_number_or_as_it_came_with_the_order(given_as: int | str) -> None:
    assert OrderStatusUpdate(client_order_ref=given_as, status=OrderStatus.PICKED_UP).client_order_ref == 123456


@pytest.mark.parametrize("wrong", ["W123", "", "1.0", "12e3", 0, -1, 2**31, str(2**31), 1.0, True, "\u0661"])
def test_a_reference_that_is_no_positive_int32_is_refused(wrong: Any) -> None:
    assert problems(OrderStatusUpdate, client_order_ref=wrong, status="Delivered").keys() == {"client_order_ref"}


def test_one_of_the_references_is_needed() -> None:
    assert problems(OrderStatusUpdate, status="Delivered") == {"": "needs client_order_ref or erp_order_no"}
    assert problems(Cancellation) == {"": "needs client_order_ref or erp_order_no"}
    assert problems(Payment, amount=Decimal(1)) == {"": "needs payment_code or payment_ref"}
    assert "" in problems(Shipment)


def test_the_status_is_required_because_norce_would_read_created() -> None:
    assert problems(OrderStatusUpdate, client_order_ref=1) == {"status": "is required"}
    assert "Created, Allocation" in problems(OrderStatusUpdate, client_order_ref=1, status="Shipped")["status"]


def test_there_are_21_statuses_with_the_numbers_of_the_contract() -> None:
    assert [status.number for status in OrderStatus] == list(range(21))
    assert (OrderStatus.CONFIRMED.number, OrderStatus.PARTLY_DELIVERED.number, OrderStatus.RESERVED.number) == (
        2,
        8,
        20,
    )


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x1f", "\ufffe", "\ud800"])
def test_control_characters_leave_texts_and_are_refused_in_references(character: str) -> None:
    assert Address(line1=f"Stor{character}gatan 1").line1 == "Storgatan 1"
    found = problems(DeliveredLine, row_number=1, part_no=f"P{character}1", quantity=Decimal(1))
    assert found == {"part_no": "must not be blank or hold control characters"}


def test_tabs_and_line_ends_are_kept() -> None:
    assert Address(line1="a\tb\r\nc").line1 == "a\tb\r\nc"


@pytest.mark.parametrize("fits", ["79228162514264337593543950335", "0.0000000000000000000000000001", "1E+28", "-0.00"])
def test_decimals_that_dotnet_holds_are_kept_exactly(fits: str) -> None:
    line = dataclasses.replace(billed_line(1), unit_price=Decimal(fits))
    assert str(line.unit_price) == str(Decimal(fits))


@pytest.mark.parametrize(
    "wrong", ["79228162514264337593543950336", "1E-29", "1E+29", "1E+999999", "NaN", "Infinity", "-sNaN"]
)
def test_decimals_that_dotnet_does_not_hold_are_refused(wrong: str) -> None:
    found = problems(dataclasses.replace, billed_line(1), unit_price=Decimal(wrong))
    assert found.keys() == {"unit_price"}


@pytest.mark.parametrize("wrong", ["10.00", 10.0, True, None, "1,5"])
def test_an_amount_is_a_decimal_and_nothing_else(wrong: Any) -> None:
    assert problems(dataclasses.replace, billed_line(1), unit_vat=wrong).keys() == {"unit_vat"}


ODD_ZONES = [timezone(timedelta(hours=1, minutes=12, seconds=12)), timezone(timedelta(hours=-14, minutes=-1))]


@pytest.mark.parametrize(
    "wrong",
    [
        *(NOON.replace(tzinfo=zone) for zone in (None, *ODD_ZONES)),
        *(datetime(1, 1, 1, tzinfo=UTC), "2024-07-01", 0, None),
    ],
)
def test_a_moment_says_its_zone_and_lies_where_databases_reach(wrong: Any) -> None:
    found = problems(
        DeliveryNote,
        order_no="S",
        note_no="D",
        status=OrderStatus.DELIVERED,
        delivery_date=wrong,
        lines=[DeliveredLine(row_number=Decimal(1), part_no="P", quantity=Decimal(1))],
    )
    assert found.keys() == {"delivery_date"}


def test_an_invoice_without_lines_says_that_it_captures_nothing() -> None:
    whole = bill(Invoice)
    found = problems(dataclasses.replace, whole, lines=(), suppress_psp_call=False)
    assert found == {"lines": "an invoice without lines captures nothing: add its lines, or say suppress_psp_call=True"}
    assert dataclasses.replace(whole, lines=(), suppress_psp_call=True).lines == ()


def test_an_invoice_must_say_whether_it_is_the_last() -> None:
    values = {field.name: getattr(bill(Invoice), field.name) for field in dataclasses.fields(Invoice)}
    del values["is_last_for_order"]
    assert problems(Invoice, **values) == {"is_last_for_order": "is required"}


def test_a_credit_names_the_invoice_it_credits_and_what_it_pays_back() -> None:
    credit = bill(Credit)
    assert problems(dataclasses.replace, credit, credited_invoice_no=None).keys() == {"credited_invoice_no"}
    assert problems(dataclasses.replace, credit, lines=())["lines"].startswith("must not be empty")


def test_a_released_payment_is_named_by_its_reference() -> None:
    found = problems(Cancellation, client_order_ref=1, payments=[Payment(payment_code=3), {"payment_code": 4}])
    assert found.keys() == {"payments[0].payment_ref", "payments[1].payment_ref"}


def test_messages_are_frozen_and_replaced_ones_are_checked_anew() -> None:
    update = OrderStatusUpdate(client_order_ref=1, status=OrderStatus.ON_HOLD)
    with pytest.raises(dataclasses.FrozenInstanceError):
        update.status = OrderStatus.CANCELLED  # type: ignore[misc]
    assert problems(dataclasses.replace, update, client_order_ref=None).keys() == {""}
    assert problems(OrderStatusUpdate, OrderStatus.ON_HOLD).keys() >= {"status"}


def test_a_row_without_an_amount_gets_price_times_quantity() -> None:
    assert dataclasses.replace(billed_line(1), line_amount=None).line_amount == Decimal("199.8000")


def test_json_is_read_exactly_and_its_problems_are_told() -> None:
    text = '{"payment_ref": "R", "amount": 99.90, "currency_code": "SEK"}'
    assert str(read_message(Payment, text).amount) == "99.90"
    assert str(read_message(Payment, {"payment_ref": "R", "amount": "99.90"}).amount) == "99.90"
    assert problems(read_message, Payment, '{"payment_ref": "R", "amount": "99,90"}').keys() == {"amount"}
    assert problems(read_message, Payment, {"payment_ref": "R", "amount": 99.9}).keys() == {"amount"}
    for broken in ("", "{", b"\xff", "[" * 100_000):
        assert problems(read_message, Payment, broken) == {"": "is no JSON"}
    assert problems(read_message, Payment, "[1]").keys() == {""}
    assert problems(read_message, Payment, '{"payment_ref": 1, "PaymentRef": "R"}').keys() == {
        "payment_ref",
        "PaymentRef",
    }


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.floats(), st.lists), st.text())
def test_whatever_json_holds_it_is_a_message_or_an_invalid_one(value: Any, name: str) -> None:
    for kind in (OrderStatusUpdate, DeliveryNote, Invoice, Parcel):
        for document in ({name: value}, {"lines": value, "infos": value, "status": value}, value):
            with pytest.raises(InvalidMessage):
                read_message(kind, document if isinstance(document, dict) else json.dumps(document))


ORDER: dict[str, Any] = {
    "client_order_ref": "123456",
    "currency_code": "SEK",
    "lines": [
        {"line_no": 1, "part_no": "P-1", "description": "Tröja", "quantity": 2, "unit_price": "80.00",
         "unit_vat": "20.00", "vat_rate": "25"},
        {"line_no": 2, "part_no": "P-2", "quantity": 1, "quantity2": "1.5", "unit_price": "10", "unit_vat": "2.5",
         "vat_rate": "25"},
    ],
    "payments": [{"payment_code": 3, "payment_ref": "R-1", "payment_method_code": "Card", "amount": "219"}],
}  # fmt: skip


def as_object(value: Any) -> Any:
    """The order as an object with attributes, decimals and tuples instead of JSON."""
    if isinstance(value, dict):
        numbers = {"quantity2", "unit_price", "unit_vat", "vat_rate", "amount"}
        return SimpleNamespace(**{k: Decimal(v) if k in numbers else as_object(v) for k, v in value.items()})
    return tuple(as_object(each) for each in value) if isinstance(value, list) else value


@pytest.mark.parametrize("order", [ORDER, json.dumps(ORDER), as_object(ORDER)], ids=["parsed", "text", "object"])
def test_a_stored_order_becomes_a_delivery_note(order: Any) -> None:
    parcel = Parcel(tracking_no="PKT1", status=4)
    note = DeliveryNote.for_order(order, note_no="D", order_no="S", delivery_date=NOON, parcels=[parcel])
    assert note.status is OrderStatus.DELIVERED
    assert note.parcels == (parcel,)
    assert [(line.row_number, line.part_no, line.quantity) for line in note.lines] == [
        (Decimal(1), "P-1", Decimal(2)),
        (Decimal(2), "P-2", Decimal("1.5")),
    ]


def test_a_part_of_an_order_becomes_a_partial_note() -> None:
    def note(**chosen: Any) -> DeliveryNote:
        return DeliveryNote.for_order(ORDER, note_no="D", order_no="S", delivery_date=NOON, **chosen)

    part = note(quantities={1: 1})
    assert (part.status, len(part.lines), part.lines[0].quantity) == (OrderStatus.PARTLY_DELIVERED, 1, Decimal(1))
    assert note(quantities={1: 1, 2: 1}).status is OrderStatus.PARTLY_DELIVERED
    assert note(quantities={1: 2, 2: Decimal("1.5")}).status is OrderStatus.DELIVERED
    assert note(quantities={1: 1}, status=OrderStatus.DELIVERED).status is OrderStatus.DELIVERED
    assert problems(note, quantities={7: 1}) == {"quantities[7]": "is no line of the order"}
    assert problems(note, quantities={1: 0.5}).keys() == {"quantities[1]"}


def billed(order: Any, **chosen: Any) -> Invoice:
    return Invoice.for_order(
        order, invoice_no="F", erp_order_no="S", invoice_date=NOON, is_last_for_order=False, **chosen
    )


def test_a_part_of_an_order_becomes_a_partial_invoice_at_the_orders_prices() -> None:
    invoice = billed(ORDER, quantities={1: 1})
    assert (invoice.client_order_ref, invoice.currency_code, invoice.vat) == (123456, "SEK", Decimal("20.00"))
    rows: list[tuple[object, ...]] = [(line.line_no, line.quantity, line.line_amount) for line in invoice.lines]
    assert rows == [(Decimal(1), 1, Decimal("80.00"))]
    assert invoice.payment is not None
    assert (invoice.payment.payment_ref, invoice.payment.amount) == ("R-1", Decimal("100.00"))


def test_a_whole_invoice_captures_what_was_reserved() -> None:
    whole = ORDER | {"lines": ORDER["lines"][:1]}
    payment = billed(whole).payment
    assert payment is not None
    assert payment.amount == Decimal(219)
    assert billed(whole | {"payments": []}).payment is None


def test_what_an_invoice_cannot_say_about_an_order_is_told() -> None:
    assert problems(billed, ORDER).keys() == {"quantities[2]"}
    assert problems(billed, ORDER | {"payments": ORDER["payments"] * 2}, quantities={1: 1}).keys() == {"order.payments"}
    assert problems(billed, {}).keys() == {"order.lines"}
    broken = {"lines": [{"line_no": "1", "quantity": 1, "unit_price": "x", "unit_vat": None, "vat_rate": 1.5}]}
    assert problems(billed, broken).keys() == {
        f"order.lines[0].{name}" for name in ("line_no", "part_no", "unit_price", "unit_vat", "vat_rate")
    }


def test_a_line_made_from_another_message_is_refused() -> None:
    line: Any = Parcel(tracking_no="P", status=4)
    found = problems(dataclasses.replace, bill(Invoice), lines=(line, InvoiceLine))
    assert found.keys() == {"lines[0]", "lines[1]"}
