"""`receiver dead-letters`: messages that nobody retries, and what a person decides about them.

Requeueing and discarding first show what is meant; what is then moved is exactly that, or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import typer

from receiver.cli import since as since_option
from receiver.cli.output import CommandFailed, print_json, print_lines, print_pairs, print_table
from receiver.cli.records import open_records, open_units
from receiver.flows.dead_letters import discard_dead_letters, requeue_dead_letters
from receiver.outbox.dead_letter import Choice, MessageSummary
from receiver.outbox.message import Destination, Kind, State
from receiver.ports import Units
from receiver.settings import read_settings
from receiver.storage.outbox_queries import AttemptRow

dead_letters = typer.Typer(help="Look at messages that nobody retries, and decide about them.", no_args_is_help=True)

_NUMBER = {"metavar": "ID", "min": 1, "max": 2**63 - 1}
Id = Annotated[int, typer.Argument(help="the number that `dead-letters list` shows", **_NUMBER)]
Ids = Annotated[list[int] | None, typer.Argument(help="the numbers that `dead-letters list` shows", **_NUMBER)]
ToDestination = Annotated[Destination | None, typer.Option("--destination", help="only messages to this destination")]
OfKind = Annotated[Kind | None, typer.Option("--kind", help="only messages of this kind")]
OlderThan = Annotated[
    datetime | None,
    typer.Option("--older-than", parser=since_option.instant, help=f"only those that died before: {since_option.HELP}"),
]
Error = Annotated[str | None, typer.Option("--error", help="only those whose last error contains this text")]
OfOrder = Annotated[str | None, typer.Option("--order", metavar="REF", help="only messages about this order")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="how many at most, the oldest first")]
Everything = Annotated[bool, typer.Option("--all", help="all dead letters")]
Reason = Annotated[str, typer.Option("--reason", help="why; kept with each message, so no personal data")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show what would be done, and do nothing")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]

_LIST = (">ID", "Died (UTC)", "To", "Kind", "Order", ">Attempts", "Last", "Detail")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided, in two forms of the word, and how it is done: `move` takes true for a trial."""

    verb: str
    participle: str
    move: Callable[[Units, Choice, bool], list[MessageSummary]]


