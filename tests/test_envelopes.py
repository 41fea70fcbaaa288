"""Every case of `tests/envelopes`, sent byte for byte to the real receiver on both databases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Table

from receiver.storage import tables
from receiver.storage.packing import Packing
from tests.answers import OK, fault, order_response
from tests.cases import PERSONAL_DATA, Case, Expectation, cases
from tests.databases import rows_of
from tests.order_xml import order_xml
from tests.servers import RunningReceiver
from tests.wire import HttpAnswer

NO_APPLICATION = "00000000-0000-0000-0000-000000000000"
LONGEST_WAIT_S = 1.0
GOOD = order_xml("the-next-good-order")


def by_name(case: Case) -> str:
    return case.name


@pytest.fixture
def log_of_this_test(receiver: RunningReceiver) -> Iterator[None]:
    """Whatever the test does, the log shows neither a traceback nor anything of a person."""
    before = len(receiver.log)
    yield
    written = receiver.log[before:]
    assert written, "the receiver logs each request"
    for line in written.splitlines():
        assert "Traceback" not in line
        # gunicorn writes its own lines, about requests that are no HTTP, before any of ours runs.
        assert line.startswith("[") or "exception" not in json.loads(line)
        assert_nothing_personal(line)


# Their digits are by chance those of anything.
BY_CHANCE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\b[0-9a-f]{16}\b")


def assert_nothing_personal(text: str, also: tuple[str, ...] = ()) -> None:
    text = BY_CHANCE.sub("", text)
    for secret in (*PERSONAL_DATA, *also):
        for writing in {secret, ascii(secret).strip("'"), json.dumps(secret).strip('"')}:
            assert writing not in text


@pytest.mark.usefixtures("log_of_this_test")
@pytest.mark.parametrize("case", cases("valid"), ids=by_name)
def test_a_valid_order_is_stored_and_acknowledged(case: Case, receiver: RunningReceiver) -> None:
    expected = case.expected
    answer = receiver.send(case.bytes_to_send, half_close=expected.half_close)
    assert order_response(answer) == OK, answer.text
    assert answer.seconds < LONGEST_WAIT_S
    assert answer.interim == ((100,) if expected.continue_first else ())
    (order,) = stored(receiver, tables.orders)
    assert_holds(order, {"application_key": NO_APPLICATION, "revision": 1, "state": "received", **expected.order})
    assert_lines(stored(receiver, tables.order_lines), expected)
    assert_history(stored(receiver, tables.order_history), expected)
    (payload,) = rows_of(receiver.database_url, tables.order_payloads)
    assert Packing().unpack(payload["payload"]) == case.body
    assert stored(receiver, tables.refused_receipts) == []

    again = receiver.send(case.bytes_to_send, half_close=expected.half_close)
    assert again.body == answer.body
    assert [event["event"] for event in stored(receiver, tables.order_history)] == ["received", "repeated"]
    assert stored(receiver, tables.orders) == [order]


@pytest.mark.usefixtures("log_of_this_test")
@pytest.mark.parametrize("case", cases("invalid"), ids=by_name)
def test_an_invalid_request_is_answered_as_promised_and_the_next_order_is_stored(
    case: Case, receiver: RunningReceiver
) -> None:
    expected, before = case.expected, len(receiver.log)
    answer = receiver.send(case.bytes_to_send, half_close=expected.half_close)
    assert answer.seconds < LONGEST_WAIT_S
    assert_answer(answer, expected)
    assert_nothing_personal(answer.text, tuple(expected.never_shown))
    assert_nothing_personal(receiver.log[before:], tuple(expected.never_shown))
    assert_refused_receipt(receiver, case)

    assert order_response(receiver.post(GOOD)) == OK
    assert [order["client_order_ref"] for order in stored(receiver, tables.orders)] == ["the-next-good-order"]


def test_no_two_cases_say_the_same() -> None:
    bytes_of = [case.bytes_to_send for case in (*cases("valid"), *cases("invalid"))]
    assert len(set(bytes_of)) == len(bytes_of)


def assert_answer(answer: HttpAnswer, expected: Expectation) -> None:
    assert answer.status == expected.http_status, answer
    for name, value in expected.headers.items():
        assert answer.headers[name] == value
    if expected.status_code:
        response = order_response(answer)
        assert (response.status_code, response.has_erp_order_no, response.erp_order_no) == ("Failed", "false", None)
        assert_description(response.description or "", expected)
    elif expected.fault_code:
        code, text = fault(answer)
        assert code == expected.fault_code
        assert expected.fault_contains in text
        assert len(text) < 300


def assert_description(description: str, expected: Expectation) -> None:
    if expected.description is not None:
        assert description == "; ".join(expected.description)
    for part in expected.description_contains:
        assert part in description
    assert len(description) <= 2_000


def assert_refused_receipt(receiver: RunningReceiver, case: Case) -> None:
    receipts = rows_of(receiver.database_url, tables.refused_receipts)
    if case.expected.refused_receipt is None:
        assert receipts == []
        return
    (receipt,) = receipts
    assert (receipt["kind"], receipt["times"]) == (case.expected.refused_receipt, 1)
    assert Packing().unpack(receipt["payload"]) == case.body
    assert receipt["reasons"]
    if case.expected.description is not None:
        assert receipt["reasons"] == case.expected.description


def assert_holds(row: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {name: row[name] for name in expected} == expected


def assert_lines(lines: list[dict[str, Any]], expected: Expectation) -> None:
    if expected.lines is None:
        return
    assert len(lines) == len(expected.lines)
    for line, wanted in zip(lines, expected.lines, strict=True):
        assert_holds(line, wanted)


def assert_history(history: list[dict[str, Any]], expected: Expectation) -> None:
    assert len(history) == len(expected.history)
    for event, wanted in zip(history, expected.history, strict=True):
        assert_holds(event, wanted)


def stored(receiver: RunningReceiver, table: Table) -> list[dict[str, Any]]:
    """The rows of a table with their values as the expectations write them."""
    return [{name: as_written(value) for name, value in row.items()} for row in rows_of(receiver.database_url, table)]


def as_written(value: object) -> object:
    """Decimals with their scale and instants in UTC, both as text."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value
