"""Stores an order once and acknowledges it.

The acknowledgement is only made after the commit, so a caller that hears OK can rely on it. Whether an order is new is
decided by the insert itself, never by looking first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from receiver import logs
from receiver.errors import OrderRefused, Problem
from receiver.orders.identity import Content
from receiver.ports import Orders, ReceivedOrder, StoredOrder, Units
from receiver.settings import OnChangedRepeat

Reread = Callable[[bytes, str], Content]
"""Decodes a request body of a media type, by the rules of today, to all that it says."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Our OK: the order is committed. `erp_order_no` is the ERP's number, where the ERP has reported it by now."""

    erp_order_no: str | None


@dataclass(frozen=True, slots=True)
class AcceptOrder:
    """The flow with what it needs; safe to share between threads."""

    units: Units
    on_changed_repeat: OnChangedRepeat
    reread: Reread

    def __call__(self, received: ReceivedOrder) -> Acknowledgement:
        """Store the order, note the repeat, or keep other content as a revision; then acknowledge.

        Raises OrderRefused for changed content where the settings say refuse or the order was erased, and TryAgainLater
        when the database cannot commit.
        """
        with self.units.begin(size=len(received.receipt.body)) as unit:
            stored = unit.orders.add_once(received)
            if stored is None:
                event, revision = logs.ORDER_ACCEPTED, 1
            else:
                event, revision = self._add_to(stored, received, unit.orders)
            unit.commit()
        _note(event, received, revision)
        return Acknowledgement(stored.erp_order_no if stored else None)

    def _add_to(self, stored: StoredOrder, received: ReceivedOrder, orders: Orders) -> tuple[str, int]:
        """Tell a repeat from a revision, and keep either."""
        # A retry may come late, after the content has changed: it repeats the revision it says, not the latest.
        repeated = stored.same_as_revision
        if repeated is None and stored.is_erased:
            text = "was received before and has been erased, so whether this repeats it cannot be told"
            raise OrderRefused([Problem("ClientOrderRef", text)])
        repeated = repeated or self._revision_saying_the_same(stored, received, orders)
        if repeated is not None:
            orders.add_repeat(received, stored, revision=repeated)
            return logs.ORDER_REPEATED, repeated
        if self.on_changed_repeat is OnChangedRepeat.REFUSE:
            text = "was received before with other content, and RECEIVER_ON_CHANGED_REPEAT refuses that"
            raise OrderRefused([Problem("ClientOrderRef", text)])
        return logs.ORDER_REVISED, orders.add_revision(received, stored)

    def _revision_saying_the_same(self, stored: StoredOrder, received: ReceivedOrder, orders: Orders) -> int | None:
        said = self.reread(received.receipt.body, received.receipt.media_type)
        for kept in orders.payloads_of(stored):
            if said.says_the_same_as(self.reread(kept.body, kept.media_type)):
                return kept.revision
        return None


def _note(event: str, received: ReceivedOrder, revision: int) -> None:
    logs.note(
        event,
        client_order_ref=received.key.client_order_ref,
        application_key=str(received.key.application_key),
        revision=revision,
        lines=len(received.order.lines or ()),
        ms=round((datetime.now(UTC) - received.receipt.received_at).total_seconds() * 1000, 1),
        **received.notes,
    )
