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
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
WSDL = HERE.parent / "wsdl" / "OrderNotificationService.wsdl"
USERNAME, PASSWORD = "norce", "bench-password"
_START_S, _STOP_S = 30, 20
_PHP_EXTENSIONS = {"soap", "pdo_pgsql"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A server under test: how it is started, where it takes orders and in which table they end up."""

    port: int
    command: list[str]
    environment: dict[str, str]
    path: str = "/"
    table: str = "peer_order"
    prepare: list[str] | None = None
    asks_for_credentials: bool = False
    missing: str | None = None
    """What has to be installed before it can start; None when all is there."""


def contestants(postgres: str, *, wsdl: Path, node_modules: Path) -> dict[str, Contestant]:
    """All of them by name, storing in the database that `postgres` (a postgresql:// URL) names."""
    url = urlsplit(postgres)
    soap = {
        "WSDL": str(wsdl.resolve()),
        "SERVICE": "OrderNotificationService",
        "PORT_NAME": "BasicHttpBinding_OrderNotificationService",
        "PEER_DSN": postgres,
        "PEER_PDO": f"pgsql:host={url.hostname};port={url.port or 5432};dbname={url.path.lstrip('/')}",
    }
    gunicorn = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "error", "--chdir", str(HERE)]
    return {
        "receiver": receiver(postgres, port=7100),
        "floor": Contestant(
            port=7101,
            command=[*gunicorn, "-w", "4", "--threads", "1", "-b", "127.0.0.1:7101", "floor:app"],
            environment=soap,
        ),
        "node-soap": Contestant(
            port=7102,
            command=["node", str(HERE / "node/server.js")],
            environment={**soap, "PORT": "7102", "NODE_PATH": str(node_modules.resolve())},
            missing=_missing_for_node(node_modules),
        ),
        "php": Contestant(
            port=7103,
            command=["php", "-S", "127.0.0.1:7103", str(HERE / "php/server.php")],
            environment={**soap, "PHP_CLI_SERVER_WORKERS": "4"},
            missing=_missing_for_php(),
        ),
    }


def receiver(postgres: str, *, port: int, **settings: str) -> Contestant:
    """The receiver with its defaults, and `settings` on top."""
    command = [sys.executable, "-m", "receiver"]
    return Contestant(
        port=port,
        path="/OrderNotificationService.svc",
        table="orders",
        command=[*command, "serve"],
        environment={
            "RECEIVER_DATABASE_URL": postgres,
            "RECEIVER_BIND": f"127.0.0.1:{port}",
            "RECEIVER_USERNAME": USERNAME,
            "RECEIVER_PASSWORD": PASSWORD,
            **settings,
        },
        prepare=[*command, "migrate"],
        asks_for_credentials=True,
    )


@contextmanager
def running(contestant: Contestant) -> Iterator[subprocess.Popen[bytes]]:
    """Start a contestant, wait until it listens, and end it with all its processes afterwards.

    It runs in an empty folder and without the developer's own RECEIVER_ settings. Ends the program with what the
    server said when it does not start, and when something else listens on its port already.
    """
    if _listens(contestant.port):
        raise SystemExit(f"port {contestant.port} is taken by another program; end it first")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
    environment = inherited | contestant.environment
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        if contestant.prepare:
            subprocess.run(contestant.prepare, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        process = subprocess.Popen(
            contestant.command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait_until_it_listens(contestant.port, process, log)
            # The socket is open before the workers behind it are.
            time.sleep(1)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(_STOP_S)


def _wait_until_it_listens(port: int, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            log.seek(0)
            said = log.read().decode(errors="replace")
            raise SystemExit(f"the server for port {port} ended with {process.returncode}:\n{said}")
        if _listens(port):
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port} after {_START_S} s")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _missing_for_node(modules: Path) -> str | None:
    if not shutil.which("node"):
        return "node"
    packages = [name for name in ("soap", "pg") if not (modules / name / "package.json").is_file()]
    return f"`npm install --prefix tests`, for {' and '.join(packages)}" if packages else None


def _missing_for_php() -> str | None:
    if not shutil.which("php"):
        return "php-cli, php-soap and php-pgsql"
    listed = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout.split()
    absent = sorted(_PHP_EXTENSIONS.difference(listed))
    return f"the php extensions {' and '.join(absent)}" if absent else None


def worker_of(master: subprocess.Popen[bytes]) -> int:
    """The process id of a receiver's first worker."""
    children = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text("ascii")
    return int(children.split()[0])
