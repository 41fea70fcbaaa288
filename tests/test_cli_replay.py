"""`receiver replay` posts captures byte for byte, speaks as .NET does, and tells apart every kind of answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from receiver.cli.captures import CaptureUnreadable, read_capture
from tests.order_xml import order_xml
from tests.servers import ACTION, CREDENTIALS, PASSWORD, USERNAME, RunningReceiver, run_command
from tests.wire import basic

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = sorted((ROOT / "receiver" / "samples").glob("*.http"))
CAPTURE = ROOT / "tests" / "contract" / "wire" / "CancelOrder.http"
"""A request of a real WCF client; what it asks for does not matter here."""

OK_ANSWER = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    b'<CreateOrderResponse xmlns="Enferno.Services.StormConnect.Contracts.Order"><CreateOrderResult>'
    b"<StatusCode>OK</StatusCode><HasErpOrderNo>true</HasErpOrderNo><ErpOrderNo>SO-7</ErpOrderNo>"
    b"</CreateOrderResult></CreateOrderResponse></s:Body></s:Envelope>"
)
CHALLENGE = {"WWW-Authenticate": 'Negotiate, Basic realm="orders"'}

Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (200, {"Content-Type": "text/xml; charset=utf-8"}, OK_ANSWER)


@dataclass
class Recorder:
    """A receiver that writes down what it is sent and answers from a list; after its end, with OK."""

    answers: list[Answer] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    def take(self, head: dict[str, str], body: bytes) -> Answer:
        """Write one request down and choose its answer."""
        self.heads.append(head)
        self.bodies.append(body)
        return self.answers.pop(0) if self.answers else OK


@contextmanager
def recording(*answers: Answer) -> Iterator[Recorder]:
    """A recorder on a free port."""
    recorder = Recorder(list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, answer = recorder.take(dict(self.headers.items()), body)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(answer))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recorder.url = f"http://127.0.0.1:{server.server_port}/orders"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def replayed(folder: Path, url: str, *files: Path) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and answers of a replay with the test's credentials."""
    arguments = ("replay", *map(str, files), "--url", url, "--json")
    done = run_command(*arguments, folder=folder, **CREDENTIALS)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_the_samples_are_answered_as_norce_would_hear_it(receiver: RunningReceiver, tmp_path: Path) -> None:
    code, answers = replayed(tmp_path, receiver.url, *SAMPLES)
    assert code == 1
    assert [answer["status_code"] for answer in answers] == ["OK", "OK", "OK", "OK", "Failed"]
    assert answers[4]["text"] == (
        "Items/OrderItem[1]/Quantity: 'two' is not an integer; "
        "Items/OrderItem[2]/LineNo: 1 is also the number of Items/OrderItem[1]"
    )
    assert receiver.log.count("request_unauthorized") >= 1


@pytest.mark.parametrize("lasting_receiver", ["sqlite"], indirect=True)
def test_the_configured_receiver_is_the_default(receiver: RunningReceiver, tmp_path: Path) -> None:
    (tmp_path / "order.xml").write_bytes(order_xml("1001"))
    (tmp_path / "utf16.xml").write_bytes(order_xml("1001").decode().encode("utf-16"))
    bind = f"0.0.0.0:{receiver.address[1]}"
    done = run_command(
        *("replay", "order.xml", "utf16.xml"), folder=tmp_path, **CREDENTIALS, RECEIVER_BIND=bind, RECEIVER_WORKERS="1"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[:3] for line in done.stdout.splitlines()[2:]] == [
        ["order.xml", "200", "OK"],
        ["utf16.xml", "200", "OK"],
    ]


def test_credentials_follow_the_challenge_and_are_kept(tmp_path: Path) -> None:
    with recording((401, CHALLENGE, b"")) as recorder:
        code, answers = replayed(tmp_path, recorder.url, SAMPLES[0], SAMPLES[1])
    assert code == 0
    assert [answer["erp_order_no"] for answer in answers] == ["SO-7", "SO-7"]
    assert [head.get("Authorization") for head in recorder.heads] == [None, *[basic(USERNAME, PASSWORD)] * 2]
    assert recorder.bodies[0] == recorder.bodies[1] == read_capture(SAMPLES[0]).body


