"""`receiver erase` and `receiver purge`: personal data goes, the history stays. Both show first what they would do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer

from receiver.cli import since as since_option
from receiver.cli.output import print_json, print_lines, print_table
from receiver.cli.records import open_kept_data
from receiver.flows.erase import Erased, Found, erase, of_customer, untouched_since
from receiver.ports import KeptData, KnownOrder
from receiver.settings import read_settings
from receiver.soap.service import order_reader

EvenWaiting = Annotated[
    bool,
    typer.Option("--even-waiting", help="also orders whose messages wait or are dead letters: those are discarded"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show what would be erased, and erase nothing")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]

_SHOWN = 20


def erase_customer(
    *,
    customer: Annotated[
        str,
        typer.Option("--customer", metavar="WHO", help="customer code, e-mail address, personal or phone number"),
    ],
    even_waiting: EvenWaiting = False,
    is_dry_run: DryRun = False,
    is_sure: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Erase one customer's personal data from orders and refused requests; keys, amounts and history stay."""
    if not customer.strip():
        raise typer.BadParameter("--customer needs a text")

    def find(kept: KeptData) -> Found:
        return of_customer(customer, kept=kept, read=order_reader())

    _erase(find, even_waiting=even_waiting, is_dry_run=is_dry_run, is_sure=is_sure, as_json=as_json)


def purge(
    *,
    older_than: Annotated[
        datetime, typer.Option("--older-than", parser=since_option.instant, help=f"{since_option.HELP}")
    ],
    even_waiting: EvenWaiting = False,
    is_dry_run: DryRun = False,
    is_sure: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Erase personal data from all orders and refused requests that nothing has happened to for so long."""

    def find(kept: KeptData) -> Found:
        return untouched_since(older_than, kept=kept)

    _erase(find, even_waiting=even_waiting, is_dry_run=is_dry_run, is_sure=is_sure, as_json=as_json)


def _erase(
    find: Callable[[KeptData], Found], *, even_waiting: bool, is_dry_run: bool, is_sure: bool, as_json: bool
) -> None:
    if as_json and not (is_dry_run or is_sure):
        raise typer.BadParameter("--json cannot ask; add --yes or --dry-run")
    with open_kept_data(read_settings(needs_credentials=False)) as (kept, units):
        found = find(kept)
        erased = erase(found, units=units, even_waiting=even_waiting, is_dry_run=True)
        if not as_json:
            _show(found, erased)
        if not is_dry_run and (erased.orders or erased.receipt_ids):
            if not is_sure:
                typer.confirm(f"Erase the personal data of {_count(erased)}? It cannot be undone.", abort=True)
            erased = erase(found, units=units, even_waiting=even_waiting)
    if as_json:
        _print_json(found, erased, is_dry_run=is_dry_run)
    else:
        print_lines(f"{_count(erased)} {'would be ' if is_dry_run else ''}erased.")
    if found.unread:
        raise typer.Exit(1)


def _count(erased: Erased) -> str:
    orders, refused = len(erased.orders), len(erased.receipt_ids)
    return f"{orders} order{'' if orders == 1 else 's'} and {refused} refused request{'' if refused == 1 else 's'}"


def _show(found: Found, erased: Erased) -> None:
    _show_orders("To be erased", erased.orders)
    _show_orders("Left alone, for a message waits, is a dead letter or on its way; see --even-waiting", erased.left)
    for request in found.unread:
        where = f"order {request.order.client_order_ref}" if request.order else f"refused request {request.receipt_id}"
        print_lines(f"A request of {where} can no longer be read, so whose it is is not known.")


def _show_orders(title: str, orders: tuple[KnownOrder, ...]) -> None:
    if orders:
        title = f"{title} ({_SHOWN} of {len(orders)})" if len(orders) > _SHOWN else title
        rows = ((order.client_order_ref, order.application_key) for order in orders[:_SHOWN])
        print_table(title, ("Order", "Application"), rows)


def _print_json(found: Found, erased: Erased, *, is_dry_run: bool) -> None:
    unread = [request.order or {"receipt_id": request.receipt_id} for request in found.unread]
    print_json(
        {
            "is_dry_run": is_dry_run,
            "orders": erased.orders,
            "left": erased.left,
            "receipt_ids": erased.receipt_ids,
            "unread": unread,
        }
    )
