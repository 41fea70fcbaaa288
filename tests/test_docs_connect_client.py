"""docs/connect-client.md does what it says: its Python and its commands are run, its tables are complete."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connect_client import Operation, errors, message_as_json
from connect_client.cli.settings import OPTIONS, SECRETS, environment_name
from connect_client.testing import FakeConnect
from tests.connect_messages import EVERY_FIELD
from tests.connect_shell import shell_to

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "connect-client.md"
TEXT = DOCUMENT.read_text("utf-8")


def blocks(language: str) -> Iterator[tuple[int, str]]:
    """The blocks of one language, each with the number of its first line."""
    for found in re.finditer(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE):
        yield TEXT.count("\n", 0, found.start(1)) + 1, found[1]


def test_every_python_block_runs_and_reports_with_every_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeConnect() as fake:
        monkeypatch.setenv("CONNECT_URL", fake.url)
        monkeypatch.setenv("CONNECT_TOKEN_URL", fake.token_url)
        monkeypatch.setenv("CONNECT_USERNAME", fake.basic_auth.username)
        monkeypatch.setenv("CONNECT_PASSWORD", fake.basic_auth.password)
        monkeypatch.setenv("CONNECT_CLIENT_SECRET", fake.client_credentials.client_secret)
        names: dict[str, Any] = {}
        for line, code in blocks("python"):
            # The empty lines make tracebacks point into the document.
            exec(compile("\n" * (line - 1) + code, str(DOCUMENT), "exec"), names)
        assert {received.operation for received in fake.received} == set(Operation)
        fixtures = [value for name, value in names.items() if name.startswith("test_")]
        assert fixtures
        for test in fixtures:
            with FakeConnect() as fresh:
                test(fresh)


def test_a_strict_type_checker_accepts_every_python_block(tmp_path: Path) -> None:
    file = tmp_path / "adapter.py"
    file.write_text("\n".join(code for _, code in blocks("python")), encoding="utf-8")
    options = ["--strict", "--config-file=", "--no-incremental", "--follow-imports=silent"]
    command = [sys.executable, "-m", "mypy", *options, str(file)]
    path = os.environ | {"MYPYPATH": str(DOCUMENT.parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path, env=path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_is_accepted(tmp_path: Path) -> None:
    for name, operation in {"note": Operation.CREATE_DELIVERY_NOTE, "invoice": Operation.CREATE_INVOICE}.items():
        document = json.dumps(message_as_json(EVERY_FIELD[operation]))
        (tmp_path / f"{name}.json").write_text(document, encoding="utf-8")
    commands = [line for _, block in blocks("sh") for line in block.splitlines()]
    assert commands
    with FakeConnect() as fake:
        shell = shell_to(fake, tmp_path)
        for command in commands:
            program, *arguments = shlex.split(command)
            assert program == "connect-client"
            done = shell.run(*arguments)
            assert done.returncode == 0, command + done.stderr
        assert len(fake.messages) == len(commands) - sum("--dry-run" in each or "ping" in each for each in commands)


def test_every_operation_has_its_example_and_its_row() -> None:
    methods = [operation.name.lower() for operation in Operation]
    headings = ", ".join(re.findall(r"^### (.*)$", TEXT, re.MULTILINE)).split(", ")
    assert sorted(headings) == sorted(["acknowledge", *methods])
    rows = [line for line in TEXT.splitlines() if line.startswith("| ")]
    assert all(any(f"| `{method}` |" in row for row in rows) for method in methods)


def test_every_error_has_its_row() -> None:
    named = re.findall(r"^\| [├└ ]*`([A-Z][a-z]\w+)` \|", TEXT, re.MULTILINE)
    kinds = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert set(named) == kinds - {"ConnectError", "CallFailed"}


def test_every_setting_is_listed_and_no_other() -> None:
    known = {environment_name(name) for name in (*OPTIONS, *SECRETS)}
    assert set(re.findall(r"CONNECT_[A-Z_]+", TEXT)) == known
