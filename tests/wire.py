"""One HTTP exchange over a plain socket: exact bytes out, the whole answer back.

No HTTP library in between, because the cases are about bytes that such a library would mend or refuse to send.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import time
from dataclasses import dataclass

BLANK_LINE = b"\r\n\r\n"
CONTINUE_WAIT_S = 0.35
"""How long .NET waits for `100 Continue` before it sends the body anyway."""


@dataclass(frozen=True)
class HttpAnswer:
    """A whole answer; `interim` holds the 1xx statuses that came before it."""

    status: int
    headers: dict[str, str]
    body: bytes
    interim: tuple[int, ...]
    seconds: float

    @property
    def text(self) -> str:
        """The body as text; every answer is UTF-8."""
        return self.body.decode("utf-8")


def exchange(address: tuple[str, int], request: bytes, *, half_close: bool = False, wait_s: float = 15) -> HttpAnswer:
    """Send the request and read the answer to its end.

    A head that says `Expect: 100-continue` goes first, and the body follows as .NET would send it. `half_close` ends
    our side of the connection after the last byte, as a caller that dies does.
    """
    with socket.create_connection(address, timeout=wait_s) as connection:
        started = time.perf_counter()
        reader = _Reader(connection, is_head=request.startswith(b"HEAD "))
        head, blank_line, body = request.partition(BLANK_LINE)
        # A server may answer and close before it has read everything.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if b"expect: 100-continue" in head.lower():
                connection.sendall(head + blank_line)
                reader.wait_for_continue()
                connection.sendall(body)
            else:
                connection.sendall(request)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        return reader.answer(started)


class _Reader:
    def __init__(self, connection: socket.socket, *, is_head: bool) -> None:
        self._connection = connection
        self._is_head = is_head
        self._buffer = b""
        self._interim: list[int] = []

    def wait_for_continue(self) -> None:
        patience = self._connection.gettimeout()
        self._connection.settimeout(CONTINUE_WAIT_S)
        with contextlib.suppress(TimeoutError):
            self._receive()
        self._connection.settimeout(patience)

    def answer(self, started: float) -> HttpAnswer:
        status, headers = self._head()
        while status < 200:
            self._interim.append(status)
            status, headers = self._head()
        body = b"" if self._is_head else self._body(headers)
        return HttpAnswer(status, headers, body, tuple(self._interim), time.perf_counter() - started)

    def _head(self) -> tuple[int, dict[str, str]]:
        while BLANK_LINE not in self._buffer:
            if not self._receive():
                raise ConnectionError(f"the server closed the connection after {self._buffer!r}")
        head, _, self._buffer = self._buffer.partition(BLANK_LINE)
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        return int(first.split()[1]), {name.strip().lower(): value.strip() for name, value in pairs}

    def _body(self, headers: dict[str, str]) -> bytes:
        length = int(headers["content-length"])
        while len(self._buffer) < length:
            if not self._receive():
                raise ConnectionError(f"the answer has {len(self._buffer)} of {length} bytes")
        return self._buffer[:length]

    def _receive(self) -> bool:
        received = self._connection.recv(65536)
        self._buffer += received
        return bool(received)


def basic(username: str, password: str, charset: str = "utf-8") -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode(charset)).decode()


def dechunked(body: bytes) -> bytes:
    """What a chunked body carries, as far as it goes."""
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        parts.append(rest[:length])
        body = rest[length + 2 :] if length else b""
    return b"".join(parts)
