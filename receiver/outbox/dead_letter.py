"""What a person sees of a message and decides about a dead one. Pure, without a database.

A dead letter is not a broken message: most can be sent again once its cause is gone. The exception is what moves money
and may already have done so; see `MessageSummary.may_have_moved_money`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from receiver.outbox.message import Destination, Kind, Outcome, State

LONGEST_REASON = 500
_NOT_ACTED = frozenset({Outcome.NOT_DELIVERED.value, Outcome.REFUSED.value})


@dataclass(frozen=True, slots=True)
class MessageSummary:
    """A message of the outbox with its latest attempt; `finished_at` is when it was delivered, died or was discarded.

    `is_overtaken` says that a later revision of the order it hands over has been delivered. `last_outcome` is an
    `Outcome`, lease_lost, requeued or discarded, and None where there was no attempt.
    """

    message_id: int
    destination: Destination
    kind: Kind
    key: str | None
    client_order_ref: str
    application_key: UUID
    revision: int | None
    state: State
    is_repeatable: bool
    is_overtaken: bool
    attempts: int
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    last_at: datetime | None
    last_outcome: str | None
    last_detail: str | None

    @property
    def may_have_moved_money(self) -> bool:
        """Whether it moves money and it is not certain that it has not: sent again, the money may move twice."""
        return not self.is_repeatable and self.last_outcome not in _NOT_ACTED


@dataclass(frozen=True, slots=True)
class Choice:
    """Which messages are meant: those with the numbers, in whatever state; else dead letters, narrowed by the rest.

    `error` is a part of the last attempt's detail, in any case of letters. With `limit` only the oldest are meant.
    """

    message_ids: tuple[int, ...] = ()
    destination: Destination | None = None
    kind: Kind | None = None
    died_before: datetime | None = None
    error: str | None = None
    client_order_ref: str | None = None
    limit: int | None = None


def as_reason(text: str) -> str:
    """One line of at most LONGEST_REASON characters, without control characters; empty where there is no text."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:LONGEST_REASON]
