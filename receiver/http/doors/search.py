"""What a question to the history asks for: its parameters, read strictly.

A parameter that is misspelt would otherwise be no filter at all, and an answer with every order looks right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from werkzeug.datastructures import MultiDict

from connect_client.errors import shown_name
from receiver.errors import Problem
from receiver.http.doors.cursors import page_end_of
from receiver.http.doors.problems import DoorProblem, ProblemDetails
from receiver.storage.order_queries import OrderFilters, PageEnd
from receiver.storage.rows import CONFIRMED, HANDED_OVER, RECEIVED

MOST_ORDERS, USUAL_ORDERS = 200, 50
LONGEST_TEXT = 200

_STATES = (RECEIVED, HANDED_OVER, CONFIRMED)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Search:
    """One page of the orders that pass the filters."""

    filters: OrderFilters
    limit: int
    after: PageEnd | None


def search_of(given: MultiDict[str, str]) -> Search:
    """The search that the parameters describe; ends the request with every problem they have."""
    asked = _Parameters(given)
    search = Search(
        OrderFilters(
            state=asked.read("state", _state),
            since=asked.read("since", _instant),
            until=asked.read("until", _instant),
            application_key=asked.read("application_key", _guid),
            erp_order_no=asked.read("erp_order_no", _text),
            customer_order_ref=asked.read("customer_order_ref", _text),
        ),
        limit=asked.read("limit", _limit) or USUAL_ORDERS,
        after=asked.read("cursor", _cursor),
    )
    asked.finish()
    return search


def application_key_of(given: MultiDict[str, str]) -> UUID | None:
    """The application key, where that is the only parameter; ends the request with every problem."""
    asked = _Parameters(given)
    key = asked.read("application_key", _guid)
    asked.finish()
    return key


class _Parameters:
    def __init__(self, given: MultiDict[str, str]) -> None:
        self._given = given
        self._known: list[str] = []
        self._problems: list[Problem] = []

    def read(self, name: str, reader: Callable[[str], T]) -> T | None:
        """The value of a parameter; None, and a problem noted, where it is not what the reader takes."""
        self._known.append(name)
        values = self._given.getlist(name)
        if len(values) > 1:
            self._problems.append(Problem(name, "must be given once"))
        if len(values) != 1:
            return None
        try:
            return reader(values[0])
        except _Wrong as wrong:
            self._problems.append(Problem(name, str(wrong)))
            return None

    def finish(self) -> None:
        """End the request if anything was wrong."""
        unknown = [name for name in self._given if name not in self._known]
        problems = [*self._problems, *(Problem(shown_name(name), "is no parameter here") for name in unknown)]
        if problems:
            raise DoorProblem(
                ProblemDetails("bad-parameters", 400, "the question cannot be understood", problems=problems)
            )


class _Wrong(Exception):
    """A value that its parameter does not take; the text says what it takes."""


def _state(value: str) -> str:
    if value not in _STATES:
        raise _Wrong(f"must be one of {', '.join(_STATES)}")
    return value


def _instant(value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    # A plus sign in a query stands for a space, so +01:00 arrives without its sign.
    raise _Wrong("must be an instant with its zone, such as 2026-11-24T10:00:00Z; write + as %2B")


def _guid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise _Wrong("must be a GUID") from None


def _text(value: str) -> str:
    text = value.strip()
    if not text or not text.isprintable() or len(text) > LONGEST_TEXT:
        raise _Wrong(f"must be a text of 1 to {LONGEST_TEXT} printable characters")
    return text


def _limit(value: str) -> int:
    if value.isascii() and value.isdigit() and len(value) <= 3 and 1 <= int(value) <= MOST_ORDERS:
        return int(value)
    raise _Wrong(f"must be a whole number from 1 to {MOST_ORDERS}")


def _cursor(value: str) -> PageEnd:
    end = page_end_of(value)
    if end is None:
        raise _Wrong("must be `next` of an earlier answer, unchanged")
    return end
