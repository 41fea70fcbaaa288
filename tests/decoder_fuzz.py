"""The decoder under atheris: bytes that reach new lines of code are kept and changed further.

Run with `make fuzz`; ARGS go to libFuzzer, such as `ARGS=-max_total_time=600`. A crash is a request that the decoder
answers with anything but an order or a refusal on purpose; it becomes a case in tests/envelopes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["receiver"]):
    from receiver.errors import ReceiverError
    from receiver.orders.as_json import order_as_json
    from receiver.orders.rules import problems_of
    from receiver.orders.totals import totals_of
    from receiver.soap.service import order_reader

from tests.cases import cases
from tests.wire import BLANK_LINE

_read = order_reader()


def one(body: bytes) -> None:
    """Decode, check and add up as the receiver does."""
    try:
        order = _read(body, "text/xml; charset=utf-8")
    except ReceiverError:
        return
    if not problems_of(order):
        totals_of(order)
        order_as_json(order)


def main() -> None:
    """Fuzz from the captured and the hostile requests."""
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate([*cases("valid"), *cases("invalid")]):
            body = case.request.partition(BLANK_LINE)[2]
            if len(body) < 50_000:
                (Path(folder) / str(number)).write_bytes(body)
        atheris.Setup([*sys.argv, "-max_len=60000", folder], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
