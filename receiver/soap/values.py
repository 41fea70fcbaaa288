"""Simple values as WCF reads them: text of the wire in, Python value out.

White space around numbers, booleans, dates and GUIDs is accepted, as WCF accepts it; strings are kept verbatim by the
decoder and never come here. A `Misfit` says what the text is not, and never holds the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from receiver.orders.model import WrittenTime


class Misfit(ValueError):
    """A text that does not fit its type; the message completes the sentence "the value ..."."""


Read = Callable[[str], object]
_BLANK = " \t\r\n"
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,60}(?:\.[0-9]{0,60})?|\.[0-9]{1,60})")
_GUID = re.compile(r"\{?([0-9a-fA-F]{8})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{12})\}?")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,8}))?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

_SMALLEST, _LARGEST = -(2**31), 2**31 - 1
_LARGEST_DECIMAL = Decimal("79228162514264337593543950335")
_MOST_FRACTION_DIGITS = 28
_UNSET = datetime(1, 1, 1)  # noqa: DTZ001 - written without a zone
_LARGEST_OFFSET = timedelta(hours=14)


def read_integer(text: str) -> int:
    """An xs:int: 32 bits, optional sign."""
    text = text.strip(_BLANK)
    if not _INTEGER.fullmatch(text):
        raise Misfit("is not an integer")
    number = int(text)
    if not _SMALLEST <= number <= _LARGEST:
        raise Misfit("is outside -2147483648..2147483647")
    return number


def read_decimal(text: str) -> Decimal:
    """An xs:decimal that .NET's decimal holds, its scale kept (`99.9000` stays so); no exponent."""
    text = text.strip(_BLANK)
    if not _DECIMAL.fullmatch(text):
        raise Misfit("is not a decimal number")
    number = Decimal(text)
    if len(text) <= _MOST_FRACTION_DIGITS:
        return number
    # Not abs(), which rounds to 28 digits.
    fraction_digits = len(text) - text.index(".") - 1 if "." in text else 0
    if number.copy_abs() > _LARGEST_DECIMAL or fraction_digits > _MOST_FRACTION_DIGITS:
        raise Misfit(
            f"does not fit a decimal (at most {_LARGEST_DECIMAL}, {_MOST_FRACTION_DIGITS} digits after the point)"
        )
    return number


def read_boolean(text: str) -> bool:
    """An xs:boolean: true, false, 1 or 0, in lower case."""
    try:
        return _BOOLEANS[text.strip(_BLANK)]
    except KeyError:
        raise Misfit("is not true or false") from None


def read_moment(text: str) -> WrittenTime | None:
    """A date and time with 0 to 8 fraction digits and Z, offset or nothing; None for .NET's unset year 1.

    A date alone is midnight, as WCF reads it.
    """
    text = text.strip(_BLANK)
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise Misfit("is not a date and time like 2026-11-23T10:11:12")
    day, clock, fraction, zone = match.groups()
    try:
        moment = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock) if clock else time())
    except ValueError:
        raise Misfit("is not a date and time that exists") from None
    if fraction:
        moment = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    offset = _offset(zone)
    return None if moment == _UNSET else WrittenTime(text, moment, offset)


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone == "Z":
        return timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > _LARGEST_OFFSET:
        raise Misfit("has an offset outside -14:00..+14:00")
    return -offset if zone[0] == "-" else offset


def read_guid(text: str) -> UUID:
    """A GUID in either case, with or without dashes and braces."""
    match = _GUID.fullmatch(text.strip(_BLANK))
    if match is None:
        raise Misfit("is not a GUID")
    return UUID(hex="".join(match.groups()))


def name_reader(names_by_number: Mapping[str, str]) -> Read:
    """A reader of one enumeration: the member's name as WCF writes it, or its number as the JSON documents do."""
    names = frozenset(names_by_number.values())

    def read_name(text: str) -> str:
        text = text.strip(_BLANK)
        name = text if text in names else names_by_number.get(text)
        if name is None:
            raise Misfit(f"is not one of {', '.join(sorted(names))}")
        return name

    return read_name
