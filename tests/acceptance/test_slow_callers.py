"""Two hundred callers who drip, or send nothing at all, cost good orders little, with nginx and without.

With PROVE_SECONDS in the environment (`make prove`) each kind goes on for a sixth of that and prints its figures.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from receiver.storage import tables
from tests.answers import OK, order_response
from tests.databases import migrate_to_head, rows_of
from tests.nginx import nginx_before
from tests.order_xml import order_xml
from tests.servers import SERVICE, RunningReceiver, http_post, running_receiver
from tests.slow_callers import HOW_MANY, Drippers
from tests.wire import BLANK_LINE, exchange

SECONDS = float(os.environ.get("PROVE_SECONDS", "12")) / 6
SENDERS = 4
LONGEST_S = 5.0
"""What the 99th percentile may be without nginx."""

_POST = http_post(order_xml("dripping", lines=1000))
_HEAD, _, _BODY = _POST.partition(BLANK_LINE)
_EXPECTING = _HEAD + b"\r\nExpect: 100-continue" + BLANK_LINE
_ANONYMOUS = b"\r\n".join(line for line in _HEAD.split(b"\r\n") if not line.startswith(b"Authorization")) + BLANK_LINE
KINDS = {
    "nothing": b"",
    "heads": f"POST {SERVICE} HTTP/1.1\r\nX-Slow: ".encode(),
    "bodies": _HEAD + BLANK_LINE + _BODY[:100],
    "bodies of anonymous callers": _ANONYMOUS + _BODY[:100],
    "bodies that expect a continue": _EXPECTING,
    "bodies of which 70 KB came": _HEAD + BLANK_LINE + _BODY[:70_000],
}


@dataclass
class Sender:
    """Posts one good order after the other, each until it is acknowledged; `seconds` holds how long each took."""

    address: tuple[str, int]
    name: str
    seconds: list[float] = field(default_factory=list)
    repeats: int = 0

    def post_until(self, is_over: threading.Event) -> None:
        """Go on until told to stop."""
        while not is_over.is_set():
            request = http_post(order_xml(f"{self.name}-{len(self.seconds)}", lines=20), Connection="close")
            started = time.monotonic()
            while not self._is_taken(request):
                self.repeats += 1
                time.sleep(0.05)
            self.seconds.append(time.monotonic() - started)
            is_over.wait(0.05)

    def _is_taken(self, request: bytes) -> bool:
        with contextlib.suppress(OSError):
            answer = exchange(self.address, request, wait_s=30)
            return answer.status == 200 and order_response(answer) == OK
        return False


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningReceiver]:
    """A receiver with its default threads on SQLite."""
    folder = tmp_path_factory.mktemp("slow")
    url = f"sqlite:///{folder / 'receiver.db'}"
    migrate_to_head(url)
    with running_receiver(folder, url) as receiver:
        yield receiver


@pytest.mark.parametrize("kind", KINDS)
def test_good_orders_are_acknowledged_while_two_hundred_drip(kind: str, target: RunningReceiver) -> None:
    assert_good_orders_get_through(target, target.address, kind, "without nginx")


@pytest.mark.parametrize("kind", ["heads", "bodies", "bodies of anonymous callers"])
def test_good_orders_are_acknowledged_behind_nginx_while_two_hundred_drip(
    kind: str, target: RunningReceiver, tmp_path: Path
) -> None:
    with nginx_before(target.address, tmp_path) as address:
        assert_good_orders_get_through(target, address, kind, "behind nginx")


def assert_good_orders_get_through(receiver: RunningReceiver, address: tuple[str, int], kind: str, where: str) -> None:
    """Every good order is acknowledged and stored, and ninety-nine in a hundred soon enough."""
    senders = [Sender(address, f"{where} {kind} {number}") for number in range(SENDERS)]
    is_over = threading.Event()
    threads = [threading.Thread(target=sender.post_until, args=(is_over,)) for sender in senders]
    with Drippers(address, KINDS[kind]) as drippers:
        for thread in threads:
            thread.start()
        time.sleep(SECONDS)
        is_over.set()
        for thread in threads:
            thread.join()
    repeats = sum(each.repeats for each in senders)
    seconds = sorted(each for sender in senders for each in sender.seconds)
    stored = {row["client_order_ref"] for row in rows_of(receiver.database_url, tables.orders)}
    assert {f"{sender.name}-{number}" for sender in senders for number in range(len(sender.seconds))} <= stored
    assert "Traceback" not in receiver.log
    p99 = seconds[int(len(seconds) * 0.99)]
    in_ms = f"p50 {statistics.median(seconds) * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, slowest {seconds[-1] * 1e3:.0f} ms"
    print(
        f"\n{HOW_MANY} drip {kind}, {where}: {len(seconds)} good orders, {in_ms}; "
        f"{repeats} repeats, {drippers.cut_off} drippers cut off"
    )
    assert p99 < LONGEST_S
