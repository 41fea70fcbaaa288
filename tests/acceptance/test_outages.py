"""Whatever is killed, cut or stopped: no acknowledged order is lost, no money moves twice, and nothing stays behind.

Each test keeps orders and reports coming in while it does its worst, then lets everything settle and counts. With
PROVE_SECONDS in the environment (`make prove`) each goes on for that long and prints its counts.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connect_client.testing import DISPATCHER, ActsThenDrops, AnswersFault, Behaviour, Drops, html, throttled
from receiver.storage import tables
from tests.acceptance.world import World, a_world, about
from tests.brokers import URL, Broker, some_broker
from tests.databases import Postgres, own_postgres, rows_of
from tests.peers import missing

SECONDS = float(os.environ.get("PROVE_SECONDS", "6"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds worker processes as Linux does")


@pytest.fixture
def broker() -> Iterator[Broker]:
    with some_broker() as broker:
        yield broker


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """Not pytest's own: run by root, PostgreSQL is another user and may not enter that."""
    folder = Path(tempfile.mkdtemp(prefix="receiver-acceptance-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def world(tmp_path: Path, postgres: Postgres, broker: Broker) -> Iterator[World]:
    with a_world(tmp_path, postgres, broker) as world:
        yield world
    postgres.drop(world.url)


def again_and_again(world: World, *worst: Callable[[], object], every: float) -> int:
    """Do one of the given things every so often for the time of the proof; returns how often."""
    until, times = time.monotonic() + SECONDS, 0
    with world.under_load():
        while time.monotonic() < until:
            time.sleep(every * random.uniform(0.5, 1.5))
            random.choice(worst)()
            times += 1
    return times


def counted(world: World, what: str, times: int) -> Counter[str]:
    """Check every promise, and return what became of the messages."""
    world.settle()
    world.stop_relays()
    orders = {row["id"]: row for row in rows_of(world.url, tables.orders)}
    refs = Counter(row["client_order_ref"] for row in orders.values())
    assert set(refs.values()) == {1}, "an order is stored twice"
    assert set(world.acknowledged) <= set(refs), "an acknowledged order is lost"

    messages = rows_of(world.url, tables.outbox)
    handed_over = arrived(world)
    expected: dict[str, list[int]] = defaultdict(list)
    for row in messages:
        if row["kind"] == "order":
            expected[orders[row["order_id"]]["client_order_ref"]].append(row["revision"])
    assert handed_over == expected, "an order was not handed over, or its revisions overtook each other"

    acted = [about(message) for message in world.norce.messages]
    assert all(count == 1 for (_, kind), count in Counter(acted).items() if kind == "invoice"), "an invoice went twice"
    appended = in_turn(messages, orders)
    for ref, kinds in first_times(acted).items():
        assert kinds == [kind for kind in appended[ref] if kind in kinds], "reports of an order overtook each other"
    dead = {(orders[row["order_id"]]["client_order_ref"], row["kind"]) for row in messages if row["state"] == "dead"}
    assert {kind for _, kind in dead} <= {"invoice"}, "something that may be repeated was given up"
    assert set(world.submitted) <= set(acted) | dead, "a submitted report is lost"

    states = Counter(row["state"] for row in messages)
    assert set(states) <= {"delivered", "dead"}
    assert not [row for row in messages if row["lease_token"] is not None], "something is still leased"
    assert "Traceback" not in world.log()
    print(
        f"\n{what}: {times} times; {len(world.acknowledged)} orders acknowledged, {len(orders)} stored, "
        f"{sum(map(len, handed_over.values()))} revisions handed over, {len(world.submitted)} reports submitted, "
        f"{len(acted)} acted on, {len(dead)} for a person to look at"
    )
    return states


def arrived(world: World) -> dict[str, list[int]]:
    """The revisions that reached the ERP, for each order in the order of their first arrival."""
    found: dict[str, list[int]] = defaultdict(list)
    for message in world.broker.drained(world.queue):
        revisions = found[message.headers["client_order_ref"]]
        if message.headers["revision"] not in revisions:
            revisions.append(message.headers["revision"])
    return found


def first_times(acted: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for ref, kind in acted:
        if kind not in found[ref]:
            found[ref].append(kind)
    return found


def in_turn(messages: list[dict[str, Any]], orders: dict[int, dict[str, Any]]) -> dict[str, list[str]]:
    """The kinds of reports of each order as they were appended."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in messages:
        if row["destination"] == "norce":
            found[orders[row["order_id"]]["client_order_ref"]].append(row["kind"])
    return found


def test_workers_and_relays_are_killed(world: World) -> None:
    times = again_and_again(world, world.kill_a_worker, world.kill_a_relay, every=0.5)
    counted(world, "killed a worker or a relay", times)


def test_the_master_is_killed(world: World) -> None:
    times = again_and_again(world, world.kill_the_master, every=2.5)
    counted(world, "killed gunicorn's master", times)


def test_connections_to_the_database_are_cut(world: World) -> None:
    times = again_and_again(world, world.cut_database_connections, every=1.5)
    counted(world, "cut all connections to PostgreSQL", times)


def test_norce_acts_and_drops_the_connection_and_misbehaves(world: World) -> None:
    broken = AnswersFault(code="InternalServiceFault", namespace=DISPATCHER)
    behaviours: list[Behaviour] = [ActsThenDrops(), ActsThenDrops(), Drops(), html(), throttled(1), broken]

    def misbehave() -> None:
        world.norce.will(random.choice(behaviours))

    times = again_and_again(world, misbehave, every=0.3)
    counted(world, "Norce misbehaved", times)


def test_rabbitmq_is_stopped_and_started(world: World) -> None:
    control = shutil.which("rabbitmqctl")
    if control is None or "127.0.0.1:5672" not in URL:
        missing("rabbitmqctl is not here, or the broker is another machine's")

    def stop_and_start() -> None:
        for command in ("stop_app", "start_app"):
            subprocess.run([control, "-q", command], check=True, timeout=60, capture_output=True)
            time.sleep(1)

    times = again_and_again(world, stop_and_start, every=2)
    world.broker.reconnect()
    counted(world, "stopped and started RabbitMQ", times)


def test_postgresql_is_restarted(tmp_path: Path, own_folder: Path, broker: Broker) -> None:
    """A PostgreSQL of its own: this one's stop is everybody's."""
    with own_postgres(own_folder / "data") as postgres, a_world(tmp_path, postgres, broker) as world:
        assert postgres.restart is not None
        times = again_and_again(world, postgres.restart, every=2.5)
        counted(world, "restarted PostgreSQL", times)
