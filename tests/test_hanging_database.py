"""A database that is there and does not answer is a retryable fault within two seconds, and nothing piles up."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2
import pytest

from receiver.errors import TryAgainLater
from receiver.storage import tables
from receiver.storage.engine import new_engine
from receiver.storage.unit_of_work import database_trouble
from tests.answers import OK, fault, order_response
from tests.blackhole import Blackhole
from tests.conftest import StartReceiver
from tests.databases import Postgres, migrate_to_head, own_postgres, rows_of
from tests.order_xml import order_xml
from tests.servers import RunningReceiver
from tests.wire import HttpAnswer

LONGEST_S = 3.0
"""Two seconds are promised; the rest is for a machine that does other things too."""

SENDERS, TIMES = 12, 3
MOST_THREADS = 8 + 12
"""Those that answer, and what watches and connects."""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="counts threads and finds processes as Linux does")


@pytest.fixture
def blackhole(postgres: Postgres) -> Iterator[Blackhole]:
    """A way to a new database that can fall silent."""
    url = postgres.new_database()
    with Blackhole(url) as blackhole:
        yield blackhole
    postgres.drop(url)


def threads_of(receiver: RunningReceiver) -> int:
    """Of the busiest worker."""
    status = [Path(f"/proc/{worker}/status").read_text("ascii") for worker in receiver.workers()]
    return max(int(re.findall(r"Threads:\s+(\d+)", each)[0]) for each in status)


def assert_hears_try_again(answers: list[HttpAnswer]) -> None:
    """Every sender was asked to come again, in time."""
    for answer in answers:
        code, text = fault(answer)
        assert code == "Server", answer.text
        assert "send the request again" in text
    slowest = max(answer.seconds for answer in answers)
    print(f"\n{len(answers)} answers, the slowest after {slowest:.2f} s")
    assert slowest < LONGEST_S


def assert_nothing_gets_through_and_nothing_piles_up(receiver: RunningReceiver) -> None:
    """Many senders at once, good orders and such as must be kept as refused, again and again."""
    counts = []
    with ThreadPoolExecutor(SENDERS) as pool:
        for time_ in range(TIMES):
            envelopes = [order_xml("" if number % 4 == 3 else f"{time_}-{number}") for number in range(SENDERS)]
            assert_hears_try_again(list(pool.map(receiver.post, envelopes)))
            counts.append(threads_of(receiver))
    assert max(counts) <= MOST_THREADS, counts


def assert_recovers(receiver: RunningReceiver, ref: str) -> None:
    """The order is acknowledged soon, by the same processes, and is stored once."""
    until = time.monotonic() + 10
    while (answer := receiver.post(order_xml(ref))).status != 200:
        assert time.monotonic() < until, answer
        time.sleep(0.1)
    assert order_response(answer) == OK
    assert "Traceback" not in receiver.log
    assert "request_failed" not in receiver.log


def refs_in(url: str) -> list[str]:
    return [order["client_order_ref"] for order in rows_of(url, tables.orders)]


@on_linux
def test_a_database_behind_a_silent_network_is_a_retryable_fault(
    blackhole: Blackhole, start_receiver: StartReceiver
) -> None:
    receiver = start_receiver(blackhole.url)
    workers = receiver.workers()
    assert order_response(receiver.post(order_xml("before"))) == OK
    blackhole.fall_silent()
    assert_nothing_gets_through_and_nothing_piles_up(receiver)
    blackhole.speak()
    assert_recovers(receiver, "after")
    assert receiver.workers() == workers
    refs = refs_in(receiver.database_url)
    assert len(refs) == len(set(refs))


def test_an_order_whose_commit_was_not_answered_is_stored_once(
    blackhole: Blackhole, start_receiver: StartReceiver
) -> None:
    receiver = start_receiver(blackhole.url, RECEIVER_WORKERS="1")
    assert order_response(receiver.post(order_xml("before"))) == OK
    before = blackhole.commits
    blackhole.falls_silent_at_commit = True
    assert_hears_try_again([receiver.post(order_xml("during"))])
    assert blackhole.commits == before + 1
    blackhole.speak()
    assert_recovers(receiver, "during")
    assert refs_in(receiver.database_url) == ["before", "during"]
    events = [row["event"] for row in rows_of(receiver.database_url, tables.order_history)]
    assert events == ["received", "received", "repeated"]


@contextmanager
def stopped_processes(pids: list[int]) -> Iterator[None]:
    """Processes that exist and do nothing."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def family_of(postmaster: int) -> list[int]:
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text("ascii")
    return [postmaster, *map(int, children.split())]


@on_linux
def test_a_postgresql_that_is_stopped_in_its_tracks_is_a_retryable_fault(start_receiver: StartReceiver) -> None:
    with ExitStack() as stack:
        # Not pytest's own folder: run by root, PostgreSQL is another user and may not enter that.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="receiver-pg-"))) / "data"
        folder.parent.chmod(0o755)
        url = stack.enter_context(own_postgres(folder)).new_database(is_migrated=False)
        migrate_to_head(url)
        receiver = start_receiver(url)
        assert order_response(receiver.post(order_xml("before"))) == OK
        postmaster = int((folder / "postmaster.pid").read_text("ascii").split()[0])
        with stopped_processes(family_of(postmaster)):
            assert_nothing_gets_through_and_nothing_piles_up(receiver)
        assert_recovers(receiver, "after")
        refs = refs_in(url)
        assert len(refs) == len(set(refs))


@contextmanager
def locked_rows(url: str) -> Iterator[None]:
    """A transaction that holds what every order needs."""
    connection = psycopg2.connect(url.replace("postgresql+psycopg2://", "postgresql://"))
    connection.cursor().execute("LOCK TABLE orders, refused_receipts IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        connection.close()


@on_linux
def test_a_locked_table_is_a_retryable_fault_and_nothing_piles_up(
    postgres: Postgres, start_receiver: StartReceiver
) -> None:
    receiver = start_receiver(postgres.new_database())
    assert order_response(receiver.post(order_xml("before"))) == OK
    with locked_rows(receiver.database_url):
        assert_nothing_gets_through_and_nothing_piles_up(receiver)
    assert_recovers(receiver, "after")
    assert refs_in(receiver.database_url) == ["before", "after"]


def test_a_full_pool_is_trouble_that_passes(database_url: str) -> None:
    engine = new_engine(database_url, connections=1, wait_s=0.2, longest_use_s=1.0)
    with engine.connect():
        started = time.monotonic()
        with pytest.raises(TryAgainLater), database_trouble(), engine.connect():
            raise AssertionError("one connection was given to two")
        assert time.monotonic() - started < 2
    with database_trouble(), engine.connect():
        pass
    engine.dispose()


def test_one_connection_that_hangs_costs_the_others_nothing(postgres: Postgres) -> None:
    engine = new_engine(postgres.new_database(), connections=2, longest_use_s=1.0)
    failed: list[BaseException] = []

    def hang() -> None:
        try:
            with database_trouble(), engine.connect() as connection:
                connection.exec_driver_sql("SELECT pg_sleep(4)")
        except TryAgainLater as error:
            failed.append(error)

    hanging = threading.Thread(target=hang)
    started = time.monotonic()
    hanging.start()
    while hanging.is_alive():
        with database_trouble(), engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
        time.sleep(0.01)
    assert failed
    assert 0.9 < time.monotonic() - started < 3.5
    engine.dispose()
