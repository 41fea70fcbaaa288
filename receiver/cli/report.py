"""`receiver report`: a report of the ERP from a file, put into the outbox as the HTTP door would."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from receiver.cli.output import CommandFailed, print_json, print_pairs
from receiver.cli.records import open_units
from receiver.errors import ReportInvalid
from receiver.flows.report_json import NotJson, parse_report
from receiver.flows.submit_report import Submitted, submit_report
from receiver.settings import read_settings


def report(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a JSON document; - is standard input")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Put one report of the ERP into the outbox, from where the relay sends it to Norce.

    The document has `kind` and `report`, the fields of the message, and where needed `client_order_ref` or
    `erp_order_no`, `application_key` and `key`. The same document again is the same report.
    """
    document = _document(file)
    try:
        with open_units(read_settings(needs_credentials=False)) as units:
            submitted = submit_report(document, units=units)
    except ReportInvalid as error:
        problems = "\n".join(f"  {problem.path or 'the document'}: {problem.text}" for problem in error.problems)
        raise CommandFailed(f"the report was not taken:\n{problems}") from None
    if as_json:
        print_json(_as_data(submitted))
    else:
        _show(submitted)


def _document(file: Path) -> object:
    """What the JSON says, numbers to the digit."""
    source = "standard input" if str(file) == "-" else str(file)
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{source}: {error.strerror or 'cannot be read'}") from None
    try:
        return parse_report(raw)
    except NotJson as error:
        raise CommandFailed(f"{source}: no JSON: {error}") from None


def _as_data(submitted: Submitted) -> dict[str, object]:
    appended = submitted.appended
    return {
        "key": submitted.key,
        "message_id": appended.message_id,
        "state": appended.state.value,
        "is_repeat": appended.is_repeat,
    }


def _show(submitted: Submitted) -> None:
    appended = submitted.appended
    print_pairs(
        {
            "Key": submitted.key,
            "Message": appended.message_id,
            "State": appended.state.value,
            "Taken": "before, with the same content" if appended.is_repeat else "now",
        }
    )
