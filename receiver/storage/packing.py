"""How requests are stored: compressed, and where there are keys, encrypted under the first of them.

A Fernet token begins with its version, 0x80, which is `gA` in base64; zlib begins with `x`. So every stored request
says itself what it is, and a database may hold both while keys are introduced or changed.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, Engine

from receiver.errors import PayloadUnreadable

ERASED = b""
"""What stands in the place of a request that was erased."""

_OPTION = "receiver_packing"
_TOKEN = b"gA"
_LEVEL = 1
"""zlib's fastest: an order shrinks to a tenth, and higher levels cost more than the bytes they save."""


class Packing:
    """Packs and unpacks with these Fernet keys, the newest first; ValueError for what is no such key."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._fernets = [Fernet(key) for key in keys]

    def pack(self, body: bytes) -> bytes:
        """The body as it is stored: compressed here, so that the database neither receives nor compresses it."""
        packed = zlib.compress(body, _LEVEL)
        return self._fernets[0].encrypt(packed) if self._fernets else packed

    def unpack(self, payload: bytes) -> bytes:
        """The body as it was received; raises PayloadUnreadable for one that was erased, is damaged or has no key."""
        if payload == ERASED:
            raise PayloadUnreadable("the stored request was erased")
        packed = self._decrypted(payload) if payload.startswith(_TOKEN) else payload
        try:
            return zlib.decompress(packed)
        except zlib.error:
            raise PayloadUnreadable("the stored request is damaged") from None

    def is_current(self, payload: bytes) -> bool:
        """Whether the payload is stored as it would be today: under the first key, or open where there is none."""
        if payload == ERASED or not self._fernets:
            return not payload.startswith(_TOKEN)
        return payload.startswith(_TOKEN) and _opened(self._fernets[0], payload) is not None

    def _decrypted(self, payload: bytes) -> bytes:
        for fernet in self._fernets:
            if (packed := _opened(fernet, payload)) is not None:
                return packed
        raise PayloadUnreadable("the stored request is damaged, or its key is not in RECEIVER_PAYLOAD_KEYS")


def use_packing(engine: Engine, packing: Packing) -> None:
    """Let everything that works on this engine pack and unpack in this way."""
    engine.update_execution_options(**{_OPTION: packing})


def packing_of(bind: Connection | Engine) -> Packing:
    """How requests are packed on this connection or engine; without keys where nothing else was said."""
    packing: Packing = bind.get_execution_options().get(_OPTION, _PLAIN)
    return packing


def _opened(fernet: Fernet, token: bytes) -> bytes | None:
    try:
        return fernet.decrypt(token)
    except InvalidToken:
        return None


_PLAIN = Packing()
