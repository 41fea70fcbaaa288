"""Basic authentication, checked before any of the body is read.

.NET never sends credentials with its first call: it waits for a 401 with a challenge and repeats the POST (some
versions send a HEAD first). A 401 is therefore part of every first order and no reason for alarm.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from receiver.http.answers import Answer, plain

CHALLENGE = ("WWW-Authenticate", 'Basic realm="orders", charset="UTF-8"')


class Gatekeeper:
    """Knows the valid credentials as digests, so that comparing takes the same time whatever was presented."""

    def __init__(self, username: str | None, passwords: Sequence[str]) -> None:
        """Without a username everyone may pass; settings allow that only when told to explicitly."""
        self._is_open = username is None
        # .NET Framework encodes credentials in the ANSI code page, newer clients in UTF-8.
        self._valid = [
            _digest(credentials)
            for password in passwords
            for charset in ("utf-8", "cp1252")
            if (credentials := _encoded(f"{username}:{password}", charset)) is not None
        ]

    def admits(self, authorization: str | None) -> bool:
        """Whether an Authorization header carries the username and one of the passwords.

        The presented bytes are compared whole: the username holds no colon, so equality means that the first colon
        splits both alike, and a password may contain more of them.
        """
        if self._is_open:
            return True
        presented = _digest(_basic_credentials(authorization))
        matches = [hmac.compare_digest(presented, valid) for valid in self._valid]
        return any(matches)


def unauthorized() -> Answer:
    """401 with the challenge that makes .NET repeat the call with its credentials."""
    return plain("401 Unauthorized", "Basic authentication is required.", CHALLENGE)


def _basic_credentials(authorization: str | None) -> bytes:
    scheme, _, encoded = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _digest(credentials: bytes) -> bytes:
    return hashlib.sha256(credentials).digest()


def _encoded(text: str, charset: str) -> bytes | None:
    try:
        return text.encode(charset)
    except UnicodeEncodeError:
        return None
