"""Orders as the history shows them: the latest revision, and what the ERP has reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from connect_client import ParcelStatus
from receiver.outbox.message import Kind
from receiver.storage.order_queries import OrderLineRow, OrderSummary
from receiver.storage.story_queries import ReportRow, TimelineEntry

_SECTIONS = {
    "statuses": Kind.ORDER_STATUS,
    "deliveries": Kind.DELIVERY_NOTE,
    "invoices": Kind.INVOICE,
    "credits": Kind.CREDIT,
    "cancellations": Kind.CANCELLATION,
}


def summary_document(order: OrderSummary) -> dict[str, object]:
    """An order without its lines, which are counted; its row's number is nobody's business."""
    values = asdict(order)
    del values["order_id"]
    values["line_count"] = values.pop("lines")
    return values


def order_document(
    order: OrderSummary,
    *,
    lines: Iterable[OrderLineRow],
    reports: Sequence[ReportRow],
    timeline: Iterable[TimelineEntry],
) -> dict[str, object]:
    """An order with everything that belongs to it; of a timeline's entry only what is known of it."""
    return {
        **summary_document(order),
        "lines": [asdict(line) for line in lines],
        **{name: [_report(each) for each in reports if each.kind == kind] for name, kind in _SECTIONS.items()},
        "timeline": [{name: value for name, value in asdict(entry).items() if value is not None} for entry in timeline],
    }


def _report(report: ReportRow) -> dict[str, Any]:
    """A report and where it stands on its way; a delivery's parcels are told in words, for Norce counts states."""
    values = asdict(report)
    del values["kind"]
    said = values["report"] = values.pop("payload")
    if report.kind == Kind.DELIVERY_NOTE:
        values["parcels"] = [
            {"tracking_no": parcel["tracking_no"], "state": _parcel_state(parcel["status"])}
            for parcel in said.get("parcels", ())
        ]
    return values


def _parcel_state(number: int) -> str:
    known = {status.value: status.name.lower() for status in ParcelStatus}
    return known.get(number, str(number))
