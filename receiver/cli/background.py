"""A receiver running beside this command, as a process of its own that ends when the command does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests

from receiver.cli.output import CommandFailed

_START_S = 60.0
_STOP_S = 40.0
"""More than gunicorn gives its workers to finish what they have begun."""

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def receiver_beside(bind: str, *, url: str, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `receiver serve` with these additions to the environment; enter once `url` answers.

    Raises CommandFailed when the port is taken or the receiver ends early. Ctrl-C, SIGTERM and SIGHUP arrive as
    KeyboardInterrupt; whatever ends the block, the receiver is ended and waited for.
    """
    _require_free_port(bind)
    before = {number: signal.signal(number, _interrupt) for number in _ENDING}
    server = subprocess.Popen([sys.executable, "-m", "receiver", "serve"], env={**os.environ, **environ})
    try:
        _wait_until_it_answers(server, url)
        yield server
    finally:
        _end(server)
        for number, handler in before.items():
            signal.signal(number, handler)


def _require_free_port(bind: str) -> None:
    """Without this, another receiver's answers would be taken for ours."""
    host, _, port = bind.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    with socket.socket(family) as probe:
        # As gunicorn does it, so that connections of a receiver that has just ended are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            reason = error.strerror or "the address cannot be used"
            raise CommandFailed(f"cannot listen on {bind}: {reason}; set RECEIVER_BIND to another address") from None


def _wait_until_it_answers(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _START_S
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline:
            require_running(server)
            try:
                session.get(url, timeout=5, allow_redirects=False)
                return
            except requests.RequestException:
                time.sleep(0.1)
    raise CommandFailed(f"the receiver does not answer at {url} within {_START_S:.0f} s")


def require_running(server: subprocess.Popen[bytes]) -> None:
    """Raise CommandFailed when the receiver has ended by itself; it has said why on standard error."""
    if server.poll() is not None:
        raise CommandFailed(f"the receiver ended by itself (exit code {server.returncode}); see its message above")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _end(server: subprocess.Popen[bytes]) -> None:
    # A second Ctrl-C must not leave the receiver behind.
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    server.terminate()
    try:
        server.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
