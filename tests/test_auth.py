"""Who may post: basic authentication as .NET does it, before any of the body is read."""

from __future__ import annotations

import io
from collections.abc import Callable
from wsgiref.validate import validator

import pytest

from receiver.bootstrap import build_app
from receiver.settings import read_settings
from tests.order_xml import order_xml
from tests.servers import SERVICE
from tests.wire import basic

Ask = Callable[..., tuple[str, dict[str, str], bytes]]


@pytest.fixture
def ask(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Ask:
    """Builds the application with the given settings and sends it one request, watched by wsgiref's validator."""
    monkeypatch.chdir(str(tmp_path))

    def ask_once(
        method: str, authorization: str | None, body: bytes = b"", **settings: str
    ) -> tuple[str, dict[str, str], bytes]:
        environ = {"RECEIVER_DATABASE_URL": database_url, "RECEIVER_USERNAME": "norce", **settings}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        application = build_app(read_settings())
        try:
            return call(validator(application), method, authorization, body)
        finally:
            application.units.close()

    return ask_once


def call(
    application: Callable[..., object], method: str, authorization: str | None, body: bytes
) -> tuple[str, dict[str, str], bytes]:
    answers: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        answers.append((status, dict(headers)))
        return lambda _: None

    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": SERVICE,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if authorization is not None:
        environ["HTTP_AUTHORIZATION"] = authorization
    parts = application(environ, start_response)
    received = b"".join(parts)  # type: ignore[arg-type]
    parts.close()  # type: ignore[attr-defined]
    ((status, headers),) = answers
    return status[:3], headers, received


@pytest.mark.parametrize("method", ["POST", "HEAD"])
@pytest.mark.parametrize("authorization", [None, "", "Basic", "Basic ?", "Bearer x", basic("norce", "other")])
def test_without_the_right_credentials_the_answer_is_a_challenge(
    method: str, authorization: str | None, ask: Ask
) -> None:
    status, headers, body = ask(method, authorization, RECEIVER_PASSWORD="hemligt")
    assert status == "401"
    assert headers["WWW-Authenticate"].startswith('Basic realm="')
    assert (method == "HEAD") == (body == b"")


def test_a_head_with_the_right_credentials_is_welcome(ask: Ask) -> None:
    status, _, body = ask("HEAD", basic("norce", "hemligt"), RECEIVER_PASSWORD="hemligt")
    assert (status, body) == ("200", b"")


@pytest.mark.parametrize("charset", ["utf-8", "cp1252"])
@pytest.mark.parametrize("password", ["hemligt", "hem:ligt:", "lösenord €", " "])
def test_the_password_may_hold_colons_and_swedish_letters_in_either_charset(
    charset: str, password: str, ask: Ask
) -> None:
    authorization = basic("norce", password, charset)
    status, _, body = ask("POST", authorization, order_xml("1001"), RECEIVER_PASSWORD=password)
    assert (status, b"<StatusCode>OK<" in body) == ("200", True)


@pytest.mark.parametrize(("password", "status"), [("new", "200"), ("old", "200"), ("older", "401"), ("", "401")])
def test_two_passwords_are_valid_while_they_are_exchanged(password: str, status: str, ask: Ask) -> None:
    both = {"RECEIVER_PASSWORD": "new", "RECEIVER_PREVIOUS_PASSWORD": "old"}
    assert ask("POST", basic("norce", password), order_xml("1001"), **both)[0] == status


def test_the_name_ends_at_the_first_colon(ask: Ask) -> None:
    assert ask("POST", basic("norce:hem", "ligt"), order_xml("1001"), RECEIVER_PASSWORD="hem:ligt")[0] == "200"
    assert ask("POST", basic("norce", "ligt"), order_xml("1001"), RECEIVER_PASSWORD="hem:ligt")[0] == "401"


def test_an_open_receiver_asks_nobody(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"RECEIVER_USERNAME": "", "RECEIVER_ALLOW_ANONYMOUS": "true"}
    for authorization in (None, basic("any", "one")):
        assert ask("POST", authorization, order_xml("1001"), **settings)[0] == "200"


def test_no_body_is_read_before_the_credentials_are_checked(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unread(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise AssertionError("the body was read")

    for name, value in {"DATABASE_URL": database_url, "USERNAME": "norce", "PASSWORD": "hemligt"}.items():
        monkeypatch.setenv(f"RECEIVER_{name}", value)
    application = build_app(read_settings())
    status, _, _ = call(
        lambda environ, start: _closable(application(environ | {"wsgi.input": Unread()}, start)), "POST", None, b"x" * 9
    )
    application.units.close()
    assert status == "401"


def _closable(parts: object) -> io.BytesIO:
    return io.BytesIO(b"".join(parts))  # type: ignore[arg-type]
