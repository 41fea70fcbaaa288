"""Messages as JSON: the field names as keys, decimals as texts, moments in ISO 8601, statuses by their values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, TypeVar, cast

import pydantic

from connect_client.errors import InvalidMessage, Problem
from connect_client.messages.fields import FROM_JSON
from connect_client.messages.rules import problems_in

M = TypeVar("M")


def read_message(kind: type[M], document: Mapping[str, Any] | str | bytes) -> M:
    """The message of this class that a JSON document describes, given as text or already parsed.

    Numbers in a text are read as decimals, so 99.90 stays 99.90; in a parsed document give them as texts, because a
    float is refused. Raises InvalidMessage with every problem and its path.
    """
    if isinstance(document, str | bytes):
        document = _parsed(kind, document)
    try:
        return pydantic.TypeAdapter(kind).validate_python(document, context=FROM_JSON)
    except pydantic.ValidationError as error:
        problems = problems_in(error)
    raise InvalidMessage(kind.__name__, problems)


def message_as_json(message: object) -> dict[str, Any]:
    """What `read_message` reads back to an equal message; fields that are None are left out."""
    adapter = pydantic.TypeAdapter[Any](type(message))
    return cast(dict[str, Any], adapter.dump_python(message, mode="json", exclude_none=True))


def _parsed(kind: type, document: str | bytes) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(document, parse_float=Decimal)
    raise InvalidMessage(kind.__name__, [Problem("", "is no JSON")])
