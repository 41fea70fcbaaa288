"""A shipment for the point-of-sale system that Norce is integrated with."""

from __future__ import annotations

from connect_client.messages.fields import Guid, Integer, Number, Reference, Words
from connect_client.messages.parts import Address
from connect_client.messages.rules import Message, message, needed, one_of


@message()
class ShipmentLine(Message):
    """One row of a shipment (contract: ShipmentItem); costs are for one item, excluding VAT."""

    line_no: Integer
    """Number of the row."""
    part_no: Reference
    """The part number."""
    quantity: Integer
    """Whole items in the shipment."""
    name: Words | None = None
    """What it is."""
    package_no: Reference | None = None
    """The package it lies in: a `package_no` of the shipment's packages."""
    purchase_cost: Number | None = None
    """What one item was bought for."""
    unit_cost: Number | None = None
    """What one item costs in stock."""
    price: Number | None = None
    """Deprecated: use `purchase_cost`."""


@message()
class ShipmentPackage(Message):
    """One package of a shipment."""

    package_no: Reference
    """Its number, to which the lines point."""
    barcode: Words | None = None
    """What is printed on it."""
    comment: Words | None = None
    """A remark."""


@message(one_of("delivery_note_no", "invoice_no"), needed("lines", "a shipment without lines moves nothing"))
class Shipment(Message):
    """Goods move between warehouses; Norce passes it on and "must have a POS integration" for that.

    Norce: "Either DeliveryNoteNo or InvoiceNo and Items must be provided".
    """

    application_key: Guid
    """The application it belongs to."""
    shipment_no: Reference
    """Number of the shipment."""
    source_warehouse_code: Reference
    """Where the goods come from."""
    target_warehouse_code: Reference
    """Where they go."""
    lines: tuple[ShipmentLine, ...]
    """What is in it."""
    delivery_note_no: Reference | None = None
    """The delivery note it follows from."""
    invoice_no: Reference | None = None
    """The invoice it follows from."""
    packages: tuple[ShipmentPackage, ...] | None = None
    """The packages it consists of."""
    comment: Words | None = None
    """A remark."""
    shipment_warehouse: Address | None = None
    """Address of the source."""
    target_warehouse_address: Address | None = None
    """Address of the target."""
    carrier_name: Words | None = None
    """Who carries it."""
    carrier_reference: Words | None = None
    """The carrier's own number."""
    carrier_tracking_url: Words | None = None
    """Where to follow it."""
    sender_name: Words | None = None
    """Who sends it."""
    receiver_name: Words | None = None
    """Who receives it."""
    barcode: Words | None = None
    """What is printed on it."""
