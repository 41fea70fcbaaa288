"""What the commands write to standard output: tables for people, JSON for machines.

Texts of an order are data: they are shown without Rich's markup and without control characters, which a terminal
would obey.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from receiver.errors import ReceiverError

_PIPED_WIDTH = 200
"""Columns of a table that no terminal shows: rows stay on one line, for grep and files."""

_NARROWEST = 16
"""Columns that a wrapping text keeps in any case."""

_WIDEST = 10_000


class CommandFailed(ReceiverError):
    """The operator's: what was asked for is not there or cannot be done; the text says what to do instead."""


def console() -> Console:
    """Standard output, as wide as the terminal, or wide enough for a file."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A question mark for a letter that the locale lacks beats no answer at all.
        sys.stdout.reconfigure(errors="replace")
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def print_table(
    title: str | None, columns: Iterable[str], rows: Iterable[Iterable[object]], *, wrapping: str | None = None
) -> None:
    """Print rows under their headings, the title above them.

    A heading that begins with `>` is set to the right. In a narrow terminal the column named `wrapping` gives way;
    the others never lose a digit, so rows may become longer than the terminal is wide.
    """
    cells = [[cell(value) for value in row] for row in rows]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for index, column in enumerate(columns):
        heading = column.removeprefix(">")
        widest = max([cell_len(heading), *(row[index].cell_len for row in cells)])
        table.add_column(
            heading,
            justify="right" if column.startswith(">") else "left",
            min_width=min(widest, _NARROWEST) if column == wrapping else widest,
            overflow="fold",
        )
    for row in cells:
        table.add_row(*row)
    out = console()
    if title is not None:
        out.print(Text(title, style="bold"))
    if cells:
        out.width = max(out.width, Measurement.get(out, out.options.update_width(_WIDEST), table).minimum)
        out.print(table)


def print_pairs(pairs: Mapping[str, object]) -> None:
    """Print names and values below each other, leaving out what is None."""
    width = max(len(name) for name in pairs)
    for name, value in pairs.items():
        if value is not None:
            console().print(Text(f"{name:<{width}}  ", style="bold") + cell(value), soft_wrap=True)


def print_lines(*lines: str) -> None:
    """Print texts as they are, one below the other, without control characters."""
    for line in lines:
        console().print(cell(line), soft_wrap=True)


def print_json(data: object) -> None:
    """Print JSON: decimals as strings with their scale, instants as ISO 8601 in UTC."""
    print(json.dumps(data, default=_plain, indent=2))


def cell(value: object) -> Text:
    """A value for people: one line without control characters; instants to the second, in UTC; amounts as `amount`."""
    if value is None:
        return Text("")
    if isinstance(value, Decimal):
        return Text(amount(value))
    if isinstance(value, datetime):
        return Text(value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds"))
    return Text("".join(character if character.isprintable() else " " for character in str(value)))


def amount(value: Decimal) -> str:
    """Plain digits without the zeros after the second decimal place; the value itself is not rounded."""
    digits, point, fraction = f"{value:f}".partition(".")
    return f"{digits}{point}{fraction[:2]}{fraction[2:].rstrip('0')}"


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
