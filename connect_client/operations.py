"""The operations of OrderService: which message each takes, and whether it may be repeated after an unknown outcome."""

from __future__ import annotations

from enum import Enum
from typing import Any

from connect_client.messages.cancellation import Cancellation
from connect_client.messages.delivery_note import DeliveryNote
from connect_client.messages.external_order import ExternalOrder
from connect_client.messages.invoice import Credit, Invoice
from connect_client.messages.order_status import OrderStatusUpdate
from connect_client.messages.shipment import Shipment
from connect_client.messages.warehouse_transaction import WarehouseTransaction


class Operation(Enum):
    """One operation: its name in the contract, its message, and whether doing it twice does what doing it once does.

    `is_repeatable` decides what an unknown outcome means. A status, a cancellation and what carries a number of its own
    and moves no money may be sent again. An invoice or credit may move money twice, an external order may become two,
    and a point-of-sale shipment is passed on to a system nobody can ask here.
    """

    SEND_ORDER_STATUS = ("SendOrderStatus", OrderStatusUpdate, True)
    CREATE_DELIVERY_NOTE = ("CreateDeliveryNote", DeliveryNote, True)
    CREATE_INVOICE = ("CreateInvoice", Invoice, False)
    CREDIT_PAYMENT = ("CreditPayment", Credit, False)
    CANCEL_ORDER = ("CancelOrder", Cancellation, True)
    SEND_POS_SHIPMENT = ("SendPosShipment", Shipment, False)
    CREATE_WAREHOUSE_TRANSACTION = ("CreateWarehouseTransaction", WarehouseTransaction, True)
    CREATE_EXTERNAL_ORDER = ("CreateExternalOrder", ExternalOrder, False)

    def __init__(self, wire_name: str, message: type[Any], is_repeatable: bool) -> None:
        self.wire_name = wire_name
        self.message = message
        self.is_repeatable = is_repeatable
