"""Prints what an order line costs as orders grow, to show that the cost grows linearly.

One caller posts orders of growing size to a real receiver on PostgreSQL, one after the other.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import statistics
import time

from benchmarks.contestants import PASSWORD, USERNAME, receiver, running
from benchmarks.database import add_option, scratch_database
from benchmarks.payload import envelope

SIZES = {1: 200, 10: 200, 100: 60, 1_000: 15, 10_000: 5}
"""Lines in an order, and how many such orders are posted."""

_LIMIT = str(100_000_000)
_HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "Authorization": "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode(),
}


def main() -> None:
    """Post the orders and print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_option(parser)
    options = parser.parse_args()
    print(f"{'lines':>8}{'KB':>9}{'ms an order':>14}{'us a line':>12}")
    costs = {}
    with scratch_database(options.postgres) as postgres:
        contestant = receiver(postgres, port=7110, RECEIVER_MAX_BODY_BYTES=_LIMIT)
        with running(contestant):
            connection = http.client.HTTPConnection("127.0.0.1", contestant.port, timeout=120)
            for lines, orders in SIZES.items():
                body = envelope(lines)
                seconds = statistics.median(
                    _post(connection, contestant.path, body.replace("@@REF@@", f"{lines}-{number}"))
                    for number in range(orders)
                )
                costs[lines] = seconds / lines
                print(f"{lines:8}{len(body.encode()) / 1000:9.0f}{seconds * 1e3:14.2f}{costs[lines] * 1e6:12.1f}")
    print(f"a line of 10,000 costs {costs[10_000] / costs[100]:.2f} times a line of 100")


def _post(connection: http.client.HTTPConnection, path: str, body: str) -> float:
    started = time.perf_counter()
    connection.request("POST", path, body.encode(), _HEADERS)
    answer = connection.getresponse().read()
    if b"<StatusCode>OK</StatusCode>" not in answer:
        raise SystemExit(f"the order was not acknowledged: {answer.decode()}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
