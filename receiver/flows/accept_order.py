"""Stores an order once and acknowledges it.

The acknowledgement is only made after the commit, so a caller that hears OK can rely on it. Whether an order is new is
decided by the insert itself, never by looking first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from receiver import logs
from receiver.errors import OrderRefused, Problem
from receiver.orders.identity import OrderKey
from receiver.ports import ReceivedOrder, Units
from receiver.settings import OnChangedRepeat


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Our OK: the order is committed. `erp_order_no` is the ERP's number, where the ERP has reported it by now."""

    key: OrderKey
    erp_order_no: str | None


_CHANGED = Problem(
    "ClientOrderRef", "this order was received before with other content, and revisions are switched off"
)


def accept_order(received: ReceivedOrder, *, units: Units, on_changed_repeat: OnChangedRepeat) -> Acknowledgement:
    """Store the order, note the repeat, or keep other content as a revision; then acknowledge.

    Raises OrderRefused for changed content where `on_changed_repeat` says refuse, and TryAgainLater when the database
    cannot commit.
    """
    with units.begin() as unit:
        stored = unit.orders.add_once(received)
        if stored is None:
            event, revision = logs.ORDER_ACCEPTED, 1
        elif stored.same_as_revision is not None:
            unit.orders.add_repeat(received, stored)
            event, revision = logs.ORDER_REPEATED, stored.same_as_revision
        elif on_changed_repeat is OnChangedRepeat.REFUSE:
            raise OrderRefused([_CHANGED])
        else:
            event, revision = logs.ORDER_REVISED, unit.orders.add_revision(received, stored)
        unit.commit()
    logs.note(
        event,
        client_order_ref=received.key.client_order_ref,
        application_key=str(received.key.application_key),
        revision=revision,
        lines=len(received.order.lines or ()),
        ms=round((datetime.now(UTC) - received.receipt.received_at).total_seconds() * 1000, 1),
        **received.notes,
    )
    return Acknowledgement(received.key, stored.erp_order_no if stored else None)
