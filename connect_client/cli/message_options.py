"""From the fields of a message to the options of its command, and from what was typed back to the message.

Nothing is checked here: texts go to `read_message` as they were typed, which reports every problem with its path.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from enum import Enum, auto
from typing import Any

import click

from connect_client.cli.field_texts import field_texts
from connect_client.errors import InvalidMessage, Problem
from connect_client.messages.as_json import read_message


class _Kind(Enum):
    """How a field is typed."""

    TEXT = auto()
    FLAG = auto()
    PAIRS = auto()
    PART = auto()
    PARTS = auto()


_METAVARS = {_Kind.TEXT: "TEXT", _Kind.PAIRS: "NAME=VALUE", _Kind.PART: "JSON", _Kind.PARTS: "JSON"}


class FieldOption(click.Option):
    """The option of one field. Its help is put together when it is shown."""

    def __init__(self, message: type, field: dataclasses.Field[Any], hint: Any) -> None:
        self.message, self.field = message, field.name
        self.is_needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        self.type_hint = _without_none(hint)
        self.kind = _kind_of(self.type_hint)
        super().__init__(
            [field.name, _spelled(field.name, self.kind)],
            default=None,
            multiple=self.kind in (_Kind.PAIRS, _Kind.PARTS),
            metavar=_METAVARS.get(self.kind),
        )

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """As click wants it."""
        texts = ["Required."] if self.is_needed else []
        texts += [field_texts(self.message).get(self.field, ""), self._about_values()]
        self.help = " ".join(text for text in texts if text)
        return super().get_help_record(ctx)

    def _about_values(self) -> str:
        if self.kind in (_Kind.PART, _Kind.PARTS):
            part = typing.get_args(self.type_hint)[0] if self.kind is _Kind.PARTS else self.type_hint
            names = [field.name for field in dataclasses.fields(part)]
            again = " May be repeated." if self.kind is _Kind.PARTS else ""
            return f"An object of {', '.join(names)}.{again}"
        if self.kind is _Kind.PAIRS:
            return "May be repeated."
        if isinstance(self.type_hint, type) and issubclass(self.type_hint, Enum):
            return f"One of {', '.join(str(each.value) for each in self.type_hint)}."
        return ""


def field_options(message: type) -> list[FieldOption]:
    """An option for each field, in the message's order."""
    hints = typing.get_type_hints(message)
    return [FieldOption(message, field, hints[field.name]) for field in dataclasses.fields(message)]


def message_from(kind: type, document: bytes | None, typed: Mapping[str, Any], options: Iterable[FieldOption]) -> Any:
    """The message of this class from a JSON document and what was typed, which replaces the document's fields.

    Raises InvalidMessage with every problem and its path.
    """
    values = {} if document is None else _parsed(kind, document)
    found: dict[str, str] = {}
    for option in options:
        given = typed.get(option.field)
        if given is not None and given != ():
            values[option.field] = _value(option, given, found)
    try:
        message: Any = read_message(kind, values)
    except InvalidMessage as error:
        problems = [Problem(each.path, found.pop(each.path, each.text)) for each in error.problems]
    else:
        if not found:
            return message
        problems = []
    problems += [Problem(path, text) for path, text in found.items()]
    raise InvalidMessage(kind.__name__, problems)


def _value(option: FieldOption, given: Any, found: dict[str, str]) -> Any:
    match option.kind:
        case _Kind.PAIRS:
            return _pairs(given, option.field, found)
        case _Kind.PART:
            return _part(given, option.field, found)
        case _Kind.PARTS:
            return [_part(text, f"{option.field}[{number}]", found) for number, text in enumerate(given)]
    return given


def _part(text: str, path: str, found: dict[str, str]) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(text, parse_float=Decimal)
    found[path] = "is no JSON"
    return text


def _pairs(given: Iterable[str], path: str, found: dict[str, str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            found[path] = "must be typed as NAME=VALUE"
        elif name in pairs:
            found[f"{path}.{name}"] = "is given twice"
        else:
            pairs[name] = value
    return pairs


def _parsed(kind: type, document: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(document, parse_float=Decimal)
    except json.JSONDecodeError as error:
        problem = f"the file is no JSON (line {error.lineno}, column {error.colno})"
    except (ValueError, RecursionError):
        problem = "the file is no JSON"
    else:
        if isinstance(parsed, dict):
            return parsed
        problem = "the file must hold a JSON object"
    raise InvalidMessage(kind.__name__, [Problem("", problem)])


def _spelled(field: str, kind: _Kind) -> str:
    name = field.replace("_", "-")
    if kind is _Kind.FLAG:
        return f"--{name}/--no-{name}"
    if kind in (_Kind.PAIRS, _Kind.PARTS):
        # What is given one at a time is named in the singular.
        name = name.removesuffix("es") if name.endswith("uses") else name.removesuffix("s")
    return f"--{name}"


def _kind_of(hint: Any) -> _Kind:
    if hint is bool:
        return _Kind.FLAG
    origin = typing.get_origin(hint)
    if origin in (tuple, dict):
        return _Kind.PARTS if origin is tuple else _Kind.PAIRS
    return _Kind.PART if dataclasses.is_dataclass(hint) else _Kind.TEXT


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return hint
    kept = [each for each in typing.get_args(hint) if each is not types.NoneType]
    return kept[0] if len(kept) == 1 else hint
