"""Keeps a relay running beside gunicorn: the process between the master and the relay of `serve --with-relay`.

gunicorn's master looks after nothing but workers, so this process starts the relay anew when it ends by itself, and
ends it when the master tells it to or is gone. It imports next to nothing, for it does next to nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from receiver import logs
from receiver.stopping import StopRequest

WITH_RELAY = "NORCE_ORDER_RECEIVER_WITH_RELAY"
"""How `serve` tells gunicorn's configuration; no setting, so it does not begin like one."""

STOP_S = 70.0
"""Longer than a relay needs to finish what it is delivering; tests/test_serve_with_relay.py adds it up."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_SETTLED_S = 60.0
"""A relay that ran for so long did not fail at the start, so the pauses begin anew."""
_LOOK_EVERY_S = 0.5


class Keeper:
    """The master's side: one keeper process, started and ended by gunicorn's hooks."""

    def __init__(self, *, log_format: str) -> None:
        self._log_format = log_format
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the keeper, and through it the relay; gunicorn's sockets stay with gunicorn."""
        command = [sys.executable, "-m", "receiver.relay_keeper", str(os.getpid()), self._log_format]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - our own words

    def end(self) -> None:
        """Let the relay finish what it is delivering, and return when it has ended."""
        if self._process is not None:
            _end(self._process, within_s=STOP_S + 5.0)


def keep_relay(master: int) -> None:
    """Run a relay until told to stop or until the master is gone, and start it anew whenever it ends by itself."""
    # A terminal that closes must not leave the master, which reloads on this signal, without a relay.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = StopRequest(parent=master)
    command = [sys.executable, "-m", "receiver", "relay", "--parent", str(os.getpid())]
    pause_s = _FIRST_PAUSE_S
    while not stop.is_set():
        began = time.monotonic()
        relay = subprocess.Popen(command)  # noqa: S603 - our own words
        while relay.poll() is None and not stop.wait(_LOOK_EVERY_S):
            pass
        if relay.poll() is None or stop.is_set():
            _end(relay, within_s=STOP_S)
            return
        if time.monotonic() - began > _SETTLED_S:
            pause_s = _FIRST_PAUSE_S
        logs.note(logs.RELAY_ENDED, exit_code=relay.returncode, again_in_s=pause_s)
        stop.wait(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _end(process: subprocess.Popen[bytes], *, within_s: float) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    logs.configure(as_text=sys.argv[2] == "text")
    keep_relay(int(sys.argv[1]))
