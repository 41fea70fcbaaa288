"""How fast one relay empties the outbox, beside a bare kombu loop that publishes the same bodies with confirms.

Orders of 20 lines on a PostgreSQL database of its own. Then a million delivered messages are put beside them, and the
same again: the claim must not notice. Prints ratios and the claim's plan; see docs/performance.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import kombu
import psycopg2
import structlog
from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql

from benchmarks.database import add_option, scratch_database
from benchmarks.payload import envelope
from receiver.couriers.amqp import AmqpCourier
from receiver.couriers.function import FunctionCourier
from receiver.flows.relay_outbox import RelayOutbox
from receiver.orders.as_json import order_as_json
from receiver.orders.identity import fingerprint, key_of
from receiver.orders.model import Order
from receiver.outbox.message import Destination
from receiver.ports import Courier, Receipt, ReceivedOrder, Wanted
from receiver.soap.service import order_reader
from receiver.storage.engine import new_engine
from receiver.storage.migrate import migrate
from receiver.storage.outbox_store import due_messages
from receiver.storage.unit_of_work import SqlUnits

BROKER = "amqp://guest:guest@127.0.0.1:5672//"
XML = "text/xml; charset=utf-8"
MILLION = 1_000_000
read = order_reader()


class Never:
    """The relay is not told to stop."""

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the protocol's
        return False


def take(order: Order) -> None:
    """An ERP that costs nothing."""


def fill(units: SqlUnits, count: int) -> None:
    """Accept so many orders."""
    for _ in range(count):
        body = envelope(20, uuid.uuid4().hex).encode()
        order = read(body, XML)
        receipt = Receipt(body, datetime.now(UTC), None, XML)
        with units.begin() as unit:
            unit.orders.add_once(ReceivedOrder(order, receipt, key_of(order), fingerprint(body), {}))
            unit.commit()


def drained(units: SqlUnits, courier: Courier, count: int) -> float:
    """Messages a second of one relay that empties an outbox of so many."""
    fill(units, count)
    relay = RelayOutbox(units, {Destination.ERP: courier}, read)
    started = time.perf_counter()
    tried = 0
    while found := relay.round(Never()):
        tried += found
    seconds = time.perf_counter() - started
    assert tried == count, f"{tried} of {count} messages"
    return tried / seconds


@contextmanager
def exchange(broker: str) -> Iterator[tuple[str, Callable[[int], float]]]:
    """The way to an exchange with one queue, and a bare loop that publishes to it and returns messages a second."""
    with kombu.Connection(broker, transport_options={"confirm_publish": True}) as connection:
        channel = connection.channel()
        named = kombu.Exchange(f"receiver-benchmark-{uuid.uuid4().hex}", "topic", durable=True)
        queue = kombu.Queue(named.name, named, routing_key="#", durable=True)(channel)
        queue.declare()
        body = json.dumps(order_as_json(read(envelope(20, "1").encode(), XML)), ensure_ascii=False).encode()
        producer = kombu.Producer(channel, exchange=named)

        def bare(count: int) -> float:
            queue.purge()
            started = time.perf_counter()
            for _ in range(count):
                producer.publish(
                    body, routing_key="order.new", delivery_mode=2, mandatory=True, content_type="application/json"
                )
            return count / (time.perf_counter() - started)

        try:
            yield f"{broker}?exchange={named.name}", bare
        finally:
            queue.delete()
            named(channel).delete()


def add_delivered(url: str) -> None:
    """A million messages that were delivered long ago, each with an order to itself."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders (application_key, client_order_ref, revision, state, lines_total, vat_total,"
            " paid_total, received_at)"
            " SELECT 'old', n::text, 1, 'handed_over', 0, 0, 0, now() FROM generate_series(1, %s) n",
            (MILLION,),
        )
        cursor.execute(
            "INSERT INTO outbox (destination, kind, order_id, revision, payload_version, is_repeatable, state,"
            " attempts, due_at, created_at, finished_at)"
            " SELECT 'erp', 'order', id, 1, 1, true, 'delivered', 1, received_at, received_at, now() FROM orders"
            " WHERE application_key = 'old'"
        )
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE outbox")
        cursor.execute("VACUUM ANALYZE orders")


def plan(engine: Engine) -> str:
    """How PostgreSQL finds what is due."""
    query = due_messages(Wanted(Destination.ERP, is_repeatable=True, limit=100), datetime.now(UTC))
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    text = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN (ANALYZE, COSTS OFF) {text}"))


def main() -> None:
    """Run and print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_option(parser)
    parser.add_argument("--amqp", default=BROKER, help=f"a RabbitMQ; default {BROKER}")
    parser.add_argument("--messages", type=int, default=600, help="messages in each round (default 600)")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with scratch_database(arguments.postgres) as url, exchange(arguments.amqp) as (way, bare):
        engine = new_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
        migrate(engine)
        units = SqlUnits(engine, sender_zone=ZoneInfo("Europe/Stockholm"))
        couriers = {"RabbitMQ": AmqpCourier(way), "Python function": FunctionCourier(f"{__name__}:take")}
        # As `receiver relay` does it.
        gc.collect()
        gc.freeze()
        before = measure(units, couriers, bare, arguments)
        add_delivered(url)
        after = measure(units, couriers, bare, arguments)
        print(f"{'messages a second':<24}{'outbox empty':>14}{'a million in it':>17}")
        for name in before:
            ratio = f"{after[name] / before[name]:>8.2f} x" if name in couriers else ""
            print(f"{name:<24}{before[name]:>14.0f}{after[name]:>17.0f}{ratio}")
        for name in couriers:
            print(f"{name}: {before[name] / before['bare kombu loop']:.2f} of the bare loop (goal 0.5)")
        fill(units, 100)
        print(f"\nthe claim's plan:\n{plan(engine)}")
        for courier in couriers.values():
            courier.close()
        units.close()


def measure(
    units: SqlUnits, couriers: dict[str, Courier], bare: Callable[[int], float], arguments: argparse.Namespace
) -> dict[str, float]:
    """Medians of rounds in turn."""
    found: dict[str, list[float]] = {"bare kombu loop": [], **{name: [] for name in couriers}}
    for _ in range(arguments.rounds):
        found["bare kombu loop"].append(bare(arguments.messages))
        for name, courier in couriers.items():
            found[name].append(drained(units, courier, arguments.messages))
    return {name: statistics.median(rates) for name, rates in found.items()}


if __name__ == "__main__":
    main()
