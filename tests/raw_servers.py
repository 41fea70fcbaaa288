"""Servers on bare sockets that do exactly what a test says, for what no HTTP library would send."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from connect_client import BasicAuth, ConnectClient, OrderStatus, OrderStatusUpdate, Timeouts
from tests.wire import BLANK_LINE

PERSONAL = "Åsa-Öberg-191212121212"
"""A value of the message that no error and no log line may show."""
PASSWORD = "hemligt-lösenord"
REPLIED = "Svar-till-Åsa"
"""Stands in the bodies of replies; no error and no log line may show it either."""
UPDATE = OrderStatusUpdate(client_order_ref=1, status=OrderStatus.DELIVERED, infos={"Note": PERSONAL})


class Caller:
    """One connection, seen by the server."""

    def __init__(self, connection: socket.socket, heard: list[bytes], is_over: threading.Event) -> None:
        self.connection = connection
        self.is_over = is_over
        self._heard = heard
        self._buffer = b""

    def request(self) -> bytes:
        """The next request, whole and noted by the server; empty at the end of the connection."""
        while BLANK_LINE not in self._buffer:
            if not self._receive():
                return b""
        head, _, rest = self._buffer.partition(BLANK_LINE)
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        while len(rest) < length:
            if not self._receive():
                return b""
            rest = self._buffer.partition(BLANK_LINE)[2]
        self._buffer = rest[length:]
        whole = head + BLANK_LINE + rest[:length]
        self._heard.append(whole)
        return whole

    def answer(self, reply: bytes) -> None:
        """Read the next request and send these bytes."""
        self.request()
        self.connection.sendall(reply)

    def drip(self, content: bytes, *, every_seconds: float) -> None:
        """Send a byte at a time until the test is over."""
        for position in range(len(content)):
            if self.is_over.wait(every_seconds):
                return
            self.connection.sendall(content[position : position + 1])

    def _receive(self) -> bool:
        received = self.connection.recv(65536)
        self._buffer += received
        return bool(received)


class RawServer:
    """Runs the script for each connection in a thread of its own, and closes the connection after it."""

    def __init__(self, script: Callable[[Caller], None]) -> None:
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._is_over = threading.Event()
        self.requests: list[bytes] = []
        self.address: tuple[str, int] = self._listening.getsockname()
        self.origin = f"http://127.0.0.1:{self.address[1]}"
        self.url = f"{self.origin}/OrderService.svc"

    @property
    def connection_count(self) -> int:
        """How many connections were opened."""
        return len(self._threads)

    def __enter__(self) -> Self:
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listening.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._open.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        # A client that hangs up is what some tests are about.
        with connection, contextlib.suppress(OSError):
            self._script(Caller(connection, self.requests, self._is_over))


def replying(reply: bytes) -> RawServer:
    """Answers one request on each connection with these bytes, then closes it."""
    return RawServer(lambda caller: caller.answer(reply))


def client_of(url: str, *, connect: float = 2.0, read: float = 2.0, max_reply_bytes: int = 1_000_000) -> ConnectClient:
    """A client with the password that no text may show, and timeouts short enough for tests."""
    timeouts = Timeouts(connect, read)
    return ConnectClient(url, auth=BasicAuth("1042", PASSWORD), timeouts=timeouts, max_reply_bytes=max_reply_bytes)


def http_reply(status: str, body: bytes = b"", content_type: str = "text/xml; charset=utf-8", **headers: str) -> bytes:
    """A reply with its length; underscores in keywords become dashes."""
    named = {"Content-Type": content_type, "Content-Length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body
