"""Prints the memory of a worker over many orders, to show whether the curve is flat.

One worker on PostgreSQL under load from wrk; memory is the worker's resident set, as Linux reports it.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from benchmarks.compare import load
from benchmarks.contestants import receiver, running
from benchmarks.database import add_option, scratch_database
from benchmarks.payload import envelope

_WARM = 5_000
"""Orders after which every thread, connection and cache has been used."""


def main() -> None:
    """Post orders in rounds and print the memory after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_option(parser)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--seconds", type=int, default=10, help="of load between two readings")
    options = parser.parse_args()
    print(f"{'orders':>8}{'MB':>8}{'since warm':>12}")
    with scratch_database(options.postgres) as postgres, tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(envelope(20))
        file.flush()
        contestant = receiver(postgres, port=7120, RECEIVER_WORKERS="1")
        with running(contestant) as master:
            orders, warm = 0, 0.0
            while orders < options.orders:
                orders += int(load(contestant, file.name, seconds=options.seconds, connections=16)["ok"])
                megabytes = _megabytes(_worker_of(master))
                warm = warm or (megabytes if orders >= _WARM else 0.0)
                change = f"{(megabytes / warm - 1) * 100:+.1f} %" if warm else ""
                print(f"{orders:8}{megabytes:8.1f}{change:>12}", flush=True)


def _worker_of(master: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text("ascii")
    return int(children.split()[0])


def _megabytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1000


if __name__ == "__main__":
    main()
