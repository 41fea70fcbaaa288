"""`receiver outbox`: whether messages leave, how many wait and since when, and what relays hold."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from receiver.cli.output import print_json, print_table
from receiver.cli.records import open_records
from receiver.outbox.message import State
from receiver.settings import read_settings
from receiver.storage.outbox_queries import CountOfMessages, OutboxStatus

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def outbox(
    *,
    is_whole: Annotated[bool, typer.Option("--all", help="count delivered and discarded messages too")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show what waits in the outbox, what relays hold and what has died.

    Ends with 0 however it stands; for alarms, --json has the age of the oldest message that waits, in seconds.
    """
    with open_records(read_settings(needs_credentials=False)) as records:
        status = records.outbox.status(is_whole=is_whole)
    if as_json:
        print_json(_as_data(status))
    else:
        _show(status)


def _as_data(status: OutboxStatus) -> dict[str, object]:
    waiting = [count for count in status.counts if count.state is State.PENDING]
    ages = {count.destination.value: round(_age_s(count)) for count in waiting}
    return {**asdict(status), "oldest_pending_age_seconds": ages}


def _show(status: OutboxStatus) -> None:
    rows = (
        (count.destination.value, count.state.value, count.messages, count.oldest_at, _in_words(_age_s(count)))
        for count in status.counts
    )
    columns = ("To", "State", ">Messages", "Oldest (UTC)", ">Age")
    print_table(None if status.counts else "Nothing waits, and nothing has died.", columns, rows)
    if status.leased:
        held = (
            (each.message_id, each.destination.value, each.kind.value, each.client_order_ref, each.leased_until)
            for each in status.leased
        )
        print_table("\nHeld by relays", (">ID", "To", "Kind", "Order", "Until (UTC)"), held)


def _age_s(count: CountOfMessages) -> float:
    # The database's clock may be ahead of ours.
    return max((datetime.now(UTC) - count.oldest_at).total_seconds(), 0.0)


def _in_words(seconds: float) -> str:
    """The two units that matter, such as 2 d 3 h."""
    rest = int(seconds)
    parts: list[str] = []
    for name, size in _UNITS:
        count, rest = divmod(rest, size)
        if count or parts or size == 1:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])
