"""The order as the rest of the program sees it: the contract's members in snake_case, frozen.

Every field may be None: Norce promises no member, and a nil or missing one becomes None while an empty string stays
empty. The fields follow the contract member by member (`soap/contract.py` refuses to start when they differ), so the
only renamed one is `Items`, which the field calls order lines.
Money is excluding VAT unless a name says otherwise, in the order's currency; rates are percent (25, not 1.25).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from uuid import UUID

NO_APPLICATION = UUID(int=0)
"""Stands for a missing application key, so that one unique index serves every database."""


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """A moment as a caller wrote it: .NET sends 100 ns ticks and, for unspecified times, no zone at all.

    `text` is exact (`9999-12-31T23:59:59.9999999` survives); `clock` is the same, cut to microseconds, without zone;
    `offset` is None where none was written.
    """

    text: str
    clock: datetime
    offset: timedelta | None

    def at_utc(self, assumed_zone: tzinfo) -> datetime | None:
        """The moment in UTC, reading a time without offset in `assumed_zone`; None outside the years 1 to 9999."""
        try:
            if self.offset is None:
                return self.clock.replace(tzinfo=assumed_zone).astimezone(UTC)
            return (self.clock - self.offset).replace(tzinfo=UTC)
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Info:
    """Extra information (wire: CodeValue). `code2` identifies it; `code` wrongly carries a name in older senders."""

    id: int | None = None
    code: str | None = None
    value: str | None = None
    code2: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address. Personal data."""

    type: str | None = None
    line1: str | None = None
    line2: str | None = None
    box: str | None = None
    zip_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    care_of: str | None = None
    shipping_phone_number: str | None = None
    gln: str | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """The company of a party; sent empty for private buyers too, so test `code` and `name` for content."""

    code: str | None = None
    name: str | None = None
    vat_no: str | None = None
    phone: str | None = None
    fax: str | None = None
    email: str | None = None
    addresses: tuple[Address, ...] | None = None
    pricelist_codes: tuple[str, ...] | None = None
    pricelist_limit: bool | None = None
    payment_codes: tuple[str, ...] | None = None
    payment_code_limit: bool | None = None
    delivery_codes: tuple[str, ...] | None = None
    delivery_code_limit: bool | None = None
    is_active: bool | None = None
    additional_info: tuple[Info, ...] | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """The person of a party (wire type: Customer). A company's e-mail and address are found here too."""

    customer_code: str | None = None
    company_code: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    private_phone: str | None = None
    cell_phone: str | None = None
    work_phone: str | None = None
    email: str | None = None
    ssn: str | None = None
    address: Address | None = None
    additional_info: tuple[Info, ...] | None = None
    is_active: bool | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """The sell-to, bill-to or ship-to side (wire type: ClientCustomer): a person, a company, or both."""

    company: Company | None = None
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that was made or reserved; `amount` includes VAT, after rounding."""

    payment_code: int | None = None
    payment_method_code: str | None = None
    payment_ref: str | None = None
    amount: Decimal | None = None
    currency_code: str | None = None
    additional_info: tuple[Info, ...] | None = None
    payment_name: str | None = None


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount on the whole order that no line carries. Rare."""

    type: str | None = None
    code: str | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PickupStore:
    """The store or drop point where the customer fetches the parcel."""

    code: str | None = None
    name: str | None = None
    additional_info: tuple[Info, ...] | None = None
    is_drop_point: bool | None = None
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class ShippingAdvice:
    """How the order is to be shipped; `is_complete` means once and whole."""

    delivery_method_code: str | None = None
    do_sms_notify: bool | None = None
    pickup_store: PickupStore | None = None
    is_fee_charged_once: bool | None = None
    is_complete: bool | None = None
    ship_advisor_order_code: str | None = None
    tms_reference: str | None = None


@dataclass(frozen=True, slots=True)
class PriceListEntry:
    """A price list that the original unit price was based on (wire type: PriceListItem)."""

    price_list_name: str | None = None
    qty_break: int | None = None
    unit_price: Decimal | None = None
    is_standard_price_list: bool | None = None
    is_active: bool | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion applied to a line."""

    id: str | None = None
    name: str | None = None
    discount_code: str | None = None
    applied_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One row of the order; freight and fees are rows as well.

    `unit_price` is for one item after discounts, so `discount` is already in it; `unit_vat` is the VAT of one item.
    `parent_line_no` points to the package or bundle that the row is part of.
    """

    line_no: int | None = None
    parent_line_no: int | None = None
    type: str | None = None
    type_group: str | None = None
    part_no: str | None = None
    erp_part_no: str | None = None
    internal_product_id: int | None = None
    description: str | None = None
    quantity: int | None = None
    unit_of_measure: str | None = None
    unit_price: Decimal | None = None
    unit_price_original: Decimal | None = None
    discount: Decimal | None = None
    unit_vat: Decimal | None = None
    price_list_no: int | None = None
    vat_rate: Decimal | None = None
    comment: str | None = None
    additional_info: tuple[Info, ...] | None = None
    price_lists: tuple[PriceListEntry, ...] | None = None
    promotions: tuple[Promotion, ...] | None = None
    manufacturer_code: str | None = None
    quantity2: Decimal | None = None

    @property
    def ordered_quantity(self) -> Decimal | None:
        """The quantity that counts: the decimal `quantity2` where the sender gave one, else `quantity`."""
        if self.quantity2 is not None:
            return self.quantity2
        return None if self.quantity is None else Decimal(self.quantity)


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee on the whole order. Rare: fees are usually order lines."""

    type: str | None = None
    description: str | None = None
    amount: Decimal | None = None
    vat_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """Which of the merchant's applications took the order."""

    application_key: UUID | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What the customer bought (wire type: OrderRequest).

    `erp_order_no` here is only Norce's suggestion for the ERP; the number the ERP really gave arrives in a report.
    """

    sell_to: Party | None = None
    bill_to: Party | None = None
    ship_to: Party | None = None
    sales_contact_code: str | None = None
    sales_contact_division: str | None = None
    do_hold: bool | None = None
    client_order_ref: str | None = None
    erp_order_no: str | None = None
    customer_order_ref: str | None = None
    customer_order_comment: str | None = None
    submit_date: WrittenTime | None = None
    currency_code: str | None = None
    refer_id: int | None = None
    payments: tuple[Payment, ...] | None = None
    discounts: tuple[Discount, ...] | None = None
    shipping_advice: ShippingAdvice | None = None
    lines: tuple[OrderLine, ...] | None = None
    fees: tuple[Fee, ...] | None = None
    additional_info: tuple[Info, ...] | None = None
    header: Header | None = None
    order_type: str | None = None
    source: str | None = None
    customer_invoice_ref: str | None = None
    discount_code: str | None = None

    @property
    def application_key(self) -> UUID:
        """The application that took the order, or `NO_APPLICATION`."""
        return (self.header and self.header.application_key) or NO_APPLICATION

    @property
    def buyer_code(self) -> str | None:
        """The ERP's code of the buying company, else of the buying person, where the buyer is known to the ERP."""
        if self.sell_to is None:
            return None
        company, person = self.sell_to.company, self.sell_to.person
        return (company and company.code) or (person and person.customer_code) or None
