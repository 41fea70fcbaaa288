"""How far a request is and since when it waits, told by the worker to the application that answers it.

Nothing else can tell: by the time the application runs, the request may have waited for its thread, and its body may
have been given time already.
"""

from __future__ import annotations

import re
import time
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum

BLANK_LINE = b"\r\n\r\n"

AWAITED_BODY = 64 * 1024
"""Of a longer body no more is awaited before a thread reads the rest: connections without credentials wait here too."""

_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\nTransfer-Encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nExpect:", re.IGNORECASE)
_EXPECTS_CONTINUE = re.compile(rb"\r\nExpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a request was handed to the worker's threads, and whether its body was late by then."""

    at: float
    is_slow: bool = False

    @property
    def waited_s(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.at


ARRIVAL: ContextVar[Arrival] = ContextVar("arrival")
"""Of the request that this thread answers."""


def arrival() -> Arrival:
    """Of the request that this thread answers; where no worker has told, it has just come."""
    return ARRIVAL.get(None) or Arrival(time.monotonic())


class Awaited(Enum):
    """What of a request is still on its way."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"


def awaited(held: bytes) -> Awaited:
    """What to wait for when these bytes of a request are here.

    A guess by the looks of the head: whoever then reads the request decides what it is.
    """
    # An empty line before a request is none of its own (RFC 9112, 2.2).
    head, blank_line, body = held.lstrip(b"\r\n").partition(BLANK_LINE)
    if not blank_line:
        return Awaited.HEAD
    return Awaited.NOTHING if _is_enough(head + b"\r\n", body) else Awaited.BODY


def once_continued(held: bytes) -> bytes | None:
    """A request without its `Expect: 100-continue`, as it is once that has been answered; None if it has none."""
    head, blank_line, body = held.partition(BLANK_LINE)
    if not _EXPECTS.search(head) or not head.partition(b"\r\n")[0].endswith(b" HTTP/1.1"):
        return None
    shorter, count = _EXPECTS_CONTINUE.subn(b"", head + b"\r\n")
    return shorter.removesuffix(b"\r\n") + blank_line + body if count else None


def _is_enough(head: bytes, body: bytes) -> bool:
    if len(body) >= AWAITED_BODY or _EXPECTS.search(head):
        return True
    if _CHUNKED.search(head):
        return body.endswith(b"0\r\n\r\n")
    length = _LENGTH.search(head)
    return length is None or len(body) >= min(int(length[1]), AWAITED_BODY)
