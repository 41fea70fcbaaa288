"""The documents that people follow say what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from receiver.settings import described

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("wsdl/*.md")]


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `RECEIVER_")]
    computed = {"RECEIVER_WORKERS"}
    for name, default, _ in described():
        (row,) = [row for row in rows if f"`{name}`" in row]
        if default and name not in computed:
            assert f"`{default.lower() if default in {'True', 'False'} else default}`" in row


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    known = {name for name, _, _ in described()}
    assert set(re.findall(r"RECEIVER_[A-Z_]+", README)) <= known


def test_the_readmes_python_runs_as_it_stands(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "OrderStatus.DELIVERED" in done.stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8"))
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert missing == []


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {line.split()[0] for line in listed.stdout.splitlines()} == targets
