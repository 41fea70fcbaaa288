"""From the lines and payments of a stored order to those of an invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from connect_client.messages.invoice_line import InvoiceLine
from connect_client.messages.parts import Payment
from connect_client.messages.rules import part_of
from connect_client.messages.stored_order import StoredOrder


def invoice_lines(order: StoredOrder, quantities: Mapping[int, int] | None) -> tuple[InvoiceLine, ...]:
    """The chosen lines of the order, billed at the order's prices; raises InvalidMessage for fractions of items."""
    lines = []
    for line, quantity in order.chosen(quantities):
        if quantity != quantity.to_integral_value():
            raise order.wrong(
                f"quantities[{line.line_no}]",
                "must be whole, the contract has no fractions on invoices: "
                "make this line an InvoiceLine of quantity 1 with the row's price",
            )
        lines.append(
            InvoiceLine(
                line_no=Decimal(line.line_no),
                part_no=line.part_no,
                quantity=int(quantity),
                unit_price=line.unit_price,
                unit_vat=line.unit_vat,
                vat_rate=line.vat_rate,
                description=line.description,
            )
        )
    return tuple(lines)


def order_payment(order: StoredOrder, lines: Iterable[InvoiceLine], *, is_whole: bool) -> Payment | None:
    """The order's only payment, over what the lines cost with VAT, or over all that was reserved if it is whole.

    None for an order without payments; raises InvalidMessage for several, because only a person or the ERP knows
    which of them pays for these lines.
    """
    payments = order.part("payments") or ()
    if len(payments) > 1:
        raise order.wrong("order.payments", "are several: make the Invoice yourself and say which payment it captures")
    if not payments:
        return None
    (payment,) = payments
    reserved = part_of(payment, "amount")
    try:
        amount = Decimal(reserved) if is_whole and isinstance(reserved, str | int | Decimal) else None
    except InvalidOperation:
        raise order.wrong("order.payments[0].amount", "is no number") from None
    billed = sum(((line.unit_price + line.unit_vat) * line.quantity for line in lines), Decimal(0))
    return Payment(
        payment_code=part_of(payment, "payment_code"),
        payment_ref=part_of(payment, "payment_ref"),
        payment_method_code=part_of(payment, "payment_method_code"),
        amount=billed if amount is None else amount,
        currency_code=order.part("currency_code"),
    )
