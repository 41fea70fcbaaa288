"""What goes wrong between the first byte and the last: each becomes one error, in bounded time, with nothing secret."""

from __future__ import annotations

import gzip
import logging
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from connect_client import (
    CallFailed,
    ConnectClient,
    ConnectionDropped,
    OrderStatus,
    OrderStatusUpdate,
    TimedOut,
    Timeouts,
    Unreachable,
    UnreadableReply,
)
from connect_client.testing import Acts, ActsThenDrops, Drops, FakeConnect
from tests.raw_servers import REPLIED, UPDATE, Caller, RawServer, client_of, http_reply, replying
from tests.secrecy import assert_silent
from tests.test_connect_replies import HTML, SUCCESS

LEAKY = REPLIED.encode()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
BROKEN = {
    "a reply cut short": (LONG + LEAKY, ConnectionDropped, 200),
    "a chunk cut short": (CHUNKED + b"100\r\n" + LEAKY, ConnectionDropped, 200),
    "chunks without an end": (CHUNKED + b"3\r\nabc\r\n", ConnectionDropped, 200),
    "a chunk without a size": (CHUNKED + LEAKY + b"\r\n", UnreadableReply, 200),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n" + LEAKY, UnreadableReply, None),
    "a length that is none": (b"HTTP/1.1 200 OK\r\nContent-Length: " + LEAKY + b"\r\n\r\n", UnreadableReply, 200),
    "a length too short": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + SUCCESS, UnreadableReply, 200),
    "another protocol": (LEAKY + b"\r\n\r\n", UnreadableReply, None),
    "a status that is none": (b"HTTP/1.1 " + LEAKY + b"\r\n\r\n", UnreadableReply, None),
    "a header without end": (b"HTTP/1.1 200 OK\r\nX: " + LEAKY * 8000 + b"\r\n\r\n", UnreadableReply, None),
    "too many headers": (b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n", UnreadableReply, None),
    "a head cut short": (b"HTTP/1.1 200 OK\r\nContent-Le", UnreadableReply, 200),
    "no word": (b"", ConnectionDropped, None),
    "broken gzip": (http_reply("200 OK", LEAKY * 9, Content_Encoding="gzip"), UnreadableReply, 200),
    "gzip cut short": (
        http_reply("200 OK", gzip.compress(SUCCESS)[:-30], Content_Encoding="gzip"),
        UnreadableReply,
        200,
    ),
}
DRIPPED = {
    "the head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 999,
    "interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 99,
    "the body": LONG + b"a" * 999,
    "a body without a length": b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 999,
    "chunks": CHUNKED + b"1\r\na\r\n" * 99,
    "a chunk's size": CHUNKED + b"1;" + b"a" * 999,
    "compressed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(HTML * 50),
}


@pytest.mark.parametrize("name", BROKEN, ids=lambda name: name.replace(" ", "-"))
def test_a_broken_reply_leaves_the_outcome_unknown(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "connect_client")
    reply, expected, status = BROKEN[name]
    with replying(reply) as server, client_of(server.url) as client, pytest.raises(CallFailed) as caught:
        client.send_order_status(UPDATE)
    assert (type(caught.value), caught.value.status) == (expected, status)
    assert len(server.requests) == 1
    assert_silent(caught.value, caplog)


def test_a_reply_that_ends_with_its_connection_is_whole() -> None:
    with replying(b"HTTP/1.0 200 OK\r\n\r\n" + SUCCESS) as server, client_of(server.url) as client:
        client.send_order_status(UPDATE)
        client.send_order_status(UPDATE)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_reply_longer_than_allowed_is_not_read_to_its_end(encoding: str, caplog: pytest.LogCaptureFixture) -> None:
    # Compressed, 200 MB are 200 KB.
    content = gzip.compress(b"a" * 200_000_000, 1) if encoding == "gzip" else b"a" * 5_000_000
    reply = http_reply("200 OK", content, Content_Encoding=encoding)
    with replying(reply) as server, client_of(server.url) as client, pytest.raises(UnreadableReply) as caught:
        client.send_order_status(UPDATE)
    assert "longer than 1000000 bytes" in str(caught.value)
    assert caught.value.status == 200
    assert_silent(caught.value, caplog)


