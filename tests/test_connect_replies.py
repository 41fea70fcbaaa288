"""Every reply means exactly one thing: success, or one error with all that is known of it and nothing secret."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pytest

from connect_client import (
    CallFailed,
    Misdirected,
    Operation,
    Refused,
    ServerFailed,
    Throttled,
    Unauthorized,
    Unreachable,
    UnreadableReply,
)
from connect_client.calls import load_calls
from connect_client.testing import ADDRESSING, DISPATCHER
from connect_client.testing.behaviours import SOAP
from connect_client.testing.soap import success
from tests.raw_servers import REPLIED, UPDATE, client_of, http_reply, replying
from tests.secrecy import assert_silent

SUCCESS = success(load_calls()[Operation.SEND_ORDER_STATUS].answer).body
OTHER_SUCCESS = success(load_calls()[Operation.CANCEL_ORDER].answer).body
HTML = f"<html><body><h1>{REPLIED}</h1><br></body></html>".encode()
OWN_NAMESPACE = "urn:example"
EXCEPTION_DETAIL = (
    '<detail><ExceptionDetail xmlns="http://schemas.datacontract.org/2004/07/System.ServiceModel" '
    f'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><HelpLink i:nil="true"/><Message>{REPLIED}</Message>'
    "<StackTrace>at Norce.Orders()</StackTrace><Type>System.NullReferenceException</Type></ExceptionDetail></detail>"
)
TYPED_DETAIL = f'<detail><OrderProblem xmlns="{OWN_NAMESPACE}"><Text>{REPLIED}</Text></OrderProblem></detail>'
ACTION_HEADER = f'<s:Header><Action s:mustUnderstand="1" xmlns="{ADDRESSING}">{DISPATCHER}/fault</Action></s:Header>'


def envelope(content: str, header: str = "") -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP}">{header}<s:Body>{content}</s:Body></s:Envelope>'.encode()


def fault(code: str, declared: str = "", *, detail: str = "", header: str = "") -> bytes:
    named = f' xmlns:a="{declared}"' if declared else ""
    text = f'<faultstring xml:lang="sv-SE">{REPLIED}</faultstring>'
    return envelope(f"<s:Fault><faultcode{named}>{code}</faultcode>{text}{detail}</s:Fault>", header)


@dataclass
class Case:
    """A reply and what must come of it; `code` is the fault's namespace and name, None for no fault."""

    name: str
    status: str
    body: bytes
    error: type[CallFailed]
    code: tuple[str | None, str] | None = None
    content_type: str = "text/xml; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


