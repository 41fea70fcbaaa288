"""The sums an order does not carry: the contract has no order total.

Sums are exact: no rounding happens here, and what is absent counts as zero, as WCF's defaults would have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal

from receiver.orders.model import Order

_ZERO = Decimal(0)
_EXACT = Context(prec=200)
"""Wide enough for every product and sum of .NET decimals (29 digits before the point, 28 after)."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The lines excluding VAT, the VAT of the lines, and what the payments cover with VAT included.

    Rounding may keep the first two from adding up to the third.
    """

    lines_total: Decimal
    vat_total: Decimal
    paid_total: Decimal


def totals_of(order: Order) -> Totals:
    """The sums over all lines and payments; a line counts unit times ordered quantity."""
    lines_total = vat_total = paid_total = _ZERO
    for line in order.lines or ():
        quantity = line.ordered_quantity
        if quantity is not None:
            lines_total = _EXACT.fma(line.unit_price or _ZERO, quantity, lines_total)
            vat_total = _EXACT.fma(line.unit_vat or _ZERO, quantity, vat_total)
    for payment in order.payments or ():
        paid_total = _EXACT.add(paid_total, payment.amount or _ZERO)
    return Totals(lines_total, vat_total, paid_total)
