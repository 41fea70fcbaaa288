"""The load: wrk posts one envelope over and over, each time under a reference of its own."""

from __future__ import annotations

import base64
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contestants import HERE, PASSWORD, USERNAME, Contestant
from benchmarks.payload import envelope

BASIC = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()

Figures = dict[str, float]
"""What wrk measured: rps, p50_ms, p99_ms, ok, bad and socket."""


def require_wrk() -> None:
    """End the program when there is no load generator."""
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed, and it is the load generator: apt-get install wrk, or brew install wrk")


@contextmanager
def envelope_file(lines: int) -> Iterator[Path]:
    """A file with an order of so many lines, its reference left for wrk to fill in."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".xml") as file:
        file.write(envelope(lines))
        file.flush()
        yield Path(file.name)


def load(contestant: Contestant, file: Path, *, seconds: int, connections: int) -> Figures:
    """Post for so many seconds; answers that are not 2xx are told on standard error and not counted as ok."""
    environment = os.environ | {
        "ENVELOPE": str(file),
        "SOAP_PATH": contestant.path,
        # No reference must come twice, in this round or another: a repeat is cheaper than an order.
        "REF_BASE": str(random.randrange(10**6) * 10**6),
    }
    if contestant.asks_for_credentials:
        environment["BASIC"] = BASIC
    script = str(HERE / "load.lua")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script]
    url = f"http://127.0.0.1:{contestant.port}"
    done = subprocess.run([*command, url], env=environment, capture_output=True, text=True, check=True)
    found = re.findall(r"(\w+)=([\d.]+)", done.stdout[done.stdout.index("RESULT") :])
    figures = {name: float(value) for name, value in found}
    if figures["bad"] or figures["socket"]:
        print(f"  {figures['bad']:.0f} answers were not 2xx, {figures['socket']:.0f} socket errors", file=sys.stderr)
    return figures