# Wire format, 5.4; the prefix is arbitrary, so one case has an unusual one.
FAULTS = [
    Case("FaultException", "500 X", fault("s:Client"), Refused, (SOAP, "Client")),
    Case("a subcode", "500 X", fault("a:Sub", OWN_NAMESPACE), Refused, (OWN_NAMESPACE, "Sub")),
    Case("a typed detail", "500 X", fault("s:Client", detail=TYPED_DETAIL), Refused, (SOAP, "Client")),
    Case(
        "an unhandled exception",
        "500 X",
        fault("a:InternalServiceFault", DISPATCHER),
        ServerFailed,
        (DISPATCHER, "InternalServiceFault"),
    ),
    Case(
        "an exception with its detail",
        "500 X",
        fault("a:InternalServiceFault", DISPATCHER, detail=EXCEPTION_DETAIL),
        ServerFailed,
        (DISPATCHER, "InternalServiceFault"),
    ),
    Case(
        "a bad value",
        "500 X",
        fault("a:DeserializationFailed", DISPATCHER),
        Refused,
        (DISPATCHER, "DeserializationFailed"),
    ),
    Case(
        "an unknown action",
        "500 X",
        fault("a:ActionNotSupported", ADDRESSING),
        Refused,
        (ADDRESSING, "ActionNotSupported"),
    ),
    Case("a header not understood", "500 X", fault("s:MustUnderstand"), Refused, (SOAP, "MustUnderstand")),
    Case("a failure of the server", "500 X", fault("s:Server"), ServerFailed, (SOAP, "Server")),
    Case("a dotted code of the server", "500 X", fault("s:Server.Busy"), ServerFailed, (SOAP, "Server.Busy")),
    Case(
        "Mono's exception",
        "500 X",
        fault("a:InternalServiceFault", ADDRESSING, header=ACTION_HEADER),
        ServerFailed,
        (ADDRESSING, "InternalServiceFault"),
    ),
    Case("Mono's bad value", "500 X", fault("Receiver"), Refused, (None, "Receiver")),
    Case("a fault with 200", "200 OK", fault("s:Client"), Refused, (SOAP, "Client")),
    Case("a fault with 400", "400 X", fault("s:Client"), Refused, (SOAP, "Client")),
    Case("a code that is no name", "500 X", fault(f"s:{REPLIED} {REPLIED}"), ServerFailed, (SOAP, "")),
    Case("a code without end", "500 X", fault("s:" + "A" * 5000), ServerFailed, (SOAP, "")),
    Case("a fault without a code", "500 X", envelope("<s:Fault><faultstring/></s:Fault>"), ServerFailed, (None, "")),
    Case("401 with a fault", "401 X", fault("s:Client"), Unauthorized, (SOAP, "Client")),
]
OTHERS = [
    Case("401 with XML", "401 X", b"<error>" + REPLIED.encode() + b"</error>", Unauthorized, content_type="text/xml"),
    Case("401 empty", "401 X", b"", Unauthorized, headers={"WWW-Authenticate": 'Basic realm="Norce"'}),
    Case("403 with HTML", "403 X", HTML, Unauthorized, content_type="text/html"),
    Case("404 with HTML", "404 X", HTML, Misdirected, content_type="text/html"),
    Case("405", "405 X", b"", Misdirected),
    Case("410", "410 X", b"", Misdirected),
    Case("304", "304 X", b"", Misdirected),
    Case("200 empty", "200 OK", b"", UnreadableReply),
    Case("200 with an empty Body", "200 OK", envelope(""), UnreadableReply),
    Case("200 with another operation's wrapper", "200 OK", OTHER_SUCCESS, UnreadableReply),
    Case("200 with a comment only", "200 OK", envelope(f"<!-- {REPLIED} -->"), UnreadableReply),
    Case("200 with HTML", "200 OK", HTML, UnreadableReply, content_type="text/html"),
    Case("200 with half an envelope", "200 OK", SUCCESS[:-30], UnreadableReply),
    Case(
        "200 with SOAP 1.2",
        "200 OK",
        SUCCESS.replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope"),
        UnreadableReply,
    ),
    Case("200 with a DOCTYPE", "200 OK", b'<!DOCTYPE a [<!ENTITY b "c">]>' + SUCCESS, UnreadableReply),
    Case("500 with a DOCTYPE", "500 X", b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/">' + fault("s:Client"), ServerFailed),
    Case("500 with a DOCTYPE without a subset", "500 X", b"<!DOCTYPE a>" + fault("s:Client"), ServerFailed),
    Case("201 with another's wrapper", "201 X", OTHER_SUCCESS, UnreadableReply),
    Case("202 empty", "202 Accepted", b"", UnreadableReply),
    Case("204", "204 No Content", b"", UnreadableReply),
    Case("400 empty", "400 X", b"", Refused),
    Case("400 with a success", "400 X", SUCCESS, Refused),
    Case("407", "407 X", HTML, Unreachable, content_type="text/html"),
    Case("408", "408 X", b"", ServerFailed),
    Case("413", "413 X", HTML, Refused, content_type="text/html"),
    Case("415", "415 Cannot process the message because of its content type", b"", Refused),
    Case("429", "429 X", HTML, Throttled, content_type="text/html"),
    Case("500 with HTML", "500 X", HTML, ServerFailed, content_type="text/html"),
    Case("500 with a success", "500 X", SUCCESS, ServerFailed),
    Case("502", "502 X", HTML, ServerFailed, content_type="text/html"),
    Case("503", "503 X", b"", ServerFailed),
    Case("504", "504 X", b"", ServerFailed),
]


@pytest.mark.parametrize("case", FAULTS + OTHERS, ids=lambda case: case.name.replace(" ", "-"))
def test_each_reply_becomes_one_error_with_what_is_known_of_it(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "connect_client")
    reply = http_reply(case.status, case.body, case.content_type, **case.headers)
    with replying(reply) as server, client_of(server.url) as client, pytest.raises(CallFailed) as caught:
        client.send_order_status(UPDATE)
    error = caught.value
    assert type(error) is case.error
    assert (error.status, error.operation) == (int(case.status[:3]), "SendOrderStatus")
    assert (error.fault and (error.fault.namespace, error.fault.code)) == case.code
    assert error.retry_after_seconds is None
    (request,) = server.requests
    assert f"X-Request-Id: {error.request_id}\r\n".encode() in request
    assert error.request_id in str(error)
    assert f"HTTP {error.status}" in str(error)
    assert_silent(error, caplog)


def test_the_text_of_a_fault_is_cut_and_stands_in_the_fault_alone() -> None:
    body = fault("s:Client").replace(REPLIED.encode(), b"x" * 5000)
    with (
        replying(http_reply("500 X", body)) as server,
        client_of(server.url) as client,
        pytest.raises(Refused) as caught,
    ):
        client.send_order_status(UPDATE)
    assert caught.value.fault is not None
    assert caught.value.fault.text == "x" * 1000
    assert "xxx" not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted"])
def test_the_operations_own_wrapper_is_success_with_any_2xx(status: str) -> None:
    with replying(http_reply(status, SUCCESS)) as server, client_of(server.url) as client:
        client.send_order_status(UPDATE)


@pytest.mark.parametrize("dressed", [b"\xef\xbb\xbf" + SUCCESS, b'<?xml version="1.0" encoding="utf-8"?>\n' + SUCCESS])
def test_a_byte_order_mark_or_a_declaration_does_not_hide_success(dressed: bytes) -> None:
    with replying(http_reply("200 OK", dressed, "text/xml")) as server, client_of(server.url) as client:
        client.send_order_status(UPDATE)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(status: str) -> None:
    with replying(http_reply("200 OK", SUCCESS)) as target:
        reply = http_reply(status, HTML, Location=target.url)
        with replying(reply) as server, client_of(server.url) as client, pytest.raises(Misdirected) as caught:
            client.send_order_status(UPDATE)
        assert caught.value.status == int(status[:3])
        assert (target.connection_count, len(server.requests)) == (0, 1)


@pytest.mark.parametrize(
    ("written", "smallest", "largest"),
    [
        ("30", 30, 30),
        (" 7 ", 7, 7),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 1e9, 1e10),
        ("Fri, 31 Dec 2100 23:59:59 -0000", 1e9, 1e10),
        ("Sat, 01 Jan 2000 00:00:00 GMT", 0, 0),
        ("9" * 400, 1e9, float("inf")),
    ],
)
@pytest.mark.parametrize(("status", "error"), [("429 X", Throttled), ("503 X", ServerFailed)])
def test_retry_after_is_read_as_seconds_or_as_a_date(
    written: str, smallest: float, largest: float, status: str, error: type[CallFailed]
) -> None:
    reply = http_reply(status, Retry_After=written)
    with replying(reply) as server, client_of(server.url) as client, pytest.raises(error) as caught:
        client.send_order_status(UPDATE)
    assert caught.value.retry_after_seconds is not None
    assert smallest <= caught.value.retry_after_seconds <= largest


@pytest.mark.parametrize("written", ["soon", "", "-5", "1.5", "Fri, 99 Foo 2100", "Fri, 31 Dec 99999 23:59:59 GMT"])
def test_a_retry_after_that_says_nothing_is_none(written: str) -> None:
    reply = http_reply("429 X", Retry_After=written)
    with replying(reply) as server, client_of(server.url) as client, pytest.raises(Throttled) as caught:
        client.send_order_status(UPDATE)
    assert caught.value.retry_after_seconds is None


def test_ping_accepts_nothing_but_the_fault_for_an_unknown_action() -> None:
    with (
        replying(http_reply("500 X", fault("a:ActionNotSupported", ADDRESSING))) as server,
        client_of(server.url) as client,
    ):
        client.ping()
    for status, body, error in [
        ("200 OK", SUCCESS, UnreadableReply),
        ("404 X", HTML, Misdirected),
        ("401 X", b"", Unauthorized),
    ]:
        with replying(http_reply(status, body)) as server, client_of(server.url) as client, pytest.raises(error):
            client.ping()
