"""`receiver refused`: what was turned away, so that an order which never became one can still be found."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer

from receiver.cli import since as since_option
from receiver.cli.output import CommandFailed, print_json, print_pairs, print_table
from receiver.cli.records import open_records
from receiver.settings import read_settings
from receiver.storage.refused_queries import RefusedSummary

refused = typer.Typer(help="Look at the requests that were refused.", no_args_is_help=True)


@refused.command("list")
def list_refused(
    *,
    limit: Annotated[int, typer.Option(min=1, help="how many at most")] = 20,
    since: Annotated[datetime | None, typer.Option(parser=since_option.instant, help=since_option.HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """List refused requests, the last refused first. The same body again only counts up."""
    with open_records(read_settings(needs_credentials=False)) as records:
        found = records.refused.newest(limit=limit, since=since)
    if as_json:
        print_json(found)
    else:
        show_refused_list(found)


@refused.command("show")
def show_refused(
    receipt_id: Annotated[int, typer.Argument(help="the number that `refused list` shows", metavar="ID")],
    *,
    as_payload: Annotated[bool, typer.Option("--payload", help="write the body as received, nothing else")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show one refused request with all its reasons."""
    if as_json and as_payload:
        raise typer.BadParameter("choose one of --json and --payload")
    with open_records(read_settings(needs_credentials=False)) as records:
        found = records.refused.find(receipt_id)
        payload = records.refused.payload(receipt_id) if as_payload else None
    if found is None:
        raise CommandFailed(f"there is no refused request {receipt_id}; see: receiver refused list")
    if payload is not None:
        sys.stdout.buffer.write(payload)
    elif as_json:
        print_json(found)
    else:
        _show(found)


def show_refused_list(found: list[RefusedSummary]) -> None:
    """Print one row for each refused body, with its first reason."""
    columns = (">ID", "Last (UTC)", ">Times", "Kind", "Order", "Reasons")
    rows = ((row.receipt_id, row.last_at, row.times, row.kind, row.client_order_ref, _in_short(row)) for row in found)
    print_table(None if found else "Nothing was refused.", columns, rows, wrapping="Reasons")


def _show(found: RefusedSummary) -> None:
    print_pairs(
        {
            "Refused request": found.receipt_id,
            "Kind": found.kind,
            "Order": found.client_order_ref,
            "First (UTC)": found.first_at,
            "Last (UTC)": found.last_at,
            "Times": found.times,
            "From": found.received_from,
            "Media type": found.media_type,
        }
    )
    print_table("", ("What is wrong",), ((reason,) for reason in found.reasons), wrapping="What is wrong")


def _in_short(found: RefusedSummary) -> str:
    first, *more = found.reasons or ("",)
    return f"{first} (and {len(more)} more)" if more else first
