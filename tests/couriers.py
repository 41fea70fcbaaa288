"""Deliveries for the tests of couriers, and the rule that no verdict holds personal data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from receiver.couriers.choose import erp_courier
from receiver.orders.model import Order
from receiver.outbox.message import Kind, Message, Outcome, Verdict
from receiver.ports import Courier, Delivery, HandOver
from receiver.soap.service import order_reader
from tests.order_xml import order_xml
from tests.relaying import XML

DELIVERED = Verdict(Outcome.DELIVERED)
NO_APPLICATION = UUID(int=0)
SECRET_TEXTS = ("Åsa", "19800101-1234", "hemligt")


def message(ref: str = "700101", *, kind: Kind = Kind.ORDER, number: int = 1, payload: Any = None) -> Message:
    return Message(
        message_id=number,
        kind=kind,
        key=None,
        order_id=1,
        client_order_ref=ref,
        application_key=NO_APPLICATION,
        revision=1 if kind is Kind.ORDER else None,
        payload_version=1,
        payload=payload,
        attempts=0,
        created_at=datetime.now(UTC),
    )


def order(ref: str = "700101", *, number: int = 1) -> Delivery:
    body = order_xml(ref)
    read = order_reader()
    return Delivery(message(ref, number=number), HandOver(lambda: body, lambda: read(body, XML)))


def slow_order(ref: str = "700101", *, number: int = 1, seconds: float = 0.03) -> Delivery:
    """An order so large that the destination has answered the one before while this one is still being read."""
    found = order(ref, number=number)
    hand_over = found.hand_over
    assert hand_over is not None
    read = hand_over.order

    def slowly() -> Order:
        time.sleep(seconds)
        return read()

    return Delivery(found.message, HandOver(hand_over.body, slowly))


def deliver(courier: Courier, *deliveries: Delivery) -> list[Verdict]:
    verdicts = list(courier.deliver(deliveries, until=time.monotonic() + 20))
    for verdict in verdicts:
        assert not any(text in (verdict.detail or "") for text in SECRET_TEXTS), verdict
    return verdicts


@contextmanager
def courier_to(way: str, *, signing_secret: str | None = None) -> Iterator[Courier]:
    courier = erp_courier(way, signing_secret=signing_secret)
    try:
        yield courier
    finally:
        courier.close()
