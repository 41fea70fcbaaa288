"""The `--since` option: an age such as `2h`, or a date and time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

HELP = "an age such as 30m, 2h or 7d, or a date and time such as 2026-11-23T06:00 (without zone: this machine's)"

_AGE = re.compile(r"([0-9]{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def instant(text: str) -> datetime:
    """The instant that the text names, seen from now; anything else is a usage error."""
    if match := _AGE.fullmatch(text.strip()):
        count, unit = match.groups()
        return datetime.now(UTC) - timedelta(**{_UNITS[unit]: int(count)})
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"write {HELP}") from None
