"""An order that was taken outside Norce and is to be known there. In the contract, not in Norce's public documents."""

from __future__ import annotations

from decimal import Decimal

from connect_client.messages.fields import (
    Currency,
    Flag,
    Guid,
    Integer,
    Moment,
    Number,
    Reference,
    Reference50,
    Words,
    Words50,
    Words255,
)
from connect_client.messages.invoice import Invoice
from connect_client.messages.parties import Party
from connect_client.messages.parts import Address, Info
from connect_client.messages.rules import Message, message, needed


@message()
class Promotion(Message):
    """A promotion applied to a line."""

    applied_amount: Number
    """What it took off, in the order's currency."""
    id: Words | None = None
    """Its id."""
    name: Words255 | None = None
    """Its name."""
    discount_code: Words50 | None = None
    """The code the customer gave."""


@message()
class PriceListEntry(Message):
    """A price list that the original price came from (contract: PriceListItem)."""

    price_list_name: Words50
    """Its name."""
    unit_price: Number
    """Its price of one item, excluding VAT."""
    qty_break: Integer = 0
    """From which quantity the price holds."""
    is_standard_price_list: Flag = False
    """Whether it is the standard price list."""
    is_active: Flag = False
    """Whether it is active."""


@message()
class OrderLine(Message):
    """One row of the order (contract: OrderItem). Prices are for one item, excluding VAT, in the order's currency."""

    line_no: Integer
    """Unique in the order."""
    part_no: Reference
    """The part number."""
    quantity: Integer
    """Whole items; for other quantities see `quantity2`."""
    unit_price: Number
    """Price of one item after discounts."""
    unit_price_original: Number
    """Price of one item before discounts."""
    unit_vat: Number
    """VAT of one item."""
    vat_rate: Number
    """Percent: 25, not 0.25 or 1.25."""
    discount: Number = Decimal(0)
    """For information: the unit price is already reduced by it. Whether per item or row is not documented."""
    quantity2: Number | None = None
    """The quantity where it is not whole."""
    parent_line_no: Integer | None = None
    """The row of the package or bundle this one is part of."""
    type: Words | None = None
    """Product type, such as ErpStandard or Freight."""
    type_group: Words | None = None
    """Undefined, Physical, Virtual, Fee, Service or AddedFee."""
    erp_part_no: Reference | None = None
    """The ERP's part number, where it differs."""
    internal_product_id: Integer = 0
    """Norce's id of the product."""
    description: Words | None = None
    """What it is."""
    unit_of_measure: Words | None = None
    """The unit of the quantity."""
    price_list_no: Integer | None = None
    """Number of the price list."""
    comment: Words | None = None
    """A remark."""
    additional_info: tuple[Info, ...] | None = None
    """Extra information."""
    price_lists: tuple[PriceListEntry, ...] | None = None
    """Where the original price came from."""
    promotions: tuple[Promotion, ...] | None = None
    """Promotions that were applied."""
    manufacturer_code: Words | None = None
    """The manufacturer's code."""


@message()
class PickupStore(Message):
    """The store or drop point where the customer fetches the parcel."""

    code: Words | None = None
    """The transporter's code of it."""
    name: Words | None = None
    """Its name."""
    is_drop_point: Flag = False
    """Whether it is a carrier's drop point."""
    address: Address | None = None
    """Where it is."""
    additional_info: tuple[Info, ...] | None = None
    """Extra information."""


@message()
class ShippingAdvice(Message):
    """How the order is to be shipped."""

    delivery_method_code: Words | None = None
    """The method as configured in Norce."""
    do_sms_notify: Flag = False
    """Whether the customer gets a text message."""
    is_complete: Flag = False
    """True ships once and whole: no partial deliveries."""
    is_fee_charged_once: Flag = False
    """True charges freight once, however many deliveries there are."""
    pickup_store: PickupStore | None = None
    """Where the customer fetches it."""
    ship_advisor_order_code: Words | None = None
    """The shipping system's code of the order."""
    tms_reference: Words | None = None
    """The payment provider's or shipping system's reference of the shipment."""


@message()
class Header(Message):
    """Which of the merchant's applications the order belongs to."""

    application_key: Guid | None = None
    """The application's key."""


@message(needed("lines", "an order without lines sells nothing"))
class ExternalOrder(Message):
    """An order that was taken outside Norce. Repeating the call may make a second order there."""

    erp_order_no: Reference50
    """The ERP's number, by which later reports find the order: it may have no numeric reference in Norce."""
    order_date: Moment
    """When it was taken."""
    currency_code: Currency
    """ISO 4217 code of all amounts here."""
    lines: tuple[OrderLine, ...]
    """What was bought, freight and fees included."""
    header: Header | None = None
    """The application it belongs to."""
    sell_to: Party | None = None
    """Who buys."""
    bill_to: Party | None = None
    """Who pays."""
    ship_to: Party | None = None
    """Who receives."""
    sales_division_code: Words | None = None
    """The division that sold it."""
    sales_contact_code: Words50 | None = None
    """The seller."""
    delivery_division_code: Words | None = None
    """The division that delivers it."""
    customer_order_ref: Words50 | None = None
    """The buyer's reference."""
    customer_order_comment: Words | None = None
    """The buyer's remark."""
    invoices: tuple[Invoice, ...] | None = None
    """Invoices that exist already."""
    shipping_advice: ShippingAdvice | None = None
    """How it is shipped."""
    additional_info: tuple[Info, ...] | None = None
    """Extra information."""
    source: Words | None = None
    """The system it comes from."""
