"""Reads a request body whole: within its size limit, complete, and from a caller that keeps sending.

The body is only read after authentication and after the head has passed the gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import TYPE_CHECKING

from gunicorn.http.errors import ParseException

from receiver.errors import RequestRefused
from receiver.http.arrival import arrival
from receiver.http.deadline import BodyDeadline

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

SILENCE_S = 20.0
"""How long a caller may send nothing in the middle of a body."""

_STEP = 4 * 1024
"""Small, because gunicorn drops what it has of a step when the caller breaks off in the middle of it."""


class BodyTooLarge(RequestRefused):
    """The body is larger than what is read; the rest of it was not."""


class BodyIncomplete(RequestRefused):
    """The caller stopped before the body was whole; `received` is what came."""

    def __init__(self, reason: str, received: bytes) -> None:
        super().__init__(reason)
        self.received = received


def read_body(environ: WSGIEnvironment, *, limit: int, deadline: BodyDeadline) -> bytes:
    """The body, whether it came with Content-Length or in chunks.

    Raises BodyTooLarge when it is larger than `limit` bytes, BodyIncomplete when it ends early, and TryAgainLater when
    it was ended because too many are slow.
    """
    declared = _declared_length(environ)
    if declared is not None and declared > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        connection = environ.get("gunicorn.socket")
        with deadline.over(connection, is_slow=arrival().is_slow), _patience(connection):
            _fill(body, environ["wsgi.input"], limit + 1 if declared is None else declared)
    except (OSError, ParseException) as error:
        what = "stopped" if isinstance(error, OSError) else "is not in well-formed chunks"
        reason = f"the body {what} after {len(body)} bytes; send the request again"
        raise BodyIncomplete(reason, bytes(body)) from error
    if len(body) > limit:
        raise _too_large(limit)
    if declared is not None and len(body) < declared:
        reason = f"the body has {len(body)} bytes where Content-Length says {declared}; send the request again"
        raise BodyIncomplete(reason, bytes(body))
    return bytes(body)


def _declared_length(environ: WSGIEnvironment) -> int | None:
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    text = environ.get("CONTENT_LENGTH") or "0"
    if not text.isascii() or not text.isdigit():
        raise RequestRefused("Content-Length is not a number")
    return int(text)


def _fill(body: bytearray, stream: InputStream, wanted: int) -> None:
    """Read into `body` until it has `wanted` bytes or the caller ends it; what came before an error stays there."""
    while len(body) < wanted:
        part = stream.read(min(_STEP, wanted - len(body)))
        if not part:
            return
        body += part


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {limit} bytes; the limit is RECEIVER_MAX_BODY_BYTES")


@contextmanager
def _patience(connection: socket | None) -> Iterator[None]:
    """Make reads from the caller's socket give up after a silence; gunicorn itself waits for ever."""
    if connection is None:
        yield
        return
    before = connection.gettimeout()
    connection.settimeout(SILENCE_S)
    try:
        yield
    finally:
        connection.settimeout(before)