@dead_letters.command("list")
def list_dead_letters(
    *,
    destination: ToDestination = None,
    kind: OfKind = None,
    older_than: OlderThan = None,
    error: Error = None,
    order: OfOrder = None,
    limit: Annotated[int, typer.Option(min=1, help="how many at most")] = _SHOWN,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the oldest message first."""
    choice = Choice((), destination, kind, older_than, error, order, limit)
    with open_records(read_settings(needs_credentials=False)) as records:
        found, total = records.outbox.dead(choice)
    if as_json:
        print_json(found)
    else:
        _show_messages(found, total=total)


@dead_letters.command("show")
def show_message(
    message_id: Id,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one message, dead or not, with its payload and everything that was tried and decided."""
    with open_records(read_settings(needs_credentials=False)) as records:
        found = records.outbox.find(message_id)
        payload = records.outbox.payload(message_id)
        attempts = records.outbox.attempts(message_id)
    if found is None:
        raise CommandFailed(f"there is no message {message_id}; see: receiver dead-letters list")
    if as_json:
        print_json({"message": found, "payload": payload, "attempts": attempts})
    else:
        _show(found, payload, attempts)


@dead_letters.command("requeue")
def requeue(
    ids: Ids = None,
    *,
    reason: Reason,
    destination: ToDestination = None,
    kind: OfKind = None,
    older_than: OlderThan = None,
    error: Error = None,
    order: OfOrder = None,
    limit: Limit = None,
    is_all: Everything = False,
    has_looked: Annotated[
        bool,
        typer.Option(
            "--i-have-looked-in-norce",
            help="for invoices and credits that Norce may have acted on: it has not, somebody has looked",
        ),
    ] = False,
    is_dry_run: DryRun = False,
    is_sure: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters after all: they are due now, with all their attempts before them.

    An invoice or a credit moves money. If the last attempt ended without a clear answer, Norce may have it, and sending
    it again could capture or pay back twice; so somebody has to look in Norce first.
    """
    choice = Choice(tuple(ids or ()), destination, kind, older_than, error, order, limit)

    def move(units: Units, chosen: Choice, is_trial: bool) -> list[MessageSummary]:
        return requeue_dead_letters(chosen, reason=reason, units=units, has_looked=has_looked, is_dry_run=is_trial)

    decision = Decision("requeue", "requeued", move)
    _decide(decision, _checked(choice, is_all=is_all), is_dry_run=is_dry_run, is_sure=is_sure, as_json=as_json)


@dead_letters.command("discard")
def discard(
    ids: Ids = None,
    *,
    reason: Reason,
    destination: ToDestination = None,
    kind: OfKind = None,
    older_than: OlderThan = None,
    error: Error = None,
    order: OfOrder = None,
    limit: Limit = None,
    is_all: Everything = False,
    is_dry_run: DryRun = False,
    is_sure: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let dead letters go, for good: they are kept, but never sent."""
    choice = Choice(tuple(ids or ()), destination, kind, older_than, error, order, limit)

    def move(units: Units, chosen: Choice, is_trial: bool) -> list[MessageSummary]:
        return discard_dead_letters(chosen, reason=reason, units=units, is_dry_run=is_trial)

    decision = Decision("discard", "discarded", move)
    _decide(decision, _checked(choice, is_all=is_all), is_dry_run=is_dry_run, is_sure=is_sure, as_json=as_json)


def _checked(choice: Choice, *, is_all: bool) -> Choice:
    """The choice; a usage error where it may not be what was meant."""
    filters = replace(choice, message_ids=(), limit=None)
    if "" in (filters.error, filters.client_order_ref):
        # A script whose variable is empty would otherwise mean nearly everything.
        raise typer.BadParameter("--error and --order need a text")
    if sum([bool(choice.message_ids), filters != Choice(), is_all]) != 1:
        raise typer.BadParameter("say which messages are meant: IDs, or filters, or --all, and only one of the three")
    if choice.message_ids and choice.limit is not None:
        raise typer.BadParameter("--limit is for filters and --all; with IDs, leave some out")
    return choice


def _decide(decision: Decision, choice: Choice, *, is_dry_run: bool, is_sure: bool, as_json: bool) -> None:
    if as_json and not (is_dry_run or is_sure):
        raise typer.BadParameter("--json cannot ask; add --yes or --dry-run")
    with open_units(read_settings(needs_credentials=False)) as units:
        found = decision.move(units, choice, True)
        if not as_json:
            _show_messages(found[:_SHOWN], total=len(found))
        if found and not is_dry_run:
            if not is_sure:
                typer.confirm(f"{decision.verb.capitalize()} {_count(found)}?", abort=True)
            # By their numbers: another message may have died since they were shown.
            decision.move(units, Choice(tuple(message.message_id for message in found)), False)
    if as_json:
        print_json({"decision": decision.participle, "is_dry_run": is_dry_run, "messages": found})
    elif found:
        print_lines(f"{_count(found)} {'would be ' if is_dry_run else ''}{decision.participle}.")


def _count(found: list[MessageSummary]) -> str:
    return "1 message" if len(found) == 1 else f"{len(found)} messages"


def _show_messages(found: list[MessageSummary], *, total: int) -> None:
    title = "No dead letters." if not found else f"The oldest {len(found)} of {total}" if total > len(found) else None
    rows = (
        (
            *(each.message_id, each.finished_at, each.destination.value, each.kind.value, each.client_order_ref),
            *(each.attempts, each.last_outcome, each.last_detail),
        )
        for each in found
    )
    print_table(title, _LIST, rows, wrapping="Detail")


def _show(found: MessageSummary, payload: dict[str, Any] | None, attempts: list[AttemptRow]) -> None:
    is_doubtful = found.state is State.DEAD and found.may_have_moved_money
    print_pairs(
        {
            "Message": found.message_id,
            "To": found.destination.value,
            "Kind": found.kind.value,
            "Key": found.key,
            "Order": found.client_order_ref,
            "Application": found.application_key,
            "Revision": found.revision,
            "State": found.state.value,
            "Moves money": "yes, and Norce may have acted on it" if is_doubtful else None,
            "Appended (UTC)": found.created_at,
            "Finished (UTC)": found.finished_at,
        }
    )
    if payload is None:
        shown = f"--application {found.application_key} --revision {found.revision}"
        print_lines("", f"The order itself: receiver orders show {found.client_order_ref} {shown}")
    else:
        print_lines("", "Report", *json.dumps(payload, indent=2, ensure_ascii=False).splitlines())
    rows = ((row.happened_at, row.outcome, row.milliseconds, row.detail) for row in attempts)
    print_table("\nAttempts", ("When (UTC)", "Outcome", ">ms", "Detail"), rows, wrapping="Detail")
