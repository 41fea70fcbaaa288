"""The door through which orders are looked at: whole, page by page, and by its own readers only."""

from __future__ import annotations

import pytest

from tests.doors import ERP, Doors, paths, problem
from tests.order_xml import order_xml
from tests.relaying import CONFIRMED, INVOICE, NOTE

REF = "700101"


def test_an_order_shows_its_lines_deliveries_invoices_and_story(doors: Doors) -> None:
    doors.receiver.post(order_xml(REF))
    doors.receiver.post(order_xml(REF))
    for kind, report in (("order-status", CONFIRMED), ("delivery-note", NOTE), ("invoice", INVOICE)):
        assert doors.report({"kind": kind, "client_order_ref": REF, "report": report}).status_code == 202
    response = doors.ask(f"/orders/{REF}")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    order = response.json()
    assert (order["client_order_ref"], order["state"], order["erp_order_no"]) == (REF, "confirmed", "SO-1")
    assert [line["unit_price"] for line in order["lines"]] == ["99.9000", "99.9000"]
    assert order["deliveries"][0]["parcels"] == [{"tracking_no": "PKT1", "state": "delivered"}]
    assert order["invoices"][0]["report"]["invoice_no"] == "F-1"
    assert order["statuses"][0]["state"] == "pending"
    events = [entry["event"] for entry in order["timeline"]]
    assert events[0] == "received"
    assert "repeated" in events
    assert sum("invoice" in str(entry) for entry in order["timeline"]) == 1
    assert all(entry["happened_at"].endswith("Z") for entry in order["timeline"])


def test_an_unknown_order_and_one_of_several_applications(doors: Doors) -> None:
    problem(doors.ask("/orders/1"), 404)
    keys = ["15d62d1f-3a4e-4111-845a-4db40bf08e87", "25d62d1f-3a4e-4111-845a-4db40bf08e87"]
    for key in keys:
        header = f"<Header><ApplicationKey>{key}</ApplicationKey></Header>".encode()
        assert doors.receiver.post(order_xml(REF).replace(b"</request>", header + b"</request>")).status == 200
    assert sorted(problem(doors.ask(f"/orders/{REF}"), 409)["application_keys"]) == keys
    assert doors.ask(f"/orders/{REF}?application_key={keys[1]}").json()["application_key"] == keys[1]


def test_pages_follow_each_other_while_orders_come_in(doors: Doors) -> None:
    for number in range(5):
        doors.receiver.post(order_xml(str(number)))
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = doors.ask(f"/orders?limit=2{cursor and f'&cursor={cursor}'}").json()
        seen += [order["client_order_ref"] for order in page["orders"]]
        doors.receiver.post(order_xml(f"late-{len(seen)}"))
        cursor = page["next"]
    assert seen == ["4", "3", "2", "1", "0"]


def test_filters_narrow_the_list(doors: Doors) -> None:
    for ref in (REF, "2"):
        doors.receiver.post(order_xml(ref))
    doors.report({"kind": "order-status", "report": CONFIRMED})

    def refs(query: str) -> list[str]:
        return [order["client_order_ref"] for order in doors.ask(f"/orders?{query}").json()["orders"]]

    assert refs("state=confirmed") == refs("erp_order_no=SO-1") == [REF]
    assert refs("state=received") == ["2"]
    assert refs("since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z") == []
    assert refs("application_key=15d62d1f-3a4e-4111-845a-4db40bf08e87") == []
    assert refs("customer_order_ref=none") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=lost&limit=0&colour=blue", {"state", "limit", "colour"}),
        ("since=yesterday&until=2026-01-01&application_key=x", {"since", "until", "application_key"}),
        ("limit=1&limit=2", {"limit"}),
        ("limit=201", {"limit"}),
        ("cursor=AAAA", {"cursor"}),
        ("erp_order_no=%00", {"erp_order_no"}),
    ],
)
def test_a_question_that_cannot_be_understood_is_told_why(doors: Doors, query: str, expected: set[str]) -> None:
    assert paths(problem(doors.ask(f"/orders?{query}"), 400)) == expected


def test_a_cursor_that_was_changed_is_refused(doors: Doors) -> None:
    for number in range(3):
        doors.receiver.post(order_xml(str(number)))
    cursor = doors.ask("/orders?limit=1").json()["next"]
    changed = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    assert paths(problem(doors.ask(f"/orders?cursor={changed}"), 400)) == {"cursor"}
    assert doors.ask(f"/orders?cursor={cursor}").status_code == 200


def test_only_readers_of_orders_may_look(doors: Doors) -> None:
    for auth in (None, ERP, ("reader", "")):
        problem(doors.ask("/orders", auth=auth), 401)
        problem(doors.ask(f"/orders/{REF}", auth=auth), 401)
    for path in ("/orders/../erp/reports", "/orders//", "/orders/%00"):
        assert doors.ask(path).status_code in (200, 404, 405)
