"""Keeps a relay running beside gunicorn, for `serve --with-relay`.

gunicorn's master looks after nothing but workers, so a thread of the master starts the relay, starts it anew when it
ends by itself, and ends it with the master. A master that is killed cannot: the relay sees that it is gone and stops.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

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
        self._not_inherited: tuple[int, ...] = ()
        # The master forks workers while this thread runs; it shares no lock with what a worker does.
        self._thread = threading.Thread(target=self._keep, name="relay-keeper", daemon=True)

    def start(self, *, closing: Sequence[int] = ()) -> None:
        """Begin; a relay that cannot be started is tried again. It does not inherit the descriptors `closing`."""
        self._not_inherited = tuple(closing)
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
        try:
            relay = self._spawned()
        except OSError:
            # No memory or no process left, for now.
            logs.failure(logs.RELAY_FAILED)
            return None
        while not (ended := _ended(relay)):
            if self._is_over.wait(_LOOK_EVERY_S):
                _end(relay)
        return ended.exit_code

    def _spawned(self) -> int:
        # Not subprocess.Popen: it waits for the other end of a pipe to be closed, and a worker that the master forks at
        # that moment keeps it open for ever.
        command = [sys.executable, "-m", "receiver", "relay", "--parent", str(os.getpid())]
        return os.posix_spawn(
            sys.executable,
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in self._not_inherited),
            ],
            # In a group of its own, for Ctrl-C in a terminal means the master, which ends the relay last.
            setpgroup=0,
        )


@dataclass(frozen=True, slots=True)
class _Ended:
    """A process is gone. gunicorn waits for every child that ends; where it was first, the exit code is not known."""

    exit_code: int | None


def _ended(process: int) -> _Ended | None:
    try:
        found, status = os.waitpid(process, os.WNOHANG)
    except ChildProcessError:
        return _Ended(None)
    return _Ended(os.waitstatus_to_exitcode(status)) if found else None


def _end(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
    until = time.monotonic() + STOP_S
    while not _ended(process):
        if time.monotonic() > until:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            return
        time.sleep(_LOOK_EVERY_S / 10)
