"""An ERP adapter that uses everything the client offers; only type checkers run it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from connect_client import (
    Address,
    BasicAuth,
    CallFailed,
    Cancellation,
    Circumstances,
    ClientCredentials,
    Company,
    ConnectClient,
    ConnectError,
    ConnectionDropped,
    Credit,
    DeliveredLine,
    DeliveryNote,
    ExternalOrder,
    Fault,
    Header,
    Info,
    InvalidMessage,
    Invoice,
    InvoiceLine,
    Misdirected,
    NotDelivered,
    Operation,
    OrderLine,
    OrderStatus,
    OrderStatusUpdate,
    OutcomeUnknown,
    Parcel,
    ParcelStatus,
    Party,
    Payment,
    Person,
    PickupStore,
    PriceListEntry,
    Problem,
    Promotion,
    Refused,
    Reporting,
    ServerFailed,
    Shipment,
    ShipmentLine,
    ShipmentPackage,
    ShippingAdvice,
    Throttled,
    TimedOut,
    Timeouts,
    Tls,
    TlsFailed,
    Unauthorized,
    Unreachable,
    UnreadableReply,
    WarehouseTransaction,
    WarehouseTransactionLine,
    message_as_json,
    read_message,
    retrying,
)
from connect_client.testing import (
    ADDRESSING,
    DISPATCHER,
    Acts,
    ActsThenDrops,
    Answers,
    AnswersFault,
    Behaviour,
    Drops,
    FakeConnect,
    Received,
    html,
    throttled,
    unauthorized,
)

NOW = datetime.now(UTC)


def delivered(order: object) -> DeliveryNote:
    parcel = Parcel(tracking_no="1", status=ParcelStatus.DELIVERED)
    note = DeliveryNote.for_order(order, note_no="D", order_no="S", delivery_date=NOW, parcels=[parcel])
    line = DeliveredLine(row_number=Decimal(1), part_no="P", quantity=Decimal("0.5"))
    return replace(note, lines=(line,), delivery_address=Address(line1="Storgatan 1"))


def billed(order: object) -> Invoice:
    line = InvoiceLine(
        line_no=Decimal(1), part_no="P", quantity=1, unit_price=Decimal(1), unit_vat=Decimal(0), vat_rate=Decimal(0)
    )
    invoice = Invoice.for_order(order, invoice_no="F", erp_order_no="S", invoice_date=NOW, is_last_for_order=True)
    return replace(invoice, lines=(line,), payment=Payment(payment_ref="R", amount=Decimal(1)))


def credited(invoice: Invoice) -> Credit:
    return Credit(
        erp_order_no=invoice.erp_order_no,
        currency_code=invoice.currency_code,
        invoice_date=NOW,
        delivery_date=NOW,
        invoice_due_date=NOW,
        lines=invoice.lines,
        vat=invoice.vat,
        client_order_ref="123",
        credited_invoice_no="F",
    )


def external() -> ExternalOrder:
    line = OrderLine(
        line_no=1,
        part_no="P",
        quantity=1,
        unit_price=Decimal(1),
        unit_price_original=Decimal(1),
        unit_vat=Decimal(0),
        vat_rate=Decimal(0),
        price_lists=(PriceListEntry(price_list_name="S", unit_price=Decimal(1)),),
        promotions=(Promotion(applied_amount=Decimal(0)),),
        additional_info=(Info(code2="C", value="V"),),
    )
    return ExternalOrder(
        erp_order_no="S",
        order_date=NOW,
        currency_code="SEK",
        lines=(line,),
        header=Header(application_key=UUID(int=1)),
        sell_to=Party(company=Company(code="C"), person=Person(email="a@example.com")),
        shipping_advice=ShippingAdvice(pickup_store=PickupStore(code="1")),
    )


def moved() -> tuple[Shipment, WarehouseTransaction]:
    shipment = Shipment(
        application_key=UUID(int=1),
        shipment_no="S",
        source_warehouse_code="A",
        target_warehouse_code="B",
        lines=(ShipmentLine(line_no=1, part_no="P", quantity=1),),
        packages=(ShipmentPackage(package_no="1"),),
        invoice_no="F",
    )
    line = WarehouseTransactionLine(part_no="P", quantity=Decimal(1))
    return shipment, WarehouseTransaction(transaction_no="T", transaction_date=NOW, warehouse_code="A", lines=(line,))


def outcome(error: ConnectError) -> str:
    match error:
        case InvalidMessage():
            problems: tuple[Problem, ...] = error.problems
            return "; ".join(f"{problem.path}: {problem.text}" for problem in problems)
        case Throttled():
            return f"wait {error.retry_after_seconds}"
        case Unreachable() | TlsFailed() | Unauthorized() | Misdirected() | NotDelivered():
            return f"again later, {error.request_id}"
        case Refused():
            fault: Fault | None = error.fault
            return "" if fault is None else f"{fault.namespace} {fault.code} {fault.text}"
        case TimedOut() | ConnectionDropped() | UnreadableReply() | ServerFailed() | OutcomeUnknown():
            return f"look in Norce, {error.status}"
        case CallFailed():
            return str(Unreachable(error.reason, Circumstances(error.operation, error.request_id)))
    return "unknown"


def report(client: Reporting, order: object) -> None:
    invoice = billed(order)
    shipment, transaction = moved()
    client.acknowledge("123", "S")
    client.send_order_status(OrderStatusUpdate(client_order_ref=1, status=OrderStatus.ON_HOLD, infos={"A": "b"}))
    client.create_delivery_note(delivered(order))
    client.create_invoice(invoice)
    client.credit_payment(credited(invoice))
    client.cancel_order(Cancellation(client_order_ref=1))
    client.send_pos_shipment(shipment)
    client.create_warehouse_transaction(transaction)
    client.create_external_order(external())
    client.send(Operation.CREATE_INVOICE, read_message(Invoice, message_as_json(invoice)))


def main() -> None:
    behaviours: list[Behaviour] = [Acts(), ActsThenDrops(), Drops(), Answers(200), AnswersFault(namespace=ADDRESSING)]
    behaviours += [AnswersFault(code="InternalServiceFault", namespace=DISPATCHER), html(), throttled(), unauthorized()]
    with FakeConnect(auth=BasicAuth("a", "b")) as fake:
        fake.will(*behaviours)
        credentials: ClientCredentials = fake.client_credentials
        with ConnectClient(
            fake.url, auth=credentials, timeouts=Timeouts(read=5.0), tls=Tls(), application_id="1"
        ) as one:
            one.ping()
            report(retrying(one, waits=[0.1]), {"lines": []})
        first: Received = fake.received[0]
        print(first.message, fake.messages, fake.request_count, fake.token_count)
