"""Orders reach an ERP over HTTP, and what it answers decides what becomes of them."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from connect_client import Timeouts
from receiver.couriers.web import WebCourier
from receiver.orders.as_json import order_as_json
from receiver.outbox.message import Outcome, Verdict
from tests.certificates import Authority, server_context
from tests.couriers import DELIVERED, courier_to, deliver, order
from tests.raw_servers import Caller, RawServer
from tests.wire import BLANK_LINE


class Server(ThreadingHTTPServer):
    """Keeps quiet about callers that do not trust it."""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class Erp:
    """An ERP that takes orders over HTTP and answers as told."""

    def __init__(self) -> None:
        self.status, self.body = 200, b""
        self.headers: dict[str, str] = {}
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.callers: list[tuple[str, int]] = []
        erp = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                erp.callers.append(self.client_address)
                erp.seen.append((dict(self.headers.items()), body))
                self.send_response(erp.status)
                for name, value in {"Content-Length": str(len(erp.body)), **erp.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(erp.body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self.server.server_port}/orders"


@pytest.fixture
def erp() -> Iterator[Erp]:
    erp = Erp()
    thread = threading.Thread(target=erp.server.serve_forever, args=(0.02,))
    thread.start()
    yield erp
    erp.server.shutdown()
    thread.join()
    erp.server.server_close()


def test_an_order_is_posted_as_json_with_a_key_and_a_signature(erp: Erp) -> None:
    with courier_to(erp.url, signing_secret="hemligt") as courier:
        assert deliver(courier, order(number=17)) == [DELIVERED]
    ((headers, body),) = erp.seen
    hand_over = order().hand_over
    assert hand_over is not None
    assert json.loads(body) == order_as_json(hand_over.order())
    assert headers["Idempotency-Key"] == "order-17"
    assert headers["Content-Type"] == "application/json"
    expected = hmac.new(b"hemligt", headers["X-Signature-Timestamp"].encode() + b"." + body, hashlib.sha256)
    assert headers["X-Signature"] == f"sha256={expected.hexdigest()}"
    assert abs(time.time() - int(headers["X-Signature-Timestamp"])) < 30


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (204, {}, DELIVERED),
        (301, {"Location": "http://127.0.0.1:1/"}, Verdict(Outcome.NOT_DELIVERED, "HTTP 301", is_down=True)),
        (400, {}, Verdict(Outcome.REFUSED, "HTTP 400")),
        (401, {}, Verdict(Outcome.NOT_DELIVERED, "HTTP 401", is_down=True)),
        (404, {}, Verdict(Outcome.NOT_DELIVERED, "HTTP 404", is_down=True)),
        (409, {}, Verdict(Outcome.REFUSED, "HTTP 409")),
        (422, {}, Verdict(Outcome.REFUSED, "HTTP 422")),
        (429, {"Retry-After": "120"}, Verdict(Outcome.NOT_DELIVERED, "HTTP 429", 120.0, is_down=True)),
        (500, {}, Verdict(Outcome.UNKNOWN, "HTTP 500")),
        (503, {"Retry-After": "never"}, Verdict(Outcome.NOT_DELIVERED, "HTTP 503", is_down=True)),
        (503, {"Retry-After": "Mon, 01 Jan 2024 00:00:00 GMT"},
         Verdict(Outcome.NOT_DELIVERED, "HTTP 503", 0.0, is_down=True)),
    ],
)  # fmt: skip
def test_what_the_erp_answers_decides(erp: Erp, status: int, headers: dict[str, str], expected: Verdict) -> None:
    erp.status, erp.headers = status, headers
    with courier_to(erp.url) as courier:
        assert deliver(courier, order()) == [expected]
    assert len(erp.seen) == 1


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b'{"erp_order_no": "SO-7"}', "SO-7"),
        (b"", None),
        (b"<html>", None),
        (b"[1]", None),
        (b'{"erp_order_no": 7}', None),
    ],
)
def test_a_number_in_the_answer_confirms_the_order(erp: Erp, body: bytes, number: str | None) -> None:
    erp.body = body
    with courier_to(erp.url) as courier:
        assert deliver(courier, order()) == [Verdict(Outcome.DELIVERED, erp_order_no=number)]


def test_nobody_at_home_stops_the_batch() -> None:
    with courier_to("http://127.0.0.1:9/orders") as courier:
        (verdict,) = deliver(courier, order(number=1), order(number=2))
    assert (verdict.outcome, verdict.is_down) == (Outcome.NOT_DELIVERED, True)


def test_an_answer_in_many_pieces_is_read_as_a_whole() -> None:
    pieces = [b'{"erp_order', b'_no": "SO-', b'7"}']
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0" + BLANK_LINE
    with RawServer(lambda caller: caller.answer(reply)) as server, courier_to(server.url) as courier:
        assert deliver(courier, order()) == [Verdict(Outcome.DELIVERED, erp_order_no="SO-7")]


def test_an_endless_answer_is_not_read_to_its_end(erp: Erp) -> None:
    erp.body = b'{"erp_order_no": "' + b"7" * 100_000 + b'"}'
    with courier_to(erp.url) as courier:
        assert deliver(courier, order()) == [DELIVERED]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (lambda caller: caller.request(), Outcome.UNKNOWN),
        (lambda caller: caller.answer(b"220 mail.example ESMTP\r\n"), Outcome.UNKNOWN),
        (lambda caller: (caller.request(), caller.is_over.wait(5)), Outcome.UNKNOWN),
        (lambda caller: (caller.request(), caller.drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 99,
                                                       every_seconds=0.05)), Outcome.UNKNOWN),
        # It said yes before it began to drip.
        (lambda caller: (caller.request(), caller.connection.sendall(b"HTTP/1.1 200 OK" + BLANK_LINE),
                         caller.drip(b" " * 999, every_seconds=0.05)), Outcome.DELIVERED),
    ],
    ids=["hangs-up", "no-http", "silent", "drips-headers", "drips-body"],
)  # fmt: skip
def test_what_was_sent_and_not_answered_may_have_arrived(script: Callable[[Caller], None], outcome: Outcome) -> None:
    started = time.monotonic()
    with (
        RawServer(script) as server,
        closing(WebCourier(server.url, signing_secret=None, timeouts=Timeouts(connect=1, read=0.5))) as courier,
    ):
        (verdict, *_) = deliver(courier, order())
    assert verdict.outcome is outcome
    assert verdict.is_down is (outcome is Outcome.UNKNOWN)
    assert time.monotonic() - started < 3


def test_the_password_in_the_url_is_for_the_server_alone(
    erp: Erp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with courier_to(erp.url.replace("//", "//shop:hemlig%23t%C3%A5@")) as courier:
        assert deliver(courier, order()) == [DELIVERED]
    assert erp.seen[0][0]["Authorization"] == "Basic " + b64encode("shop:hemlig#tå".encode()).decode()
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login nobody password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with courier_to(erp.url) as courier:
        assert deliver(courier, order()) == [DELIVERED]
    assert "Authorization" not in erp.seen[1][0]


@pytest.mark.parametrize(
    ("address", "trusted", "outcome"),
    [
        ("127.0.0.1", True, Outcome.DELIVERED),
        ("127.0.0.1", False, Outcome.NOT_DELIVERED),
        ("127.0.0.2", True, Outcome.NOT_DELIVERED),
    ],
)
def test_an_erp_must_prove_its_name(
    erp: Erp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, address: str, trusted: bool, outcome: Outcome
) -> None:
    authority = Authority(tmp_path, "authority")
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    context = server_context(authority.certificate("erp", address=address))
    erp.server.socket = context.wrap_socket(erp.server.socket, server_side=True)
    with courier_to(erp.url.replace("http:", "https:")) as courier:
        (verdict,) = deliver(courier, order())
    assert (verdict.outcome, verdict.is_down) == (outcome, outcome is not Outcome.DELIVERED)


def test_one_connection_carries_a_batch(erp: Erp) -> None:
    with courier_to(erp.url) as courier:
        assert deliver(courier, *(order(str(number), number=number) for number in range(20))) == [DELIVERED] * 20
    assert len({port for *_, port in erp.callers}) == 1
