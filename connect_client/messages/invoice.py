"""Invoices, which make Norce capture the payment, and credits, which make it pay back.

Success of the call does not mean that money moved: Norce captures later and raises InvoiceCaptureCompletedEvent with
the outcome. Some payment providers capture a payment only once and whole; for those, invoice once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from connect_client.messages.billed_lines import invoice_lines, order_payment
from connect_client.messages.fields import (
    Country,
    Currency,
    Flag,
    Guid,
    Moment,
    Number,
    OrderRef,
    Reference,
    Reference50,
    Words,
)
from connect_client.messages.invoice_line import InvoiceLine
from connect_client.messages.parts import Payment
from connect_client.messages.rules import Message, Values, message, needed, one_of
from connect_client.messages.stored_order import StoredOrder


@message()
class _Bill(Message):
    """What invoices and credits have in common (contract: Invoice). Source: Norce's page on Invoice, the contract."""

    erp_order_no: Reference50
    """The ERP's order number."""
    currency_code: Currency
    """ISO 4217 code of all amounts here."""
    invoice_date: Moment
    """When it was made out."""
    delivery_date: Moment
    """When the goods were delivered. Norce would store the year 1 for a missing one, as with the other dates."""
    invoice_due_date: Moment
    """When it is to be paid; the invoice date where the payment was made in the shop."""
    lines: tuple[InvoiceLine, ...]
    """What is billed; "Mandatory for PSP capture"."""
    vat: Number
    """VAT of the whole, in `currency_code`."""
    client_order_ref: OrderRef | None = None
    """Norce's reference, a positive int32; the text that came with the order is accepted."""
    invoice_no: Reference | None = None
    """The ERP's number; must be unique. Either this or `client_order_ref` is needed."""
    payment: Payment | None = None
    """Which payment of the order, and in `amount` how much of it, including VAT."""
    invoice_round_off: Number = Decimal(0)
    """What rounding added to the total, in `currency_code`."""
    suppress_psp_call: Flag = False
    """True stores it as information only: no payment provider is called, no money moves."""
    group_code: Reference | None = None
    """Groups partial invoices. Norce: not commonly used."""
    application_key: Guid | None = None
    """The application that took the order."""
    payment_method_code: Words | None = None
    """For receipts."""
    payment_method_name: Words | None = None
    """For receipts."""
    culture_code: Words | None = None
    """Language for a provider that sends the invoice on, such as sv-SE."""
    country_code: Country | None = None
    """Country for a provider that sends the invoice on, such as SE."""
    name: Words | None = None
    """Receiver of the invoice; personal data, like the address below."""
    attention: Words | None = None
    """Whom to ask for."""
    care_of: Words | None = None
    """Whose letterbox it is."""
    address_line1: Words | None = None
    """Street and number."""
    address_line2: Words | None = None
    """Second line of the street."""
    zip_code: Words | None = None
    """Postal code."""
    city: Words | None = None
    """Town."""
    region: Words | None = None
    """State or county."""
    country: Words | None = None
    """Country of the receiver."""
    gln: Words | None = None
    """Global location number of the receiver."""
    comment: Words | None = None
    """A remark."""
    total_amount: Number = Decimal(0)
    """Obsolete in the contract: use `payment.amount`."""
    vat_round_off: Number | None = None
    """Obsolete in the contract."""


def _captures_or_says_so(values: Values) -> Iterator[tuple[str, str]]:
    if not values.get("lines", True) and values.get("suppress_psp_call") is not True:
        yield "lines", "an invoice without lines captures nothing: add its lines, or say suppress_psp_call=True"


@message(one_of("invoice_no", "client_order_ref"), _captures_or_says_so)
class Invoice(_Bill):
    """An invoice of the ERP; Norce captures the payment where there is one to capture.

    Several invoices to one order are several of these, each with its own number and lines.
    """

    is_last_for_order: Flag
    """False as long as other invoices follow. Norce takes silence for True and may let go of the reservation."""
    credited_invoice_no: Reference | None = None
    """Only credits need it: see Credit."""

    @classmethod
    def for_order(
        cls,
        order: object,
        *,
        invoice_no: str,
        erp_order_no: str,
        invoice_date: datetime,
        is_last_for_order: bool,
        quantities: Mapping[int, int] | None = None,
    ) -> Invoice:
        """The invoice for a stored order: an object with the order's attributes, or the order's JSON.

        `quantities` maps line numbers to what is billed now; None bills every line in full. The payment is the order's
        only one; its amount is the lines' sum with VAT, or what was reserved if the order is billed whole. Delivery
        and due date are the invoice date: use dataclasses.replace for others. Raises InvalidMessage for a line number
        the order does not have, a quantity that is not whole, and an order with several payments.
        """
        stored = StoredOrder(order, cls.__name__)
        lines = invoice_lines(stored, quantities)
        return cls(
            invoice_no=invoice_no,
            client_order_ref=stored.part("client_order_ref"),
            erp_order_no=erp_order_no,
            currency_code=stored.part("currency_code"),
            invoice_date=invoice_date,
            delivery_date=invoice_date,
            invoice_due_date=invoice_date,
            lines=lines,
            vat=sum((line.unit_vat * line.quantity for line in lines), Decimal(0)),
            payment=order_payment(stored, lines, is_whole=quantities is None),
            is_last_for_order=is_last_for_order,
        )


@message(one_of("invoice_no", "client_order_ref"), needed("lines", "a credit without lines pays nothing back"))
class Credit(_Bill):
    """Money goes back for goods that were invoiced, in whole or in part; sent with CreditPayment.

    Norce: "Must be related to an order, but can be a partly credit". Amounts and quantities are positive: the call
    says which way the money goes.
    """

    credited_invoice_no: Reference
    """The invoice that is credited. Mandatory for credits."""
    is_last_for_order: Flag | None = None
    """Belongs to invoices; leave it out."""
