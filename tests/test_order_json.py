"""An order as JSON says what the order says, and the schema and the page about it say what the JSON is."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from connect_client import DeliveryNote, Invoice
from receiver.orders.as_json import FORMAT, order_as_json
from receiver.orders.model import Fee, Header, Order, OrderLine, WrittenTime
from receiver.soap.contract import ComplexType, load_contract
from receiver.soap.json_schema import order_schema, schema_text
from receiver.soap.service import order_reader
from tests.cases import cases
from tests.test_decode import some
from tests.wire import BLANK_LINE

ROOT = Path(__file__).parent.parent
SAMPLE = "1_private_buyer_with_freight.http"
READ_ORDER = order_reader()
VALID = {case.name: case for case in cases("valid")}
SCHEMA_FILE = ROOT / "docs" / "order.schema.json"
SCHEMA = Draft202012Validator(order_schema())
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def media_type(head: bytes) -> str:
    found = re.search(rb"^content-type:(.*)$", head, re.IGNORECASE | re.MULTILINE)
    return found[1].strip().decode() if found else ""


@cache
def order_of(name: str) -> Order:
    case = VALID[name]
    return READ_ORDER(case.body, media_type(case.request.partition(BLANK_LINE)[0]))


def sample_order() -> Order:
    head, _, body = (ROOT / "receiver" / "samples" / SAMPLE).read_bytes().partition(BLANK_LINE)
    return READ_ORDER(body, media_type(head))


def reread(order: Order) -> Any:
    """What a reader on the other side has of the order."""
    return json.loads(json.dumps(order_as_json(order)))


def test_each_kind_of_value_is_written_in_its_own_way() -> None:
    clock = datetime.fromisoformat("2026-11-23T10:11:12.123456")
    order = Order(
        client_order_ref="700101",
        do_hold=False,
        submit_date=WrittenTime("2026-11-23T10:11:12.1234567", clock, None),
        payments=(),
        lines=(OrderLine(line_no=0, description="", unit_price=Decimal("99.9000")), OrderLine()),
        header=Header(UUID("D3B0C1DE-0000-4000-8000-000000000001")),
        order_type="Order",
    )
    assert order_as_json(order) == {
        "do_hold": False,
        "client_order_ref": "700101",
        "submit_date": "2026-11-23T10:11:12.1234567",
        "payments": [],
        "lines": [{"line_no": 0, "description": "", "unit_price": "99.9000"}, {}],
        "header": {"application_key": "d3b0c1de-0000-4000-8000-000000000001"},
        "order_type": "Order",
    }
    assert order_as_json(Order()) == {}


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("99.9000", "99.9000"),
        ("0.0000000000", "0.0000000000"),
        ("-0.50", "-0.50"),
        (".5", "0.5"),
        ("1E+3", "1000"),
        ("79228162514264337593543950335", "79228162514264337593543950335"),
        ("0.0000000000000000000000000001", "0.0000000000000000000000000001"),
    ],
)
def test_a_decimal_keeps_its_digits_and_has_no_exponent(amount: str, written: str) -> None:
    assert order_as_json(Order(fees=(Fee(amount=Decimal(amount)),))) == {"fees": [{"amount": written}]}


def test_what_is_nil_differs_from_what_is_empty() -> None:
    written = order_as_json(order_of("empty_is_not_nil"))
    assert written["source"] == ""
    assert "customer_order_ref" not in written
    assert order_as_json(order_of("items_empty"))["lines"] == []
    assert "lines" not in order_as_json(order_of("items_nil"))


VALUES: dict[type, Any] = {
    str: "Order",
    int: 7,
    bool: True,
    Decimal: Decimal("1.50"),
    UUID: UUID(int=1),
    WrittenTime: WrittenTime("2026-11-23T12:00:00Z", NOON.replace(tzinfo=None), timedelta(0)),
}


def maximal(hint: Any) -> Any:
    """A value of the annotation that has all its members, and one entry in every list."""
    kind = get_args(hint)[0] if isinstance(hint, UnionType) else hint
    if kind in VALUES:
        return VALUES[kind]
    if items := get_args(kind):
        return (maximal(items[0]),)
    return kind(**{name: maximal(inner) for name, inner in get_type_hints(kind).items()})


def test_every_member_of_a_maximal_order_is_there_in_the_models_order() -> None:
    order = maximal(Order)
    written = order_as_json(order)
    assert list(written) == [each.name for each in fields(Order)]
    assert list(written["lines"][0]) == [each.name for each in fields(OrderLine)]
    assert written["sell_to"]["company"]["addresses"][0]["gln"] == "Order"
    assert the_same(order, reread(order))


def the_same(value: Any, written: Any) -> bool:
    """Judges JSON by the object it was made from; goes by what the values are, where the program goes by types."""
    if is_dataclass(value) and not isinstance(value, WrittenTime):
        held = {each.name: getattr(value, each.name) for each in fields(value)}
        held = {name: inner for name, inner in held.items() if inner is not None}
        return list(held) == list(written) and all(the_same(held[name], written[name]) for name in held)
    if isinstance(value, tuple):
        return len(value) == len(written) and all(map(the_same, value, written))
    if isinstance(value, Decimal):
        return "E" not in written and Decimal(written).as_tuple() == value.as_tuple()
    if isinstance(value, WrittenTime | UUID):
        return bool(written == (value.text if isinstance(value, WrittenTime) else str(value).lower()))
    return type(value) is type(written) and bool(value == written)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=some(Order))
def test_a_reader_gets_every_value_back_exactly(order: Order) -> None:
    written = reread(order)
    assert the_same(order, written)
    SCHEMA.validate(written)


@pytest.mark.parametrize("name", sorted(VALID))
def test_the_json_of_every_valid_case_says_what_the_order_says_and_fits_the_schema(name: str) -> None:
    order = order_of(name)
    written = reread(order)
    assert the_same(order, written)
    SCHEMA.validate(written)


def test_the_kept_schema_is_the_one_the_program_makes() -> None:
    Draft202012Validator.check_schema(order_schema())
    assert order_schema()["title"] == FORMAT
    assert SCHEMA_FILE.read_text("utf-8") == schema_text(), f"{SCHEMA_FILE.name} is old: renew it with `make schema`"


def test_the_schema_lets_every_object_of_a_maximal_order_be_absent_or_there() -> None:
    objects = [each for each in order_schema()["$defs"].values() if each["type"] == "object"]
    assert len(objects) == 15
    for each in objects:
        assert each["additionalProperties"] is False
        assert "required" not in each
        assert each["description"]
    SCHEMA.validate(reread(maximal(Order)))
    SCHEMA.validate({})


@pytest.mark.parametrize(
    "document",
    [
        {"Items": []},
        {"lines": None},
        {"order_type": "0"},
        {"refer_id": 2**31},
        {"refer_id": -(2**31) - 1},
        {"do_hold": "false"},
        {"submit_date": "2026-11-23 10:11"},
        {"header": {"application_key": "D3B0C1DE-0000-4000-8000-000000000001"}},
        {"fees": [{"amount": 99.9}]},
        {"fees": [{"amount": "1E+3"}]},
        {"fees": [{"amount": "1."}]},
        {"fees": [{"amount": "9" * 30}]},
        {"lines": [{"additional_info": [{"Code": "X"}]}]},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_receiver_never_writes(document: dict[str, Any]) -> None:
    assert not SCHEMA.is_valid(document)


def test_a_model_that_differs_from_the_contract_gets_no_schema() -> None:
    contract = load_contract()
    (name,) = [each for each in contract.complex_types if each.endswith("}Fee")]
    fewer = ComplexType(contract.complex_types[name].members[:-1])
    with pytest.raises(ValueError, match="shorter"):
        order_schema(replace(contract, complex_types=contract.complex_types | {name: fewer}))


def test_messages_about_an_order_are_the_same_from_its_json() -> None:
    order = sample_order()
    written = json.dumps(order_as_json(order))
    notes = [
        DeliveryNote.for_order(form, note_no="D-1", order_no="SO-1", delivery_date=NOON)
        for form in (order, written, json.loads(written))
    ]
    assert notes[0] == notes[1] == notes[2]
    assert [str(line.quantity) for line in notes[1].lines] == ["2", "1"]
    invoices = [
        Invoice.for_order(form, invoice_no="F-1", erp_order_no="SO-1", invoice_date=NOON, is_last_for_order=True)
        for form in (order, written, json.loads(written))
    ]
    assert repr(invoices[0]) == repr(invoices[1]) == repr(invoices[2]), "scales are the same too"
    assert invoices[1].payment is not None
    assert (invoices[1].payment.payment_code, invoices[1].payment.amount) == (7, Decimal("647.00"))


def test_the_page_shows_what_becomes_of_the_sample() -> None:
    page = (ROOT / "docs" / "order-json.md").read_text("utf-8")
    (example,) = re.findall(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert SAMPLE in page
    assert FORMAT in page
    assert example == json.dumps(order_as_json(sample_order()), ensure_ascii=False, indent=2) + "\n"
