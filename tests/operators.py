"""Someone at a shell who runs `receiver …` against one database."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

from tests.servers import CREDENTIALS, environment, run_command


class Operator:
    """Someone at a shell whose environment names one database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self._settings = {**CREDENTIALS, "RECEIVER_DATABASE_URL": database_url}

    def run(self, *arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command, whatever comes of it; `typed` is its standard input."""
        return run_command(*arguments, folder=self.folder, typed=typed, **self._settings)

    def text(self, *arguments: str) -> str:
        """What a command that succeeds writes."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, *arguments: str, typed: str | None = None) -> str:
        """What a command that fails on purpose writes to standard error."""
        done = self.run(*arguments, typed=typed)
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        return done.stderr

    def text_in_terminal(self, *arguments: str, columns: int) -> str:
        """What a command writes to a terminal of this width, without the colours."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        command = [sys.executable, "-m", "receiver", *arguments]
        written = b""
        with subprocess.Popen(command, cwd=self.folder, env=environment(**self._settings), stdout=theirs):
            os.close(theirs)
            # Linux ends a terminal that nobody writes to any more with an error instead of an end of file.
            with contextlib.suppress(OSError):
                while part := os.read(ours, 65536):
                    written += part
        os.close(ours)
        return re.sub(r"\x1b\[[0-9;]*m", "", written.decode())

    def data(self, *arguments: str) -> Any:
        """The JSON that a command writes."""
        return json.loads(self.text(*arguments, "--json"))

    def raw(self, *arguments: str) -> bytes:
        """The bytes that a command writes."""
        command = [sys.executable, "-m", "receiver", *arguments]
        return subprocess.check_output(command, cwd=self.folder, env=environment(**self._settings), timeout=60)
