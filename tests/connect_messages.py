"""One fully populated message for each operation, and the ones that WCF clients were captured sending."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from connect_client import (
    Address,
    Cancellation,
    Company,
    Credit,
    DeliveredLine,
    DeliveryNote,
    ExternalOrder,
    Header,
    Info,
    Invoice,
    InvoiceLine,
    Operation,
    OrderLine,
    OrderStatus,
    OrderStatusUpdate,
    Parcel,
    ParcelStatus,
    Party,
    Payment,
    Person,
    PickupStore,
    PriceListEntry,
    Promotion,
    Shipment,
    ShipmentLine,
    ShipmentPackage,
    ShippingAdvice,
    WarehouseTransaction,
    WarehouseTransactionLine,
)

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)
SUMMER = datetime(2024, 7, 1, 12, 34, 56, 120000, tzinfo=timezone(timedelta(hours=2)))
KEY = UUID("3f2504e0-4f89-11d3-9a0c-0305e82c3301")

ADDRESS = Address(
    type="DeliveryAddress",
    line1="Åsögatan 12 & <port 3>",
    line2="Lägenhet \"B\" 'vån' 2",
    zip_code="118 29",
    city="Malmö",
    region="Skåne",
    country="SE",
    care_of="c/o Örjan Ärlig",
    shipping_phone_number="+46 70-123 45 67",
    gln="7300009012345",
)
INFOS = (Info(id=7, code="Colour", value="Blå\r\n", code2="COLOUR"), Info(code2="EMPTY", value=""))
PAYMENT = Payment(
    payment_code=3,
    payment_method_code="Invoice",
    payment_ref="R & D",
    amount=Decimal("125.00"),
    currency_code="SEK",
    payment_name="Swish",
    additional_info=INFOS,
)
WHOLE_ADDRESS = Address(
    line1="a", line2="b", box="c", zip_code="d", city="e", region="f", country="SE", care_of="g",
    shipping_phone_number="h", gln="i", type="j",
)  # fmt: skip


def billed_line(number: int) -> InvoiceLine:
    """A row with every field."""
    return InvoiceLine(
        line_no=Decimal(number),
        part_no=f"P-{number}",
        description="Tröja",
        quantity=2,
        unit_price=Decimal("99.9000"),
        sale_price=Decimal("1E+2"),
        line_amount=Decimal("199.80"),
        unit_vat=Decimal("24.975"),
        price_list="STD",
        vat_rate=Decimal(25),
        discount=Decimal("-0.10"),
        product_name="Tröja <XL>",
    )


def bill(kind: type[Any], **more: Any) -> Any:
    """An invoice or credit with every field."""
    return kind(
        invoice_no="F-1", client_order_ref=123456, erp_order_no="SO-1", delivery_date=NOON, invoice_date=SUMMER,
        invoice_due_date=NOON, payment=PAYMENT, currency_code="SEK", total_amount=Decimal("249.75"),
        invoice_round_off=Decimal("0.25"), vat=Decimal("49.95"), vat_round_off=Decimal(0),
        lines=(billed_line(1), billed_line(2)), name="Åsa", address_line1="a", address_line2="b", zip_code="c",
        city="d", application_key=KEY, credited_invoice_no="F-0", comment="e", attention="f", care_of="g", region="h",
        country="i", group_code="j", gln="k", payment_method_code="l", payment_method_name="m", suppress_psp_call=True,
        culture_code="sv-SE", country_code="SE", is_last_for_order=False, **more,
    )  # fmt: skip


ORDER_LINE = OrderLine(
    line_no=1, parent_line_no=2, type="ErpStandard", type_group="Physical", part_no="P", erp_part_no="E",
    internal_product_id=3, description="d", quantity=4, unit_of_measure="m", unit_price=Decimal("1.5"),
    unit_price_original=Decimal(2), discount=Decimal("0.5"), unit_vat=Decimal("0.375"), price_list_no=5,
    vat_rate=Decimal(25), comment="c", additional_info=INFOS,
    price_lists=(
        PriceListEntry(
            price_list_name="STD", qty_break=1, unit_price=Decimal(2), is_standard_price_list=True, is_active=True
        ),
    ),
    promotions=(Promotion(id="17", name="Sommar", discount_code="S24", applied_amount=Decimal("0.50")),),
    manufacturer_code="M", quantity2=Decimal("4.25"),
)  # fmt: skip
PARTY = Party(
    company=Company(
        code="a", name="b", vat_no="c", phone="d", fax="e", email="f", addresses=(WHOLE_ADDRESS, ADDRESS),
        pricelist_codes=("g", "h"), pricelist_limit=True, payment_codes=("i",), payment_code_limit=True,
        delivery_codes=("j",), delivery_code_limit=True, is_active=True, additional_info=INFOS,
    ),
    person=Person(
        customer_code="a", company_code="b", first_name="c", last_name="d", job_title="e", private_phone="f",
        cell_phone="g", work_phone="h", email="i", ssn="j", address=WHOLE_ADDRESS, additional_info=INFOS,
        is_active=False,
    ),
)  # fmt: skip

EVERY_FIELD: dict[Operation, Any] = {
    Operation.SEND_ORDER_STATUS: OrderStatusUpdate(
        client_order_ref=123456,
        erp_order_no="SO-1",
        infos={"TrackingNo": "åäö", "Empty": "", "None": None},
        status=OrderStatus.DELIVERED,
        account_id=1,
        line_statuses={1: OrderStatus.DELIVERED, 2: OrderStatus.BACK_ORDER},
    ),
    Operation.CREATE_DELIVERY_NOTE: DeliveryNote(
        order_no="SO-1", note_no="DN-1", buyer_company_code="B", buyer_customer_code="C",
        delivery_address=WHOLE_ADDRESS,
        delivery_date=SUMMER, is_printed=True, delivery_name="Åsa", delivery_attention="Ö", delivery_mode="PostNord",
        note_text="t", division_code="10", status=OrderStatus.PARTLY_DELIVERED,
        parcels=(
            Parcel(tracking_no="PKT1", status=ParcelStatus.DELIVERED, id=7),
            Parcel(tracking_no="PKT2", status=ParcelStatus.READY_FOR_PICKUP),
        ),
        lines=(
            DeliveredLine(
                row_number=Decimal(1), part_no="P1", description="Tröja", quantity=Decimal("2.0"), comment="c", id=1
            ),
            DeliveredLine(row_number=Decimal("2.5"), part_no="P2", quantity=Decimal(0)),
        ),
    ),
    Operation.CREATE_INVOICE: bill(Invoice),
    Operation.CREDIT_PAYMENT: bill(Credit),
    Operation.CANCEL_ORDER: Cancellation(client_order_ref=123456, erp_order_no="SO-1", payments=(PAYMENT, PAYMENT)),
    Operation.SEND_POS_SHIPMENT: Shipment(
        application_key=KEY, shipment_no="SH1", delivery_note_no="DN1", invoice_no="F-1", comment="k",
        shipment_warehouse=ADDRESS, source_warehouse_code="W1", target_warehouse_code="W2",
        target_warehouse_address=WHOLE_ADDRESS, carrier_name="PostNord", carrier_reference="r",
        carrier_tracking_url="https://x.example/?a=1&b=2", sender_name="s", receiver_name="r", barcode="bc",
        lines=(
            ShipmentLine(
                line_no=1, part_no="P1", name="Tröja", quantity=1, price=Decimal(10), purchase_cost=Decimal("7.5"),
                unit_cost=Decimal("5.25"), package_no="K1",
            ),
        ),
        packages=(ShipmentPackage(package_no="K1", barcode="123", comment="c"),),
    ),
    Operation.CREATE_WAREHOUSE_TRANSACTION: WarehouseTransaction(
        transaction_no="T", transaction_date=NOON, warehouse_code="W", location_code="L", type="Y", order_no="SO-1",
        purchase_order_no="PO", delivery_note_no="DN", external_reference="X", reason_code="R", comment="C",
        lines=(
            WarehouseTransactionLine(
                line_number=Decimal(1), part_no="P", quantity=Decimal("-2.5"), amount=Decimal(3),
                remaining_quantity=Decimal(4), remaining_amount=Decimal(5),
            ),
        ),
    ),
    Operation.CREATE_EXTERNAL_ORDER: ExternalOrder(
        header=Header(application_key=KEY), order_date=NOON, sell_to=PARTY, bill_to=PARTY, ship_to=PARTY,
        sales_division_code="a", sales_contact_code="b", delivery_division_code="c", erp_order_no="SO-1",
        customer_order_ref="d", customer_order_comment="e", invoices=(bill(Invoice),), currency_code="SEK",
        shipping_advice=ShippingAdvice(
            delivery_method_code="a", do_sms_notify=True, is_fee_charged_once=True, is_complete=True,
            pickup_store=PickupStore(code="a", name="b", additional_info=INFOS, is_drop_point=True, address=ADDRESS),
            ship_advisor_order_code="b", tms_reference="c",
        ),
        lines=(ORDER_LINE,), additional_info=INFOS, source="POS",
    ),
}  # fmt: skip

CAPTURED: dict[str, tuple[Operation, Any]] = {
    "SendOrderStatus_Confirmed": (
        Operation.SEND_ORDER_STATUS,
        OrderStatusUpdate(client_order_ref="123456", erp_order_no="SO-1", status=OrderStatus.CONFIRMED),
    ),
    "SendOrderStatus_Delivered": (
        Operation.SEND_ORDER_STATUS,
        OrderStatusUpdate(
            client_order_ref=123456,
            erp_order_no="SO-1",
            infos={"TrackingNo": "åäö"},
            status=OrderStatus.DELIVERED,
            account_id=1,
            line_statuses={1: OrderStatus.DELIVERED},
        ),
    ),
    "CancelOrder": (
        Operation.CANCEL_ORDER,
        Cancellation(
            client_order_ref=123456,
            erp_order_no="SO-1",
            payments=(
                Payment(
                    payment_code=3,
                    payment_method_code="Invoice",
                    payment_ref="R",
                    amount=Decimal("125.00"),
                    currency_code="SEK",
                ),
            ),
        ),
    ),
    "CreateDeliveryNote": (
        Operation.CREATE_DELIVERY_NOTE,
        DeliveryNote(
            order_no="SO-1",
            note_no="DN-1",
            buyer_company_code="B",
            delivery_address=ADDRESS,
            delivery_date=NOON,
            delivery_name="Åsa",
            delivery_mode="PostNord",
            division_code="10",
            status=OrderStatus.DELIVERED,
            parcels=(Parcel(tracking_no="PKT1", status=1), Parcel(id=7, tracking_no="PKT2", status=2)),
            lines=(
                DeliveredLine(row_number=Decimal(1), part_no="P1", description="Tröja", quantity=Decimal("2.0")),
                DeliveredLine(id=1, row_number=Decimal("2.5"), part_no="P2", quantity=Decimal(0)),
            ),
        ),
    ),
    "SendPosShipment": (
        Operation.SEND_POS_SHIPMENT,
        Shipment(
            application_key=KEY,
            shipment_no="SH1",
            delivery_note_no="DN1",
            comment="k",
            shipment_warehouse=Address(
                **{
                    "type": "W",
                    **{name: getattr(ADDRESS, name) for name in ("line1", "line2", "zip_code", "city", "region")},
                    **{name: getattr(ADDRESS, name) for name in ("country", "care_of", "shipping_phone_number", "gln")},
                }
            ),
            source_warehouse_code="W1",
            target_warehouse_code="W2",
            lines=(
                ShipmentLine(
                    line_no=1,
                    part_no="P1",
                    name="Tröja",
                    quantity=1,
                    price=Decimal(10),
                    unit_cost=Decimal("5.25"),
                    package_no="K1",
                ),
            ),
            carrier_name="PostNord",
            carrier_tracking_url="https://x.example/?a=1&b=2",
            sender_name="s",
            receiver_name="r",
            barcode="bc",
            packages=(ShipmentPackage(package_no="K1", barcode="123"),),
        ),
    ),
}
