"""Empties the outbox: claim, commit, deliver without a transaction, write down what is known, commit.

What happens when it stops at any point: before the claim's commit nothing was done; between the two commits the lease
ends and another relay takes the message back, as an unknown outcome, so what moves money goes to the dead letters.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from connect_client import InvalidMessage
from receiver import logs
from receiver.errors import TryAgainLater
from receiver.flows.submit_report import confirmation
from receiver.outbox.message import PAYLOAD_VERSION, Destination, Kind, Outcome, State, Verdict
from receiver.outbox.retry import Step
from receiver.ports import Claim, Courier, DecodeOrder, Delivery, KnownOrder, Report, Units, Wanted

LEASE_S = 180.0
BEGIN_WITHIN_S = 20.0
"""After this no further delivery of a claim is begun. With the longest single delivery (`ports.LONGEST_DELIVERY_S`) it
stays far below the lease, and a relay that is told to stop has stopped within the two."""
RECOVER_EVERY_S = 10.0
LONGEST_PAUSE_S = 30.0
LONGEST_ASKED_S = 600.0
"""Of what a destination asks for in Retry-After no more is waited for before it is asked again."""

_REPEATABLE, _BOTH = (True,), (True, False)
TRY_AGAIN_S = 1.0
LAST_TRIES_S = 3.0
"""How long a relay that is told to stop still tries to write down what it has delivered."""


class Stop(Protocol):
    """Tells the relay to end; a threading.Event is one."""

    def is_set(self) -> bool:
        """Whether to end."""

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep so many seconds, or until it is time to end."""


@dataclass(slots=True)
class _Pause:
    """How long a destination that is down is left alone; it doubles until something arrives."""

    until: float = 0.0
    seconds: float = 1.0

    def lengthen(self, *, at_least_s: float) -> None:
        self.until = time.monotonic() + max(at_least_s, self.seconds * random.uniform(1.0, 1.25))  # noqa: S311
        self.seconds = min(self.seconds * 2, LONGEST_PAUSE_S)

    def end(self) -> None:
        self.until, self.seconds = 0.0, 1.0