def test_credentials_are_not_sent_to_another_challenge(tmp_path: Path) -> None:
    with recording((401, {"WWW-Authenticate": "NTLM"}, b"")) as recorder:
        code, (answer,) = replayed(tmp_path, recorder.url, SAMPLES[0])
    assert (code, answer["http_status"], len(recorder.heads)) == (1, 401, 1)


def test_wrong_credentials_are_tried_once_for_each_file(tmp_path: Path) -> None:
    with recording(*[(401, CHALLENGE, b"")] * 4) as recorder:
        code, answers = replayed(tmp_path, recorder.url, SAMPLES[0], SAMPLES[1])
    assert (code, [answer["http_status"] for answer in answers]) == (1, [401, 401])
    assert ["Authorization" in head for head in recorder.heads] == [False, True, False, True]


def test_credentials_of_the_command_line_need_no_settings(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("annat\n", "utf-8")
    options = ("--username", "ada", "--password-file", "password")
    with recording((401, CHALLENGE, b"")) as recorder:
        done = run_command("replay", str(SAMPLES[0]), "--url", recorder.url, *options, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert recorder.heads[1]["Authorization"] == basic("ada", "annat")


def test_a_capture_is_sent_with_its_own_headers(tmp_path: Path) -> None:
    capture = tmp_path / "order.http"
    head = (
        b"POST /x HTTP/1.1\r\nSOAPAction: odd\r\nX-Trace:  1 \r\nContent-Length: 1\r\nHost: a\r\nAuthorization: b\r\n"
    )
    capture.write_bytes(head + b"\r\n<a>\r\n\r\n\xff</a>")
    with recording() as recorder:
        replayed(tmp_path, recorder.url, capture)
    assert recorder.bodies == [b"<a>\r\n\r\n\xff</a>"]
    sent = {name.lower(): value for name, value in recorder.heads[0].items()}
    assert {"soapaction": "odd", "x-trace": "1", "content-length": "12"}.items() <= sent.items()
    assert sent["host"] == recorder.url.split("/")[2]
    assert not {"authorization", "user-agent", "accept", "accept-encoding", "content-type"} & sent.keys()


def test_a_bare_envelope_is_sent_as_wcf_sends_it(tmp_path: Path) -> None:
    (tmp_path / "order.xml").write_bytes(order_xml("1001"))
    with recording() as recorder:
        replayed(tmp_path, recorder.url, tmp_path / "order.xml")
    sent = {name.lower(): value for name, value in recorder.heads[0].items()}
    assert sent.pop("host")
    assert sent.pop("connection", "keep-alive").lower() == "keep-alive"
    assert sent == {
        "content-type": "text/xml; charset=utf-8",
        "soapaction": f'"{ACTION}"',
        "accept-encoding": "gzip, deflate",
        "content-length": str(len(order_xml("1001"))),
    }


FAULT = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
    b"<faultcode>s:Server</faultcode><faultstring>broken &amp; sorry</faultstring></s:Fault></s:Body></s:Envelope>"
)
BROKEN = "the connection broke before the answer; the order may have been stored"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((500, {}, FAULT), "Fault Server: broken & sorry"),
        ((200, {}, FAULT), "Fault Server: broken & sorry"),
        ((202, {}, OK_ANSWER), None),
        ((200, {}, OK_ANSWER.replace(b">OK<", b">Failed<")), None),
        ((200, {}, b""), "200 OK: no answer to an order"),
        ((200, {}, OK_ANSWER[:-1]), "200 OK: no answer to an order"),
        ((200, {}, OK_ANSWER.replace(b"Enferno", b"Inferno")), "200 OK: no answer to an order"),
        ((200, {}, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), "200 OK: no answer to an order"),
        ((502, {"Content-Type": "text/html"}, b"<h1>Bad gateway"), "502 Bad Gateway: no answer to an order"),
        ((404, {"Content-Type": "text/plain"}, b"not here\n"), "404 Not Found: not here"),
        ((302, {"Location": "/orders"}, b""), "302 Found: no answer to an order"),
        ((200, {"Content-Length": "9999", "Connection": "close"}, OK_ANSWER), BROKEN),
        ((200, {"Content-Encoding": "gzip"}, OK_ANSWER), BROKEN),
    ],
)
def test_whatever_is_no_ok_ends_with_one(tmp_path: Path, answer: Answer, text: str | None) -> None:
    with recording(answer) as recorder:
        code, (heard,) = replayed(tmp_path, recorder.url, SAMPLES[0])
    assert (code, heard["is_ok"], heard["text"]) == (1, False, text)
    assert len(recorder.heads) == 1


