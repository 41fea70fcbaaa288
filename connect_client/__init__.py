"""Call the OrderService of Norce Commerce Connect: report what became of an order.

Messages are frozen dataclasses, checked when they are made; `ConnectClient` has one method for each operation; errors
say whether Norce acted. `connect_client.testing` has a server for tests. docs/connect-client.md has worked examples.
"""

from connect_client.client import ConnectClient, Reporting
from connect_client.credentials import BasicAuth, ClientCredentials
from connect_client.errors import (
    CallFailed,
    Circumstances,
    ConnectError,
    ConnectionDropped,
    Fault,
    InvalidMessage,
    Misdirected,
    NotDelivered,
    OutcomeUnknown,
    Problem,
    Refused,
    ServerFailed,
    Throttled,
    TimedOut,
    TlsFailed,
    Unauthorized,
    Unreachable,
    UnreadableReply,
)
from connect_client.messages.as_json import message_as_json, read_message
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
from connect_client.messages.statuses import OrderStatus, ParcelStatus
from connect_client.messages.warehouse_transaction import WarehouseTransaction, WarehouseTransactionLine
from connect_client.operations import Operation
from connect_client.retrying import retrying
from connect_client.session import Timeouts, Tls

__all__ = [
    "Address",
    "BasicAuth",
    "CallFailed",
    "Cancellation",
    "Circumstances",
    "ClientCredentials",
    "Company",
    "ConnectClient",
    "ConnectError",
    "ConnectionDropped",
    "Credit",
    "DeliveredLine",
    "DeliveryNote",
    "ExternalOrder",
    "Fault",
    "Header",
    "Info",
    "InvalidMessage",
    "Invoice",
    "InvoiceLine",
    "Misdirected",
    "NotDelivered",
    "Operation",
    "OrderLine",
    "OrderStatus",
    "OrderStatusUpdate",
    "OutcomeUnknown",
    "Parcel",
    "ParcelStatus",
    "Party",
    "Payment",
    "Person",
    "PickupStore",
    "PriceListEntry",
    "Problem",
    "Promotion",
    "Refused",
    "Reporting",
    "ServerFailed",
    "Shipment",
    "ShipmentLine",
    "ShipmentPackage",
    "ShippingAdvice",
    "Throttled",
    "TimedOut",
    "Timeouts",
    "Tls",
    "TlsFailed",
    "Unauthorized",
    "Unreachable",
    "UnreadableReply",
    "WarehouseTransaction",
    "WarehouseTransactionLine",
    "message_as_json",
    "read_message",
    "retrying",
]
