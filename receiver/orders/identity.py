"""When two requests carry the same order: its natural key, and whether they say the same.

Norce repeats a call with the same bytes, so equal fingerprints settle nearly every repeat. Where the bytes differ the
decoded contents are compared, so prefixes, white space between elements, the order of members and the way a number is
written do not make a revision.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from receiver.orders.model import Order


@dataclass(frozen=True, slots=True)
class OrderKey:
    """The natural key of an order: Norce's reference within one application."""

    application_key: UUID
    client_order_ref: str


@dataclass(frozen=True, slots=True)
class UnknownMember:
    """A member that the contract does not know: where it stood, and all that it says, without prefixes."""

    path: str
    said: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """All that a request says: two requests are the same order when these are equal.

    Without the unknown members a repeat that differs only there would be taken for the same order, and what it says
    would be lost.
    """

    order: Order
    unknown: tuple[UnknownMember, ...] | None = ()

    def says_the_same_as(self, other: Content) -> bool:
        """Whether both carry the same order; False where there were too many unknown members to tell (None)."""
        return self.unknown is not None and self == other


def key_of(order: Order) -> OrderKey:
    """The natural key of an order that has met the rules; the reference loses white space around it."""
    return OrderKey(order.application_key, (order.client_order_ref or "").strip())


def fingerprint(body: bytes) -> str:
    """SHA-256, in hex, of a request body as received."""
    return hashlib.sha256(body).hexdigest()