def test_a_receiver_that_does_not_run_is_told_from_one_that_fails(tmp_path: Path) -> None:
    with recording() as recorder:
        pass
    code, (heard,) = replayed(tmp_path, recorder.url, SAMPLES[0])
    assert (code, heard["http_status"], heard["text"]) == (1, None, "no connection: nobody listens there")


def test_every_unusable_file_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "order.txt").write_bytes(b"<a/>")
    (tmp_path / "empty.xml").touch()
    files = (str(SAMPLES[0]), "missing.xml", "order.txt", "empty.xml", ".")
    with recording() as recorder:
        done = run_command("replay", *files, "--url", recorder.url, folder=tmp_path, **CREDENTIALS)
    assert (done.returncode, done.stdout, recorder.heads) == (1, "", [])
    assert done.stderr.splitlines() == [
        "nothing was posted:",
        "  missing.xml: No such file or directory",
        "  order.txt: the name must end in .http (head and body) or .xml (an envelope)",
        "  empty.xml: the file is empty",
        "  .: Is a directory",
    ]


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "127.0.0.1:8080", "http://", "http:///x"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    done = run_command("replay", str(SAMPLES[0]), "--url", url, folder=tmp_path, **CREDENTIALS)
    assert done.returncode == 1
    assert "--url must be an address" in done.stderr


def test_a_capture_keeps_head_and_body_as_they_are() -> None:
    capture = read_capture(CAPTURE)
    raw = CAPTURE.read_bytes()
    head = "".join(f"{name}: {value}\r\n" for name, value in capture.headers).encode("latin-1")
    assert raw.partition(b"\r\n")[2] == head + b"\r\n" + capture.body
    assert dict(capture.headers)["Content-Length"] == str(len(capture.body))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "there is no empty line between head and body"),
        (b"<a/>", "there is no empty line between head and body"),
        (b"HTTP/1.1 200 OK\r\n\r\n<a/>", "the first line is not the request line of a POST"),
        (b"GET / HTTP/1.1\r\n\r\n", "the first line is not the request line of a POST"),
        (b"POST / HTTP/1.1\r\nAuthorization\r\n\r\n<a/>", "line 2 is not a header"),
        (b"POST / HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n<a/>", "line 3 is not a header"),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "captured in chunks"),
    ],
)
def test_what_is_no_capture_is_refused_with_the_reason(tmp_path: Path, raw: bytes, reason: str) -> None:
    (tmp_path / "order.http").write_bytes(raw)
    with pytest.raises(CaptureUnreadable, match=reason):
        read_capture(tmp_path / "order.http")


def test_a_capture_that_lost_its_carriage_returns_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "order.http").write_bytes(b"POST / HTTP/1.1\nA: b\n\n<a/>\r\n\r\n")
    capture = read_capture(tmp_path / "order.http")
    assert (capture.headers, capture.body) == ((("A", "b"),), b"<a/>\r\n\r\n")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_has_the_shape_of_a_capture(sample: Path) -> None:
    capture, real = read_capture(sample), read_capture(CAPTURE)
    assert [name for name, _ in capture.headers] == [name for name, _ in real.headers]
    assert dict(capture.headers)["Content-Length"] == str(len(capture.body))
    assert dict(capture.headers)["SOAPAction"] == f'"{ACTION}"'
    assert capture.body.startswith(
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><CreateOrder '
    )
    assert b"> " not in capture.body
    assert b"\n" not in capture.body
