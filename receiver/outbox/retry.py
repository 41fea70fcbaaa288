"""From a verdict to what happens next: the schedule a person can read, and the one place that knows when to give up."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.outbox.message import Outcome, State, Verdict

MINUTE = 60
HOUR = 60 * MINUTE

WAITS = (5, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE)
"""Seconds to wait after the first attempts; after those, LAST_WAIT each time."""
LAST_WAIT = HOUR
MOST_ATTEMPTS = 80
"""Nearly three days; a weekend's outage is over by then."""
LONGEST_REQUESTED_WAIT = 6 * HOUR
"""A destination that asks for more is asked again after this."""


@dataclass(frozen=True, slots=True)
class Step:
    """The state a message moves to; for PENDING, how many seconds until it is due, jitter not yet added."""

    state: State
    wait_seconds: float = 0.0


def next_step(verdict: Verdict, *, attempts: int, is_repeatable: bool) -> Step:
    """What becomes of a message after its attempt number `attempts` (1 is the first)."""
    if verdict.outcome is Outcome.DELIVERED:
        return Step(State.DELIVERED)
    may_retry = verdict.outcome is Outcome.NOT_DELIVERED or (verdict.outcome is Outcome.UNKNOWN and is_repeatable)
    if not may_retry or attempts >= MOST_ATTEMPTS:
        return Step(State.DEAD)
    scheduled = WAITS[attempts - 1] if attempts <= len(WAITS) else LAST_WAIT
    asked = min(verdict.retry_after_seconds or 0.0, LONGEST_REQUESTED_WAIT)
    return Step(State.PENDING, max(float(scheduled), asked))


def after_lost_lease(*, attempts: int, is_repeatable: bool) -> Step:
    """What becomes of a message whose relay died: nobody knows whether it was sent."""
    verdict = Verdict(Outcome.UNKNOWN)
    step = next_step(verdict, attempts=attempts, is_repeatable=is_repeatable)
    # The relay failed, not the destination: no reason to wait.
    return Step(step.state) if step.state is State.PENDING else step
