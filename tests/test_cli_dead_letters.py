"""An operator finds what died and why, sends it after all or lets it go: once, with a reason, and no money twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from receiver.errors import MoveRefused
from receiver.flows.dead_letters import discard_dead_letters, requeue_dead_letters
from receiver.outbox.dead_letter import LONGEST_REASON, Choice
from receiver.outbox.message import Outcome, Verdict
from receiver.ports import Delivery
from tests.operators import Operator
from tests.relaying import (
    DELIVERED,
    INVOICE,
    NORCE,
    NOT_NOW,
    NOTE,
    REFUSED,
    STATUS,
    UNKNOWN,
    DecidingCourier,
    Never,
    Outbox,
    outbox_on,
)

REF = "700101"
GO = Never()
WHY = ("--reason", "the part exists now", "--yes")
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    with outbox_on(database_url) as outbox:
        yield outbox


@pytest.fixture
def operator(outbox: Outbox, tmp_path: Path) -> Operator:
    return Operator(tmp_path, outbox.url)


def fate(delivery: Delivery) -> Verdict:
    """Everything dies, for reasons of its own."""
    reasons = {"order": "No such Part", "order-status": "100% refused", "delivery-note": "no such parcel"}
    kind = delivery.message.kind.value
    return UNKNOWN if kind == "invoice" else Verdict(Outcome.REFUSED, reasons[kind])


def let_die(outbox: Outbox, *, ref: str = REF) -> dict[str, int]:
    """An order and three reports about it, all dead; returns their numbers by kind."""
    outbox.accept(ref)
    for kind, report in (("order-status", STATUS), ("delivery-note", NOTE), ("invoice", INVOICE)):
        outbox.report(kind, report, client_order_ref=ref)
    relay = outbox.relay(erp=DecidingCourier(fate), norce=DecidingCourier(fate))
    while relay.round(GO):
        pass
    assert set(outbox.states()) == {"dead"}
    return {row["kind"]: row["id"] for row in outbox.rows()}


def reasons_of(outbox: Outbox, message_id: int) -> list[tuple[str, str | None]]:
    return [attempt[1:] for attempt in outbox.attempts() if attempt[0] == message_id]


def test_the_list_begins_with_the_oldest_and_is_narrowed_by_every_filter(outbox: Outbox, operator: Operator) -> None:
    ids = let_die(outbox)

    def kinds(*options: str) -> list[str]:
        return [each["kind"] for each in operator.data("dead-letters", "list", *options)]

    assert kinds() == list(ids)
    assert kinds("--destination", "erp") == ["order"]
    assert kinds("--kind", "invoice", "--order", REF) == ["invoice"]
    assert kinds("--error", "NO SUCH") == ["order", "delivery-note"]
    assert kinds("--error", "0%") == ["order-status"]
    assert kinds("--older-than", "2h") == []
    outbox.change(finished_at=datetime.now(UTC) - timedelta(hours=3))
    assert kinds("--older-than", "2h", "--limit", "1") == ["order"]
    shown = operator.text("dead-letters", "list", "--limit", "3")
    assert shown.startswith("The oldest 3 of 4\n")
    assert "No such Part" in shown


@on_sqlite
def test_a_message_is_shown_with_its_payload_and_every_attempt(outbox: Outbox, operator: Operator) -> None:
    ids = let_die(outbox)
    shown = operator.text("dead-letters", "show", str(ids["invoice"]))
    assert '"invoice_no": "F-1",' in shown
    assert "yes, and Norce may have acted on it" in shown
    assert "no reply in time" in shown
    data = operator.data("dead-letters", "show", str(ids["order"]))
    assert (data["payload"], data["message"]["state"], data["message"]["revision"]) == (None, "dead", 1)
    assert [(each["outcome"], each["detail"]) for each in data["attempts"]] == [("refused", "No such Part")]
    order = f"receiver orders show {REF} --application 00000000-0000-0000-0000-000000000000 --revision 1"
    assert order in operator.text("dead-letters", "show", str(ids["order"]))
    assert "there is no message 99" in operator.refusal("dead-letters", "show", "99")


def test_a_requeued_message_is_due_at_once_untried_and_delivered(outbox: Outbox, operator: Operator) -> None:
    ids = let_die(outbox)
    done = operator.data("dead-letters", "requeue", str(ids["order-status"]), *WHY)
    assert (done["decision"], done["is_dry_run"]) == ("requeued", False)
    assert [message["message_id"] for message in done["messages"]] == [ids["order-status"]]
    (row,) = [row for row in outbox.rows() if row["id"] == ids["order-status"]]
    assert (row["state"], row["attempts"], row["finished_at"]) == ("pending", 0, None)
    assert reasons_of(outbox, row["id"])[-1] == ("requeued", "the part exists now")
    norce = DecidingCourier()
    outbox.relay(norce=norce).round(GO)
    assert norce.said == [(REF, "order-status", None)]
    assert sorted(outbox.states()) == ["dead", "dead", "dead", "delivered"]


def test_a_discarded_message_is_kept_and_never_sent(outbox: Outbox, operator: Operator) -> None:
    let_die(outbox)
    assert "4 messages discarded." in operator.text("dead-letters", "discard", "--all", *WHY)
    norce = DecidingCourier()
    outbox.relay(norce=norce, erp=norce).round(GO)
    assert norce.tried == []
    assert set(outbox.states()) == {"discarded"}
    assert operator.text("dead-letters", "list") == "No dead letters.\n"
    again = operator.refusal("dead-letters", "requeue", "1", *WHY)
    assert "message 1: is discarded, not a dead letter" in again


def test_money_that_may_have_moved_is_not_sent_again_unseen(outbox: Outbox, operator: Operator) -> None:
    ids = let_die(outbox)
    refusal = operator.refusal("dead-letters", "requeue", "--destination", "norce", "--dry-run", "--reason", "why not")
    assert refusal.startswith("nothing was changed:\n")
    assert f"message {ids['invoice']}: this invoice moves money" in refusal
    assert "--i-have-looked-in-norce" in refusal
    assert set(outbox.states()) == {"dead"}
    operator.text("dead-letters", "requeue", str(ids["invoice"]), *WHY, "--i-have-looked-in-norce")
    outbox.relay(norce=DecidingCourier(lambda _: Verdict(Outcome.REFUSED, "no such order"))).round(GO)
    operator.text("dead-letters", "requeue", str(ids["invoice"]), *WHY)
    assert [outcome for outcome, _ in reasons_of(outbox, ids["invoice"])] == [
        *("unknown", "requeued", "refused", "requeued")
    ]


def test_money_in_the_hands_of_a_lost_relay_needs_a_look_too(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.report("invoice", INVOICE)

    def die(_: Delivery) -> Verdict:
        raise SystemExit

    with pytest.raises(SystemExit):
        outbox.relay(norce=DecidingCourier(die)).round(GO)
    invoice = Choice((outbox.rows()[1]["id"],))
    with pytest.raises(MoveRefused, match="is leased, not a dead letter"):
        requeue_dead_letters(invoice, reason="now", units=outbox.units)
    outbox.lose_leases()
    outbox.relay(norce=DecidingCourier()).round(GO)
    with pytest.raises(MoveRefused, match="moves money"):
        requeue_dead_letters(invoice, reason="now", units=outbox.units)
    assert outbox.states() == ["pending", "dead"]


@on_sqlite
def test_an_operator_is_asked_and_a_dry_run_changes_nothing(outbox: Outbox, operator: Operator) -> None:
    let_die(outbox)
    command = ("dead-letters", "discard", "--kind", "order", "--reason", "sold out")
    dry = operator.text(*command, "--dry-run")
    assert "1 message would be discarded." in dry
    for answer in ("n\n", ""):
        refused = operator.run(*command, typed=answer)
        assert (refused.returncode, "No such Part" in refused.stdout) == (1, True)
    assert outbox.states()[0] == "dead"
    assert len(outbox.attempts()) == 4
    assert "1 message discarded." in operator.run(*command, typed="y\n").stdout
    assert outbox.states() == ["discarded", "dead", "dead", "dead"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("requeue", "1"),
        ("show", str(2**63)),
        ("requeue", "--reason", "x"),
        ("discard", "--reason", "x", "--limit", "5"),
        ("discard", "1", "--kind", "order", "--reason", "x"),
        ("discard", "1", "--limit", "1", "--reason", "x"),
        ("requeue", "--all", "--order", REF, "--reason", "x"),
        ("requeue", "--error", "", "--reason", "x"),
        ("requeue", "--all", "--reason", "x", "--json"),
    ],
)
def test_a_decision_that_is_not_clear_is_a_usage_error(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    done = Operator(tmp_path, "sqlite:///nowhere.db").run("dead-letters", *wrong)
    assert (done.returncode, done.stdout) == (2, "")


@on_sqlite
def test_a_reason_is_kept_as_one_short_line(outbox: Outbox) -> None:
    let_die(outbox)
    one = Choice((1,))
    with pytest.raises(MoveRefused, match="a reason is required"):
        discard_dead_letters(one, reason=" \n\x1b", units=outbox.units)
    discard_dead_letters(one, reason="sold\tout\x1b[31m\n" + "x" * 600, units=outbox.units)
    _, (outcome, reason) = reasons_of(outbox, 1)
    assert outcome == "discarded"
    assert reason is not None
    assert reason.startswith("sold out [31m xxx")
    assert len(reason) == LONGEST_REASON


@on_sqlite
def test_one_wrong_message_keeps_all_as_they_are(outbox: Outbox) -> None:
    let_die(outbox)
    with pytest.raises(MoveRefused) as refused:
        discard_dead_letters(Choice((1, 77, 2)), reason="sold out", units=outbox.units)
    assert refused.value.problems == ("message 77: there is none with this number",)
    outbox.accept("700102")
    with pytest.raises(MoveRefused, match="message 5: is pending, not a dead letter"):
        discard_dead_letters(Choice((1, 5)), reason="sold out", units=outbox.units)
    assert outbox.states() == ["dead"] * 4 + ["pending"]


def test_of_two_operators_at_once_one_decides(outbox: Outbox) -> None:
    let_die(outbox)
    ids = tuple(row["id"] for row in outbox.rows() if row["kind"] != "invoice")
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def decide(choice: Choice) -> None:
        together.wait()
        try:
            requeue_dead_letters(choice, reason="both of us", units=outbox.units)
            outcomes.append("requeued")
        except MoveRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=decide, args=(Choice(part),)) for part in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "requeued"]
    assert [outcome for _, outcome, _ in outbox.attempts()].count("requeued") == len(ids)


def test_a_revision_that_was_overtaken_is_not_handed_over_any_more(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.accept(REF, comment="second")
    relay = outbox.relay(erp=DecidingCourier(lambda each: DELIVERED if each.message.revision == 2 else REFUSED))
    assert (relay.round(GO), relay.round(GO)) == (1, 1)
    first = Choice((outbox.rows()[0]["id"],))
    with pytest.raises(MoveRefused, match="later revision than 1"):
        requeue_dead_letters(first, reason="why not", units=outbox.units)
    discard_dead_letters(first, reason="overtaken", units=outbox.units)
    assert outbox.states() == ["discarded", "delivered"]


def test_many_dead_letters_are_moved_at_once(outbox: Outbox) -> None:
    outbox.accept(REF)
    for number in range(1200):
        outbox.report("order-status", {**STATUS, "infos": {"Number": str(number)}})
    outbox.change(state="dead", finished_at=datetime.now(UTC))
    moved = requeue_dead_letters(Choice(destination=NORCE), reason="Norce is back", units=outbox.units)
    assert len(moved) == 1200
    assert [message.message_id for message in moved] == sorted(message.message_id for message in moved)
    again = Choice(tuple(message.message_id for message in moved))
    with pytest.raises(MoveRefused) as refused:
        requeue_dead_letters(again, reason="again", units=outbox.units)
    assert len(refused.value.problems) == 1200


def test_the_outbox_says_what_waits_what_is_held_and_what_has_died(outbox: Outbox, operator: Operator) -> None:
    assert operator.text("outbox") == "Nothing waits, and nothing has died.\n"
    outbox.accept(REF)
    outbox.accept("700102")
    outbox.relay(erp=DecidingCourier(lambda each: fate(each) if each.message.message_id == 1 else NOT_NOW)).round(GO)
    outbox.report("order-status", STATUS)
    held: list[dict[str, Any]] = []
    texts: list[str] = []

    def look(_: Delivery) -> Verdict:
        held.append(operator.data("outbox"))
        texts.append(operator.text("outbox"))
        return Verdict(Outcome.DELIVERED)

    outbox.relay(norce=DecidingCourier(look)).round(GO)
    (status,) = held
    assert [(each["destination"], each["state"], each["messages"]) for each in status["counts"]] == [
        *(("erp", "pending", 1), ("erp", "dead", 1), ("norce", "leased", 1))
    ]
    assert [each["client_order_ref"] for each in status["leased"]] == [REF]
    assert 0 <= status["oldest_pending_age_seconds"]["erp"] < 60
    assert "Held by relays" in texts[0]
    delivered = [each for each in operator.data("outbox", "--all")["counts"] if each["state"] == "delivered"]
    assert [(each["destination"], each["messages"]) for each in delivered] == [("norce", 1)]
