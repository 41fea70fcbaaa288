"""The real receiver in processes of its own: `python -m receiver serve` on a free port, its log in a file."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.wire import HttpAnswer, basic, exchange

ROOT = Path(__file__).resolve().parent.parent
SERVICE = "/OrderNotificationService.svc"
ACTION = "Enferno.Services.StormConnect.Contracts.Order/OrderNotificationService/CreateOrder"
USERNAME, PASSWORD = "norce", "hemligt:lösenord"
"""The password has a colon and a letter that UTF-8 and cp1252 write differently."""
CREDENTIALS = {"RECEIVER_USERNAME": USERNAME, "RECEIVER_PASSWORD": PASSWORD}
_START_S, _STOP_S = 30, 15


class RunningReceiver:
    """A receiver that accepts requests, its database and its log."""

    def __init__(
        self, start: Callable[[], subprocess.Popen[bytes]], port: int, database_url: str, log_file: Path
    ) -> None:
        self._start = start
        self.process = start()
        self.address = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{port}{SERVICE}"
        self.database_url = database_url
        self._log_file = log_file

    @property
    def log(self) -> str:
        """Everything it has written so far."""
        return self._log_file.read_text("utf-8", errors="replace")

    def send(self, request: bytes, *, half_close: bool = False, wait_s: float = 15) -> HttpAnswer:
        """Send exact bytes and read the answer."""
        return exchange(self.address, request, half_close=half_close, wait_s=wait_s)

    def post(self, envelope: bytes, *, authorization: str | None = None, **headers: str) -> HttpAnswer:
        """Post an envelope as Norce would, with the right credentials unless others are given."""
        return self.send(http_post(envelope, authorization=authorization, **headers))

    def workers(self) -> list[int]:
        """The process ids of gunicorn's workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii")
        return [int(child) for child in children.split()]

    def start_again(self) -> None:
        """Start it at the same address after it has ended, and wait until it accepts."""
        self.process = self._start()
        self.wait_until_it_accepts()

    def wait_until_it_accepts(self) -> None:
        """Wait for the first answer; fails with the log when the process ends before."""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.log}")
            try:
                answer = self.send(f"GET {SERVICE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            except OSError:
                time.sleep(0.05)
                continue
            assert answer.status == 200, answer
            return
        raise AssertionError(f"serve did not answer within {_START_S} s:\n{self.log}")

    def stop(self) -> None:
        """Stop it as a supervisor does, and fail when it does not stop."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"serve did not stop within {_STOP_S} s of SIGTERM:\n{self.log}") from None
        assert code == 0, f"serve ended with {code}:\n{self.log}"


def http_post(envelope: bytes, *, authorization: str | None = None, **headers: str) -> bytes:
    """An HTTP request with .NET's headers around the envelope; keywords replace or add headers."""
    named = {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": f'"{ACTION}"',
        "Host": "receiver.example",
        "Content-Length": str(len(envelope)),
        "Authorization": authorization or basic(USERNAME, PASSWORD),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST {SERVICE} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + envelope


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without any setting of ours, plus the given ones."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
    return inherited | {"PYTHONPATH": str(ROOT)} | settings


def run_command(
    *arguments: str, folder: Path, typed: str | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run `receiver …` to its end in an empty folder, so that no .env of a developer is read."""
    return subprocess.run(
        [sys.executable, "-m", "receiver", *arguments],
        cwd=folder,
        env=environment(**settings),
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running_receiver(folder: Path, database_url: str, **settings: str) -> Iterator[RunningReceiver]:
    """Start the receiver with two workers and the test's credentials unless `settings` says otherwise."""
    port = _free_port()
    chosen = {
        "RECEIVER_DATABASE_URL": database_url,
        "RECEIVER_BIND": f"127.0.0.1:{port}",
        "RECEIVER_WORKERS": "2",
        **CREDENTIALS,
        **settings,
    }
    log_file = folder / f"receiver-{port}.log"

    def start() -> subprocess.Popen[bytes]:
        with log_file.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "receiver", "serve"],
                cwd=folder,
                env=environment(**chosen),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    receiver = RunningReceiver(start, port, database_url, log_file)
    try:
        receiver.wait_until_it_accepts()
        yield receiver
    finally:
        receiver.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
