"""A PostgreSQL whose disk is full: no acknowledgement without a row, nothing torn, and on with free space."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from receiver.storage import tables
from receiver.storage.packing import Packing
from tests.answers import OK, fault, order_response
from tests.conftest import StartReceiver
from tests.databases import migrate_to_head, own_postgres, rows_of
from tests.order_xml import order_xml
from tests.servers import RunningReceiver

MOST_ORDERS = 200
LINES = 500


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 160 MB of its own: only there does a database meet the very error that a full disk gives."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can make a small file system")
    folder = Path(tempfile.mkdtemp(prefix="receiver-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=160m,mode=0777", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        folder.rmdir()
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def fill(folder: Path) -> Path:
    """Take all the space that is left."""
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(64 * 1024)):
            pass
    return ballast


def test_a_full_disk_under_postgresql_costs_no_order(small_disk: Path, start_receiver: StartReceiver) -> None:
    with own_postgres(small_disk / "data") as postgres:
        assert postgres.restart is not None
        url = postgres.new_database(is_migrated=False)
        migrate_to_head(url)
        receiver = start_receiver(url)
        assert order_response(receiver.post(order_xml("before"))) == OK
        ballast = fill(small_disk)
        # What PostgreSQL has set aside lasts for some orders; those are acknowledged and stored.
        acknowledged, number = ["before"], 0
        put_off: list[str] = []
        while len(put_off) < 3:
            ref, number = f"full-{number}", number + 1
            answer = receiver.post(order_xml(ref, lines=LINES))
            if answer.status == 200:
                assert order_response(answer) == OK
                acknowledged.append(ref)
            else:
                assert fault(answer)[0] == "Server"
                put_off.append(ref)
            assert number < MOST_ORDERS, "the disk did not get full"
        ballast.unlink()
        # Where it could not write its log PostgreSQL has ended; whoever supervises it starts it again.
        if not (small_disk / "data" / "postmaster.pid").exists():
            postgres.restart()
        for ref in put_off:
            assert_is_taken(receiver, ref)
        orders = {row["id"]: row["client_order_ref"] for row in rows_of(url, tables.orders)}
        assert sorted(orders.values()) == sorted(acknowledged + put_off)
        payloads = {
            orders[row["order_id"]]: Packing().unpack(row["payload"]) for row in rows_of(url, tables.order_payloads)
        }
        assert payloads == {ref: order_xml(ref, lines=2 if ref == "before" else LINES) for ref in orders.values()}
        lines = rows_of(url, tables.order_lines)
        assert len(lines) == 2 + LINES * (len(orders) - 1)
        assert "Traceback" not in receiver.log
        print(f"\n{len(acknowledged)} acknowledged, {len(put_off)} put off, {len(orders)} stored")


def assert_is_taken(receiver: RunningReceiver, ref: str) -> None:
    """The repeat is acknowledged soon."""
    until = time.monotonic() + 30
    while (answer := receiver.post(order_xml(ref, lines=LINES))).status != 200:
        assert time.monotonic() < until, answer
        time.sleep(0.2)
    assert order_response(answer) == OK
