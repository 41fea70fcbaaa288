"""Which wire type each message is, and which wire names differ from the rule: snake_case becomes PascalCase.

The one place that spells out both languages. `encode` compares it with the WSDL member by member when the contract is
loaded, so a name that is wrong or missing here fails before anything is sent.
"""

from __future__ import annotations

from typing import NamedTuple

from connect_client.messages.cancellation import Cancellation
from connect_client.messages.delivery_note import DeliveredLine, DeliveryNote, Parcel
from connect_client.messages.external_order import (
    ExternalOrder,
    Header,
    OrderLine,
    PickupStore,
    PriceListEntry,
    Promotion,
    ShippingAdvice,
)
from connect_client.messages.invoice import Credit, Invoice
from connect_client.messages.invoice_line import InvoiceLine
from connect_client.messages.order_status import OrderStatusUpdate
from connect_client.messages.parties import Company, Party, Person
from connect_client.messages.parts import Address, Info, Payment
from connect_client.messages.shipment import Shipment, ShipmentLine, ShipmentPackage
from connect_client.messages.warehouse_transaction import WarehouseTransaction, WarehouseTransactionLine


class WireType(NamedTuple):
    """A type of the contract, and the fields whose wire name does not follow the rule."""

    name: str
    renamed: dict[str, str] = {}  # noqa: RUF012 - never written to


_BILL = {"lines": "Items", "is_last_for_order": "IsLastInvoiceForOrder"}

WIRE_TYPES: dict[type, WireType] = {
    Address: WireType("Address"),
    Cancellation: WireType("CancelOrderRequest"),
    Company: WireType("Company"),
    Credit: WireType("Invoice", _BILL),
    DeliveredLine: WireType("DeliveryNoteItem", {"part_no": "ItemNo", "quantity": "Qty"}),
    DeliveryNote: WireType(
        "DeliveryNote", {"status": "StatusId", "lines": "DeliveryNoteItems", "parcels": "DeliveryNotePackages"}
    ),
    ExternalOrder: WireType("ExternalOrder", {"lines": "Items"}),
    Header: WireType("Header"),
    Info: WireType("CodeValue"),
    Invoice: WireType("Invoice", _BILL),
    InvoiceLine: WireType("InvoiceItem"),
    OrderLine: WireType("OrderItem"),
    OrderStatusUpdate: WireType("SendOrderStatusRequest", {"status": "OrderStatus", "line_statuses": "ItemStatuses"}),
    Parcel: WireType("DeliveryNotePackage", {"tracking_no": "ParcelNumber", "status": "StatusId"}),
    Party: WireType("ClientCustomer"),
    Payment: WireType("Payment"),
    Person: WireType("Customer", {"ssn": "SSN"}),
    PickupStore: WireType("PickupStore"),
    PriceListEntry: WireType("PriceListItem"),
    Promotion: WireType("Promotion"),
    Shipment: WireType("Shipment", {"lines": "Items", "packages": "ShipmentPackages"}),
    ShipmentLine: WireType("ShipmentItem"),
    ShipmentPackage: WireType("ShipmentPackage"),
    ShippingAdvice: WireType("ShippingAdvice", {"do_sms_notify": "DoSMSNotify"}),
    WarehouseTransaction: WireType("WarehouseTransaction", {"lines": "Items"}),
    WarehouseTransactionLine: WireType(
        "WarehouseTransactionItem", {"quantity": "Qty", "remaining_quantity": "RemainingQty"}
    ),
}


def wire_name(message: type, field: str) -> str:
    """The name on the wire of one field of a message."""
    named = WIRE_TYPES[message].renamed.get(field)
    return named or "".join(word.capitalize() for word in field.split("_"))
