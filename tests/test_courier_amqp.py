"""Orders reach RabbitMQ, and count as delivered only when it has confirmed them."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from receiver.couriers.amqp import AmqpCourier
from receiver.orders.as_json import FORMAT, order_as_json
from receiver.orders.model import Order
from receiver.outbox.message import Outcome, Verdict
from receiver.ports import Delivery, HandOver
from tests.brokers import Broker, some_broker
from tests.certificates import Authority, server_context
from tests.couriers import DELIVERED, NO_APPLICATION, courier_to, deliver, message, order, slow_order
from tests.wires import Wire, some_wire


@pytest.fixture
def broker() -> Iterator[Broker]:
    with some_broker() as broker:
        yield broker


def test_an_order_arrives_persistent_and_labelled(broker: Broker) -> None:
    queue = broker.bind(f"order.{NO_APPLICATION}.new")
    with courier_to(broker.way) as courier:
        assert deliver(courier, order("700101", number=17)) == [DELIVERED]
    (arrived,) = broker.drained(queue)
    hand_over = order("700101").hand_over
    assert hand_over is not None
    assert json.loads(arrived.body) == order_as_json(hand_over.order())
    assert arrived.headers == {"client_order_ref": "700101", "application_key": str(NO_APPLICATION), "revision": 1}
    properties = arrived.properties
    assert (properties["message_id"], properties["delivery_mode"], properties["type"]) == ("17", 2, FORMAT)
    assert arrived.content_type == "application/json"


def test_a_batch_arrives_whole_and_in_order_again_and_again(broker: Broker) -> None:
    queue = broker.bind()
    with courier_to(broker.way) as courier:
        for _ in range(3):
            assert deliver(courier, *(order(str(number), number=number) for number in range(100))) == [DELIVERED] * 100
    arrived = [found.headers["client_order_ref"] for found in broker.drained(queue)]
    assert arrived == [str(number) for number in range(100)] * 3


def test_an_exchange_without_a_queue_swallows_nothing(broker: Broker) -> None:
    with courier_to(broker.way) as courier:
        verdicts = deliver(courier, order("1", number=1), order("2", number=2))
        assert {(verdict.outcome, verdict.is_down) for verdict in verdicts} == {(Outcome.NOT_DELIVERED, True)}
        assert "no queue is bound to exchange" in (verdicts[0].detail or "")
        broker.bind()
        assert deliver(courier, order("1", number=1), order("2", number=2)) == [DELIVERED] * 2


def test_a_queue_that_takes_no_more_says_so(broker: Broker) -> None:
    broker.bind(arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    with courier_to(broker.way) as courier:
        deliver(courier, order("1", number=1))
        deliver(courier, order("2", number=2))
        (verdict,) = deliver(courier, order("3", number=3))
    assert verdict.outcome is Outcome.NOT_DELIVERED
    assert verdict.detail == "the broker did not take the message"


def test_what_the_broker_says_while_the_batch_is_still_being_written_counts(broker: Broker) -> None:
    queue = broker.bind(arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    with courier_to(broker.way) as courier:
        verdicts = deliver(courier, *(slow_order(str(number), number=number) for number in range(8)))
    taken = [str(number) for number, verdict in enumerate(verdicts) if verdict.outcome is Outcome.DELIVERED]
    assert [found.headers["client_order_ref"] for found in broker.drained(queue)] == taken
    assert len(taken) < 8


def test_what_is_returned_while_the_batch_is_still_being_written_is_not_delivered(broker: Broker) -> None:
    with courier_to(broker.way) as courier:
        verdicts = deliver(courier, *(slow_order(str(number), number=number) for number in range(8)))
    assert {verdict.outcome for verdict in verdicts} == {Outcome.NOT_DELIVERED}


def test_no_broker_is_down_and_its_password_is_told_to_nobody() -> None:
    with courier_to("amqp://user:hemligt@127.0.0.1:9//") as courier:
        (verdict,) = deliver(courier, order("1"), order("2"))
    assert (verdict.outcome, verdict.is_down) == (Outcome.NOT_DELIVERED, True)


def test_a_wrong_password_is_down(broker: Broker) -> None:
    with courier_to(broker.way.replace("guest:guest", "guest:hemligt")) as courier:
        (verdict,) = deliver(courier, order("1"))
    assert (verdict.outcome, verdict.is_down) == (Outcome.NOT_DELIVERED, True)


@pytest.fixture
def wire(broker: Broker) -> Iterator[Wire]:
    with some_wire() as wire:
        yield wire


def test_a_connection_that_breaks_before_the_confirm_leaves_the_outcome_open(broker: Broker, wire: Wire) -> None:
    queue = broker.bind()
    with courier_to(wire.way(broker)) as courier:
        assert deliver(courier, order("1", number=1)) == [DELIVERED]
        wire.cut_next_answer.set()
        (verdict,) = deliver(courier, order("2", number=2), order("3", number=3))
        assert (verdict.outcome, verdict.is_down) == (Outcome.UNKNOWN, True)
        wire.cut_next_answer.clear()
        assert deliver(courier, order("2", number=2), order("3", number=3)) == [DELIVERED] * 2
    assert [found.headers["client_order_ref"] for found in broker.drained(queue)][-2:] == ["2", "3"]


def test_a_connection_that_broke_between_batches_is_opened_again(broker: Broker, wire: Wire) -> None:
    broker.bind()
    with courier_to(wire.way(broker)) as courier:
        assert deliver(courier, order("1", number=1)) == [DELIVERED]
        wire.cut()
        assert deliver(courier, order("2", number=2)) == [DELIVERED]


def test_confirms_that_do_not_come_leave_the_outcome_open(broker: Broker, wire: Wire) -> None:
    broker.bind()
    with closing(AmqpCourier(wire.way(broker), confirm_seconds=0.3)) as courier:
        assert deliver(courier, order("1", number=1)) == [DELIVERED]
        wire.hold_answers.set()
        (verdict,) = deliver(courier, order("2", number=2), order("3", number=3))
        assert (verdict.outcome, verdict.is_down) == (Outcome.UNKNOWN, True)
        wire.hold_answers.clear()
        assert deliver(courier, order("2", number=2)) == [DELIVERED]


def test_a_broker_that_falls_silent_while_it_is_called_is_down(broker: Broker, wire: Wire) -> None:
    wire.answers_let_through = 550  # AMQP's own handshake and no more
    started = time.monotonic()
    with closing(AmqpCourier(wire.way(broker), open_seconds=0.5)) as courier:
        (verdict,) = deliver(courier, order("1"))
    assert verdict == Verdict(Outcome.NOT_DELIVERED, "no connection to the broker: TimeoutError", is_down=True)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(("address", "outcome"), [("127.0.0.1", Outcome.DELIVERED), ("127.0.0.2", None)])
def test_a_broker_must_prove_its_name(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, outcome: Outcome | None
) -> None:
    authority = Authority(tmp_path, "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    broker.bind()
    context = server_context(authority.certificate("broker", address=address))
    with some_wire(tls=context) as wire, courier_to(wire.way(broker)) as courier:
        (verdict,) = deliver(courier, order("1"))
    assert verdict.outcome is (outcome or Outcome.NOT_DELIVERED)
    if outcome is None:
        assert verdict.detail == "no connection to the broker: SSLCertVerificationError"


def test_tls_that_never_comes_about_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"amqps://127.0.0.1:{silent.getsockname()[1]}//"
        with closing(AmqpCourier(url, open_seconds=0.3)) as courier:
            (verdict,) = deliver(courier, order("1"))
    assert (verdict.outcome, verdict.is_down) == (Outcome.NOT_DELIVERED, True)


def test_what_breaks_in_the_middle_of_a_batch_leaves_nothing_for_the_next(broker: Broker) -> None:
    queue = broker.bind()

    def fail() -> Order:
        raise KeyError("our bug")

    broken = Delivery(message("2", number=2), HandOver(lambda: b"", fail))
    with courier_to(broker.way) as courier:
        with pytest.raises(KeyError):
            courier.deliver([order("1", number=1), broken], until=time.monotonic() + 20)
        assert deliver(courier, order("3", number=3)) == [DELIVERED]
    assert [found.headers["client_order_ref"] for found in broker.drained(queue)][-1] == "3"


def test_nothing_is_published_after_the_time_to_begin(broker: Broker) -> None:
    queue = broker.bind()
    with courier_to(broker.way) as courier:
        assert list(courier.deliver([order("1")], until=time.monotonic() - 1)) == []
        begun = courier.deliver(
            [slow_order(str(number), number=number, seconds=0.2) for number in range(9)], until=time.monotonic() + 0.5
        )
    assert 1 <= len(begun) < 9
    assert len(broker.drained(queue)) == len(begun)
