"""The statuses that Norce knows, each with its number beside its name.

An order status travels by name in a status update and by number in a delivery note (wire format, 3.6).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class OrderStatus(StrEnum):
    """What became of an order or a line, in Norce's words. `number` is its place in the contract, 0 to 20.

    CONFIRMED makes Norce take over the ERP's order number; READY_FOR_PICKUP has its own notice to the customer.
    Source: enumeration OrderStatus of the contract.
    """

    CREATED = "Created"
    ALLOCATION = "Allocation"
    CONFIRMED = "Confirmed"
    BACK_ORDER = "BackOrder"
    DELIVERED = "Delivered"
    INVOICED = "Invoiced"
    CANCELLED = "Cancelled"
    CREDIT_CONTROL = "CreditControl"
    PARTLY_DELIVERED = "PartlyDelivered"
    ACKNOWLEDGED = "Acknowledged"
    ERP_CONFIRMED = "ErpConfirmed"
    READY_FOR_PICKUP = "ReadyForPickup"
    PICKED_UP = "PickedUp"
    NOT_PICKED_UP = "NotPickedUp"
    ON_HOLD = "OnHold"
    WAITING_FOR_CANCEL = "WaitingForCancel"
    WAITING_FOR_ON_HOLD_REMOVED = "WaitingForOnHoldRemoved"
    CANCEL_ERROR = "CancelError"
    ACKNOWLEDGEMENT_ERROR = "AcknowledgementError"
    READY_FOR_RESERVATION = "ReadyForReservation"
    RESERVED = "Reserved"

    @property
    def number(self) -> int:
        """The number that stands for this status where the contract wants an int."""
        return list(OrderStatus).index(self)


class ParcelStatus(IntEnum):
    """What became of a parcel. Source: Norce's page on DeliveryNotePackage, field StatusId."""

    DELIVERED = 4
    CANCELLED = 6
    READY_FOR_PICKUP = 11
    PICKED_UP = 12
    RESERVED = 20
