"""Every way to fail on purpose: whose fault it is and what happens next.

    ReceiverError
    ├── SettingsInvalid   the operator's: correct the environment, start again
    ├── SchemaOutdated    the operator's: run `receiver migrate`
    ├── RequestRefused    the sender's: the request is no usable SOAP call; repeating it as it is will not help
    ├── OrderRefused      the sender's: the order can be read but not accepted; every problem is listed
    ├── ReportInvalid     the ERP's: the report cannot be understood; every problem is listed
    ├── OrderUnknown      the ERP's: no order has the report's references
    ├── OrderUnclear      the ERP's: more than one order has them
    ├── ReportConflict    the ERP's: its key was used before for other content
    ├── PayloadUnreadable the operator's: a stored request is damaged
    ├── MoveRefused       the operator's: a message may not be requeued or discarded; nothing was changed
    └── TryAgainLater     ours: the database is away or overloaded; the same call may succeed in a moment

A message may reach the sender and the log, so it never holds a value of the order except its reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ReceiverError(Exception):
    """What all errors raised on purpose have in common."""


class SettingsInvalid(ReceiverError):
    """The environment does not describe a receiver that can run; the text lists every problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("the settings cannot be used:\n" + "\n".join(f"  {problem}" for problem in problems))


class SchemaOutdated(ReceiverError):
    """The database is not at the schema this release needs; the text says which command mends it."""


class RequestRefused(ReceiverError):
    """The request is answered with a SOAP fault whose code says where the fault lies.

    `code` is a SOAP 1.1 fault code without its prefix: Client, VersionMismatch or MustUnderstand
    (SOAP 1.1, section 4.4.1).
    """

    def __init__(self, reason: str, *, code: str = "Client") -> None:
        self.reason = reason
        self.code = code
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an order: where, in the contract's own names, and what."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class OrderRefused(ReceiverError):
    """The order is answered with StatusCode Failed and kept as a refused receipt."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"the order has {len(self.problems)} problem(s)")


class ReportInvalid(ReceiverError):
    """A report of the ERP is not taken; every problem is listed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class OrderUnknown(ReceiverError):
    """A report is about an order that was not received here."""


class OrderUnclear(ReceiverError):
    """A report does not say which of several orders it is about."""


class PayloadUnreadable(ReceiverError):
    """A stored request cannot be read back; the text says why."""


class ReportConflict(ReceiverError):
    """A report comes under a key that other content came under before; the first stays as it is."""


class MoveRefused(ReceiverError):
    """The messages stay as they are, all of them; the text lists every reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("nothing was changed:\n" + "\n".join(f"  {problem}" for problem in problems))


class TryAgainLater(ReceiverError):
    """Nothing is wrong with the request, but it is not certain to be stored: the sender should repeat it."""
