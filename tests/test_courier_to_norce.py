"""Reports reach Norce, and what becomes of them decides what the relay does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from connect_client import ConnectClient, Timeouts
from connect_client.testing import (
    ActsThenDrops,
    AnswersFault,
    Behaviour,
    Drops,
    FakeConnect,
    html,
    throttled,
    unauthorized,
)
from receiver.couriers.norce import NorceCourier
from receiver.outbox.message import Kind, Outcome
from receiver.ports import Delivery
from tests.couriers import DELIVERED, deliver, message
from tests.relaying import INVOICE, NOTE, STATUS


@pytest.fixture
def norce() -> Iterator[tuple[FakeConnect, NorceCourier]]:
    with ExitStack() as stack:
        fake = stack.enter_context(FakeConnect())
        client = ConnectClient(fake.url, auth=fake.basic_auth, timeouts=Timeouts(connect=2, read=5))
        courier = NorceCourier(client)
        stack.callback(courier.close)
        yield fake, courier


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (Kind.ORDER_STATUS, STATUS),
        (Kind.DELIVERY_NOTE, NOTE),
        (Kind.INVOICE, INVOICE),
        (Kind.CREDIT, INVOICE | {"credited_invoice_no": "F-0", "is_last_for_order": None}),
        (Kind.CANCELLATION, {"client_order_ref": 1, "payments": [{"payment_ref": "R"}]}),
    ],
)
def test_every_kind_of_report_arrives_at_norce(
    norce: tuple[FakeConnect, NorceCourier], kind: Kind, payload: dict[str, Any]
) -> None:
    fake, courier = norce
    assert deliver(courier, Delivery(message(kind=kind, payload=payload), None)) == [DELIVERED]
    (received,) = fake.received
    assert (
        received.operation.wire_name.lower()
        .removeprefix("send")
        .removeprefix("create")
        .startswith(
            {
                "order-status": "orderstatus",
                "delivery-note": "delivery",
                "credit": "credit",
                "cancellation": "cancel",
            }.get(kind.value, "invoice")
        )
    )


@pytest.mark.parametrize(
    ("behaviour", "outcome", "is_down"),
    [
        (ActsThenDrops(), Outcome.UNKNOWN, False),
        (Drops(), Outcome.UNKNOWN, False),
        (AnswersFault("Åsa 19800101-1234"), Outcome.REFUSED, False),
        (unauthorized(), Outcome.NOT_DELIVERED, True),
        (throttled(77), Outcome.NOT_DELIVERED, True),
        (html(), Outcome.UNKNOWN, True),
        (html(status=500), Outcome.UNKNOWN, False),
    ],
)
def test_what_norce_does_becomes_a_verdict(
    norce: tuple[FakeConnect, NorceCourier], behaviour: Behaviour, outcome: Outcome, is_down: bool
) -> None:
    fake, courier = norce
    fake.will(behaviour)
    (verdict,) = deliver(courier, Delivery(message(kind=Kind.ORDER_STATUS, payload=STATUS), None))
    assert (verdict.outcome, verdict.is_down) == (outcome, is_down)
    assert verdict.retry_after_seconds == (77 if behaviour == throttled(77) else None)


def test_a_report_that_no_longer_fits_is_refused_without_its_values(norce: tuple[FakeConnect, NorceCourier]) -> None:
    fake, courier = norce
    payload = INVOICE | {"name": 19800101, "vat": "Åsa"}
    (verdict,) = deliver(courier, Delivery(message(kind=Kind.INVOICE, payload=payload), None))
    assert verdict.outcome is Outcome.REFUSED
    assert "vat: must be a Decimal" in (verdict.detail or "")
    assert fake.request_count == 0
