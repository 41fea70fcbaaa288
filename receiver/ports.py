"""What the flows need from outside, as Protocols; `receiver.storage` implements them on a database.

A unit is one transaction: leaving its `with` block without `commit` rolls everything back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from receiver.orders.identity import OrderKey
from receiver.orders.model import Order


@dataclass(frozen=True, slots=True)
class Receipt:
    """One request as it came in: the body byte for byte, when, from where and how it was labelled."""

    body: bytes
    received_at: datetime
    received_from: str | None
    media_type: str


@dataclass(frozen=True, slots=True)
class ReceivedOrder:
    """An acceptable order with the receipt it came in, its key and the fingerprint of the receipt's body.

    `notes` goes into the history: counts of repairs and of members the contract does not know, no personal data.
    """

    order: Order
    receipt: Receipt
    key: OrderKey
    fingerprint: str
    notes: dict[str, int]


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order that is already kept: its row, its latest revision and the ERP's number if that is known.

    `same_as_revision` is the revision that came in the very same bytes, None when there is none.
    """

    order_id: int
    revision: int
    erp_order_no: str | None
    same_as_revision: int | None


@dataclass(frozen=True, slots=True)
class KeptPayload:
    """The request that one revision came in."""

    revision: int
    body: bytes
    media_type: str


class Orders(Protocol):
    """Keeps orders by their natural key."""

    def add_once(self, received: ReceivedOrder) -> StoredOrder | None:
        """Store the order as revision 1 unless its key is taken.

        None when it was stored now; else the order that has the key, locked until the unit ends.
        """

    def payloads_of(self, stored: StoredOrder) -> Iterator[KeptPayload]:
        """The requests of all revisions, the latest first."""

    def add_repeat(self, received: ReceivedOrder, stored: StoredOrder, *, revision: int) -> None:
        """Note in the history that the content of a revision came again."""

    def add_revision(self, received: ReceivedOrder, stored: StoredOrder) -> int:
        """Store other content under the same key as the next revision, and return its number."""


class RefusedReceipts(Protocol):
    """Keeps what was refused, so that nothing a caller sent is lost."""

    def add(self, receipt: Receipt, *, kind: str, client_order_ref: str | None, reasons: Sequence[str]) -> None:
        """Keep the receipt; the same body again only counts up."""


class Unit(Protocol):
    """One transaction over everything that is kept."""

    @property
    def orders(self) -> Orders:
        """The orders, within this transaction."""

    @property
    def refused_receipts(self) -> RefusedReceipts:
        """The refused receipts, within this transaction."""

    def commit(self) -> None:
        """Make everything done in this unit durable; raises TryAgainLater when the database cannot."""


class Units(Protocol):
    """Begins units."""

    def begin(self) -> AbstractContextManager[Unit]:
        """A new unit; database trouble inside it is raised as TryAgainLater."""

    def close(self) -> None:
        """Close every connection; units that are under way keep theirs."""
