"""What the ERP's order number, given at once, does: it is stored, and the order is acknowledged to Norce."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from receiver.outbox.message import Outcome, Verdict
from tests.relaying import DecidingCourier, Never, Outbox, outbox_on

REF = "700101"
GO = Never()


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    with outbox_on(database_url) as outbox:
        yield outbox


def test_the_number_an_erp_gives_at_once_is_stored_and_reported(outbox: Outbox) -> None:
    outbox.accept(REF)
    norce = DecidingCourier()
    given = Verdict(Outcome.DELIVERED, erp_order_no="SO-9")
    outbox.relay(erp=DecidingCourier(lambda _: given), norce=norce).round(GO)
    (delivery,) = norce.tried
    assert delivery.message.payload == {"client_order_ref": 700101, "erp_order_no": "SO-9", "status": "Confirmed"}
    assert (outbox.order(REF)["erp_order_no"], outbox.order(REF)["state"]) == ("SO-9", "confirmed")


@pytest.mark.parametrize("number", ["", "x" * 51, "a\x00b"])
def test_a_number_that_norce_cannot_take_leaves_the_order_delivered(outbox: Outbox, number: str) -> None:
    outbox.accept(REF)
    outbox.relay(erp=DecidingCourier(lambda _: Verdict(Outcome.DELIVERED, erp_order_no=number))).round(GO)
    assert outbox.states() == ["delivered"]
    assert outbox.order(REF)["erp_order_no"] is None
    ((_, outcome, told),) = outbox.attempts()
    assert outcome == "delivered"
    assert (told or "").startswith("not acknowledged to Norce; the ERP's order number ")
    assert not number or number not in (told or "")


def test_an_order_with_a_reference_that_is_no_number_is_confirmed_by_the_erps_number(outbox: Outbox) -> None:
    outbox.accept("EXT-1")
    given = Verdict(Outcome.DELIVERED, erp_order_no="SO-9")
    outbox.relay(erp=DecidingCourier(lambda _: given)).round(GO)
    assert outbox.rows()[1]["payload"] == {"erp_order_no": "SO-9", "status": "Confirmed"}
