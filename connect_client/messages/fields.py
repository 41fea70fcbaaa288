"""The kinds of values that messages are made of, each with the check that keeps it within the contract.

Every message is checked when it is made, from Python or from JSON. From Python the types are strict: an amount is a
Decimal (or an int), never a float or a text, because a float has already lost the öre. JSON has no such types, so
there, and only there, a text is read as what it stands for.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, ValidationInfo
from pydantic_core import PydanticCustomError

FROM_JSON = {"from_json": True}
"""The validation context in which texts stand for decimals, moments and numbers."""

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMERAL = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,20}\s*", re.ASCII)
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1
_LARGEST_COEFFICIENT = 2**96 - 1
_MOST_FRACTION_DIGITS = 28
_OLDEST_YEAR = 1753
_MINUTE, _LARGEST_OFFSET = timedelta(minutes=1), timedelta(hours=14)


def wrong(text: str) -> PydanticCustomError:
    """A problem whose text is ours; it must not hold the value."""
    return PydanticCustomError("contract", "{text}", {"text": text})


def _is_from_json(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("from_json"))


def _integer(value: Any, info: ValidationInfo) -> int:
    if isinstance(value, str) and _is_from_json(info) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("must be a whole number")
    if not _SMALLEST <= value <= _LARGEST:
        raise wrong(f"must be within {_SMALLEST}..{_LARGEST} (int32)")
    return int(value)


def _order_ref(value: Any, info: ValidationInfo) -> int:
    # It arrives as text with the order and goes back as int32 (wire format, 3.6).
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise wrong("must be a number; orders of other systems may carry a text: use their erp_order_no instead")
        value = int(value)
    number = _integer(value, info)
    if number < 1:
        raise wrong("must be 1 or more; Norce reads 0 as no reference")
    return number


def _decimal(value: Any, info: ValidationInfo) -> Decimal:
    if not isinstance(value, Decimal):
        if isinstance(value, str) and _is_from_json(info) and _NUMERAL.fullmatch(value.strip()):
            value = value.strip()
        elif isinstance(value, bool) or not isinstance(value, int):
            raise wrong("must be a Decimal; a float is not exact" if isinstance(value, float) else "must be a Decimal")
        value = Decimal(value)
    if not value.is_finite():
        raise wrong("must be a number, not NaN or infinite")
    text = str(value)
    # The short ones, so nearly all, are known to fit without taking their digits apart.
    return value if len(text) <= _MOST_FRACTION_DIGITS and "E" not in text else _fitting(value)


def _fitting(number: Decimal) -> Decimal:
    """The number, if .NET's decimal holds it exactly: 96 bits and at most 28 digits after the point."""
    digits, exponent = number.as_tuple().digits, int(number.as_tuple().exponent)
    is_sane = exponent >= -_MOST_FRACTION_DIGITS and len(digits) + max(exponent, 0) <= 29
    if not is_sane or int("".join(map(str, digits))) * 10 ** max(exponent, 0) > _LARGEST_COEFFICIENT:
        raise wrong(f"must fit a .NET decimal: at most {_LARGEST_COEFFICIENT}, 28 digits after the point")
    return number


def _plain_digits(number: Decimal) -> str:
    return format(number, "f")


def _moment(value: Any, info: ValidationInfo) -> datetime:
    if isinstance(value, str) and _is_from_json(info):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise wrong("must be a moment like 2026-11-23T10:11:12+01:00") from None
    if not isinstance(value, datetime):
        raise wrong("must be a datetime")
    offset = value.utcoffset()
    if offset is None:
        raise wrong("must say its zone: an aware datetime, such as datetime.now(UTC)")
    if offset % _MINUTE or abs(offset) > _LARGEST_OFFSET:
        raise wrong("must have an offset of whole minutes within 14 hours (XML Schema, dateTime)")
    if value.year < _OLDEST_YEAR:
        raise wrong(f"must not lie before {_OLDEST_YEAR}; Norce's database cannot hold it")
    return value


def _guid(value: Any) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise wrong("must be a GUID") from None


def _is_true(value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong("must be True or False")
    return value


class _Characters:
    """Checks a text's type and length, and what XML 1.0 has no way to carry."""

    def __init__(self, longest: int | None, *, is_reference: bool) -> None:
        self.longest, self.is_reference = longest, is_reference

    def __call__(self, value: Any) -> str:
        if not isinstance(value, str):
            raise wrong("must be a text")
        # An enumeration's member would show its name instead of its value.
        value = value if type(value) is str else str.__str__(value)
        text = value if value.isprintable() and value.strip() else self._cleaned(value)
        if self.longest is not None and len(text) > self.longest:
            raise wrong(f"must be at most {self.longest} characters, not {len(text)}")
        return text

    def _cleaned(self, value: str) -> str:
        # A name or remark is as good without its control characters; a reference without them is another one.
        if self.is_reference and (_NOT_XML.search(value) or not value.strip()):
            raise wrong("must not be blank or hold control characters")
        return _NOT_XML.sub("", value)


def reference(longest: int | None = None) -> BeforeValidator:
    """A text that identifies something: never blank, and refused if it holds control characters."""
    return BeforeValidator(_Characters(longest, is_reference=True))


def words(longest: int | None = None) -> BeforeValidator:
    """A text for people: control characters that XML cannot carry are taken out."""
    return BeforeValidator(_Characters(longest, is_reference=False))


def _pattern(expression: str, text: str) -> AfterValidator:
    compiled = re.compile(expression)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise wrong(text)
        return value

    return AfterValidator(check)


Integer = Annotated[int, BeforeValidator(_integer)]
OrderRef = Annotated[int | str, BeforeValidator(_order_ref)]
"""Always an int once the message is made; the text is what callers may give."""
Number = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(_plain_digits, str, when_used="json")]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Guid = Annotated[UUID, BeforeValidator(_guid)]
Flag = Annotated[bool, BeforeValidator(_is_true)]
Reference = Annotated[str, reference()]
Reference50 = Annotated[str, reference(50)]
Words = Annotated[str, words()]
Words50 = Annotated[str, words(50)]
Words100 = Annotated[str, words(100)]
Words255 = Annotated[str, words(255)]
Currency = Annotated[str, _pattern("[A-Z]{3}", "must be an ISO 4217 code of three capital letters, such as SEK")]
Country = Annotated[str, _pattern("[A-Z]{2}", "must be an ISO 3166-1 code of two capital letters, such as SE")]
