"""A connection to RabbitMQ with one channel that confirms, and never waits for the broker without an end."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

import kombu
from amqp import Channel
from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError

from receiver.couriers.confirms import Confirms
from receiver.couriers.time_limit import TimeLimit

TROUBLE = (AMQPError, OSError, KombuError)
CONNECT_S = 5.0


class BrokerLink:
    """An open channel on a durable topic exchange.

    Opening it raises TROUBLE, a TimeoutError when TCP, TLS, AMQP's handshake and the exchange took `open_seconds`.
    """

    def __init__(self, url: str, *, host: str, exchange: str, open_seconds: float) -> None:
        # Without a name, py-amqp would take any host's certificate that the authorities vouch for.
        tls = {"server_hostname": host} if url.startswith("amqps:") else False
        self._connection = kombu.Connection(url, connect_timeout=CONNECT_S, heartbeat=0, ssl=tls)
        self._link: Any = None
        self.confirms = Confirms()
        with TimeLimit(open_seconds, self.hang_up) as limit:
            try:
                self.channel = self._opened(exchange)
            except TROUBLE as error:
                self.close()
                if limit.has_passed:
                    raise TimeoutError from error
                raise

    def drain(self, timeout: float) -> None:
        """Wait for something that the broker says; raises TimeoutError when it says nothing."""
        self._link.drain_events(timeout=timeout)

    def is_alive(self) -> bool:
        """Whether the broker has not hung up, as far as can be seen without asking it."""
        try:
            self.drain(0)
        except TimeoutError:
            return True
        except TROUBLE:
            return False
        return True

    def hang_up(self) -> None:
        """End the connection under whoever waits for it, from any thread."""
        # Not `transport`, which would connect again.
        found = getattr(getattr(self._link, "_transport", None), "sock", None)
        if found is not None:
            with suppress(OSError):
                # Not the method of a TLS socket: that one first takes the encryption away.
                socket.socket.shutdown(found, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection without waiting for the broker."""
        self.hang_up()
        if self._link is not None:
            self._link.collect()
        self._connection.collect(socket_timeout=1)

    def _opened(self, exchange: str) -> Channel:
        transport = self._connection.transport
        make = transport.Connection

        def made(**settings: Any) -> Any:
            # Known from the start, so that a connection that is still being opened can be hung up.
            self._link = make(**settings)
            return self._link

        transport.Connection = made
        self._connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
        channel = self._link.channel()
        kombu.Exchange(exchange, "topic", durable=True)(channel).declare()
        channel.confirm_select()
        channel.events["basic_ack"].add(self.confirms.acknowledge)
        channel.events["basic_nack"].add(self.confirms.reject)
        channel.events["basic_return"].add(self.confirms.give_back)
        return channel
