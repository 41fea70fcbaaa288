"""A shell in which `connect-client` is run, as people and scripts run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from connect_client import message_as_json
from connect_client.testing import FakeConnect

ROOT = Path(__file__).resolve().parent.parent
Outcome = subprocess.CompletedProcess[str]


class Shell:
    """Someone at a shell whose environment leads to one server."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = settings

    def environment(self, **settings: str) -> dict[str, str]:
        """No setting but those of this shell and these; no proxy either."""
        foreign = ("CONNECT_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA", "CURL_CA")
        inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)}
        return inherited | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"} | self.settings | settings

    def run(self, *arguments: str, stdin: str = "", **settings: str) -> Outcome:
        """Run a command to its end, whatever comes of it."""
        return subprocess.run(
            command(*arguments),
            cwd=self.folder,
            env=self.environment(**settings),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def file(self, message: Any) -> str:
        """The name of a file that holds the message as JSON."""
        (self.folder / "message.json").write_text(json.dumps(message_as_json(message)), encoding="utf-8")
        return "message.json"


def command(*arguments: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "connect_client.cli", *arguments]


def shell_to(fake: FakeConnect, folder: Path) -> Shell:
    """A shell whose settings lead to this server."""
    credentials = {"CONNECT_USERNAME": fake.basic_auth.username, "CONNECT_PASSWORD": fake.basic_auth.password}
    return Shell(folder, CONNECT_URL=fake.url, **credentials)
