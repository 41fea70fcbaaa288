"""Parts that several messages have in common: addresses, payments, extra information."""

from __future__ import annotations

from decimal import Decimal

from connect_client.messages.fields import (
    Country,
    Currency,
    Integer,
    Number,
    Reference,
    Words,
    Words50,
    Words100,
)
from connect_client.messages.rules import Message, message, one_of


@message()
class Info(Message):
    """One piece of extra information (contract: CodeValue). Source: Norce's page on CodeValue."""

    code2: Words | None = None
    """Which information this is: the configurable identifier. Always give this one."""
    value: Words | None = None
    """The information itself, as text."""
    id: Integer = 0
    """Norce's internal number of the information type; leave it 0 and use `code2`."""
    code: Words | None = None
    """Wrongly holds a name in older data (Norce: "has erroneous behaviour"); leave it out."""


@message()
class Address(Message):
    """A postal address; personal data. Lengths and the country's form are those of Norce's page on Address."""

    line1: Words100 | None = None
    """Street and number, at most 100 characters, like `line2`, `box` and `care_of`."""
    line2: Words100 | None = None
    """Second line of the street."""
    box: Words100 | None = None
    """Post-office box."""
    zip_code: Words50 | None = None
    """Postal code, at most 50 characters, like `city` and `region`."""
    city: Words50 | None = None
    """Town."""
    region: Words50 | None = None
    """State or county."""
    country: Country | None = None
    """ISO 3166-1 code, such as SE."""
    care_of: Words100 | None = None
    """Whose letterbox it is."""
    shipping_phone_number: Words50 | None = None
    """The carrier calls here. Not in Norce's REST documents, but in the contract."""
    gln: Words50 | None = None
    """Global location number; used for invoice addresses."""
    type: Words | None = None
    """Deprecated: Norce sends null and reads nothing from it."""


@message(one_of("payment_code", "payment_ref"))
class Payment(Message):
    """A payment of the order, by its code or by the provider's reference. Source: Norce's page on Payment."""

    payment_code: Integer | None = None
    """Norce's code of the payment, as it stood in the order."""
    payment_ref: Reference | None = None
    """The payment provider's transaction id, as it stood in the order."""
    payment_method_code: Words | None = None
    """The method as configured in Norce, such as Invoice or Card."""
    amount: Number = Decimal(0)
    """What is captured, credited or released, including VAT, after rounding, in `currency_code`."""
    currency_code: Currency | None = None
    """ISO 4217 code."""
    payment_name: Words | None = None
    """What the provider calls it, such as Swish."""
    additional_info: tuple[Info, ...] | None = None
    """Extra information for the provider."""
