"""Whether an order is by or for a certain customer: by code, e-mail address, personal number or phone number.

Codes and addresses are compared in any case of letters, numbers by their digits alone: people write both as they like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from receiver.orders.model import Order, Party

_NO_DIGIT = re.compile(r"[^0-9]")
_LIKE_A_NUMBER = re.compile(r"[0-9 ()+/.-]+")
_FEWEST_DIGITS = 6
"""Of a phone or personal number; anything shorter would be somebody else's too."""


def concerns(order: Order, customer: str) -> bool:
    """Whether one of the order's parties has this code, e-mail address, personal number or phone number."""
    parties = [party for party in (order.sell_to, order.bill_to, order.ship_to) if party is not None]
    wanted = customer.strip().casefold()
    if any(wanted == text.strip().casefold() for party in parties for text in _names(party) if text):
        return True
    digits = _NO_DIGIT.sub("", wanted)
    if len(digits) < _FEWEST_DIGITS or not _LIKE_A_NUMBER.fullmatch(wanted):
        return False
    return any(digits == _NO_DIGIT.sub("", text) for party in parties for text in _numbers(party) if text)


def is_named_in(body: bytes, customer: str) -> bool:
    """Whether the customer stands anywhere in a request that cannot be read as an order, as a word of its own."""
    # UTF-16 without its zero bytes is close enough for a search.
    text = body.replace(b"\0", b"").decode("utf-8", "replace").casefold()
    wanted = re.escape(customer.strip().casefold())
    return re.search(rf"(?<![\w@.+-]){wanted}(?![\w@+-]|\.\w)", text) is not None


def _names(party: Party) -> Iterator[str | None]:
    if party.person is not None:
        yield from (party.person.customer_code, party.person.email, party.person.ssn)
    if party.company is not None:
        yield from (party.company.code, party.company.email, party.company.vat_no)


def _numbers(party: Party) -> Iterator[str | None]:
    person, company = party.person, party.company
    if person is not None:
        yield from (person.ssn, person.private_phone, person.cell_phone, person.work_phone)
        yield person.address.shipping_phone_number if person.address else None
    if company is not None:
        yield company.phone
        yield from (address.shipping_phone_number for address in company.addresses or ())
