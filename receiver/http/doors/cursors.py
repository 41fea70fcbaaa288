"""Where a page ended, as an opaque text for the caller to hand back.

The text carries a digest of itself: one that was cut off or mended by hand is noticed, and not taken for another
place. It is no secret, for whoever may page may begin anywhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime

from receiver.storage.order_queries import PageEnd

_DIGEST_BYTES = 6
_LARGEST_ID = 2**63 - 1


def cursor_of(end: PageEnd) -> str:
    """The cursor that continues behind this order."""
    place = f"{end.received_at.astimezone(UTC).isoformat()} {end.order_id}".encode("ascii")
    return base64.urlsafe_b64encode(_digest(place) + place).rstrip(b"=").decode("ascii")


def page_end_of(cursor: str) -> PageEnd | None:
    """The place a cursor stands for; None where it was not made by `cursor_of`."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    digest, place = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if digest != _digest(place):
        return None
    try:
        moment, order_id = place.decode("ascii").split(" ")
        end = PageEnd(datetime.fromisoformat(moment), min(int(order_id), _LARGEST_ID))
        # There is one way to write each place: the last character's spare bits, and foreign writing, are told by it.
        return end if cursor_of(end) == cursor else None
    except (ValueError, OverflowError):
        return None


def _digest(place: bytes) -> bytes:
    return hashlib.sha256(place).digest()[:_DIGEST_BYTES]
