"""Orders come first: whatever happens at the doors, nothing of it shows at the SOAP path or in the log."""

from __future__ import annotations

import json
import select
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from receiver.errors import TryAgainLater
from receiver.flows.report_json import NotJson, parse_report
from receiver.http.doors.cursors import cursor_of, page_end_of
from receiver.http.doors.places import Places
from receiver.storage.order_queries import PageEnd
from tests.answers import OK, order_response
from tests.databases import migrate_to_head
from tests.doors import ERP, READER, SETTINGS, Doors, problem
from tests.order_xml import order_xml
from tests.relaying import STATUS
from tests.servers import running_receiver
from tests.wire import HttpAnswer, basic, exchange

REF = "700101"
REPORT = {"kind": "order-status", "report": STATUS}
INSIDE = 4
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture
def one_worker(tmp_path: Path) -> Iterator[Doors]:
    """Open doors on SQLite with a single worker of eight threads, and one order."""
    url = f"sqlite:///{tmp_path / 'receiver.db'}"
    migrate_to_head(url)
    with running_receiver(tmp_path, url, **SETTINGS, RECEIVER_WORKERS="1") as receiver:
        assert receiver.post(order_xml(REF)).status == 200
        yield Doors(receiver)


def head_of_report(*more: str) -> bytes:
    """The head of a POST with the ERP's credentials."""
    named = ("Host: localhost", f"Authorization: {basic(ERP[0], ERP[1])}", "Content-Type: application/json", *more)
    return ("POST /erp/reports HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in named) + "\r\n").encode("ascii")


def test_orders_are_taken_while_the_doors_are_full(one_worker: Doors) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(one_worker.receiver.address)) for _ in range(INSIDE + 1)]
        for connection in slow:
            connection.sendall(head_of_report("Content-Length: 2") + b"{")
        # One is too many, whichever came last; the others wait for the rest of their bodies.
        turned_away, _, _ = select.select(slow, [], [], 10)
        assert [connection.recv(12) for connection in turned_away] == [b"HTTP/1.1 503"]
        refused = one_worker.ask("/orders")
        assert "too many" in problem(refused, 503)["detail"]
        assert refused.headers["Retry-After"] == "10"
        assert order_response(one_worker.receiver.post(order_xml("700102"))) == OK
        for connection in set(slow) - set(turned_away):
            connection.sendall(b"}")
            assert connection.recv(12) == b"HTTP/1.1 422"
    assert one_worker.report(REPORT).status_code == 202
    assert "request_put_off" in one_worker.receiver.log


def test_a_report_that_cannot_be_kept_now_is_put_off_and_orders_can_still_be_read(one_worker: Doors) -> None:
    file = one_worker.receiver.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        put_off = one_worker.report(REPORT)
        assert problem(put_off, 503)["type"].endswith(":try-again")
        assert put_off.headers["Retry-After"] == "10"
        assert one_worker.ask(f"/orders/{REF}").status_code == 200
        writer.execute("ROLLBACK")
    assert one_worker.report(REPORT).status_code == 202


def raw(doors: Doors, request: bytes, *, half_close: bool = False) -> HttpAnswer:
    """The answer to exact bytes, which must be a problem document."""
    answer = exchange(doors.receiver.address, request, half_close=half_close)
    assert answer.headers["content-type"] == "application/problem+json"
    return answer


def test_a_body_that_is_too_large_is_refused_before_it_has_come(one_worker: Doors) -> None:
    assert raw(one_worker, head_of_report("Content-Length: 2000000")).status == 413
    chunks = b"".join(b"8000\r\n" + b" " * 0x8000 + b"\r\n" for _ in range(32))
    # No last chunk: whoever read to the end would wait for it.
    assert raw(one_worker, head_of_report("Transfer-Encoding: chunked") + chunks).status == 413


def test_a_body_that_breaks_off_or_is_compressed_is_refused(one_worker: Doors) -> None:
    broken = raw(one_worker, head_of_report("Content-Length: 9") + b"{", half_close=True)
    assert (broken.status, b"the body has 1 bytes" in broken.body) == (400, True)
    packed = raw(one_worker, head_of_report("Content-Length: 2", "Content-Encoding: gzip") + b"{}")
    assert packed.status == 415
    whole = raw(one_worker, head_of_report("Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n")
    assert whole.status == 422


def test_no_body_is_asked_for_without_credentials(one_worker: Doors) -> None:
    head = head_of_report("Content-Length: 2000000").replace(b"Authorization", b"X-Other")
    assert raw(one_worker, head).status == 401


def test_the_doors_credentials_place_no_orders(one_worker: Doors) -> None:
    for username, password in (ERP, READER):
        answer = one_worker.receiver.post(order_xml("700102"), authorization=basic(username, password))
        assert answer.status == 401


def test_a_bug_of_ours_is_told_by_its_request_id_only(one_worker: Doors) -> None:
    file = one_worker.receiver.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("UPDATE orders SET application_key = 'no key at all'")
    for answer in (one_worker.report(REPORT), one_worker.ask(f"/orders/{REF}")):
        told = problem(answer, 500)
        assert told == {
            "type": "urn:norce-order-receiver:internal-error",
            "title": "internal error",
            "status": 500,
            "instance": told["instance"],
        }
        (line,) = [line for line in one_worker.receiver.log.splitlines() if told["instance"] in line]
        assert json.loads(line)["event"] == "request_failed"
        assert "ValueError" in json.loads(line)["exception"]


@pytest.mark.parametrize(("threads", "room"), [(1, 1), (2, 1), (8, 4), (64, 4)])
def test_half_of_the_threads_and_no_more_than_four_are_let_in(threads: int, room: int) -> None:
    places = Places(threads=threads)
    with ExitStack() as stack:
        for _ in range(room):
            stack.enter_context(places.inside())
        with pytest.raises(TryAgainLater), places.inside():
            pass
    with places.inside(), places.work():
        pass


def test_a_cursor_comes_back_as_the_place_it_stands_for_and_only_unchanged() -> None:
    end = PageEnd(datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC), 17)
    cursor = cursor_of(end)
    assert page_end_of(cursor) == end
    changed = {cursor[:at] + letter + cursor[at + 1 :] for at in range(len(cursor)) for letter in ALPHABET}
    assert [each for each in changed - {cursor} if page_end_of(each) is not None] == []
    assert [page_end_of(each) for each in ("", "=", "ö", cursor + "=", cursor + "\n", cursor[:-4], cursor * 2)] == [
        None
    ] * 7


def test_json_is_read_to_the_digit() -> None:
    assert parse_report(b'\xef\xbb\xbf{"a": 99.90, "b": 1e2, "c": 7}') == {
        "a": Decimal("99.90"),
        "b": Decimal("1E+2"),
        "c": 7,
    }
    for text in ("NaN", "-Infinity", "[1e999999999999999999999]", '{"a": {"b": 1, "b": 1}}', '{"a": 1,}'):
        with pytest.raises(NotJson):
            parse_report(text.encode())
