"""What the package shows of itself: its names, its types, and what importing it costs nobody."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import os
import subprocess
import sys
from pathlib import Path

import connect_client
from connect_client import testing
from connect_client.wire_names import WIRE_TYPES

ROOT = Path(__file__).resolve().parent.parent


def test_the_list_of_public_names_is_complete_and_sorted() -> None:
    for package in (connect_client, testing):
        tree = ast.parse(inspect.getsource(package))
        imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
        # Constants first, as ruff sorts them.
        assert package.__all__ == sorted(imported, key=lambda name: (not name.isupper(), name))
        assert all(hasattr(package, name) for name in package.__all__)


def test_every_message_and_every_error_is_public() -> None:
    messages = {message.__name__ for message in WIRE_TYPES}
    errors = {name for name, value in vars(connect_client.errors).items() if inspect.isclass(value)}
    ours = {name for name in errors if vars(connect_client.errors)[name].__module__ == "connect_client.errors"}
    assert messages | ours <= set(connect_client.__all__)


def test_every_message_is_a_frozen_dataclass_with_slots_whose_fields_are_documented() -> None:
    for message in WIRE_TYPES:
        assert dataclasses.is_dataclass(message)
        assert message.__dataclass_params__.frozen  # type: ignore[attr-defined]
        assert not hasattr(message, "__dict__") or "__slots__" in vars(message)
    for file in (ROOT / "connect_client" / "messages").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any(is_message(each) for each in node.decorator_list):
                undocumented = [
                    field.target.id
                    for field, after in zip(node.body, [*node.body[1:], None], strict=True)
                    if isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
                ]
                assert not undocumented, f"{file.name}: {node.name}: {undocumented}"


def is_message(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "message"


def test_a_strict_type_checker_accepts_code_that_uses_the_whole_surface(tmp_path: Path) -> None:
    file = tmp_path / "adapter.py"
    file.write_bytes((ROOT / "tests" / "typing" / "adapter.py").read_bytes())
    used = {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
    assert set(connect_client.__all__) | set(testing.__all__) <= used
    # Without this checkout's own configuration and plugins: adapters have none of them.
    options = ["--strict", "--config-file=", "--no-incremental", "--follow-imports=silent"]
    command = [sys.executable, "-m", "mypy", *options, str(file)]
    path = os.environ | {"MYPYPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path, env=path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_client_loads_neither_the_receiver_nor_what_only_tests_need() -> None:
    script = "import sys, connect_client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "requests" in loaded
    assert loaded.isdisjoint({"receiver", "sqlalchemy", "spyne", "pytest", "zeep", "authlib", "click"})
