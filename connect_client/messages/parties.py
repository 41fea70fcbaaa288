"""Who buys, pays and receives an order that was taken outside Norce. All of it is personal data."""

from __future__ import annotations

from typing import Annotated

from connect_client.messages.fields import Flag, Reference, Words, Words50, Words100, Words255, words
from connect_client.messages.parts import Address, Info
from connect_client.messages.rules import Message, message, one_of


@message()
class Company(Message):
    """The company of a party. Norce keeps code, name and VAT number; the rest is deprecated there."""

    code: Words50 | None = None
    """The ERP's code of the company."""
    name: Words100 | None = None
    """Its name."""
    vat_no: Words50 | None = None
    """Its VAT number."""
    additional_info: tuple[Info, ...] | None = None
    """Deprecated, like all that follows."""
    phone: Words | None = None
    """Deprecated: give it on the person."""
    fax: Words | None = None
    """Deprecated."""
    email: Words | None = None
    """Deprecated: give it on the person."""
    addresses: tuple[Address, ...] | None = None
    """Deprecated: give it on the person."""
    pricelist_codes: tuple[Reference, ...] | None = None
    """Deprecated."""
    pricelist_limit: Flag = False
    """Deprecated."""
    payment_codes: tuple[Reference, ...] | None = None
    """Deprecated."""
    payment_code_limit: Flag = False
    """Deprecated."""
    delivery_codes: tuple[Reference, ...] | None = None
    """Deprecated."""
    delivery_code_limit: Flag = False
    """Deprecated."""
    is_active: Flag | None = None
    """Deprecated."""


@message()
class Person(Message):
    """The person of a party (contract: Customer); a company's e-mail and address belong here too."""

    customer_code: Words50 | None = None
    """The ERP's code of the person."""
    first_name: Words50 | None = None
    """Given name."""
    last_name: Words50 | None = None
    """Family name."""
    email: Words255 | None = None
    """E-mail address."""
    cell_phone: Words50 | None = None
    """Mobile phone."""
    private_phone: Words50 | None = None
    """Phone at home."""
    work_phone: Words50 | None = None
    """Phone at work."""
    ssn: Words50 | None = None
    """Personal number."""
    job_title: Annotated[str, words(10)] | None = None
    """At most 10 characters."""
    address: Address | None = None
    """Postal address."""
    additional_info: tuple[Info, ...] | None = None
    """Extra information."""
    company_code: Words | None = None
    """Deprecated: always null."""
    is_active: Flag | None = None
    """Deprecated."""


@message(one_of("company", "person"))
class Party(Message):
    """The sell-to, bill-to or ship-to side (contract: ClientCustomer): "either a person or a company", or both."""

    company: Company | None = None
    """The company, if one buys."""
    person: Person | None = None
    """The person, also the one to ask for at a company."""
