"""A TCP proxy before a PostgreSQL that can fall silent: both sides stay connected, nothing gets through."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, make_url

COMMIT = b"COMMIT\0"


class Blackhole:
    """Hands on what it gets until told to keep it; `url` leads through it to the given database."""

    def __init__(self, url: str) -> None:
        self._behind = make_url(url)
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        query = {name: value for name, value in self._behind.query.items() if name != "host"}
        through: URL = self._behind.set(host="127.0.0.1", port=port, query=query)
        self.url = through.render_as_string(hide_password=False)
        self.answers_get_through = threading.Event()
        self.answers_get_through.set()
        self.is_silent = threading.Event()
        self.falls_silent_at_commit = False
        """Let the next COMMIT reach the database, and its answer no more."""
        self.commits = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.speak()
        for each in [self._listening, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for each in [self._listening, *self._open]:
            each.close()

    def fall_silent(self) -> None:
        """Keep what comes from now on; new connections are accepted, and that is all."""
        self.is_silent.set()
        self.answers_get_through.clear()

    def speak(self) -> None:
        """Hand on again, first what was kept."""
        self.falls_silent_at_commit = False
        self.is_silent.clear()
        self.answers_get_through.set()

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = self._connected()
                self._open += [client, server]
                self._run(self._questions, client, server)
                self._run(self._answers, client, server)

    def _connected(self) -> socket.socket:
        # libpq takes a folder for a host: the socket in it.
        host = str(self._behind.query.get("host") or self._behind.host or "127.0.0.1")
        port = self._behind.port or 5432
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(Path(host) / f".s.PGSQL.{port}"))
        return connection

    def _questions(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while came := client.recv(65536):
                if COMMIT in came:
                    self.commits += 1
                    if self.falls_silent_at_commit:
                        self.answers_get_through.clear()
                        server.sendall(came)
                        self.is_silent.set()
                        continue
                if self.is_silent.is_set():
                    self.answers_get_through.wait()
                server.sendall(came)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _answers(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while came := server.recv(65536):
                self.answers_get_through.wait()
                client.sendall(came)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
