"""What docs/security.md says is shown by a test, is: each test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
NAMED = sorted(
    set(re.findall(r"`((?:acceptance/)?test_\w+\.py)::(test_\w+)`", (TESTS.parent / "docs/security.md").read_text()))
)


def test_bounds_are_shown_by_tests() -> None:
    assert len(NAMED) > 15


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_every_named_test_exists(file: str, test: str) -> None:
    assert f"def {test}(" in (TESTS / file).read_text("utf-8")


def test_every_locked_package_has_its_hash() -> None:
    lock = (TESTS.parent / "requirements.lock").read_text("utf-8")
    packages = re.findall(r"^[a-z0-9-]+==[^\\]+\\\n    --hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^[a-z0-9][^\n]*==", lock, re.MULTILINE)) > 50
