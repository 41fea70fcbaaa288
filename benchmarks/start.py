"""How soon after its start `receiver serve` acknowledges its first order, on SQLite and on PostgreSQL."""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import tempfile
import time
import uuid
from contextlib import suppress

from benchmarks.contestants import Contestant, receiver
from benchmarks.database import add_option, scratch_database
from benchmarks.load import BASIC
from benchmarks.payload import envelope

_GIVE_UP_S = 30


def main() -> None:
    """Start it a few times on each database and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_option(parser)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    with scratch_database(options.postgres) as postgres, tempfile.TemporaryDirectory() as folder:
        for name, url in (("SQLite", f"sqlite:///{folder}/orders.db"), ("PostgreSQL", postgres)):
            contestant = receiver(url, port=7150)
            _run(contestant, contestant.prepare or [])
            seconds = [_seconds_to_first_order(contestant) for _ in range(options.starts)]
            print(f"{name:<12}{statistics.median(seconds):6.2f} s, the slowest {max(seconds):.2f} s")


def _seconds_to_first_order(contestant: Contestant) -> float:
    started = time.monotonic()
    process = subprocess.Popen(contestant.command, env=_environment(contestant), stderr=subprocess.DEVNULL)
    try:
        while not _is_acknowledged(contestant):
            if time.monotonic() - started > _GIVE_UP_S:
                raise SystemExit("no order was acknowledged")
            time.sleep(0.01)
        return time.monotonic() - started
    finally:
        process.terminate()
        process.wait(_GIVE_UP_S)


def _is_acknowledged(contestant: Contestant) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", contestant.port, timeout=5)
    headers = {"Content-Type": "text/xml; charset=utf-8", "Authorization": f"Basic {BASIC}"}
    with suppress(OSError, http.client.HTTPException):
        connection.request("POST", contestant.path, envelope(20, uuid.uuid4().hex).encode(), headers)
        return b"<StatusCode>OK</StatusCode>" in connection.getresponse().read()
    return False


def _run(contestant: Contestant, command: list[str]) -> None:
    subprocess.run(command, env=_environment(contestant), check=True, stdout=subprocess.DEVNULL)


def _environment(contestant: Contestant) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
    return inherited | contestant.environment


if __name__ == "__main__":
    main()
