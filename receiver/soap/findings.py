"""What is noticed while an order is decoded: problems with their paths, and members the contract does not know."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from receiver.errors import Problem
from receiver.orders.identity import Content, UnknownMember
from receiver.orders.model import Order

HERE = "."
"""The path of a problem with the element itself, until the element above names it."""

MOST_COMPARED = 1_000
"""Unknown members that are compared; no contract grows by so many."""

Note = tuple[str, str | etree._Element]
"""A path, and what is wrong there or the unknown member that stands there."""


@dataclass(slots=True)
class Findings:
    """What was noticed while one order was decoded. Paths are relative to the element that is being read."""

    notes: list[Note] = field(default_factory=list)
    unknown_members: int = 0

    @property
    def problems(self) -> list[Problem]:
        """The problems, each with its path."""
        return [Problem(path, what) for path, what in self.notes if isinstance(what, str)]

    @property
    def unknown(self) -> list[tuple[str, etree._Element]]:
        """The unknown members, each with its path; no more than are compared."""
        return [(path, what) for path, what in self.notes if not isinstance(what, str)]

    def add_problem(self, path: str, text: str) -> None:
        """Note a problem with a member, or with the element itself (`HERE`)."""
        self.notes.append((path, text))

    def add_unknown(self, element: etree._Element) -> None:
        """Note a member that the contract does not know."""
        self.unknown_members += 1
        if self.unknown_members <= MOST_COMPARED:
            self.notes.append((HERE, element))

    def move_below(self, step: str, since: int) -> None:
        """Prefix the paths of all notes from the number `since` on with the member they were found in."""
        self.notes[since:] = [(_joined(step, path), what) for path, what in self.notes[since:]]

    def content_of(self, order: Order) -> Content:
        """All that the request says, to be compared with another."""
        if self.unknown_members > MOST_COMPARED:
            return Content(order, None)
        return Content(order, tuple(UnknownMember(path, _said_by(element)) for path, element in self.unknown))


def _joined(step: str, path: str) -> str:
    return step if path == HERE else f"{step}/{path}"


def _said_by(element: etree._Element) -> tuple[object, ...]:
    """The element as nested tuples, without prefixes or the white space that could differ between two sendings.

    Not XML's canonical form, which copies every namespace in scope for every element.
    """
    texts = [(element.text or "").strip(), *((child.tail or "").strip() for child in element)]
    return element.tag, sorted(element.items()), texts, [_said_by(child) for child in element]
