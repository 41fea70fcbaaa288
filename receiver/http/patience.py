"""A worker whose slow and silent callers wait in its poller and cost it no thread.

gunicorn's threaded worker gives every new connection a thread: for five seconds until its first byte, then for as long
as the rest of the head takes, and it lingers on what it closes in the loop that all others depend on. A dozen callers
without credentials would stop a receiver for as long as they like (tests/acceptance/test_slow_callers.py).
"""

from __future__ import annotations

import io
import socket
import struct
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from gunicorn.workers.gthread import _DEFER

from receiver.http.arrival import ARRIVAL, Arrival, Awaited, awaited, once_continued
from receiver.http.worker import DiscreetWorker

LONGEST_HEAD_S = 10.0
"""Time for a request's head."""

BODY_GRACE_S = 0.5
"""Time for a body before a thread takes it on, where it then needs a place among the slow ones."""

_LINGER_S = 2.0
"""How long a connection we close may go on sending: to close at once could cost it our answer (RFC 9112, 9.6)."""

_DRAIN_S = 0.01
"""A body that nobody read is mostly here already and is dropped in this time; else the connection is closed."""

_STUCK_S = 10
"""The kernel ends a thread's wait for a caller that does not take its answer."""

_LOOK_EVERY_S = 0.1
_STEP = 64 * 1024


@dataclass(slots=True)
class _Wait:
    """What is known of one connection; `until` is when its wait in the poller ends."""

    queued_at: float = 0.0
    began_at: float | None = None
    head_came_at: float | None = None
    until: float = 0.0
    is_leaving: bool = False


class PatientWorker(DiscreetWorker):
    """Gives a thread to requests that are here, and to a few whose bodies are slow."""

    _looked_at = 0.0

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection that may be readable to the threads, and note when; runs in the loop."""
        if not hasattr(conn, "wait"):
            conn.wait = _Wait()
            for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
                conn.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", _STUCK_S, 0))
        conn.wait.queued_at = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> object:
        """Answer a request that is here, else send its connection back to the loop; runs in a thread."""
        wait: _Wait = conn.wait
        if wait.is_leaving:
            return self._drained(conn)
        if not self._is_here(conn):
            return _DEFER if self.alive and time.monotonic() < wait.until else self._leaving(conn)
        is_slow = wait.head_came_at is not None and time.monotonic() - wait.head_came_at >= BODY_GRACE_S
        ARRIVAL.set(Arrival(wait.queued_at, is_slow=is_slow))
        wait.began_at = wait.head_came_at = None
        return super().handle(conn) or self._leaving(conn)

    def finish_request(self, conn: Any, fs: Future[object]) -> None:
        """As gunicorn does, but how long a connection waits in the poller is for us to say; runs in the loop."""
        super().finish_request(conn, fs)
        if self.pending_conns and self.pending_conns[-1] is conn:
            conn.timeout = conn.wait.until

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Turn the loop in time for those who wait in the poller."""
        super().wait_for_and_dispatch_events(min(timeout, _LOOK_EVERY_S) if self.pending_conns else timeout)

    def murder_pending(self) -> None:
        """Take those from the poller who have waited long enough; the loop calls this at its every turn."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = now
        for conn in [each for each in self.pending_conns if each.timeout <= now]:
            self.pending_conns.remove(conn)
            self.poller.unregister(conn.sock)
            if conn.wait.head_came_at is not None and not conn.wait.is_leaving:
                self.enqueue_req(conn)
            else:
                self.nr_conns -= 1
                conn.close()

    def _is_here(self, conn: Any) -> bool:
        """Whether a thread may go on with the connection: its request is whole, or its body is late."""
        conn.init()
        buffer = conn.parser.unreader.buf
        try:
            came = conn.sock.recv(_STEP, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        except OSError:
            return True
        else:
            buffer.seek(0, io.SEEK_END)
            buffer.write(came)
            # That nothing more comes, and that a head is too large, is for gunicorn to find.
            if not came or buffer.tell() > self._longest_head() + _STEP:
                return True
        return self._is_enough(self._awaited(conn), conn.wait)

    def _awaited(self, conn: Any) -> Awaited:
        """What is still to come, after the caller was told to go on who waits for that."""
        unreader = conn.parser.unreader
        held: bytes = unreader.buf.getvalue()
        continued = once_continued(held)
        if continued is None or awaited(continued) is not Awaited.BODY:
            return awaited(held)
        # gunicorn says so only when a thread has the request.
        conn.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        unreader.take_buffered()
        unreader.unread(continued)
        return Awaited.BODY

    def _is_enough(self, still: Awaited, wait: _Wait) -> bool:
        now = time.monotonic()
        wait.began_at = wait.began_at or now
        if still is Awaited.HEAD:
            wait.until = wait.began_at + LONGEST_HEAD_S
            return False
        if still is Awaited.NOTHING:
            return True
        wait.head_came_at = wait.head_came_at or now
        wait.until = wait.head_came_at + BODY_GRACE_S
        return now >= wait.until

    def _longest_head(self) -> int:
        fields: int = self.cfg.limit_request_fields * (self.cfg.limit_request_field_size + 2)
        return fields + int(self.cfg.limit_request_line)

    def _leaving(self, conn: Any) -> object:
        """Say that we are done, and let the poller wait until the caller is; gunicorn would wait in its loop."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        conn.wait.is_leaving = True
        conn.wait.until = time.monotonic() + _LINGER_S
        return self._drained(conn)

    def _drained(self, conn: Any) -> object:
        try:
            is_over = not conn.sock.recv(_STEP, socket.MSG_DONTWAIT)
        except BlockingIOError:
            is_over = False
        except OSError:
            is_over = True
        return False if is_over or not self.alive else _DEFER

    def _keepalive_after(self, conn: Any, keepalive: object) -> bool:
        return bool(keepalive and conn.parser.finish_body(deadline=time.monotonic() + _DRAIN_S))
