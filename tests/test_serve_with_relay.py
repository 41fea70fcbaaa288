"""`receiver serve --with-relay` delivers by itself, mends itself, and leaves nothing running when it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from receiver.flows.relay_outbox import BEGIN_WITHIN_S, LAST_TRIES_S, LEASE_S
from receiver.ports import LONGEST_DELIVERY_S
from receiver.relay_keeper import STOP_S
from receiver.storage import tables
from tests.databases import rows_of
from tests.order_xml import order_xml
from tests.servers import CREDENTIALS, environment, http_post, run_command
from tests.wire import exchange

ERP = """
def take(order):
    return "SO-" + order.client_order_ref
"""
FAILS_IN_THE_RELAY = """
from pathlib import Path
marker = Path("imported")
if marker.exists():
    raise ImportError
marker.touch()
def take(order): ...
"""
"""The first to import it is `serve`, which checks the settings."""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes as Linux does")
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Serving:
    """A receiver with a relay beside it, in a process group of its own."""

    def __init__(self, folder: Path, database_url: str, port: int) -> None:
        self.database_url = database_url
        self._address = ("127.0.0.1", port)
        self._log_file = folder / "serve.log"
        settings = {
            "RECEIVER_DATABASE_URL": database_url,
            "RECEIVER_BIND": f"127.0.0.1:{port}",
            "RECEIVER_WORKERS": "1",
            "RECEIVER_ERP": "python:erp:take",
            **CREDENTIALS,
        }
        with self._log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "receiver", "serve", "--with-relay"],
                cwd=folder,
                env=environment(**settings),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def events(self, name: str) -> list[dict[str, Any]]:
        """What was logged under this name."""
        lines = self._log_file.read_text("utf-8").splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in found if event["event"] == name]

    def post(self, ref: str) -> None:
        """Post an order as soon as the receiver answers."""

        def is_taken() -> bool:
            try:
                return exchange(self._address, http_post(order_xml(ref))).status == 200
            except OSError:
                return False

        wait_until(is_taken, self)

    def wait_for_delivery(self, ref: str) -> None:
        """Wait until the ERP has given the order its number."""

        def is_delivered() -> bool:
            (order,) = rows_of(self.database_url, tables.orders, client_order_ref=ref)
            return bool(order["erp_order_no"] == f"SO-{ref}")

        wait_until(is_delivered, self)

    def relay(self) -> int:
        """The process id of the relay."""
        (relay,) = [pid for pid in children(self.process.pid) if b"--parent" in command_of(pid)]
        return relay

    def ends(self, number: signal.Signals) -> int:
        """Send a signal to the whole group, as a terminal does, and return the exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(20)


def children(pid: int) -> list[int]:
    # Each thread has children of its own.
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for each in lists for child in each.read_text("ascii").split()]


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def sockets(pid: int) -> set[str]:
    found = (str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir())
    return {name for name in found if name.startswith("socket:")}


def is_running(pid: int) -> bool:
    """Whether the process is at work; one that nobody has waited for yet is not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], serving: Serving, *, within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, serving._log_file.read_text("utf-8")
        time.sleep(0.1)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@contextmanager
def serving(folder: Path, database_url: str, port: int, *, erp: str = ERP) -> Iterator[Serving]:
    (folder / "erp.py").write_text(erp)
    started = Serving(folder, database_url, port)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.terminate()
            started.process.wait(20)


def test_an_order_reaches_the_erp_and_all_ends_together(tmp_path: Path, database_url: str, port: int) -> None:
    with serving(tmp_path, database_url, port) as running:
        running.post("700101")
        running.wait_for_delivery("700101")
        running.process.terminate()
        assert running.process.wait(20) == 0
    assert len(running.events("relay_stopped")) == 1
    assert running.events("relay_ended") == []
    assert running.events("receiver_started")[0]["with_relay"] is True


@on_linux
@on_sqlite
def test_a_relay_that_is_killed_comes_back(tmp_path: Path, database_url: str, port: int) -> None:
    with serving(tmp_path, database_url, port) as running:
        running.post("700101")
        running.wait_for_delivery("700101")
        relay = running.relay()
        os.kill(relay, signal.SIGKILL)
        running.post("700102")
        running.wait_for_delivery("700102")
        (ended,) = running.events("relay_ended")
        assert (ended["level"], ended["again_in_s"]) == ("error", 1.0)
        assert running.relay() != relay


@on_linux
@on_sqlite
def test_no_relay_outlives_its_master(tmp_path: Path, database_url: str, port: int) -> None:
    with serving(tmp_path, database_url, port) as running:
        running.post("700101")
        running.wait_for_delivery("700101")
        relay = running.relay()
        assert sockets(relay).isdisjoint(sockets(running.process.pid))  # nor does it keep the port
        os.kill(running.process.pid, signal.SIGKILL)
        wait_until(lambda: not is_running(relay), running, within_s=10)
        assert len(running.events("relay_stopped")) == 1
        running.process.wait(20)
    with serving(tmp_path, database_url, port) as again:
        again.post("700103")  # nobody holds the port any more
        again.wait_for_delivery("700103")


@on_sqlite
def test_a_relay_that_cannot_start_is_tried_again_ever_later(tmp_path: Path, database_url: str, port: int) -> None:
    with serving(tmp_path, database_url, port, erp=FAILS_IN_THE_RELAY) as running:
        running.post("700101")
        wait_until(lambda: len(running.events("relay_ended")) == 3, running)
        assert [ended["again_in_s"] for ended in running.events("relay_ended")] == [1.0, 2.0, 4.0]
        assert {ended["level"] for ended in running.events("relay_ended")} == {"error"}
        running.post("700102")
        began = time.monotonic()
        assert running.ends(signal.SIGTERM) == 0
        assert time.monotonic() - began < 10


@on_linux
@on_sqlite
def test_an_interrupt_from_the_terminal_ends_everything(tmp_path: Path, database_url: str, port: int) -> None:
    with serving(tmp_path, database_url, port) as running:
        running.post("700101")
        running.wait_for_delivery("700101")
        relay = running.relay()
        assert running.ends(signal.SIGINT) == 0
        assert not is_running(relay)
        assert running.events("relay_ended") == []


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "a relay needs RECEIVER_ERP or RECEIVER_CONNECT_URL"),
        ({"RECEIVER_ERP": "python:erp:missing"}, "RECEIVER_ERP: erp:missing cannot be imported"),
    ],
)
def test_what_cannot_be_relayed_to_is_said_at_the_start(tmp_path: Path, settings: dict[str, str], reason: str) -> None:
    for command in (("serve", "--with-relay"), ("relay",)):
        done = run_command(*command, folder=tmp_path, **CREDENTIALS, **settings)
        assert done.returncode == 1
        assert reason in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_relay_has_time_to_finish_what_it_delivers() -> None:
    assert STOP_S > BEGIN_WITHIN_S + LONGEST_DELIVERY_S + LAST_TRIES_S
    assert BEGIN_WITHIN_S + LONGEST_DELIVERY_S < LEASE_S / 2
