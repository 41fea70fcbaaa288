"""Every way a call can end badly, sorted by the one question that decides what to do next: did Norce act?

    ConnectError
    ├── InvalidMessage       never sent: it does not fit the contract      mend the message
    ├── NotDelivered         certain that Norce did not act                repeat it later
    │   ├── Unreachable      no connection, or a proxy refused
    │   ├── TlsFailed        no trust between the two
    │   ├── Unauthorized     401, 403, or no token to be had
    │   ├── Throttled        429; with Norce's word on how long to wait
    │   └── Misdirected      3xx, 404, 405, 410: no OrderService there
    ├── Refused              Norce said no, by a fault or 4xx              a person decides
    └── OutcomeUnknown       Norce may have acted                          repeat only what is repeatable
        ├── TimedOut         sent, and no answer in time
        ├── ConnectionDropped  sent, and the connection ended
        ├── UnreadableReply  an answer that is neither success nor fault
        └── ServerFailed     408, 5xx, or a fault of Norce's own

No text here holds a value of a message, a reply's body or a secret. A fault's own text is in `fault.text` and nowhere
else, because a server may quote what it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,59}")
_MOST_DIGITS = 5


def shown_name(name: str) -> str:
    """A field's name as its caller wrote it, where it looks like one; anything else may be a person's data."""
    if _NAME.fullmatch(name) and sum(map(str.isdigit, name)) <= _MOST_DIGITS:
        return name
    return f"(a name of {len(name)} characters)"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a message: `path` such as `lines[0].unit_price`, empty for the whole of it."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


class ConnectError(Exception):
    """What every error of this package is."""


class InvalidMessage(ConnectError, ValueError):
    """The message does not fit the contract and was not made, so not sent; `problems` lists all of them."""

    def __init__(self, message: str, problems: Iterable[Problem]) -> None:
        self.message = message
        self.problems = tuple(problems)
        super().__init__(f"{message}: " + "; ".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault as Norce wrote it: `namespace` is what the prefix of its code stands for, None without one.

    `code` is empty where what stood there was no name. `text` is cut to 1,000 characters and may quote the message:
    show it to a person, keep it out of logs.
    """

    code: str
    namespace: str | None
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a call that failed; each part is None where the call did not come that far."""

    operation: str
    request_id: str
    status: int | None = None
    fault: Fault | None = None
    retry_after_seconds: float | None = None


class CallFailed(ConnectError):
    """What the errors of a call that was tried have in common; never raised itself.

    `operation` is its name in the contract, `request_id` stands in the log lines and was sent as X-Request-Id,
    `status` is the HTTP status and `fault` the SOAP fault, None where there was none, and `retry_after_seconds` is how
    long the answer asked to wait.
    """

    def __init__(self, reason: str, call: Circumstances) -> None:
        super().__init__(reason, call)
        self.reason = reason
        self.operation = call.operation
        self.request_id = call.request_id
        self.status = call.status
        self.fault = call.fault
        self.retry_after_seconds = call.retry_after_seconds

    def __str__(self) -> str:
        known = [f"request {self.request_id}"]
        known += [f"HTTP {self.status}"] if self.status is not None else []
        known += [f"fault {self.fault.code}"] if self.fault else []
        return f"{self.operation}: {self.reason} ({', '.join(known)})"


class NotDelivered(CallFailed):
    """Norce did not act, that much is certain: the same call may be tried again."""


class Unreachable(NotDelivered):
    """No connection came about: name not found, refused, timed out while connecting, or a proxy in the way."""


class TlsFailed(NotDelivered):
    """The connection could not be trusted: a certificate of either side, or no common protocol."""


class Unauthorized(NotDelivered):
    """Norce did not accept the credentials, or the identity service gave no token for them."""


class Throttled(NotDelivered):
    """Too many calls; `retry_after_seconds` says how long to wait, where the answer did."""


class Misdirected(NotDelivered):
    """Something answered, but no OrderService lives at this address."""


class Refused(CallFailed):
    """Norce read the call and said no; repeating it unchanged gets the same answer.

    `fault` is None where the refusal was an HTTP status without a fault.
    """


class OutcomeUnknown(CallFailed):
    """Norce may have acted or not. Never repeat an invoice or a credit after this: look in Norce first."""


class TimedOut(OutcomeUnknown):
    """The call was sent and no whole answer came within the read timeout."""


class ConnectionDropped(OutcomeUnknown):
    """The call was sent, at least in part, and the connection ended without an answer."""


class UnreadableReply(OutcomeUnknown):
    """An answer that is neither the operation's success nor a fault: HTML, nothing, too much, another's."""


class ServerFailed(OutcomeUnknown):
    """Norce, or something before it, failed at its own work: 408, any 5xx without a fault, or an internal fault."""
