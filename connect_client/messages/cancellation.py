"""An order is cancelled, and reserved payments are released."""

from __future__ import annotations

from collections.abc import Iterator

from connect_client.messages.fields import OrderRef, Reference50
from connect_client.messages.parts import Payment
from connect_client.messages.rules import Message, Values, message, one_of, part_of


def _payments_are_named(values: Values) -> Iterator[tuple[str, str]]:
    """Norce: "Required property for each Payment is PaymentRef"."""
    for position, payment in enumerate(values.get("payments") or ()):
        if part_of(payment, "payment_ref") is None:
            yield f"payments[{position}].payment_ref", "is required to release a payment"


@message(one_of("client_order_ref", "erp_order_no"), _payments_are_named)
class Cancellation(Message):
    """The order is cancelled (contract: CancelOrderRequest); Norce sets its status to Cancelled."""

    client_order_ref: OrderRef | None = None
    """Norce's reference, a positive int32; the text that came with the order is accepted."""
    erp_order_no: Reference50 | None = None
    """The ERP's number of the order."""
    payments: tuple[Payment, ...] = ()
    """Payments to release: for each, Norce calls the payment provider. Without them, reservations stay."""
