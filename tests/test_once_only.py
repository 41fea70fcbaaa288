"""An order is stored once: whoever sends it, however often, at the same time or late, and whatever dies meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from receiver.storage import tables
from receiver.storage.engine import new_engine
from receiver.storage.packing import Packing
from tests.answers import OK, OrderResponse, order_response
from tests.conftest import StartReceiver
from tests.databases import rows_of
from tests.order_xml import order_xml, other_writing
from tests.servers import RunningReceiver

COPIES = 16


def events(receiver: RunningReceiver) -> list[tuple[str, int]]:
    rows = rows_of(receiver.database_url, tables.order_history)
    return [(row["event"], row["revision"]) for row in rows]


def payloads(receiver: RunningReceiver) -> list[bytes]:
    return [Packing().unpack(row["payload"]) for row in rows_of(receiver.database_url, tables.order_payloads)]


def test_sixteen_copies_at_once_are_one_order_with_sixteen_equal_answers(receiver: RunningReceiver) -> None:
    copies = [order_xml("1001", lines=20), other_writing("1001", lines=20)] * (COPIES // 2)
    together = threading.Barrier(COPIES)

    def post(copy: bytes) -> bytes:
        together.wait(10)
        answer = receiver.post(copy)
        assert order_response(answer) == OK, answer.text
        return answer.body

    with ThreadPoolExecutor(COPIES) as pool:
        answers = list(pool.map(post, copies))
    assert len(set(answers)) == 1
    (order,) = rows_of(receiver.database_url, tables.orders)
    assert (order["client_order_ref"], order["revision"]) == ("1001", 1)
    assert len(rows_of(receiver.database_url, tables.order_lines)) == 20
    assert events(receiver) == [("received", 1)] + [("repeated", 1)] * (COPIES - 1)
    (payload,) = payloads(receiver)
    assert payload in copies


def test_sixteen_different_contents_at_once_are_sixteen_revisions_of_one_order(receiver: RunningReceiver) -> None:
    contents = [order_xml("1001", unit_price=f"{price}.00") for price in range(COPIES)]
    with ThreadPoolExecutor(COPIES) as pool:
        answers = list(pool.map(receiver.post, contents))
    assert {answer.body for answer in answers} == {answers[0].body}
    (order,) = rows_of(receiver.database_url, tables.orders)
    assert order["revision"] == COPIES
    assert events(receiver) == [("received", 1), *(("revised", revision) for revision in range(2, COPIES + 1))]
    assert sorted(payloads(receiver)) == sorted(contents)
    latest = payloads(receiver)[-1]
    assert str(order["lines_total"] / 4).encode().rstrip(b"0").rstrip(b".") in latest


def test_sixteen_orders_at_once_are_sixteen_orders(receiver: RunningReceiver) -> None:
    refs = [str(1001 + number) for number in range(COPIES)]
    with ThreadPoolExecutor(COPIES) as pool:
        answers = list(pool.map(receiver.post, map(order_xml, refs)))
    assert [order_response(answer) for answer in answers] == [OK] * COPIES
    assert sorted(order["client_order_ref"] for order in rows_of(receiver.database_url, tables.orders)) == refs


def test_a_repeat_in_other_prefixes_and_white_space_is_a_repeat(receiver: RunningReceiver) -> None:
    first = receiver.post(order_xml("1001"))
    again = receiver.post(other_writing("1001"))
    assert again.body == first.body
    assert events(receiver) == [("received", 1), ("repeated", 1)]
    assert payloads(receiver) == [order_xml("1001")]


def test_the_same_reference_in_another_application_is_another_order(receiver: RunningReceiver) -> None:
    other = order_xml("1001").replace(
        b"<Items>", b"<Header><ApplicationKey>3f2504e0-4f89-11d3-9a0c-0305e82c3301</ApplicationKey></Header><Items>"
    )
    assert order_response(receiver.post(order_xml("1001"))) == OK
    assert order_response(receiver.post(other)) == OK
    assert [order["revision"] for order in rows_of(receiver.database_url, tables.orders)] == [1, 1]


def test_a_changed_repeat_is_a_revision_and_nothing_is_lost(receiver: RunningReceiver) -> None:
    first, changed = order_xml("1001", lines=3), order_xml("1001", lines=2, unit_price="89.00")
    assert order_response(receiver.post(first)) == OK
    assert order_response(receiver.post(changed)) == OK
    assert events(receiver) == [("received", 1), ("revised", 2)]
    assert payloads(receiver) == [first, changed]
    lines = rows_of(receiver.database_url, tables.order_lines)
    assert [(line["revision"], str(line["unit_price"])) for line in lines] == [(1, "99.9000")] * 3 + [(2, "89.00")] * 2
    (order,) = rows_of(receiver.database_url, tables.orders)
    assert (order["revision"], str(order["lines_total"])) == (2, "356.00")


def test_a_late_repeat_of_the_first_revision_repeats_that_one(receiver: RunningReceiver) -> None:
    first, changed = order_xml("1001"), order_xml("1001", unit_price="89.00")
    answers = [receiver.post(envelope) for envelope in (first, changed, first, changed)]
    assert {answer.body for answer in answers} == {answers[0].body}
    assert events(receiver) == [("received", 1), ("revised", 2), ("repeated", 1), ("repeated", 2)]
    (order,) = rows_of(receiver.database_url, tables.orders)
    assert (order["revision"], str(order["lines_total"])) == (2, "356.00")


def test_a_repeat_carries_the_erp_order_number_once_it_is_known(receiver: RunningReceiver) -> None:
    assert order_response(receiver.post(order_xml("1001"))) == OK
    set_erp_order_no(receiver.database_url, "SO-<17> & Å")
    known = OrderResponse("OK", None, "true", "SO-<17> & Å")
    assert order_response(receiver.post(order_xml("1001"))) == known
    assert order_response(receiver.post(order_xml("1001", unit_price="89.00"))) == known


def set_erp_order_no(url: str, erp_order_no: str) -> None:
    engine = new_engine(url)
    with engine.begin() as connection:
        connection.execute(update(tables.orders).values(erp_order_no=erp_order_no))
    engine.dispose()


def test_a_refused_order_that_comes_again_is_counted_once(receiver: RunningReceiver) -> None:
    refused = order_xml("  ")
    answers = [receiver.post(refused).body for _ in range(3)]
    assert len(set(answers)) == 1
    (receipt,) = rows_of(receiver.database_url, tables.refused_receipts)
    assert (receipt["times"], receipt["kind"], Packing().unpack(receipt["payload"])) == (3, "order", refused)
    assert receipt["first_at"] < receipt["last_at"]


def test_a_changed_repeat_is_refused_where_revisions_are_switched_off(
    database_url: str, start_receiver: StartReceiver
) -> None:
    receiver = start_receiver(database_url, RECEIVER_ON_CHANGED_REPEAT="refuse")
    first, changed = order_xml("1001"), order_xml("1001", unit_price="89.00")
    assert order_response(receiver.post(first)) == OK
    refusal = order_response(receiver.post(changed))
    assert refusal.status_code == "Failed"
    assert (refusal.description or "").startswith("ClientOrderRef: ")
    (receipt,) = rows_of(database_url, tables.refused_receipts)
    assert (receipt["client_order_ref"], Packing().unpack(receipt["payload"])) == ("1001", changed)
    assert order_response(receiver.post(first)) == OK
    assert events(receiver) == [("received", 1), ("repeated", 1)]
    (order,) = rows_of(database_url, tables.orders)
    assert (order["revision"], str(order["lines_total"])) == (1, "399.6000")


@pytest.mark.parametrize("refused", [b"<not-xml", order_xml("")], ids=["fault", "refusal"])
def test_what_was_refused_may_be_sent_again_when_it_is_mended(refused: bytes, receiver: RunningReceiver) -> None:
    assert b"<StatusCode>OK" not in receiver.post(refused).body
    assert order_response(receiver.post(order_xml("1001"))) == OK
    assert events(receiver) == [("received", 1)]