@dataclass(slots=True)
class RelayOutbox:
    """One relay; any number of them may work on the same outbox. Used by one thread."""

    units: Units
    couriers: Mapping[Destination, Courier]
    decode: DecodeOrder
    _pauses: dict[Destination, _Pause] = field(default_factory=dict)
    _recovered_at: float = float("-inf")

    def run(self, stop: Stop, wait: Callable[[float], None], *, idle_s: float) -> None:
        """Work until told to stop; `wait` sleeps until something may have come, at most so many seconds."""
        while not stop.is_set():
            try:
                if not self.round(stop):
                    wait(idle_s)
            except TryAgainLater:
                # Noted where it happened; the outbox is safe in the database, wherever that is.
                stop.wait(TRY_AGAIN_S)
            except Exception:
                # Our bug must not end the relay at night; what it held comes back when its lease ends.
                logs.failure(logs.RELAY_FAILED)
                stop.wait(TRY_AGAIN_S)

    def round(self, stop: Stop) -> int:
        """Give each destination a batch, and Norce one message that moves money; returns how many were tried."""
        self._recover()
        return sum(
            self._batch(courier, Wanted(destination, is_repeatable, courier.batch_size if is_repeatable else 1), stop)
            for destination, courier in self.couriers.items()
            for is_repeatable in (_BOTH if destination is Destination.NORCE else _REPEATABLE)
        )

    def _recover(self) -> None:
        if time.monotonic() - self._recovered_at < RECOVER_EVERY_S:
            return
        with self.units.begin() as unit:
            count = unit.outbox.recover_lost_leases()
            unit.commit()
        self._recovered_at = time.monotonic()
        if count:
            logs.note(logs.LEASES_RECOVERED, messages=count)

    def _batch(self, courier: Courier, what: Wanted, stop: Stop) -> int:
        pause = self._pauses.setdefault(what.destination, _Pause())
        if stop.is_set() or time.monotonic() < pause.until:
            return 0
        with self.units.begin() as unit:
            # A destination that was down is asked with one message, not with a batch.
            asked = what if pause.until == 0.0 else replace(what, limit=1)
            claim = unit.outbox.claim(asked, lease_seconds=LEASE_S, decode=self.decode)
            unit.commit()
        if not claim.deliveries:
            return 0
        claimed_at = time.monotonic()
        verdicts = self._delivered(courier, claim.deliveries)
        milliseconds = round((time.monotonic() - claimed_at) * 1000)
        steps = self._recorded(claim, verdicts, milliseconds, stop, until=claimed_at + LEASE_S)
        for delivery, verdict, step in zip(claim.deliveries, verdicts, steps, strict=False):
            _note(delivery, verdict, step)
        if any(verdict.is_down for verdict in verdicts):
            asked_s = max(verdict.retry_after_seconds or 0.0 for verdict in verdicts)
            pause.lengthen(at_least_s=min(asked_s, LONGEST_ASKED_S))
        elif verdicts:
            pause.end()
        return len(verdicts)

    def _delivered(self, courier: Courier, deliveries: Sequence[Delivery]) -> list[Verdict]:
        until = time.monotonic() + BEGIN_WITHIN_S
        verdicts: list[Verdict] = []
        for is_known, some in groupby(deliveries, key=_is_known):
            group = list(some)
            found = self._tried(courier, group, until=until) if is_known else [_unknown(each) for each in group]
            verdicts += found
            if len(found) < len(group):
                break
        return verdicts

    def _tried(self, courier: Courier, deliveries: Sequence[Delivery], *, until: float) -> list[Verdict]:
        try:
            return list(courier.deliver(deliveries, until=until))
        except Exception as error:
            # One message that breaks a courier must not stop those behind it, nor the relay.
            logs.failure(logs.RELAY_FAILED)
            if len(deliveries) == 1:
                return [Verdict(Outcome.UNKNOWN, f"the courier failed: {type(error).__name__}")]
        return [verdict for each in deliveries for verdict in self._tried(courier, [each], until=until)]

    def _recorded(
        self, claim: Claim, verdicts: Sequence[Verdict], milliseconds: int, stop: Stop, *, until: float
    ) -> list[Step]:
        """Write the verdicts down, for as long as the lease lasts: what was delivered must not be delivered again.

        A relay that is told to stop tries for a few more seconds and leaves the rest to the end of the lease.
        """
        while True:
            try:
                return self._recorded_once(claim, verdicts, milliseconds)
            except TryAgainLater:
                if stop.is_set():
                    until = min(until, time.monotonic() + LAST_TRIES_S)
                if time.monotonic() > until:
                    raise
                time.sleep(TRY_AGAIN_S)

    def _recorded_once(self, claim: Claim, verdicts: Sequence[Verdict], milliseconds: int) -> list[Step]:
        pairs = [_with_confirmation(*pair) for pair in zip(claim.deliveries, verdicts, strict=False)]
        with self.units.begin() as unit:
            steps = unit.outbox.record(claim, [verdict for verdict, _ in pairs], milliseconds=milliseconds)
            for _, report in pairs:
                if report is not None:
                    unit.outbox.append_report(report)
            unit.commit()
        return steps


def _is_known(delivery: Delivery) -> bool:
    return delivery.message.payload_version == PAYLOAD_VERSION and delivery.message.kind is not Kind.UNKNOWN


def _unknown(delivery: Delivery) -> Verdict:
    what = "kind" if delivery.message.kind is Kind.UNKNOWN else f"payload version {delivery.message.payload_version}"
    detail = f"its {what} is not known to this release"
    return Verdict(Outcome.REFUSED, detail)


def _with_confirmation(delivery: Delivery, verdict: Verdict) -> tuple[Verdict, Report | None]:
    """The report that acknowledges the order to Norce, where the ERP gave its number at once."""
    if verdict.erp_order_no is None:
        return verdict, None
    message = delivery.message
    order = KnownOrder(message.order_id, message.client_order_ref, message.application_key)
    try:
        return verdict, confirmation(order, verdict.erp_order_no)
    except InvalidMessage as error:
        # The order was delivered, whatever number came back: a person must look at the number.
        logs.note(logs.CONFIRMATION_NOT_SENT, message_id=message.message_id, client_order_ref=order.client_order_ref)
        problems = ", ".join(each.text for each in error.problems)
        return replace(verdict, detail=f"not acknowledged to Norce; the ERP's order number {problems}"), None


def _note(delivery: Delivery, verdict: Verdict, step: Step) -> None:
    message = delivery.message
    event = {State.DELIVERED: logs.MESSAGE_DELIVERED, State.PENDING: logs.MESSAGE_PUT_OFF}.get(
        step.state, logs.MESSAGE_DIED
    )
    logs.note(
        event,
        message_id=message.message_id,
        kind=message.kind.value,
        client_order_ref=message.client_order_ref,
        outcome=verdict.outcome.value,
        detail=verdict.detail,
        attempt=message.attempts + 1,
        next_in_s=round(step.wait_seconds) if step.state is State.PENDING else None,
    )
