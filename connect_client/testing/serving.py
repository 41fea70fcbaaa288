"""The HTTP side of FakeConnect: one thread for each connection, kept alive, on a free port of the loopback."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

from connect_client.testing.behaviours import Acts, ActsThenDrops, Answers, AnswersFault, Behaviour, Drops
from connect_client.testing.soap import Understood, fault

if TYPE_CHECKING:
    from connect_client.testing.fake_connect import FakeConnect


class Server:
    """Listens from the moment it is made, answers between `start` and `stop`."""

    def __init__(self, fake: FakeConnect, ssl_context: ssl.SSLContext | None) -> None:
        self._listening = _Listening(fake)
        self._is_tls = ssl_context is not None
        if ssl_context is not None:
            # The handshake is left to the connection's own thread, so that a stranger cannot hold up the others.
            self._listening.socket = ssl_context.wrap_socket(
                self._listening.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._listening.serve_forever, args=(0.05,), daemon=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._is_tls else 'http'}://127.0.0.1:{self._listening.server_port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End every connection and wait for its thread."""
        self._listening.shutdown()
        self._listening.hang_up()
        self._listening.server_close()


class _Listening(ThreadingHTTPServer):
    # Not daemons: server_close() then waits for them, and no thread outlives the test that made it.
    daemon_threads = False

    def __init__(self, fake: FakeConnect) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up or fail the handshake are what tests are made of."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "FakeConnect"
    # One packet for an answer: two would wait for each other (Nagle and delayed acknowledgement).
    wbufsize = -1
    disable_nagle_algorithm = True

    @property
    def _fake(self) -> FakeConnect:
        return cast(_Listening, self.server).fake

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/identity/1.0/connect/token":
            status, document = self._fake.token(body)
            self._answer(Answers(status, json.dumps(document).encode(), "application/json"))
        elif not self.path.endswith("/OrderService.svc"):
            self._answer(Answers(404))
        else:
            behaviour = self._fake.next_behaviour()
            if self._fake.lets_in(self.headers.get("Authorization")):
                self._behave(behaviour, body)
            else:
                self._answer(Answers(401, headers={"WWW-Authenticate": 'Basic realm="Norce"'}))

    def _behave(self, behaviour: Behaviour, body: bytes) -> None:
        match behaviour:
            case Drops():
                self.close_connection = True
            case Answers():
                self._answer(behaviour)
            case AnswersFault():
                self._answer(fault(behaviour))
            case Acts() | ActsThenDrops():
                self._act(behaviour, body)

    def _act(self, behaviour: Acts | ActsThenDrops, body: bytes) -> None:
        headers = dict(self.headers.items())
        told = self._fake.read(body, headers)
        if isinstance(told, Understood):
            self._fake.record(told, body, headers)
        if isinstance(behaviour, ActsThenDrops):
            self.close_connection = True
            return
        time.sleep(behaviour.after_seconds)
        if isinstance(told, Understood):
            self._answer(told.success)
        else:
            self._answer(fault(told) if isinstance(told, AnswersFault) else told)

    def _answer(self, answer: Answers) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.body:
            self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing: the test says what went wrong."""
