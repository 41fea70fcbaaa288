"""What happens on a connection beyond one request and its answer."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path

import pytest

from tests.answers import OK, fault, order_response
from tests.cases import PERSONAL_DATA
from tests.conftest import StartReceiver
from tests.databases import migrate_to_head
from tests.order_xml import order_xml
from tests.servers import SERVICE, RunningReceiver, http_post
from tests.wire import CONTINUE_WAIT_S

LARGE = order_xml("1001", comment="x" * 3_000_000)


def read_until(connection: socket.socket, end: bytes, *, times: int = 1) -> bytes:
    received = b""
    while received.count(end) < times:
        part = connection.recv(65536)
        if not part:
            break
        received += part
    return received


def test_one_connection_carries_many_orders(receiver: RunningReceiver) -> None:
    with socket.create_connection(receiver.address, timeout=5) as connection:
        for number in range(5):
            connection.sendall(http_post(order_xml(str(1001 + number))))
            assert b"<StatusCode>OK<" in read_until(connection, b"</s:Envelope>")


def test_two_orders_in_one_packet_get_two_answers(receiver: RunningReceiver) -> None:
    with socket.create_connection(receiver.address, timeout=5) as connection:
        connection.sendall(http_post(order_xml("1001")) + http_post(order_xml("1002")))
        assert read_until(connection, b"</s:Envelope>", times=2).count(b"<StatusCode>OK<") == 2


def test_an_order_after_a_refused_one_on_the_same_connection_is_acknowledged(receiver: RunningReceiver) -> None:
    with socket.create_connection(receiver.address, timeout=5) as connection:
        for envelope in (b"<broken", order_xml("")):
            connection.sendall(http_post(envelope))
            assert b"<StatusCode>OK<" not in read_until(connection, b"</s:Envelope>")
        connection.sendall(http_post(order_xml("1001")))
        assert b"<StatusCode>OK<" in read_until(connection, b"</s:Envelope>")


def test_an_order_that_comes_in_small_pieces_is_acknowledged(receiver: RunningReceiver) -> None:
    request = http_post(order_xml("1001"))
    with socket.create_connection(receiver.address, timeout=5) as connection:
        for start in range(0, len(request), 40):
            connection.sendall(request[start : start + 40])
            time.sleep(0.005)
        assert b"<StatusCode>OK<" in read_until(connection, b"</s:Envelope>")


def test_a_body_that_waits_for_the_100_continue_is_asked_for_at_once(receiver: RunningReceiver) -> None:
    head, _, body = http_post(order_xml("1001"), Expect="100-continue").partition(b"\r\n\r\n")
    with socket.create_connection(receiver.address, timeout=5) as connection:
        connection.sendall(head + b"\r\n\r\n")
        started = time.perf_counter()
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert time.perf_counter() - started < CONTINUE_WAIT_S
        connection.sendall(body)
        assert b"<StatusCode>OK<" in read_until(connection, b"</s:Envelope>")


def test_the_rest_of_a_body_is_neither_logged_nor_echoed(start_receiver: StartReceiver, tmp_path: Path) -> None:
    """Bytes beyond Content-Length look like the next request, but are a person's data."""
    receiver = start_receiver(f"sqlite:///{tmp_path / 'own.db'}")
    body = order_xml("1001", comment="19800101-1234,asa@exempel.se")
    request = http_post(body, Content_Length=str(body.index(b"19800101")))
    received = b""
    with socket.create_connection(receiver.address, timeout=1) as connection:
        connection.sendall(request)
        with contextlib.suppress(TimeoutError, ConnectionError):
            received += read_until(connection, b"</s:Envelope>")
            connection.sendall(b"\r\n\r\n")
            received += read_until(connection, b"</html>")
    for secret in PERSONAL_DATA:
        assert secret not in received.decode("utf-8", errors="replace")
        assert secret not in receiver.log


@pytest.mark.parametrize("times", range(3))
def test_a_large_body_without_credentials_does_not_cut_off_the_answer(times: int, receiver: RunningReceiver) -> None:
    answer = receiver.post(LARGE, authorization="Basic bm9uZQ==")
    assert (answer.status, answer.headers["www-authenticate"][:5]) == (401, "Basic")


@pytest.mark.parametrize("length", ["declared", "in_chunks"])
def test_a_body_over_the_limit_does_not_cut_off_the_answer(
    length: str, start_receiver: StartReceiver, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'small.db'}"
    migrate_to_head(url)
    receiver = start_receiver(url, RECEIVER_MAX_BODY_BYTES="100000")
    request = http_post(LARGE)
    if length == "in_chunks":
        head, _, body = http_post(LARGE, Transfer_Encoding="chunked").partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
        request = b"\r\n".join(lines) + b"\r\n\r\n" + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    code, text = fault(receiver.send(request))
    assert (code, "larger than 100000 bytes" in text) == ("Client", True)
    small = order_xml("1002", comment="x" * 90_000)
    assert order_response(receiver.post(small)) == OK


def test_callers_that_stall_do_not_keep_others_waiting(receiver: RunningReceiver) -> None:
    """More stalled callers than one worker has threads; a proxy in front is for the rest."""
    head = http_post(order_xml("1001")).partition(b"\r\n\r\n")[0] + b"\r\n\r\n<"
    with contextlib.ExitStack() as stack:
        for _ in range(7):
            stalled = stack.enter_context(socket.create_connection(receiver.address, timeout=5))
            stalled.sendall(head)
        time.sleep(0.2)
        answer = receiver.post(order_xml("1002"))
        assert order_response(answer) == OK
        assert answer.seconds < 1


def test_a_caller_that_leaves_before_the_answer_has_its_order_stored_once(receiver: RunningReceiver) -> None:
    with socket.create_connection(receiver.address, timeout=5) as connection:
        connection.sendall(http_post(order_xml("1001", lines=200)))
    time.sleep(0.5)
    assert order_response(receiver.post(order_xml("1001", lines=200))) == OK
    assert '"event": "order_repeated"' in receiver.log
    assert "Traceback" not in receiver.log


def test_the_service_answers_a_browser(receiver: RunningReceiver) -> None:
    answer = receiver.send(f"GET {SERVICE} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