def test_a_reply_of_just_the_length_allowed_is_read() -> None:
    padded = SUCCESS + b" " * 1000
    for allowed, is_read in [(len(padded), True), (len(padded) - 1, False)]:
        with replying(http_reply("200 OK", padded)) as server, client_of(server.url, max_reply_bytes=allowed) as client:
            if is_read:
                client.send_order_status(UPDATE)
            else:
                with pytest.raises(UnreadableReply):
                    client.send_order_status(UPDATE)


@pytest.mark.parametrize("name", DRIPPED, ids=lambda name: name.replace(" ", "-"))
def test_a_dripping_reply_times_out_as_a_whole(name: str, caplog: pytest.LogCaptureFixture) -> None:
    def drip(caller: Caller) -> None:
        caller.request()
        caller.drip(DRIPPED[name], every_seconds=0.02)

    started = time.monotonic()
    with RawServer(drip) as server, client_of(server.url, read=0.4) as client, pytest.raises(TimedOut) as caught:
        client.send_order_status(UPDATE)
    assert 0.35 < time.monotonic() - started < 1.4
    assert_silent(caught.value, caplog)


def test_a_server_that_says_nothing_times_out_within_the_read_timeout(caplog: pytest.LogCaptureFixture) -> None:
    with FakeConnect() as fake:
        fake.will(Acts(after_seconds=1.0))
        timeouts = Timeouts(connect=5.0, read=0.3)
        with ConnectClient(fake.url, auth=fake.basic_auth, timeouts=timeouts) as client:
            started = time.monotonic()
            with pytest.raises(TimedOut) as caught:
                client.send_order_status(UPDATE)
            assert 0.25 < time.monotonic() - started < 0.9
            assert caught.value.status is None
            assert fake.messages == [UPDATE]
    assert_silent(caught.value, caplog)


def test_the_time_left_of_one_reply_does_not_shorten_the_next() -> None:
    def answer_slowly_twice(caller: Caller) -> None:
        for _ in range(2):
            caller.request()
            caller.is_over.wait(0.5)
            caller.connection.sendall(http_reply("200 OK", SUCCESS))

    with RawServer(answer_slowly_twice) as server, client_of(server.url, read=0.8) as client:
        client.send_order_status(UPDATE)
        client.send_order_status(UPDATE)
        assert server.connection_count == 1


