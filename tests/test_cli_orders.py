"""The operator finds every order again: in lists, one by one, as bytes, and the refused ones too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from receiver.flows.dead_letters import discard_dead_letters
from receiver.outbox.dead_letter import Choice
from receiver.storage.engine import new_engine
from tests.databases import migrate_to_head
from tests.operators import Operator
from tests.order_xml import create_order, order_xml
from tests.relaying import CONFIRMED, NOT_NOW, REFUSED, DecidingCourier, Never, outbox_on
from tests.servers import RunningReceiver

SHOP = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
OTHER_SHOP = "3f2504e0-4f89-11d3-9a0c-0305e82c3302"


@pytest.fixture
def operator(receiver: RunningReceiver, tmp_path: Path) -> Operator:
    """An operator of the running receiver."""
    return Operator(tmp_path, receiver.database_url)


on_sqlite = pytest.mark.parametrize("lasting_receiver", ["sqlite"], indirect=True)
"""For what no database can make a difference to."""


def order_of(application_key: str, ref: str) -> bytes:
    """An order that one application took."""
    header = f"<Header><ApplicationKey>{application_key}</ApplicationKey></Header>"
    return create_order(f"<ClientOrderRef>{ref}</ClientOrderRef>{header}")


def test_the_list_begins_with_the_order_received_last(receiver: RunningReceiver, operator: Operator) -> None:
    for ref in ("1001", "1002", "1003"):
        receiver.post(order_xml(ref))
    assert [order["client_order_ref"] for order in operator.data("orders", "list")] == ["1003", "1002", "1001"]
    assert [order["client_order_ref"] for order in operator.data("orders", "list", "--limit", "1")] == ["1003"]
    rows = operator.text("orders", "list").splitlines()[2:]
    assert [row.split()[2] for row in rows] == ["1003", "1002", "1001"]


def test_the_list_is_narrowed_by_time_state_and_application(receiver: RunningReceiver, operator: Operator) -> None:
    receiver.post(order_of(SHOP, "1001"))
    receiver.post(order_of(OTHER_SHOP, "1002"))

    def refs(*options: str) -> list[str]:
        return [order["client_order_ref"] for order in operator.data("orders", "list", *options)]

    assert refs("--application", SHOP.upper()) == ["1001"]
    assert refs("--state", "received") == ["1002", "1001"]
    assert refs("--state", "confirmed") == []
    assert operator.run("orders", "list", "--state", "unheard of").returncode == 2
    assert refs("--since", "2h") == ["1002", "1001"]
    assert refs("--since", "2020-01-31") == ["1002", "1001"]
    assert refs("--since", (datetime.now(UTC) + timedelta(minutes=1)).isoformat()) == []


@on_sqlite
def test_an_empty_list_says_so(operator: Operator) -> None:
    assert operator.text("orders", "list") == "No orders.\n"
    assert operator.text("refused", "list") == "Nothing was refused.\n"
    assert operator.data("orders", "list") == []


def test_an_order_is_shown_with_its_lines_and_its_history(receiver: RunningReceiver, operator: Operator) -> None:
    receiver.post(order_xml("1001"))
    receiver.post(order_xml("1001"))
    order = operator.data("orders", "show", "1001")
    shown = [line.split() for line in operator.text("orders", "show", "1001").splitlines()]
    assert ["Lines", "total", "399.60", "SEK", "excluding", "VAT"] in shown
    assert ["1", "P-1", "2", "99.90"] in shown
    assert [line[2:] for line in shown[-3:]] == [
        ["received", "revision", "1"],
        ["appended", "revision", "1", "to", "erp", str(order["timeline"][1]["message_id"])],
        ["repeated", "revision", "1"],
    ]
    assert order["lines_total"] == "399.6000"
    assert order["received_at"].endswith("Z")
    assert datetime.fromisoformat(order["received_at"]).tzinfo is UTC
    assert [(line["line_no"], line["quantity"], line["unit_price"]) for line in order["lines"]] == [
        (1, "2", "99.9000"),
        (2, "2", "99.9000"),
    ]
    assert [entry["event"] for entry in order["history"]] == ["received", "repeated"]
    assert [entry["event"] for entry in order["timeline"]] == ["received", "appended", "repeated"]


def test_the_timeline_tells_what_became_of_an_order_and_its_reports(database_url: str, tmp_path: Path) -> None:
    operator = Operator(tmp_path, database_url)
    with outbox_on(database_url) as outbox:
        outbox.accept("700101")
        outbox.relay(erp=DecidingCourier(lambda _: NOT_NOW)).round(Never())
        assert [row["state"] for row in operator.data("orders", "list")] == ["received"]
        outbox.make_due()
        outbox.relay(erp=DecidingCourier()).round(Never())
        assert [row["state"] for row in operator.data("orders", "list", "--state", "handed_over")] == ["handed_over"]
        outbox.report("order-status", CONFIRMED, key="K-1")
        outbox.relay(norce=DecidingCourier(lambda _: REFUSED)).round(Never())
        assert [row["erp_order_no"] for row in operator.data("orders", "list", "--state", "confirmed")] == ["SO-1"]
        discard_dead_letters(Choice((2,)), reason="told by telephone", units=outbox.units)
    shown = [line.split() for line in operator.text("orders", "show", "700101").splitlines()]
    assert [" ".join(line[2:]) for line in shown[-7:]] == [
        "received revision 1",
        "appended revision 1 to erp 1",
        "not delivered revision 1 to erp 1 not now",
        "delivered revision 1 to erp 1",
        "appended order-status:K-1 to norce 2",
        "refused order-status:K-1 to norce 2 no such order",
        "discarded order-status:K-1 to norce 2 told by telephone",
    ]


@on_sqlite
def test_the_payload_is_written_byte_for_byte(receiver: RunningReceiver, operator: Operator) -> None:
    utf8 = order_xml("1001", comment="rad 1\r\nrad 2 åäö &#x1;")
    utf16 = order_xml("1002").decode().encode("utf-16")
    receiver.post(utf8)
    receiver.post(utf16, Content_Type="text/xml; charset=utf-16")
    assert operator.raw("orders", "show", "1001", "--xml") == utf8
    assert operator.raw("orders", "show", "1002", "--xml") == utf16


def test_every_revision_can_be_looked_at(receiver: RunningReceiver, operator: Operator) -> None:
    first, second = order_xml("1001", lines=2), order_xml("1001", lines=3)
    receiver.post(first)
    receiver.post(second)
    assert len(operator.data("orders", "show", "1001")["lines"]) == 3
    assert len(operator.data("orders", "show", "1001", "--revision", "1")["lines"]) == 2
    assert operator.raw("orders", "show", "1001", "--xml", "--revision", "1") == first
    assert operator.raw("orders", "show", "1001", "--xml") == second
    missing = operator.run("orders", "show", "1001", "--revision", "3")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "has revisions 1 to 2" in missing.stderr


@on_sqlite
def test_a_reference_of_several_applications_must_be_told_apart(receiver: RunningReceiver, operator: Operator) -> None:
    receiver.post(order_of(SHOP, "1001"))
    receiver.post(order_of(OTHER_SHOP, "1001"))
    unclear = operator.run("orders", "show", "1001")
    assert (unclear.returncode, unclear.stdout) == (1, "")
    assert f"--application {SHOP}" in unclear.stderr
    assert f"--application {OTHER_SHOP}" in unclear.stderr
    assert operator.data("orders", "show", "1001", "--application", OTHER_SHOP)["application_key"] == OTHER_SHOP


@on_sqlite
def test_an_unknown_reference_is_an_error_without_traceback(operator: Operator) -> None:
    unknown = operator.run("orders", "show", "1001", "--json")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == "no order '1001' was received; was it refused? See: receiver refused list\n"


def test_a_refused_order_is_found_with_every_reason(receiver: RunningReceiver, operator: Operator) -> None:
    refused = order_xml("1001").replace(b"<Quantity>2<", b"<Quantity>two<")
    receiver.post(refused)
    receiver.post(refused)
    (row,) = operator.data("refused", "list", "--since", "1h")
    assert (row["client_order_ref"], row["kind"], row["times"]) == ("1001", "order", 2)
    assert "(and 1 more)" in operator.text("refused", "list")
    shown = operator.text("refused", "show", str(row["receipt_id"]))
    assert "Items/OrderItem[1]/Quantity: 'two' is not an integer" in shown
    assert "Items/OrderItem[2]/Quantity: 'two' is not an integer" in shown
    assert operator.raw("refused", "show", str(row["receipt_id"]), "--payload") == refused


@on_sqlite
def test_an_unknown_refused_request_is_an_error(operator: Operator) -> None:
    unknown = operator.run("refused", "show", "7")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "there is no refused request 7" in unknown.stderr


@on_sqlite
def test_texts_of_an_order_do_not_drive_the_terminal(receiver: RunningReceiver, operator: Operator) -> None:
    description = "<Description>[red]\u009b2J\u202e rabatt\n[/red]</Description>"
    line = f"<OrderItem><LineNo>1</LineNo>{description}</OrderItem>"
    receiver.post(create_order(f"<ClientOrderRef>1001</ClientOrderRef><Items>{line}</Items>"))
    shown = operator.text("orders", "show", "1001")
    assert "[red] 2J  rabatt [/red]" in shown


@on_sqlite
def test_a_wide_table_loses_nothing_in_a_narrow_terminal(receiver: RunningReceiver, operator: Operator) -> None:
    ref = "4" * 50
    receiver.post(order_xml(ref))
    assert ref in operator.text_in_terminal("orders", "list", columns=40)


def test_looking_at_orders_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'orders.db'}"
    migrate_to_head(url)
    engine = new_engine(url)
    with engine.begin():
        assert Operator(tmp_path, url).data("orders", "list") == []
    engine.dispose()


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = Operator(tmp_path, "sqlite:///nowhere.db").run("orders", "list")
    assert missing.returncode == 1
    assert "there is no database nowhere.db yet" in missing.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_tables_names_the_command_that_makes_them(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    empty = Operator(tmp_path, "sqlite:///empty.db").run("orders", "list", "--json")
    assert (empty.returncode, empty.stdout) == (1, "")
    assert "run: receiver migrate" in empty.stderr


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "5 weeks", ""])
def test_a_time_that_is_none_is_a_usage_error(tmp_path: Path, since: str) -> None:
    wrong = Operator(tmp_path, "sqlite:///nowhere.db").run("orders", "list", "--since", since)
    assert wrong.returncode == 2
    assert "30m, 2h or 7d" in wrong.stderr
