"""One line of an invoice or credit."""

from __future__ import annotations

from connect_client.messages.fields import Integer, Number, Reference, Words
from connect_client.messages.rules import Message, message


@message()
class InvoiceLine(Message):
    """One billed row (contract: InvoiceItem). Prices are for one item, excluding VAT, in the invoice's currency."""

    line_no: Number
    """The order's line number."""
    part_no: Reference
    """The part number as it stood in the order, not the ERP's own."""
    quantity: Integer
    """Whole items; the contract has no fractions here. Bill metre goods as 1 with the row's price."""
    unit_price: Number
    """Price of one item after discounts, excluding VAT."""
    unit_vat: Number
    """VAT of one item."""
    vat_rate: Number
    """Percent: 25, not 0.25 or 1.25."""
    line_amount: Number | None = None
    """The row's amount excluding VAT; left out, it becomes unit price times quantity."""
    description: Words | None = None
    """What it is."""
    product_name: Words | None = None
    """The product's name."""
    price_list: Words | None = None
    """The price list's code."""
    discount: Number | None = None
    """For information: the unit price is already reduced by it."""
    sale_price: Number | None = None
    """Obsolete in the contract; leave it out."""

    def __post_init__(self) -> None:
        if self.line_amount is None:
            object.__setattr__(self, "line_amount", self.unit_price * self.quantity)
