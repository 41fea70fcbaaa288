"""What the sender heard is true, whatever is killed or goes away in the middle of it."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import make_url

from receiver.storage import tables
from receiver.storage.packing import Packing
from tests.answers import OK, fault, order_response
from tests.conftest import StartReceiver
from tests.databases import Postgres, migrate_to_head, own_postgres, rows_of
from tests.order_xml import order_xml
from tests.servers import RunningReceiver

POSTERS = 6
STREAM_S = 2.0
LONGEST_WAIT_S = 3.0
"""Two seconds are promised; the rest is for a machine that does other things too."""
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="finds and limits worker processes as Linux does")


@on_linux
def test_every_acknowledged_order_is_stored_once_though_workers_are_killed(
    database_url: str, start_receiver: StartReceiver
) -> None:
    receiver = start_receiver(database_url)
    stop = threading.Event()
    acknowledged: list[str] = []
    posters = [threading.Thread(target=keep_posting, args=(receiver, n, stop, acknowledged)) for n in range(POSTERS)]
    for poster in posters:
        poster.start()
    kills = kill_workers_for(STREAM_S, receiver)
    stop.set()
    for poster in posters:
        poster.join(20)
    assert kills > 2
    assert len(acknowledged) > POSTERS

    orders = {order["id"]: order for order in rows_of(database_url, tables.orders)}
    refs = [order["client_order_ref"] for order in orders.values()]
    assert len(refs) == len(set(refs))
    assert set(acknowledged) <= set(refs)
    # Whatever was stored was stored whole, acknowledged or not.
    stored = {row["order_id"]: Packing().unpack(row["payload"]) for row in rows_of(database_url, tables.order_payloads)}
    assert stored == {key: order_xml(order["client_order_ref"], lines=5) for key, order in orders.items()}
    assert len(rows_of(database_url, tables.order_lines)) == 5 * len(orders)
    received = [row["order_id"] for row in rows_of(database_url, tables.order_history, event="received")]
    assert sorted(received) == sorted(orders)
    assert rows_of(database_url, tables.order_history, event="revised") == []


def keep_posting(receiver: RunningReceiver, number: int, stop: threading.Event, acknowledged: list[str]) -> None:
    """Post one order after the other, each until it is acknowledged, as Norce does."""
    count = 0
    while not stop.is_set():
        count += 1
        ref = f"{number}-{count}"
        while not stop.is_set():
            with contextlib.suppress(OSError):
                answer = receiver.post(order_xml(ref, lines=5))
                if answer.status == 200:
                    assert order_response(answer) == OK
                    acknowledged.append(ref)
                    break


def kill_workers_for(seconds: float, receiver: RunningReceiver) -> int:
    """Kill one of gunicorn's workers again and again, in the middle of whatever it does."""
    kills = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.35)
        for worker in receiver.workers()[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
                kills += 1
    return kills


def assert_hears_try_again(receiver: RunningReceiver, ref: str) -> None:
    """The sender gets a retryable fault in time, for a good order and for one that cannot be kept as refused."""
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(receiver.post, (order_xml(ref), order_xml(""))))
    for answer in answers:
        code, text = fault(answer)
        assert code == "Server", answer.text
        assert "send the request again" in text
        assert answer.seconds < LONGEST_WAIT_S


def assert_recovers(receiver: RunningReceiver, ref: str, within_s: float = 5) -> None:
    """The same order is acknowledged soon after, without a restart, and was not stored before."""
    until = time.monotonic() + within_s
    while (answer := receiver.post(order_xml(ref))).status != 200:
        assert time.monotonic() < until, answer
        time.sleep(0.1)
    assert order_response(answer) == OK
    assert [order["client_order_ref"] for order in rows_of(receiver.database_url, tables.orders)] == ["before", ref]
    assert "Traceback" not in receiver.log
    assert "request_failed" not in receiver.log


