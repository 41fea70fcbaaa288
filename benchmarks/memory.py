"""Prints the memory of a worker over many orders, to show whether the curve is flat.

One worker on PostgreSQL under load from wrk; memory is the worker's resident set, as Linux reports it, and the part of
it that the worker shares with no other process.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.contestants import receiver, running, worker_of
from benchmarks.database import add_option, scratch_database
from benchmarks.load import envelope_file, load, require_wrk

STEP = 5_000
"""Orders between two readings. By the first, every thread, connection and cache has been used."""

_LINES, _CONNECTIONS, _SECONDS = 20, 16, 2


def main() -> None:
    """Post orders in short rounds and print the memory whenever another step is full."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_option(parser)
    parser.add_argument("--orders", type=int, default=50_000)
    options = parser.parse_args()
    require_wrk()
    print(f"{'orders':>8}{'RSS MB':>9}{'own MB':>9}{'RSS since first':>17}")
    with scratch_database(options.postgres) as postgres, envelope_file(_LINES) as file:
        contestant = receiver(postgres, port=7120, RECEIVER_WORKERS="1")
        with running(contestant) as master:
            worker = worker_of(master)
            orders, due, first = 0, STEP, None
            while orders < options.orders:
                orders += int(load(contestant, file, seconds=_SECONDS, connections=_CONNECTIONS)["ok"])
                if orders < due:
                    continue
                due = orders - orders % STEP + STEP
                resident, own = _megabytes(worker)
                first = first or resident
                print(f"{orders:8,}{resident:9.1f}{own:9.1f}{(resident / first - 1) * 100:15.1f} %", flush=True)
            if worker_of(master) != worker:
                raise SystemExit("the worker was replaced on the way, so the curve is not of one process")


def _megabytes(process: int) -> tuple[float, float]:
    """Resident and private memory."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines()[1:]
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in rollup)}
    return kilobytes["Rss"] / 1024, (kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]) / 1024


if __name__ == "__main__":
    main()
