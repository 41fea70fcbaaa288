"""Prints what an order line costs as orders grow, to show that the cost grows linearly, and the largest order's memory.

One caller posts orders of growing size to a real receiver on PostgreSQL, one after the other. The largest is beyond
what the receiver reads by default, so its limit is raised.
"""

from __future__ import annotations

import argparse
import http.client
import re
import statistics
import time
from pathlib import Path

from benchmarks.contestants import receiver, running, worker_of
from benchmarks.database import add_option, scratch_database
from benchmarks.load import BASIC
from benchmarks.payload import envelope

SIZES = {1: 300, 10: 300, 100: 100, 1_000: 30, 10_000: 7}
"""Lines in an order, and how many such orders are posted; the figure is their median."""

_YARDSTICK = 1_000
_LARGE = 100
"""From so many lines on, the order's own cost no longer hides that of its lines."""

_LIMIT = "100000000"
_HEADERS = {"Content-Type": "text/xml; charset=utf-8", "Authorization": f"Basic {BASIC}"}


def main() -> None:
    """Post the orders and print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_option(parser)
    options = parser.parse_args()
    with scratch_database(options.postgres) as postgres:
        contestant = receiver(postgres, port=7110, RECEIVER_MAX_BODY_BYTES=_LIMIT, RECEIVER_WORKERS="1")
        with running(contestant) as master:
            worker = worker_of(master)
            connection = http.client.HTTPConnection("127.0.0.1", contestant.port, timeout=120)
            seconds, peaks = {}, []
            for lines in SIZES:
                seconds[lines] = _seconds_for(lines, connection, contestant.path)
                peaks.append(_peak_megabytes(worker))
    _print_table(seconds)
    megabytes = len(envelope(max(SIZES)).encode()) / 2**20
    print(
        f"orders of {max(SIZES):,} lines, {megabytes:.1f} MB each, raised the worker's peak from {peaks[0]:.0f} to "
        f"{peaks[-1]:.0f} MB: {(peaks[-1] - peaks[0]) / megabytes:.1f} times their size"
    )


def _seconds_for(lines: int, connection: http.client.HTTPConnection, path: str) -> float:
    body = envelope(lines)
    bodies = (body.replace("@@REF@@", f"{lines}-{number}").encode() for number in range(SIZES[lines]))
    return statistics.median(_post(connection, path, body) for body in bodies)


def _post(connection: http.client.HTTPConnection, path: str, body: bytes) -> float:
    started = time.perf_counter()
    connection.request("POST", path, body, _HEADERS)
    answer = connection.getresponse().read()
    seconds = time.perf_counter() - started
    if b"<StatusCode>OK</StatusCode>" not in answer:
        raise SystemExit(f"the order was not acknowledged: {answer.decode()}")
    return seconds


def _peak_megabytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text("ascii", errors="replace")
    return int(re.findall(r"^VmHWM:\s+([0-9]+) kB", status, re.MULTILINE)[0]) / 1024


def _print_table(seconds: dict[int, float]) -> None:
    of_a_line = {lines: of_order / lines for lines, of_order in seconds.items()}
    print(f"{'lines':>8}{'KB':>9}{'ms an order':>14}{'us a line':>12}{f'to {_YARDSTICK:,} lines':>17}")
    for lines, cost in of_a_line.items():
        size = len(envelope(lines).encode()) / 1000
        ratio = cost / of_a_line[_YARDSTICK]
        print(f"{lines:8,}{size:9,.0f}{seconds[lines] * 1e3:14.2f}{cost * 1e6:12.1f}{ratio:15.2f} x")
    large = [cost for lines, cost in of_a_line.items() if lines >= _LARGE]
    print(f"from {_LARGE} lines on, the dearest line costs {max(large) / min(large):.2f} times the cheapest", end="; ")
    print(
        "linear" if of_a_line[max(of_a_line)] <= 1.25 * of_a_line[_YARDSTICK] else "NOT linear: large orders cost more"
    )


if __name__ == "__main__":
    main()
