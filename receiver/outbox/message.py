"""A message in the outbox: what it is, where it goes, and which states it may move between.

    pending ──claim──► leased ──delivered──► delivered
     │ ▲                 │ │
     │ └──retry, return──┘ └──refused, unknown, given up──► dead ──discard──► discarded
     │ └────────────────────────requeue───────────────────────┘                   ▲
     └──erase─────────────────────────────────────────────────────────────────────┘

An order's messages to one destination leave in the order they were appended. A dead one does not hold up those behind
it: a status that Norce refuses must not keep the invoice from being sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

PAYLOAD_VERSION = 1
"""What this release writes, and the only one it reads; a message of another version becomes a dead letter."""


class Destination(StrEnum):
    """Who receives a message."""

    ERP = "erp"
    NORCE = "norce"


class Kind(StrEnum):
    """What a message says: an order for the ERP, or one of the ERP's reports for Norce."""

    ORDER = "order"
    ORDER_STATUS = "order-status"
    DELIVERY_NOTE = "delivery-note"
    INVOICE = "invoice"
    CREDIT = "credit"
    CANCELLATION = "cancellation"
    UNKNOWN = "unknown"
    """Whatever a later release has appended and this one does not know."""

    @classmethod
    def _missing_(cls, value: object) -> Kind | None:
        return cls.UNKNOWN if isinstance(value, str) else None

    @property
    def destination(self) -> Destination:
        """Where messages of this kind go."""
        return Destination.ERP if self is Kind.ORDER else Destination.NORCE

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows what became of it; never what moves money."""
        return self not in (Kind.INVOICE, Kind.CREDIT)


class State(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    LEASED = "leased"
    DELIVERED = "delivered"
    DEAD = "dead"
    DISCARDED = "discarded"

    def may_become(self, other: State) -> bool:
        """Whether the move is legal."""
        return other in _MOVES[self]

    @property
    def is_unfinished(self) -> bool:
        """Whether the relay still has to do with it."""
        return self in UNFINISHED


UNFINISHED = (State.PENDING, State.LEASED)
_MOVES: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.LEASED, State.DISCARDED}),
    State.LEASED: frozenset({State.PENDING, State.DELIVERED, State.DEAD}),
    State.DELIVERED: frozenset(),
    State.DEAD: frozenset({State.PENDING, State.DISCARDED}),
    State.DISCARDED: frozenset(),
}


class Outcome(StrEnum):
    """What is known after an attempt."""

    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One attempt's outcome. `detail` is for people and holds no personal data and no secret.

    `retry_after_seconds` is how long the destination asked to wait. `is_down` says that it is the destination that
    fails and not this message, so that those behind it need not be tried now. `erp_order_no` is the number an ERP gave
    at once.
    """

    outcome: Outcome
    detail: str | None = None
    retry_after_seconds: float | None = None
    is_down: bool = False
    erp_order_no: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One claimed message. `payload` is a report's JSON, None for an order, whose content the order itself keeps.

    `revision` is that of the order a message of kind ORDER hands over; `attempts` counts those made before.
    """

    message_id: int
    kind: Kind
    key: str | None
    order_id: int
    client_order_ref: str
    application_key: UUID
    revision: int | None
    payload_version: int
    payload: dict[str, Any] | None
    attempts: int
    created_at: datetime
