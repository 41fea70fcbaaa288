"""Hands orders to a RabbitMQ exchange, and counts them as delivered when the broker says that they are on disk.

A batch is published without waiting, then all confirms are awaited together: waiting for each costs ten times as much.
Messages are mandatory, so an exchange that no queue is bound to is noticed instead of swallowing orders.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from urllib.parse import parse_qs, urlunsplit

from amqp import Message as AmqpMessage

from receiver.couriers.address import parts_of
from receiver.couriers.broker_link import TROUBLE, BrokerLink
from receiver.couriers.in_turn import order_of, unreadable
from receiver.couriers.time_limit import TimeLimit
from receiver.errors import ReceiverError
from receiver.orders.as_json import FORMAT, order_as_json
from receiver.outbox.message import Outcome, Verdict
from receiver.ports import Delivery

EXCHANGE = "norce.orders"
OPEN_S = 10.0
CONFIRM_S = 30.0
_IDLE_S = 20.0


class AmqpCourier:
    """Implements `ports.Courier`. `url` is amqp:// or amqps://, its `?exchange=` names another exchange.

    Raises ValueError for what cannot be such a URL, without showing it.
    """

    batch_size = 100

    def __init__(self, url: str, *, open_seconds: float = OPEN_S, confirm_seconds: float = CONFIRM_S) -> None:
        parts = parts_of(url)
        asked = parse_qs(parts.query, keep_blank_values=True)
        if asked.keys() - {"exchange"} or "" in asked.get("exchange", []):
            raise ValueError("knows one option: ?exchange=NAME")
        self._exchange = asked.get("exchange", [EXCHANGE])[0]
        self._host = parts.hostname or ""
        self._url = urlunsplit(parts._replace(query=""))
        self._open_s = open_seconds
        self._confirm_s = confirm_seconds
        self._link: BrokerLink | None = None
        self._used_at = 0.0

    def deliver(self, deliveries: Sequence[Delivery], *, until: float) -> list[Verdict]:
        """Publish the batch and wait for its confirms."""
        if time.monotonic() > until:
            return []
        try:
            link = self._open_link()
        except TROUBLE as error:
            return [Verdict(Outcome.NOT_DELIVERED, f"no connection to the broker: {_name(error)}", is_down=True)]
        with ExitStack() as unless_all_went_well:
            # Whatever happens, the next batch must not wait for confirms of this one.
            unless_all_went_well.callback(self.close)
            published: list[int | Verdict] = []
            try:
                self._publish_all(link, deliveries, published, until=until)
            except TROUBLE as error:
                return self._after_trouble(link, published, error)
            unless_all_went_well.pop_all()
        self._used_at = time.monotonic()
        return [self._verdict(link, each) for each in published]

    def close(self) -> None:
        """Close the connection without waiting for the broker."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _open_link(self) -> BrokerLink:
        # Without traffic neither side would notice that the other is gone, and heartbeats want a thread of their own.
        if self._link is not None and (time.monotonic() - self._used_at > _IDLE_S or not self._link.is_alive()):
            self.close()
        if self._link is None:
            self._link = BrokerLink(self._url, host=self._host, exchange=self._exchange, open_seconds=self._open_s)
        return self._link

    def _publish_all(
        self, link: BrokerLink, deliveries: Sequence[Delivery], published: list[int | Verdict], *, until: float
    ) -> None:
        link.confirms.begin_batch()
        # A broker that is short of memory stops reading, and the library would write for ever.
        with TimeLimit(max(until - time.monotonic(), 0.0) + self._confirm_s, link.hang_up):
            for delivery in deliveries:
                if time.monotonic() > until:
                    break
                # Written and sent one at a time: a batch of large orders would not fit into memory.
                body = _body(delivery)
                published.append(body if isinstance(body, Verdict) else self._published(link, delivery, body))
            ends_at = time.monotonic() + self._confirm_s
            while link.confirms.are_missing:
                link.drain(max(ends_at - time.monotonic(), 0.001))

    def _published(self, link: BrokerLink, delivery: Delivery, body: bytes) -> int:
        message = delivery.message
        is_new = message.revision == 1
        headers = {
            "client_order_ref": message.client_order_ref,
            "application_key": str(message.application_key),
            "revision": message.revision,
        }
        link.channel.basic_publish(
            AmqpMessage(
                body,
                content_type="application/json",
                content_encoding="utf-8",
                delivery_mode=2,
                message_id=str(message.message_id),
                type=FORMAT,
                application_headers=headers,
            ),
            exchange=self._exchange,
            routing_key=f"order.{message.application_key}.{'new' if is_new else 'revised'}",
            mandatory=True,
        )
        return link.confirms.expect(str(message.message_id))

    def _verdict(self, link: BrokerLink, published: int | Verdict) -> Verdict:
        if isinstance(published, Verdict):
            return published
        if link.confirms.was_returned(published):
            detail = f"no queue is bound to exchange {self._exchange} for this order's routing key"
            return Verdict(Outcome.NOT_DELIVERED, detail, is_down=True)
        if link.confirms.was_rejected(published):
            return Verdict(Outcome.NOT_DELIVERED, "the broker did not take the message", is_down=True)
        return Verdict(Outcome.DELIVERED)

    def _after_trouble(self, link: BrokerLink, published: Sequence[int | Verdict], error: Exception) -> list[Verdict]:
        """What was confirmed before the connection broke is delivered; the first that was not ends the list."""
        verdicts: list[Verdict] = []
        for each in published:
            if isinstance(each, int) and link.confirms.is_missing(each):
                break
            verdicts.append(self._verdict(link, each))
        return [*verdicts, Verdict(Outcome.UNKNOWN, f"the broker did not confirm: {_name(error)}", is_down=True)]


def _body(delivery: Delivery) -> bytes | Verdict:
    try:
        return json.dumps(order_as_json(order_of(delivery).order()), ensure_ascii=False).encode()
    except ReceiverError as error:
        return unreadable(error)


def _name(error: Exception) -> str:
    # The broker's own text names hosts and users.
    return type(error).__name__
