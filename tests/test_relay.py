"""Messages leave once, in order, by whoever holds them; what cannot be known about money waits for a person."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from receiver.errors import TryAgainLater
from receiver.flows import relay_outbox
from receiver.outbox.message import Outcome, Verdict
from receiver.outbox.retry import WAITS
from receiver.ports import Delivery
from receiver.storage.engine import new_engine
from tests.relaying import (
    DELIVERED,
    DOWN,
    INVOICE,
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


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    with outbox_on(database_url) as outbox:
        yield outbox


def test_an_accepted_order_is_handed_over_with_what_it_says(outbox: Outbox) -> None:
    outbox.accept(REF)
    erp = DecidingCourier()
    assert outbox.relay(erp=erp).round(GO) == 1
    (delivery,) = erp.tried
    assert delivery.hand_over is not None
    assert delivery.hand_over.order().client_order_ref == REF
    assert delivery.hand_over.body().startswith(b"<s:Envelope")
    assert (delivery.message.revision, delivery.message.attempts) == (1, 0)
    assert outbox.states() == ["delivered"]
    assert outbox.order(REF)["state"] == "handed_over"
    assert outbox.attempts() == [(outbox.rows()[0]["id"], "delivered", None)]
    assert outbox.relay(erp=erp).round(GO) == 0


def test_revisions_are_handed_over_one_after_the_other(outbox: Outbox) -> None:
    for comment in ("first", "second", "third"):
        outbox.accept(REF, comment=comment)
    outbox.accept("700102")
    erp = DecidingCourier(lambda each: NOT_NOW if each.message.revision == 1 and len(erp.tried) < 3 else DELIVERED)
    relay = outbox.relay(erp=erp)
    assert relay.round(GO) == 2
    assert relay.round(GO) == 0  # the second revision waits for the first, which is not due yet
    assert outbox.order(REF)["state"] == "received"
    outbox.make_due()
    while relay.round(GO):
        pass
    assert [said for said in erp.said if said[0] == REF] == [(REF, "order", n) for n in (1, 1, 2, 3)]
    assert set(outbox.states()) == {"delivered"}


def test_a_repeat_of_an_order_appends_nothing(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.accept(REF)
    assert outbox.states() == ["pending"]


def test_a_dead_letter_does_not_hold_up_what_is_behind_it(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.report("order-status", STATUS)
    outbox.report("delivery-note", NOTE, client_order_ref=REF)
    norce = DecidingCourier(lambda each: REFUSED if each.message.kind == "order-status" else DELIVERED)
    relay = outbox.relay(norce=norce)
    assert relay.round(GO) == 1
    assert relay.round(GO) == 1
    assert outbox.states() == ["pending", "dead", "delivered"]
    assert [attempt[1:] for attempt in outbox.attempts()] == [("refused", "no such order"), ("delivered", None)]


@pytest.mark.parametrize(
    ("kind", "report", "expected"), [("invoice", INVOICE, "dead"), ("delivery-note", NOTE, "pending")]
)
def test_an_unknown_outcome_is_repeated_unless_it_moves_money(
    outbox: Outbox, kind: str, report: dict[str, object], expected: str
) -> None:
    outbox.accept(REF)
    outbox.report(kind, report, client_order_ref=REF)
    outbox.relay(norce=DecidingCourier(lambda _: UNKNOWN)).round(GO)
    assert outbox.states() == ["pending", expected]
    outbox.make_due()
    norce = DecidingCourier()
    outbox.relay(norce=norce).round(GO)
    assert len(norce.tried) == (0 if expected == "dead" else 1)


@pytest.mark.parametrize(("kind", "expected"), [("invoice", "dead"), ("delivery-note", "pending")])
def test_what_a_killed_relay_held_comes_back_unless_it_moves_money(outbox: Outbox, kind: str, expected: str) -> None:
    outbox.accept(REF)
    outbox.report(kind, INVOICE if kind == "invoice" else NOTE, client_order_ref=REF)

    def die(_: Delivery) -> Verdict:
        raise SystemExit

    with pytest.raises(SystemExit):
        outbox.relay(norce=DecidingCourier(die)).round(GO)
    assert outbox.states() == ["pending", "leased"]
    outbox.relay(norce=DecidingCourier()).round(GO)
    assert outbox.states() == ["pending", "leased"]  # as long as the lease lasts it may still be at work
    outbox.lose_leases()
    norce = DecidingCourier()
    outbox.relay(norce=norce).round(GO)
    assert outbox.states() == ["pending", "dead" if expected == "dead" else "delivered"]
    assert outbox.attempts()[0][1] == "lease_lost"


def test_a_verdict_that_comes_after_the_lease_was_lost_changes_nothing(outbox: Outbox) -> None:
    outbox.accept(REF)
    second = DecidingCourier()

    def slow(_: Delivery) -> Verdict:
        outbox.lose_leases()
        outbox.relay(erp=second).round(GO)
        return REFUSED

    outbox.relay(erp=DecidingCourier(slow)).round(GO)
    assert len(second.tried) == 1
    assert outbox.states() == ["delivered"]
    assert [attempt[1] for attempt in outbox.attempts()] == ["lease_lost", "delivered", "lease_lost"]


def test_two_relays_never_hold_messages_of_one_order_at_once(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.report("order-status", STATUS)
    inner = DecidingCourier()

    def look(_: Delivery) -> Verdict:
        outbox.relay(erp=inner, norce=inner).round(GO)
        return DELIVERED

    outbox.relay(erp=DecidingCourier(look)).round(GO)
    assert inner.tried == []
    with pytest.raises(IntegrityError):
        outbox.change(state="leased")


def test_a_destination_that_is_down_costs_one_attempt_not_a_batch(outbox: Outbox) -> None:
    for number in range(5):
        outbox.accept(str(number))
    erp = DecidingCourier(lambda _: DOWN)
    relay = outbox.relay(erp=erp)
    assert relay.round(GO) == 1
    assert outbox.states() == ["pending"] * 5
    assert [row["attempts"] for row in outbox.rows()] == [1, 0, 0, 0, 0]
    assert relay.round(GO) == 0  # it is left alone for a moment
    wait = outbox.rows()[0]["due_at"] - datetime.now(UTC)
    assert timedelta(seconds=WAITS[0] - 2) < wait < timedelta(seconds=WAITS[0] * 1.2)


def test_money_and_the_rest_take_turns(outbox: Outbox) -> None:
    for number in range(1, 8):
        outbox.accept(str(number))
        about = {"client_order_ref": number}
        if number < 5:
            outbox.report("invoice", INVOICE | about | {"invoice_no": f"F-{number}"})
        else:
            outbox.report("order-status", STATUS | about)
    norce = DecidingCourier(batch_size=2)
    relay = outbox.relay(norce=norce)
    while relay.round(GO):
        pass
    kinds = [kind for _, kind, _ in norce.said]
    assert kinds == ["order-status", "order-status", "invoice", "order-status", "invoice", "invoice", "invoice"]


def test_one_courier_being_down_does_not_stop_the_other(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.accept("700102")
    outbox.report("order-status", STATUS)
    norce = DecidingCourier()
    assert outbox.relay(erp=DecidingCourier(lambda _: DOWN), norce=norce).round(GO) == 2
    assert norce.said == [(REF, "order-status", None)]


def test_a_message_that_breaks_its_courier_does_not_stop_those_behind_it(outbox: Outbox) -> None:
    for ref in ("1", "2", "3"):
        outbox.accept(ref)

    def break_on_two(delivery: Delivery) -> Verdict:
        if delivery.message.client_order_ref == "2":
            raise RuntimeError("Åsa 19800101-1234")
        return DELIVERED

    outbox.relay(erp=DecidingCourier(break_on_two)).round(GO)
    assert outbox.states() == ["delivered", "pending", "delivered"]
    assert "the courier failed: RuntimeError" in {attempt[2] for attempt in outbox.attempts()}


def test_a_detail_that_no_database_takes_is_written_down_without_the_characters(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.relay(erp=DecidingCourier(lambda _: Verdict(Outcome.REFUSED, "no\x00 such\ud800 part" + "x" * 5000))).round(
        GO
    )
    assert outbox.states() == ["dead"]
    assert (outbox.attempts()[0][2] or "").startswith("no such partxxx")


@pytest.mark.parametrize(("change", "told"), [({"payload_version": 2}, "payload version 2"), ({"kind": "x"}, "kind")])
def test_what_a_later_release_wrote_is_a_dead_letter(outbox: Outbox, change: dict[str, Any], told: str) -> None:
    outbox.accept(REF)
    outbox.change(**change)
    erp = DecidingCourier()
    outbox.relay(erp=erp).round(GO)
    assert (erp.tried, outbox.states()) == ([], ["dead"])
    assert outbox.attempts()[0][2] == f"its {told} is not known to this release"


def test_after_eighty_attempts_it_is_a_dead_letter(outbox: Outbox) -> None:
    outbox.accept(REF)
    outbox.change(attempts=79)
    outbox.relay(erp=DecidingCourier(lambda _: NOT_NOW)).round(GO)
    assert outbox.states() == ["dead"]


def test_a_relay_waits_out_a_database_that_is_away(outbox: Outbox) -> None:
    outbox.accept(REF)
    rounds: list[int] = []

    class Stop(Never):
        def is_set(self) -> bool:
            return len(rounds) > 3

        def wait(self, timeout: float | None = None) -> bool:
            rounds.append(0)
            return False

    class Away:
        def begin(self) -> object:
            raise TryAgainLater("the order database cannot be reached")

    relay = outbox.relay(erp=DecidingCourier())
    relay.units = Away()  # type: ignore[assignment]
    relay.run(Stop(), lambda _: None, idle_s=0)
    assert len(rounds) == 4


def test_a_relay_that_is_told_to_stop_does_not_wait_for_the_database(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_outbox, "LAST_TRIES_S", 0.0)
    outbox.accept(REF)

    class Told(Never):
        is_told = False

        def is_set(self) -> bool:
            return self.is_told

    told, relay = Told(), outbox.relay(erp=DecidingCourier())

    def away(*_: object) -> None:
        told.is_told = True
        raise TryAgainLater("the order database cannot be reached")

    monkeypatch.setattr(relay_outbox.RelayOutbox, "_recorded_once", away)
    began = time.monotonic()
    with pytest.raises(TryAgainLater):
        relay.round(told)
    assert time.monotonic() - began < 10  # not for as long as the lease lasts


def test_delivered_messages_are_not_in_the_index_that_a_claim_reads(outbox: Outbox) -> None:
    on_postgresql = "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_outbox_due'"
    on_sqlite = "SELECT sql FROM sqlite_master WHERE name = 'ix_outbox_due'"
    engine = new_engine(outbox.url)
    with engine.connect() as connection:
        query = on_postgresql if engine.dialect.name == "postgresql" else on_sqlite
        index = connection.exec_driver_sql(query).scalar_one()
    engine.dispose()
    assert re.search(r"WHERE .*state.* = 'pending'", index)
