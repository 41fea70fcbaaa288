"""Reads a report's JSON exactly: amounts to the digit, and nothing that could be meant in two ways."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from receiver.errors import ReceiverError


class NotJson(ReceiverError):
    """The document cannot be read as JSON; the text says where it stops, and quotes nothing of it."""


def parse_report(raw: bytes) -> object:
    """What the document says, numbers with a fraction as Decimal.

    Takes UTF-8 (RFC 8259, section 8.1). Raises NotJson for anything else, for NaN and infinities, for two members of
    one name (Python would quietly keep the last, and one of two amounts is not the one that was meant), for numbers
    that no one can mean and for objects nested deeper than the interpreter can follow.
    """
    try:
        return json.loads(
            raw.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refused, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} in line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise NotJson("it is not written in UTF-8") from None
    except (ArithmeticError, RecursionError):
        raise NotJson("it holds a number too large, or is nested too deep") from None
    except ValueError:
        # The interpreter refuses to read whole numbers of thousands of digits.
        raise NotJson("it holds a number too large") from None


def _refused(constant: str) -> NoReturn:
    raise NotJson(f"{constant} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("an object has two members of the same name")
    return found
