"""Takes a report of the ERP into the outbox: understood whole, about an order that is here, once under its key.

A submitted report is a committed report; the relay sends it. A Confirmed status gives the order its ERP number in the
same commit, so that a repeat of the order is answered with it from then on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from connect_client import (
    Cancellation,
    Credit,
    DeliveryNote,
    InvalidMessage,
    Invoice,
    OrderStatus,
    OrderStatusUpdate,
    message_as_json,
    read_message,
)
from connect_client.errors import shown_name
from receiver import logs
from receiver.errors import OrderUnclear, OrderUnknown, Problem, ReportInvalid
from receiver.outbox.message import Kind
from receiver.ports import Appended, KnownOrder, Report, Unit, Units

MESSAGES: dict[Kind, type[Any]] = {
    Kind.ORDER_STATUS: OrderStatusUpdate,
    Kind.DELIVERY_NOTE: DeliveryNote,
    Kind.INVOICE: Invoice,
    Kind.CREDIT: Credit,
    Kind.CANCELLATION: Cancellation,
}
"""The reports, each with the message of the client that it carries."""

_MEMBERS = frozenset({"kind", "client_order_ref", "erp_order_no", "application_key", "key", "report"})
_LONGEST_KEY = 150
_DIGITS_OF_DIGEST = 24


@dataclass(frozen=True, slots=True)
class Submitted:
    """A report that is in the outbox, under its whole key."""

    key: str
    appended: Appended


def submit_report(document: object, *, units: Units) -> Submitted:
    """Append the report that a JSON document describes.

    The document has `kind`, `report` (the fields of the kind's message), and where needed `client_order_ref` or
    `erp_order_no`, `application_key`, and `key`. Raises ReportInvalid with every problem and its path, OrderUnknown,
    OrderUnclear, ReportConflict for a key that was used for other content, and TryAgainLater.
    """
    understood = _understood(document)
    with units.begin() as unit:
        order = _order_of(understood, unit)
        report = understood.about(order)
        appended = unit.outbox.append_report(report)
        unit.commit()
    logs.note(
        logs.REPORT_SUBMITTED,
        kind=report.kind.value,
        client_order_ref=order.client_order_ref,
        message_id=appended.message_id,
        is_repeat=appended.is_repeat,
    )
    return Submitted(report.key, appended)


def confirmation(order: KnownOrder, erp_order_no: str) -> Report:
    """The report with which an order that the ERP took at once is acknowledged to Norce.

    Raises InvalidMessage for a number that the contract cannot carry.
    """
    ref = order.client_order_ref
    update = OrderStatusUpdate(
        # The reference of another system's order may be a text; the ERP's number finds it too.
        client_order_ref=ref if ref.isascii() and ref.isdigit() and 0 < int(ref) < 2**31 else None,
        erp_order_no=erp_order_no,
        status=OrderStatus.CONFIRMED,
    )
    return _Understood(Kind.ORDER_STATUS, update, ref, None, order.application_key, None).about(order)


@dataclass(frozen=True, slots=True)
class _Understood:
    kind: Kind
    message: Any
    client_order_ref: str | None
    erp_order_no: str | None
    application_key: UUID | None
    key: str | None

    def about(self, order: KnownOrder) -> Report:
        payload = message_as_json(self.message)
        content = json.dumps([self.kind.value, order.order_id, payload], sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()
        return Report(
            kind=self.kind,
            key=f"{self.kind.value}:{_fitting(self.key or self._own_key(order, digest))}",
            order_id=order.order_id,
            payload=payload,
            digest=digest,
            erp_order_no=self.message.erp_order_no if _confirms(self) else None,
        )

    def _own_key(self, order: KnownOrder, digest: str) -> str:
        match self.kind:
            case Kind.DELIVERY_NOTE:
                return str(self.message.note_no)
            case Kind.INVOICE | Kind.CREDIT:
                return str(self.message.invoice_no)
            case Kind.CANCELLATION:
                return str(order.order_id)
            case _:
                return f"{order.order_id}:{digest[:_DIGITS_OF_DIGEST]}"


def _fitting(key: str) -> str:
    """The key, or its digest where it is longer than what is kept of one."""
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _understood(document: object) -> _Understood:
    if not isinstance(document, Mapping):
        raise ReportInvalid([Problem("", "must be a JSON object")])
    problems = [Problem(shown_name(str(name)), "is no member of a report") for name in document if name not in _MEMBERS]
    texts = {name: _text(document, name, problems) for name in ("client_order_ref", "erp_order_no", "key")}
    application_key = _guid(document, problems)
    kind = _kind(document, problems)
    message = _message(kind, document, problems) if kind else None
    if kind in (Kind.INVOICE, Kind.CREDIT) and message is not None and not (texts["key"] or message.invoice_no):
        problems.append(Problem("report.invoice_no", "is required: it is the report's key; or give a key"))
    if problems or kind is None:
        raise ReportInvalid(problems)
    return _Understood(kind, message, texts["client_order_ref"], texts["erp_order_no"], application_key, texts["key"])


def _kind(document: Mapping[str, Any], problems: list[Problem]) -> Kind | None:
    given = document.get("kind")
    known = [kind.value for kind in MESSAGES]
    if given not in known:
        problems.append(Problem("kind", f"must be one of {', '.join(known)}"))
        return None
    return Kind(given)


def _message(kind: Kind, document: Mapping[str, Any], problems: list[Problem]) -> Any:
    given = document.get("report")
    if not isinstance(given, Mapping):
        problems.append(Problem("report", f"is required: the fields of {MESSAGES[kind].__name__}"))
        return None
    try:
        return read_message(MESSAGES[kind], given)
    except InvalidMessage as error:
        problems.extend(Problem(f"report.{each.path}".rstrip("."), each.text) for each in error.problems)
        return None


def _text(document: Mapping[str, Any], name: str, problems: list[Problem]) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _LONGEST_KEY:
        problems.append(Problem(name, f"must be a text of 1 to {_LONGEST_KEY} printable characters"))
        return None
    return value.strip()


def _guid(document: Mapping[str, Any], problems: list[Problem]) -> UUID | None:
    value = document.get("application_key")
    try:
        return None if value is None else UUID(value)
    except (ValueError, AttributeError, TypeError):
        problems.append(Problem("application_key", "must be a GUID"))
        return None


def _order_of(understood: _Understood, unit: Unit) -> KnownOrder:
    message = understood.message
    own_ref, own_number = getattr(message, "client_order_ref", None), _own_number(message)
    ref = understood.client_order_ref or (None if own_ref is None else str(own_ref))
    number = understood.erp_order_no
    if ref is None and number is None:
        number = own_number
    found = unit.orders.known(client_order_ref=ref, erp_order_no=number, application_key=understood.application_key)
    if not found:
        raise OrderUnknown("no order with these references was received here")
    if len(found) > 1:
        raise OrderUnclear("several orders have these references; add application_key or client_order_ref")
    _require_one_order(understood, found[0], unit)
    return found[0]


def _own_number(message: Any) -> str | None:
    number: str | None = getattr(message, "erp_order_no", None) or getattr(message, "order_no", None)
    return number


def _require_one_order(understood: _Understood, order: KnownOrder, unit: Unit) -> None:
    """A report that names two orders would be kept with one and sent about the other."""
    message = understood.message
    problems: list[Problem] = []
    own_ref, own_number = getattr(message, "client_order_ref", None), _own_number(message)
    given = {"client_order_ref": understood.client_order_ref, "erp_order_no": understood.erp_order_no}
    found_by = next((name for name, value in given.items() if value is not None), "report.client_order_ref")
    if own_ref is not None and str(own_ref) != order.client_order_ref.lstrip("0"):
        problems.append(Problem("report.client_order_ref", f"names another order than {found_by}"))
    # A Confirmed status may give a number that another order has: ERPs make one order of several.
    if own_number is not None and not _confirms(understood) and _is_anothers(own_number, order, unit):
        path = "report.order_no" if hasattr(message, "order_no") else "report.erp_order_no"
        problems.append(Problem(path, "is the number of another order than the report is about"))
    if problems:
        raise ReportInvalid([Problem(found_by, "names one order, and the report another"), *problems])


def _confirms(understood: _Understood) -> bool:
    return understood.kind is Kind.ORDER_STATUS and understood.message.status is OrderStatus.CONFIRMED


def _is_anothers(number: str, order: KnownOrder, unit: Unit) -> bool:
    key = order.application_key
    if unit.orders.known(client_order_ref=order.client_order_ref, erp_order_no=number, application_key=key):
        return False
    return bool(unit.orders.known(client_order_ref=None, erp_order_no=number, application_key=key))
