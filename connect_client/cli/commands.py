"""The commands: one for each operation, drawn from its message, and `acknowledge` and `ping`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO

import click

from connect_client.calls import load_calls
from connect_client.cli.message_options import FieldOption, field_options, message_from
from connect_client.cli.outcomes import (
    Exit,
    Outcome,
    complain,
    invalid_message,
    invalid_settings,
    outcome_of,
    tell,
    write_bytes,
)
from connect_client.cli.settings import SettingsInvalid, Target, open_target
from connect_client.client import Reporting
from connect_client.errors import InvalidMessage
from connect_client.messages.statuses import OrderStatus
from connect_client.operations import Operation
from connect_client.retrying import retrying

_JSON = click.Option(["as_json", "--json"], is_flag=True, help="Print the outcome as one JSON object.")
_RETRY = click.Option(
    ["is_retried", "--retry"], is_flag=True, help="Try again after 1, 5 and 15 seconds where that is safe."
)
_DRY_RUN = click.Option(
    ["is_dry_run", "--dry-run"],
    is_flag=True,
    help="Print the envelope, byte for byte, and send nothing. Needs no settings.",
)
_FILE = click.Option(
    ["document", "--file"],
    type=click.File("rb"),
    help="JSON file with the message, fields by name; - is standard input. Options replace its fields.",
)


def commands() -> list[click.Command]:
    """All of them."""
    return [*(operation_command(operation) for operation in Operation), _acknowledge(), _ping()]


def operation_command(operation: Operation) -> click.Command:
    """The command of one operation, named after its method."""
    method = operation.name.lower()
    options = field_options(operation.message)

    def run(*, document: BinaryIO | None, **given: Any) -> Exit:
        content = None if document is None else _content(document)
        return _report(operation, content, given, options)

    about = [getattr(Reporting, method).__doc__, operation.message.__doc__]
    return click.Command(
        method.replace("_", "-"),
        callback=run,
        params=[_FILE, *options, _DRY_RUN, _RETRY, _JSON],
        help=_paragraphs(about),
    )


def _acknowledge() -> click.Command:
    operation = Operation.SEND_ORDER_STATUS
    options = field_options(operation.message)

    def run(*, ref: str, erp_order_no: str, **given: Any) -> Exit:
        typed = {"client_order_ref": ref, "erp_order_no": erp_order_no, "status": OrderStatus.CONFIRMED.value}
        return _report(operation, None, {**given, **typed}, options)

    arguments = [click.Argument(["ref"]), click.Argument(["erp_order_no"])]
    about = [Reporting.acknowledge.__doc__, "REF is Norce's client order reference, ERP_ORDER_NO the ERP's number."]
    params = [*arguments, _DRY_RUN, _RETRY, _JSON]
    return click.Command("acknowledge", callback=run, params=params, help=_paragraphs(about))


def _report(operation: Operation, document: bytes | None, given: Mapping[str, Any], options: list[FieldOption]) -> Exit:
    name, as_json = operation.wire_name, given["as_json"]
    try:
        message = message_from(operation.message, document, given, options)
    except InvalidMessage as error:
        return tell(invalid_message(error, operation=name), as_json=as_json)
    if given["is_dry_run"]:
        return _show(operation, message, as_json=as_json)

    def send(target: Target) -> Outcome:
        client = retrying(target.client) if given["is_retried"] else target.client
        return outcome_of(
            lambda: client.send(operation, message), operation=name, is_repeatable=operation.is_repeatable
        )

    return _with_target(name, send, as_json=as_json, done=lambda _: [f"{name}: done"])


def _show(operation: Operation, message: Any, *, as_json: bool) -> Exit:
    envelope = load_calls()[operation].encode(message)
    if as_json:
        facts = {"operation": operation.wire_name, "is_dry_run": True, "envelope": envelope.decode()}
        return tell(Outcome(Exit.DONE, facts), as_json=True)
    write_bytes(envelope)
    complain(f"{operation.wire_name}: a dry run, nothing was sent")
    return Exit.DONE


def _ping() -> click.Command:
    def run(*, as_json: bool) -> Exit:
        def check(target: Target) -> Outcome:
            outcome = outcome_of(target.client.ping, operation="Ping", is_repeatable=True)
            found = {"url": target.url, "tls": _trust(target), "credentials": target.kind_of_credentials}
            return Outcome(outcome.code, {**outcome.facts, **found}, outcome.lines)

        return _with_target("Ping", check, as_json=as_json, done=_found)

    about = "Check address, TLS and credentials, and change nothing."
    return click.Command("ping", callback=run, params=[_JSON], help=about)


def _found(target: Target) -> list[str]:
    return [
        f"address: an OrderService answers at {target.url}",
        f"TLS: {_trust(target)}",
        f"credentials: accepted ({target.kind_of_credentials})",
    ]


def _trust(target: Target) -> str:
    return "trusted" if target.url.lower().startswith("https:") else "none, plain HTTP within this machine"


def _with_target(
    operation: str,
    act: Callable[[Target], Outcome],
    *,
    as_json: bool,
    done: Callable[[Target], list[str]],
) -> Exit:
    try:
        target = open_target(click.get_current_context().obj)
    except SettingsInvalid as error:
        return tell(invalid_settings(error.problems, operation=operation), as_json=as_json)
    with target.client:
        outcome = act(target)
    return tell(outcome, as_json=as_json, done=done(target))


def _paragraphs(texts: Iterable[str | None]) -> str:
    return "\n\n".join(inspect.cleandoc(text) for text in texts if text)


def _content(document: BinaryIO) -> bytes:
    try:
        return document.read()
    except OSError as error:
        raise click.UsageError(f"the file cannot be read: {error.strerror}") from None
