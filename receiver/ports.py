"""What the flows need from outside, as Protocols; `receiver.storage` implements them on a database.

A unit is one transaction: leaving its `with` block without `commit` rolls everything back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from receiver.orders.identity import OrderKey
from receiver.orders.model import Order
from receiver.outbox.dead_letter import Choice, MessageSummary
from receiver.outbox.message import Destination, Kind, Message, State, Verdict
from receiver.outbox.retry import Step


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
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class KeptPayload:
    """The request that one revision came in."""

    revision: int
    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order that reports can be about."""

    order_id: int
    client_order_ref: str
    application_key: UUID


class Orders(Protocol):
    """Keeps orders by their natural key."""

    def add_once(self, received: ReceivedOrder) -> StoredOrder | None:
        """Store the order as revision 1 unless its key is taken.

        None when it was stored now; else the order that has the key, locked until the unit ends.
        """

    def payloads_of(self, stored: StoredOrder) -> Iterator[KeptPayload]:
        """The requests of all revisions, the latest first."""

    def known(
        self, *, client_order_ref: str | None, erp_order_no: str | None, application_key: UUID | None
    ) -> list[KnownOrder]:
        """The orders that have all the given references; at most two, for two are already one too many."""

    def add_repeat(self, received: ReceivedOrder, stored: StoredOrder, *, revision: int) -> None:
        """Note in the history that the content of a revision came again."""

    def add_revision(self, received: ReceivedOrder, stored: StoredOrder) -> int:
        """Store other content under the same key as the next revision, and return its number."""


class RefusedReceipts(Protocol):
    """Keeps what was refused, so that nothing a caller sent is lost."""

    def add(self, receipt: Receipt, *, kind: str, client_order_ref: str | None, reasons: Sequence[str]) -> None:
        """Keep the receipt; the same body again only counts up."""


DecodeOrder = Callable[[bytes, str], Order]
"""Reads the order from a request body of a media type; raises RequestRefused where today's rules cannot read it."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The order that a message of kind ORDER hands over.

    `body` gives the request as received and `order` what it says; both do their work anew on each call, so that a
    batch of large orders does not lie in memory unpacked.
    """

    body: Callable[[], bytes]
    order: Callable[[], Order]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to deliver now; `hand_over` stands beside messages to the ERP and is None beside reports."""

    message: Message
    hand_over: HandOver | None


LONGEST_DELIVERY_S = 45.0
"""What a single delivery may take, so that a lease outlasts it; functions of the merchant's own must keep to it too."""


class Courier(Protocol):
    """Performs deliveries to one destination; one thread at a time uses it."""

    @property
    def batch_size(self) -> int:
        """How many messages it takes at once."""

    def deliver(self, deliveries: Sequence[Delivery], *, until: float) -> Sequence[Verdict]:
        """Try each in turn; the verdicts are those of the first so many deliveries, in their order.

        It begins none after `until` (time.monotonic()) and none after a verdict that says the destination is down, so
        there may be fewer verdicts than deliveries; what has none was not tried. No single delivery takes longer than
        `LONGEST_DELIVERY_S`. Raises nothing that comes from the destination.
        """

    def close(self) -> None:
        """Let go of connections; the next delivery opens new ones."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a relay asks for: so many messages to a destination, repeatable ones or those that move money.

    What moves money is to be asked for one at a time, so that a lost lease means that it was begun.
    """

    destination: Destination
    is_repeatable: bool
    limit: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages that belong to one relay until the lease ends; `token` names the lease."""

    token: str
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What the ERP tells Norce about an order: a message of `connect_client` as JSON, under a key.

    `digest` is that of kind and content; `erp_order_no` is set where the report confirms the order under that number.
    """

    kind: Kind
    key: str
    order_id: int
    payload: dict[str, Any]
    digest: str
    erp_order_no: str | None


@dataclass(frozen=True, slots=True)
class Appended:
    """A report is in the outbox, as of now or since before."""

    message_id: int
    state: State
    is_repeat: bool


class Outbox(Protocol):
    """Keeps messages until they are delivered."""

    def append_report(self, report: Report) -> Appended:
        """Append a report unless its key is taken; raises ReportConflict if it is taken by other content."""

    def claim(self, what: Wanted, *, lease_seconds: float, decode: DecodeOrder) -> Claim:
        """Lease messages that are due."""

    def record(self, claim: Claim, verdicts: Sequence[Verdict], *, milliseconds: int) -> list[Step]:
        """Write down what became of a claim's first deliveries, and return the rest untried; see `Courier.deliver`."""

    def recover_lost_leases(self) -> int:
        """Take back what relays held that are gone; returns how many messages that were."""


class DeadLetters(Protocol):
    """Messages that nobody retries until a person decides."""

    def lock(self, choice: Choice) -> list[MessageSummary]:
        """The chosen messages, the oldest first, locked until the unit ends."""

    def move(self, message_ids: Sequence[int], to: State, *, reason: str) -> None:
        """Let locked messages become PENDING, due now and untried, or DISCARDED, and keep the reason with each."""


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """One request that is kept with its personal data: of an order, or a refused one (its `receipt_id`)."""

    order: KnownOrder | None
    receipt_id: int | None
    body: Callable[[], bytes]
    media_type: str


class KeptData(Protocol):
    """Looks for personal data that is still kept; changes nothing, and holds up no order."""

    def requests(self) -> Iterator[StoredRequest]:
        """Every request, those of orders first."""

    def orders_untouched_since(self, instant: datetime) -> Iterator[KnownOrder]:
        """Orders that nothing has happened to since: no revision, no message."""

    def receipts_untouched_since(self, instant: datetime) -> Iterator[int]:
        """Refused receipts that have not come again since."""


class Erasures(Protocol):
    """Erases personal data; keys, fingerprints, amounts and history stay."""

    def erase_orders(self, order_ids: Sequence[int], *, even_waiting: bool) -> set[int]:
        """Erase the orders' data and return the ids of those done.

        An order with a message that waits or is a dead letter is left alone, unless `even_waiting`: then the message is
        discarded. One with a message on its way is always left alone.
        """

    def erase_receipts(self, receipt_ids: Sequence[int]) -> None:
        """Erase the bodies and senders of refused receipts."""


class Unit(Protocol):
    """One transaction over everything that is kept."""

    @property
    def orders(self) -> Orders:
        """The orders, within this transaction."""

    @property
    def outbox(self) -> Outbox:
        """The outbox, within this transaction."""

    @property
    def dead_letters(self) -> DeadLetters:
        """The dead letters, within this transaction."""

    @property
    def refused_receipts(self) -> RefusedReceipts:
        """The refused receipts, within this transaction."""

    @property
    def erasures(self) -> Erasures:
        """Erasing, within this transaction."""

    def commit(self) -> None:
        """Make everything done in this unit durable; raises TryAgainLater when the database cannot."""


class Units(Protocol):
    """Begins units."""

    def begin(self, *, size: int = 0) -> AbstractContextManager[Unit]:
        """A new unit; database trouble inside it is raised as TryAgainLater.

        `size` is how many bytes it is about to store: many may take longer.
        """

    def close(self) -> None:
        """Close every connection; units that are under way keep theirs."""
