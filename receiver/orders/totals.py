"""The sums an order does not carry: the contract has no order total.

Sums are exact: no rounding happens here, and what is absent counts as zero, as WCF's defaults would have it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal

from receiver.orders.model import Order

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
    lines = order.lines or ()
    return Totals(
        lines_total=_sum(_times(line.unit_price, line.ordered_quantity) for line in lines),
        vat_total=_sum(_times(line.unit_vat, line.ordered_quantity) for line in lines),
        paid_total=_sum(payment.amount or Decimal(0) for payment in order.payments or ()),
    )


def _times(unit: Decimal | None, quantity: Decimal | None) -> Decimal:
    if unit is None or quantity is None:
        return Decimal(0)
    return _EXACT.multiply(unit, quantity)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total
