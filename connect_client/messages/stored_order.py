"""A stored order as the messages about it need it: an object with the order's attributes, or its JSON.

Only what is asked for is looked at, so any class with attributes of these names will do: `lines` with `line_no`,
`part_no`, `description`, `quantity`, `quantity2`, `unit_price`, `unit_vat`, `vat_rate`; `client_order_ref`,
`currency_code`; `payments` with `payment_code`, `payment_ref`, `payment_method_code`, `amount`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from connect_client.errors import InvalidMessage, Problem
from connect_client.messages.rules import part_of


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One order line; `quantity` is the decimal one where the order has it, prices are for one item, without VAT."""

    line_no: int
    part_no: str
    description: str | None
    quantity: Decimal
    unit_price: Decimal
    unit_vat: Decimal
    vat_rate: Decimal


class StoredOrder:
    """Reads an order for a message of the given name; what is missing becomes an InvalidMessage about that one."""

    def __init__(self, order: object, message: str) -> None:
        self._order = json.loads(order, parse_float=Decimal) if isinstance(order, str | bytes) else order
        self._message = message
        found = self.part("lines")
        if not isinstance(found, Iterable):
            raise self.wrong("order.lines", "is missing")
        self.lines = tuple(self._line(line, f"order.lines[{number}]") for number, line in enumerate(found))

    def part(self, name: str) -> Any:
        """One attribute of the order, None if it has none of that name."""
        return part_of(self._order, name)

    def wrong(self, path: str, text: str) -> InvalidMessage:
        """The error for a problem of the order itself."""
        return InvalidMessage(self._message, [Problem(path, text)])

    def chosen(self, quantities: Mapping[int, Any] | None) -> list[tuple[StoredLine, Decimal]]:
        """The lines a message is about, each with its quantity: all of them in full, or those of `quantities`."""
        if quantities is None:
            return [(line, line.quantity) for line in self.lines]
        by_number = {line.line_no: line for line in self.lines}
        problems = [Problem(f"quantities[{n}]", "is no line of the order") for n in quantities if n not in by_number]
        for number, quantity in quantities.items():
            if not isinstance(quantity, Decimal | int):
                problems.append(Problem(f"quantities[{number}]", "must be a Decimal or a whole number"))
        if problems:
            raise InvalidMessage(self._message, problems)
        return [(by_number[number], Decimal(quantity)) for number, quantity in quantities.items()]

    def _line(self, line: object, path: str) -> StoredLine:
        def number(name: str) -> Decimal:
            value = part_of(line, name)
            try:
                return Decimal(value) if isinstance(value, str | int | Decimal) else Decimal("NaN")
            except InvalidOperation:
                return Decimal("NaN")

        quantity = number("quantity") if part_of(line, "quantity2") is None else number("quantity2")
        numbers = {"quantity": quantity, **{name: number(name) for name in ("unit_price", "unit_vat", "vat_rate")}}
        problems = [Problem(f"{path}.{name}", "is missing or no number") for name in numbers if numbers[name].is_nan()]
        line_no, part_no = part_of(line, "line_no"), part_of(line, "part_no")
        problems += [] if isinstance(line_no, int) else [Problem(f"{path}.line_no", "is missing or no number")]
        problems += [] if isinstance(part_no, str) else [Problem(f"{path}.part_no", "is missing")]
        if problems:
            raise InvalidMessage(self._message, problems)
        return StoredLine(line_no=line_no, part_no=part_no, description=part_of(line, "description"), **numbers)