def test_a_locked_database_is_a_retryable_fault_and_recovers(database_url: str, start_receiver: StartReceiver) -> None:
    receiver = start_receiver(database_url)
    assert order_response(receiver.post(order_xml("before"))) == OK
    lock = locked_sqlite if database_url.startswith("sqlite") else locked_postgres
    with lock(database_url):
        assert_hears_try_again(receiver, "during")
    assert_recovers(receiver, "during")


@contextlib.contextmanager
def locked_sqlite(url: str) -> Iterator[None]:
    """Another process in the middle of a write that does not end."""
    connection = sqlite3.connect(make_url(url).database or "", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextlib.contextmanager
def locked_postgres(url: str) -> Iterator[None]:
    """An ALTER TABLE that does not end."""
    connection = psycopg2.connect(libpq(url))
    connection.cursor().execute("LOCK TABLE orders, refused_receipts IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        connection.close()


def libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_a_database_that_shuts_everyone_out_is_a_retryable_fault_and_recovers(
    postgres: Postgres, start_receiver: StartReceiver
) -> None:
    url = postgres.new_database()
    name = make_url(url).database
    receiver = start_receiver(url)
    assert order_response(receiver.post(order_xml("before"))) == OK
    postgres.administer(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres.administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    assert_hears_try_again(receiver, "during")
    postgres.administer(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert_recovers(receiver, "during")


def test_connections_that_were_cut_cost_no_order_more_than_a_repeat(
    postgres: Postgres, start_receiver: StartReceiver
) -> None:
    url = postgres.new_database()
    receiver = start_receiver(url)
    assert order_response(receiver.post(order_xml("before"))) == OK
    name = make_url(url).database
    postgres.administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    assert_recovers(receiver, "during")


def test_an_order_after_a_quiet_time_does_not_meet_connections_that_were_cut(
    postgres: Postgres, start_receiver: StartReceiver
) -> None:
    url = postgres.new_database()
    receiver = start_receiver(url, RECEIVER_WORKERS="1")
    assert order_response(receiver.post(order_xml("before"))) == OK
    name = make_url(url).database
    postgres.administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    time.sleep(2.2)
    assert order_response(receiver.post(order_xml("after"))) == OK


def test_a_stopped_postgresql_is_a_retryable_fault_and_recovers(
    tmp_path_of_postgres: Path, start_receiver: StartReceiver
) -> None:
    with own_postgres(tmp_path_of_postgres / "data") as server:
        url = server.new_database(is_migrated=False)
        migrate_to_head(url)
        receiver = start_receiver(url)
        assert order_response(receiver.post(order_xml("before"))) == OK
    assert_hears_try_again(receiver, "during")
    with own_postgres(tmp_path_of_postgres / "data"):
        assert_recovers(receiver, "during")


@pytest.fixture
def tmp_path_of_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that PostgreSQL may enter when root runs it as another user."""
    folder = Path(tempfile.mkdtemp(prefix="receiver-pg-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@on_linux
def test_a_full_disk_is_a_retryable_fault_and_recovers(tmp_path: Path, start_receiver: StartReceiver) -> None:
    url = f"sqlite:///{tmp_path / 'full.db'}"
    receiver = start_receiver(url, RECEIVER_WORKERS="1", RECEIVER_THREADS="1")
    assert order_response(receiver.post(order_xml("before"))) == OK
    limit = resource_limit(receiver, size=(tmp_path / "full.db").stat().st_size)
    try:
        code, _ = fault(receiver.post(order_xml("during", lines=2000)))
        assert code == "Server"
    finally:
        limit()
    assert_recovers(receiver, "during")
    with contextlib.closing(sqlite3.connect(tmp_path / "full.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def resource_limit(receiver: RunningReceiver, *, size: int) -> Callable[[], object]:
    """Let the worker write no file beyond `size` bytes, until the returned function is called."""
    (worker,) = receiver.workers()
    before = resource.prlimit(worker, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    return lambda: resource.prlimit(worker, resource.RLIMIT_FSIZE, before)
