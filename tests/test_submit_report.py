"""Reports are taken whole, once under their key, about an order that is here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from receiver.errors import OrderUnclear, OrderUnknown, ReportConflict, ReportInvalid
from tests.relaying import CONFIRMED, INVOICE, NOTE, STATUS, Outbox, outbox_on

REF = "700101"


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    with outbox_on(database_url) as outbox:
        yield outbox


def test_the_same_report_twice_is_one_message_and_another_under_its_key_a_conflict(outbox: Outbox) -> None:
    outbox.accept(REF)
    first = outbox.report("delivery-note", NOTE, client_order_ref=REF)
    again = outbox.report("delivery-note", dict(reversed(NOTE.items())), client_order_ref=REF)
    assert first.key == again.key == "delivery-note:DN-1"
    assert (first.appended.is_repeat, again.appended.is_repeat) == (False, True)
    assert first.appended.message_id == again.appended.message_id
    with pytest.raises(ReportConflict):
        outbox.report("delivery-note", NOTE | {"note_text": "other"}, client_order_ref=REF)
    assert outbox.states() == ["pending", "pending"]


def test_a_confirmed_status_gives_the_order_its_number(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.report("order-status", CONFIRMED)
    assert (outbox.order(REF)["erp_order_no"], outbox.order(REF)["state"]) == ("SO-1", "confirmed")
    outbox.report("delivery-note", NOTE)  # found by the ERP's number
    assert [row["kind"] for row in outbox.rows()] == ["order", "order-status", "delivery-note"]


def test_what_is_wrong_with_a_report_is_told_with_every_path(outbox: Outbox) -> None:
    with pytest.raises(ReportInvalid) as caught:
        outbox.report("invoice", INVOICE | {"vat": "much", "lines": [{}]}, colour="blue", application_key="x")
    paths = {problem.path for problem in caught.value.problems}
    assert {"colour", "application_key", "report.vat", "report.lines[0].part_no"} <= paths
    for kind, report, path in (("order", {}, "kind"), ("invoice", [], "report")):
        with pytest.raises(ReportInvalid) as caught:
            outbox.report(kind, report)  # type: ignore[arg-type]
        assert path in {problem.path for problem in caught.value.problems}
    with pytest.raises(OrderUnknown):
        outbox.report("order-status", STATUS)
    assert outbox.rows() == []


def test_a_report_that_names_two_orders_is_refused_with_both_paths(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.accept("700102")
    outbox.report("order-status", CONFIRMED)
    other = {"client_order_ref": "700102"}

    def refused(kind: str, report: dict[str, Any], **members: Any) -> set[str]:
        with pytest.raises(ReportInvalid) as caught:
            outbox.report(kind, report, **members)
        return {problem.path for problem in caught.value.problems}

    assert refused("order-status", STATUS, **other) == {"client_order_ref", "report.client_order_ref"}
    assert refused("delivery-note", NOTE, **other) == {"client_order_ref", "report.order_no"}
    with pytest.raises(OrderUnknown):
        outbox.report("order-status", STATUS | {"client_order_ref": 700102}, erp_order_no="SO-1")
    assert refused("invoice", INVOICE | {"client_order_ref": 700102}) == {
        "report.client_order_ref",
        "report.erp_order_no",
    }
    assert len(outbox.rows()) == 3  # the orders and the confirmation


def test_an_erp_may_make_one_order_of_several(outbox: Outbox) -> None:
    for ref in (REF, "700102"):
        outbox.accept(ref)
        outbox.report("order-status", CONFIRMED | {"client_order_ref": int(ref)})
    with pytest.raises(OrderUnclear):
        outbox.report("delivery-note", NOTE)
    assert not outbox.report("delivery-note", NOTE, client_order_ref="700102").appended.is_repeat


def test_a_revised_order_that_is_confirmed_again_is_confirmed(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.report("order-status", CONFIRMED)
    outbox.accept(REF, comment="second")
    assert outbox.order(REF)["state"] == "received"
    assert outbox.report("order-status", CONFIRMED).appended.is_repeat
    assert (outbox.order(REF)["erp_order_no"], outbox.order(REF)["state"]) == ("SO-1", "confirmed")
