"""What became of a command: its exit code, its lines for people, and the same as JSON.

The exit code answers the question that matters to a script: may it try again? So nothing else may end with one of
these codes by accident; Python's own 1 for a crash would read as Norce's refusal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import click

from connect_client.errors import (
    CallFailed,
    InvalidMessage,
    Misdirected,
    NotDelivered,
    OutcomeUnknown,
    Refused,
    Throttled,
    TlsFailed,
    Unauthorized,
    Unreachable,
)


class Exit(IntEnum):
    """The exit codes."""

    DONE = 0
    REFUSED = 1
    INVALID = 2
    NOT_DELIVERED = 3
    OUTCOME_UNKNOWN = 4


_NAMES = {
    Exit.DONE: "done",
    Exit.REFUSED: "refused",
    Exit.INVALID: "invalid",
    Exit.NOT_DELIVERED: "not_delivered",
    Exit.OUTCOME_UNKNOWN: "outcome_unknown",
}
_WHAT_TO_CHECK: dict[type[CallFailed], str] = {
    Unreachable: "no connection came about: check CONNECT_URL, the name, proxies and firewalls",
    TlsFailed: "one side does not trust the other: check CONNECT_CA_FILE and CONNECT_CERTIFICATE_FILE",
    Unauthorized: "something answers, but does not accept the credentials: check them, and the application's rights",
    Throttled: "too many calls: wait",
    Misdirected: "something answers, but it is no OrderService: check the path in CONNECT_URL",
}
_REFUSED = "Norce did not act; the same call would get the same answer"
_NOT_DELIVERED = "Norce did not act, that is certain; the call may be repeated"
_LOOK_FIRST = (
    "Norce may have acted: look in Norce before you repeat this; repeating an invoice or a credit blindly "
    "may move the money twice"
)
_MAY_REPEAT = "Norce may have acted; this call may be repeated, done twice it does the same as done once"
_PING = "the check changes nothing and may be repeated"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`lines` are for standard error, `facts` for JSON; neither holds a value of the message or a secret.

    The one exception is a fault's text, which may quote the message and is meant for the person at the terminal.
    """

    code: Exit
    facts: dict[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def outcome_of(call: Callable[[], None], *, operation: str, is_repeatable: bool) -> Outcome:
    """Make the call and say what came of it. An interruption counts as unknown: the call may have left.

    Once it is known what came of it, Ctrl-C is ignored: the command ends anyway, and must end with the right code.
    """
    try:
        return _outcome_of(call, operation=operation, is_repeatable=is_repeatable)
    except KeyboardInterrupt:
        advice = _advice(operation, is_repeatable=is_repeatable)
        facts = {"operation": operation, "error": "Interrupted"}
        return Outcome(Exit.OUTCOME_UNKNOWN, facts, (f"{operation}: interrupted during the call", advice))


def _outcome_of(call: Callable[[], None], *, operation: str, is_repeatable: bool) -> Outcome:
    try:
        call()
    except Refused as error:
        return _failed(Exit.REFUSED, error, _REFUSED)
    except NotDelivered as error:
        check = [text for kind, text in _WHAT_TO_CHECK.items() if isinstance(error, kind)]
        return _failed(Exit.NOT_DELIVERED, error, *check, _NOT_DELIVERED)
    except OutcomeUnknown as error:
        return _failed(Exit.OUTCOME_UNKNOWN, error, _advice(operation, is_repeatable=is_repeatable))
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return Outcome(Exit.DONE, {"operation": operation})


def invalid_message(error: InvalidMessage, *, operation: str) -> Outcome:
    """Nothing was sent; every problem has its line."""
    problems = [{"path": problem.path, "text": problem.text} for problem in error.problems]
    lines = (f"{operation}: nothing was sent, the message does not fit the contract", *map(str, error.problems))
    return Outcome(Exit.INVALID, {"operation": operation, "error": "InvalidMessage", "problems": problems}, lines)


def invalid_settings(problems: Iterable[str], *, operation: str) -> Outcome:
    """Nothing was sent; every problem has its line."""
    found = tuple(problems)
    facts = {"operation": operation, "error": "SettingsInvalid", "problems": [{"text": text} for text in found]}
    return Outcome(Exit.INVALID, facts, (f"{operation}: nothing was sent, settings are missing or wrong", *found))


def tell(outcome: Outcome, *, as_json: bool, done: Iterable[str] = ("done",)) -> Exit:
    """Write the outcome and return its code; `done` is what a person hears of a success.

    A standard output that cannot be written to changes nothing about what Norce did, so it does not change the code.
    """
    for line in outcome.lines:
        complain(line)
    if as_json:
        _write(json.dumps({"outcome": _NAMES[outcome.code], **outcome.facts}, indent=2))
    elif outcome.code is Exit.DONE:
        for line in done:
            _write(line)
    return outcome.code


def complain(text: str) -> None:
    """One line on standard error, without characters that a terminal would obey."""
    line = "".join(character if character.isprintable() else " " for character in text)
    with suppress(OSError):
        click.echo(f"connect-client: {line}", err=True)


def write_bytes(content: bytes) -> None:
    """Exactly these bytes on standard output."""
    _guarded(lambda: click.echo(content, nl=False))


def _write(text: str) -> None:
    _guarded(lambda: click.echo(text))


def _guarded(write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        complain(f"cannot write to standard output: {error.strerror}")
        # What is still in its buffer would fail again at the end, and change the exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _advice(operation: str, *, is_repeatable: bool) -> str:
    if operation == "Ping":
        return _PING
    return _MAY_REPEAT if is_repeatable else _LOOK_FIRST


def _failed(code: Exit, error: CallFailed, *advice: str) -> Outcome:
    facts: dict[str, Any] = {
        "operation": error.operation,
        "error": type(error).__name__,
        "reason": error.reason,
        "request_id": error.request_id,
        "http_status": error.status,
        "retry_after_seconds": error.retry_after_seconds,
        "fault": None,
    }
    lines = [f"{type(error).__name__}: {error}"]
    if error.fault is not None:
        facts["fault"] = {"code": error.fault.code, "namespace": error.fault.namespace, "text": error.fault.text}
        lines.append(f"Norce says: {error.fault.text}")
    if error.retry_after_seconds is not None:
        lines.append(f"Norce asks to wait {error.retry_after_seconds:.0f} s")
    return Outcome(code, facts, (*lines, *advice))
