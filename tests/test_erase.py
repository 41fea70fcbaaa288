"""Personal data goes and stays gone; keys, amounts and history stay, and a late repeat is still a repeat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update

from receiver.flows.erase import Found, of_customer
from receiver.orders.customers import concerns, is_named_in
from receiver.orders.model import Company, Order, Party, Person
from receiver.ports import StoredRequest
from receiver.soap.service import order_reader
from receiver.storage import tables
from receiver.storage.engine import new_engine
from receiver.storage.unit_of_work import SqlUnits
from tests.answers import OK, order_response
from tests.cases import cases
from tests.conftest import StartReceiver
from tests.databases import rows_of
from tests.operators import Operator
from tests.order_xml import create_order, line_xml
from tests.relaying import CONFIRMED, DELIVERED, NOTE, REFUSED, DecidingCourier, Never, Outbox, outbox_on
from tests.wire import BLANK_LINE

ANNA, BO = "anna-lena@example.com", "bo@example.com"
MARK = "Åsa Hemlig"
GO = Never()
YES = ("--even-waiting", "--yes")


def order_of(ref: str, email: str, *, comment: str = MARK, ssn: str = "19800101-1234") -> bytes:
    """An order with a buyer, whose name stands in every text that may hold one."""
    line = line_xml(1).replace("</OrderItem>", f"<Comment>{comment}</Comment></OrderItem>")
    person = f"<CustomerCode>K-{ref}</CustomerCode><FirstName>{MARK}</FirstName><Email>{email}</Email><SSN>{ssn}</SSN>"
    return create_order(
        f"<SellTo><Person>{person}</Person></SellTo><ClientOrderRef>{ref}</ClientOrderRef>"
        f"<CustomerOrderRef>{MARK}</CustomerOrderRef><Items>{line}</Items>"
    )


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    with outbox_on(database_url) as outbox:
        yield outbox


def operator_of(url: str, folder: Path) -> Operator:
    return Operator(folder, url)


def age(url: str, *, days: int) -> None:
    """Let everything that is stored have happened so many days earlier."""
    engine = new_engine(url)
    then = datetime.now(UTC) - timedelta(days=days)
    values = {
        tables.orders: ("received_at",),
        tables.order_payloads: ("received_at",),
        tables.outbox: ("created_at", "due_at"),
        tables.refused_receipts: ("first_at", "last_at"),
    }
    with engine.begin() as connection:
        for table, columns in values.items():
            connection.execute(update(table).values(dict.fromkeys(columns, then)))
        connection.execute(
            update(tables.outbox).where(tables.outbox.c.finished_at.is_not(None)).values(finished_at=then)
        )
    engine.dispose()


def everything(url: str) -> str:
    """All that the tables hold, stored requests unpacked."""
    from receiver.storage.packing import Packing

    said = []
    for table in tables.metadata.sorted_tables:
        for row in rows_of(url, table):
            payload = row.get("payload")
            if isinstance(payload, bytes) and payload:
                row["payload"] = Packing().unpack(payload).decode()
            said.append(repr(row))
    return "\n".join(said)


def test_one_customers_data_goes_and_a_late_repeat_is_still_a_repeat(
    start_receiver: StartReceiver, database_url: str, tmp_path: Path
) -> None:
    receiver = start_receiver(database_url)
    operator = operator_of(database_url, tmp_path)
    for ref, email in (("1", ANNA), ("2", BO), ("3", ANNA.upper())):
        assert order_response(receiver.post(order_of(ref, email))) == OK
    broken = order_of("4", ANNA).replace(b"</s:Body>", b"")
    assert receiver.post(broken).status == 500
    unreadable = order_of("5", ANNA).replace(b"<Quantity>2<", b"<Quantity>two<")
    assert order_response(receiver.post(unreadable)).status_code == "Failed"
    before = everything(database_url)
    shown = operator.data("erase", "--customer", ANNA, "--dry-run")
    assert [order["client_order_ref"] for order in shown["left"]] == ["1", "3"]  # they wait for a relay
    assert (shown["orders"], len(shown["receipt_ids"])) == ([], 2)
    assert everything(database_url) == before

    done = operator.data("erase", "--customer", ANNA, *YES)
    assert [order["client_order_ref"] for order in done["orders"]] == ["1", "3"]
    rows = {row["client_order_ref"]: row for row in rows_of(database_url, tables.orders)}
    assert [rows[ref]["erased_at"] is not None for ref in ("1", "2", "3")] == [True, False, True]
    assert rows["1"]["lines_total"] == rows["2"]["lines_total"]
    left = everything(database_url)
    assert ANNA not in left.lower()
    assert left.count(BO) == 1
    assert before.count(MARK) > left.count(MARK) == everything(database_url).count(MARK)
    lines = rows_of(database_url, tables.order_lines, order_id=rows["1"]["id"])
    assert MARK not in repr(lines)

    assert order_response(receiver.post(order_of("1", ANNA))) == OK
    history = rows_of(database_url, tables.order_history, order_id=rows["1"]["id"])
    assert [entry["event"] for entry in history] == ["received", "erased", "repeated"]
    assert order_response(receiver.post(order_of("1", ANNA, comment="other"))).status_code == "Failed"
    assert "has been erased" in repr(rows_of(database_url, tables.refused_receipts)[-1]["reasons"])
    assert receiver.post(broken).status == 500  # and is kept whole again
    assert rows_of(database_url, tables.refused_receipts)[0]["erased_at"] is None
    assert [row["state"] for row in rows_of(database_url, tables.outbox)] == ["discarded", "pending", "discarded"]
    assert "erased" in operator.text("orders", "show", "1")
    assert "was erased" in operator.refusal("orders", "show", "1", "--xml")


def test_what_waits_is_left_unless_it_is_said_and_what_is_on_its_way_in_any_case(
    outbox: Outbox, tmp_path: Path
) -> None:
    for ref in ("1", "2", "3", "4"):
        outbox.accept(ref)
    fate = {"1": DELIVERED, "2": REFUSED}

    def decide(delivery: Any) -> Any:
        if delivery.message.client_order_ref == "4":
            raise SystemExit
        return fate.get(delivery.message.client_order_ref, REFUSED)

    erp = DecidingCourier(decide, batch_size=1)
    for _ in range(3):
        outbox.relay(erp=erp).round(GO)
    with pytest.raises(SystemExit):
        outbox.relay(erp=erp).round(GO)
    assert outbox.states() == ["delivered", "dead", "dead", "leased"]
    operator = operator_of(outbox.url, tmp_path)
    age(outbox.url, days=100)

    def refs(*options: str) -> tuple[list[str], list[str]]:
        done = operator.data("purge", "--older-than", "90d", *options)
        erased, left = ([each["client_order_ref"] for each in done[name]] for name in ("orders", "left"))
        return erased, left

    assert refs("--dry-run") == (["1"], ["2", "3", "4"])
    assert refs("--yes") == (["1"], ["2", "3", "4"])
    assert refs("--even-waiting", "--dry-run") == (["2", "3"], ["4"])
    assert refs(*YES) == (["2", "3"], ["4"])
    assert refs(*YES) == ([], ["4"])
    assert outbox.states() == ["delivered", "discarded", "discarded", "leased"]


def test_only_what_nothing_has_happened_to_is_purged(outbox: Outbox, tmp_path: Path) -> None:
    for ref in ("700101", "2", "3"):
        outbox.accept(ref)
    outbox.report("order-status", CONFIRMED)
    outbox.report("delivery-note", NOTE | {"note_text": MARK})
    relay = outbox.relay(erp=DecidingCourier(), norce=DecidingCourier())
    while relay.round(GO):
        pass
    age(outbox.url, days=91)
    outbox.accept("2", comment="revised yesterday")
    while relay.round(GO):
        pass
    operator = operator_of(outbox.url, tmp_path)
    assert MARK in everything(outbox.url)
    done = operator.data("purge", "--older-than", "90d", "--yes")
    assert [order["client_order_ref"] for order in done["orders"]] == ["700101", "3"]
    assert outbox.order("2")["erased_at"] is None
    assert MARK not in everything(outbox.url)
    order = outbox.order("700101")
    assert (order["erp_order_no"], order["state"]) == ("SO-1", "confirmed")
    # The key is still known: the same report is a repeat, and the order can still be reported on.
    assert outbox.report("delivery-note", NOTE | {"note_text": MARK}).appended.is_repeat
    assert not outbox.report("delivery-note", NOTE | {"note_no": "DN-2"}).appended.is_repeat
    assert operator.data("purge", "--older-than", "1d", "--dry-run")["orders"] == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("even_waiting", "state"), [(False, "pending"), (True, "discarded")])
def test_a_message_that_comes_back_between_two_looks_is_not_emptied(
    outbox: Outbox, even_waiting: bool, state: str
) -> None:
    def die(_: Any) -> Any:
        raise SystemExit

    outbox.accept("1")
    with pytest.raises(SystemExit):
        outbox.relay(erp=DecidingCourier(die)).round(GO)
    outbox.lose_leases()
    engine = new_engine(outbox.url)
    recovered: list[int] = []

    @event.listens_for(engine, "after_cursor_execute")
    def come_back(_: object, __: object, statement: str, *___: object) -> None:
        if "FROM outbox" in statement and not recovered:
            with outbox.units.begin() as unit:
                recovered.append(unit.outbox.recover_lost_leases())
                unit.commit()

    with SqlUnits(engine, sender_zone=UTC).begin() as unit:
        erased = unit.erasures.erase_orders([outbox.order("1")["id"]], even_waiting=even_waiting)
        unit.commit()
    engine.dispose()
    assert recovered == [1]
    assert bool(erased) is even_waiting
    assert outbox.states() == [state]
    assert (outbox.order("1")["erased_at"] is not None) is even_waiting


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_erased_bytes_are_overwritten_in_the_file(outbox: Outbox, tmp_path: Path) -> None:
    outbox.accept("1", comment="x")
    engine = new_engine(outbox.url)
    marked = b"HEMLIG" * 1000
    with engine.begin() as connection:
        connection.execute(update(tables.order_payloads).values(payload=marked))
    engine.dispose()
    outbox.units.close()
    (file,) = tmp_path.glob("*.db")
    assert marked[:60] in file.read_bytes()
    age(outbox.url, days=2)
    operator_of(outbox.url, tmp_path).data("purge", "--older-than", "1d", *YES)
    assert list(tmp_path.glob("*-wal")) == []  # the last connection to end has emptied the log into the file
    assert b"HEMLIG" not in file.read_bytes()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_operator_is_asked_and_nothing_of_the_customer_is_echoed(outbox: Outbox, tmp_path: Path) -> None:
    outbox.accept("1")
    age(outbox.url, days=2)
    operator = operator_of(outbox.url, tmp_path)
    asked = operator.run("purge", "--older-than", "1d", "--even-waiting", typed="n\n")
    assert asked.returncode == 1
    assert "It cannot be undone" in asked.stdout
    assert outbox.order("1")["erased_at"] is None
    said = operator.run("erase", "--customer", ANNA, "--dry-run")
    assert "0 orders and 0 refused requests would be erased." in said.stdout
    assert ANNA not in said.stdout + said.stderr
    for wrong in (("purge",), ("erase", "--customer", " "), ("purge", "--older-than", "soon"), ("purge", "--json")):
        assert operator.run(*wrong).returncode == 2
    outbox.change(state="delivered", finished_at=datetime(2020, 1, 1, tzinfo=UTC))
    done = operator.run("purge", "--older-than", "1d", typed="y\n")
    assert "1 order and 0 refused requests erased." in done.stdout


@pytest.mark.parametrize(
    ("customer", "is_theirs"),
    [
        ("anna@example.com", True), (" ANNA@EXAMPLE.COM ", True), ("K-1", True), ("k-1", True), ("K1", False),
        ("19800101-1234", True), ("198001011234", True), ("+46 (0)70-123 45 67", True), ("460701234567", True),
        ("1234", False), ("Anna", False), ("C-9", True), ("", False), ("-", False), ("example.com", False),
    ],
)  # fmt: skip
def test_a_customer_is_known_by_code_address_or_number(customer: str, is_theirs: bool) -> None:
    person = Person(
        customer_code="K-1", first_name="Anna", email="anna@example.com", ssn="19800101-1234",
        cell_phone="+460701234567",
    )  # fmt: skip
    assert concerns(Order(bill_to=Party(person=person, company=Company(code="C-9"))), customer) is is_theirs
    assert not concerns(Order(), customer)


def test_whatever_was_refused_can_be_searched() -> None:
    class Kept:
        def requests(self) -> Iterator[StoredRequest]:
            for number, case in enumerate([*cases("invalid"), *cases("valid")]):
                body = case.request.partition(BLANK_LINE)[2]
                for media_type in ("text/xml; charset=utf-8", "", "text/xml; charset=utf-16", "text/xml; charset=none"):
                    yield StoredRequest(None, number, lambda body=body: body, media_type)  # type: ignore[misc]

    found = of_customer("nobody@example.org", kept=Kept(), read=order_reader())  # type: ignore[arg-type]
    assert found == Found((), ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_broken_request_is_searched_for_whole_words(encoding: str) -> None:
    body = "<Email>anna@example.com</Email><Code>K-1</Code".encode(encoding)
    assert is_named_in(body, "Anna@example.com")
    assert is_named_in(body, "K-1")
    for other in ("a@example.com", "anna@example", "K", "1"):
        assert not is_named_in(body, other)
