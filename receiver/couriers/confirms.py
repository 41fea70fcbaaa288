"""What a broker said of each message of a batch, by the number that it counts them with.

It speaks whenever it likes: the first message may be confirmed, rejected or returned before the second is published. So
nothing is forgotten until the next batch begins.
"""

from __future__ import annotations

from typing import Any


class Confirms:
    """The confirms of one channel; its three last methods are what the channel calls."""

    def __init__(self) -> None:
        self._last = 0
        self.begin_batch()

    def begin_batch(self) -> None:
        """Forget the batch before; the broker counts on."""
        self._ids: dict[int, str] = {}
        self._missing: dict[int, None] = {}
        self._rejected: set[int] = set()
        self._returned: set[str] = set()

    def expect(self, message_id: str) -> int:
        """Note that a message was published, and return its number."""
        self._last += 1
        self._ids[self._last] = message_id
        self._missing[self._last] = None
        return self._last

    @property
    def are_missing(self) -> bool:
        """Whether the broker has yet to speak of some message."""
        return bool(self._missing)

    def is_missing(self, tag: int) -> bool:
        """Whether the broker has yet to speak of this message."""
        return tag in self._missing

    def was_rejected(self, tag: int) -> bool:
        """Whether the broker did not take the message."""
        return tag in self._rejected

    def was_returned(self, tag: int) -> bool:
        """Whether the broker found no queue for the message; it confirms such a message all the same."""
        return self._ids[tag] in self._returned

    def acknowledge(self, tag: int, multiple: bool) -> None:
        """The broker has taken a message, or all up to it."""
        self._taken(tag, multiple)

    def reject(self, tag: int, multiple: bool) -> None:
        """The broker has not taken a message, or none of those up to it."""
        self._rejected.update(self._taken(tag, multiple))

    def give_back(self, _error: object, _exchange: str, _routing_key: str, message: Any) -> None:
        """The broker found no queue for a message; this comes before its confirm."""
        self._returned.add(message.properties["message_id"])

    def _taken(self, tag: int, multiple: bool) -> list[int]:
        tags = [each for each in self._missing if each <= tag] if multiple else [tag]
        for each in tags:
            self._missing.pop(each, None)
        return tags