def free_address() -> tuple[str, int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address: tuple[str, int] = listening.getsockname()
        return address


def test_a_refused_connection_is_unreachable(caplog: pytest.LogCaptureFixture) -> None:
    host, port = free_address()
    with client_of(f"http://{host}:{port}/") as client, pytest.raises(Unreachable, match="ConnectionRefused") as caught:
        client.send_order_status(UPDATE)
    assert (caught.value.status, caught.value.fault, caught.value.retry_after_seconds) == (None, None, None)
    assert_silent(caught.value, caplog)


def test_a_host_without_an_address_is_unreachable(caplog: pytest.LogCaptureFixture) -> None:
    with client_of("https://norce.invalid/") as client, pytest.raises(Unreachable) as caught:
        client.send_order_status(UPDATE)
    assert_silent(caught.value, caplog)


@pytest.fixture
def crowded_address() -> Iterator[tuple[str, int]]:
    """An address whose queue of connections is full, so that nobody else gets one."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listening.getsockname())
        yield listening.getsockname()
        for each in waiting:
            each.close()


def test_a_connection_that_does_not_come_about_in_time_is_unreachable(crowded_address: tuple[str, int]) -> None:
    host, port = crowded_address
    started = time.monotonic()
    with client_of(f"http://{host}:{port}/", connect=0.3, read=30) as client, pytest.raises(Unreachable):
        client.send_order_status(UPDATE)
    assert time.monotonic() - started < 2.0


def wait_unread(caller: Caller) -> None:
    """Let the whole request arrive, and leave it where it is."""
    while b"Envelope>" not in caller.connection.recv(65536, socket.MSG_PEEK)[-16:]:
        time.sleep(0.01)


def abort(caller: Caller) -> None:
    """Close with a reset, having read nothing."""
    wait_unread(caller)
    caller.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def read_nothing(caller: Caller) -> None:
    """Close, having read nothing."""
    wait_unread(caller)


@pytest.mark.parametrize("script", [abort, read_nothing])
def test_a_server_that_hangs_up_without_reading_drops_the_connection_because_it_may_have_read(
    script: Callable[[Caller], None], caplog: pytest.LogCaptureFixture
) -> None:
    """The client has handed the body to its own kernel; whether the server's application saw it, it cannot tell."""
    with RawServer(script) as server, client_of(server.url) as client, pytest.raises(ConnectionDropped) as caught:
        client.send_order_status(UPDATE)
    assert server.connection_count == 1
    assert_silent(caught.value, caplog)


def test_an_early_answer_is_heard_although_the_server_closed_before_reading() -> None:
    def refuse_at_once(caller: Caller) -> None:
        caller.connection.sendall(http_reply("429 Too Many Requests", Retry_After="9"))
        caller.connection.shutdown(socket.SHUT_WR)
        caller.request()

    with RawServer(refuse_at_once) as server, client_of(server.url) as client, pytest.raises(CallFailed) as caught:
        client.send_order_status(UPDATE)
    assert (caught.value.status, caught.value.retry_after_seconds) == (429, 9.0)


def test_a_server_that_acts_and_drops_leaves_the_outcome_unknown(caplog: pytest.LogCaptureFixture) -> None:
    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        fake.will(ActsThenDrops(), Drops())
        for acted_on in (1, 1):
            caplog.clear()
            with pytest.raises(ConnectionDropped) as caught:
                client.send_order_status(UPDATE)
            assert len(fake.messages) == acted_on
            assert_silent(caught.value, caplog)
        client.send_order_status(UPDATE)
        assert (len(fake.messages), fake.request_count) == (2, 3)


def test_a_connection_that_the_server_closed_between_two_calls_is_opened_anew() -> None:
    # Each connection serves one request, and says nothing of closing it.
    with replying(http_reply("200 OK", SUCCESS)) as server, client_of(server.url) as client:
        for _ in range(5):
            client.send_order_status(UPDATE)
            time.sleep(0.05)
        assert (server.connection_count, len(server.requests)) == (5, 5)


def test_calls_of_one_thread_share_a_connection_until_the_client_is_closed() -> None:
    def answer_all(caller: Caller) -> None:
        while caller.request():
            caller.connection.sendall(http_reply("200 OK", SUCCESS))

    with RawServer(answer_all) as server, client_of(server.url) as client:
        for _ in range(3):
            client.send_order_status(UPDATE)
        assert server.connection_count == 1
        client.close()
        client.send_order_status(UPDATE)
        assert server.connection_count == 2


def test_a_big_envelope_arrives_whole_and_a_success_logs_no_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "connect_client")
    infos = {f"Code-{number}": "å" * 1000 for number in range(2000)}
    update = OrderStatusUpdate(client_order_ref=1, status=OrderStatus.DELIVERED, infos=dict(infos))
    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        client.send_order_status(update)
        (received,) = fake.received
        assert received.message == update
        assert received.headers["Content-Type"] == "text/xml; charset=utf-8"
        assert received.headers["Content-Length"] == str(len(received.envelope))
        assert "Transfer-Encoding" not in received.headers
    (line,) = [record.getMessage() for record in caplog.records if record.name == "connect_client"]
    assert line.startswith("SendOrderStatus: done in ")
    assert received.headers["X-Request-Id"] in line


def test_a_reply_that_comes_too_late_is_not_taken_for_the_next_calls() -> None:
    def answer(caller: Caller) -> None:
        caller.answer(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        if caller.request():  # the same connection was used again
            caller.connection.sendall(http_reply("200 OK", SUCCESS))

    with RawServer(answer) as server, client_of(server.url) as client:
        for _ in range(2):
            with pytest.raises(UnreadableReply) as caught:
                client.send_order_status(UPDATE)
            assert caught.value.status == 103
        assert (server.connection_count, len(server.requests)) == (2, 2)
