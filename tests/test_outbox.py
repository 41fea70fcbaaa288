"""The outbox's states, legal moves and retry schedule, as tables."""

from __future__ import annotations

import itertools

import pytest

from receiver.outbox.message import Destination, Kind, Outcome, State, Verdict
from receiver.outbox.retry import (
    HOUR,
    LAST_WAIT,
    LONGEST_REQUESTED_WAIT,
    MOST_ATTEMPTS,
    WAITS,
    Step,
    after_lost_lease,
    next_step,
)

LEGAL = {
    ("pending", "leased"),
    ("pending", "discarded"),
    ("leased", "pending"),
    ("leased", "delivered"),
    ("leased", "dead"),
    ("dead", "pending"),
    ("dead", "discarded"),
}


@pytest.mark.parametrize(("one", "other"), list(itertools.product(State, State)))
def test_only_the_drawn_moves_are_legal(one: State, other: State) -> None:
    assert one.may_become(other) is ((one.value, other.value) in LEGAL)


def test_pending_and_leased_messages_are_unfinished() -> None:
    assert [state for state in State if state.is_unfinished] == [State.PENDING, State.LEASED]


@pytest.mark.parametrize(
    ("kind", "destination", "is_repeatable"),
    [
        (Kind.ORDER, Destination.ERP, True),
        (Kind.ORDER_STATUS, Destination.NORCE, True),
        (Kind.DELIVERY_NOTE, Destination.NORCE, True),
        (Kind.INVOICE, Destination.NORCE, False),
        (Kind.CREDIT, Destination.NORCE, False),
        (Kind.CANCELLATION, Destination.NORCE, True),
    ],
)
def test_what_moves_money_is_not_repeatable(kind: Kind, destination: Destination, is_repeatable: bool) -> None:
    assert (kind.destination, kind.is_repeatable) == (destination, is_repeatable)


RETRY = Step(State.PENDING, WAITS[0])
DEAD = Step(State.DEAD)


@pytest.mark.parametrize(
    ("outcome", "is_repeatable", "expected"),
    [
        (Outcome.DELIVERED, True, Step(State.DELIVERED)),
        (Outcome.DELIVERED, False, Step(State.DELIVERED)),
        (Outcome.NOT_DELIVERED, True, RETRY),
        (Outcome.NOT_DELIVERED, False, RETRY),
        (Outcome.REFUSED, True, DEAD),
        (Outcome.REFUSED, False, DEAD),
        (Outcome.UNKNOWN, True, RETRY),
        (Outcome.UNKNOWN, False, DEAD),
    ],
)
def test_each_verdict_has_one_next_step(outcome: Outcome, is_repeatable: bool, expected: Step) -> None:
    assert next_step(Verdict(outcome), attempts=1, is_repeatable=is_repeatable) == expected


def test_waits_grow_to_an_hour_and_end_after_nearly_three_days() -> None:
    down = Verdict(Outcome.NOT_DELIVERED)
    steps = [next_step(down, attempts=n, is_repeatable=True) for n in range(1, MOST_ATTEMPTS + 1)]
    waits = [step.wait_seconds for step in steps[:-1]]
    assert waits == sorted(waits)
    assert waits[: len(WAITS)] == [float(wait) for wait in WAITS]
    assert set(waits[len(WAITS) :]) == {float(LAST_WAIT)}
    assert steps[-1] == DEAD
    assert 2.8 * 24 * HOUR < sum(waits) < 3.2 * 24 * HOUR


@pytest.mark.parametrize(
    ("asked", "expected"), [(None, WAITS[0]), (1.0, WAITS[0]), (90.0, 90.0), (1e9, LONGEST_REQUESTED_WAIT)]
)
def test_a_destination_that_asks_to_wait_is_heard_within_reason(asked: float | None, expected: float) -> None:
    verdict = Verdict(Outcome.NOT_DELIVERED, retry_after_seconds=asked)
    assert next_step(verdict, attempts=1, is_repeatable=True) == Step(State.PENDING, float(expected))


def test_a_lost_lease_is_an_unknown_outcome() -> None:
    assert after_lost_lease(attempts=1, is_repeatable=True) == Step(State.PENDING, 0.0)
    assert after_lost_lease(attempts=1, is_repeatable=False) == DEAD
    assert after_lost_lease(attempts=MOST_ATTEMPTS, is_repeatable=True) == DEAD
