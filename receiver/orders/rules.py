"""What makes an order acceptable: a usable reference and line numbers that are unique. Nothing else.

Norce promises no other member, so nothing else may be required: an order refused here is a sale that stops.
Values that do not fit their types were already reported by the decoder.
"""

from __future__ import annotations

from receiver.errors import Problem
from receiver.orders.model import Order

LONGEST_REF = 50
"""Characters in a ClientOrderRef, as Norce documents it."""


def problems_of(order: Order) -> list[Problem]:
    """Every broken rule with the path of the member that breaks it; empty for an acceptable order."""
    return [*_problems_of_reference(order.client_order_ref), *_problems_of_line_numbers(order)]


def _problems_of_reference(ref: str | None) -> list[Problem]:
    path = "ClientOrderRef"
    if ref is None:
        return [Problem(path, "is missing; an order needs it to be told from others")]
    length = len(ref.strip())
    if length == 0:
        return [Problem(path, "is blank; an order needs it to be told from others")]
    if length > LONGEST_REF:
        return [Problem(path, f"has {length} characters; at most {LONGEST_REF} are allowed")]
    return []


def _problems_of_line_numbers(order: Order) -> list[Problem]:
    problems = []
    first_with: dict[int, int] = {}
    for position, line in enumerate(order.lines or (), start=1):
        if line.line_no is None:
            continue
        first = first_with.setdefault(line.line_no, position)
        if first != position:
            text = f"{line.line_no} is also the number of Items/OrderItem[{first}]"
            problems.append(Problem(f"Items/OrderItem[{position}]/LineNo", text))
    return problems
