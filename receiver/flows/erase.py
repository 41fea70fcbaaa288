"""Erases personal data: one customer's, or what is older than it needs to be. History and natural keys stay.

An order that still waits to be handed over, or whose report waits, is left alone and named: nothing that was
acknowledged may be lost by cleaning up. It happens in parts, each its own commit, so receiving goes on meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from receiver import logs
from receiver.errors import PayloadUnreadable, RequestRefused
from receiver.orders.customers import concerns, is_named_in
from receiver.ports import DecodeOrder, KeptData, KnownOrder, StoredRequest, Units

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be erased. `unread` are requests that nobody can read any more, so whose they are is not known."""

    orders: tuple[KnownOrder, ...]
    receipt_ids: tuple[int, ...]
    unread: tuple[StoredRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and the orders that were left because a message about them waits or is on its way."""

    orders: tuple[KnownOrder, ...]
    left: tuple[KnownOrder, ...]
    receipt_ids: tuple[int, ...]


def of_customer(customer: str, *, kept: KeptData, read: DecodeOrder) -> Found:
    """All orders with the customer among their parties, and refused requests that name the customer.

    Reads every stored request, about a thousand a second: what identifies a customer is kept nowhere else.
    """
    orders: dict[int, KnownOrder] = {}
    receipts: list[int] = []
    unread: list[StoredRequest] = []
    for request in kept.requests():
        try:
            if not _is_about(customer, request, read):
                continue
        except PayloadUnreadable:
            unread.append(request)
            continue
        if request.order is not None:
            orders[request.order.order_id] = request.order
        elif request.receipt_id is not None:
            receipts.append(request.receipt_id)
    return Found(tuple(orders.values()), tuple(receipts), tuple(unread))


def untouched_since(instant: datetime, *, kept: KeptData) -> Found:
    """All orders and refused requests that nothing has happened to since the instant."""
    return Found(tuple(kept.orders_untouched_since(instant)), tuple(kept.receipts_untouched_since(instant)))


def erase(found: Found, *, units: Units, even_waiting: bool = False, is_dry_run: bool = False) -> Erased:
    """Erase what was found; a dry run finds the same and changes nothing.

    With `even_waiting` messages that wait or are dead letters are discarded and their orders erased too.
    """
    done: set[int] = set()
    for part in _parts([order.order_id for order in found.orders]):
        with units.begin() as unit:
            done |= unit.erasures.erase_orders(part, even_waiting=even_waiting)
            if not is_dry_run:
                unit.commit()
    for part in _parts(found.receipt_ids):
        with units.begin() as unit:
            unit.erasures.erase_receipts(part)
            if not is_dry_run:
                unit.commit()
    erased = tuple(order for order in found.orders if order.order_id in done)
    left = tuple(order for order in found.orders if order.order_id not in done)
    if not is_dry_run:
        logs.note(logs.DATA_ERASED, orders=len(erased), left=len(left), refused=len(found.receipt_ids))
    return Erased(erased, left, found.receipt_ids)


def _is_about(customer: str, request: StoredRequest, read: DecodeOrder) -> bool:
    body = request.body()
    try:
        if concerns(read(body, request.media_type), customer):
            return True
    except RequestRefused:
        return is_named_in(body, customer)
    # What was refused as an order may name the customer where no order does.
    return request.order is None and is_named_in(body, customer)


def _parts(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
