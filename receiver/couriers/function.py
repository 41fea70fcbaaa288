"""Hands orders to a Python function of the merchant's own, in this process.

The function is called with a `receiver.orders.model.Order`. What it returns, if it is a text, is the ERP's order
number, with which the order is acknowledged to Norce. It may be called again with the same order, and must not make two
of it.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from receiver import logs
from receiver.couriers.in_turn import in_turn, order_of, unreadable
from receiver.errors import ReceiverError
from receiver.orders.model import Order
from receiver.outbox.message import Outcome, Verdict
from receiver.ports import Delivery

_LONGEST_DETAIL = 200

TakeOrder = Callable[[Order], str | None]


class Refused(Exception):
    """Raise this in the function to refuse an order for good; it becomes a dead letter.

    The text is shown to operators and logged, so keep personal data out of it.
    """


class FunctionCourier:
    """Implements `ports.Courier`; `target` is `package.module:function`; ValueError if there is none."""

    batch_size = 50

    def __init__(self, target: str) -> None:
        self._take_order = _found(target)

    def deliver(self, deliveries: Sequence[Delivery], *, until: float) -> list[Verdict]:
        """Call the function for one order after the other."""
        return in_turn(deliveries, self._attempt, until=until)

    def close(self) -> None:
        """Nothing is kept open."""

    def _attempt(self, delivery: Delivery) -> Verdict:
        try:
            order = order_of(delivery).order()
        except ReceiverError as error:
            return unreadable(error)
        try:
            number: object = self._take_order(order)
        except Refused as refusal:
            return Verdict(Outcome.REFUSED, str(refusal)[:_LONGEST_DETAIL])
        except (Exception, SystemExit) as error:
            # Anything else may be gone in a minute. Its text may quote the order, so only its type is kept. A function
            # that exits would take the relay with it.
            logs.failure(logs.RELAY_FAILED)
            return Verdict(Outcome.NOT_DELIVERED, f"the function raised {type(error).__name__}")
        if inspect.isawaitable(number):
            return Verdict(Outcome.NOT_DELIVERED, "the function is asynchronous and has done nothing yet")
        return Verdict(Outcome.DELIVERED, erp_order_no=number if isinstance(number, str) else None)


def _found(target: str) -> TakeOrder:
    module, _, name = target.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        # A module may lie where the relay is started, as for gunicorn; an installed one of the same name comes first.
        sys.path.append(here)
    try:
        found = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:
        # Whatever the merchant's module does when it is imported.
        raise ValueError(f"{target} cannot be imported: {type(error).__name__}") from error
    if not callable(found):
        raise ValueError(f"{target} cannot be called")
    if inspect.iscoroutinefunction(found) or inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
        raise ValueError(f"{target} must be a plain function: calling it would not run it")
    take_order: TakeOrder = found
    return take_order
