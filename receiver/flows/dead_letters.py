"""What a person decides about messages that nobody retries: send them after all, or let them go.

All of the chosen messages or none: where one may not be moved, nothing is. They are locked while they are looked at, so
the second of two operators who decide at once finds that there is nothing left to decide.
"""

from __future__ import annotations

from receiver import logs
from receiver.errors import MoveRefused
from receiver.outbox.dead_letter import Choice, MessageSummary, as_reason
from receiver.outbox.message import State
from receiver.ports import Unit, Units


def requeue_dead_letters(
    choice: Choice, *, reason: str, units: Units, has_looked: bool = False, is_dry_run: bool = False
) -> list[MessageSummary]:
    """Make dead letters pending, due now and with all their attempts before them; returns them as they were.

    The reason is kept with each message. Raises MoveRefused for what is no dead letter, for a revision when the ERP has
    a later one, and, unless somebody has looked in Norce, for what moves money and may already have moved it. A dry run
    finds the same and changes nothing.
    """
    with units.begin() as unit:
        chosen = _chosen(choice, unit, to=State.PENDING)
        _require_the_latest(chosen)
        if not has_looked:
            _require_that_no_money_moved(chosen)
        _move(chosen, unit, to=State.PENDING, reason=reason, is_dry_run=is_dry_run)
    return chosen


def discard_dead_letters(
    choice: Choice, *, reason: str, units: Units, is_dry_run: bool = False
) -> list[MessageSummary]:
    """Let dead letters go, for good; returns them as they were.

    They and the reason are kept, but nothing is sent. Raises MoveRefused for what is no dead letter. A dry run finds
    the same and changes nothing.
    """
    with units.begin() as unit:
        chosen = _chosen(choice, unit, to=State.DISCARDED)
        _move(chosen, unit, to=State.DISCARDED, reason=reason, is_dry_run=is_dry_run)
    return chosen


def _chosen(choice: Choice, unit: Unit, *, to: State) -> list[MessageSummary]:
    chosen = unit.dead_letters.lock(choice)
    missing = sorted(set(choice.message_ids) - {message.message_id for message in chosen})
    problems = [f"message {message_id}: there is none with this number" for message_id in missing]
    problems += [
        f"message {message.message_id}: is {message.state.value}, not a dead letter"
        for message in chosen
        # A leased message may become pending too, but that is its relay's decision.
        if message.state is not State.DEAD or not message.state.may_become(to)
    ]
    if problems:
        raise MoveRefused(problems)
    return chosen


def _require_the_latest(chosen: list[MessageSummary]) -> None:
    problems = [
        f"message {message.message_id}: the ERP has taken a later revision than {message.revision}, which this one "
        "would undo; discard the message"
        for message in chosen
        if message.is_overtaken
    ]
    if problems:
        raise MoveRefused(problems)


def _require_that_no_money_moved(chosen: list[MessageSummary]) -> None:
    problems = [
        f"message {message.message_id}: this {message.kind.value} moves money, and whether Norce has acted on it is "
        "not known; sent again it may move twice. Look in Norce: if it is there, discard the message, else requeue it "
        "with --i-have-looked-in-norce"
        for message in chosen
        if message.may_have_moved_money
    ]
    if problems:
        raise MoveRefused(problems)


def _move(chosen: list[MessageSummary], unit: Unit, *, to: State, reason: str, is_dry_run: bool) -> None:
    kept = as_reason(reason)
    if not kept:
        raise MoveRefused(["a reason is required; it is kept with each message"])
    if is_dry_run or not chosen:
        return
    unit.dead_letters.move([message.message_id for message in chosen], to, reason=kept)
    unit.commit()
    event = logs.MESSAGE_REQUEUED if to is State.PENDING else logs.MESSAGE_DISCARDED
    for message in chosen:
        # Not the reason: a person wrote it, and it may hold a name.
        logs.note(
            event,
            message_id=message.message_id,
            kind=message.kind.value,
            client_order_ref=message.client_order_ref,
        )
