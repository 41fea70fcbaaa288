"""gunicorn's threaded worker, made discreet: what it cannot read as HTTP it neither logs nor sends back.

When Content-Length is smaller than the body, the rest of an order arrives where a request line should be, and gunicorn
quotes that line in its log and in its answer.
It also leaves once only: Ctrl-C reaches a worker from the terminal and again from the master.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException, UnsupportedTransferCoding
from gunicorn.util import write_error
from gunicorn.workers.gthread import ThreadWorker

from receiver import logs

_STATUSES: dict[type[Exception], tuple[int, str]] = {
    LimitRequestLine: (414, "URI Too Long"),
    LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    UnsupportedTransferCoding: (501, "Not Implemented"),
}


class DiscreetWorker(ThreadWorker):  # type: ignore[misc]
    """Answers what is no HTTP with a bare status, and is told to quit once."""

    _is_quitting = False

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Leave at once; a second signal must not interrupt the first, which may hold the thread pool's lock."""
        if not self._is_quitting:
            self._is_quitting = True
            super().handle_quit(sig, frame)

    def handle_error(self, req: object, client: Any, addr: tuple[str, int] | None, exc: Exception) -> None:  # noqa: ARG002
        """Log the kind of error and answer without a word of the request; gunicorn closes the connection."""
        if isinstance(exc, ParseException):
            status, reason = _STATUSES.get(type(exc), (400, "Bad Request"))
            logs.note(logs.REQUEST_UNREADABLE, cause=type(exc).__name__, received_from=addr[0] if addr else None)
        else:
            status, reason = 500, "Internal Server Error"
            logs.failure(logs.REQUEST_FAILED)
        try:
            write_error(client, status, reason, "")
        except OSError:
            return  # Whoever sent it has gone.
