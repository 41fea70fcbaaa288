"""The status of an order, and of its lines; the Confirmed status is how an ERP acknowledges an order."""

from __future__ import annotations

from connect_client.messages.fields import Integer, OrderRef, Reference50, Words
from connect_client.messages.rules import Message, message, one_of
from connect_client.messages.statuses import OrderStatus


@message(one_of("client_order_ref", "erp_order_no"))
class OrderStatusUpdate(Message):
    """An order has a new status (contract: SendOrderStatusRequest).

    Norce finds the order by either reference ("Either ClientOrderRef or ErpOrderNo must be provided"); what it does
    when they disagree is not documented, so give both only if both are the order's.
    """

    status: OrderStatus
    """The new status. Norce reads a missing one as Created, so it is required here."""
    client_order_ref: OrderRef | None = None
    """Norce's reference, a positive int32; the text that came with the order is accepted."""
    erp_order_no: Reference50 | None = None
    """The ERP's number. With CONFIRMED, Norce stores it as the order's number from now on."""
    infos: dict[Reference50, Words | None] | None = None
    """Extra information by its code, such as `{"Carrier": "PostNord"}`; codes are configured in Norce."""
    line_statuses: dict[Integer, OrderStatus] | None = None
    """Statuses of single lines by the order's line number. In the contract, not in Norce's REST documents."""
    account_id: Integer | None = None
    """Tells source systems apart in Norce's logs, where the merchant was given one for each."""
