"""From an order to the values of its rows. Every column filled from the contract is named here and nowhere else."""

from __future__ import annotations

from datetime import tzinfo

from receiver.orders.model import Order, OrderLine
from receiver.orders.totals import totals_of
from receiver.outbox.message import PAYLOAD_VERSION, Kind, State

RECEIVED = "received"
"""The state of an order whose latest revision nobody has taken yet."""
HANDED_OVER = "handed_over"
"""The state of an order whose latest revision the ERP has taken."""
CONFIRMED = "confirmed"
"""The state of an order that the ERP has confirmed under a number of its own."""


def order_values(order: Order, *, sender_zone: tzinfo) -> dict[str, object]:
    """The columns of `orders` that come from the order itself and change with each revision."""
    totals = totals_of(order)
    submitted = order.submit_date
    return {
        "suggested_erp_order_no": order.erp_order_no,
        "customer_order_ref": order.customer_order_ref,
        "order_type": order.order_type,
        "source": order.source,
        "buyer_code": order.buyer_code,
        "currency_code": order.currency_code,
        "lines_total": totals.lines_total,
        "vat_total": totals.vat_total,
        "paid_total": totals.paid_total,
        "submitted_at": submitted.at_utc(sender_zone) if submitted else None,
        "submitted_text": submitted.text if submitted else None,
    }


def line_values(order: Order) -> list[dict[str, object]]:
    """The columns of `order_lines` for each line, numbered by position from 1."""
    return [_line(line, position) for position, line in enumerate(order.lines or (), start=1)]


def _line(line: OrderLine, position: int) -> dict[str, object]:
    return {
        "position": position,
        "line_no": line.line_no,
        "parent_line_no": line.parent_line_no,
        "type": line.type,
        "type_group": line.type_group,
        "part_no": line.part_no,
        "erp_part_no": line.erp_part_no,
        "manufacturer_code": line.manufacturer_code,
        "description": line.description,
        "quantity": line.ordered_quantity,
        "unit_of_measure": line.unit_of_measure,
        "unit_price": line.unit_price,
        "unit_price_original": line.unit_price_original,
        "discount": line.discount,
        "unit_vat": line.unit_vat,
        "vat_rate": line.vat_rate,
        "comment": line.comment,
    }


def order_message(*, revision: int) -> dict[str, object]:
    """The columns of `outbox` for the message that hands a revision over, but for the order and the times."""
    return {
        "destination": Kind.ORDER.destination.value,
        "kind": Kind.ORDER.value,
        "revision": revision,
        "payload_version": PAYLOAD_VERSION,
        "is_repeatable": Kind.ORDER.is_repeatable,
        "state": State.PENDING.value,
        "attempts": 0,
    }
