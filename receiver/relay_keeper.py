"""Keeps a relay running beside gunicorn, for `serve --with-relay`.

gunicorn's master looks after nothing but workers, so a thread of the master starts the relay, starts it anew when it
ends by itself, and ends it with the master. A master that is killed cannot: the relay sees that it is gone and stops.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

from receiver import logs

WITH_RELAY = "NORCE_ORDER_RECEIVER_WITH_RELAY"
"""How `serve` tells gunicorn's configuration; no setting, so it does not begin like one."""

STOP_S = 70.0
"""Longer than a relay needs to finish what it is delivering; tests/test_serve_with_relay.py adds it up."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_SETTLED_S = 60.0
"""A relay that ran for so long did not fail at the start, so the pauses begin anew."""
_LOOK_EVERY_S = 0.5


class RelayKeeper:
    """One relay at a time, started and ended by gunicorn's hooks."""

    def __init__(self) -> None:
        self._is_over = threading.Event()
        # The master forks workers while this thread runs; it shares no lock with what a worker does.
        self._thread = threading.Thread(target=self._keep, name="relay-keeper", daemon=True)

    def start(self) -> None:
        """Begin; a relay that cannot be started is tried again."""
        self._thread.start()

    def end(self) -> None:
        """Let the relay finish what it is delivering, and return when it has ended."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S + 5.0)

    def _keep(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._is_over.is_set():
            began = time.monotonic()
            exit_code = self._run()
            if self._is_over.is_set():
                return
            if time.monotonic() - began > _SETTLED_S:
                pause_s = _FIRST_PAUSE_S
            logs.note(logs.RELAY_ENDED, exit_code=exit_code, again_in_s=pause_s)
            self._is_over.wait(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _run(self) -> int | None:
        """Run one relay to its end; returns its exit code if it ended by itself and that could be learned."""
        command = [sys.executable, "-m", "receiver", "relay", "--parent", str(os.getpid())]
        try:
            # In a session of its own, for Ctrl-C in a terminal means the master, which ends the relay last.
            relay = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
        except OSError:
            # No memory or no process left, for now.
            logs.failure(logs.RELAY_FAILED)
            return None
        while relay.poll() is None:
            if self._is_over.wait(_LOOK_EVERY_S):
                _end(relay)
        # gunicorn waits for every child that ends; where it was first, Python knows only that the relay is gone.
        return relay.returncode or None


def _end(relay: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        relay.terminate()
    try:
        relay.wait(STOP_S)
    except subprocess.TimeoutExpired:
        relay.kill()
        relay.wait()
