"""The command `connect-client`: reports to Norce from a terminal."""

from __future__ import annotations

from connect_client.cli.main import main

__all__ = ["main"]
