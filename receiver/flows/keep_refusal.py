"""Keeps what was refused, so that nothing a caller sent is lost.

A body that could be read as an order is kept as kind `order`, any other as kind `request`.
"""

from __future__ import annotations

from receiver import logs
from receiver.errors import OrderRefused, RequestRefused
from receiver.ports import Receipt, Units


def keep_refusal(
    refusal: OrderRefused | RequestRefused,
    receipt: Receipt,
    *,
    units: Units,
    client_order_ref: str | None = None,
) -> None:
    """Store the receipt with its reasons; after it returns, both are committed.

    Raises TryAgainLater when the database cannot: then the sender must not hear the refusal, for it would be all that
    is left of the request.
    """
    if isinstance(refusal, OrderRefused):
        kind, reasons = "order", [str(problem) for problem in refusal.problems]
    else:
        kind, reasons = "request", [refusal.reason]
    with units.begin(size=len(receipt.body)) as unit:
        unit.refused_receipts.add(receipt, kind=kind, client_order_ref=client_order_ref, reasons=reasons)
        unit.commit()
    # Refused requests are logged at the gate, which also refuses bodies it never reads.
    if kind == "order":
        logs.note(logs.ORDER_REFUSED, problems=len(reasons), received_from=receipt.received_from)
