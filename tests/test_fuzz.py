"""Broken orders nobody thought of: captured and kept requests, mutated by Hypothesis, through the real application.

The same examples every time; PROVE_SECONDS tries others, a hundred for each second.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from lxml import etree
from pydantic import SecretStr
from sqlalchemy import create_engine

from receiver import logs
from receiver.bootstrap import build_app
from receiver.http.app import ReceiverApp
from receiver.settings import Settings
from receiver.storage import tables
from receiver.storage.migrate import migrate
from receiver.storage.packing import Packing
from tests.cases import cases
from tests.databases import rows_of
from tests.servers import PASSWORD, SERVICE, USERNAME
from tests.wire import basic

SEEDS = [case.body for case in cases("valid") if 0 < len(case.body) < 20_000]
PROVE_SECONDS = int(os.environ.get("PROVE_SECONDS", "0"))
EXAMPLES = PROVE_SECONDS * 100 or 300
SPLICES = [
    b"<", b">", b"&", b"]]>", b"<![CDATA[", b"<!--", b"<!DOCTYPE a>", b"&#0;", b"&#xD800;", b"&lt;", b'" x="', b"\0",
    b"\xff", b"\xef\xbb\xbf", b"xmlns=''", b" i:nil='true'", b"<a/>", b"</request>", b"</s:Body>", b"1e9999", b"NaN",
    b"-0", b"9" * 400, b"\xe2\x80\xae", b"<?p?>", b"0001-01-01T00:00:00", b"true", b"A" * 5_000,
]  # fmt: skip

Edit = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Receiver:
    """The application on an SQLite database of its own."""

    app: ReceiverApp
    database_url: str

    def answer_to(self, body: bytes) -> tuple[str, bytes]:
        """Status and body of the answer to a request with right credentials."""
        statuses: list[str] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": SERVICE,
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": "text/xml; charset=utf-8",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_AUTHORIZATION": basic(USERNAME, PASSWORD),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
        }
        parts = self.app(environ, lambda status, *_: statuses.append(status))  # type: ignore[arg-type]
        return statuses[0], b"".join(parts)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    url = f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'orders.db'}"
    migrate(create_engine(url))
    logs.configure()
    chosen = Settings(_env_file=None, database_url=url, username=USERNAME, password=SecretStr(PASSWORD))
    app = build_app(chosen)
    yield Receiver(app, url)
    app.units.close()


@some.composite
def edits(draw: some.DrawFn) -> Edit:
    """One change at one place: a byte turned, a piece put in, taken out, doubled or moved."""
    at, length = draw(some.floats(0, 1)), draw(some.integers(1, 400))
    piece = draw(some.sampled_from(SPLICES) | some.binary(min_size=1, max_size=8))
    kind = draw(some.sampled_from(["turn", "put", "take", "double", "cut"]))

    def edit(body: bytes) -> bytes:
        place = int(at * len(body))
        before, after = body[:place], body[place:]
        match kind:
            case "turn":
                return before + bytes(255 - byte for byte in after[:1]) + after[1:]
            case "put":
                return before + piece + after
            case "take":
                return before + after[length:]
            case "double":
                return before + after[:length] + after
            case _:
                return before

    return edit


@settings(
    max_examples=EXAMPLES,
    derandomize=not PROVE_SECONDS,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=some.sampled_from(SEEDS), changes=some.lists(edits(), min_size=1, max_size=4))
def test_whatever_comes_is_answered_and_nothing_is_acknowledged_that_is_not_kept(
    receiver: Receiver, body: bytes, changes: list[Edit]
) -> None:
    for change in changes:
        body = change(body)
    status, answer = receiver.answer_to(body)
    assert status in {"200 OK", "500 Internal Server Error"}
    root = etree.fromstring(answer)
    assert b"internal error" not in answer
    if root.findtext(".//{*}StatusCode") == "OK":
        newest = max(rows_of(receiver.database_url, tables.order_history), key=lambda row: int(row["id"]))
        kept = {"order_id": newest["order_id"], "revision": newest["revision"]}
        (payload,) = rows_of(receiver.database_url, tables.order_payloads, **kept)
        # Who repeats an order may write it in another way.
        assert newest["event"] == "repeated" or Packing().unpack(payload["payload"]) == body


def test_the_seeds_are_orders_that_are_taken(receiver: Receiver) -> None:
    taken = [b">OK<" in receiver.answer_to(body)[1] for body in SEEDS]
    assert sum(taken) > len(SEEDS) // 2
