"""A load that does not wait for answers: orders leave at their times, however slow the receiver is.

A generator that sends the next order when the last is answered slows down with the receiver, and measures no overload.
Time counts from when an order should have left.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from benchmarks.contestants import Contestant
from benchmarks.load import BASIC

_ACTION = "Enferno.Services.StormConnect.Contracts.Order/OrderNotificationService/CreateOrder"
_TICK_S = 0.001
_PATIENCE_S = 15.0
MOST_CONNECTIONS = 900
"""More than that a sender hardly opens; orders that find none idle wait for one, and their time runs."""


@dataclass(slots=True)
class Outcome:
    """What became of the orders: milliseconds of those that were acknowledged and of those put off."""

    accepted_ms: list[float] = field(default_factory=list)
    put_off_ms: list[float] = field(default_factory=list)
    accepted_refs: list[int] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    late_ms: float = 0.0
    """How late the generator itself was at its worst; more than a little, and the figures are its own."""


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self._load = load
        self._received = b""
        self._transport: Any = None
        self._sent: tuple[int, float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def send(self, ref: int, due: float) -> None:
        self._sent, self._received = (ref, due), b""
        self._transport.write(self._load.request(ref))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank_line, body = self._received.partition(b"\r\n\r\n")
        if not blank_line or self._sent is None:
            return
        start = head.lower().index(b"content-length:") + 15
        if len(body) < int(head[start:].split(b"\r\n", 1)[0]):
            return
        ref, due = self._sent
        self._sent = None
        self._load.note(ref, due, body)
        if b"connection: close" in head.lower():
            self._transport.close()
        else:
            self._load.idle.append(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._load.count -= 1
        if self in self._load.idle:
            self._load.idle.remove(self)
        if self._sent is not None:
            self._load.outcome.others["connection lost"] += 1
            self._load.waiting -= 1


class _Load:
    def __init__(self, contestant: Contestant, text: str, *, first_ref: int) -> None:
        self._head_template = (
            f"POST {contestant.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml; charset=utf-8\r\n"
            f'SOAPAction: "{_ACTION}"\r\nAuthorization: Basic {BASIC}\r\nContent-Length: '
        ).encode()
        before, _, after = text.partition("@@REF@@")
        self._before, self._after = before.encode(), after.encode()
        self._port = contestant.port
        self.next_ref = first_ref
        self.idle: list[_Connection] = []
        self.count = self.waiting = 0
        self.outcome = Outcome()
        self._backlog: list[tuple[int, float]] = []

    def request(self, ref: int) -> bytes:
        body = self._before + str(ref).encode() + self._after
        return self._head_template + str(len(body)).encode() + b"\r\n\r\n" + body

    def note(self, ref: int, due: float, body: bytes) -> None:
        self.waiting -= 1
        ms = (time.perf_counter() - due) * 1e3
        if b"<StatusCode>OK</StatusCode>" in body:
            self.outcome.accepted_ms.append(ms)
            self.outcome.accepted_refs.append(ref)
        elif b"send the request again" in body:
            self.outcome.put_off_ms.append(ms)
        else:
            self.outcome.others[body[:80].decode(errors="replace")] += 1

    async def run(self, *, rate: float, seconds: float) -> Outcome:
        due = time.perf_counter()
        end = due + seconds
        while due < end:
            now = time.perf_counter()
            self.outcome.late_ms = max(self.outcome.late_ms, (now - due) * 1e3)
            while due <= now and due < end:
                self._backlog.append((self.next_ref, due))
                self.next_ref += 1
                self.waiting += 1
                # Orders come when they come: Poisson.
                due += random.expovariate(rate)
            await self._send_backlog()
            await asyncio.sleep(max(_TICK_S, min(due - time.perf_counter(), 0.01)))
        give_up = time.perf_counter() + _PATIENCE_S
        while self.waiting and time.perf_counter() < give_up:
            await self._send_backlog()
            await asyncio.sleep(0.01)
        if self.waiting:
            self.outcome.others["no answer"] += self.waiting
        return self.outcome

    async def _send_backlog(self) -> None:
        while self._backlog:
            if not self.idle:
                if self.count >= MOST_CONNECTIONS:
                    return
                self.count += 1
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
                self.idle.append(connection)
            ref, due = self._backlog.pop(0)
            self.idle.pop().send(ref, due)


def post_at(contestant: Contestant, text: str, *, rate: float, seconds: float, first_ref: int) -> Outcome:
    """Send `rate` orders a second and say what became of each; `text` is an envelope whose reference is left open."""
    return asyncio.run(_Load(contestant, text, first_ref=first_ref).run(rate=rate, seconds=seconds))


def percentile(values: list[float], share: float) -> float:
    """Of unsorted values; not a number where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
