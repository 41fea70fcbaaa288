"""The loop that couriers share which deliver one message after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from receiver.errors import ReceiverError
from receiver.outbox.message import Outcome, Verdict
from receiver.ports import Delivery, HandOver


def in_turn(deliveries: Sequence[Delivery], attempt: Callable[[Delivery], Verdict], *, until: float) -> list[Verdict]:
    """The verdicts of as many deliveries as were tried; see `ports.Courier.deliver`."""
    verdicts: list[Verdict] = []
    for delivery in deliveries:
        if time.monotonic() > until:
            break
        try:
            verdicts.append(attempt(delivery))
        except Exception:
            # What was delivered before must not be delivered again: the next batch begins with the one that failed.
            if verdicts:
                break
            raise
        if verdicts[-1].is_down:
            break
    return verdicts


def order_of(delivery: Delivery) -> HandOver:
    """What a message of kind order hands over."""
    if delivery.hand_over is None:
        raise LookupError(f"message {delivery.message.message_id} hands over nothing")
    return delivery.hand_over


def unreadable(error: ReceiverError) -> Verdict:
    """An order that an older release took and today's rules cannot read: a person must look at it."""
    return Verdict(Outcome.REFUSED, f"the stored request can no longer be read: {type(error).__name__}")
