"""A whole installation in processes of its own: receiver, relays, PostgreSQL, RabbitMQ as the ERP, and Norce.

Everything in it can be killed, stopped and started again while orders and reports come in at a bounded rate.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2

from connect_client import DeliveryNote, Invoice, OrderStatusUpdate
from connect_client.testing import FakeConnect
from receiver.errors import ReceiverError
from receiver.flows.submit_report import submit_report
from receiver.storage import tables
from receiver.storage.engine import new_engine
from receiver.storage.unit_of_work import SqlUnits
from tests.brokers import Broker
from tests.databases import Postgres, rows_of
from tests.order_xml import order_xml
from tests.relaying import INVOICE, NOTE
from tests.servers import RunningReceiver, environment, running_receiver

RELAYS = 2


@dataclass
class World:
    """Who takes part, and what was promised: acknowledged orders and submitted reports."""

    folder: Path
    url: str
    postgres: Postgres
    broker: Broker
    queue: Any
    norce: FakeConnect
    receiver: RunningReceiver
    settings: dict[str, str]
    relays: list[subprocess.Popen[bytes]] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    submitted: list[tuple[str, str]] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def start_relay(self) -> None:
        """One more `receiver relay`."""
        log = (self.folder / f"relay-{len(self.relays)}-{time.monotonic_ns()}.log").open("wb")
        command = [sys.executable, "-m", "receiver", "relay"]
        with log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment(**self.settings),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.relays.append(process)

    def kill_a_relay(self) -> None:
        """SIGKILL one in the middle of whatever it does, and start another."""
        self._end(self.relays.pop(random.randrange(len(self.relays))), signal.SIGKILL)
        self.start_relay()

    def stop_relays(self) -> None:
        """As a supervisor does it; each must end in time and without a trace of trouble."""
        while self.relays:
            assert self._end(self.relays.pop(), signal.SIGTERM) == 0

    def kill_the_master(self) -> None:
        """SIGKILL gunicorn's master, and start the receiver again at the same address, as a supervisor does."""
        workers = self.receiver.workers()
        self.receiver.process.kill()
        self.receiver.process.wait()
        # Workers notice that their master is gone and end by themselves; a new one needs their port.
        for worker in workers:
            _wait_until_gone(worker)
        self.receiver.start_again()

    def kill_a_worker(self) -> None:
        """SIGKILL one of gunicorn's workers; the master replaces it."""
        for worker in self.receiver.workers()[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)

    def cut_database_connections(self) -> None:
        """End every connection to the database but this one."""
        self.postgres.administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
        )

    def log(self) -> str:
        """What receiver and relays have said."""
        return "".join(file.read_text("utf-8", errors="replace") for file in self.folder.glob("*.log"))

    @staticmethod
    def _end(process: subprocess.Popen[bytes], number: int) -> int:
        process.send_signal(number)
        return process.wait(90)

    # What comes in.

    def post_orders(self, stop: threading.Event, *, name: str, per_second: float) -> None:
        """One order after the other, each until it is acknowledged, as Norce does; some come again changed."""
        number = 0
        while not stop.is_set():
            number += 1
            ref = f"{name}{number}"
            for comment in ("first", "changed") if number % 5 == 0 else ("first",):
                if not self._posted(ref, comment, stop):
                    return
            self.acknowledged.append(ref)
            stop.wait(1 / per_second)

    def _posted(self, ref: str, comment: str, stop: threading.Event) -> bool:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                if self.receiver.post(order_xml(ref, comment=comment)).status == 200:
                    return True
            stop.wait(0.1)
        return False

    def submit_reports(self, stop: threading.Event, units: SqlUnits) -> None:
        """For each acknowledged order a status, a delivery note and an invoice, each until it is taken."""
        done = 0
        while not stop.is_set():
            if done == len(self.acknowledged):
                stop.wait(0.05)
                continue
            ref = self.acknowledged[done]
            for kind, report in reports_for(ref):
                while not stop.is_set():
                    with contextlib.suppress(ReceiverError):
                        submit_report({"kind": kind, "report": report, "client_order_ref": ref}, units=units)
                        self.submitted.append((ref, kind))
                        break
                    stop.wait(0.1)
            done += 1

    @contextmanager
    def under_load(self) -> Iterator[None]:
        """Orders and reports come in while the block runs."""
        stop = threading.Event()
        units = SqlUnits(new_engine(self.url), sender_zone=ZoneInfo("Europe/Stockholm"))
        loads = [
            threading.Thread(target=self.post_orders, args=(stop,), kwargs={"name": name, "per_second": 10})
            for name in ("1", "2")
        ]
        loads.append(threading.Thread(target=self.submit_reports, args=(stop, units)))
        for load in loads:
            load.start()
        try:
            yield
        finally:
            stop.set()
            for load in loads:
                load.join(60)
            units.close()

    def settle(self) -> None:
        """Let the relays finish: what waits for its next attempt is due now, what killed relays held is given up."""
        until = time.monotonic() + 120
        while (left := self._unfinished()) and time.monotonic() < until:
            with contextlib.suppress(psycopg2.Error), contextlib.closing(psycopg2.connect(self._dsn())) as connection:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE outbox SET due_at = now() WHERE state = 'pending'")
                    cursor.execute(
                        "UPDATE outbox SET leased_until = now() WHERE state = 'leased' AND leased_until < now() +"
                        " interval '170 seconds'"
                    )
            time.sleep(1)
        assert left == 0, f"{left} messages are not finished:\n{self.log()[-3000:]}"

    def _unfinished(self) -> int:
        return sum(row["state"] in ("pending", "leased") for row in rows_of(self.url, tables.outbox))

    def _dsn(self) -> str:
        return self.url.replace("postgresql+psycopg2://", "postgresql://")


