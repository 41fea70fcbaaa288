"""What makes a class a message: a frozen dataclass that is checked, whole, when it is made.

pydantic does the work; this module gives it the rules that span several fields, and turns what it finds into
`InvalidMessage`, so that callers never meet its exceptions. `replace()` of dataclasses checks anew, like any making.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast, dataclass_transform

import pydantic
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs, InitErrorDetails

from connect_client.errors import InvalidMessage, Problem, shown_name
from connect_client.messages.fields import wrong

M = TypeVar("M")
Values = Mapping[str, Any]
Rule = Callable[[Values], Iterator[tuple[str, str]]]
"""Looks at the values a message is made of, checked or not yet, and yields (field, what is wrong); "" is the whole."""

# The checks are built when a message is first made: building them all takes longer than importing the rest.
_CONFIG = pydantic.ConfigDict(extra="forbid", defer_build=True)


class _MessageType(type):
    """Turns the library's exception into ours wherever a message is made by calling its class."""

    def __call__(cls, *args: Any, **values: Any) -> Any:
        try:
            return super().__call__(*args, **values)
        except pydantic.ValidationError as error:
            problems = problems_in(error)
        # Outside the handler: the exception above holds the values, and must not travel along as a context.
        raise InvalidMessage(cls.__name__, problems)


class Message(metaclass=_MessageType):
    """What every message is."""

    __slots__ = ()


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(pydantic.Field,))
def message(*rules: Rule) -> Callable[[type[M]], type[M]]:
    """Make a class a message that keeps the rules; making one raises InvalidMessage with all problems at once."""

    def made(cls: type[M]) -> type[M]:
        if rules:
            keeper: Any = classmethod(_checker(rules))
            cls._keep = pydantic.model_validator(mode="wrap")(keeper)  # type: ignore[attr-defined]
        return cast(type[M], dataclass(cls, frozen=True, slots=True, kw_only=True, config=_CONFIG))

    return made


def _checker(rules: tuple[Rule, ...]) -> Callable[[type, Any, Callable[[Any], Any]], Any]:
    """Checks fields and rules in one go, so that nobody mends a message problem by problem."""

    def check(cls: type, given: Any, fields_checked: Callable[[Any], Any]) -> Any:
        values = (given.kwargs or {}) if isinstance(given, ArgsKwargs) else given
        found = [problem for rule in rules for problem in rule(values)] if isinstance(values, Mapping) else []
        details = [_details(text, (field,) if field else ()) for field, text in found]
        try:
            instance = fields_checked(given)
        except pydantic.ValidationError as error:
            details += [_details(_text_of(each), each["loc"]) for each in error.errors(include_url=False)]
        else:
            if not details:
                return instance
        raise pydantic.ValidationError.from_exception_data(cls.__name__, details)

    return check


def _details(text: str, loc: tuple[int | str, ...]) -> InitErrorDetails:
    # Carried on under one type of ours: the library's own types want their context back, and may hold the value.
    return InitErrorDetails(type=wrong(text), loc=loc, input=None)


_TEXTS = {
    "missing": "is required",
    "unexpected_keyword_argument": "is no field of this message",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "dataclass_type": "must be the message of this field, or its fields by name",
    "dataclass_exact_type": "must be the message of this field, or its fields by name",
    "unexpected_positional_argument": "must be given by name",
}


def _text_of(error: Any) -> str:
    if error["type"] == "contract":
        return str(error["msg"])
    if error["type"] == "enum":
        return "must be one of " + str(error["ctx"]["expected"]).replace(" or ", ", ").replace("'", "")
    return _TEXTS.get(error["type"], str(error["msg"]))


def problems_in(error: pydantic.ValidationError) -> list[Problem]:
    """What the library found, in our words and without the values."""
    return [Problem(_path(each["loc"]), _text_of(each)) for each in error.errors(include_url=False)]


def _path(loc: tuple[int | str, ...]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{shown_name(part)}" for part in loc if part != "[key]")
    return path.removeprefix(".")


def one_of(*fields: str) -> Rule:
    """At least one of these fields must be given."""

    def rule(values: Values) -> Iterator[tuple[str, str]]:
        if all(values.get(field) is None for field in fields):
            yield "", f"needs {' or '.join(fields)}"

    return rule


def needed(field: str, reason: str) -> Rule:
    """A list that must not be empty, for a reason the reader should know."""

    def rule(values: Values) -> Iterator[tuple[str, str]]:
        if not values.get(field, True):
            yield field, f"must not be empty: {reason}"

    return rule


def part_of(whole: object, name: str) -> Any:
    """An entry of a mapping, or an attribute of anything else; None if there is none of that name."""
    return whole.get(name) if isinstance(whole, Mapping) else getattr(whole, name, None)
