"""Moves messages on after an attempt, and takes back what lost relays held. Each attempt leaves a row."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, and_, exists, func, insert, select, update

from receiver.outbox.message import Kind, State, Verdict
from receiver.outbox.retry import Step, after_lost_lease, next_step
from receiver.ports import Claim
from receiver.storage.rows import CONFIRMED, HANDED_OVER
from receiver.storage.tables import orders, outbox, outbox_attempts

LEASE_LOST = "lease_lost"
_JITTER = 0.2
_LONGEST_DETAIL = 1_000
NO_LEASE = {"lease_token": None, "leased_until": None}
"""The columns of a message that no relay holds."""


def now_of(connection: Connection) -> datetime:
    """The database's clock; SQLite has none, but only one machine either."""
    if connection.dialect.name == "postgresql":
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return now
    return datetime.now(UTC)


def record(connection: Connection, claim: Claim, verdicts: Sequence[Verdict], *, milliseconds: int) -> list[Step]:
    """Move the claim's first messages on by their verdicts and give the rest back; see `ports.Outbox.record`."""
    now = now_of(connection)
    held = _still_held(connection, claim)
    steps: list[Step] = []
    attempts: list[dict[str, object]] = []
    for delivery, verdict in zip(claim.deliveries, verdicts, strict=False):
        message = delivery.message
        step = next_step(verdict, attempts=message.attempts + 1, is_repeatable=message.kind.is_repeatable)
        steps.append(step)
        is_held = message.message_id in held
        outcome = verdict.outcome.value if is_held else LEASE_LOST
        attempts.append(attempt(message.message_id, now, outcome, verdict.detail, milliseconds=milliseconds))
        if is_held and step.state is not State.DELIVERED:
            _move(connection, message.message_id, step, now=now)
    delivered = [
        each.message.message_id
        for each, step in zip(claim.deliveries, steps, strict=False)
        if step.state is State.DELIVERED and each.message.message_id in held
    ]
    _all_delivered(connection, delivered, now=now)
    if attempts:
        connection.execute(insert(outbox_attempts), attempts)
    untried = [delivery.message.message_id for delivery in claim.deliveries[len(verdicts) :]]
    _give_back(connection, [message_id for message_id in untried if message_id in held])
    return steps


def recover_lost_leases(connection: Connection) -> int:
    """Take back messages whose lease has ended; returns how many."""
    now = now_of(connection)
    query = (
        select(outbox.c.id, outbox.c.attempts, outbox.c.is_repeatable)
        .where(outbox.c.state == State.LEASED.value, outbox.c.leased_until < now)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(query).all()
    detail = "the relay that held it went away; whether it was sent is not known"
    for row in rows:
        step = after_lost_lease(attempts=row.attempts + 1, is_repeatable=row.is_repeatable)
        _move(connection, row.id, step, now=now)
        connection.execute(insert(outbox_attempts), attempt(row.id, now, LEASE_LOST, detail))
    return len(rows)


def attempt(
    message_id: int, now: datetime, outcome: str, detail: str | None, *, milliseconds: int | None = None
) -> dict[str, object]:
    """The values of a row of `outbox_attempts`."""
    return {
        "message_id": message_id,
        "happened_at": now,
        "outcome": outcome,
        "detail": None if detail is None else "".join(filter(str.isprintable, detail))[:_LONGEST_DETAIL],
        "milliseconds": milliseconds,
    }


def _still_held(connection: Connection, claim: Claim) -> Collection[int]:
    """The ids that still belong to the claim, locked; an ended lease may have been taken over."""
    ids = [delivery.message.message_id for delivery in claim.deliveries]
    query = select(outbox.c.id).where(outbox.c.id.in_(ids), outbox.c.lease_token == claim.token).with_for_update()
    return set(connection.execute(query).scalars())


def _move(connection: Connection, message_id: int, step: Step, *, now: datetime) -> None:
    # Jitter last, so that messages that failed together do not come back together.
    wait = step.wait_seconds * random.uniform(1.0, 1.0 + _JITTER)  # noqa: S311
    values = {
        "state": step.state.value,
        "attempts": outbox.c.attempts + 1,
        "due_at": now + timedelta(seconds=wait),
        "finished_at": None if step.state is State.PENDING else now,
        **NO_LEASE,
    }
    connection.execute(update(outbox).where(outbox.c.id == message_id).values(values))


def _all_delivered(connection: Connection, ids: list[int], *, now: datetime) -> None:
    """One statement for the whole batch, and one for the orders it handed over."""
    if not ids:
        return
    values = {"state": State.DELIVERED.value, "attempts": outbox.c.attempts + 1, "finished_at": now, **NO_LEASE}
    connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(values))
    hands_over_the_latest = exists().where(
        outbox.c.id.in_(ids),
        outbox.c.kind == Kind.ORDER.value,
        outbox.c.order_id == orders.c.id,
        outbox.c.revision == orders.c.revision,
    )
    of_the_batch = select(outbox.c.order_id).where(outbox.c.id.in_(ids))
    connection.execute(
        update(orders)
        .where(and_(orders.c.id.in_(of_the_batch), orders.c.state != CONFIRMED, hands_over_the_latest))
        .values(state=HANDED_OVER)
    )


def _give_back(connection: Connection, ids: list[int]) -> None:
    if ids:
        back = {"state": State.PENDING.value, **NO_LEASE}
        connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(back))
