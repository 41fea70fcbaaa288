"""The log says what happened, without the words of an order, and never decides what a sender hears."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.servers import ROOT

NOTE = """
import os, sys
from receiver import logs
logs.configure()
if sys.argv[1] == "closed":
    os.close(2)
try:
    raise ValueError("Åsa 19800101-1234")
except ValueError:
    logs.failure(logs.REQUEST_FAILED, answer=500)
logs.note(logs.ORDER_ACCEPTED, client_order_ref="1")
print("went on")
"""


def run(standard_error: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", NOTE, standard_error]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_an_exception_is_shown_by_its_type_and_place_without_its_words() -> None:
    failed, accepted = (json.loads(line) for line in run("open").stderr.splitlines())
    assert (failed["event"], failed["level"], failed["answer"]) == ("request_failed", "error", 500)
    assert failed["exception"].startswith("builtins.ValueError\n")
    assert "19800101" not in json.dumps(failed)
    assert (accepted["event"], accepted["level"]) == ("order_accepted", "info")


def test_a_log_that_cannot_be_written_changes_nothing_else() -> None:
    done = run("closed")
    assert (done.returncode, done.stdout) == (0, "went on\n")
