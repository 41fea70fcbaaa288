"""Prints how soon orders are answered at half of the load that saturates the receiver, and at four times that load.

The saturating load is what wrk gets through with sixteen connections that never pause. The other two come at their
times, whatever the receiver does (`benchmarks.open_loop`), and every acknowledged order must have a row afterwards.
"""

from __future__ import annotations

import argparse
from contextlib import closing

import psycopg2

from benchmarks.contestants import Contestant, receiver, running
from benchmarks.database import add_option, scratch_database
from benchmarks.load import envelope_file, load, require_wrk
from benchmarks.open_loop import Outcome, percentile, post_at
from benchmarks.payload import envelope

_CONNECTIONS = 16
_LOADS = (("half", 0.5, 25), ("fourfold", 4.0, 1_000))
"""Name, share of the saturating load, and what the 99th percentile of accepted orders may be in milliseconds."""

_TITLES = ("load", "sent/s", "ok/s", "p50 ms", "p99 ms", "goal ms", "put off", "p99 ms")


def main() -> None:
    """Find the load, then run the half and the fourfold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_option(parser)
    parser.add_argument("--lines", type=int, default=20, help="order lines in each order")
    parser.add_argument("--seconds", type=int, default=15, help="of each load")
    parser.add_argument("--saturating", type=float, help="orders a second; found by wrk unless given")
    options = parser.parse_args()
    with scratch_database(options.postgres) as postgres:
        contestant = receiver(postgres, port=7130)
        with running(contestant):
            most = options.saturating or _saturating(contestant, options.lines, options.seconds)
            print(f"saturating: {most:.0f} orders a second of {options.lines} lines")
            print("".join(f"{title:>10}" for title in _TITLES))
            for number, (name, factor, goal_ms) in enumerate(_LOADS, start=1):
                outcome = post_at(
                    contestant,
                    envelope(options.lines),
                    rate=most * factor,
                    seconds=options.seconds,
                    first_ref=number * 10**9,
                )
                _print(name, most * factor, options.seconds, goal_ms, outcome)
                _require_rows(postgres, outcome)


def _saturating(contestant: Contestant, lines: int, seconds: int) -> float:
    require_wrk()
    with envelope_file(lines) as file:
        load(contestant, file, seconds=3, connections=_CONNECTIONS)
        return load(contestant, file, seconds=seconds, connections=_CONNECTIONS)["rps"]


def _print(name: str, rate: float, seconds: int, goal_ms: int, outcome: Outcome) -> None:
    accepted, put_off = outcome.accepted_ms, outcome.put_off_ms
    in_all = len(accepted) + len(put_off) + sum(outcome.others.values())
    figures = [f"{rate:.0f}", f"{len(accepted) / seconds:.0f}"]
    figures += [f"{percentile(accepted, share):.1f}" for share in (0.5, 0.99)]
    figures += [f"{goal_ms}", f"{len(put_off) / in_all:.1%}", f"{percentile(put_off, 0.99):.1f}"]
    print("".join(f"{figure:>10}" for figure in (name, *figures)), flush=True)
    print(f"{'':10}the generator was late by {outcome.late_ms:.0f} ms at most")
    for what, count in outcome.others.most_common(5):
        print(f"{'':10}{count} others: {what}")


def _require_rows(postgres: str, outcome: Outcome) -> None:
    with closing(psycopg2.connect(postgres)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT client_order_ref FROM orders")
        stored = {row[0] for row in cursor.fetchall()}
    without = [ref for ref in outcome.accepted_refs if str(ref) not in stored]
    if without:
        raise SystemExit(f"{len(without)} orders were acknowledged and are not stored, {without[0]} among them")
    print(f"{'':10}each of the {len(outcome.accepted_refs)} acknowledged orders has its row")


if __name__ == "__main__":
    main()
