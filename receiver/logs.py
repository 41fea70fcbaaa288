"""Structured log lines: one event in past tense, data in keywords, never personal data.

`note` takes only keywords that are references, numbers or codes. What other libraries log goes through the same
pipe, and exceptions are shown by type and place: their messages may quote an order (PostgreSQL quotes whole rows).
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, TextIO, cast

import structlog

from receiver.errors import ReceiverError

ORDER_ACCEPTED = "order_accepted"
ORDER_REPEATED = "order_repeated"
ORDER_REVISED = "order_revised"
ORDER_REFUSED = "order_refused"
REQUEST_REFUSED = "request_refused"
REQUEST_PUT_OFF = "request_put_off"
REQUEST_UNREADABLE = "request_unreadable"
REQUEST_UNAUTHORIZED = "request_unauthorized"
REQUEST_FAILED = "request_failed"
DATABASE_FAILED = "database_failed"
COMMAND_FAILED = "command_failed"
RECEIVER_STARTED = "receiver_started"
REPORT_SUBMITTED = "report_submitted"
REPORT_REFUSED = "report_refused"
RELAY_STARTED = "relay_started"
RELAY_STOPPED = "relay_stopped"
DATA_ERASED = "data_erased"
RELAY_ENDED = "relay_ended"
RELAY_FAILED = "relay_failed"
LEASES_RECOVERED = "leases_recovered"
MESSAGE_DELIVERED = "message_delivered"
MESSAGE_PUT_OFF = "message_put_off"
MESSAGE_DIED = "message_died"
MESSAGE_REQUEUED = "message_requeued"
MESSAGE_DISCARDED = "message_discarded"
CONFIRMATION_NOT_SENT = "confirmation_not_sent"

_LEVELS = {
    ORDER_REVISED: logging.WARNING,
    ORDER_REFUSED: logging.WARNING,
    REQUEST_REFUSED: logging.WARNING,
    REQUEST_PUT_OFF: logging.WARNING,
    REQUEST_UNREADABLE: logging.WARNING,
    REPORT_REFUSED: logging.WARNING,
    LEASES_RECOVERED: logging.WARNING,
    MESSAGE_PUT_OFF: logging.WARNING,
    RELAY_ENDED: logging.ERROR,
    CONFIRMATION_NOT_SENT: logging.ERROR,
    MESSAGE_DIED: logging.ERROR,
    DATABASE_FAILED: logging.ERROR,
}
_QUIET = ("spyne", "alembic", "sqlalchemy", "zeep", "urllib3")
"""Libraries that log what they were given; what we need of it we log ourselves, with a request id."""

_log = structlog.get_logger("receiver")


class _Unfailing:
    """Standard error for the log, which must not decide what a sender hears: a full disk or closed pipe is borne."""

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def configure(*, as_text: bool = False) -> None:
    """Send every log line of the process to standard error: JSON for machines, or aligned text for a terminal."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _show_exception_by_place,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if as_text
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    # Our own lines do not pass through the logging module: that would cost as much as an order line each.
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Unfailing())),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(cast(TextIO, _Unfailing()))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def request_scope(request_id: str) -> AbstractContextManager[Mapping[str, Any]]:
    """Put the request id on every line logged inside the block."""
    return structlog.contextvars.bound_contextvars(request_id=request_id)  # type: ignore[return-value]


def note(event: str, **data: object) -> None:
    """Log one event at its level; what needs an eye is a warning or an error."""
    _log.log(_LEVELS.get(event, logging.INFO), event, **data)


def failure(event: str, **data: object) -> None:
    """Log one event with the exception that is being handled, as an error."""
    _log.error(event, exc_info=True, **data)


def _show_exception_by_place(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    information = line.pop("exc_info", None)
    if information is True:
        information = sys.exc_info()
    elif isinstance(information, BaseException):
        information = (type(information), information, information.__traceback__)
    if information and information[1] is not None:
        line["exception"] = _chain(information[1])
    return line


def _chain(error: BaseException) -> str:
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < 5:
        parts.append(_one(current, current.__traceback__))
        current = current.__cause__ or current.__context__
    return "\ncaused by ".join(parts)


def _one(error: BaseException, tb: TracebackType | None) -> str:
    # Our own messages hold no order values by rule; any other message may.
    message = f": {error}" if isinstance(error, ReceiverError) else ""
    places = [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(tb)[-12:]]
    return "\n".join([f"{type(error).__module__}.{type(error).__qualname__}{message}", *places])
