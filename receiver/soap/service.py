"""CreateOrder as spyne dispatches it: decode, check, accept, answer."""

from __future__ import annotations

import receiver.soap.compat  # noqa: F401  isort: skip - must come before spyne
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree
from spyne import AnyXml, Application, Service, rpc
from spyne.server.wsgi import WsgiApplication

from receiver.errors import OrderRefused, Problem, RequestRefused
from receiver.flows.accept_order import AcceptOrder
from receiver.flows.keep_refusal import keep_refusal
from receiver.orders.identity import Content, fingerprint, key_of
from receiver.orders.model import Order
from receiver.orders.rules import problems_of
from receiver.ports import DecodeOrder, Receipt, ReceivedOrder, Units
from receiver.settings import OnChangedRepeat
from receiver.soap.answers import acknowledgement_envelope, refusal_envelope
from receiver.soap.cleaning import clean
from receiver.soap.decode import OrderDecoder
from receiver.soap.findings import Findings
from receiver.soap.names import CONTRACT, NIL, REQUEST, SERVICE, is_nil
from receiver.soap.protocol import ENVELOPE_KEY, OrderProtocol, parse, request_in

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

RECEIPT_KEY = "receiver.receipt"
"""Where the receipt lies in the WSGI environment."""


@dataclass(frozen=True, slots=True)
class OrderDoor:
    """What the operation needs, handed to spyne as the application's configuration."""

    accept: AcceptOrder
    units: Units
    decoder: OrderDecoder

    def create_order(self, request: etree._Element | None, *, receipt: Receipt, repairs: int) -> bytes:
        """The answer envelope to one `request` element; raises TryAgainLater when nothing could be stored."""
        reference = None
        try:
            order, findings = self._decode(request)
            reference = order.client_order_ref
            if problems := findings.problems + problems_of(order):
                raise OrderRefused(problems)
            notes = {"repaired_references": repairs, "unknown_members": findings.unknown_members}
            received = ReceivedOrder(
                order=order,
                receipt=receipt,
                key=key_of(order),
                fingerprint=fingerprint(receipt.body),
                notes={name: count for name, count in notes.items() if count},
            )
            acknowledgement = self.accept(received)
        except OrderRefused as refusal:
            keep_refusal(refusal, receipt, units=self.units, client_order_ref=reference)
            return refusal_envelope(refusal.problems)
        return acknowledgement_envelope(acknowledgement)

    def _decode(self, request: etree._Element | None) -> tuple[Order, Findings]:
        if request is None or is_nil(request.get(NIL)):
            raise OrderRefused([Problem(REQUEST, "is missing or nil; it must hold the order")])
        return self.decoder.decode(request)


def order_door(units: Units, *, on_changed_repeat: OnChangedRepeat) -> OrderDoor:
    """The operation on a database, with a decoder made from the shipped WSDL."""
    decoder = OrderDecoder()

    def reread(body: bytes, media_type: str) -> Content:
        try:
            order, findings = _decoded(decoder, body, media_type)
        except RequestRefused:
            # An older release took what this one refuses; it can be compared with nothing.
            return Content(Order(), None)
        return findings.content_of(order)

    return OrderDoor(AcceptOrder(units, on_changed_repeat, reread), units, decoder)


def order_reader() -> DecodeOrder:
    """Reads orders from the requests they came in, for those who hand them over."""
    decoder = OrderDecoder()
    return lambda body, media_type: _decoded(decoder, body, media_type)[0]


def _decoded(decoder: OrderDecoder, body: bytes, media_type: str) -> tuple[Order, Findings]:
    request = request_in(parse(clean(body, content_type=media_type).xml))
    if is_nil(request.get(NIL)):
        raise RequestRefused("the request holds no order")
    return decoder.decode(request)


class _OrderNotificationService(Service):  # type: ignore[misc]
    @rpc(AnyXml, _returns=AnyXml, _operation_name="CreateOrder")  # type: ignore[untyped-decorator]
    def create_order(ctx: Any, request: etree._Element | None) -> bytes:  # noqa: N805
        door: OrderDoor = ctx.app.config
        environ = ctx.transport.req_env
        return door.create_order(request, receipt=environ[RECEIPT_KEY], repairs=environ[ENVELOPE_KEY].repairs)


class _OrderApplication(Application):  # type: ignore[misc]
    def process_request(self, ctx: Any) -> None:
        """Call the operation and let every exception rise to the gate; spyne would log it and answer with its text."""
        try:
            ctx.out_object = [self.call_wrapper(ctx)]
        finally:
            # spyne's contexts refer to each other in circles: without this the tree of a 10 MB order would stay until
            # the garbage collector comes by.
            ctx.in_document = ctx.in_body_doc = ctx.in_object = None


def soap_application(door: OrderDoor) -> WSGIApplication:
    """The WSGI application that answers one POST whose receipt and clean envelope are in its environment."""
    application = _OrderApplication(
        [_OrderNotificationService],
        tns=CONTRACT,
        name=SERVICE,
        in_protocol=OrderProtocol(),
        out_protocol=OrderProtocol(),
        config=door,
    )
    wsgi: WSGIApplication = WsgiApplication(application)
    return wsgi
