"""Prints where the processor time of one order goes: the whole receiver in this process, with clocks on its parts.

One order after the other, without gunicorn and without load. Only this thread's time counts, so what PostgreSQL takes,
and what other programs take meanwhile, is not in it.

    .venv/bin/python -m benchmarks.steps
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import receiver.http.app
import receiver.soap.protocol
import receiver.storage.one_statement
import receiver.storage.order_store
from benchmarks.contestants import PASSWORD, USERNAME
from benchmarks.database import add_option, scratch_database
from benchmarks.load import BASIC
from benchmarks.payload import envelope
from receiver import logs
from receiver.bootstrap import build_app, engine_for
from receiver.settings import Settings
from receiver.soap.decode import OrderDecoder
from receiver.storage.migrate import migrate
from receiver.storage.packing import Packing
from receiver.storage.unit_of_work import SqlUnit

STEPS: dict[str, list[tuple[Any, str]]] = {
    "parse: clean bytes, lxml": [(receiver.http.app, "clean"), (receiver.soap.protocol, "parse")],
    "decode: members into the order, each checked": [(OrderDecoder, "decode")],
    "rows: totals, values, compressing": [
        *((receiver.storage.order_store, name) for name in ("order_values", "line_values")),
        (Packing, "pack"),
    ],
    "insert, without PostgreSQL's time": [(receiver.storage.one_statement, "insert_order")],
    "commit, without PostgreSQL's time": [(SqlUnit, "commit")],
}
"""The functions that belong to each step, by where the program looks them up. None calls another of them."""

_REST = "rest: gate, authentication, spyne, rules, log line"
_WARM = 50
"""First orders, which fill the caches and are not counted."""

Times = dict[str, float]


def main() -> None:
    """Post the orders and print a row for each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_option(parser)
    parser.add_argument("--lines", type=int, default=20, help="order lines in each order")
    parser.add_argument("--orders", type=int, default=1_000)
    options = parser.parse_args()
    # Log lines are written as in earnest, to nowhere.
    with (
        scratch_database(options.postgres) as postgres,
        Path(os.devnull).open("w") as nowhere,
        redirect_stderr(nowhere),
    ):
        measured = _measure(postgres, envelope(options.lines), orders=options.orders)
    print(f"ms of processor time for an order of {options.lines} lines, Python {sys.version.split()[0]}")
    for step in [*STEPS, _REST, "the receiver in all", "the floor in all"]:
        print(f"{step:52}{statistics.median(times[step] for times in measured) * 1e3:6.2f}")


def _measure(postgres: str, text: str, *, orders: int) -> list[Times]:
    os.environ["PEER_DSN"] = postgres
    from benchmarks import floor  # reads PEER_DSN when it is imported

    spent: Times = defaultdict(float)
    for step, functions in STEPS.items():
        for owner, name in functions:
            setattr(owner, name, _clocked(getattr(owner, name), step, spent))
    app, measured = _receiver_on(postgres), []
    for number in range(_WARM + orders):
        body = text.replace("@@REF@@", str(number)).encode()
        spent.clear()
        in_all = _time_of(app, body)
        measured.append(
            {
                **{step: spent[step] for step in STEPS},
                _REST: in_all - sum(spent.values()),
                "the receiver in all": in_all,
                "the floor in all": _time_of(floor.app, body),
            }
        )
    return measured[_WARM:]


def _clocked(function: Callable[..., Any], step: str, spent: Times) -> Callable[..., Any]:
    def clocked(*values: Any, **named: Any) -> Any:
        started = time.thread_time()
        try:
            return function(*values, **named)
        finally:
            spent[step] += time.thread_time() - started

    return clocked


def _receiver_on(postgres: str) -> Any:
    settings = Settings(_env_file=None, database_url=postgres, username=USERNAME, password=SecretStr(PASSWORD))
    logs.configure()
    engine = engine_for(settings)
    migrate(engine)
    engine.dispose()
    return build_app(settings)


def _time_of(app: Any, body: bytes) -> float:
    """Seconds for one request, handed over as gunicorn does."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/OrderNotificationService.svc",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Basic {BASIC}",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }
    started = time.thread_time()
    answer: Iterable[bytes] = app(environ, lambda *_: None)
    seconds = time.thread_time() - started
    said = b"".join(answer)
    if b"<StatusCode>OK</StatusCode>" not in said:
        raise SystemExit(f"the order was not acknowledged: {said.decode()}")
    return seconds


if __name__ == "__main__":
    main()
