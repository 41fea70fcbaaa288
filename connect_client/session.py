"""How a connection is made: timeouts, trust and proxies, and one requests session for each thread.

Sessions are neither shared between threads nor between processes: a client made before a fork opens new ones after it.
"""

from __future__ import annotations

import functools
import http.client
import io
import os
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

_LONGEST_IDLE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: `connect` until a connection stands, `read` until the whole answer is there."""

    connect: float = 10.0
    read: float = 60.0

    def __post_init__(self) -> None:
        if not (0 < self.connect < float("inf") and 0 < self.read < float("inf")):
            raise ValueError("timeouts must be positive numbers of seconds; waiting for ever is not offered")

    def as_pair(self) -> tuple[float, float]:
        """As requests wants them."""
        return self.connect, self.read


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust and how to be trusted: PEM files. Without `ca_file`, REQUESTS_CA_BUNDLE, else certifi's list."""

    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None

    def __post_init__(self) -> None:
        if self.key_file and not self.certificate_file:
            raise ValueError("a key_file needs its certificate_file")
        for file in (self.ca_file, self.certificate_file, self.key_file):
            if file is not None and not Path(file).is_file():
                raise ValueError(f"there is no file {file}")


class _Seat(threading.local):
    """What belongs to one thread."""

    session: requests.Session | None = None
    process: int = 0
    used_at: float = 0.0


class Connection:
    """Where the calls go and how. Raises ValueError for an address that would give the credentials away."""

    def __init__(self, url: str, *, timeouts: Timeouts, tls: Tls, allow_plain_http: bool) -> None:
        self.url = url
        self.timeouts = timeouts
        self._tls = tls
        self._allow_plain_http = allow_plain_http
        _check(url, allow_plain_http=allow_plain_http)
        self._seat = _Seat()
        self._lock = threading.Lock()
        self._opened: weakref.WeakSet[requests.Session] = weakref.WeakSet()

    def elsewhere(self, url: str) -> Connection:
        """The same trust and timeouts towards another address."""
        return Connection(url, timeouts=self.timeouts, tls=self._tls, allow_plain_http=self._allow_plain_http)

    def session(self) -> requests.Session:
        """This thread's session. One that was idle for long starts anew.

        A server closes idle connections, and a call that meets that moment has an unknown outcome; for an invoice
        that is a person's work.
        """
        seat, now = self._seat, time.monotonic()
        if seat.session is None or seat.process != os.getpid():
            seat.session, seat.process = self._opened_session(), os.getpid()
        elif now - seat.used_at > _LONGEST_IDLE_SECONDS:
            seat.session.close()
        return seat.session

    def was_used(self) -> None:
        """Starts this thread's idle time."""
        self._seat.used_at = time.monotonic()

    def close(self) -> None:
        """Close what all threads have open; a later call opens it again."""
        with self._lock:
            for session in list(self._opened):
                session.close()

    @contextmanager
    def prepared(self, session: requests.Session) -> Iterator[requests.Session]:
        """A session of another library with our trust and proxies, closed at the end."""
        with session:
            self._prepare(session)
            yield session

    def _opened_session(self) -> requests.Session:
        session = requests.Session()
        self._prepare(session)
        with self._lock:
            self._opened.add(session)
        return session

    def _prepare(self, session: requests.Session) -> None:
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Adapter(pool_connections=1, pool_maxsize=1, max_retries=0))
        # The environment is read once here and not for every call; and never for credentials (netrc).
        session.trust_env = False
        session.proxies.update(get_environ_proxies(self.url))
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        session.verify = self._tls.ca_file or bundle or True
        certificate, key = self._tls.certificate_file, self._tls.key_file
        session.cert = (certificate, key) if certificate and key else certificate


def retry_after_seconds(response: requests.Response) -> float | None:
    """How long an answer asks to wait: its Retry-After header holds seconds or a date (RFC 9110, 10.2.3)."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)


class _Adapter(HTTPAdapter):
    """Keeps the read timeout for the whole of an answer, where requests allows it for each piece that arrives."""

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        super().init_poolmanager(*args, **settings)
        _keep_time(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **settings)
        if is_new:
            _keep_time(manager)
        return manager


def _keep_time(manager: Any) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _keeping_time(pool) for scheme, pool in pools.items()}


@functools.cache
def _keeping_time(pool: Any) -> type:
    """A pool whose connections are ours; made once per process, whatever the number of sessions."""
    way = type("_OurWay", (_Way, pool.ConnectionCls), {"response_class": _Answer})
    return type("_OurPool", (pool,), {"ConnectionCls": way})


class _Way:
    """What our connections do otherwise than urllib3's."""

    sock: socket.socket

    def send(self, data: Any) -> None:
        try:
            super().send(data)  # type: ignore[misc]
        except ssl.SSLEOFError:
            # TLS 1.3 refuses a client after the handshake: why, stands in an alert that nobody has read yet.
            self.sock.recv(1)
            raise


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **settings: Any) -> None:
        super().__init__(sock, *args, **settings)
        self.fp = io.BufferedReader(_Arriving(self.fp.detach(), sock))


class _Arriving(io.RawIOBase):
    """The bytes of one answer; when the socket's timeout has passed since the first wait, it stops waiting."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket) -> None:
        self._stream, self._socket = stream, sock
        self._timeout = sock.gettimeout()
        self._ends_at = time.monotonic() + (self._timeout or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        remaining = self._ends_at - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the answer did not end in time")
        self._socket.settimeout(remaining)
        try:
            return self._stream.readinto(buffer)
        finally:
            self._socket.settimeout(self._timeout)

    def close(self) -> None:
        # The connection stays open for as long as this is.
        self._stream.close()
        super().close()


def _check(url: str, *, allow_plain_http: bool) -> None:
    parts = urlsplit(url)
    _ = parts.port  # a ValueError of its own for what is no port
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address must be an https:// URL with a host")
    if parts.username or parts.password:
        raise ValueError("the address must not hold credentials; give them as auth")
    if parts.scheme == "http" and not (allow_plain_http or _is_loopback(parts.hostname)):
        raise ValueError("http:// would send the credentials in the clear; use https://, or say allow_plain_http=True")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
