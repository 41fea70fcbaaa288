"""A movement in a warehouse. Norce: "No actions are taken in Norce Commerce from this document. Information only"."""

from __future__ import annotations

from decimal import Decimal

from connect_client.messages.fields import Moment, Number, Reference, Words
from connect_client.messages.rules import Message, message, needed


@message()
class WarehouseTransactionLine(Message):
    """One row of a movement (contract: WarehouseTransactionItem)."""

    part_no: Reference
    """The part number."""
    quantity: Number
    """How much moved, in the part's unit."""
    line_number: Number = Decimal(0)
    """Number of the row."""
    amount: Number = Decimal(0)
    """Its value."""
    remaining_quantity: Number | None = None
    """What is left to move."""
    remaining_amount: Number | None = None
    """The value of what is left."""


@message(needed("lines", "a transaction without lines moves nothing"))
class WarehouseTransaction(Message):
    """A movement in a warehouse, for information."""

    transaction_no: Reference
    """Number of the movement."""
    transaction_date: Moment
    """When it happened."""
    warehouse_code: Reference
    """In which warehouse."""
    lines: tuple[WarehouseTransactionLine, ...]
    """What moved."""
    location_code: Words | None = None
    """Where in the warehouse."""
    type: Words | None = None
    """What kind of movement."""
    order_no: Reference | None = None
    """The order it belongs to."""
    purchase_order_no: Reference | None = None
    """The purchase order it belongs to."""
    delivery_note_no: Reference | None = None
    """The delivery note it belongs to."""
    external_reference: Words | None = None
    """A number of another system."""
    reason_code: Words | None = None
    """Why it happened."""
    comment: Words | None = None
    """A remark."""
