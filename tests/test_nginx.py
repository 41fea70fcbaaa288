"""The shipped nginx.conf is one that nginx takes, and orders get through it as they would without."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.settings import described
from receiver.storage import tables
from tests.answers import OK, fault, order_response
from tests.certificates import Authority
from tests.databases import rows_of
from tests.nginx import CONFIGURATION, configuration, need_nginx, nginx_before
from tests.order_xml import order_xml
from tests.raw_servers import Caller, RawServer
from tests.servers import SERVICE, RunningReceiver, http_post
from tests.wire import HttpAnswer, exchange

Address = tuple[str, int]


@pytest.fixture
def front(receiver: RunningReceiver, tmp_path: Path) -> Iterator[Address]:
    with nginx_before(receiver.address, tmp_path) as address:
        yield address


def post(address: Address, envelope: bytes, **headers: str) -> HttpAnswer:
    return exchange(address, http_post(envelope, Connection="close", **headers))


def test_nginx_takes_the_shipped_file(tmp_path: Path) -> None:
    certificate = str(Authority(tmp_path, "authority").certificate("orders"))
    places = {"/etc/nginx/tls/orders.crt": certificate, "/etc/nginx/tls/orders.key": certificate}
    file = configuration(tmp_path, places)
    done = subprocess.run(
        [need_nginx(), "-t", "-q", "-p", tmp_path, "-c", file], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_order_is_acknowledged_through_nginx_and_its_request_id_is_the_receivers(
    front: Address, receiver: RunningReceiver
) -> None:
    answer = post(front, order_xml("1"), X_Request_Id="mine")
    assert order_response(answer) == OK
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])
    assert order_response(post(front, order_xml("2"), Expect="100-continue")) == OK
    refs = [row["client_order_ref"] for row in rows_of(receiver.database_url, tables.orders)]
    assert refs == ["1", "2"]


@pytest.mark.usefixtures("receiver")
def test_the_receiver_refuses_what_is_too_large_not_nginx(front: Address) -> None:
    limit = int(next(default for name, default, _ in described() if name == "RECEIVER_MAX_BODY_BYTES"))
    code, text = fault(post(front, order_xml("1", comment="x" * limit)))
    assert code == "Client"
    assert str(limit) in text


@pytest.mark.usefixtures("receiver")
def test_nobody_from_elsewhere_gets_anything_but_the_service(front: Address) -> None:
    paths = ("/", "/metrics", "/OrderNotificationService.svc/other")
    asked = [exchange(front, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) for path in paths]
    assert [answer.status for answer in asked] == [404, 404, 404]
    described_there = exchange(front, f"GET {SERVICE.lower()}?wsdl HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b"definitions" in described_there.body


def test_without_a_receiver_the_sender_is_asked_to_come_again(tmp_path: Path) -> None:
    with RawServer(lambda caller: caller.answer(b"")) as gone:
        pass
    with nginx_before(gone.address, tmp_path) as address:
        code, text = fault(post(address, order_xml("1")))
    assert code == "Server"
    assert "send the request again" in text


def test_an_order_whose_answer_was_lost_is_not_sent_twice_by_nginx(tmp_path: Path) -> None:
    def hang_up(caller: Caller) -> None:
        caller.request()

    with RawServer(hang_up) as server:
        with nginx_before(server.address, tmp_path) as address:
            assert fault(post(address, order_xml("1")))[0] == "Server"
        assert server.connection_count == 1


def test_the_file_says_where_it_must_be_changed() -> None:
    assert CONFIGURATION.read_text("utf-8").count("HERE:") == 2
