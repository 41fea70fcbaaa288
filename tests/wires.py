"""A wire to the broker of the tests, which can be cut, made silent, or wrapped in TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tests.brokers import URL, Broker


class Wire:
    """Passes bytes on, both ways, for any number of connections.

    `cut_next_answer` hangs up when the broker next speaks, `hold_answers` swallows what it says, and it says no more
    than the first `answers_let_through` bytes.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.cut_next_answer, self.hold_answers = threading.Event(), threading.Event()
        self.answers_let_through = 1 << 60
        self._tls = tls
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._run(self._accept)

    def way(self, broker: Broker) -> str:
        """The setting that leads to the broker over this wire."""
        parts = urlsplit(broker.way)
        user, _, _ = parts.netloc.rpartition("@")
        scheme = "amqps" if self._tls else "amqp"
        port = self._listening.getsockname()[1]
        return broker.way.replace(f"{parts.scheme}://{parts.netloc}", f"{scheme}://{user}@127.0.0.1:{port}")

    def cut(self) -> None:
        """Hang up on both sides of every connection, and return when nobody uses them."""
        sockets, self._sockets = self._sockets, []
        for each in sockets:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
        pumps = [thread for thread in self._threads[1:] if thread is not threading.current_thread()]
        for thread in pumps:
            thread.join(5)
        for each in sockets:
            each.close()

    def close(self) -> None:
        """Cut, and take no more connections."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(5)
        self._listening.close()
        self.cut()

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self._sockets.append(near)
                with suppress(ssl.SSLError):
                    self._join_to_broker(near)

    def _join_to_broker(self, near: socket.socket) -> None:
        if self._tls is not None:
            self._sockets.remove(near)
            near = self._tls.wrap_socket(near, server_side=True)
            self._sockets.append(near)
        parts = urlsplit(URL)
        far = socket.create_connection((parts.hostname, parts.port or 5672))
        self._sockets.append(far)
        self._run(self._pump, near, far, False)
        self._run(self._pump, far, near, True)

    def _pump(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(65536):
                passed += len(data)
                if is_answer and self.cut_next_answer.is_set():
                    break
                if is_answer and (self.hold_answers.is_set() or passed > self.answers_let_through):
                    continue
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)


@contextmanager
def some_wire(*, tls: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """A wire, cut at the end."""
    wire = Wire(tls)
    try:
        yield wire
    finally:
        wire.close()
