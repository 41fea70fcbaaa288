"""Orders and reports in an outbox, and couriers whose verdicts a test decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import update

from receiver.flows.accept_order import AcceptOrder
from receiver.flows.relay_outbox import RelayOutbox
from receiver.flows.submit_report import Submitted, submit_report
from receiver.orders.identity import Content, fingerprint, key_of
from receiver.outbox.message import Destination, Outcome, Verdict
from receiver.ports import Delivery, Receipt, ReceivedOrder
from receiver.settings import OnChangedRepeat
from receiver.soap.service import order_reader
from receiver.storage import tables
from receiver.storage.engine import new_engine
from receiver.storage.unit_of_work import SqlUnits
from tests.databases import rows_of
from tests.order_xml import order_xml

XML = "text/xml; charset=utf-8"
ERP, NORCE = Destination.ERP, Destination.NORCE
DELIVERED = Verdict(Outcome.DELIVERED)
DOWN = Verdict(Outcome.NOT_DELIVERED, "no connection", is_down=True)
NOT_NOW = Verdict(Outcome.NOT_DELIVERED, "not now")
REFUSED = Verdict(Outcome.REFUSED, "no such order")
UNKNOWN = Verdict(Outcome.UNKNOWN, "no reply in time")


@dataclass
class DecidingCourier:
    """Implements `ports.Courier`: `decide` gives the verdict of each delivery, and all that were tried are kept."""

    decide: Callable[[Delivery], Verdict] = lambda _: DELIVERED
    batch_size: int = 10
    tried: list[Delivery] = field(default_factory=list)

    def deliver(self, deliveries: Sequence[Delivery], *, until: float) -> Sequence[Verdict]:
        verdicts: list[Verdict] = []
        for delivery in deliveries:
            self.tried.append(delivery)
            verdicts.append(self.decide(delivery))
            if verdicts[-1].is_down:
                break
        return verdicts

    def close(self) -> None:
        pass

    @property
    def said(self) -> list[tuple[str, str, int | None]]:
        """Reference, kind and revision of everything that was tried."""
        found = (delivery.message for delivery in self.tried)
        return [(message.client_order_ref, message.kind.value, message.revision) for message in found]


class Never:
    """A stop signal that does not come; waiting costs nothing."""

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        return False


@dataclass
class Outbox:
    """A database with its flows."""

    url: str
    units: SqlUnits

    def accept(self, ref: str, *, comment: str = "first") -> None:
        """Receive an order, or another revision of it."""
        read = order_reader()
        body = order_xml(ref, comment=comment)
        order = read(body, XML)
        accept = AcceptOrder(self.units, OnChangedRepeat.REVISE, lambda body, kind: Content(read(body, kind), ()))
        receipt = Receipt(body, datetime.now(UTC), "127.0.0.1", XML)
        accept(ReceivedOrder(order, receipt, key_of(order), fingerprint(body), {}))

    def report(self, kind: str, report: dict[str, Any], **members: Any) -> Submitted:
        """Submit a report."""
        return submit_report({"kind": kind, "report": report, **members}, units=self.units)

    def relay(self, **couriers: DecidingCourier) -> RelayOutbox:
        """A relay with couriers by destination."""
        return RelayOutbox(self.units, {Destination(name): each for name, each in couriers.items()}, order_reader())

    def rows(self) -> list[dict[str, Any]]:
        """All messages, in the order they were appended."""
        return rows_of(self.url, tables.outbox)

    def states(self) -> list[str]:
        return [row["state"] for row in self.rows()]

    def attempts(self) -> list[tuple[int, str, str | None]]:
        """Message, outcome and detail of all attempts."""
        return [(row["message_id"], row["outcome"], row["detail"]) for row in rows_of(self.url, tables.outbox_attempts)]

    def order(self, ref: str) -> dict[str, Any]:
        (row,) = rows_of(self.url, tables.orders, client_order_ref=ref)
        return row

    def change(self, **values: Any) -> None:
        """Change every message, as time or another release would."""
        engine = new_engine(self.url)
        try:
            with engine.begin() as connection:
                connection.execute(update(tables.outbox).values(**values))
        finally:
            engine.dispose()

    def make_due(self) -> None:
        self.change(due_at=datetime(2020, 1, 1, tzinfo=UTC))

    def lose_leases(self) -> None:
        """What a relay holds that was killed a while ago."""
        self.change(leased_until=datetime(2020, 1, 1, tzinfo=UTC))


@contextmanager
def outbox_on(url: str) -> Iterator[Outbox]:
    units = SqlUnits(new_engine(url), sender_zone=ZoneInfo("Europe/Stockholm"))
    yield Outbox(url, units)
    units.close()


STATUS = {"status": "OnHold", "client_order_ref": 700101}
CONFIRMED = {"status": "Confirmed", "client_order_ref": 700101, "erp_order_no": "SO-1"}
NOTE = {
    "order_no": "SO-1",
    "note_no": "DN-1",
    "delivery_date": "2026-11-24T10:00:00Z",
    "status": "Delivered",
    "lines": [{"row_number": 1, "part_no": "P-1", "quantity": "2"}],
    "parcels": [{"tracking_no": "PKT1", "status": 4}],
}
INVOICE = {
    "invoice_no": "F-1",
    "client_order_ref": 700101,
    "erp_order_no": "SO-1",
    "currency_code": "SEK",
    **{f"{name}_date": "2026-11-24T10:00:00Z" for name in ("invoice", "delivery", "invoice_due")},
    "vat": "25",
    "is_last_for_order": True,
    "lines": [
        {"line_no": 1, "part_no": "P-1", "quantity": 1, "unit_price": "100.10", "unit_vat": "25", "vat_rate": "25"}
    ],
}
