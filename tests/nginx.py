"""A real nginx with the shipped configuration: other ports, no TLS, and folders of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers import missing
from tests.servers import ROOT

CONFIGURATION = ROOT / "deploy" / "nginx.conf"
_START_S = 10


def need_nginx() -> str:
    """The path of nginx."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        missing("nginx is not installed")
    return nginx


def configuration(folder: Path, changes: dict[str, str]) -> Path:
    """A copy of the shipped configuration with these changes, and without places that only root may write to."""
    text = CONFIGURATION.read_text("utf-8")
    of_its_own = {"pid /run/nginx.pid;": f"pid {folder}/nginx.pid;", "/dev/stdout": f"{folder}/access.log"}
    for shipped, changed in (of_its_own | changes).items():
        assert text.count(shipped) == 1, f"{shipped} is not in {CONFIGURATION} once"
        text = text.replace(shipped, changed)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    text = text.replace("http {\n", f"http {{\n{paths}", 1)
    # Run by root, nginx would become somebody who may not enter the folder.
    file = folder / "nginx.conf"
    file.write_text(("user root;\n" if os.geteuid() == 0 else "") + text, "utf-8")
    return file


@contextmanager
def nginx_before(address: tuple[str, int], folder: Path) -> Iterator[tuple[str, int]]:
    """The address of an nginx that hands on to the given one."""
    nginx = need_nginx()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port};",
        "server 127.0.0.1:8080;": f"server {address[0]}:{address[1]};",
    }
    for line in CONFIGURATION.read_text("utf-8").splitlines():
        if line.strip().startswith("ssl_"):
            changes[f"{line}\n"] = ""
    file = configuration(folder, changes)
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen([nginx, "-p", folder, "-c", file, "-g", "daemon off;"], stdout=log, stderr=log)
    try:
        _wait_until_it_listens(port, process, folder)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(_START_S)


def _wait_until_it_listens(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nginx does not listen: {(folder / 'nginx.log').read_text('utf-8')}")
