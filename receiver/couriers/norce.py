"""Sends reports to Norce through `connect_client`, whose errors already say what the relay needs to know."""

from __future__ import annotations

from collections.abc import Sequence

from connect_client import (
    CallFailed,
    ConnectClient,
    InvalidMessage,
    NotDelivered,
    Operation,
    Refused,
    TimedOut,
    read_message,
)
from receiver.couriers.in_turn import in_turn
from receiver.outbox.message import Kind, Outcome, Verdict
from receiver.ports import Delivery

_AWAY = frozenset({502, 503, 504})
"""What something in front of Norce, or Norce itself, says while it is away."""

OPERATIONS = {
    Kind.ORDER_STATUS: Operation.SEND_ORDER_STATUS,
    Kind.DELIVERY_NOTE: Operation.CREATE_DELIVERY_NOTE,
    Kind.INVOICE: Operation.CREATE_INVOICE,
    Kind.CREDIT: Operation.CREDIT_PAYMENT,
    Kind.CANCELLATION: Operation.CANCEL_ORDER,
}


class NorceCourier:
    """Implements `ports.Courier` on a client."""

    batch_size = 10

    def __init__(self, client: ConnectClient) -> None:
        self._client = client

    def deliver(self, deliveries: Sequence[Delivery], *, until: float) -> list[Verdict]:
        """Call Norce for one report after the other."""
        return in_turn(deliveries, self._attempt, until=until)

    def close(self) -> None:
        """Close the client's connections."""
        self._client.close()

    def _attempt(self, delivery: Delivery) -> Verdict:
        operation = OPERATIONS[delivery.message.kind]
        try:
            message = read_message(operation.message, delivery.message.payload or {})
            self._client.send(operation, message)
        except InvalidMessage as error:
            return Verdict(Outcome.REFUSED, f"does not fit the contract: {error}")
        except CallFailed as error:
            return _verdict(error)
        return Verdict(Outcome.DELIVERED)


def _verdict(error: CallFailed) -> Verdict:
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, NotDelivered):
        return Verdict(Outcome.NOT_DELIVERED, detail, retry_after_seconds=error.retry_after_seconds, is_down=True)
    if isinstance(error, Refused):
        return Verdict(Outcome.REFUSED, detail)
    # Else everything behind it that moves money would follow it to the dead letters within a second.
    is_down = isinstance(error, TimedOut) or error.status in _AWAY
    return Verdict(Outcome.UNKNOWN, detail, retry_after_seconds=error.retry_after_seconds, is_down=is_down)
