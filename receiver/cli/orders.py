"""`receiver orders`: what was received, and everything about one order."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from receiver.cli import since as since_option
from receiver.cli.output import CommandFailed, amount, print_json, print_pairs, print_table
from receiver.cli.records import open_records
from receiver.orders.model import NO_APPLICATION
from receiver.settings import read_settings
from receiver.storage.order_queries import OrderLineRow, OrderQueries, OrderSummary
from receiver.storage.rows import CONFIRMED, HANDED_OVER, RECEIVED
from receiver.storage.story_queries import TimelineEntry

orders = typer.Typer(help="Look at the orders that were received.", no_args_is_help=True)

_LIST = ("Received (UTC)", "Order", "App", "State", ">Rev", ">Lines total", "ERP order")
_TIMELINE = ("When (UTC)", "What", "About", ">Message", "Detail")
_LINES = (">Line", ">Parent", "Part", "Description", ">Quantity", ">Unit price", ">VAT %")


class OrderState(StrEnum):
    """How far the latest revision of an order has come."""

    RECEIVED = RECEIVED
    HANDED_OVER = HANDED_OVER
    CONFIRMED = CONFIRMED


@orders.command("list")
def list_orders(
    *,
    limit: Annotated[int, typer.Option(min=1, help="how many at most")] = 20,
    since: Annotated[datetime | None, typer.Option(parser=since_option.instant, help=since_option.HELP)] = None,
    state: Annotated[
        OrderState | None, typer.Option(help="only orders nobody has taken yet, the ERP has taken, or it has confirmed")
    ] = None,
    application: Annotated[UUID | None, typer.Option(help="only orders of this application key")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """List orders, the last received first. Totals exclude VAT."""
    with open_records(read_settings(needs_credentials=False)) as records:
        found = records.orders.newest(
            limit=limit, since=since, state=state and state.value, application_key=application
        )
    if as_json:
        print_json(found)
    else:
        show_list(found)


@orders.command("show")
def show_order(
    ref: Annotated[str, typer.Argument(help="Norce's client order reference", metavar="REF")],
    *,
    application: Annotated[UUID | None, typer.Option(help="the application key, where several use REF")] = None,
    revision: Annotated[int | None, typer.Option(min=1, help="lines and payload of this revision")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    as_xml: Annotated[bool, typer.Option("--xml", help="write the request as it was received, nothing else")] = False,
) -> None:
    """Show one order: summary, lines of its latest revision, and all that happened to it, to and from the ERP too."""
    if as_json and as_xml:
        raise typer.BadParameter("choose one of --json and --xml")
    with open_records(read_settings(needs_credentials=False)) as records:
        order = only_order(records.orders, ref, application_key=application)
        chosen = _existing_revision(order, revision)
        payload = records.orders.payload(order.order_id, revision=chosen) if as_xml else None
        lines = records.orders.lines(order.order_id, revision=chosen)
        history = records.orders.history(order.order_id)
        timeline = records.stories.timeline(order.order_id)
    if payload is not None:
        sys.stdout.buffer.write(payload)
    elif as_json:
        shown = {"lines_of_revision": chosen, "lines": lines, "history": history, "timeline": timeline}
        print_json({**asdict(order), **shown})
    else:
        _show_summary(order)
        show_lines(order, lines, revision=chosen)
        show_timeline(timeline)


def only_order(queries: OrderQueries, ref: str, *, application_key: UUID | None = None) -> OrderSummary:
    """The one order with this reference; CommandFailed where there is none, or one in each of several applications."""
    found = queries.find(ref.strip(), application_key=application_key)
    if not found:
        where = f" of application {application_key}" if application_key else ""
        raise CommandFailed(f"no order {ref!r}{where} was received; was it refused? See: receiver refused list")
    if len(found) > 1:
        keys = "\n".join(f"  --application {order.application_key}" for order in found)
        raise CommandFailed(f"order {ref!r} was received from {len(found)} applications; choose one with\n{keys}")
    return found[0]


def show_list(found: list[OrderSummary]) -> None:
    """Print one row for each order; of an application only the first digits, which tell most apart."""
    rows = (
        (
            *(order.received_at, order.client_order_ref, _short(order.application_key), order.state, order.revision),
            *(_money(order.lines_total, order), order.erp_order_no),
        )
        for order in found
    )
    print_table(None if found else "No orders.", _LIST, rows)


def show_lines(order: OrderSummary, lines: list[OrderLineRow], *, revision: int) -> None:
    """Print the lines of one revision; what has no room here is in the JSON."""
    rows = (
        (
            *(line.line_no, line.parent_line_no, line.part_no, line.description, _quantity(line)),
            *(line.unit_price, line.vat_rate),
        )
        for line in lines
    )
    title = f"\nOrder {order.client_order_ref}, revision {revision} of {order.revision}: {len(lines)} lines"
    print_table(title, _LINES, rows, wrapping="Description")


def show_timeline(timeline: list[TimelineEntry]) -> None:
    """Print what happened, the first event first; what a message is about comes with its number."""
    rows = (
        (each.happened_at, each.event.replace("_", " "), _about(each), each.message_id, _detail(each))
        for each in timeline
    )
    print_table("\nTimeline", _TIMELINE, rows, wrapping="Detail")


def _show_summary(order: OrderSummary) -> None:
    print_pairs(
        {
            "Order": order.client_order_ref,
            "Application": order.application_key,
            "State": order.state,
            "Revision": order.revision,
            "ERP order": order.erp_order_no,
            "Suggested ERP order": order.suggested_erp_order_no,
            "Customer's reference": order.customer_order_ref,
            "Type": order.order_type,
            "Source": order.source,
            "Buyer code": order.buyer_code,
            "Lines total": f"{_money(order.lines_total, order)} excluding VAT",
            "VAT": _money(order.vat_total, order),
            "Paid": _money(order.paid_total, order),
            "Submitted": order.submitted_text,
            "Received (UTC)": order.received_at,
        }
    )


def _existing_revision(order: OrderSummary, revision: int | None) -> int:
    if revision is not None and revision > order.revision:
        raise CommandFailed(f"order {order.client_order_ref!r} has revisions 1 to {order.revision}, not {revision}")
    return revision or order.revision


def _money(value: Decimal, order: OrderSummary) -> str:
    return f"{amount(value)} {order.currency_code or ''}".strip()


def _quantity(line: OrderLineRow) -> str:
    return "" if line.quantity is None else f"{amount(line.quantity)} {line.unit_of_measure or ''}".strip()


def _short(application_key: UUID) -> str:
    return "none" if application_key == NO_APPLICATION else str(application_key)[:8]


def _about(entry: TimelineEntry) -> str:
    what = entry.key if entry.revision is None else f"revision {entry.revision}"
    return f"{what} to {entry.destination}" if entry.destination else str(what)


def _detail(entry: TimelineEntry) -> str:
    notes = [f"{name.replace('_', ' ')}: {count}" for name, count in (entry.notes or {}).items()]
    return ", ".join([*notes, *([entry.detail] if entry.detail else [])])
