"""What a request still lacks is told by its looks, so that it waits where waiting is cheap."""

from __future__ import annotations

import pytest

from receiver.http.arrival import AWAITED_BODY, Awaited, awaited, once_continued

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
EIGHTEEN_DIGITS = b"Content-Length: 999999999999999999\r\n\r\n"


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (b"", Awaited.HEAD),
        (b"\r\n\r\n", Awaited.HEAD),
        (POST, Awaited.HEAD),
        (POST + b"\r\n", Awaited.NOTHING),
        (b"\r\n" + POST + b"\r\n", Awaited.NOTHING),
        (POST + b"Content-Length: 3\r\n\r\nab", Awaited.BODY),
        (POST + b"content-length:3\r\n\r\nabc", Awaited.NOTHING),
        (POST + b"Content-Length: nonsense\r\n\r\n", Awaited.NOTHING),
        (POST + EIGHTEEN_DIGITS, Awaited.BODY),
        (POST + EIGHTEEN_DIGITS + bytes(AWAITED_BODY), Awaited.NOTHING),
        (POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", Awaited.NOTHING),
        (CHUNKED + b"3\r\nabc\r\n", Awaited.BODY),
        (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", Awaited.NOTHING),
    ],
)
def test_what_is_awaited(held: bytes, expected: Awaited) -> None:
    assert awaited(held) is expected


def test_who_was_told_to_continue_expects_nothing_more() -> None:
    expecting = POST + b"expect: 100-Continue\r\nContent-Length: 3\r\n\r\na"
    assert once_continued(expecting) == POST + b"Content-Length: 3\r\n\r\na"
    assert once_continued(POST + b"Content-Length: 3\r\n\r\nExpect: 100-continue\r\n") is None
    assert once_continued(expecting.replace(b"HTTP/1.1", b"HTTP/1.0")) is None
    assert once_continued(POST + b"Expect: miracles\r\n\r\n") is None
