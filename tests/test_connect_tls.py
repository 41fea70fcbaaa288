"""Whom the client trusts, how it is trusted, and which way it goes there."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from connect_client import CallFailed, ClientCredentials, ConnectClient, Timeouts, Tls, TlsFailed, Unreachable
from connect_client.testing import FakeConnect
from tests.certificates import Authority, server_context
from tests.raw_servers import PASSWORD, UPDATE, Caller, RawServer, http_reply
from tests.secrecy import assert_silent

PROXY_SETTINGS = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing of proxies and trust."""
    for name in PROXY_SETTINGS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The one the client trusts."""
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture
def fake(authority: Authority) -> Iterator[FakeConnect]:
    """A service with a certificate of the authority."""
    with FakeConnect(ssl_context=server_context(authority.certificate("service"))) as serving:
        yield serving


def failure_of(fake: FakeConnect, tls: Tls | None = None) -> CallFailed:
    """The error of one call."""
    timeouts = Timeouts(5, 5)
    client = ConnectClient(fake.url, auth=fake.basic_auth, tls=tls, timeouts=timeouts)
    with client, pytest.raises(CallFailed) as caught:
        client.send_order_status(UPDATE)
    assert fake.messages == []
    return caught.value


def test_an_authority_of_ones_own_is_trusted_once_it_is_named(fake: FakeConnect, authority: Authority) -> None:
    with ConnectClient(fake.url, auth=fake.basic_auth, tls=Tls(ca_file=str(authority.file))) as client:
        client.send_order_status(UPDATE)
        client.send_order_status(UPDATE)
    assert fake.messages == [UPDATE, UPDATE]


def test_tokens_are_asked_for_with_the_same_trust(fake: FakeConnect, authority: Authority) -> None:
    with ConnectClient(fake.url, auth=fake.client_credentials, tls=Tls(ca_file=str(authority.file))) as client:
        client.send_order_status(UPDATE)
    with (
        ConnectClient("http://127.0.0.1:1/", auth=fake.client_credentials) as client,
        pytest.raises(TlsFailed, match="identity"),
    ):
        client.send_order_status(UPDATE)
    assert (len(fake.messages), fake.token_count) == (1, 1)


def test_the_environment_may_name_the_authority(
    fake: FakeConnect, authority: Authority, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with ConnectClient(fake.url, auth=fake.basic_auth) as client:
        client.send_order_status(UPDATE)
    assert fake.messages == [UPDATE]


def test_an_unknown_authority_is_not_trusted(
    fake: FakeConnect, stranger: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    for tls in (None, Tls(ca_file=str(stranger.file))):
        caplog.clear()
        error = failure_of(fake, tls)
        assert type(error) is TlsFailed
        assert "CERTIFICATE_VERIFY_FAILED" in str(error)
        assert_silent(error, caplog)
    assert fake.request_count == 0


@pytest.mark.parametrize("wrong", [{"address": "127.0.0.2"}, {"days_left": -1}], ids=["another host", "expired"])
def test_a_certificate_for_another_host_or_time_is_not_trusted(wrong: dict[str, object], authority: Authority) -> None:
    context = server_context(authority.certificate("wrong", **wrong))  # type: ignore[arg-type]
    with FakeConnect(ssl_context=context) as fake:
        assert type(failure_of(fake, Tls(ca_file=str(authority.file)))) is TlsFailed
        assert fake.request_count == 0


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_shown_where_one_is_wanted(
    version: ssl.TLSVersion, authority: Authority, stranger: Authority
) -> None:
    """Under TLS 1.3 the refusal comes after the client has begun to send, and what it sent is thrown away."""
    context = server_context(authority.certificate("service"), clients_of=authority)
    context.minimum_version = context.maximum_version = version
    trusted = str(authority.file)
    ours = str(authority.certificate("client"))
    with FakeConnect(ssl_context=context) as fake:
        for tls in (Tls(trusted), Tls(trusted, certificate_file=str(stranger.certificate("client")))):
            for _ in range(20):
                assert type(failure_of(fake, tls)) is TlsFailed
        for tls in (Tls(trusted, certificate_file=ours), Tls(trusted, certificate_file=ours, key_file=ours)):
            with ConnectClient(fake.url, auth=fake.basic_auth, tls=tls) as client:
                client.send_order_status(UPDATE)
        assert (fake.request_count, len(fake.messages)) == (2, 2)


def test_a_server_without_tls_is_not_spoken_to() -> None:
    with FakeConnect() as fake, ConnectClient(fake.url.replace("http:", "https:"), auth=fake.basic_auth) as client:
        with pytest.raises(TlsFailed):
            client.send_order_status(UPDATE)
        assert fake.request_count == 0


def test_old_protocols_are_not_spoken(authority: Authority) -> None:
    context = server_context(authority.certificate("service"))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with FakeConnect(ssl_context=context) as fake:
        assert type(failure_of(fake, Tls(ca_file=str(authority.file)))) is TlsFailed


def test_files_that_are_missing_are_told_when_the_client_is_made(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    for settings in ({"ca_file": missing}, {"certificate_file": missing}):
        with pytest.raises(ValueError, match="there is no file"):
            Tls(**settings)
    with pytest.raises(ValueError, match="certificate_file"):
        Tls(key_file=missing)


def test_a_file_that_holds_no_certificate_fails_before_anything_is_sent(fake: FakeConnect, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for tls in (Tls(ca_file=str(empty)), Tls(certificate_file=str(empty))):
        assert isinstance(failure_of(fake, tls), TlsFailed | Unreachable)
    assert fake.request_count == 0


def forward(caller: Caller) -> None:
    """Be a proxy: a tunnel for CONNECT, and one forwarded request for anything else."""
    request = caller.request()
    method, target, _ = request.split(b" ", 2)
    host, _, port = target.removeprefix(b"http://").partition(b"/")[0].decode().rpartition(":")
    with socket.create_connection((host, int(port))) as upstream:
        if method == b"CONNECT":
            caller.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            upstream.sendall(request.replace(b"keep-alive", b"close"))
        back = Thread(target=pump, args=(upstream, caller.connection))
        back.start()
        pump(caller.connection, upstream)
        back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until it ends, then tell both."""
    try:
        while received := source.recv(65536):
            target.sendall(received)
    except OSError:
        pass
    finally:
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def test_http_goes_through_the_proxy_of_the_environment(environment: pytest.MonkeyPatch) -> None:
    with FakeConnect() as fake, RawServer(forward) as proxy:
        environment.setenv("http_proxy", proxy.origin)
        with ConnectClient(fake.url, auth=fake.basic_auth) as client:
            client.send_order_status(UPDATE)
        assert fake.messages == [UPDATE]
        (request,) = proxy.requests
        assert request.startswith(f"POST {fake.url} ".encode())


