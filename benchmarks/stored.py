"""Does the receiver slow down as orders pile up? An empty database beside one that holds millions, in one run.

The stored orders are made by SQL: a row, two lines, a short payload, a history entry and a delivered message each, so
every index that an insert touches has its full depth. What they do not have is the size of real payloads.

    make bench-stored BENCH_ARGS="--stored 5000000"
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from benchmarks.contestants import Contestant, receiver, running
from benchmarks.database import add_option, rows_in, scratch_database
from benchmarks.load import envelope_file, load, require_wrk
from receiver.storage.engine import new_engine
from receiver.storage.migrate import migrate

_FILL = (
    "INSERT INTO orders (application_key, client_order_ref, revision, state, currency_code, lines_total, vat_total,"
    " paid_total, received_at) SELECT '00000000-0000-0000-0000-000000000000', 'S' || n, 1, 'handed_over', 'SEK',"
    " 199.8, 49.95, 249.75, now() - n * interval '10 seconds' FROM generate_series(1, {stored}) n",
    "INSERT INTO order_lines (order_id, revision, position, line_no, part_no, description, quantity, unit_price)"
    " SELECT id, 1, position, position, 'SKU-' || id % 20000, 'An article of the shop', 1, 99.9"
    " FROM orders, generate_series(1, 2) position",
    "INSERT INTO order_payloads (order_id, revision, fingerprint, media_type, payload, received_at)"
    " SELECT id, 1, repeat(md5(id::text), 2), 'text/xml', decode(repeat(md5(id::text), 8), 'hex'), received_at"
    " FROM orders",
    "INSERT INTO order_history (order_id, happened_at, event, revision)"
    " SELECT id, received_at, 'received', 1 FROM orders",
    "INSERT INTO outbox (destination, kind, order_id, revision, payload_version, is_repeatable, state, attempts,"
    " due_at, created_at, finished_at) SELECT 'erp', 'order', id, 1, 1, true, 'delivered', 1, received_at,"
    " received_at, received_at FROM orders",
)


@dataclass(slots=True)
class Side:
    """One of the two receivers, with the orders a second of its rounds."""

    url: str
    contestant: Contestant
    rates: list[float] = field(default_factory=list)

    def round(self, file: Path, *, seconds: int) -> None:
        """Load it once; every acknowledged order must be a row."""
        before = rows_in("orders", self.url)
        with running(self.contestant):
            figures = load(self.contestant, file, seconds=seconds, connections=16)
        if rows_in("orders", self.url) - before < figures["ok"]:
            raise SystemExit("not every acknowledged order was stored")
        self.rates.append(figures["rps"])


def main() -> None:
    """Fill one of two databases, load both in turns and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_option(parser)
    parser.add_argument("--stored", type=int, default=5_000_000, help="orders in the full database")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6, help="of load in each round")
    options = parser.parse_args()
    require_wrk()
    with (
        _side(options.postgres, "empty", port=7140) as empty,
        _side(options.postgres, "full", port=7141) as full,
        envelope_file(20) as file,
    ):
        _fill(full.url, options.stored)
        for _ in range(options.rounds):
            for side in (empty, full):
                side.round(file, seconds=options.seconds)
    rates = [statistics.median(side.rates) for side in (empty, full)]
    print(f"orders of 20 lines, 16 connections, {options.rounds} x {options.seconds} s")
    print(f"empty database           {rates[0]:8.0f} orders/s")
    print(f"{options.stored:9,} orders stored {rates[1]:8.0f} orders/s   {rates[1] / rates[0]:.2f} x")


@contextmanager
def _side(postgres: str, name: str, *, port: int) -> Iterator[Side]:
    with scratch_database(postgres, f"_{name}") as url:
        engine = new_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
        migrate(engine)
        engine.dispose()
        yield Side(url, receiver(url, port=port))


def _fill(url: str, stored: int) -> None:
    started = time.monotonic()
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in _FILL:
                cursor.execute(statement.format(stored=stored))
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
            cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
            (size,) = cursor.fetchall()[0]
    print(f"{stored:,} orders made in {time.monotonic() - started:.0f} s, {size}", flush=True)


if __name__ == "__main__":
    main()
