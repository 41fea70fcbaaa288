"""Who the client says it is, to whom, and how often it asks for a token."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from connect_client import (
    BasicAuth,
    ClientCredentials,
    ConnectClient,
    Timeouts,
    Unauthorized,
)
from connect_client.testing import FakeConnect, unauthorized
from tests.raw_servers import PASSWORD, UPDATE
from tests.secrecy import assert_silent


def client_with_token(fake: FakeConnect, *, ask_at_most_every_seconds: float = 20.0) -> ConnectClient:
    auth = replace(fake.client_credentials, ask_at_most_every_seconds=ask_at_most_every_seconds)
    return ConnectClient(fake.url, auth=auth)


def test_basic_authentication_carries_any_password_as_utf_8() -> None:
    auth = BasicAuth("1042", "lösen:ord €")
    with FakeConnect(auth=auth) as fake, ConnectClient(fake.url, auth=auth) as client:
        client.send_order_status(UPDATE)
        (received,) = fake.received
    assert received.headers["Authorization"] == "Basic " + b64encode("1042:lösen:ord €".encode()).decode()


def test_a_user_name_with_a_colon_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="colon") as caught:
        ConnectClient("https://norce.example/", auth=BasicAuth("10:42", PASSWORD))
    assert PASSWORD not in str(caught.value)


def test_credentials_do_not_show_themselves() -> None:
    for auth in (BasicAuth("1042", PASSWORD), ClientCredentials("https://a/", "1042", PASSWORD, "prod")):
        assert PASSWORD not in f"{auth} {auth!r}"


def test_a_wrong_password_is_told_once_and_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    with FakeConnect() as fake, ConnectClient(fake.url, auth=BasicAuth("1042", PASSWORD)) as client:
        with pytest.raises(Unauthorized) as caught:
            client.send_order_status(UPDATE)
        assert (caught.value.status, fake.request_count, fake.messages) == (401, 1, [])
    assert_silent(caught.value, caplog)


def test_eight_threads_share_one_token() -> None:
    with FakeConnect() as fake, client_with_token(fake) as client:
        together = threading.Barrier(8)

        def send() -> None:
            together.wait()
            client.send_order_status(UPDATE)

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(fake.messages), fake.token_count) == (8, 1)
        assert len({received.headers["Authorization"] for received in fake.received}) == 1


def test_a_token_is_renewed_before_its_end() -> None:
    with FakeConnect() as fake, client_with_token(fake) as client:
        fake.set_token_lifetime(1.0)
        for count in (1, 1):
            client.send_order_status(UPDATE)
            assert fake.token_count == count
        # It would still be valid for 0.4 seconds; a token of two minutes or more is renewed 60 seconds before its end.
        time.sleep(0.6)
        client.send_order_status(UPDATE)
        assert (fake.token_count, len(fake.messages)) == (2, 3)


def test_a_lifetime_of_a_minute_is_used_by_half() -> None:
    """61 seconds less the margin would be one: a token for every call."""
    with FakeConnect() as fake, client_with_token(fake) as client:
        fake.set_token_lifetime(61.0)
        client.send_order_status(UPDATE)
        time.sleep(1.1)
        client.send_order_status(UPDATE)
        assert fake.token_count == 1


def test_a_401_renews_the_token_once_and_the_call_succeeds() -> None:
    with FakeConnect() as fake, client_with_token(fake, ask_at_most_every_seconds=0.1) as client:
        client.send_order_status(UPDATE)
        fake.revoke_tokens()
        time.sleep(0.15)
        client.send_order_status(UPDATE)
        assert (len(fake.messages), fake.token_count, fake.request_count) == (2, 2, 3)


def test_a_401_to_a_fresh_token_is_not_answered_with_another() -> None:
    with FakeConnect() as fake, client_with_token(fake) as client:
        client.send_order_status(UPDATE)
        fake.revoke_tokens()
        for requests in (2, 3):
            with pytest.raises(Unauthorized):
                client.send_order_status(UPDATE)
            assert (fake.token_count, fake.request_count) == (1, requests)


def test_a_401_to_the_renewed_token_is_final() -> None:
    with FakeConnect() as fake, client_with_token(fake, ask_at_most_every_seconds=0.05) as client:
        client.send_order_status(UPDATE)
        time.sleep(0.1)
        fake.will(unauthorized(), unauthorized())
        with pytest.raises(Unauthorized):
            client.send_order_status(UPDATE)
        assert (fake.token_count, fake.request_count, len(fake.messages)) == (2, 3, 1)


def test_eight_threads_that_meet_a_401_renew_the_token_once() -> None:
    with FakeConnect() as fake, client_with_token(fake, ask_at_most_every_seconds=0.3) as client:
        client.send_order_status(UPDATE)
        fake.revoke_tokens()
        time.sleep(0.35)
        threads = [threading.Thread(target=client.send_order_status, args=(UPDATE,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(fake.messages), fake.token_count) == (9, 2)


def test_a_wrong_secret_is_unauthorized(caplog: pytest.LogCaptureFixture) -> None:
    with FakeConnect() as fake:
        auth = replace(fake.client_credentials, client_secret=PASSWORD)
        with (
            ConnectClient(fake.url, auth=auth) as client,
            pytest.raises(Unauthorized, match="invalid_client") as caught,
        ):
            client.send_order_status(UPDATE)
        assert fake.request_count == 0
    assert_silent(caught.value, caplog)


def test_a_secret_travels_in_the_body_with_all_its_letters() -> None:
    auth = BasicAuth("1042", "å&b=c d+€%")
    with FakeConnect(auth=auth) as fake, client_with_token(fake) as client:
        client.send_order_status(UPDATE)
        assert fake.token_count == 1


@pytest.mark.parametrize(("chosen", "sent"), [({}, "application-id"), ({"application_header": "X-App"}, "X-App")])
def test_the_application_goes_into_its_header(chosen: dict[str, str], sent: str) -> None:
    with FakeConnect() as fake:
        with ConnectClient(fake.url, auth=fake.basic_auth, application_id="1042", **chosen) as client:  # type: ignore[arg-type]
            client.send_order_status(UPDATE)
        with ConnectClient(fake.url, auth=fake.basic_auth) as client:
            client.send_order_status(UPDATE)
        first, second = fake.received
    assert first.headers[sent] == "1042"
    assert sent not in second.headers


def test_netrc_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login nobody password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with FakeConnect() as fake:
        with ConnectClient(fake.url, auth=fake.basic_auth) as client:
            client.send_order_status(UPDATE)
        with client_with_token(fake) as client:
            client.send_order_status(UPDATE)
        assert (len(fake.messages), fake.token_count) == (2, 1)


@pytest.mark.parametrize("url", ["http://norce.example/", "http://10.0.0.1/", "http://127.0.0.1.example/"])
def test_plain_http_to_another_machine_is_refused_unless_it_is_allowed(url: str) -> None:
    auth = BasicAuth("1042", PASSWORD)
    with pytest.raises(ValueError, match="clear"):
        ConnectClient(url, auth=auth)
    with pytest.raises(ValueError, match="clear"):
        ConnectClient("https://norce.example/", auth=ClientCredentials(url, "1042", PASSWORD, "prod"))
    ConnectClient(url, auth=auth, allow_plain_http=True).close()


@pytest.mark.parametrize("url", ["http://localhost:1/", "http://127.1.2.3/", "http://[::1]:8080/"])
def test_plain_http_to_this_machine_is_allowed(url: str) -> None:
    ConnectClient(url, auth=BasicAuth("1042", PASSWORD)).close()


@pytest.mark.parametrize("url", [f"https://u:{PASSWORD}@norce.example/", f"https://{PASSWORD}@norce.example/"])
def test_credentials_in_an_address_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="credentials") as caught:
        ConnectClient(url, auth=BasicAuth("1042", "x"))
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("url", ["", "norce.example", "ftp://norce.example/", "https://", "https:///a", "file:///a"])
def test_what_is_no_address_of_a_service_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        ConnectClient(url, auth=BasicAuth("1042", "x"))


@pytest.mark.parametrize(("connect", "read"), [(0, 1), (1, 0), (-1, 1), (float("inf"), 1), (1, float("nan"))])
def test_a_timeout_that_never_ends_is_not_offered(connect: float, read: float) -> None:
    with pytest.raises(ValueError, match="timeouts"):
        Timeouts(connect, read)