def _wait_until_gone(process: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and Path(f"/proc/{process}").exists():
        time.sleep(0.05)


def reports_for(ref: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the ERP tells of an order."""
    yield "order-status", {"status": "Confirmed", "client_order_ref": int(ref), "erp_order_no": f"SO-{ref}"}
    yield "delivery-note", NOTE | {"order_no": f"SO-{ref}", "note_no": f"DN-{ref}"}
    yield "invoice", INVOICE | {"client_order_ref": int(ref), "erp_order_no": f"SO-{ref}", "invoice_no": f"F-{ref}"}


def about(message: object) -> tuple[str, str]:
    """Which order a report that Norce received is about, and of what kind it is."""
    match message:
        case OrderStatusUpdate():
            return str(message.client_order_ref), "order-status"
        case DeliveryNote():
            return message.order_no.removeprefix("SO-"), "delivery-note"
        case Invoice():
            return str(message.client_order_ref), "invoice"
    raise AssertionError(f"unexpected {type(message).__name__}")


@contextmanager
def a_world(folder: Path, postgres: Postgres, broker: Broker) -> Iterator[World]:
    """Everything up and running, two relays among it."""
    url = postgres.new_database()
    queue = broker.bind()
    with ExitStack() as stack:
        norce = stack.enter_context(FakeConnect())
        settings = {
            "RECEIVER_DATABASE_URL": url,
            "RECEIVER_ERP": broker.way,
            "RECEIVER_CONNECT_URL": norce.url,
            "RECEIVER_CONNECT_USERNAME": norce.basic_auth.username,
            "RECEIVER_CONNECT_PASSWORD": norce.basic_auth.password,
        }
        receiver = stack.enter_context(running_receiver(folder, url))
        world = World(folder, url, postgres, broker, queue, norce, receiver, settings)
        for _ in range(RELAYS):
            world.start_relay()
        try:
            yield world
        finally:
            for relay in world.relays:
                relay.kill()
                relay.wait()
