"""Repeat a call that failed for now; what may not be repeated is not."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

from connect_client.client import Reporting
from connect_client.errors import NotDelivered, OutcomeUnknown
from connect_client.operations import Operation

_LONGEST_WAIT_SECONDS = 300.0


class _Retrying(Reporting):
    def __init__(self, client: Reporting, waits: Sequence[float]) -> None:
        self._client, self._waits = client, tuple(waits)

    def send(self, operation: Operation, message: Any) -> None:
        for wait in self._waits:
            try:
                return self._client.send(operation, message)
            except NotDelivered as error:
                asked = error.retry_after_seconds or 0.0
            except OutcomeUnknown as error:
                if not operation.is_repeatable:
                    raise
                asked = error.retry_after_seconds or 0.0
            # Jitter last, so that clients which failed together do not come back together.
            time.sleep(min(max(wait, asked), _LONGEST_WAIT_SECONDS) * random.uniform(1.0, 1.25))  # noqa: S311
        return self._client.send(operation, message)


def retrying(client: Reporting, *, waits: Sequence[float] = (1.0, 5.0, 15.0)) -> Reporting:
    """A client that tries again after each of these waits, in seconds, and then lets the error through.

    It repeats NotDelivered, waiting as long as Norce asked for up to five minutes, and OutcomeUnknown only for what
    may be done twice (`Operation.is_repeatable`): never an invoice or a credit. Refused and InvalidMessage go through
    at once.
    """
    return _Retrying(client, waits)
