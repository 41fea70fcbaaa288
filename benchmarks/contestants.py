"""Who takes part: the receiver, the floor, and what a shop would write instead against the same WSDL.

Each stores one order row, a row per line and the whole document in one transaction per order, and skips a reference it
already has. The peers authenticate nobody, validate nothing and log nothing.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
WSDL = HERE.parent / "wsdl" / "OrderNotificationService.wsdl"
USERNAME, PASSWORD = "norce", "bench-password"
_START_S = 30


@dataclass(frozen=True)
class Contestant:
    """A server under test: how it is started and where it takes orders."""

    port: int
    path: str
    command: list[str]
    environment: dict[str, str]
    prepare: list[str] = field(default_factory=list)
    asks_for_credentials: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether its program is there."""
        return shutil.which(self.command[0]) is not None


def contestants(postgres: str, *, node_modules: Path) -> dict[str, Contestant]:
    """All of them by name, storing in the database that `postgres` (a postgresql:// URL) names."""
    url = urlsplit(postgres)
    soap = {
        "WSDL": str(WSDL),
        "SERVICE": "OrderNotificationService",
        "PORT_NAME": "BasicHttpBinding_OrderNotificationService",
        "PEER_DSN": postgres,
        "PEER_PDO": f"pgsql:host={url.hostname};port={url.port or 5432};dbname={url.path.lstrip('/')}",
    }
    gunicorn = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "error", "--chdir", str(HERE)]
    return {
        "receiver": receiver(postgres, port=7100),
        "floor": Contestant(
            7101, "/", [*gunicorn, "-w", "4", "--threads", "1", "-b", "127.0.0.1:7101", "floor:app"], soap
        ),
        "node-soap": Contestant(
            7102, "/", ["node", str(HERE / "node/server.js")], {**soap, "PORT": "7102", "NODE_PATH": str(node_modules)}
        ),
        "php": Contestant(
            7103,
            "/",
            ["php", "-S", "127.0.0.1:7103", str(HERE / "php/server.php")],
            {**soap, "PHP_CLI_SERVER_WORKERS": "4"},
        ),
    }


def receiver(postgres: str, *, port: int, **settings: str) -> Contestant:
    """The receiver with its defaults, and `settings` on top."""
    environment = {
        "RECEIVER_DATABASE_URL": postgres,
        "RECEIVER_BIND": f"127.0.0.1:{port}",
        "RECEIVER_USERNAME": USERNAME,
        "RECEIVER_PASSWORD": PASSWORD,
        **settings,
    }
    command = [sys.executable, "-m", "receiver"]
    path = "/OrderNotificationService.svc"
    return Contestant(port, path, [*command, "serve"], environment, [*command, "migrate"], asks_for_credentials=True)


@contextmanager
def running(contestant: Contestant) -> Iterator[subprocess.Popen[bytes]]:
    """Start a contestant, wait until it listens, and end it with all its processes afterwards."""
    environment = os.environ | contestant.environment
    if contestant.prepare:
        subprocess.run(contestant.prepare, env=environment, check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(contestant.command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_until_it_listens(contestant.port, process)
            # A second for the workers behind the socket.
            time.sleep(1)
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def _wait_until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"the server for port {port} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port} after {_START_S} s")
