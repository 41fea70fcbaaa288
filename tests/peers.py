"""Find the foreign SOAP clients that some tests put our documents and our server in front of.

A peer that is not installed skips its tests; with REQUIRE_ALL=1 in the environment it fails them instead, so
that a run which is meant to be complete cannot pass by leaving something out.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

_LOCAL_MODULES = Path(__file__).parent / "node_modules"


def need_php() -> str:
    """The path of a php command line that has the soap extension."""
    php = shutil.which("php")
    if php is None:
        missing("php is not installed")
    modules = subprocess.run([php, "-m"], capture_output=True, text=True, check=True, timeout=30).stdout
    if "soap" not in modules.split():
        missing("php has no soap extension")
    return php


def need_node_soap() -> dict[str, str]:
    """The environment in which `node` finds the package `soap`.

    It is looked for in the folders of NODE_PATH, then in tests/node_modules (`npm install` there).
    """
    if shutil.which("node") is None:
        missing("node is not installed")
    folders = [Path(entry) for entry in os.environ.get("NODE_PATH", "").split(os.pathsep) if entry]
    found = [folder for folder in (*folders, _LOCAL_MODULES) if (folder / "soap" / "package.json").is_file()]
    if not found:
        missing("the node package soap is neither in NODE_PATH nor in tests/node_modules")
    return os.environ | {"NODE_PATH": str(found[0])}


def missing(reason: str) -> NoReturn:
    """Skip the test for a reason, or fail it where nothing may be left out."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"{reason}, and REQUIRE_ALL=1 forbids skipping")
    pytest.skip(reason)
