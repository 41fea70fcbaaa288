"""The operator's commands: `receiver --help` lists them."""

from __future__ import annotations

from receiver.cli.main import main

__all__ = ["main"]
