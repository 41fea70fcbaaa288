"""The identity service may say what it likes: no token means that Norce did not act, and nobody asks again at once."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable

import pytest

from connect_client import (
    BasicAuth,
    CallFailed,
    ClientCredentials,
    ConnectClient,
    Throttled,
    Timeouts,
    Unauthorized,
    Unreachable,
)
from tests.raw_servers import PASSWORD, REPLIED, UPDATE, Caller, RawServer, http_reply, replying
from tests.secrecy import assert_silent

TOKEN = "hemlig-nyckel-123"


def client_of_identity(url: str, **settings: float) -> ConnectClient:
    """A client whose tokens come from here, and whose service nobody runs."""
    auth = ClientCredentials(url, "1042", PASSWORD, "playground", **settings)
    return ConnectClient("http://127.0.0.1:1/", auth=auth, timeouts=Timeouts(2, 0.5))


def identity_reply(**fields: object) -> bytes:
    return http_reply("200 OK", json.dumps(fields).encode(), "application/json")


FAILURES = {
    "an OAuth error with 400": (http_reply("400 X", b'{"error": "invalid_scope"}', "application/json"), Unauthorized),
    "an OAuth error with 200": (identity_reply(error="invalid_grant"), Unauthorized),
    "an unknown error": (identity_reply(error=REPLIED, error_description=REPLIED), Unauthorized),
    "an error that is no text": (identity_reply(error={"code": REPLIED}), Unauthorized),
    "too many requests": (http_reply("429 X", REPLIED.encode(), Retry_After="7"), Throttled),
    "a server error": (http_reply("500 X", REPLIED.encode(), "text/html"), Unreachable),
    "a forbidding proxy": (http_reply("403 X", REPLIED.encode(), "text/html"), Unreachable),
    "no such page": (http_reply("404 X", REPLIED.encode(), "text/html"), Unreachable),
    "HTML with 200": (http_reply("200 OK", f"<html>{REPLIED}".encode(), "text/html"), Unreachable),
    "HTML with 401": (http_reply("401 X", f"<html>{REPLIED}".encode(), "text/html"), Unreachable),
    "nothing with 200": (http_reply("200 OK"), Unreachable),
    "JSON without a token": (identity_reply(token_type="Bearer", note=REPLIED), Unreachable),
    "a token that is no text": (identity_reply(access_token=[REPLIED]), Unreachable),
    "a token with a line end": (identity_reply(access_token=f"{TOKEN}\r\nX: y"), Unreachable),
    "a token beyond ASCII": (identity_reply(access_token=REPLIED), Unreachable),
    "a list": (http_reply("200 OK", json.dumps([REPLIED]).encode(), "application/json"), Unreachable),
    "a number": (http_reply("200 OK", b"17", "application/json"), Unreachable),
    "a lifetime that is none": (identity_reply(access_token=TOKEN, expires_in=REPLIED), Unreachable),
    "garbage": (REPLIED.encode() + b"\r\n\r\n", Unreachable),
    "no word": (b"", Unreachable),
    "half an answer": (identity_reply(access_token=TOKEN)[:-5], Unreachable),
}


@pytest.mark.parametrize("name", FAILURES, ids=lambda name: name.replace(" ", "-"))
def test_whatever_the_identity_service_says_norce_did_not_act(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "connect_client")
    reply, expected = FAILURES[name]
    with replying(reply) as identity, client_of_identity(identity.url) as client:
        with pytest.raises(CallFailed) as caught:
            client.send_order_status(UPDATE)
        assert type(caught.value) is expected
        assert (caught.value.status, caught.value.fault) == (None, None)
        assert_silent(caught.value, caplog, TOKEN)
        # Nobody asks again at once: the same failure is told, with the time until somebody will.
        with pytest.raises(expected) as again:
            client.send_order_status(UPDATE)
        assert len(identity.requests) == 1
    assert again.value.reason == caught.value.reason
    assert again.value.request_id != caught.value.request_id
    assert again.value.retry_after_seconds is not None
    assert 15 < again.value.retry_after_seconds <= 20


def test_the_identity_service_says_how_long_to_wait() -> None:
    with replying(http_reply("429 X", Retry_After="40")) as identity, client_of_identity(identity.url) as client:
        for least in (40, 35):
            with pytest.raises(Throttled) as caught:
                client.send_order_status(UPDATE)
            assert caught.value.retry_after_seconds is not None
            assert least <= caught.value.retry_after_seconds <= 40
        assert len(identity.requests) == 1


def test_a_failure_is_forgotten_after_the_interval() -> None:
    replies = [http_reply("500 X"), identity_reply(access_token=TOKEN)]

    def answer(caller: Caller) -> None:
        caller.answer(replies.pop(0))

    with RawServer(answer) as identity, client_of_identity(identity.url, ask_at_most_every_seconds=0.2) as client:
        with pytest.raises(Unreachable, match="HTTP 500"):
            client.send_order_status(UPDATE)
        time.sleep(0.25)
        with pytest.raises(Unreachable, match="ConnectionRefused"):
            client.send_order_status(UPDATE)
        assert len(identity.requests) == 2


def test_a_redirect_of_the_identity_service_gets_no_secret() -> None:
    with replying(identity_reply(access_token=TOKEN)) as elsewhere:
        reply = http_reply("307 X", Location=elsewhere.url)
        with replying(reply) as identity, client_of_identity(identity.url) as client, pytest.raises(Unreachable):
            client.send_order_status(UPDATE)
        assert elsewhere.connection_count == 0


def hang(caller: Caller) -> None:
    """Say nothing."""
    caller.request()
    caller.is_over.wait(5)


def drip(caller: Caller) -> None:
    """Say it slowly."""
    caller.request()
    caller.drip(identity_reply(access_token=TOKEN), every_seconds=0.05)


@pytest.mark.parametrize("script", [hang, drip])
def test_an_identity_service_that_does_not_finish_holds_nobody_up(script: Callable[[Caller], None]) -> None:
    started = time.monotonic()
    with RawServer(script) as identity, client_of_identity(identity.url) as client, pytest.raises(Unreachable):
        client.send_order_status(UPDATE)
    assert time.monotonic() - started < 1.5


def test_an_identity_service_that_is_down_is_unreachable() -> None:
    with client_of_identity("http://127.0.0.1:1/token") as client, pytest.raises(Unreachable):
        client.send_order_status(UPDATE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"application_id": "1\r\nX: y"},
        {"application_id": "å"},
        {"application_id": " "},
        {"application_id": "1", "application_header": "a b"},
        {"application_id": "1", "application_header": ""},
    ],
)
def test_an_application_header_that_cannot_be_sent_is_refused_at_once(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="application_"):
        ConnectClient("https://norce.example/OrderService.svc", auth=BasicAuth("a", "b"), **wrong)  # type: ignore[arg-type]


def test_an_address_with_an_impossible_port_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="Port out of range"):
        ConnectClient("https://norce.example:99999/OrderService.svc", auth=BasicAuth("a", "b"))
