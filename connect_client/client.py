"""ConnectClient: one method for each operation of OrderService. A call is tried once; see `retrying` for more."""

from __future__ import annotations

import logging
import re
import time
import uuid
from functools import partial
from types import TracebackType
from typing import Any, Self

from connect_client.calls import load_calls
from connect_client.credentials import Authentication
from connect_client.errors import CallFailed, Circumstances, InvalidMessage, OutcomeUnknown, Problem
from connect_client.messages.cancellation import Cancellation
from connect_client.messages.delivery_note import DeliveryNote
from connect_client.messages.external_order import ExternalOrder
from connect_client.messages.invoice import Credit, Invoice
from connect_client.messages.order_status import OrderStatusUpdate
from connect_client.messages.shipment import Shipment
from connect_client.messages.statuses import OrderStatus
from connect_client.messages.warehouse_transaction import WarehouseTransaction
from connect_client.operations import Operation
from connect_client.replies import Judge, check, check_unknown_action
from connect_client.session import Connection, Timeouts, Tls
from connect_client.transport import Transport

_log = logging.getLogger("connect_client")
_PING = "Ping"
_NOTHING = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>'


class Reporting:
    """The operations by name, over one `send`. Each returns once Norce has said yes.

    Raises InvalidMessage before anything is sent, NotDelivered, Refused or OutcomeUnknown after (`errors`).
    """

    def send(self, operation: Operation, message: Any) -> None:
        """Call any operation with its message."""
        raise NotImplementedError

    def send_order_status(self, update: OrderStatusUpdate) -> None:
        """Give an order, and if need be its lines, a new status."""
        self.send(Operation.SEND_ORDER_STATUS, update)

    def acknowledge(self, client_order_ref: int | str, erp_order_no: str) -> None:
        """Tell Norce that the ERP has taken the order: status Confirmed, with the ERP's number for it.

        Norce stores the number as the order's own and raises OrderConfirmedEvent, once.
        """
        update = OrderStatusUpdate(
            client_order_ref=client_order_ref, erp_order_no=erp_order_no, status=OrderStatus.CONFIRMED
        )
        self.send_order_status(update)

    def create_delivery_note(self, note: DeliveryNote) -> None:
        """Tell what was shipped, with tracking numbers."""
        self.send(Operation.CREATE_DELIVERY_NOTE, note)

    def create_invoice(self, invoice: Invoice) -> None:
        """Hand over an invoice; Norce "will capture/activate payment if applicable". Never repeat it blindly."""
        self.send(Operation.CREATE_INVOICE, invoice)

    def credit_payment(self, credit: Credit) -> None:
        """Have money paid back for goods that were invoiced. Never repeat it blindly."""
        self.send(Operation.CREDIT_PAYMENT, credit)

    def cancel_order(self, cancellation: Cancellation) -> None:
        """Cancel an order and release the payments named."""
        self.send(Operation.CANCEL_ORDER, cancellation)

    def send_pos_shipment(self, shipment: Shipment) -> None:
        """Pass a shipment on to the point-of-sale system that Norce is integrated with."""
        self.send(Operation.SEND_POS_SHIPMENT, shipment)

    def create_warehouse_transaction(self, transaction: WarehouseTransaction) -> None:
        """Tell of a movement in a warehouse; Norce keeps it for information."""
        self.send(Operation.CREATE_WAREHOUSE_TRANSACTION, transaction)

    def create_external_order(self, order: ExternalOrder) -> None:
        """Make an order known that was taken outside Norce."""
        self.send(Operation.CREATE_EXTERNAL_ORDER, order)


class ConnectClient(Reporting):
    """A client of one OrderService. Any number of threads may share it; making it costs one reading of the WSDL
    per process, and no call.

    `url` is the service's address; `auth` is BasicAuth or ClientCredentials. `application_id` goes into the header
    named `application_header`, for installations that want one. Proxies are taken from the environment. Raises
    ValueError for settings that cannot be right.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: Authentication,
        timeouts: Timeouts | None = None,
        tls: Tls | None = None,
        application_id: str | None = None,
        application_header: str = "application-id",
        max_reply_bytes: int = 1_000_000,
        allow_plain_http: bool = False,
    ) -> None:
        connection = Connection(
            url, timeouts=timeouts or Timeouts(), tls=tls or Tls(), allow_plain_http=allow_plain_http
        )
        headers = {"User-Agent": "norce-order-receiver connect_client"}
        if application_id is not None:
            headers[_header_name(application_header)] = _header_value(application_id)
        self._transport = Transport(connection, auth, headers=headers, max_reply_bytes=max_reply_bytes)
        self._calls = load_calls()

    def send(self, operation: Operation, message: Any) -> None:
        """Call any operation with its message; the methods named after the operations do no more."""
        if not isinstance(message, operation.message):
            problem = f"{operation.wire_name} takes {operation.message.__name__}"
            raise InvalidMessage(type(message).__name__, [Problem("", problem)])
        call = self._calls[operation]
        self._send(
            operation.wire_name, body=call.encode(message), action=call.action, judge=partial(check, answer=call.answer)
        )

    def envelope(self, operation: Operation, message: Any) -> bytes:
        """The bytes that `send` would send."""
        return self._calls[operation].encode(message)

    def ping(self) -> None:
        """Check address, trust and credentials, and change nothing.

        Calls an operation that no OrderService has. WCF finds operations by their action alone, after it has accepted
        the credentials, and answers ActionNotSupported (wire format, 5.1). Raises what a real call would raise.
        """
        action = self._calls[Operation.SEND_ORDER_STATUS].action.replace(Operation.SEND_ORDER_STATUS.wire_name, _PING)
        self._send(_PING, body=_NOTHING, action=action, judge=check_unknown_action)

    def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, operation: str, *, body: bytes, action: str, judge: Judge) -> None:
        circumstances = Circumstances(operation, uuid.uuid4().hex)
        started = time.perf_counter()
        try:
            reply = self._transport.post(body, action=action, call=circumstances)
            judge(reply, call=circumstances)
        except CallFailed as error:
            if isinstance(error, OutcomeUnknown):
                self._transport.forget()
            _log.warning("%s, %s", type(error).__name__, error)
            raise
        milliseconds = round((time.perf_counter() - started) * 1000)
        _log.info("%s: done in %d ms (request %s)", operation, milliseconds, circumstances.request_id)


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise ValueError("application_header must be the name of a header, such as application-id")
    return name


def _header_value(value: str) -> str:
    if not value.isascii() or not value.isprintable() or not value.strip():
        raise ValueError("application_id must be printable ASCII text")
    return value
