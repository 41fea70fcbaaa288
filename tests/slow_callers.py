"""Many connections that drip a request, byte by byte, from one thread; whoever is cut off comes again."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

HOW_MANY = 200
_EVERY_S = 1.0


class Drippers:
    """So many connections to an address, each with a request that never becomes whole."""

    def __init__(self, address: tuple[str, int], at_once: bytes, *, count: int = HOW_MANY) -> None:
        self._address, self._at_once, self._count = address, at_once, count
        self._open: list[socket.socket] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._drip)
        self.cut_off = 0
        """How often one of them was answered or closed."""

    def __enter__(self) -> Drippers:
        self._open = [self._connected() for _ in range(self._count)]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        for connection in self._open:
            connection.close()

    def _connected(self) -> socket.socket:
        connection = socket.create_connection(self._address, timeout=10)
        connection.sendall(self._at_once)
        connection.setblocking(False)
        return connection

    def _drip(self) -> None:
        while not self._is_over.wait(_EVERY_S):
            self._open = [connection if self._dripped(connection) else self._again() for connection in self._open]

    def _dripped(self, connection: socket.socket) -> bool:
        """Send one byte more, unless the other side has answered or gone."""
        with suppress(OSError):
            try:
                connection.recv(65536)
            except BlockingIOError:
                with suppress(BlockingIOError):
                    connection.send(b"x")
                return True
        connection.close()
        return False

    def _again(self) -> socket.socket:
        self.cut_off += 1
        return self._connected()
