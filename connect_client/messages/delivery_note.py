"""What left the warehouse: delivery notes with their lines and parcels, several to an order if need be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator

from connect_client.messages.fields import (
    Flag,
    Integer,
    Moment,
    Number,
    Reference,
    Reference50,
    Words,
    Words50,
    Words255,
)
from connect_client.messages.parts import Address
from connect_client.messages.rules import Message, message, needed
from connect_client.messages.statuses import OrderStatus, ParcelStatus
from connect_client.messages.stored_order import StoredOrder


def _known(number: int) -> int:
    # No union of the two types: pydantic would name its members in the paths of problems.
    return ParcelStatus(number) if number in set(ParcelStatus) else number


@message()
class Parcel(Message):
    """One parcel and where to follow it (contract: DeliveryNotePackage)."""

    tracking_no: Reference
    """The carrier's number; shown to the customer as the tracking number."""
    status: Annotated[Integer, AfterValidator(_known)]
    """A ParcelStatus: what became of it. Other numbers are accepted too: Norce may know more than it documents."""
    id: Integer | None = None
    """Deprecated: always null."""


@message()
class DeliveredLine(Message):
    """How much of one order line was shipped (contract: DeliveryNoteItem)."""

    row_number: Number
    """Norce calls it the note's line number; give the order's line number, which serves both readings."""
    part_no: Reference
    """The part number as it stood in the order, not the ERP's own."""
    quantity: Number
    """Quantity shipped with this note, in the line's unit."""
    description: Words | None = None
    """What it is."""
    comment: Words | None = None
    """A remark of the supplier."""
    id: Integer | None = None
    """Deprecated: always null."""


@message(needed("lines", "a note without lines delivers nothing"))
class DeliveryNote(Message):
    """Goods of one order were shipped; a partial delivery is a note with the lines and quantities that left.

    Norce raises its event for partly delivered or delivered orders. Lengths are those of its order history.
    """

    order_no: Reference50
    """The ERP's order number, as confirmed to Norce."""
    note_no: Reference50
    """The ERP's number of the note. What Norce does with a second note of the same number is not documented."""
    delivery_date: Moment
    """When it was shipped. Norce stores the year 1 for a missing one, so it is required here."""
    status: OrderStatus
    """DELIVERED if this note completes the order, else PARTLY_DELIVERED; sent as a number."""
    lines: tuple[DeliveredLine, ...]
    """What was shipped with this note and no other."""
    parcels: tuple[Parcel, ...] = ()
    """The parcels, for tracking."""
    buyer_company_code: Words50 | None = None
    """The ERP's code of the buying company."""
    buyer_customer_code: Words50 | None = None
    """The ERP's code of the buying person."""
    delivery_address: Address | None = None
    """Where it went, if elsewhere than the order says."""
    delivery_name: Words | None = None
    """Who receives it."""
    delivery_attention: Words | None = None
    """Whom to ask for."""
    delivery_mode: Words50 | None = None
    """The delivery method's code."""
    note_text: Words255 | None = None
    """A remark on the note."""
    division_code: Words50 | None = None
    """The store or warehouse that delivers."""
    is_printed: Flag | None = None
    """Obsolete in the contract; leave it out."""

    @classmethod
    def for_order(
        cls,
        order: object,
        *,
        note_no: str,
        order_no: str,
        delivery_date: datetime,
        quantities: Mapping[int, Decimal | int] | None = None,
        status: OrderStatus | None = None,
        parcels: Iterable[Parcel] = (),
    ) -> DeliveryNote:
        """The note for a stored order: an object with the order's attributes, or the order's JSON.

        `quantities` maps line numbers to what is shipped now; None ships every line in full. `status` may be left out:
        then it is DELIVERED if this note alone covers the whole order, else PARTLY_DELIVERED; the last of several
        notes must say DELIVERED itself. Raises InvalidMessage for a line number the order does not have.
        """
        stored = StoredOrder(order, cls.__name__)
        chosen = stored.chosen(quantities)
        is_whole = all(quantity >= line.quantity for line, quantity in chosen) and len(chosen) == len(stored.lines)
        return cls(
            order_no=order_no,
            note_no=note_no,
            delivery_date=delivery_date,
            status=status or (OrderStatus.DELIVERED if is_whole else OrderStatus.PARTLY_DELIVERED),
            lines=tuple(
                DeliveredLine(
                    row_number=Decimal(line.line_no),
                    part_no=line.part_no,
                    quantity=quantity,
                    description=line.description,
                )
                for line, quantity in chosen
            ),
            parcels=tuple(parcels),
        )
