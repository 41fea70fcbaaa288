"""A real RabbitMQ: the one RECEIVER_TEST_AMQP_URL names, else the one on this machine's standard port."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import kombu

from tests.peers import missing

URL = os.environ.get("RECEIVER_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//")


class Broker:
    """An exchange of a test's own; `way` is the setting that leads to it."""

    def __init__(self) -> None:
        self._connection = kombu.Connection(URL, connect_timeout=3)
        self._connection.connect()
        self._channel = self._connection.channel()
        self._exchange = kombu.Exchange(f"receiver-test-{uuid.uuid4().hex}", "topic", durable=True)
        self._queues: list[Any] = []
        self.way = f"{URL}?exchange={self._exchange.name}"

    def bind(self, pattern: str = "#", *, arguments: dict[str, object] | None = None) -> Any:
        """A queue for what matches the pattern."""
        queue = kombu.Queue(
            f"{self._exchange.name}.{len(self._queues)}",
            self._exchange,
            routing_key=pattern,
            durable=True,
            queue_arguments=arguments,
        )(self._channel)
        queue.declare()
        self._queues.append(queue)
        return queue

    def drained(self, queue: Any) -> list[Any]:
        """Everything that waits in a queue."""
        found = []
        bound = queue(self._channel)
        while (message := bound.get(no_ack=True)) is not None:
            found.append(message)
        return found

    def reconnect(self) -> None:
        """After the broker was away."""
        self._connection.collect(socket_timeout=1)
        self._connection = kombu.Connection(URL, connect_timeout=3)
        self._connection.connect()
        self._channel = self._connection.channel()

    def remove(self) -> None:
        """Leave nothing behind."""
        for queue in self._queues:
            queue(self._channel).delete()
        self._exchange(self._channel).delete()
        self._connection.release()


@contextmanager
def some_broker() -> Iterator[Broker]:
    """A broker, or a skipped test."""
    try:
        broker = Broker()
    except OSError:
        missing("no RabbitMQ answers at RECEIVER_TEST_AMQP_URL or on port 5672 of this machine")
    try:
        yield broker
    finally:
        broker.remove()