def test_https_goes_through_a_tunnel_that_sees_no_credentials(
    fake: FakeConnect, authority: Authority, environment: pytest.MonkeyPatch
) -> None:
    with RawServer(forward) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.origin)
        with ConnectClient(fake.url, auth=fake.client_credentials, tls=Tls(ca_file=str(authority.file))) as client:
            client.send_order_status(UPDATE)
            client.send_order_status(UPDATE)
        assert fake.messages == [UPDATE, UPDATE]
        # One tunnel for the token, one for the calls.
        assert [request.split(b" ")[0] for request in proxy.requests] == [b"CONNECT", b"CONNECT"]
        assert all(b"Authorization" not in request for request in proxy.requests)


def test_hosts_in_no_proxy_are_gone_to_directly(environment: pytest.MonkeyPatch) -> None:
    with FakeConnect() as fake, RawServer(forward) as proxy:
        environment.setenv("HTTP_PROXY", proxy.origin)
        environment.setenv("http_proxy", proxy.origin)
        environment.setenv("NO_PROXY", "127.0.0.1,norce.example")
        with ConnectClient(fake.url, auth=fake.client_credentials) as client:
            client.send_order_status(UPDATE)
        assert (fake.messages, proxy.connection_count) == ([UPDATE], 0)


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
def test_a_proxy_that_gives_no_tunnel_makes_norce_unreachable(
    status: str, fake: FakeConnect, environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with RawServer(lambda caller: caller.answer(http_reply(status))) as proxy:
        environment.setenv("https_proxy", proxy.origin.replace("//", f"//nobody:{PASSWORD.encode().hex()}@"))
        error = failure_of(fake)
        assert type(error) is Unreachable
        assert_silent(error, caplog, PASSWORD.encode().hex())
        tokens = ClientCredentials(fake.token_url, "1042", PASSWORD, "prod")
        with ConnectClient("http://127.0.0.1:1/", auth=tokens) as client, pytest.raises(Unreachable):
            client.send_order_status(UPDATE)


def test_a_proxy_that_is_down_makes_norce_unreachable(fake: FakeConnect, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("https_proxy", "http://127.0.0.1:1")
    assert type(failure_of(fake)) is Unreachable
